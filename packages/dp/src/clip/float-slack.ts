/**
 * The slack of the `fast` mode: how much further than the clip norm one example can move a sum that was computed in float32.
 *
 * @module
 */
import { integer } from '@sotto/core/check';

const UNIT_ROUNDOFF = 2 ** -24;

/** What {@link floatSlack} depends on, all of it public. */
export interface FloatSlackOptions {
  /** D: coordinates of a gradient. */
  readonly dimension: number;
  /** The most examples that a step may add up. */
  readonly maxBatchSize: number;
  /** The most of them that are added up in float32 before their sum is added in float64: see {@link maxFloatRows}. */
  readonly maxFloatRows: number;
}

const LARGE_RUN = 128;
const SMALL_RUN = 16;

/**
 * The most roundings that a clipped example may go through in a float32 sum of a step of at most `maxBatchSize` examples: those of a run of 128, or of runs of 16 whose
 * sums are added up in float32 again, as on a device. Fewer roundings mean less slack, and runs of this size cost no speed.
 */
export function maxFloatRows(maxBatchSize: number): number {
  return Math.min(maxBatchSize, LARGE_RUN + Math.ceil(maxBatchSize / SMALL_RUN));
}

/**
 * s such that adding or removing one example moves the computed sum by at most C·(1 + s) in the L2 norm.
 *
 * With u = 2⁻²⁴, to first order, for any order of summation (Higham 2002, §3.1 and §4.2):
 * a squared norm of D terms is off by a relative (D + 4)·u, so that an example's norm after clipping exceeds C by at most (D/2 + 24)·u: product, the rounding of C
 * and of its share of a layer, what underflows, and root and quotient, included, also where these are as WGSL allows (§15.7.4: 2.5 units in the last place for a
 * quotient, and for a root those of a quotient and of an inverse root, 2; a unit is up to 2u). Floats underflow and overflow outside of what that analysis
 * assumes, so squared norms below LO = 2⁻⁷⁰ are replaced by LO, of which lost squares are less than 2⁻³⁰ (2⁻³¹ of a norm: u/128), and examples with squared norms above
 * HI = 2¹²⁰ contribute zero: see {@link ./float-range.ts}. A sum of B clipped examples, each of which goes through at most R additions in float32, is off by
 * (R + 2)·u·Σ|cᵢgᵢ|, in norm at most (R + 2)·u·B·C, on either of the two neighbouring data sets. A tenth is added for the higher orders and for the additions in
 * float64.
 */
export function floatSlack({ dimension, maxBatchSize, maxFloatRows: rows }: FloatSlackOptions): number {
  integer('dimension', dimension, 1);
  integer('maxBatchSize', maxBatchSize, 1);
  integer('maxFloatRows', rows, 1, maxBatchSize);
  return 1.1 * UNIT_ROUNDOFF * (dimension / 2 + 24 + 2 * maxBatchSize * (rows + 2));
}
