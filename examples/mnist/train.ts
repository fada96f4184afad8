/**
 * Trains a small convolutional network on handwritten digits with differential privacy, and tests it on digits that it never saw.
 *
 *     npx node --conditions=@sotto/source examples/mnist/train.ts [--epsilon 3] [--epochs 30] [--batch 500] [--train 8500]
 *
 * One record is one image; the guarantee is for adding or removing one. The first `--train` of the 10,000 images are private, the last
 * 1,500 are declared public and only measured, once, at the end. Less than a minute on two cores.
 */
import { parseArgs } from 'node:util';
import type { PrivateModel } from '@sotto/dp';
import { makePrivate } from '@sotto/dp/node';
import '@tensorflow/tfjs-backend-cpu';
import { tensor1d, tensor4d } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { facts, numberOption, print, runExample } from '../terminal.ts';
import { loadDigits } from './data.ts';

const SIDE = 28;
const HELD_OUT = 1500;

/** The recipe: public constants, none of them computed from the images. */
export const RECIPE = { clipNorm: 0.1, learningRate: 1, momentum: 0.9, epsilon: 3, delta: 1e-5, batch: 500, epochs: 30 } as const;

/** Two convolutions and two dense layers with 26,010 weights. Bounded activations keep gradients small, which clipping rewards. */
export function digitsModel(): tf.Sequential {
  const activation = 'tanh';
  return tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [SIDE, SIDE, 1],
        filters: 16,
        kernelSize: 8,
        strides: 2,
        padding: 'same',
        activation,
        kernelInitializer: 'glorotUniform',
      }),
      tf.layers.maxPooling2d({ poolSize: 2, strides: 1 }),
      tf.layers.conv2d({ filters: 32, kernelSize: 4, strides: 2, activation, kernelInitializer: 'glorotUniform' }),
      tf.layers.maxPooling2d({ poolSize: 2, strides: 1 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 32, activation, kernelInitializer: 'glorotUniform' }),
      tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: 'glorotUniform' }),
    ],
  });
}

/** What a training gave. */
export interface DigitsResult {
  readonly accuracy: number;
  readonly steps: number;
  readonly noiseMultiplier: number;
  readonly training: PrivateModel;
}

/** Settings of {@link trainDigits}; by default those of {@link RECIPE}. */
export interface DigitsSettings {
  readonly epsilon?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly trainingImages?: number;
  /** Threads that compute. Default: the cores that this process may use. */
  readonly lanes?: number;
  readonly progress?: boolean;
}

/** Trains and measures. Sampling and noise come from the platform's CSPRNG, so results differ from run to run. */
export async function trainDigits(settings: DigitsSettings = {}): Promise<DigitsResult> {
  const { epsilon = RECIPE.epsilon, epochs = RECIPE.epochs, batch = RECIPE.batch, trainingImages = 8500 } = settings;
  const digits = loadDigits();
  const size = SIDE * SIDE;
  const part = (from: number, to: number) => ({
    x: tensor4d(digits.images.slice(from * size, to * size), [to - from, SIDE, SIDE, 1]),
    y: tensor1d(Float32Array.from(digits.labels.subarray(from, to))),
  });
  const [train, held] = [part(0, trainingImages), part(digits.count - HELD_OUT, digits.count)];
  const steps = Math.max(1, Math.round((epochs * trainingImages) / batch));
  const training = makePrivate(digitsModel(), {
    loss: 'sparseCategoricalCrossentropy',
    optimiser: { kind: 'sgd', learningRate: RECIPE.learningRate, momentum: RECIPE.momentum },
    clipping: { kind: 'flat', norm: RECIPE.clipNorm },
    sampleRate: batch / trainingImages,
    expectedBatchSize: batch,
    privacy: { target: { epsilon, delta: RECIPE.delta }, steps },
    mode: 'fast',
    ...(settings.lanes === undefined ? {} : { lanes: settings.lanes }),
  });
  const { history } = await training.fit(train.x, train.y, {
    steps,
    validationData: { ...held, outsideGuarantee: true },
    // Once, at the end: the held-out digits choose nothing.
    validationFrequency: epochs + 1,
    progress: settings.progress ?? false,
  });
  const accuracy = history['val_acc']!.at(-1)!;
  for (const { x, y } of [train, held]) {
    x.dispose();
    y.dispose();
  }
  return { accuracy, steps, noiseMultiplier: training.plan.noiseMultiplier, training };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { epsilon: { type: 'string' }, epochs: { type: 'string' }, batch: { type: 'string' }, train: { type: 'string' } },
  });
  const given = {
    epsilon: numberOption('epsilon', values.epsilon),
    epochs: numberOption('epochs', values.epochs),
    batch: numberOption('batch', values.batch),
    trainingImages: numberOption('train', values.train),
  };
  const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { accuracy, noiseMultiplier, steps, training } = await trainDigits({ ...settings, progress: true });
  print(
    `${(100 * accuracy).toFixed(1)} % of ${HELD_OUT} held-out digits are read right, after ${steps} steps with noise of ${noiseMultiplier.toFixed(3)} clip norms.`,
    '',
    facts(training.privacyStatement(RECIPE.delta)),
  );
}

if (import.meta.main) await runExample(main);
