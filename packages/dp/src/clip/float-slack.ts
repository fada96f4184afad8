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
}

/**
 * s such that adding or removing one example moves the computed sum by at most C·(1 + s) in the L2 norm.
 *
 * With u = 2⁻²⁴, to first order, for any order of summation (Higham 2002, §3.1 and §4.2):
 * a squared norm of D terms is off by a relative (D + 2)·u, so that an example's norm after clipping exceeds C by at most (D/2 + 4)·u, root,
 * quotient and product included; a sum of B clipped examples is off by (B + 2)·u·Σ|cᵢgᵢ|, in norm at most (B + 2)·u·B·C, on either of the two
 * neighbouring data sets. A tenth is added for the higher orders.
 */
export function floatSlack({ dimension, maxBatchSize }: FloatSlackOptions): number {
  integer('dimension', dimension, 1);
  integer('maxBatchSize', maxBatchSize, 1);
  return 1.1 * UNIT_ROUNDOFF * (dimension / 2 + 4 + 2 * maxBatchSize * (maxBatchSize + 2));
}
