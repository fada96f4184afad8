/**
 * Which elements are numbers.
 *
 * @module
 */
import { definePrimitive } from '../primitive.ts';
import type { Primitive } from '../primitive.ts';

const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** See {@link Ops.isFinite}. */
export const isFinite: Primitive<object> = definePrimitive({
  name: 'isFinite',
  shape: ([x]) => x!,
  reference: ([x]) => x!.data.map((value) => (Number.isFinite(value) ? 1 : 0)),
  // A NaN fails every comparison.
  onnx: (emit, [x]) => emit.asFloat(emit.op('LessOrEqual', [emit.op('Abs', [x!]), emit.scalar(LARGEST_FLOAT32)])),
  tfjs: (tfjs, [x]) => tfjs.isFinite(x!),
  place: 'elementwise',
  derivative: 'zero',
  cases: [
    { shapes: [[3, 5]], attributes: {}, map: (x) => (x > 0.8 ? NaN : x < -0.8 ? -Infinity : x > 0.6 ? Infinity : 3e38 * x) },
  ],
});
