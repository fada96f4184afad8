import * as tf from '@tensorflow/tfjs-layers';
import { describe, it } from 'vitest';
import { checkEngines, checkFiniteDifferences } from './support/gradients.ts';
import type { GradientCase } from './support/gradients.ts';

const { layers, sequential } = tf;

const model =
  (activation: 'linear' | 'sigmoid' | 'softmax', shape: number[] = [3]) =>
  () =>
    sequential({
      layers: [layers.dense({ units: 4, activation: 'tanh', inputShape: shape }), layers.dense({ units: 3, activation })],
    });

const cases: readonly GradientCase[] = [
  { name: 'mean squared error', loss: 'meanSquaredError', model: model('linear') },
  { name: 'binary crossentropy from logits', loss: 'binaryCrossentropy', model: model('sigmoid') },
  { name: 'binary crossentropy of probabilities', loss: 'binaryCrossentropy', model: model('softmax') },
  { name: 'categorical crossentropy from logits', loss: 'categoricalCrossentropy', model: model('softmax') },
  { name: 'categorical crossentropy of probabilities', loss: 'categoricalCrossentropy', model: model('sigmoid') },
  { name: 'sparse categorical crossentropy', loss: 'sparseCategoricalCrossentropy', model: model('softmax') },
  {
    name: 'sparse categorical crossentropy over a sequence',
    loss: 'sparseCategoricalCrossentropy',
    model: model('softmax', [5, 2]),
  },
];

describe.each(cases)('$name', (example) => {
  it('has the gradients of finite differences', () => checkFiniteDifferences(example));
  it('agrees between engines', () => checkEngines(example));
});
