/**
 * One object that owns the sampler, the clipping, the noise and the privacy event of a step, so that what is accounted
 * cannot differ from what ran.
 *
 * @module
 */
import { openProbability, positive, probability } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import type { NumericArray } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { checkClipping, clipFactor } from '../clip/clipping.ts';
import type { Clipping } from '../clip/clipping.ts';
import { createGrid } from '../clip/grid.ts';
import type { Grid } from '../clip/grid.ts';
import { QuantisedSum } from '../clip/quantised-sum.ts';
import { BitSource } from '../noise/bit-source.ts';
import { ExactGaussian } from '../noise/exact-gaussian.ts';
import { poissonSample } from '../sampling/poisson.ts';

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
}

/** What one step releases. Everything in it may be published. */
export interface PrivateSum {
  /** Σ clipped gradients + noise, one number per parameter, in the gradient's unit. */
  readonly sum: Float64Array;
  /** The divisor for an estimate of the mean gradient. */
  readonly expectedBatchSize: number;
  /** The noise's standard deviation per coordinate. */
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
  readonly grid: Grid;
  /** The event of one step, under `addOrRemoveOne` adjacency of records. */
  readonly event: DpEvent;
  /**
   * Draws the batch of one step. Every record of the batch must be added to the step before it is released.
   *
   * @param populationSize Records in the private data set.
   * @param dimension Coordinates of a gradient.
   * @param random Where sample and noise come from; a CSPRNG except in tests.
   */
  begin(populationSize: number, dimension: number, random: RandomSource): PrivateStep;
}

/** One step of a plan: draw, add every example of the batch, release once. */
export interface PrivateStep {
  /** Indices of the records of this batch, ascending. Secret. */
  readonly batch: Uint32Array;
  /** Adds `count` examples, rows 0 … count − 1 of matrices `[rows, width]` that together make the flat gradient. */
  add(parts: readonly { readonly values: NumericArray; readonly width: number }[], count: number): void;
  /** Examples of this step that held NaN or infinity and so counted as zero. Private: reporting it is a release of its own. */
  readonly nonFiniteExamples: number;
  /** Adds the noise and ends the step. An empty batch releases noise like any other. A second call is refused. */
  release(): PrivateSum;
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
  const plan = { sampleRate, expectedBatchSize, clipping, noiseMultiplier, grid, event };
  return Object.freeze({
    ...plan,
    begin: (populationSize: number, dimension: number, random: RandomSource) => new Step(plan, populationSize, dimension, random),
  });
}

class Step implements PrivateStep {
  readonly batch: Uint32Array;
  readonly #plan: Omit<MechanismPlan, 'begin'>;
  readonly #sum: QuantisedSum;
  readonly #bits: BitSource;
  #released = false;

  constructor(plan: Omit<MechanismPlan, 'begin'>, populationSize: number, dimension: number, random: RandomSource) {
    this.#plan = plan;
    this.#bits = new BitSource(random);
    this.#sum = new QuantisedSum(plan.grid, dimension, populationSize, clipFactor(plan.clipping));
    this.batch = poissonSample(populationSize, plan.sampleRate, this.#bits);
  }

  add(parts: readonly { readonly values: NumericArray; readonly width: number }[], count: number): void {
    if (this.#released) throw new SottoError('conflict', 'the step is released already; begin another one');
    if (this.#sum.examples + count > this.batch.length) {
      throw new SottoError(
        'invalid-argument',
        `count is ${count}; only ${this.batch.length - this.#sum.examples} examples of the batch are left`,
      );
    }
    for (let row = 0; row < count; row++) this.#sum.addRow(parts, row);
  }

  get nonFiniteExamples(): number {
    return this.#sum.nonFiniteExamples;
  }

  release(): PrivateSum {
    if (this.#released) throw new SottoError('conflict', 'the step is released already; its noise is never drawn twice');
    if (this.#sum.examples !== this.batch.length) {
      throw new SottoError(
        'conflict',
        `${this.#sum.examples} of ${this.batch.length} examples of the batch were added; add all before release`,
      );
    }
    this.#released = true;
    const { grid, clipping, noiseMultiplier, expectedBatchSize, event } = this.#plan;
    const noise = new ExactGaussian(this.#bits, grid.gridBits);
    const sum = this.#sum.sum;
    // Integers until here; the multiplication by the unit is post-processing.
    for (let j = 0; j < sum.length; j++) sum[j] = (sum[j]! + noise.next()) * grid.unit;
    this.#bits.wipe();
    return { sum, expectedBatchSize, standardDeviation: noiseMultiplier * clipping.norm, event };
  }
}
