/**
 * The primitives that `Ops` has methods for, so that they are called as every other operation.
 *
 * @module
 */
import type { Ops } from '../ops.ts';
import type { AnyPrimitive } from '../primitive.ts';
import { erf } from './erf.ts';
import { isFinite } from './is-finite.ts';
import { logSoftmax } from './log-softmax.ts';
import { maxPool2d, maxPool2dGradient } from './max-pool.ts';
import { oneHot } from './one-hot.ts';
import { reverse } from './reverse.ts';
import { roundAdd } from './round-add.ts';

/** All of them, for the conformance suite. */
export const namedPrimitives: readonly AnyPrimitive[] = [
  erf,
  isFinite,
  logSoftmax,
  maxPool2d,
  maxPool2dGradient,
  oneHot,
  reverse,
  roundAdd,
];

/** The operations that are primitives. */
export type PrimitiveMethods<T> = Pick<
  Ops<T>,
  'erf' | 'isFinite' | 'logSoftmax' | 'maxPool2d' | 'maxPool2dGradient' | 'oneHot' | 'reverse' | 'roundAdd'
>;

/** These operations, by way of an implementation's `apply`. */
export function primitiveMethods<T>(apply: Ops<T>['apply']): PrimitiveMethods<T> {
  return {
    erf: (x) => apply(erf, [x], {}),
    isFinite: (x) => apply(isFinite, [x], {}),
    logSoftmax: (x) => apply(logSoftmax, [x], {}),
    maxPool2d: (x, options) => apply(maxPool2d, [x], options),
    maxPool2dGradient: (x, y, gradient, options) => apply(maxPool2dGradient, [x, y, gradient], options),
    oneHot: (ids, depth) => apply(oneHot, [ids], { depth }),
    reverse: (x, axes) => apply(reverse, [x], { axes }),
    roundAdd: (x, whole) => apply(roundAdd, [x, whole], {}),
  };
}
