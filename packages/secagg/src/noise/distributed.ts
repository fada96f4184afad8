/**
 * Distributed differential privacy inside the secure sum (Kairouz, Liu and Steinke 2021, "The Distributed Discrete Gaussian
 * Mechanism"): each client rotates, clips, scales, rounds and adds its share of the noise in integers; what the sum holds is
 * private even towards the coordinator. Noise is scaled for the honest members that the protocol promises (F − c), not
 * for those who might turn up.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import type { DistributedDiscreteGaussianEvent } from '@sotto/core/event';
import type { RandomSource } from '@sotto/core/random';
import type { NoiseSpec } from '../context.ts';
import { discreteGaussian, UniformBits } from './discrete-gaussian.ts';
import { paddedLength, rotate, rotateBack } from './rotation.ts';

/** What the operator chooses. */
export interface DistributedNoiseChoice {
  /** Length of the real vector. */
  readonly length: number;
  /** L2 bound of one client's vector. */
  readonly clipNorm: number;
  /** Bits of an element of the sum: 8 to 32. */
  readonly bits: number;
  /** Noise of the honest members together over the L2 sensitivity, as in central DP. */
  readonly noiseMultiplier: number;
  /** Most members that may be in the sum. */
  readonly members: number;
  /** Members that are certain to be honest and in the sum: at most F − c of the protocol. */
  readonly honestMinimum: number;
  /** Bound on the probability that any coordinate of the sum wraps; default 10^−6. */
  readonly wrapProbability?: number;
}

/** The whole mechanism, the same for all members and the coordinator. */
export interface DistributedNoise {
  readonly choice: DistributedNoiseChoice;
  /** Coordinates that are summed: a power of two. */
  readonly dimension: number;
  /** Levels per unit. */
  readonly scale: number;
  /** Bounds of one client's rounded integer vector, enforced by rounding again. */
  readonly l2Sensitivity: number;
  readonly l1Sensitivity: number;
  /** Variance of one client's noise: an integer. */
  readonly localVariance: number;
  /** What the accountant accounts for. */
  readonly event: DistributedDiscreteGaussianEvent;
  /** What the round's context binds. */
  readonly noise: NoiseSpec;
}

/** β of conditional rounding: at least 1 − β of the attempts are kept. */
const ROUNDING_LOG = 0.5; // ln(1/β) for β = e^(−1/2), the recommended value

/** Relative error of a sum of up to 2^30 squares in doubles, with room to spare. */
const SUM_ERROR = 1e-6;

/** Squared L2 bound of a rounded vector of scaled norm `norm` in `dimension` coordinates (KLS 2021, Theorem 1). */
function roundedNormSquared(norm: number, dimension: number): number {
  const always = (norm + Math.sqrt(dimension)) ** 2;
  const usual = norm ** 2 + dimension / 4 + Math.sqrt(2 * ROUNDING_LOG) * (norm + Math.sqrt(dimension) / 2);
  return Math.min(always, usual);
}

/**
 * Chooses the finest grid on which the sum does not wrap: with k standard deviations such that 2·m·exp(−k²/2) is at most the
 * wrap probability, k·√(n²(cs)²/m + n/4 + n·σ²) ≤ 2^(bits−1). After the rotation a coordinate of a client's vector is
 * sub-Gaussian with variance (cs)²/m, and so the n aligned ones of the worst case. A wrap costs accuracy, never privacy: it is
 * post-processing. Throws `unsupported` where not even a scale of one level per clip norm fits.
 */
export function distributedNoise(choice: DistributedNoiseChoice): DistributedNoise {
  const { clipNorm, bits, noiseMultiplier, members, honestMinimum } = choice;
  const dimension = paddedLength(choice.length);
  check.positive('clipNorm', clipNorm);
  check.integer('bits', bits, 8, 32);
  check.positive('noiseMultiplier', noiseMultiplier);
  check.integer('members', members, 2, 0xffff);
  check.integer('honestMinimum', honestMinimum, 1, members);
  const wrap = check.openProbability('wrapProbability', choice.wrapProbability ?? 1e-6);
  const deviations = Math.sqrt(2 * Math.log((2 * dimension) / wrap));
  const varianceAt = (norm: number): number =>
    Math.ceil((noiseMultiplier ** 2 * roundedNormSquared(norm, dimension)) / honestMinimum);
  const fits = (norm: number): boolean => {
    const sum = (members ** 2 * norm ** 2) / dimension + members / 4 + members * varianceAt(norm);
    return varianceAt(norm) <= 2 ** 40 && deviations * Math.sqrt(sum) <= 2 ** (bits - 1);
  };
  let low = 1;
  let high = 2 ** bits;
  if (!fits(low)) {
    throw new SottoError(
      'unsupported',
      `${bits} bits cannot hold ${members} members of ${dimension} coordinates; raise bits or lower the noise`,
    );
  }
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  const l2Sensitivity = Math.sqrt(roundedNormSquared(low, dimension));
  const l1Sensitivity = Math.min(Math.sqrt(dimension) * l2Sensitivity, l2Sensitivity ** 2);
  const localVariance = varianceAt(low);
  return {
    choice,
    dimension,
    scale: low / clipNorm,
    l2Sensitivity,
    l1Sensitivity,
    localVariance,
    event: {
      type: 'distributedDiscreteGaussian',
      clients: honestMinimum,
      sigma: Math.sqrt(localVariance),
      dimension,
      l2Sensitivity,
      l1Sensitivity,
      modulus: 2 ** bits,
    },
    noise: { mechanism: 'discreteGaussian', localVariance, honestMinimum },
  };
}

/**
 * One client's integers, modulo 2^bits: rotated by the public `seed` (32 bytes, the same for all), clipped, rounded and
 * noised. It draws from `random`, so it is called once a round; a resend sends the same integers.
 */
export function encodeNoised(
  crypto: CryptoProvider,
  random: RandomSource,
  mechanism: DistributedNoise,
  seed: Uint8Array,
  vector: ArrayLike<number>,
): Uint32Array {
  const { choice, dimension, scale } = mechanism;
  check.integer('vector length', vector.length, choice.length, choice.length);
  const rotated = rotate(crypto, seed, vector);
  let squared = 0;
  for (const value of rotated) squared += value * value;
  if (!Number.isFinite(squared)) throw new SottoError('invalid-argument', 'the vector is not finite; leave such a client out');
  const norm = Math.sqrt(squared);
  const factor = norm > choice.clipNorm ? (choice.clipNorm / norm) * scale : scale;
  const rounded = roundConditionally(random, rotated, factor, mechanism.l2Sensitivity);
  const noise = discreteGaussian(random, mechanism.localVariance, dimension);
  const modulus = 2 ** choice.bits;
  const out = new Uint32Array(dimension);
  for (let i = 0; i < dimension; i++) {
    const value = (rounded[i]! + noise[i]!) % modulus;
    out[i] = value < 0 ? value + modulus : value;
  }
  rotated.fill(0);
  rounded.fill(0);
  noise.fill(0);
  return out;
}

/** Unbiased rounding up or down, drawn again as a whole until the L2 bound of the sensitivity holds. */
function roundConditionally(random: RandomSource, vector: Float64Array, factor: number, bound: number): Float64Array {
  const bits = new UniformBits(random);
  const out = new Float64Array(vector.length);
  for (;;) {
    let squared = 0;
    for (let i = 0; i < vector.length; i++) {
      const exact = vector[i]! * factor;
      const floor = Math.floor(exact);
      const value = bits.integer53() * 2 ** -53 < exact - floor ? floor + 1 : floor;
      out[i] = value;
      squared += value * value;
    }
    if (squared * (1 + SUM_ERROR) <= bound * bound) return out;
  }
}

/** The sum of the members' real vectors, with its noise: centre-lifted, scaled and rotated back. */
export function decodeNoisedSum(
  crypto: CryptoProvider,
  mechanism: DistributedNoise,
  seed: Uint8Array,
  sums: Uint32Array,
): Float64Array {
  const { choice, dimension, scale } = mechanism;
  check.integer('length of the sums', sums.length, dimension, dimension);
  const modulus = 2 ** choice.bits;
  const lifted = Float64Array.from(sums, (value) => (value >= modulus / 2 ? value - modulus : value) / scale);
  return rotateBack(crypto, seed, lifted, choice.length);
}
