/**
 * The elements in the opposite order along some axes.
 *
 * @module
 */
import { along } from '../batch-place.ts';
import { definePrimitive } from '../primitive.ts';
import type { Primitive } from '../primitive.ts';
import { denseStrides, readStrided } from '../reference-loops.ts';
import { checkAxes, sizeOf } from '../shapes.ts';

/** See {@link Ops.reverse}. */
export const reverse: Primitive<{ readonly axes: readonly number[] }> = definePrimitive({
  name: 'reverse',
  shape([x], { axes }) {
    checkAxes('reverse', x!, axes);
    return x!;
  },
  reference([x], { axes }, shape) {
    const strides = denseStrides(shape);
    const offset = axes.reduce((sum, axis) => sum + strides[axis]! * (shape[axis]! - 1), 0);
    const steps = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    return readStrided(x!, shape, offset, steps);
  },
  onnx(emit, [x], { attributes: { axes } }) {
    const back = emit.integers(axes.map(() => -1));
    // From the last element down to before the first one, which is any end beyond the axis.
    const end = emit.integers(axes.map(() => -(2 ** 31)));
    return emit.op('Slice', [x!, back, end, emit.integers(axes), back]);
  },
  tfjs(tfjs, [x], { axes }, shape) {
    if (shape.length <= 4) return tfjs.reverse(x!, [...axes]);
    // WebGPU's kernel has four axes at most: one axis after the other, between those before and those behind it.
    const turned = axes.reduce((t, axis) => {
      const sizes = [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
      return tfjs.reverse(tfjs.reshape(t, sizes), [1]);
    }, x!);
    return tfjs.reshape(turned, [...shape]);
  },
  place: ({ attributes: { axes } }, [place]) => along(axes, place, 'reverses the order'),
  derivative: (ops, { gradient, attributes: { axes } }) => [ops.reverse(gradient, axes)],
  cases: [
    { shapes: [[2, 3, 4]], attributes: { axes: [0, 2] } },
    { name: 'of five axes', shapes: [[2, 3, 1, 2, 3]], attributes: { axes: [1, 4] } },
  ],
});
