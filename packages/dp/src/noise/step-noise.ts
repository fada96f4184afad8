/**
 * Noise that was drawn before the step that uses it: the scale it was drawn at travels with it, and it is used once.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** Samples in grid units, whole numbers: 32-bit where the scale lets every sample fit (see {@link INT32_SCALE_BITS}), else doubles. */
export type NoiseValues = Int32Array | Float64Array;

/**
 * The largest k whose noise is drawn into 32-bit integers. A sample beyond them would lie 32 standard deviations out, with probability below 2⁻⁷⁴⁰; samplers
 * refuse to go on there, since no fair source leads to it.
 */
export const INT32_SCALE_BITS = 26;

/**
 * The noise of one step: rounded Gaussians of standard deviation 2^`gridBits` grid units. Only a {@link NoiseSource} makes
 * it. Its numbers cannot be read or printed; they can be added to one sum, and are overwritten then.
 */
export class StepNoise {
  readonly gridBits: number;
  /** How many coordinates it is for. */
  readonly dimension: number;
  #values: NoiseValues | undefined;
  #taken: NoiseValues | undefined;
  readonly #reuse: ((values: NoiseValues) => void) | undefined;

  /**
   * Takes possession of the samples, which nobody else may hold.
   *
   * @param reuse Is given the array once it has been used and overwritten, or wiped.
   */
  constructor(gridBits: number, values: NoiseValues, reuse?: (values: NoiseValues) => void) {
    this.gridBits = gridBits;
    this.dimension = values.length;
    this.#values = values;
    this.#reuse = reuse;
    // The scale that is checked must be the one it was drawn at. Private fields stay writable.
    Object.freeze(this);
  }

  /**
   * Adds the noise to a sum of integers on a grid of `gridBits`, then overwrites it. Everything is checked before the sum changes.
   *
   * Throws `invalid-argument` where the noise is of another scale, another dimension, or no `StepNoise`; `conflict` where it was used or wiped.
   */
  static addOnce(noise: StepNoise, gridBits: number, sum: Float64Array): void {
    const values = StepNoise.takeOnce(noise, gridBits, sum.length);
    for (let j = 0; j < sum.length; j++) sum[j]! += values[j]!;
    values.fill(0);
    StepNoise.giveBack(noise);
  }

  /**
   * Hands over the samples themselves, which now belong to the caller: to be used for one release, then overwritten by it (with anything that may be known),
   * then given back with {@link giveBack}. The array may lie in shared memory. Checks and throws as {@link addOnce}.
   */
  static takeOnce(noise: StepNoise, gridBits: number, dimension: number): NoiseValues {
    if (!(#values in noise)) {
      throw new SottoError('invalid-argument', 'noise was not drawn by a noise source of this package; take it from one');
    }
    checkNoiseFits(noise, gridBits, dimension);
    const values = noise.#values;
    if (values === undefined) {
      throw new SottoError('conflict', 'this noise was used or wiped already; take fresh noise for every step');
    }
    noise.#values = undefined;
    noise.#taken = values;
    return values;
  }

  /**
   * Lets the source draw later noise into the array that {@link takeOnce} handed over. It must have been overwritten and must not be touched any more. Where nothing
   * was taken, or it was given back already, nothing happens; where it is never given back, the source makes a new array.
   */
  static giveBack(noise: StepNoise): void {
    const taken = noise.#taken;
    noise.#taken = undefined;
    if (taken !== undefined) noise.#reuse?.(taken);
  }

  /** Overwrites noise that will not be used. Of noise that was used nothing is left to overwrite. */
  wipe(): void {
    const values = this.#values;
    if (values === undefined) return;
    this.#values = undefined;
    this.#reuse?.(values.fill(0));
  }
}

/**
 * Draws the noise of steps ahead of them. How much it draws, and when, MUST depend on nothing but how often it is asked.
 */
export interface NoiseSource {
  /** k: the standard deviation of what it draws is 2ᵏ grid units. */
  readonly gridBits: number;
  /** Samples per step. */
  readonly dimension: number;
  /** The noise of one step. No sample is ever handed out twice. */
  take(): Promise<StepNoise>;
}

/** Throws `invalid-argument` where noise, or a source of it, is of another scale or dimension than a step needs. */
export function checkNoiseFits(noise: Pick<NoiseSource, 'gridBits' | 'dimension'>, gridBits: number, dimension: number): void {
  if (noise.gridBits !== gridBits) {
    throw new SottoError(
      'invalid-argument',
      `noise has a standard deviation of 2^${noise.gridBits} grid units; the plan needs 2^${gridBits}, so build its source from this plan`,
    );
  }
  if (noise.dimension !== dimension) {
    throw new SottoError(
      'invalid-argument',
      `noise is for ${noise.dimension} parameters; the step has ${dimension}, so build its source for that many`,
    );
  }
}
