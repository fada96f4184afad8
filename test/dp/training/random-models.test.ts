/** Random small models: branches that meet again, of random layers, checked as every layer is. */
import '@tensorflow/tfjs-backend-cpu';
import { GroupNormalization } from '@sotto/core/tfjs';
import * as tf from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { checkEngines, checkFiniteDifferences, checkForward, checkPerExample } from './support/gradients.ts';

const { input, layers, model } = tf;
const CHANNELS = 2;

/** Layers that keep the shape of an image of two channels, so that they can follow each other in any order. */
const steps: readonly (() => tf.layers.Layer)[] = [
  () => layers.conv2d({ filters: CHANNELS, kernelSize: 3, padding: 'same', activation: 'tanh' }),
  () => layers.conv2d({ filters: CHANNELS, kernelSize: 1, useBias: false }),
  () => layers.depthwiseConv2d({ kernelSize: 2, padding: 'same' }),
  () => layers.dense({ units: CHANNELS, activation: 'sigmoid' }),
  () => new GroupNormalization({ groups: 1 }),
  () => layers.layerNormalization(),
  () => layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
  () => layers.activation({ activation: 'softmax' }),
  () => layers.activation({ activation: 'swish' }),
  () => layers.permute({ dims: [2, 1, 3] }),
];

const path = fc.array(fc.nat({ max: steps.length - 1 }), { maxLength: 3 });
const joins = ['add', 'multiply', 'average'] as const;

describe('random models', () => {
  it('have the outputs of tfjs and gradients that agree by every method', async () => {
    await fc.assert(
      fc.asyncProperty(path, path, path, fc.constantFrom(...joins), async (left, right, after, join) => {
        const build = (): tf.LayersModel => {
          const x = input({ shape: [3, 3, CHANNELS] });
          const follow = (start: tf.SymbolicTensor, kinds: readonly number[]): tf.SymbolicTensor =>
            kinds.reduce((value, kind) => steps[kind]!().apply(value) as tf.SymbolicTensor, start);
          const stem = layers.dense({ units: CHANNELS }).apply(x) as tf.SymbolicTensor;
          const met = layers[join]().apply([follow(stem, left), follow(stem, right)]) as tf.SymbolicTensor;
          const flat = layers.flatten().apply(follow(met, after)) as tf.SymbolicTensor;
          return model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(flat) as tf.SymbolicTensor });
        };
        const example = { name: JSON.stringify([left, right, after, join]), model: build, tolerance: 1e-4, differences: 1e-4 };
        await checkForward(example);
        await checkFiniteDifferences(example);
        await checkPerExample(example);
        await checkEngines(example);
      }),
      { numRuns: 12, seed: 20261123 },
    );
  });
});
