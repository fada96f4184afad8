/**
 * Every layer kind on every engine: forward against tfjs, gradients against finite differences and against each example alone, and
 * both gradient forms against each other.
 */
import * as tf from '@tensorflow/tfjs-layers';
import { describe, it } from 'vitest';
import { checkEngines, checkFiniteDifferences, checkForward, checkPerExample } from './support/gradients.ts';
import type { GradientCase } from './support/gradients.ts';

const { layers, sequential } = tf;

const activations = [
  'linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'tanh', 'softplus', 'softsign', 'swish', 'mish', 'gelu', 'gelu_new', 'softmax',
  'logSoftmax',
] as const; // prettier-ignore

const cases: readonly GradientCase[] = [
  ...activations.map((activation): GradientCase => ({
    name: `activation ${activation}`,
    model: () =>
      sequential({
        layers: [
          layers.dense({ units: 4, activation: activation as 'relu', inputShape: [3] }),
          layers.dense({ units: 2, useBias: false }),
        ],
      }),
    input: (x) => 3 * x,
  })),
  {
    name: 'dense on a sequence',
    model: () =>
      sequential({ layers: [layers.dense({ units: 3, inputShape: [4, 2], activation: 'tanh' }), layers.dense({ units: 2 })] }),
  },
];

describe.each(cases)('$name', (example) => {
  it('computes what tfjs computes', () => checkForward(example));
  it('has the gradients of finite differences', () => checkFiniteDifferences(example));
  it('keeps examples apart', () => checkPerExample(example));
  it('agrees between engines and between forms', () => checkEngines(example));
});
