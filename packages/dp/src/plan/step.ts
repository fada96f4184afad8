/**
 * One step of a mechanism: what a {@link PrivateStep} does.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import type { NumericArray } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { clipFactor } from '../clip/clipping.ts';
import type { AdaptiveClipping } from '../clip/clipping.ts';
import { checkFloatClipNorm } from '../clip/float-range.ts';
import { createGrid } from '../clip/grid.ts';
import type { Grid } from '../clip/grid.ts';
import { QuantileCount } from '../clip/quantile.ts';
import { QuantisedSum } from '../clip/quantised-sum.ts';
import { BitSource } from '../noise/bit-source.ts';
import { StepNoise } from '../noise/step-noise.ts';
import type { NoiseValues } from '../noise/step-noise.ts';
import { addParts, isFiniteSum, releaseSum } from '../noise/release.ts';
import type { CheckedPlan } from './options.ts';
import type { EngineClipping, FloatSums, HeldRelease, PrivateStep, PrivateSum, ReleaseTerms } from './private-step.ts';

/** The records of a step, and where each unit's end in them; without `ends` each record is a unit. */
export interface DrawnBatch {
  readonly records: Uint32Array;
  readonly ends?: Uint32Array;
}

/** Overwrites an array with rounded Gaussians of standard deviation 2ᵏ: all of the `dimension` coordinates of a step, or the next block of them. */
export type DrawNoise = (target: NoiseValues, bits: BitSource, dimension: number) => void;

/** What a step is told. */
export interface StepParts {
  readonly plan: CheckedPlan;
  readonly dimension: number;
  readonly groupEnds: readonly number[] | undefined;
  /** The most units of a step, and so of a sum. */
  readonly maxUnits: number;
  /** C of this step. */
  readonly clipNorm: number;
  /** The noise multiplier of the gradient in this step. */
  readonly gradientNoise: number;
  readonly slack: number;
  /** The most roundings in float32 that the slack counts for a row. */
  readonly maxFloatRows: number;
  /** Whether `rowNorm` may differ from `clipping.norm`, so that an engine must say what it clipped to. */
  readonly normVaries: boolean;
  readonly event: DpEvent;
  readonly draw: (bits: BitSource) => DrawnBatch;
  readonly drawNoise: DrawNoise;
  /** Where sums are added up in place of an array. */
  readonly floats: FloatSums | undefined;
  /** Zeros for as many coordinates, lent until the release; zeros again when they are given back. */
  readonly lend: () => Float64Array;
  readonly giveBack: (zeros: Float64Array) => void;
  /** An array for the noise of a release, to be overwritten whole. */
  readonly forNoise: () => Float64Array;
  /** Told the released fraction of unclipped units. */
  readonly onFraction: (fraction: number) => void;
}

/**
 * Checks what a step is made of, before any is charged: the grid, the row's clip norm and the sum. Nothing is allocated.
 *
 * @throws SottoError `invalid-argument`
 */
export function checkStep(
  parts: Pick<StepParts, 'plan' | 'dimension' | 'groupEnds' | 'maxUnits' | 'clipNorm' | 'gradientNoise' | 'slack'>,
): void {
  void sumOfStep(parts);
}

/** The sum of a step, with its grid, and the clip norm of a row. */
function sumOfStep({ plan, dimension, groupEnds, maxUnits, clipNorm, gradientNoise, slack }: Parameters<typeof checkStep>[0]): {
  readonly grid: Grid;
  readonly rowNorm: number;
  readonly sum: QuantisedSum;
} {
  const { clipping, unit, mode } = plan;
  if ((clipping.kind === 'perLayer') !== (groupEnds !== undefined)) {
    throw new SottoError('invalid-argument', 'groupEnds must be given with perLayer clipping, and only then');
  }
  // In fast mode the same grid is stretched by the slack, so that noise of 2ᵏ units is σ·C·(1 + slack).
  const grid = createGrid(clipNorm * (1 + slack), gradientNoise, plan.gridBits);
  const rowsPerUnit = unit.kind === 'user' && unit.combine === 'perRecord' ? unit.contributionBound : 1;
  const rowNorm = clipNorm / rowsPerUnit;
  if (mode === 'fast') {
    checkFloatClipNorm(rowNorm);
    // Two roundings then move a sum times the inverse of the unit by a quarter of a unit in norm, and the slack has room for one.
    if (maxUnits * Math.ceil(grid.radius) > 2 ** 50) {
      throw new SottoError('invalid-argument', `${maxUnits} examples on this grid could leave exact integers; lower gridBits`);
    }
  }
  return { grid, rowNorm, sum: new QuantisedSum(grid, dimension, maxUnits, clipFactor(clipping), groupEnds, rowsPerUnit) };
}

/** See {@link PrivateStep}. */
export class Step implements PrivateStep {
  readonly batch: Uint32Array;
  readonly rowNorm: number;
  readonly #parts: StepParts;
  readonly #grid: Grid;
  readonly #sum: QuantisedSum;
  readonly #floatSum: Float64Array;
  readonly #count: QuantileCount | undefined;
  readonly #bits: BitSource;
  /** Ends of the units whose records are averaged before they are clipped. */
  readonly #ends: Uint32Array | undefined;
  readonly #mean: Float64Array;
  #unit = 0;
  #added = 0;
  #summed = 0;
  #held = 0;
  #heldSums = 0;
  #largestHeld = 0;
  #outOfRange = 0;
  #released = false;

  constructor(parts: StepParts, random: RandomSource) {
    const { plan, dimension } = parts;
    const { clipping, unit, mode } = plan;
    const { grid, rowNorm, sum } = sumOfStep(parts);
    this.#parts = parts;
    this.#bits = new BitSource(random);
    this.#grid = grid;
    this.rowNorm = rowNorm;
    this.#sum = sum;
    this.#floatSum = mode === 'fast' && parts.floats === undefined ? parts.lend() : new Float64Array(0);
    if (clipping.kind === 'adaptive') this.#count = new QuantileCount((clipping as AdaptiveClipping).countNoise);
    const { records, ends } = parts.draw(this.#bits);
    this.batch = records;
    const averaged = unit.kind === 'user' && unit.combine === 'mean' && unit.contributionBound > 1;
    this.#ends = averaged ? ends : undefined;
    this.#mean = new Float64Array(averaged ? dimension : 0);
  }

  add(parts: readonly { readonly values: NumericArray; readonly width: number }[], count: number): void {
    this.#claim(count);
    this.#added += count;
    for (let row = 0; row < count; row++) {
      if (this.#ends === undefined) this.#observe(this.#sum.addRow(parts, row));
      else this.#addToUser(parts, row, this.#ends, this.#added - count + row);
    }
  }

  /** Adds a row to its user's mean, and the mean to the sum with the user's last row. A NaN stays one until there. */
  #addToUser(
    parts: readonly { readonly values: NumericArray; readonly width: number }[],
    row: number,
    ends: Uint32Array,
    at: number,
  ): void {
    const mean = this.#mean;
    const end = ends[this.#unit]!;
    const rows = end - (ends[this.#unit - 1] ?? 0);
    let j = 0;
    for (const { values, width } of parts) {
      for (let column = 0; column < width; column++, j++) mean[j]! += values[row * width + column]! / rows;
    }
    if (j !== mean.length) throw new SottoError('internal', `a gradient has ${j} coordinates; the sum has ${mean.length}`);
    if (at + 1 < end) return;
    this.#observe(this.#sum.addRow([{ values: mean, width: mean.length }], 0));
    mean.fill(0);
    this.#unit++;
  }

  holdSum(count: number, clipped: EngineClipping): void {
    this.#checkSum(count, clipped);
    if (this.#count !== undefined)
      throw new SottoError('unsupported', 'adaptive clipping counts norms in memory; add the sums with addSum');
    // Sums on a device are added up in float32 as well. An invariant: trainers rule it out before they draw a batch.
    const largest = Math.max(this.#largestHeld, count);
    this.#checkRows(largest + this.#heldSums + 1);
    this.#claim(count);
    this.#added += count;
    this.#held += count;
    this.#heldSums++;
    this.#outOfRange += clipped.outOfRange ?? 0;
    this.#largestHeld = largest;
  }

  addSum(parts: readonly NumericArray[], count: number, clipped?: EngineClipping): void {
    this.#checkSum(count, clipped);
    this.#checkRows(count);
    const norms = clipped?.squaredNorms;
    const { floats } = this.#parts;
    const isSeenLater = floats !== undefined && clipped?.allInRange === true;
    if (!isSeenLater && !(floats === undefined ? isFiniteSum(parts) : floats.isFinite(parts)))
      throw new SottoError('numeric', 'the sum holds a NaN or an infinity; compute it again without the examples that spoil it');
    this.#claim(count);
    this.#added += count;
    this.#summed += count;
    this.#outOfRange += clipped?.outOfRange ?? 0;
    if (floats === undefined) addParts(this.#floatSum, parts);
    else floats.add(parts);
    if (this.#count !== undefined) for (let i = 0; i < count; i++) this.#observe(Math.sqrt(norms![i]!));
  }

  /** Checks that no row of a sum went through more roundings than the slack counts. */
  #checkRows(rows: number): void {
    const most = this.#parts.maxFloatRows;
    if (rows > most) {
      throw new SottoError(
        'invalid-argument',
        `a float32 sum of ${rows} rows, or rows and sums, is more than the ${most} that the slack of the noise counts; add fewer at a time`,
      );
    }
  }

  /** Checks that a sum of clipped examples may be taken in. */
  #checkSum(count: number, clipped: EngineClipping | undefined): void {
    const { plan, normVaries } = this.#parts;
    if (plan.mode !== 'fast') {
      throw new SottoError(
        'invalid-argument',
        'the plan is in secure mode, where sums of floats cannot be added; add the examples',
      );
    }
    if (clipped === undefined ? normVaries : clipped.norm !== this.rowNorm) {
      throw new SottoError(
        'invalid-argument',
        `the rows were clipped to ${clipped === undefined ? 'a norm that is not stated' : clipped.norm}; this step needs its rowNorm, ${this.rowNorm}`,
      );
    }
    const norms = clipped?.squaredNorms;
    if (this.#count !== undefined && (norms === undefined || norms.length < count)) {
      throw new SottoError(
        'invalid-argument',
        `squaredNorms holds ${norms?.length ?? 0} numbers; adaptive clipping needs one for each of ${count} rows`,
      );
    }
  }

  /** Counts a unit by its norm before clipping; NaN counts as clipped. */
  #observe(norm: number): void {
    this.#count?.add(norm <= this.#parts.clipNorm);
  }

  /** Checks that so many more examples may be added. */
  #claim(count: number): void {
    if (this.#released) throw new SottoError('conflict', 'the step is released already; begin another one');
    const left = this.batch.length - this.#added;
    if (!Number.isInteger(count) || count < 0 || count > left)
      throw new SottoError('invalid-argument', `count is ${count}; only ${left} examples of the batch are left`);
  }

  get nonFiniteExamples(): number {
    return this.#sum.nonFiniteExamples + this.#outOfRange;
  }

  release(noise?: StepNoise): PrivateSum {
    if (this.#held > 0) throw new SottoError('conflict', 'a sum of this step is on a device; end it with releaseHeld');
    if (this.#parts.floats !== undefined && this.#summed > 0)
      throw new SottoError('conflict', 'the sums of this step were handed over; end it with releaseInto');
    const sum = this.#noiseOnce(noise);
    // What was added in floats is rounded to the grid before the noise, so that noise and sum are integers in both modes; the multiplication
    // by the unit is post-processing.
    const rows = this.#sum.examples > 0 ? this.#sum.sum : undefined;
    const floats = this.#summed > 0 ? this.#floatSum : undefined;
    releaseSum(sum, rows, floats, this.#grid.unit);
    return { sum, ...this.#end() };
  }

  releaseInto(end: (terms: ReleaseTerms) => void, noise?: StepNoise): Omit<PrivateSum, 'sum'> {
    const { plan, floats, dimension, drawNoise, clipNorm } = this.#parts;
    if (floats === undefined || this.#held > 0 || this.#sum.examples > 0)
      throw new SottoError(
        'conflict',
        'examples of this step were not added to the sums of its run; end it with release or releaseHeld',
      );
    const taken = this.#takeOnce(noise);
    const { unit, gridBits } = this.#grid;
    try {
      end({
        unit,
        standardDeviation: unit * 2 ** gridBits,
        expectedBatchSize: plan.expectedBatchSize,
        clipNorm,
        draw: (target, begin) => {
          if (taken === undefined) drawNoise(target, this.#bits, dimension);
          else target.set(taken.subarray(begin, begin + target.length));
        },
      });
    } finally {
      taken?.fill(0);
      if (noise !== undefined) StepNoise.giveBack(noise);
    }
    return this.#end();
  }

  releaseHeld(noise?: StepNoise): HeldRelease {
    if (this.#parts.plan.mode !== 'fast') {
      throw new SottoError(
        'invalid-argument',
        'the plan is in secure mode, where no sum is on a device; end the step with release',
      );
    }
    if (this.#summed + this.#sum.examples > 0)
      throw new SottoError('conflict', 'examples of this step were added in memory; end it with release');
    const whole = this.#noiseOnce(noise);
    return { whole, unit: this.#grid.unit, ...this.#end() };
  }

  /** The step's noise, once and only when all examples were added. */
  #noiseOnce(noise: StepNoise | undefined): Float64Array {
    const { dimension, drawNoise, forNoise } = this.#parts;
    const taken = this.#takeOnce(noise);
    const target = forNoise();
    if (noise === undefined || taken === undefined) drawNoise(target, this.#bits, dimension);
    else {
      for (let j = 0; j < dimension; j++) {
        target[j] = taken[j]!;
        taken[j] = 0;
      }
      StepNoise.giveBack(noise);
    }
    return target;
  }

  /** Marks the step as released, and takes the noise that was drawn ahead, if any. */
  #takeOnce(noise: StepNoise | undefined): NoiseValues | undefined {
    if (this.#released) throw new SottoError('conflict', 'the step is released already; its noise is never drawn twice');
    if (this.#added !== this.batch.length) {
      throw new SottoError(
        'conflict',
        `${this.#added} of ${this.batch.length} examples of the batch were added; add all before release`,
      );
    }
    // First of all, because it refuses noise that does not fit before anything has changed.
    const taken = noise === undefined ? undefined : StepNoise.takeOnce(noise, this.#grid.gridBits, this.#parts.dimension);
    this.#released = true;
    return taken;
  }

  /** Wipes what the step held and tells what may be published beside the sum. */
  #end(): Omit<PrivateSum, 'sum'> {
    const { plan, event, clipNorm, onFraction } = this.#parts;
    const { unit, gridBits } = this.#grid;
    this.#sum.wipe();
    if (this.#count !== undefined) onFraction(this.#count.release(plan.expectedBatchSize, this.#bits));
    this.#bits.wipe();
    if (this.#floatSum.length > 0) this.#parts.giveBack(this.#floatSum.fill(0));
    this.#mean.fill(0);
    return { expectedBatchSize: plan.expectedBatchSize, standardDeviation: unit * 2 ** gridBits, clipNorm, event };
  }
}
