/**
 * The probability that a coordinate of the noisy sum leaves the range of the modulus.
 *
 * @module
 */
import type { SumNoise } from '@sotto/core/integer-noise';

/** What decides the size of a coordinate of the sum. */
export interface WrapCase {
  readonly mechanism: SumNoise;
  /** Most members in the sum, each with noise of `variance`. */
  readonly members: number;
  readonly variance: number;
  /** Scaled clip norm of one member's vector, before rounding. */
  readonly norm: number;
  readonly dimension: number;
  readonly bits: number;
}

/**
 * A bound, over the signs of the rotation and the noise, on the probability that any of the `dimension` coordinates of the sum
 * is outside −2^(bits−1) … 2^(bits−1) − 1. Chernoff's bound with these parts, and a union bound:
 * - a coordinate of a rotated vector of norm at most n·norm is a Rademacher sum, sub-Gaussian with variance (n·norm)²/dimension
 *   (Hoeffding), if the signs do not depend on the vectors;
 * - rounding adds less than 1 for each member, conditioned or not;
 * - the discrete Gaussian is sub-Gaussian with its own parameter (Canonne, Kamath and Steinke 2020); the moment-generating
 *   function of Skellam noise is exp(v(cosh θ − 1)).
 *
 * Members that do not follow the protocol can wrap a coordinate at will.
 */
export function wrapBound(wrap: WrapCase): number {
  const { mechanism, members, variance, norm, dimension, bits } = wrap;
  const room = 2 ** (bits - 1) - 1 - members;
  if (room <= 0) return 1;
  const spread = (members * norm) ** 2 / dimension;
  const noise = members * variance;
  const slope = (theta: number): number => theta * spread + noise * (mechanism === 'skellam' ? Math.sinh(theta) : theta);
  // Where the slope is the room the exponent is least; any θ gives a valid bound, so bisection may stop anywhere.
  let low = 0;
  let high = room / (spread + noise);
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (slope(middle) < room) low = middle;
    else high = middle;
  }
  // v(cosh θ − 1) = 2v·sinh²(θ/2), without the cancellation.
  const noisePart = mechanism === 'skellam' ? 2 * noise * Math.sinh(low / 2) ** 2 : (noise * low * low) / 2;
  const exponent = (low * low * spread) / 2 + noisePart - low * room;
  return Math.min(1, 2 * dimension * Math.exp(exponent));
}
