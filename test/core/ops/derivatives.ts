/** Derivatives against central differences of the float64 loops. */
import { pullback } from '@sotto/core/model';
import { referenceOps, sizeOf } from '@sotto/core/ops';
import type { Ops, ReferenceTensor } from '@sotto/core/ops';
import { expect } from 'vitest';
import { numbers } from './support.ts';

type Build = <T>(ops: Ops<T>, inputs: readonly T[]) => T;

/**
 * Compares the gradient of Σ w·y for each element of each operand. Elements at a kink or a jump, where the differences on either side disagree, are passed over. Returns how
 * many were compared; 0 where nothing is differentiated.
 */
export function compareDerivative(build: Build, inputs: readonly ReferenceTensor[]): number {
  const y = build(referenceOps, inputs);
  const weights = Float64Array.from(numbers(sizeOf(y.shape), 5));
  const { pull } = pullback(referenceOps, inputs, [], build);
  const gradients = pull({ shape: y.shape, data: weights });
  const loss = (operands: readonly ReferenceTensor[]): number =>
    build(referenceOps, operands).data.reduce((sum, value, o) => sum + weights[o]! * value, 0);
  const middle = loss(inputs);
  let compared = 0;
  inputs.forEach((input, k) => {
    const gradient = gradients[k];
    if (gradient === undefined) return;
    expect(gradient.shape, `operand ${k}`).toEqual(input.shape);
    input.data.forEach((value, j) => {
      const h = 1e-5 * Math.max(1, Math.abs(value));
      const moved = (step: number): number =>
        loss(inputs.map((other, i) => (i === k ? { shape: input.shape, data: other.data.with(j, value + step) } : other)));
      const [up, down] = [moved(h), moved(-h)];
      const slope = (up - down) / (2 * h);
      const scale = Math.max(1, Math.abs(slope));
      if (Math.abs(up - 2 * middle + down) / h > 1e-3 * scale) return;
      compared++;
      expect(Math.abs(slope - gradient.data[j]!), `operand ${k}, element ${j}`).toBeLessThan(1e-6 * scale);
    });
  });
  return compared;
}
