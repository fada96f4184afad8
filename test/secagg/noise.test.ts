import { describe, expect, it } from 'vitest';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';
import { nodeCrypto as crypto } from '../../packages/secagg/src/node/crypto-node.ts';
import { bernoulliExp, discreteGaussian, UniformBits } from '../../packages/secagg/src/noise/discrete-gaussian.ts';
import { decodeNoisedSum, distributedNoise, encodeNoised } from '../../packages/secagg/src/noise/distributed.ts';
import { paddedLength, rotate, rotateBack } from '../../packages/secagg/src/noise/rotation.ts';

const seed = new Uint8Array(32).fill(5);

describe('exact samplers', () => {
  it('decides exp(−a/b) right where the double cannot', () => {
    // 1/e to 63 decimals; its bits 54 to 85 decide where the first 53 of the uniform are its own.
    const digits = (367879441171442321595523770161460867445811131031767834507836801n << 85n) / 10n ** 63n;
    const first = digits >> 32n;
    const tail = Number(digits & 0xffffffffn);
    const decide = (next: number): boolean => {
      const words = [Number(first >> 26n) * 32, Number(first & 0x3ffffffn) * 64, next, 7, 7, 7];
      const source = {
        fill(target: Uint8Array): void {
          new Uint32Array(target.buffer).set(words);
        },
      };
      return bernoulliExp(new UniformBits(source), 10n ** 20n, 10n ** 20n);
    };
    expect(decide(tail - 1)).toBe(true);
    expect(decide(tail + 1)).toBe(false);
  });

  it.each([1, 4, 1000])('the discrete Gaussian of variance %i fits its law (χ²)', (variance) => {
    const n = 40_000;
    const samples = discreteGaussian(unsafeDeterministicRandom(`gaussian ${variance}`), variance, n);
    const sigma = Math.sqrt(variance);
    const reach = Math.ceil(12 * sigma);
    let total = 0;
    for (let x = -reach; x <= reach; x++) total += Math.exp((-x * x) / (2 * variance));
    const width = Math.max(1, Math.round(sigma / 3));
    const bin = (x: number): number => Math.max(-9, Math.min(9, Math.round(x / width)));
    const expected = new Map<number, number>();
    for (let x = -reach; x <= reach; x++) {
      expected.set(bin(x), (expected.get(bin(x)) ?? 0) + (n * Math.exp((-x * x) / (2 * variance))) / total);
    }
    const seen = new Map<number, number>();
    for (const x of samples) seen.set(bin(x), (seen.get(bin(x)) ?? 0) + 1);
    let statistic = 0;
    for (const [b, e] of expected) if (e >= 5) statistic += ((seen.get(b) ?? 0) - e) ** 2 / e;
    expect(statistic).toBeLessThan(60); // 18 degrees of freedom: 10^-6 quantile 60
    const mean = samples.reduce((a, b) => a + b, 0) / n;
    expect(Math.abs(mean)).toBeLessThan((5 * sigma) / Math.sqrt(n));
  });

  it('refuses a variance that is no integer', () => {
    expect(() => discreteGaussian(unsafeDeterministicRandom('x'), 1.5, 1)).toThrow(/variance is 1.5/);
  });
});

describe('the rotation', () => {
  it('keeps lengths and comes back', () => {
    const vector = Float64Array.from({ length: 100 }, (_, i) => Math.sin(i) * i);
    const rotated = rotate(crypto, seed, vector);
    expect(rotated.length).toBe(128);
    const norm = (v: Float64Array): number => Math.hypot(...v);
    expect(norm(rotated)).toBeCloseTo(norm(vector), 8);
    const back = rotateBack(crypto, seed, rotated, 100);
    for (let i = 0; i < 100; i++) expect(back[i]).toBeCloseTo(vector[i]!, 8);
    expect([1, 2, 3, 1024, 1025].map(paddedLength)).toEqual([1, 2, 4, 1024, 2048]);
  });

  it('spreads a single coordinate evenly', () => {
    const spike = new Float64Array(1024);
    spike[77] = 32;
    for (const value of rotate(crypto, seed, spike)) expect(Math.abs(value)).toBeCloseTo(1, 10);
  });
});

describe('distributed noise', () => {
  const clients = 10;
  const mechanism = distributedNoise({
    length: 2000,
    clipNorm: 1,
    bits: 16,
    noiseMultiplier: 1,
    members: clients,
    honestMinimum: clients,
  });

  it('at 16 bits costs at most 1.1 times the squared error of central noise', () => {
    const vectors = Array.from({ length: clients }, (_, k) => {
      const v = Float64Array.from({ length: 2000 }, (_unused, i) => Math.cos(i * (k + 1)));
      const norm = Math.hypot(...v);
      return v.map((value) => value / norm);
    });
    const sums = new Uint32Array(mechanism.dimension);
    for (const [k, vector] of vectors.entries()) {
      const part = encodeNoised(crypto, unsafeDeterministicRandom(`client ${k}`), mechanism, seed, vector);
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i]! + part[i]!) % 65536;
    }
    const got = decodeNoisedSum(crypto, mechanism, seed, sums);
    let error = 0;
    for (let i = 0; i < 2000; i++) error += (got[i]! - vectors.reduce((sum, v) => sum + v[i]!, 0)) ** 2;
    const ratio = error / 2000; // central: variance (1·1)² a coordinate
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1.1 + 5 * Math.sqrt(2 / 2000));
    // The part that is not chance: local variances and the inflation of the sensitivity.
    expect((clients * mechanism.localVariance) / mechanism.scale ** 2).toBeLessThan(1.1);
  });

  it('scales for the honest minimum: fewer promised, more noise each, and an event that says so', () => {
    const cautious = distributedNoise({ ...mechanism.choice, honestMinimum: 4 });
    expect(cautious.event.clients).toBe(4);
    expect((cautious.localVariance * 4) / cautious.l2Sensitivity ** 2).toBeGreaterThanOrEqual(1);
    expect(cautious.event.sigma ** 2).toBeCloseTo(cautious.localVariance, 6);
    expect(cautious.noise).toEqual({ mechanism: 'discreteGaussian', localVariance: cautious.localVariance, honestMinimum: 4 });
  });

  it('never lets a rounded vector exceed the sensitivity that is accounted', () => {
    const noiseless = { ...mechanism, localVariance: 1 };
    const big = Float64Array.from({ length: 2000 }, (_, i) => 100 * Math.sin(i));
    for (let k = 0; k < 5; k++) {
      const part = encodeNoised(crypto, unsafeDeterministicRandom(`big ${k}`), noiseless, seed, big);
      let squared = 0;
      for (const value of part) squared += (value >= 32768 ? value - 65536 : value) ** 2;
      expect(Math.sqrt(squared)).toBeLessThan(mechanism.l2Sensitivity + Math.sqrt(mechanism.dimension) * 1.5); // noise of variance 1
    }
    expect(() => encodeNoised(crypto, unsafeDeterministicRandom('n'), mechanism, seed, new Float64Array(2000).fill(NaN))).toThrow(
      /not finite/,
    );
  });

  it('refuses what cannot fit', () => {
    expect(() => distributedNoise({ ...mechanism.choice, bits: 8, members: 1000, honestMinimum: 2 })).toThrow(
      /8 bits cannot hold/,
    );
  });
});
