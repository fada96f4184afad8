import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';
import { epsilonOf, rdpOf } from '../../packages/dp/src/accounting/answer.ts';
import { decodeNoisedSum, distributedNoise, encodeNoised } from '../../packages/secagg/src/noise/distributed.ts';
import type { DistributedNoise } from '../../packages/secagg/src/noise/distributed.ts';
import { honestMinimumOf, noiseOverheadBound } from '../../packages/secagg/src/noise/overhead.ts';
import { roundConditionally, roundedNormSquared } from '../../packages/secagg/src/noise/rounding.ts';
import { paddedLength, rotate, rotateBack } from '../../packages/secagg/src/noise/rotation.ts';
import { wrapBound } from '../../packages/secagg/src/noise/wrap.ts';
import { roundParameters } from '../../packages/secagg/src/parameters.ts';
import { gaussianTails, skellamTails } from '../core/integer-noise/oracle.ts';
import { contextOf, crypto, runRound } from './network.ts';

const seed = new Uint8Array(32).fill(5);
const mechanisms = ['discreteGaussian', 'skellam'] as const;

/** Unit vectors that are much the same for all members. */
const unit = (length: number, k: number): Float64Array => {
  const v = Float64Array.from({ length }, (_, i) => Math.cos(i) + 0.3 * Math.cos(i * (k + 1)));
  const norm = Math.hypot(...v);
  return v.map((value) => value / norm);
};

describe('the rotation', () => {
  it('keeps lengths and comes back', () => {
    const norm = (v: Float64Array): number => Math.hypot(...v);
    for (const length of [1, 2, 3, 7, 100, 128, 129]) {
      const vector = Float64Array.from({ length }, (_, i) => Math.sin(i + 1) * (i + 1));
      const rotated = rotate(crypto, seed, vector);
      expect(rotated.length).toBe(paddedLength(length));
      expect(norm(rotated)).toBeCloseTo(norm(vector), 8);
      const back = rotateBack(crypto, seed, rotated, length);
      for (let i = 0; i < length; i++) expect(back[i]).toBeCloseTo(vector[i]!, 8);
    }
    expect([1, 2, 3, 1024, 1025].map(paddedLength)).toEqual([1, 2, 4, 1024, 2048]);
  });

  it('is the Hadamard matrix, by its definition', () => {
    for (const m of [8, 16]) {
      for (let column = 0; column < m; column++) {
        const spike = new Float64Array(m);
        spike[column] = Math.sqrt(m);
        const rotated = rotate(crypto, seed, spike);
        const sign = rotated[0]!;
        const parity = (a: number): number => a.toString(2).split('1').length % 2 || -1; // 1 for an even number of ones
        for (let row = 0; row < m; row++) expect(rotated[row]! * sign).toBeCloseTo(parity(row & column), 10);
      }
    }
  });
});

describe('conditional rounding', () => {
  it('never exceeds its bound, in integers, and keeps its bound where the norm is at its limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.double({ min: 1, max: 4000, noNaN: true }), fc.nat(), (log, norm, key) => {
        const dimension = 2 ** log;
        const random = unsafeDeterministicRandom(`rounding ${key}`);
        const vector = Float64Array.from({ length: dimension }, (_, i) => Math.sin(i * (key % 97) + 1));
        const factor = norm / Math.hypot(...vector);
        const bound = roundedNormSquared(norm, dimension);
        const rounded = roundConditionally(random, vector, factor, bound);
        let squared = 0n;
        for (const value of rounded) squared += BigInt(value) ** 2n;
        expect(squared <= BigInt(bound)).toBe(true);
        for (let i = 0; i < dimension; i++) expect(Math.abs(rounded[i]! - vector[i]! * factor)).toBeLessThan(1);
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  it('is unbiased', () => {
    const vector = Float64Array.from([0.25, -0.75, 3.5, 0]);
    const sum = new Float64Array(4);
    const random = unsafeDeterministicRandom('unbiased');
    for (let k = 0; k < 20_000; k++) {
      const rounded = roundConditionally(random, vector, 1, 1000);
      for (let i = 0; i < 4; i++) sum[i]! += rounded[i]! / 20_000;
    }
    for (let i = 0; i < 4; i++) expect(Math.abs(sum[i]! - vector[i]!)).toBeLessThan(5 * 0.5 * Math.sqrt(1 / 20_000));
  });

  it('falls back to truncation where no attempt can hold', () => {
    expect([...roundConditionally(unsafeDeterministicRandom('x'), Float64Array.from([1.999, -1.999]), 1, 2)]).toEqual([1, -1]);
  });
});

describe.each(mechanisms)('distributed noise: %s', (mechanism) => {
  const members = 10;
  const length = 2000;
  const noise = distributedNoise({
    mechanism,
    length,
    clipNorm: 1,
    bits: 16,
    noiseMultiplier: 1,
    members,
    honestMinimum: members,
  });

  const sumOf = (made: DistributedNoise, count: number, vectorOf: (k: number) => Float64Array): Uint32Array => {
    const sums = new Uint32Array(made.dimension);
    for (let k = 0; k < count; k++) {
      const part = made.encode(crypto, unsafeDeterministicRandom(`client ${k}`), seed, vectorOf(k));
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i]! + part[i]!) % 2 ** made.choice.bits;
    }
    return sums;
  };

  it('at 16 bits costs at most 1.1 times the squared error of central noise', () => {
    const sums = sumOf(noise, members, (k) => unit(length, k));
    const got = decodeNoisedSum(crypto, noise, seed, sums);
    const vectors = Array.from({ length: members }, (_, k) => unit(length, k));
    let error = 0;
    for (let i = 0; i < length; i++) error += (got[i]! - vectors.reduce((sum, v) => sum + v[i]!, 0)) ** 2;
    const ratio = error / length; // central: variance (1·1)² a coordinate
    expect(Math.abs(ratio - 1)).toBeLessThan(0.1 + 5 * Math.sqrt(2 / length));
    // The part that is not chance: local variances and the inflation of the sensitivity.
    expect((members * noise.localVariance) / noise.scale ** 2).toBeLessThan(1.02);
  });

  it('has the ε of its event: within 2 % of the Gaussian with the same multiplier, never below it', () => {
    const question = { ...noise.relation, delta: 1e-6 } as const;
    const rényi = { ...question, accountant: 'rdp' } as const;
    const central = epsilonOf({ type: 'gaussian', noiseMultiplier: 1 }, rényi).upper;
    const found = epsilonOf(noise.event, rényi).upper;
    expect(found).toBeGreaterThan(central * (1 - 1e-9));
    expect(found).toBeLessThan(central * 1.02);
    expect(noise.event.type).toBe(mechanism === 'skellam' ? 'skellamSum' : 'distributedDiscreteGaussian');
    expect(noise.event.clients).toBe(members);
    expect(noise.event.modulus).toBe(65536);
    // By hand, from the published formulas, at order 8. A vector of integers has ‖x‖₁ ≤ ‖x‖₂², and ‖x‖₁ ≤ √d·‖x‖₂.
    const { l2Sensitivity: l2 } = noise;
    const l1 = Math.min(l2 * l2, Math.sqrt(noise.dimension) * l2);
    expect(l2).toBeGreaterThan(1);
    expect(noise.event.l1Sensitivity / l1).toBeCloseTo(1, 12);
    const total = members * noise.localVariance;
    const byHand =
      mechanism === 'skellam'
        ? (8 * l2 * l2) / (2 * total) + Math.min((15 * l2 * l2 + 6 * l1) / (4 * total * total), (3 * l1) / (2 * total))
        : (8 * l2 * l2) / (2 * total);
    expect(rdpOf(noise.event, { ...noise.relation, orders: [8] }).rdp[0]).toBeCloseTo(byHand, 9);
  });

  it('is private for the vector of a client in a public cohort, and says so', () => {
    expect(noise.relation).toEqual({ adjacency: 'zeroOut', unit: 'client' });
    expect(Object.isFrozen(noise.relation)).toBe(true);
    expect(epsilonOf(noise.event, { ...noise.relation, delta: 1e-6 })).toMatchObject(noise.relation);
    // Why it says so: the sum of squares tells an absent client from one whose vector is zero, however much noise there is.
    const loud = distributedNoise({ ...noise.choice, bits: 20, noiseMultiplier: 4, members: 4, honestMinimum: 2 });
    const { upper } = epsilonOf(loud.event, { ...loud.relation, delta: 1e-6 });
    expect(upper).toBeLessThan(1.5);
    const variances = (count: number): number => {
      let squared = 0;
      for (const value of sumOf(loud, count, () => new Float64Array(length))) {
        squared += (value >= 2 ** 19 ? value - 2 ** 20 : value) ** 2;
      }
      return squared / loud.dimension / loud.localVariance;
    };
    const deviation = Math.sqrt(2 / loud.dimension);
    expect(Math.abs(variances(2) - 2)).toBeLessThan(5 * 2 * deviation);
    expect(Math.abs(variances(1) - 1)).toBeLessThan(5 * deviation);
    // More than ten standard deviations lie between the two, in both laws.
    expect(1 / (2 * deviation)).toBeGreaterThan(10);
  });

  it('scales for the honest minimum: fewer promised, more noise each, and an event that says so', () => {
    const cautious = distributedNoise({ ...noise.choice, honestMinimum: 4 });
    expect(cautious.event.clients).toBe(4);
    expect((cautious.localVariance * 4) / cautious.l2Sensitivity ** 2).toBeGreaterThanOrEqual(1 - 1e-12);
    expect(cautious.noise).toEqual({ mechanism, localVariance: cautious.localVariance, honestMinimum: 4, vector: 'update' });
  });

  it('binds event and noise in one object: a copy with another variance is no mechanism', () => {
    type Look = { [K in keyof DistributedNoise]: DistributedNoise[K] };
    const passes: Look extends DistributedNoise ? true : false = false;
    expect(passes).toBe(false);
    const forged = Object.create(noise, { localVariance: { value: 1 } }) as DistributedNoise;
    expect(() => noise.encode.call(forged, crypto, unsafeDeterministicRandom('f'), seed, unit(length, 1))).toThrow(TypeError);
    expect(() => Object.assign(noise, { localVariance: 1 })).toThrow(TypeError);
    expect(() => Object.assign(noise.event, { clients: 1 })).toThrow(TypeError);
  });

  it('draws the variance that the event names', () => {
    const zero = new Float64Array(length);
    const one = distributedNoise({ ...noise.choice, length, honestMinimum: 3 });
    const part = one.encode(crypto, unsafeDeterministicRandom('variance'), seed, zero);
    let squared = 0;
    for (const value of part) squared += (value >= 32768 ? value - 65536 : value) ** 2;
    const ratio = squared / one.dimension / one.localVariance;
    expect(Math.abs(ratio - 1)).toBeLessThan(5 * Math.sqrt(2.1 / one.dimension));
    const { event } = one;
    expect(event.type === 'skellamSum' ? event.variance : event.sigma ** 2).toBeCloseTo(one.localVariance, 6);
  });

  it('clips what is too long, and refuses what is not finite or of another length', () => {
    const quiet = distributedNoise({ ...noise.choice, bits: 24, noiseMultiplier: 1e-3 });
    const long = unit(length, 3).map((value) => 100 * value);
    const random = (): ReturnType<typeof unsafeDeterministicRandom> => unsafeDeterministicRandom('clip');
    const got = quiet.decode(crypto, seed, quiet.encode(crypto, random(), seed, long));
    expect(Math.hypot(...got)).toBeGreaterThan(0.98);
    expect(Math.hypot(...got)).toBeLessThan(1.02);
    expect(() => encodeNoised(crypto, random(), noise, seed, new Float64Array(length).fill(NaN))).toThrow(/not finite/);
    expect(() => encodeNoised(crypto, random(), noise, seed, new Float64Array(3))).toThrow(/vector length/);
    expect(() => noise.decode(crypto, seed, new Uint32Array(5))).toThrow(/length of the sums/);
  });

  it('works at every width, and refuses what cannot fit', () => {
    for (const bits of [12, 20, 31, 32]) {
      const made = distributedNoise({ ...noise.choice, bits });
      const got = made.decode(
        crypto,
        seed,
        sumOf(made, members, (k) => unit(length, k)),
      );
      const vectors = Array.from({ length: members }, (_, k) => unit(length, k));
      let error = 0;
      for (let i = 0; i < length; i++) error += (got[i]! - vectors.reduce((sum, v) => sum + v[i]!, 0)) ** 2;
      expect(error / length, `${bits} bits`).toBeLessThan(bits < 16 ? 2 : 1.2);
    }
    const refused = { ...noise.choice, bits: 8, members: 1000, honestMinimum: 2 };
    expect(() => distributedNoise(refused)).toThrow(/8 bits cannot hold/);
    expect(() => distributedNoise({ ...noise.choice, honestMinimum: 11 })).toThrow(/honestMinimum/);
    expect(() => distributedNoise({ ...noise.choice, mechanism: 'laplace' as never })).toThrow(/mechanism/);
  });

  it('keeps the wrap probability, which is proved to be above what happens', () => {
    expect(noise.wrapProbability).toBeLessThanOrEqual(1e-6);
    expect(noise.wrapProbability).toBeGreaterThan(1e-8); // the grid is as fine as it may be
    // Against the exact tail of the sum of the noises alone (Skellam; the Gaussian's is lighter), one coordinate.
    for (const [members, variance, bits] of [
      [2, 50, 7],
      [5, 300, 9],
      [20, 20, 8],
    ] as const) {
      const room = 2 ** (bits - 1) - 1 - members;
      const tails = mechanism === 'skellam' ? skellamTails : gaussianTails;
      const exact = Number(tails(members * variance, room, 200n)[room]!) / 2 ** 200;
      const bound = wrapBound({ mechanism, members, variance, norm: 0, dimension: 1, bits });
      expect(bound).toBeGreaterThan(exact);
      expect(bound).toBeLessThan(exact * 60);
    }
    // With a spread and a union: the least exponent over a fine grid of θ, from the moment-generating functions.
    for (const [members, variance, norm, dimension, bits] of [
      [10, 900, 300, 1024, 12],
      [40, 50, 60, 64, 12],
      [5, 4000, 1000, 4096, 13],
    ] as const) {
      const room = 2 ** (bits - 1) - 1 - members;
      let least = 1;
      for (let theta = 1e-5; theta < 2; theta *= 1.0005) {
        const noise = members * variance * (mechanism === 'skellam' ? Math.cosh(theta) - 1 : theta ** 2 / 2);
        const spread = (theta * members * norm) ** 2 / (2 * dimension);
        least = Math.min(least, 2 * dimension * Math.exp(noise + spread - theta * room));
      }
      expect(least).toBeLessThan(0.5);
      expect(wrapBound({ mechanism, members, variance, norm, dimension, bits }) / least).toBeCloseTo(1, 4);
    }
    // More members, more noise or fewer bits never make the bound smaller.
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 50 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 9, max: 20 }),
        (n, v, b) => {
          const at = wrapBound({ mechanism, members: n, variance: v, norm: 30, dimension: 1024, bits: b });
          expect(
            wrapBound({ mechanism, members: n + 1, variance: v, norm: 30, dimension: 1024, bits: b }),
          ).toBeGreaterThanOrEqual(at);
          expect(
            wrapBound({ mechanism, members: n, variance: v + 1, norm: 30, dimension: 1024, bits: b }),
          ).toBeGreaterThanOrEqual(at);
          expect(wrapBound({ mechanism, members: n, variance: v, norm: 30, dimension: 1024, bits: b + 1 })).toBeLessThanOrEqual(
            at,
          );
        },
      ),
      { seed: 1, numRuns: 50 },
    );
  });
});

describe('noise after drop-outs', () => {
  const rule = { gammaNumerator: 1, gammaDenominator: 10, cMin: 0, nMin: 8, nMax: 10, hMin: 2 };

  it('relies on F − max(c, 1) of the worst roster that the rule accepts', () => {
    const rules = [rule, { ...rule, nMin: 3, nMax: 200, gammaDenominator: 3 }, { ...rule, cMin: 4, hMin: 3, nMin: 3, nMax: 12 }];
    for (const each of rules) {
      let least = Infinity;
      for (let n = each.nMin; n <= each.nMax; n++) {
        const c = Math.max(each.cMin, Math.floor(((n - 1) * each.gammaNumerator) / each.gammaDenominator));
        const F = Math.max(Math.floor((n + c) / 2) + 1, each.nMin, c + each.hMin);
        if (F <= n) least = Math.min(least, F - Math.max(c, 1));
      }
      expect(honestMinimumOf(each)).toBe(least);
      expect(noiseOverheadBound(each)).toBe(each.nMax / least);
    }
    expect(honestMinimumOf({ ...rule, hMin: 10, cMin: 5 })).toBe(0); // F is above every n
  });

  it.each(mechanisms)(
    'never too little and at most nMax/h times enough, over every drop-out of a real round: %s',
    (mechanism) => {
      const ids = Array.from({ length: 10 }, (_, i) => `p${i}`);
      const { F, c } = roundParameters(10, rule);
      const honestMinimum = honestMinimumOf(rule);
      expect([F, c, honestMinimum]).toEqual([8, 0, 7]);
      const made = distributedNoise({
        mechanism,
        length: 1000,
        clipNorm: 1,
        bits: 16,
        noiseMultiplier: 1,
        members: 10,
        honestMinimum,
      });
      const context = contextOf({
        cohort: rule,
        noise: made.noise,
        vectors: [{ name: 'update', length: made.dimension, bits: 16 }],
      });
      const zero = new Float64Array(1000);
      const inputs = Object.fromEntries(
        ids.map((id) => [id, [made.encode(crypto, unsafeDeterministicRandom(`drop ${id}`), seed, zero)]]),
      );
      for (let lost = 0; lost <= 3; lost++) {
        const losses = Object.fromEntries(ids.slice(0, lost).map((id) => [id, 'masked' as const]));
        const { server } = runRound({ ids, context, inputs, losses });
        if (lost === 3) {
          expect(server.state.abort?.code).toBe('survivors-too-few'); // never a sum with too little noise
          break;
        }
        const survivors = 10 - lost;
        let squared = 0;
        for (const value of server.result!.sums[0]!) squared += (value >= 32768 ? value - 65536 : value) ** 2;
        const over = squared / made.dimension / (honestMinimum * made.localVariance);
        expect(Math.abs(over / made.noiseOverhead(survivors) - 1)).toBeLessThan(5 * Math.sqrt(2.1 / made.dimension));
        expect(made.noiseOverhead(survivors)).toBeGreaterThanOrEqual(1);
        expect(made.noiseOverhead(survivors)).toBeLessThanOrEqual(noiseOverheadBound(rule));
      }
      expect(() => made.noiseOverhead(6)).toThrow(/survivors is 6/);
      expect(() => made.noiseOverhead(11)).toThrow(/survivors is 11/);
    },
  );

  it.each(mechanisms)('accounts afterwards for the noise that was really there: %s', (mechanism) => {
    const made = distributedNoise({
      mechanism,
      length: 100,
      clipNorm: 1,
      bits: 18,
      noiseMultiplier: 1,
      members: 30,
      honestMinimum: 11,
    });
    const question = { ...made.relation, delta: 1e-6, accountant: 'rdp' } as const;
    const before = epsilonOf(made.event, question).upper;
    expect(made.eventOf(21, 10)).toEqual(made.event);
    const full = made.eventOf(30, 9);
    expect(full.clients).toBe(21);
    expect(epsilonOf(full, question).upper).toBeLessThan(before);
    // One member who colludes with nobody knows its own noise.
    expect(made.eventOf(30, 0)).toEqual(made.eventOf(30, 1));
    expect(() => made.eventOf(20, 10)).toThrow(/survivors − colluding is 10/);
    expect(() => made.eventOf(31, 1)).toThrow(/survivors is 31/);
  });

  it('is refused by a client whose roster promises fewer honest members than the noise relies on', () => {
    const noise = { mechanism: 'skellam', localVariance: 9, honestMinimum: 8, vector: 'update' } as const;
    const ids = Array.from({ length: 8 }, (_, i) => `p${i}`);
    const run = runRound({ ids, context: contextOf({ cohort: rule, noise }) });
    expect(run.server.result).toBeUndefined();
    for (const client of run.clients.values()) expect(client.state).toMatchObject({ phase: 'aborted' });
  });
});
