import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMultiple, fieldFor, gf256, gf65536, invert, multiply, toBytes, toWords } from '../../packages/secagg/src/field.ts';
import type { Field } from '../../packages/secagg/src/field.ts';
import { dualMultipliers, findWrongShares, sharesAgree } from '../../packages/secagg/src/reed-solomon.ts';
import { combineShares, lagrangeAtZero, splitSecret } from '../../packages/secagg/src/shamir.ts';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';

/** Schoolbook product of polynomials over GF(2), then long division: an independent oracle. */
function slowMultiply(field: Field, a: number, b: number): number {
  let product = 0n;
  for (let i = 0n; i < 16n; i++) if ((BigInt(b) >> i) & 1n) product ^= BigInt(a) << i;
  const modulus = BigInt(field.polynomial);
  for (let i = 31n; i >= BigInt(field.bits); i--) if ((product >> i) & 1n) product ^= modulus << (i - BigInt(field.bits));
  return Number(product);
}

const fields = [gf256, gf65536];
const element = (field: Field): fc.Arbitrary<number> => fc.nat(2 ** field.bits - 1);
const random = unsafeDeterministicRandom('sharing');
const secretOf = (length: number): Uint8Array => {
  const secret = new Uint8Array(length);
  random.fill(secret);
  return secret;
};

describe.each(fields)('GF(2^$bits)', (field) => {
  it('multiplies as polynomials do', () => {
    fc.assert(
      fc.property(element(field), element(field), (a, b) => {
        expect(multiply(field, a, b)).toBe(slowMultiply(field, a, b));
      }),
      { seed: 1, numRuns: 500 },
    );
    if (field.bits === 8) expect(multiply(field, 0x53, 0xca)).toBe(1); // FIPS 197's example
  });

  it('inverts every element but zero', () => {
    for (let a = 1; a < 2 ** field.bits; a += field.bits === 8 ? 1 : 97) expect(multiply(field, a, invert(field, a))).toBe(1);
    expect(invert(field, 0)).toBe(0);
  });

  it('multiplies lanes side by side', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), element(field), (bytes, factor) => {
        const sum = new Uint32Array(2);
        addMultiple(field, sum, toWords(bytes), factor);
        const got = toBytes(sum);
        const step = field.bits / 8;
        for (let i = 0; i < 8; i += step) {
          const value = step === 1 ? bytes[i]! : (bytes[i]! << 8) | bytes[i + 1]!;
          const want = slowMultiply(field, value, factor);
          expect(step === 1 ? got[i] : (got[i]! << 8) | got[i + 1]!).toBe(want);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});

describe('Shamir', () => {
  it('opens with any t shares, in any order', () => {
    for (const [t, m] of [
      [1, 1],
      [2, 3],
      [3, 4],
      [4, 6],
      [67, 100],
      [171, 256],
      [5, 300],
    ] as const) {
      const secret = secretOf(64);
      const shares = splitSecret(secret, t, m, random);
      const field = fieldFor(m);
      for (const shift of [0, 1, m - t]) {
        const points = Array.from({ length: t }, (_, i) => ((i + shift) % m) + 1).reverse();
        const opened = combineShares(
          field,
          points.map((x) => shares[x - 1]!),
          lagrangeAtZero(field, points),
        );
        expect(opened).toEqual(secret);
      }
    }
  });

  it('needs all t: what t − 1 shares give is uniform, whatever the secret', () => {
    // The leading coefficient is uniform, so interpolation through one point too few misses the secret by a uniform amount (χ², 255 degrees, 10^-6
    // quantile 373). With a polynomial of a lower degree it would give the secret each time.
    for (const [t, m, repeats] of [
      [2, 3, 200],
      [3, 5, 200],
      [6, 8, 200],
      [4, 300, 4],
    ] as const) {
      const field = fieldFor(m);
      const points = Array.from({ length: t - 1 }, (_, i) => m - i);
      const factors = lagrangeAtZero(field, points);
      const counts = new Array<number>(256).fill(0);
      for (let i = 0; i < repeats; i++) {
        const shares = splitSecret(new Uint8Array(128), t, m, random);
        const opened = combineShares(
          field,
          points.map((x) => shares[x - 1]!),
          factors,
        );
        for (const byte of opened) counts[byte]!++;
      }
      const expected = (repeats * 128) / 256;
      expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(373);
    }
  });

  it('refuses a point twice and bad sizes', () => {
    expect(() => lagrangeAtZero(gf256, [1, 2, 1])).toThrow(/twice/);
    expect(() => splitSecret(new Uint8Array(5), 2, 3, random)).toThrow(/multiple of 4/);
    expect(() => splitSecret(new Uint8Array(4), 4, 3, random)).toThrow(/t is 4/);
  });
});

describe('wrong shares', () => {
  it('multipliers annihilate polynomials below the threshold', () => {
    const points = [3, 7, 9, 20, 21];
    const u = dualMultipliers(gf256, points);
    for (let degree = 0; degree < points.length - 1; degree++) {
      const power = (x: number): number => Array.from({ length: degree }).reduce<number>((value) => multiply(gf256, value, x), 1);
      expect(points.reduce((sum, x, i) => sum ^ multiply(gf256, u[i]!, power(x)), 0)).toBe(0);
    }
  });

  it('are found up to half the redundancy, in both fields', () => {
    fc.assert(
      fc.property(
        fc.constantFrom([10, 4], [9, 4], [6, 4], [5, 4], [4, 4], [300, 290]),
        fc.nat(),
        fc.boolean(),
        ([m, t], pick, all) => {
          const shares = splitSecret(secretOf(32), t!, m!, random);
          const field = fieldFor(m!);
          const limit = Math.floor((m! - t!) / 2);
          const wrong = [...new Set(Array.from({ length: limit }, (_, i) => (pick + i * 7) % m!))].sort((a, b) => a - b);
          for (const [k, place] of wrong.entries()) {
            // Either everywhere or in a byte of its own, so that errors of different places show at different positions.
            shares[place] = shares[place]!.map((byte, i) => (all || i === (k * 5) % 32 ? byte ^ (k + 1) : byte));
          }
          const points = Array.from({ length: m! }, (_, i) => i + 1);
          expect(findWrongShares(field, points, shares, t!)).toEqual(wrong);
        },
      ),
      { seed: 3, numRuns: 60 },
    );
  });

  it('beyond half the redundancy are never taken for something else than agreed', () => {
    for (let round = 0; round < 50; round++) {
      const shares = splitSecret(secretOf(32), 4, 7, random);
      for (const place of [0, 2, 5]) shares[place] = secretOf(32);
      const found = findWrongShares(gf256, [1, 2, 3, 4, 5, 6, 7], shares, 4);
      expect(found === undefined || found.length <= 1).toBe(true);
    }
  });

  it('are only named where all that is left agrees', () => {
    let told = 0;
    for (let round = 0; round < 400; round++) {
      const [t, m] = [4, 10];
      const shares = splitSecret(secretOf(4), t, m, random);
      // One to six wrong ones; three can be told.
      for (let place = 0; place <= round % 6; place++) shares[place] = secretOf(4);
      const points = Array.from({ length: m }, (_, i) => i + 1);
      const found = findWrongShares(gf256, points, shares, t);
      if (found === undefined) continue;
      told++;
      const left = points.filter((_, i) => !found.includes(i));
      const rest = shares.filter((_, i) => !found.includes(i));
      expect(sharesAgree(gf256, left, dualMultipliers(gf256, left), rest, t)).toBe(true);
    }
    expect(told).toBeGreaterThan(150);
  });
});
