/** The derivative of every operation against differences of the float64 loops, and what is said of kinks. */
import { SottoError } from '@sotto/core/errors';
import { pullback } from '@sotto/core/model';
import { referenceOps } from '@sotto/core/ops';
import type { Ops, ReferenceTensor } from '@sotto/core/ops';
import { describe, expect, it } from 'vitest';
import { cases, inputsOf } from '../ops/cases.ts';
import { compareDerivative } from '../ops/derivatives.ts';

/** Operations that no loss needs a derivative of. */
const REFUSED = /^(patches|conv2dInputGradient|maxPool2dGradient)/;
/** Operations that are constant almost everywhere. */
const CONSTANT = /^(greater|greaterEqual|equal|isFinite|roundAdd|oneHot)/;

describe('pullback', () => {
  it.each(cases)('differentiates $name', (example) => {
    const values = Object.values(inputsOf(example));
    const inputs = example.shapes.map((shape, i): ReferenceTensor => ({ shape, data: Float64Array.from(values[i]!) }));
    const compare = (): number => compareDerivative(example.build, inputs);
    if (REFUSED.test(example.name)) {
      expect(compare).toThrow(SottoError);
      expect(compare).toThrow(/has no derivative here/);
    } else if (CONSTANT.test(example.name)) expect(compare()).toBe(0);
    else expect(compare()).toBeGreaterThan(0);
  });

  const gradientAt = (values: readonly number[], f: <T>(ops: Ops<T>, x: T) => T): readonly number[] => {
    const x: ReferenceTensor = { shape: [values.length], data: Float64Array.from(values) };
    const { value, pull } = pullback(referenceOps, [x], [], (ops, [t]) => f(ops, t!));
    return [...pull({ shape: value.shape, data: value.data.map(() => 1) })[0]!.data];
  };

  it('shares a gradient among equal maxima, so that a value that stands at two places has the derivative it has alone', () => {
    expect(gradientAt([3, 1, 3], (ops, x) => ops.max(x, [0]))).toEqual([0.5, 0, 0.5]);
    expect(gradientAt([2], (ops, x) => ops.max(ops.concat([x, x], 0), [0]))).toEqual([1]);
  });

  it('gives the first of equal operands the gradient, and |x| none at 0', () => {
    expect(gradientAt([2], (ops, x) => ops.maximum(x, x))).toEqual([1]);
    expect(gradientAt([2], (ops, x) => ops.minimum(x, ops.constant([2], [1])))).toEqual([1]);
    expect(gradientAt([2], (ops, x) => ops.minimum(ops.constant([2], [1]), x))).toEqual([0]);
    expect(gradientAt([0], (ops, x) => ops.abs(x))).toEqual([0]);
  });
});
