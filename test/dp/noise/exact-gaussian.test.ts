import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitSource } from '../../../packages/dp/src/noise/bit-source.ts';
import { ExactGaussian } from '../../../packages/dp/src/noise/exact-gaussian.ts';
import { LazyUniform } from '../../../packages/dp/src/noise/lazy-uniform.ts';
import { cumulativeDigits, HalfNormalSteps } from '../../../packages/dp/src/noise/half-normal-steps.ts';
import { scriptedWords } from '../support/scripted-random.ts';
import { chiSquareTest, kolmogorovTest, moments, normalCdf } from '../support/statistics.ts';

const SAMPLES = 100_000;

function draw(seed: string, scaleBits: number, count: number = SAMPLES): Float64Array {
  const out = new Float64Array(count);
  new ExactGaussian(new BitSource(unsafeDeterministicRandom(seed)), scaleBits).fill(out);
  return out;
}

/** p-value of samples against P(round(2^k·X) = z) = Φ((z + ½)/2^k) − Φ((z − ½)/2^k). */
function roundedGaussianTest(samples: Float64Array, scaleBits: number): number {
  const scale = 2 ** scaleBits;
  const most = 6 * scale;
  const observed = Array.from({ length: 2 * most + 1 }, () => 0);
  for (const z of samples) observed[Math.max(0, Math.min(2 * most, z + most))]!++;
  const cdf = (z: number): number => normalCdf((z - most - 0.5) / scale);
  const expected = observed.map((_, i) => {
    const above = i === 2 * most ? 1 : cdf(i + 1);
    return samples.length * (above - (i === 0 ? 0 : cdf(i)));
  });
  return chiSquareTest(observed, expected);
}

describe('exact rounded Gaussian', () => {
  it.each([0, 1, 2, 4])('has the cell probabilities of the rounded Gaussian at k = %d', (scaleBits) => {
    expect(roundedGaussianTest(draw(`cells ${scaleBits}`, scaleBits), scaleBits)).toBeGreaterThan(1e-3);
  });

  it.each([12, 24, 30])('is a Gaussian of standard deviation 2^k at k = %d', (scaleBits) => {
    const samples = draw(`shape ${scaleBits}`, scaleBits);
    const unit = Array.from(samples, (z) => z / 2 ** scaleBits);
    expect(samples.every((z) => Number.isInteger(z))).toBe(true);
    expect(kolmogorovTest(unit.slice(0, 40_000), normalCdf)).toBeGreaterThan(1e-3);
    const { mean, variance, kurtosis } = moments(unit);
    // Four standard errors of each moment.
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(SAMPLES));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / SAMPLES));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(4 * Math.sqrt(24 / SAMPLES));
  });

  it('has the tails of the Gaussian', () => {
    const samples = draw('tails', 20);
    for (const limit of [1, 2, 3, 3.5]) {
      const expected = 2 * SAMPLES * normalCdf(-limit);
      const found = samples.reduce((count, z) => count + (Math.abs(z) > limit * 2 ** 20 ? 1 : 0), 0);
      expect(Math.abs(found - expected)).toBeLessThan(4 * Math.sqrt(expected) + 1);
    }
  });

  it('uses every bit down to the last: the low bits of samples are uniform', () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (const z of draw('low bits', 24)) counts[((z % 16) + 16) % 16]!++;
    expect(
      chiSquareTest(
        counts,
        counts.map(() => SAMPLES / 16),
      ),
    ).toBeGreaterThan(1e-3);
  });

  describe('decides ties by further digits', () => {
    const [zero, most] = [0, 2 ** 32 - 1];
    /** The first sample from scripted words, and how many words are left. */
    const sample = (...words: number[]): number => {
      const script = scriptedWords(words);
      const value = new ExactGaussian(new BitSource(script, 1), 30).next();
      expect(() => script.fill(new Uint8Array(4))).toThrow(/no more words/);
      return value;
    };
    const x = 2 ** 31;
    const half = 2 ** 29; // 2³⁰·x for x = 1/2
    // Word by word: n = 0, x, z₁, and then what the tie asks for.
    it('of the run: above, and the fraction is accepted', () => expect(sample(zero, x, x, 5, 3, zero)).toBe(half));
    it('of the run, twice', () => expect(sample(zero, x, x, 4, 4, 9, 8, zero)).toBe(half));
    it('of the run: below, and a run of one is rejected', () =>
      expect(sample(zero, x, x, 3, 5, zero, most, /* again */ zero, zero, 1, 1)).toBe(0));
    it('of a later member, which has no further digits yet', () =>
      // z₁ < x passes its trial, z₂ ties with z₁ and is above it: a run of one, rejected.
      expect(sample(zero, x, 7, zero, 7, 2, 1, /* again */ zero, x, most, 1)).toBe(-half));
    it('of the ratio: below', () =>
      // x = 7 and r = 3 leave 2r < x open; then 2·(3 + 0) < 7 passes, and z₂ ends a run of one.
      expect(sample(zero, 7, 6, 3, 0, 0, most, /* again */ zero, x, most, zero)).toBe(half));
    it('of the ratio: not below', () =>
      // With the second digit at its most, 2r ≥ x: the run has no member, so the fraction is accepted.
      expect(sample(zero, 7, 6, 3, most, 0, zero)).toBe(2));
  });

  it('refuses a scale that the first digit cannot round', () => {
    expect(() => new ExactGaussian(new BitSource(unsafeDeterministicRandom('')), 31)).toThrow(/scaleBits is 31.*from 0 to 30/);
  });
});

describe('whole part', () => {
  /** e^(−n²/2)·2^400 by the power series alone. */
  const weight = (n: number): bigint => {
    const exponent = BigInt(n * n);
    let sum = 0n;
    // Positive terms: e^(+n²/2), inverted at the end.
    let term = 1n << 800n;
    for (let k = 1n; term > 0n; k++) {
      sum += term;
      term = (term * exponent) / (2n * k);
    }
    return (1n << 1200n) / sum;
  };
  const weights = Array.from({ length: 40 }, (_, n) => weight(n));
  const total = weights.reduce((a, b) => a + b, 0n);

  it('has the digits of the cumulative probabilities of e^(−n²/2)', () => {
    let sum = 0n;
    cumulativeDigits(8)
      .slice(0, 12)
      .forEach((row, n) => {
        sum += weights[n]!;
        const value = row.reduce((acc, digit) => (acc << 32n) + BigInt(digit), 0n);
        expect(value).toBe((sum << 256n) / total);
      });
  });

  it('compares digit by digit, and computes more digits when they are all equal', () => {
    const rows = cumulativeDigits(16);
    const draw = (...words: number[]): number => new HalfNormalSteps().next(new BitSource(scriptedWords(words), 1));
    for (const n of [0, 1, 2]) {
      for (const equal of [0, 1, 3, 4, 9]) {
        const prefix = rows[n]!.slice(0, equal);
        const digit = rows[n]![equal]!;
        expect(draw(...prefix, digit - 1)).toBe(n);
        expect(draw(...prefix, digit + 1)).toBe(n + 1);
      }
    }
    expect(draw(2 ** 32 - 1, 0)).toBeGreaterThan(5);
  });
});

describe('lazy uniform deviates', () => {
  it('compare as the sequences of all their digits, drawn only as far as they are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 40, maxLength: 40 }), (script) => {
        // The last digits differ, so that every comparison ends.
        const bits = new BitSource(scriptedWords([...script, 0, 1, 0, 1]), 1);
        const a = new LazyUniform().reset(bits.word());
        const b = new LazyUniform().reset(bits.word());
        let below: boolean;
        try {
          below = a.isBelow(b, bits);
        } catch {
          return; // all pairs were equal and the script ran out
        }
        expect(a.digits.length).toBe(b.digits.length);
        const last = a.digits.length - 1;
        expect(a.digits[last]).not.toBe(b.digits[last]);
        expect(a.digits.slice(0, last)).toEqual(b.digits.slice(0, last));
        expect(below).toBe(a.digits[last]! < b.digits[last]!);
      }),
    );
  });
});

describe('bit source', () => {
  it('hands each word out once and wipes it', () => {
    const seen: Uint8Array[] = [];
    const bits = new BitSource(
      {
        fill(target) {
          seen.push(target);
          target.fill(7);
        },
      },
      4,
    );
    bits.word();
    bits.word();
    expect([...seen[0]!]).toEqual([...Array.from({ length: 8 }, () => 0), ...Array.from({ length: 8 }, () => 7)]);
    bits.wipe();
    expect(seen[0]!.every((byte) => byte === 0)).toBe(true);
    bits.word();
    expect(seen.length).toBe(2);
  });
});
