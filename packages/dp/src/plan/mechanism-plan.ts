/**
 * One object that owns the sampler, the clipping, the noise and the privacy event of a step, so that what is accounted
 * cannot differ from what ran.
 *
 * @module
 */
import { integer, oneOf, openProbability, positive, probability } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import type { NumericArray } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { checkClipping, clipFactor } from '../clip/clipping.ts';
import type { Clipping } from '../clip/clipping.ts';
import { floatSlack } from '../clip/float-slack.ts';
import { createGrid } from '../clip/grid.ts';
import type { Grid } from '../clip/grid.ts';
import { QuantisedSum } from '../clip/quantised-sum.ts';
import { BitSource } from '../noise/bit-source.ts';
import { ExactGaussian } from '../noise/exact-gaussian.ts';
import { createInverseCdfGaussian } from '../noise/inverse-cdf.ts';
import type { InverseCdfGaussian } from '../noise/inverse-cdf.ts';
import { StepNoise } from '../noise/step-noise.ts';
import { poissonSample } from '../sampling/poisson.ts';
import { uniformBelow } from '../sampling/uniform.ts';

/** What a plan is made of. All of it is public and must not depend on the private records. */
export interface MechanismPlanOptions {
  /** The probability with which each record takes part in a step, in (0, 1]. */
  readonly sampleRate: number;
  /** The batch size that a sum is divided by: a public constant, not the size of the batch that was drawn. */
  readonly expectedBatchSize: number;
  readonly clipping: Clipping;
  /** σ: the noise's standard deviation on the sum, in clip norms. Greater than 0. */
  readonly noiseMultiplier: number;
  /** k of {@link createGrid}; by default about 2²⁴ grid steps lie within the clip norm. */
  readonly gridBits?: number;
  /**
   * `secure` (the default): every example is rounded to the grid and its norm verified in integers. `fast`: the engine adds clipped gradients in
   * float32, and the noise is raised by a stated slack that bounds what rounding can add to the sensitivity.
   */
  readonly mode?: 'secure' | 'fast';
  /**
   * `fast` mode: the most examples of a step, a public constant; a larger draw is cut to a random subset. Default E + 8√E + 16 for an
   * expected batch size E, which a draw exceeds with a probability below 1e-13.
   */
  readonly maxBatchSize?: number;
}

/** What one step releases. Everything in it may be published. */
export interface PrivateSum {
  /** Σ clipped gradients + noise, one number per parameter, in the gradient's unit. */
  readonly sum: Float64Array;
  /** The divisor for an estimate of the mean gradient. */
  readonly expectedBatchSize: number;
  /** The noise's standard deviation per coordinate: σ·C, times 1 + slack in `fast` mode. */
  readonly standardDeviation: number;
  /** What the release costs. */
  readonly event: DpEvent;
}

/** A DP-SGD mechanism: Poisson sampling, per-example clipping on an integer grid, exact rounded Gaussian noise. */
export interface MechanismPlan {
  readonly sampleRate: number;
  readonly expectedBatchSize: number;
  readonly clipping: Clipping;
  readonly noiseMultiplier: number;
  readonly mode: 'secure' | 'fast';
  /** The most examples of a step; infinite in `secure` mode. */
  readonly maxBatchSize: number;
  /** The integer grid of the `secure` mode. */
  readonly grid: Grid;
  /** By how much, relatively, the noise is raised for a model of D parameters: 0 in `secure` mode. */
  slack(dimension: number): number;
  /** The event of one step, under `addOrRemoveOne` adjacency of records. */
  readonly event: DpEvent;
  /**
   * Draws the batch of one step. Every record of the batch must be added to the step before it is released.
   *
   * @param populationSize Records in the private data set.
   * @param dimension Coordinates of a gradient.
   * @param groupEnds Where each group of coordinates that is clipped by itself ends, for `perLayer` clipping.
   * @param random Where sample and noise come from; a CSPRNG except in tests.
   */
  begin(populationSize: number, dimension: number, random: RandomSource, groupEnds?: readonly number[]): PrivateStep;
}

/** One step of a plan: draw, add every example of the batch, release once. */
export interface PrivateStep {
  /** Indices of the records of this batch, ascending. Secret. */
  readonly batch: Uint32Array;
  /** Adds `count` examples, rows 0 … count − 1 of matrices `[rows, width]` that together make the flat gradient. */
  add(parts: readonly { readonly values: NumericArray; readonly width: number }[], count: number): void;
  /**
   * `fast` mode: adds a sum of `count` clipped examples that an engine computed in float32. Refused where it is not finite: add those examples one
   * by one with {@link add}, which counts the bad ones as zero.
   */
  addSum(parts: readonly NumericArray[], count: number): void;
  /** Examples of this step that held NaN or infinity and so counted as zero. Private: reporting it is a release of its own. */
  readonly nonFiniteExamples: number;
  /**
   * Adds the noise and ends the step. An empty batch releases noise like any other. A second call is refused.
   *
   * @param noise Noise that was drawn ahead, for this plan's grid and this many coordinates; anything else is refused, and so is noise that was used
   *   before. Without it the noise is drawn now, from the step's own random source. The event is the same.
   */
  release(noise?: StepNoise): PrivateSum;
}

/** Builds a plan. Throws `invalid-argument` on a value out of range. */
export function createMechanismPlan(options: MechanismPlanOptions): MechanismPlan {
  const sampleRate = options.sampleRate === 1 ? 1 : openProbability('sampleRate', probability('sampleRate', options.sampleRate));
  const expectedBatchSize = positive('expectedBatchSize', options.expectedBatchSize);
  const clipping = checkClipping(options.clipping);
  const noiseMultiplier = positive('noiseMultiplier', options.noiseMultiplier);
  const grid = createGrid(clipping.norm, noiseMultiplier, options.gridBits);
  const event: DpEvent = Object.freeze({
    type: 'poissonSampled',
    sampleRate,
    event: Object.freeze({ type: 'gaussian', noiseMultiplier }),
  });
  const mode = oneOf('mode', options.mode ?? 'secure', ['secure', 'fast']);
  const cap = options.maxBatchSize ?? Math.ceil(expectedBatchSize + 8 * Math.sqrt(expectedBatchSize) + 16);
  const maxBatchSize = mode === 'fast' ? integer('maxBatchSize', cap, 1, 2 ** 20) : Infinity;
  const slack = (dimension: number): number =>
    mode === 'secure'
      ? 0
      : floatSlack({ dimension, maxBatchSize }) + 2 * Math.sqrt(dimension) * (noiseMultiplier / 2 ** grid.gridBits);
  const plan = { sampleRate, expectedBatchSize, clipping, noiseMultiplier, mode, maxBatchSize, grid, slack, event };
  let sampler: InverseCdfGaussian | undefined;
  const addNoise = (sum: Float64Array, bits: BitSource): void => {
    if (sum.length < FEW_COORDINATES) {
      const few = new ExactGaussian(bits, grid.gridBits);
      for (let j = 0; j < sum.length; j++) sum[j]! += few.next();
      return;
    }
    sampler ??= createInverseCdfGaussian(grid.gridBits);
    const chunk = new Float64Array(Math.min(sum.length, NOISE_CHUNK));
    for (let start = 0; start < sum.length; start += chunk.length) {
      const noise = chunk.subarray(0, Math.min(chunk.length, sum.length - start));
      sampler.fill(noise, bits);
      for (let j = 0; j < noise.length; j++) sum[start + j]! += noise[j]!;
    }
    chunk.fill(0);
  };
  return Object.freeze({
    ...plan,
    begin: (populationSize: number, dimension: number, random: RandomSource, groupEnds?: readonly number[]) =>
      new Step(plan, addNoise, populationSize, dimension, random, groupEnds),
  });
}

/** Below so many coordinates the table of the fast sampler costs more than it saves. Both samplers have the same distribution. */
const FEW_COORDINATES = 1024;
const NOISE_CHUNK = 8192;

/** Adds rounded Gaussians of standard deviation 2ᵏ to integers. */
type AddNoise = (sum: Float64Array, bits: BitSource) => void;

/** Cuts a batch to a uniformly random subset of the given size, in ascending order. */
function truncate(batch: Uint32Array, size: number, bits: BitSource): Uint32Array {
  if (batch.length <= size) return batch;
  for (let i = 0; i < size; i++) {
    const j = i + uniformBelow(batch.length - i, bits);
    [batch[i], batch[j]] = [batch[j]!, batch[i]!];
  }
  return batch.slice(0, size).sort();
}

class Step implements PrivateStep {
  readonly batch: Uint32Array;
  readonly #plan: Omit<MechanismPlan, 'begin'>;
  readonly #grid: Grid;
  readonly #sum: QuantisedSum;
  readonly #floatSum: Float64Array;
  readonly #bits: BitSource;
  readonly #addNoise: AddNoise;
  #summed = 0;
  #released = false;

  constructor(
    plan: Omit<MechanismPlan, 'begin'>,
    addNoise: AddNoise,
    populationSize: number,
    dimension: number,
    random: RandomSource,
    groupEnds: readonly number[] | undefined,
  ) {
    if (plan.mode === 'fast' && populationSize * plan.sampleRate > 1.05 * plan.expectedBatchSize + 1) {
      throw new SottoError(
        'invalid-argument',
        `expectedBatchSize is ${plan.expectedBatchSize}; in fast mode it must be at least sampleRate times the number of records, or batches are cut too often`,
      );
    }
    if ((plan.clipping.kind === 'perLayer') !== (groupEnds !== undefined)) {
      throw new SottoError('invalid-argument', 'groupEnds must be given with perLayer clipping, and only then');
    }
    this.#plan = plan;
    this.#addNoise = addNoise;
    this.#bits = new BitSource(random);
    const { clipping, noiseMultiplier } = plan;
    // In fast mode the same grid is stretched by the slack, so that noise of 2ᵏ units is σ·C·(1 + slack).
    this.#grid =
      plan.mode === 'secure'
        ? plan.grid
        : createGrid(clipping.norm * (1 + plan.slack(dimension)), noiseMultiplier, plan.grid.gridBits);
    this.#sum = new QuantisedSum(
      this.#grid,
      dimension,
      Math.min(populationSize, plan.maxBatchSize),
      clipFactor(clipping),
      groupEnds,
    );
    this.#floatSum = new Float64Array(plan.mode === 'fast' ? dimension : 0);
    this.batch = truncate(poissonSample(populationSize, plan.sampleRate, this.#bits), plan.maxBatchSize, this.#bits);
  }

  add(parts: readonly { readonly values: NumericArray; readonly width: number }[], count: number): void {
    this.#claim(count);
    for (let row = 0; row < count; row++) this.#sum.addRow(parts, row);
  }

  addSum(parts: readonly NumericArray[], count: number): void {
    if (this.#plan.mode !== 'fast') {
      throw new SottoError(
        'invalid-argument',
        'the plan is in secure mode, where sums of floats cannot be added; add the examples',
      );
    }
    if (!isFiniteSum(parts)) throw new SottoError('numeric', 'the sum holds a NaN or an infinity; add its examples one by one');
    this.#claim(count);
    this.#summed += count;
    const sum = this.#floatSum;
    let at = 0;
    for (const part of parts) for (let j = 0; j < part.length; j++) sum[at++]! += part[j]!;
    if (at !== sum.length) throw new SottoError('internal', `a sum has ${at} coordinates; the model has ${sum.length}`);
  }

  /** Checks that so many more examples may be added. */
  #claim(count: number): void {
    if (this.#released) throw new SottoError('conflict', 'the step is released already; begin another one');
    const left = this.batch.length - this.#sum.examples - this.#summed;
    if (count > left) throw new SottoError('invalid-argument', `count is ${count}; only ${left} examples of the batch are left`);
  }

  get nonFiniteExamples(): number {
    return this.#sum.nonFiniteExamples;
  }

  release(noise?: StepNoise): PrivateSum {
    if (this.#released) throw new SottoError('conflict', 'the step is released already; its noise is never drawn twice');
    const added = this.#sum.examples + this.#summed;
    if (added !== this.batch.length) {
      throw new SottoError(
        'conflict',
        `${added} of ${this.batch.length} examples of the batch were added; add all before release`,
      );
    }
    const { expectedBatchSize, event } = this.#plan;
    const { unit, gridBits } = this.#grid;
    const { sum } = this.#sum;
    // First of all, because it refuses noise that does not fit before anything has changed.
    if (noise !== undefined) StepNoise.addOnce(noise, gridBits, sum);
    this.#released = true;
    // What was added in floats is rounded to the grid before the noise, so that noise and sum are integers in both modes.
    if (this.#summed > 0) for (let j = 0; j < sum.length; j++) sum[j]! += Math.round(this.#floatSum[j]! / unit);
    if (noise === undefined) this.#addNoise(sum, this.#bits);
    // Integers until here; the multiplication by the unit is post-processing.
    for (let j = 0; j < sum.length; j++) sum[j]! *= unit;
    this.#bits.wipe();
    this.#floatSum.fill(0);
    return { sum, expectedBatchSize, standardDeviation: unit * 2 ** gridBits, event };
  }
}

/** Whether all numbers of a sum are finite. */
export function isFiniteSum(parts: readonly NumericArray[]): boolean {
  // A NaN or an infinity survives every sum of products with zero.
  let probe = 0;
  for (const part of parts) for (let j = 0; j < part.length; j++) probe += part[j]! * 0;
  return probe === 0;
}
