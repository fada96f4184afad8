/**
 * What a step of a mechanism offers: the batch, the ways in which examples are added, and the one release.
 *
 * @module
 */
import type { DpEvent } from '@sotto/core/event';
import type { NumericArray } from '@sotto/core/ops';
import type { NoiseValues, StepNoise } from '../noise/step-noise.ts';

/** What one step releases. Everything in it may be published. */
export interface PrivateSum {
  /** Σ clipped gradients + noise, one number per parameter, in the gradient's unit. */
  readonly sum: Float64Array;
  /** The divisor for an estimate of the mean gradient. */
  readonly expectedBatchSize: number;
  /** The noise's standard deviation per coordinate: σ·C, times 1 + slack in `fast` mode; of the gradient's own multiplier with adaptive clipping. */
  readonly standardDeviation: number;
  /** C of this step. */
  readonly clipNorm: number;
  /** What the release adds to the account: all steps of a run together are the run's event. */
  readonly event: DpEvent;
}

/** How an engine clipped the rows that it added. */
export interface EngineClipping {
  /** The norm that rows were clipped to; must be the step's `rowNorm`. */
  readonly norm: number;
  /** Squared norms before clipping, one for each of the rows; needed with adaptive clipping. Rows beyond `count` are not read. */
  readonly squaredNorms?: NumericArray;
  /** How many of the rows contributed zero because their gradient was not finite or out of range; for {@link PrivateStep.nonFiniteExamples}. Default 0. */
  readonly outOfRange?: number;
  /**
   * Whether the gradients of all rows that the engine took, also of those beyond `count`, were finite and in range, so that their sum is not finite only where the engine
   * is at fault. A {@link FloatSums} then may find that out when the step ends. Default false.
   */
  readonly allInRange?: boolean;
}

/** What ends a step whose sum stayed on a device. All of it but `whole` is public; that is for the device alone. */
export interface HeldRelease extends Omit<PrivateSum, 'sum'> {
  /** The noise in grid units, whole numbers. They MUST be added to the sum, divided by `unit`, by `Ops.roundAdd`, and seen by nobody else. */
  readonly whole: Float64Array;
  /** The grid's unit. */
  readonly unit: number;
}

/** Where clipped sums in float32 are added up, in place of the step's own array. It belongs to one step at a time. */
export interface FloatSums {
  /** The memory that noise is asked for in, where it is one that threads share. */
  readonly memory?: { readonly buffer: SharedArrayBuffer };
  /** Whether all numbers of a sum are finite. */
  isFinite(parts: readonly NumericArray[]): boolean;
  /** Takes a sum, to be added to those before it in float64. Where one turns out not to be finite, ending the step fails and publishes nothing. */
  add(parts: readonly NumericArray[]): void;
}

/** What ends a step whose sums lie in a {@link FloatSums}. All of it but `draw` is public. */
export interface ReleaseTerms extends Omit<PrivateSum, 'sum' | 'event'> {
  /** The grid's unit. The release is (⌊sum·(1/unit) + ½⌋ + noise)·unit in doubles, for each coordinate. */
  readonly unit: number;
  /**
   * Overwrites the target with the noise, in grid units, of as many coordinates from `begin` on; 32-bit integers only where `gridBits` is at most 26. Blocks MUST be asked for in ascending order, each coordinate once, and be
   * overwritten after use.
   */
  readonly draw: (target: NoiseValues, begin: number) => void;
}

/** One step of a plan: draw, add every example of the batch, release once. */
export interface PrivateStep {
  /** Indices of the records of this batch: ascending, or with users one user after the other. Secret. */
  readonly batch: Uint32Array;
  /** The norm that each row is clipped to, which an engine must use in `fast` mode. C, or a share of it where several records of a user count one by one. */
  readonly rowNorm: number;
  /**
   * Adds `count` examples, rows 0 … count − 1 of matrices `[rows, width]` that together make the flat gradient. They MUST be the next ones of `batch` in
   * its order where the unit is the user, since that order says whose they are.
   */
  add(parts: readonly { readonly values: NumericArray; readonly width: number }[], count: number): void;
  /**
   * `fast` mode: adds a sum of `count` clipped examples that an engine computed in float32. Refused (`numeric`) where it is not finite: the examples whose
   * gradients are not finite must contribute zero to it. They must not change how the others are added, so the same program computes the sum again without them;
   * adding the others by {@link add} instead, in other precision, would let one example change what they contribute. Refused, too, where `count` is above the
   * plan's `maxFloatRows`, whose rounding the slack bounds.
   *
   * @param clipped How the rows were clipped; needed where `rowNorm` is not `clipping.norm` at every step of the plan.
   */
  addSum(parts: readonly NumericArray[], count: number, clipped?: EngineClipping): void;
  /** `fast` mode: counts `count` clipped examples as added whose sum an engine keeps on its device. The caller has made sure that it is finite, and, before any
   * batch was drawn, that the rows of the largest sum and the number of sums are together at most the plan's `maxFloatRows` for every batch: an error here would
   * depend on the size of this one. */
  holdSum(count: number, clipped: EngineClipping): void;
  /** Examples (users) of this step that contributed zero because their gradient was not finite or, in `fast` mode, out of range (`clip/float-range.ts`). A device
   * tells only of those whose gradient was not finite, and of others in their chunk. Private: reporting it is a release of its own. */
  readonly nonFiniteExamples: number;
  /**
   * Adds the noise and ends the step. An empty batch releases noise like any other. A second call is refused.
   *
   * @param noise Noise that was drawn ahead, for this plan's grid and this many coordinates; anything else is refused, and so is noise that was used
   *   before. Without it the noise is drawn now, from the step's own random source. The event is the same.
   */
  release(noise?: StepNoise): PrivateSum;
  /**
   * Ends a step whose sums went into the run's `floats`, once, as {@link release} does: `end` adds the noise to every coordinate, and overwrites the sums, before it returns.
   */
  releaseInto(end: (terms: ReleaseTerms) => void, noise?: StepNoise): Omit<PrivateSum, 'sum'>;
  /** Ends a step whose sum stayed on a device, once, as {@link release} does for sums in memory. Refused where anything was added in memory. */
  releaseHeld(noise?: StepNoise): HeldRelease;
}
