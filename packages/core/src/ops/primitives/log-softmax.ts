/**
 * The logarithm of the softmax over the last axis, without overflow.
 *
 * @module
 */
import { along } from '../batch-place.ts';
import { definePrimitive } from '../primitive.ts';
import type { Primitive } from '../primitive.ts';
import { byRow } from '../reference-loops.ts';
import { lastAxisShape } from '../shapes.ts';

/** See {@link Ops.logSoftmax}. */
export const logSoftmax: Primitive<object> = definePrimitive({
  name: 'logSoftmax',
  shape: ([x]) => lastAxisShape('logSoftmax', x!),
  reference: ([x]) =>
    byRow(x!, (row) => {
      const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
      const logTotal = Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0)) + most;
      row.forEach((value, i) => (row[i] = value - logTotal));
    }),
  onnx: (emit, [x]) => emit.op('LogSoftmax', [x!], { axis: { int: -1 } }),
  onnxOn: {
    // No LogSoftmax kernel.
    webgpu(emit, [x], { shape }) {
      const last = emit.integers([shape.length - 1]);
      const shifted = emit.op('Sub', [x!, emit.op('ReduceMax', [x!, last], { keepdims: { int: 1 } })]);
      const total = emit.op('ReduceSum', [emit.op('Exp', [shifted]), last], { keepdims: { int: 1 } });
      return emit.op('Sub', [shifted, emit.op('Log', [total])]);
    },
  },
  tfjs: (tfjs, [x]) => tfjs.logSoftmax(x!),
  place: ({ shape }, [place]) => along([shape.length - 1], place, 'normalises'),
  derivative: (ops, { output, gradient }) => {
    const last = ops.shapeOf(output).length - 1;
    return [ops.sub(gradient, ops.mul(ops.exp(output), ops.sum(gradient, [last])))];
  },
  cases: [
    { shapes: [[3, 5]], attributes: {}, map: (x) => 5 * x },
    { name: 'of large numbers', shapes: [[3, 5]], attributes: {}, map: (x) => 1e4 * x },
  ],
});
