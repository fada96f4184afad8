/**
 * Rows of zeros with a 1 at a place.
 *
 * @module
 */
import { definePrimitive } from '../primitive.ts';
import type { Primitive } from '../primitive.ts';
import { checkShape } from '../shapes.ts';

const upTo = (depth: number): Float32Array => Float32Array.from({ length: depth }, (_, i) => i);

/** See {@link Ops.oneHot}. */
export const oneHot: Primitive<{ readonly depth: number }> = definePrimitive({
  name: 'oneHot',
  shape: ([ids], { depth }) => checkShape('oneHot', [...ids!, depth]),
  reference([ids], { depth }) {
    const data = new Float64Array(ids!.data.length * depth);
    ids!.data.forEach((id, i) => {
      if (Number.isInteger(id) && id >= 0 && id < depth) data[i * depth + id] = 1;
    });
    return data;
  },
  // ONNX counts negative ids from the end; here they stand for nothing, so ids are compared with 0 … depth − 1.
  onnx: (emit, [ids], { shape, attributes: { depth } }) =>
    emit.asFloat(emit.op('Equal', [emit.reshape(ids!, [...shape.slice(0, -1), 1]), emit.floats(upTo(depth), [depth])])),
  // As a table, because WebGPU's comparison fails for more than four axes.
  tfjs: (tfjs, [ids], { depth }, shape) =>
    tfjs.reshape(tfjs.equal(tfjs.reshape(ids!, [ids!.size, 1]), tfjs.range(0, depth)), [...shape]),
  place: (_, [place]) => place,
  derivative: 'zero',
  cases: [
    { shapes: [[2, 4]], attributes: { depth: 3 }, map: (x) => Math.floor(x * 4) },
    { name: 'of four axes', shapes: [[2, 1, 3, 2]], attributes: { depth: 3 }, map: (x) => Math.floor(x * 4) },
    { name: 'of no id at all', shapes: [[2, 4]], attributes: { depth: 3 }, map: (x) => 3 * x + 0.3 },
  ],
});
