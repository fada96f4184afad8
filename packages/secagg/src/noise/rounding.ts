/**
 * Conditional rounding to integers: unbiased up or down, drawn again until a bound on the norm holds (Kairouz, Liu and Steinke 2021,
 * §4.1). Whatever floating point did before, the integers that leave satisfy the bound that is accounted for.
 *
 * @module
 */
import { UniformBits } from '@sotto/core/integer-noise';
import type { RandomSource } from '@sotto/core/random';

/** ln(1/β) for the recommended β = e^(−1/2): at least 1 − β of the attempts are kept. */
const ROUNDING_LOG = 0.5;

/** Attempts after which a vector is truncated towards zero, which always satisfies the bound; it comes to that once in 0.61^−1000 times. */
const ATTEMPTS_MAX = 1000;

/**
 * Bound on the squared L2 norm of a vector of scaled norm at most `norm` in `dimension` coordinates after rounding: an integer
 * (KLS 2021, Theorem 1, at the floor, since the squared norm of integers is one).
 */
export function roundedNormSquared(norm: number, dimension: number): number {
  const always = (norm + Math.sqrt(dimension)) ** 2;
  const usual = norm ** 2 + dimension / 4 + Math.sqrt(2 * ROUNDING_LOG) * (norm + Math.sqrt(dimension) / 2);
  return Math.floor(Math.min(always, usual));
}

/**
 * The vector times `factor`, rounded; the sum of the squares is at most `squaredMax`, an integer below 2^53, so that every sum
 * that is accepted was added without rounding. Each coordinate is unbiased to 2^−32, up to the conditioning. The number of attempts shows
 * in the time that it takes.
 */
export function roundConditionally(random: RandomSource, vector: Float64Array, factor: number, squaredMax: number): Float64Array {
  const bits = new UniformBits(random);
  const out = new Float64Array(vector.length);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    let squared = 0;
    for (let i = 0; i < vector.length; i++) {
      const exact = vector[i]! * factor;
      const floor = Math.floor(exact);
      const value = bits.word() < (exact - floor) * 4294967296 ? floor + 1 : floor;
      out[i] = value;
      squared += value * value;
    }
    if (squared <= squaredMax) {
      bits.wipe();
      return out;
    }
  }
  bits.wipe();
  for (let i = 0; i < vector.length; i++) out[i] = Math.trunc(vector[i]! * factor);
  return out;
}
