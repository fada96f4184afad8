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

  // PyTorch 2.15.0 in float64, torch.optim with these options, 25 steps of the gradient above from (0.5, −1, 2, 0).
  it.each<[string, OptimiserOptions, readonly number[]]>([
    [
      'SGD with decay',
      { kind: 'sgd', learningRate: 0.1, weightDecay: 0.05 },
      [0.45782362121317094, -0.9972986057446767, 1.5277686723588664, -0.11084147864551303],
    ],
    [
      'momentum with decay',
      { kind: 'sgd', learningRate: 0.1, momentum: 0.9, weightDecay: 0.05 },
      [-0.1176673185904199, -1.0304685138525551, 0.4221122063653989, 1.0109956155495512],
    ],
    [
      'Nesterov with decay',
      { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.05 },
      [-0.03172237533642348, -0.9609937894313466, 0.23149867617723285, 0.6406787193868658],
    ],
    [
      'Adam',
      { kind: 'adam', learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 1e-6 },
      [0.4118607506802445, -1.1242210126126024, 1.9430038471483349, 0.03172816232463698],
    ],
    [
      'Adam with L2',
      { kind: 'adam', learningRate: 0.05, weightDecay: 0.1 },
      [0.27508576939254153, -1.0748314029785957, 1.8267263874006179, 0.056060971716997615],
    ],
    [
      'AdamW',
      { kind: 'adamw', learningRate: 0.05, weightDecay: 0.1 },
      [0.3345878801445476, -1.0273554421977373, 1.7022707186132946, 0.052435948853892814],
    ],
  ])('%s ends where PyTorch does', (_, options, expected) => {
    const weights = Float64Array.of(0.5, -1, 2, 0);
    const optimiser = createOptimiser(options, 4);
    for (let step = 0; step < 25; step++) optimiser.update(weights, gradientAt(step));
    expected.forEach((value, j) => expect(Math.abs(weights[j]! - value)).toBeLessThan(1e-13));
  });

  it('takes the noise’s variance out of Adam’s second moment, by unrolled sums', () => {
    const [beta1, beta2, floor, rate] = [0.7, 0.9, 0.05, 0.1];
    const optimiser = createOptimiser({ kind: 'adam', learningRate: rate, beta1, beta2, noiseCorrection: { floor } }, 4);
    const weights = new Float64Array(4);
    const expected = [0, 0, 0, 0];
    const deviation = (step: number): number => 0.4 + 0.1 * step;
    let floored = 0;
    for (let t = 0; t < 12; t++) {
      optimiser.update(weights, gradientAt(t), undefined, deviation(t));
      for (let j = 0; j < 4; j++) {
        let [m, v, weightM, weightV] = [0, 0, 0, 0];
        for (let i = 0; i <= t; i++) {
          m += beta1 ** (t - i) * gradientAt(i)[j]!;
          weightM += beta1 ** (t - i);
          v += beta2 ** (t - i) * (gradientAt(i)[j]! ** 2 - deviation(i) ** 2);
          weightV += beta2 ** (t - i);
        }
        if (v / weightV < floor ** 2) floored++;
        expected[j]! -= (rate * (m / weightM)) / Math.sqrt(Math.max(v / weightV, floor ** 2));
      }
    }
    expect(floored).toBeGreaterThan(0);
    expected.forEach((value, j) => expect(weights[j]).toBeCloseTo(value, 10));
    expect(() => optimiser.update(weights, gradientAt(0))).toThrow(/noiseDeviation/);
    expect(() => optimiser.restore({ ...optimiser.state(), noiseVariance: NaN })).toThrow(/state.noiseVariance/);
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
    { kind: 'adamw', learningRate: 0.1, weightDecay: 0.1, noiseCorrection: { floor: 0.1 } },
  ])('goes on exactly from its state: %o', (options) => {
    const straight = Float64Array.of(1, 2, 3, 4);
    const resumed = straight.slice();
    const first = createOptimiser(options, 4);
    const whole = createOptimiser(options, 4);
    for (let step = 0; step < 3; step++) first.update(resumed, gradientAt(step), 0.1, 0.3 * step);
    const second = createOptimiser(options, 4);
    second.restore(first.state());
    for (let step = 3; step < 6; step++) second.update(resumed, gradientAt(step), 0.1, 0.3 * step);
    for (let step = 0; step < 6; step++) whole.update(straight, gradientAt(step), 0.1, 0.3 * step);
    expect([...resumed]).toEqual([...straight]);
  });

  it('refuses options, vectors and states that do not fit', () => {
    expect(() => createOptimiser({ kind: 'sgd', learningRate: 0 }, 2)).toThrow(/optimiser.learningRate is 0/);
    expect(() => createOptimiser({ kind: 'adam', learningRate: 1, beta1: 1 }, 2)).toThrow(/must be below 1/);
    const sgdOf = (change: object) => () => createOptimiser({ kind: 'sgd', learningRate: 1, ...change }, 2);
    expect(sgdOf({ momentum: 1 })).toThrow(/optimiser.momentum is 1; it must be below 1/);
    // Without momentum there is nothing to look ahead along, so that the option would do nothing.
    expect(sgdOf({ nesterov: true })).toThrow(/give optimiser.momentum/);
    expect(sgdOf({ momentum: 0.9, nesterov: 'yes' })).toThrow(/optimiser.nesterov is "yes"; it must be true or false/);
    const sgd = createOptimiser({ kind: 'sgd', learningRate: 1 }, 2);
    expect(() => sgd.update(new Float64Array(3), new Float64Array(2))).toThrow(/have 3 and 2 numbers/);
    expect(() => sgd.restore(createOptimiser({ kind: 'adam', learningRate: 1 }, 2).state())).toThrow(/does not fit/);
  });
});
