/**
 * Rounding to whole numbers and adding others in integers: how noise meets a sum on a device.
 *
 * @module
 */
import { definePrimitive } from '../primitive.ts';
import type { OnnxBuilder, Primitive } from '../primitive.ts';
import { zip } from '../reference-loops.ts';
import { broadcastShape } from '../shapes.ts';

const INT32 = { to: { int: 6 } };
const toInt32 = (emit: OnnxBuilder, x: string): string => emit.op('Cast', [x], INT32);

/** See {@link Ops.roundAdd}. */
export const roundAdd: Primitive<object> = definePrimitive({
  name: 'roundAdd',
  shape: ([x, whole]) => broadcastShape('roundAdd', x!, whole!),
  reference: ([x, whole], _, shape) => zip(x!, whole!, shape, (a, b) => Math.round(a) + b),
  onnx: (emit, [x, whole]) => emit.asFloat(emit.op('Add', [toInt32(emit, emit.op('Round', [x!])), toInt32(emit, whole!)])),
  onnxOn: {
    // No Round kernel: the whole number below, or the next where the rest is a half or more.
    webgpu(emit, [x, whole]) {
      const below = emit.op('Floor', [x!]);
      const up = emit.op('GreaterOrEqual', [emit.op('Sub', [x!, below]), emit.scalar(0.5)]);
      const rounded = emit.op('Add', [toInt32(emit, below), toInt32(emit, up)]);
      return emit.asFloat(emit.op('Add', [rounded, toInt32(emit, whole!)]));
    },
  },
  tfjs: (tfjs, [x, whole]) => tfjs.add(tfjs.cast(tfjs.round(x!), 'int32'), tfjs.cast(whole!, 'int32')),
  place: 'elementwise',
  derivative: 'zero',
  cases: [
    // Beyond 2²⁴ the sum itself is not a float32; halves must not matter.
    { shapes: [[3, 4], [4]], attributes: {}, map: (x, i) => (i === 0 ? 1000 * x + 0.1 : Math.round(1e6 * x)) },
  ],
});
