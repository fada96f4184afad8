import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitSource } from '../../../packages/dp/src/noise/bit-source.ts';
import { ExactGaussian } from '../../../packages/dp/src/noise/exact-gaussian.ts';
import { LazyUniform } from '../../../packages/dp/src/noise/lazy-uniform.ts';
import { scriptedWords, tiedWords } from '../support/scripted-random.ts';
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

  it('decides ties by further digits: the distribution holds where equal digits are frequent', () => {
    const samples = new Float64Array(400_000);
    new ExactGaussian(new BitSource(tiedWords('ties')), 0).fill(samples);
    expect(roundedGaussianTest(samples, 0)).toBeGreaterThan(1e-3);
  });

  it('refuses a scale that the first digit cannot round', () => {
    expect(() => new ExactGaussian(new BitSource(unsafeDeterministicRandom('')), 31)).toThrow(/scaleBits is 31.*from 0 to 30/);
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
