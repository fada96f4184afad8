/** An operation of one's own, which no file of the packages knows: the sums of all elements up to each one, along an axis. */
import { along, checkAxes, definePrimitive, denseStrides } from '@sotto/core/ops';
import type { Primitive } from '@sotto/core/ops';

export const cumulativeSum: Primitive<{ readonly axis: number }> = definePrimitive({
  name: 'cumulativeSum',
  shape([x], { axis }) {
    checkAxes('cumulativeSum', x!, [axis]);
    return x!;
  },
  reference([x], { axis }, shape) {
    const step = denseStrides(shape)[axis]!;
    const sums = x!.data.slice();
    sums.forEach((value, i) => {
      if (Math.floor(i / step) % shape[axis]! > 0) sums[i] = sums[i - step]! + value;
    });
    return sums;
  },
  onnx: (emit, [x], { attributes: { axis } }) => emit.op('CumSum', [x!, emit.integers([axis])]),
  tfjs: (tfjs, [x], { axis }) => tfjs.cumsum(x!, axis),
  place: ({ attributes: { axis } }, [place]) => along([axis], place, 'adds up'),
  derivative(ops, { gradient, attributes: { axis } }) {
    const turned = ops.reverse(gradient, [axis]);
    return [ops.reverse(ops.apply(cumulativeSum, [turned], { axis }), [axis])];
  },
  cases: [
    { shapes: [[3, 5]], attributes: { axis: 1 } },
    { name: 'along an axis in the middle', shapes: [[2, 4, 3]], attributes: { axis: 1 } },
  ],
});
