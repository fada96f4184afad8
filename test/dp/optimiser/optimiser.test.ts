import '@tensorflow/tfjs-backend-cpu';
import { tensor1d, train, variable } from '@tensorflow/tfjs-core';
import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createOptimiser } from '../../../packages/dp/src/optimiser/optimiser.ts';
import type { OptimiserOptions } from '../../../packages/dp/src/optimiser/optimiser.ts';

const gradientAt = (step: number): Float64Array => Float64Array.from({ length: 4 }, (_, j) => Math.sin(step * 1.3 + j) * (j + 1));

describe('optimisers', () => {
  it.each([
    ['sgd', { kind: 'sgd', learningRate: 0.1 }, () => train.sgd(0.1)],
    ['momentum', { kind: 'sgd', learningRate: 0.1, momentum: 0.9 }, () => train.momentum(0.1, 0.9)],
    ['Nesterov', { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true }, () => train.momentum(0.1, 0.9, true)],
    ['Adam', { kind: 'adam', learningRate: 0.05 }, () => train.adam(0.05, 0.9, 0.999, 1e-8)],
  ] as const)('%s moves as tfjs’s', (_, options, build: () => Optimizer) => {
    const weights = Float64Array.of(0.5, -1, 2, 0);
    const theirs: Variable = variable(tensor1d([...weights]), true, `w ${options.kind} ${Math.random()}`);
    const [ours, optimiser] = [createOptimiser(options, 4), build()];
    for (let step = 0; step < 10; step++) {
      ours.update(weights, gradientAt(step));
      optimiser.applyGradients({ [theirs.name]: tensor1d([...gradientAt(step)]) });
    }
    theirs.dataSync().forEach((value, j) => expect(Math.abs(value - weights[j]!)).toBeLessThan(2e-5));
  });

  it('AdamW decays the weights apart from the gradient', () => {
    const [plain, decayed] = [Float64Array.of(2), Float64Array.of(2)];
    createOptimiser({ kind: 'adamw', learningRate: 0.1 }, 1).update(plain, Float64Array.of(1));
    createOptimiser({ kind: 'adamw', learningRate: 0.1, weightDecay: 0.5 }, 1).update(decayed, Float64Array.of(1));
    expect(plain[0]! - decayed[0]!).toBeCloseTo(0.1 * 0.5 * 2, 12);
  });

  it.each<OptimiserOptions>([
    { kind: 'sgd', learningRate: 0.1, momentum: 0.5 },
    { kind: 'adam', learningRate: 0.1, weightDecay: 0.1 },
  ])('goes on exactly from its state: %o', (options) => {
    const straight = Float64Array.of(1, 2, 3, 4);
    const resumed = straight.slice();
    const first = createOptimiser(options, 4);
    const whole = createOptimiser(options, 4);
    for (let step = 0; step < 3; step++) first.update(resumed, gradientAt(step));
    const second = createOptimiser(options, 4);
    second.restore(first.state());
    for (let step = 3; step < 6; step++) second.update(resumed, gradientAt(step));
    for (let step = 0; step < 6; step++) whole.update(straight, gradientAt(step));
    expect([...resumed]).toEqual([...straight]);
  });

  it('refuses options, vectors and states that do not fit', () => {
    expect(() => createOptimiser({ kind: 'sgd', learningRate: 0 }, 2)).toThrow(/optimiser.learningRate is 0/);
    expect(() => createOptimiser({ kind: 'adam', learningRate: 1, beta1: 1 }, 2)).toThrow(/must be below 1/);
    const sgd = createOptimiser({ kind: 'sgd', learningRate: 1 }, 2);
    expect(() => sgd.update(new Float64Array(3), new Float64Array(2))).toThrow(/have 3 and 2 numbers/);
    expect(() => sgd.restore(createOptimiser({ kind: 'adam', learningRate: 1 }, 2).state())).toThrow(/does not fit/);
  });
});
