/**
 * Distributed differential privacy inside the secure sum (Kairouz, Liu and Steinke 2021, "The Distributed Discrete Gaussian
 * Mechanism"; Agarwal, Kairouz and Liu 2021, "The Skellam Mechanism"): each client rotates, clips, scales, rounds and adds its
 * share of the noise in integers; what the sum holds is private even towards the coordinator. Noise is scaled for the honest
 * members that the protocol promises (F − max(c, 1)), not for those who might turn up.
 *
 * What it hides is the vector of a client that is in the cohort, not whether it is: an absent client adds no noise either, and the
 * variance of the sum tells how many there are. Who is in the cohort is public; {@link DistributedNoise.relation} says so.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import type { DistributedDiscreteGaussianEvent, SkellamSumEvent } from '@sotto/core/event';
import { GAUSSIAN_VARIANCE_MAX, NoiseSampler, SKELLAM_VARIANCE_MAX } from '@sotto/core/integer-noise';
import type { SumNoise } from '@sotto/core/integer-noise';
import type { RandomSource } from '@sotto/core/random';
import type { NoiseSpec } from '../context.ts';
import { roundConditionally, roundedNormSquared } from './rounding.ts';
import { paddedLength, rotate, rotateBack } from './rotation.ts';
import { wrapBound } from './wrap.ts';

/** What the operator chooses. */
export interface DistributedNoiseChoice<M extends SumNoise = SumNoise> {
  /** Law of one client's noise; default `discreteGaussian`. Sums of Skellam noise are exactly Skellam. */
  readonly mechanism?: M;
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
  /** Members that are certain to be honest, in the sum, and not the one who looks at it: at most `honestMinimumOf` the cohort rule. */
  readonly honestMinimum: number;
  /** Bound on the probability that any coordinate of the sum wraps; default 10^−6. */
  readonly wrapProbability?: number;
  /** The round's vector that carries the noise; default `update`. */
  readonly vector?: string;
}

/** The event of a law. */
export type SumEvent<M extends SumNoise> = M extends 'skellam' ? SkellamSumEvent : DistributedDiscreteGaussianEvent;

/** The neighbours that the mechanism is private for. */
export interface NoiseRelation {
  /** A client stays in the cohort and adds its noise, but its vector becomes zero. */
  readonly adjacency: 'zeroOut';
  readonly unit: 'client';
}

const RELATION: NoiseRelation = Object.freeze({ adjacency: 'zeroOut', unit: 'client' });

/** Largest scaled clip norm: squared norms stay below 2^53, so that doubles add them exactly. */
const NORM_MAX = 2 ** 26;

/**
 * The whole mechanism, the same for all members and the coordinator: it draws the noise, and it alone says which event that
 * was. It is made by {@link distributedNoise}; its private part keeps anything else from passing for one.
 */
export class DistributedNoise<M extends SumNoise = SumNoise> {
  readonly choice: DistributedNoiseChoice<M>;
  readonly mechanism: M;
  /** Coordinates that are summed: a power of two. */
  readonly dimension: number;
  /** Levels per unit. */
  readonly scale: number;
  /** Bound on the squared norm of one client's rounded vector, checked in integers before its noise is added. */
  readonly squaredNormMax: number;
  readonly l2Sensitivity: number;
  readonly l1Sensitivity: number;
  /** Variance of one client's noise: an integer. */
  readonly localVariance: number;
  /**
   * Proved bound on the probability that a coordinate of the sum of honest members wraps. A wrap costs accuracy, never
   * privacy (it is post-processing), so it is a failure probability and no part of δ.
   */
  readonly wrapProbability: number;
  /**
   * What the accountant accounts for before the round: the noise of the honest minimum alone. Ask about it, as about those of
   * {@link eventOf}, under {@link relation}: `epsilonOf(event, { delta, ...relation })`.
   */
  readonly event: SumEvent<M>;
  /**
   * The vector of one client against zero, the cohort being public. Under `replaceOne` the accountant doubles the sensitivities,
   * which holds as well. Under `addOrRemoveOne` nothing is claimed, whatever the accountant answers: a client that is
   * absent takes its noise along, which the event does not know of.
   */
  readonly relation: NoiseRelation;
  /** What the round's context binds. */
  readonly noise: NoiseSpec;
  readonly #sampler: NoiseSampler;

  constructor(choice: DistributedNoiseChoice<M>, mechanism: M, norm: number) {
    this.choice = Object.freeze({ ...choice });
    this.mechanism = mechanism;
    this.dimension = paddedLength(choice.length);
    this.scale = norm / choice.clipNorm;
    this.squaredNormMax = roundedNormSquared(norm, this.dimension);
    this.l2Sensitivity = Math.sqrt(this.squaredNormMax) * (1 + Number.EPSILON);
    this.l1Sensitivity = Math.min(Math.sqrt(this.dimension) * this.l2Sensitivity, this.squaredNormMax);
    this.localVariance = varianceAt(choice, norm);
    this.wrapProbability = wrapBound({ ...choice, mechanism, norm, dimension: this.dimension, variance: this.localVariance });
    this.#sampler = new NoiseSampler(mechanism, this.localVariance);
    this.event = this.#eventOf(choice.honestMinimum);
    this.relation = RELATION;
    const { honestMinimum, vector = 'update' } = choice;
    this.noise = { mechanism, localVariance: this.localVariance, honestMinimum, vector };
    Object.freeze(this);
  }

  /**
   * The event after the round, when the certified survivors are known: the noise of `survivors − max(colluding, 1)` members was in the sum, at
   * least the honest minimum; one member always knows its own. The coordinator picks the survivors without having seen any noise, so that an adaptive
   * filter may be charged this instead of {@link event}, under the same {@link relation}.
   */
  eventOf(survivors: number, colluding: number): SumEvent<M> {
    check.integer('survivors', survivors, 1, this.choice.members);
    check.integer('colluding', colluding, 0, survivors);
    const others = survivors - Math.max(colluding, 1);
    return this.#eventOf(check.integer('survivors − colluding', others, this.choice.honestMinimum));
  }

  /**
   * Variance of the noise in a sum of `survivors` over the variance that the event needs: survivors / honestMinimum. At least
   * 1 whatever the drop-outs, since the protocol aborts below F; at most members / honestMinimum.
   */
  noiseOverhead(survivors: number): number {
    check.integer('survivors', survivors, this.choice.honestMinimum, this.choice.members);
    return survivors / this.choice.honestMinimum;
  }

  /**
   * One client's integers, modulo 2^bits: rotated by the public `seed` (32 bytes, the same for all), clipped, rounded and
   * noised. It draws from `random`, so it is called once a round; a resend sends the same integers.
   *
   * @throws SottoError `invalid-argument` for a vector of another length or with a value that is not finite
   */
  encode(crypto: CryptoProvider, random: RandomSource, seed: Uint8Array, vector: ArrayLike<number>): Uint32Array {
    const { choice } = this;
    check.integer('vector length', vector.length, choice.length, choice.length);
    const rotated = rotate(crypto, seed, vector);
    let squared = 0;
    for (let i = 0; i < rotated.length; i++) squared += rotated[i]! * rotated[i]!;
    if (!Number.isFinite(squared)) throw new SottoError('invalid-argument', 'the vector is not finite; leave such a client out');
    const norm = Math.sqrt(squared);
    const factor = norm > choice.clipNorm ? (choice.clipNorm / norm) * this.scale : this.scale;
    const rounded = roundConditionally(random, rotated, factor, this.squaredNormMax);
    const noise = rotated; // used up by now
    this.#sampler.fill(random, noise);
    const out = new Uint32Array(this.dimension);
    const mask = choice.bits === 32 ? -1 : 2 ** choice.bits - 1;
    // Both are integers below 2^53; the conversion to 32 bits is the residue.
    for (let i = 0; i < out.length; i++) out[i] = (rounded[i]! + noise[i]!) & mask;
    rounded.fill(0);
    noise.fill(0);
    return out;
  }

  /** The sum of the members' real vectors, with its noise: centre-lifted, scaled and rotated back. */
  decode(crypto: CryptoProvider, seed: Uint8Array, sums: Uint32Array): Float64Array {
    const { choice, dimension, scale } = this;
    check.integer('length of the sums', sums.length, dimension, dimension);
    const modulus = 2 ** choice.bits;
    const lifted = new Float64Array(dimension);
    for (let i = 0; i < dimension; i++) lifted[i] = (sums[i]! >= modulus / 2 ? sums[i]! - modulus : sums[i]!) / scale;
    return rotateBack(crypto, seed, lifted, choice.length);
  }

  #eventOf(clients: number): SumEvent<M> {
    const { dimension, l2Sensitivity, l1Sensitivity, localVariance } = this;
    const common = { clients, dimension, l2Sensitivity, l1Sensitivity, modulus: 2 ** this.choice.bits };
    const event: SkellamSumEvent | DistributedDiscreteGaussianEvent =
      this.mechanism === 'skellam'
        ? { type: 'skellamSum', variance: localVariance, ...common }
        : { type: 'distributedDiscreteGaussian', sigma: Math.sqrt(localVariance), ...common };
    return Object.freeze(event) as SumEvent<M>;
  }
}

/** One client's variance: the honest minimum together reaches noiseMultiplier² times the squared sensitivity. */
function varianceAt(choice: DistributedNoiseChoice, norm: number): number {
  const squared = roundedNormSquared(norm, paddedLength(choice.length));
  return Math.max(1, Math.ceil((choice.noiseMultiplier ** 2 * squared) / choice.honestMinimum));
}

/**
 * Chooses the finest useful grid on which the sum does not wrap with more than the given probability (`wrapBound`). A grid on
 * which rounding adds less than 2^−12 to the squared sensitivity is fine enough. Throws `unsupported` where not even one level
 * per clip norm fits.
 */
export function distributedNoise<M extends SumNoise = 'discreteGaussian'>(
  choice: DistributedNoiseChoice<M>,
): DistributedNoise<M> {
  const mechanism = (choice.mechanism ?? 'discreteGaussian') as M;
  const dimension = paddedLength(choice.length);
  check.oneOf('mechanism', mechanism, ['discreteGaussian', 'skellam']);
  check.positive('clipNorm', choice.clipNorm);
  check.integer('bits', choice.bits, 8, 32);
  check.positive('noiseMultiplier', choice.noiseMultiplier);
  check.integer('members', choice.members, 2, 0xffff);
  check.integer('honestMinimum', choice.honestMinimum, 1, choice.members);
  const wrap = check.openProbability('wrapProbability', choice.wrapProbability ?? 1e-6);
  const most = mechanism === 'skellam' ? SKELLAM_VARIANCE_MAX : GAUSSIAN_VARIANCE_MAX;
  const fits = (norm: number): boolean => {
    const variance = varianceAt(choice, norm);
    return variance <= most && wrapBound({ ...choice, mechanism, norm, dimension, variance }) <= wrap;
  };
  let low = 1;
  let high = Math.min(NORM_MAX, Math.max(2 ** 13, 64 * Math.sqrt(dimension)));
  if (!fits(low)) {
    throw new SottoError(
      'unsupported',
      `${choice.bits} bits cannot hold ${choice.members} members of ${dimension} coordinates; raise bits or lower the noise`,
    );
  }
  if (fits(high)) low = high;
  for (let i = 0; i < 50 && low < high; i++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return new DistributedNoise(choice, mechanism, low);
}

/** {@link DistributedNoise.encode}, as a function. */
export function encodeNoised(
  crypto: CryptoProvider,
  random: RandomSource,
  mechanism: DistributedNoise,
  seed: Uint8Array,
  vector: ArrayLike<number>,
): Uint32Array {
  return mechanism.encode(crypto, random, seed, vector);
}

/** {@link DistributedNoise.decode}, as a function. */
export function decodeNoisedSum(
  crypto: CryptoProvider,
  mechanism: DistributedNoise,
  seed: Uint8Array,
  sums: Uint32Array,
): Float64Array {
  return mechanism.decode(crypto, seed, sums);
}
