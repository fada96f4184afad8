/**
 * Dense: y = x·W + b over the last axis.
 *
 * @module
 */
import type { Ops, Shape } from '../../ops/ops.ts';
import { sizeOf } from '../../ops/shapes.ts';
import { flag, positiveInteger, refuse, refuseWeightTerms } from '../config.ts';
import type { Forward, GradientRecord, LayerKind } from '../types.ts';

/** Dense on `[n, …positions, d]`; with positions the product runs over all of them at once. */
export function denseForward<T>(ops: Ops<T>, x: T, kernel: T, bias: T | undefined): Forward<T> {
  const shape = ops.shapeOf(x);
  const n = shape[0]!;
  const d = shape.at(-1)!;
  const p = ops.shapeOf(kernel)[1]!;
  const positions = sizeOf(shape.slice(1, -1));
  const flat = ops.reshape(x, [n * positions, d]);
  const product = ops.matMul(flat, kernel);
  const outputShape: Shape = [...shape.slice(0, -1), p];
  const output = ops.reshape(bias === undefined ? product : ops.add(product, bias), outputShape);
  return {
    output,
    backward(gradient, needed) {
      const g = ops.reshape(gradient, [n * positions, p]);
      const weights: GradientRecord<T>[] = [];
      if (shape.length === 2) {
        weights.push({ kind: 'outer', a: x, g });
        if (bias !== undefined) weights.push({ kind: 'direct', g });
      } else {
        const g3 = ops.reshape(g, [n, positions, p]);
        weights.push({ kind: 'product', a: ops.reshape(x, [n, positions, d]), g: g3, positionsLast: false });
        if (bias !== undefined) weights.push({ kind: 'direct', g: ops.reshape(ops.sum(g3, [1]), [n, p]) });
      }
      return { inputs: [needed[0] ? ops.reshape(ops.matMul(g, kernel, false, true), shape) : undefined], weights };
    },
  };
}

export const dense: LayerKind = {
  className: 'Dense',
  build(config, [input]) {
    refuseWeightTerms(config);
    const units = positiveInteger(config, 'units');
    const bias = flag(config, 'use_bias', true);
    const d = input?.at(-1);
    if (input === undefined || d === undefined)
      throw refuse(config, 'the input has no feature axis', 'give it inputs of at least one axis beside the batch');
    return {
      outputShape: [...input.slice(0, -1), units],
      weights: [{ name: 'kernel', shape: [d, units] }, ...(bias ? [{ name: 'bias', shape: [units] }] : [])],
      forward: (ops, [x], [kernel, b]) => denseForward(ops, x!, kernel!, b),
    };
  },
};
