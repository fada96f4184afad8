/**
 * The change between tfjs's channels-last images and the channels-first ones that the convolutions compute with. Inserted by
 * the compiler where a value is used in the other order; never part of a model.
 *
 * @module
 */
import type { Ops, Shape } from '../../ops/ops.ts';
import type { BuiltLayer } from '../types.ts';

/** Moves channels to the front or to the end; where nothing moves past anything, a reshape. */
function move<T>(ops: Ops<T>, x: T, toFirst: boolean): T {
  const [n, a, b, c] = ops.shapeOf(x) as [number, number, number, number];
  const channels = toFirst ? c : a;
  const positions = toFirst ? a * b : b * c;
  if (channels === 1 || positions === 1) return ops.reshape(x, toFirst ? [n, c, a, b] : [n, b, c, a]);
  return ops.transpose(x, toFirst ? [0, 3, 1, 2] : [0, 2, 3, 1]);
}

/** A node that changes the layout of an image value. */
export function changeLayout(shape: Shape, toFirst: boolean): BuiltLayer {
  const [a, b, c] = shape as [number, number, number];
  return {
    outputShape: toFirst ? [c, a, b] : [b, c, a],
    weights: [],
    forward: (ops, [x]) => ({
      output: move(ops, x!, toFirst),
      backward: (gradient, [needed]) => ({ inputs: [needed ? move(ops, gradient, !toFirst) : undefined], weights: [] }),
    }),
  };
}
