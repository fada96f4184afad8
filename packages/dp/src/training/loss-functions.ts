/**
 * The losses of tfjs as functions of predictions and targets, written once against `Ops`. Each gives one loss per position of an example, by the
 * formulas and with the constants of tfjs-layers 4.22; means over positions and gradients are taken elsewhere.
 *
 * @module
 */
import type { Ops } from '@sotto/core/ops';

/** What tfjs keeps away from logarithms and divisors. */
export const EPSILON = 1e-7;

/**
 * A loss of some predictions `[n, …]` given targets: `[n, …]` with any further axes, whose mean is an example's loss. It must not combine examples; `ops` and the
 * tensors are used for nothing else than computing with them.
 */
export type LossFunction = <T>(ops: Ops<T>, prediction: T, target: T) => T;

const c = <T>(ops: Ops<T>, value: number): T => ops.constant([value], []);
const square = <T>(ops: Ops<T>, x: T): T => ops.mul(x, x);
const lastSum = <T>(ops: Ops<T>, x: T): T => ops.sum(x, [ops.shapeOf(x).length - 1]);
const lastMax = <T>(ops: Ops<T>, x: T): T => ops.max(x, [ops.shapeOf(x).length - 1]);

/** Values kept within limits; the gradient passes at the limits and stops outside them. */
const clip = <T>(ops: Ops<T>, x: T, least: number, most: number): T => ops.minimum(ops.maximum(x, c(ops, least)), c(ops, most));

const atLeast = <T>(ops: Ops<T>, x: T, least: number): T => ops.maximum(x, c(ops, least));

/** max(0, 1 − y·p). */
const margin = <T>(ops: Ops<T>, p: T, y: T): T => ops.relu(ops.sub(c(ops, 1), ops.mul(y, p)));

/** x over its L2 norm along the last axis. */
const normalised = <T>(ops: Ops<T>, x: T): T => ops.div(x, ops.sqrt(atLeast(ops, lastSum(ops, square(ops, x)), EPSILON)));

const crossentropy: LossFunction = (ops, p, y) => {
  const share = ops.div(p, lastSum(ops, p));
  return ops.neg(lastSum(ops, ops.mul(y, ops.log(clip(ops, share, EPSILON, 1 - EPSILON)))));
};

/**
 * Losses whose targets have the shape of the predictions, by their tfjs names: those that models of tfjs are compiled with, then those of `tf.losses` under other names. Of
 * these `sigmoidCrossEntropy` and `softmaxCrossEntropy` take logits, `cosineDistance` takes vectors of length 1 along the last axis, `hingeLoss` targets of 0 and 1, and
 * `huberLoss` has δ = 1.
 */
export type DenseLossName =
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'meanAbsolutePercentageError'
  | 'meanSquaredLogarithmicError'
  | 'squaredHinge'
  | 'hinge'
  | 'categoricalHinge'
  | 'logcosh'
  | 'categoricalCrossentropy'
  | 'binaryCrossentropy'
  | 'kullbackLeiblerDivergence'
  | 'poisson'
  | 'cosineProximity'
  | 'absoluteDifference'
  | 'cosineDistance'
  | 'hingeLoss'
  | 'huberLoss'
  | 'logLoss'
  | 'sigmoidCrossEntropy'
  | 'softmaxCrossEntropy';

/** The formulas of all {@link DenseLossName}. */
export const lossFunctions: Readonly<Record<DenseLossName, LossFunction>> = {
  meanSquaredError: (ops, p, y) => square(ops, ops.sub(p, y)),
  meanAbsoluteError: (ops, p, y) => ops.abs(ops.sub(p, y)),
  meanAbsolutePercentageError: (ops, p, y) =>
    ops.mul(c(ops, 100), ops.abs(ops.div(ops.sub(y, p), atLeast(ops, ops.abs(y), EPSILON)))),
  meanSquaredLogarithmicError(ops, p, y) {
    const log = (x: typeof p): typeof p => ops.log(ops.add(c(ops, 1), atLeast(ops, x, EPSILON)));
    return square(ops, ops.sub(log(p), log(y)));
  },
  squaredHinge: (ops, p, y) => square(ops, margin(ops, p, y)),
  hinge: margin,
  categoricalHinge(ops, p, y) {
    const right = lastSum(ops, ops.mul(y, p));
    const wrong = lastMax(ops, ops.mul(ops.sub(c(ops, 1), y), p));
    return ops.relu(ops.add(c(ops, 1), ops.sub(wrong, right)));
  },
  logcosh(ops, p, y) {
    const d = ops.sub(p, y);
    return ops.sub(ops.add(d, ops.softplus(ops.mul(c(ops, -2), d))), c(ops, Math.LN2));
  },
  categoricalCrossentropy: crossentropy,
  binaryCrossentropy(ops, p, y) {
    const one = c(ops, 1);
    const q = clip(ops, p, EPSILON, 1 - EPSILON);
    return ops.neg(ops.add(ops.mul(y, ops.log(q)), ops.mul(ops.sub(one, y), ops.log(ops.sub(one, q)))));
  },
  kullbackLeiblerDivergence: (ops, p, y) =>
    lastSum(ops, ops.mul(y, ops.log(ops.div(clip(ops, y, EPSILON, 1), clip(ops, p, EPSILON, 1))))),
  poisson: (ops, p, y) => ops.sub(p, ops.mul(y, ops.log(ops.add(c(ops, EPSILON), p)))),
  cosineProximity: (ops, p, y) => ops.neg(lastSum(ops, ops.mul(normalised(ops, y), normalised(ops, p)))),
  absoluteDifference: (ops, p, y) => ops.abs(ops.sub(p, y)),
  cosineDistance: (ops, p, y) => ops.sub(c(ops, 1), lastSum(ops, ops.mul(y, p))),
  hingeLoss: (ops, p, y) => margin(ops, p, ops.sub(ops.mul(c(ops, 2), y), c(ops, 1))),
  // Quadratic up to 1, linear beyond.
  huberLoss(ops, p, y) {
    const error = ops.abs(ops.sub(p, y));
    const quadratic = ops.minimum(error, c(ops, 1));
    return ops.add(ops.mul(c(ops, 0.5), square(ops, quadratic)), ops.sub(error, quadratic));
  },
  logLoss(ops, p, y) {
    const one = c(ops, 1);
    const log = (x: typeof p): typeof p => ops.log(ops.add(x, c(ops, EPSILON)));
    return ops.neg(ops.add(ops.mul(y, log(p)), ops.mul(ops.sub(one, y), log(ops.sub(one, p)))));
  },
  sigmoidCrossEntropy: (ops, z, y) => ops.sub(ops.softplus(z), ops.mul(y, z)),
  softmaxCrossEntropy: (ops, z, y) => ops.neg(lastSum(ops, ops.mul(y, ops.logSoftmax(z)))),
};
