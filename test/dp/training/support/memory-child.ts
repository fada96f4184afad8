/** Trains in a process of its own and prints by how much its memory rose, in MiB; see `physical-batch.test.ts`. */
import { readFileSync } from 'node:fs';
import { onnxEngine } from '@sotto/core/onnx';
import { MultiHeadAttention } from '@sotto/core/tfjs';
import { makePrivate } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';

const [budget, mode, kind] = process.argv.slice(2);
const SIDE = 28;
const RECORDS = 256;
const dense = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.dense({ units: 256, activation: 'relu', inputShape: [SIDE * SIDE] }),
      tf.layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
const convolutional = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [SIDE, SIDE, 1] }),
      tf.layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
const WORDS = 64;
/** A table of words, whose gradient of one example is as large as the table. */
const embedding = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.embedding({ inputDim: 4000, outputDim: 64, inputLength: WORDS }),
      tf.layers.globalAveragePooling1d({}),
      tf.layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
const attention = (): tf.LayersModel => {
  const ids = tf.input({ shape: [WORDS] });
  let x = tf.layers.embedding({ inputDim: 100, outputDim: 64 }).apply(ids) as tf.SymbolicTensor;
  for (let i = 0; i < 2; i++) {
    const heads = new MultiHeadAttention({ numHeads: 4, keyDim: 16, causal: true }) as tf.layers.Layer;
    const attended = heads.apply(tf.layers.layerNormalization({}).apply(x)) as tf.SymbolicTensor;
    x = tf.layers.add().apply([x, attended]) as tf.SymbolicTensor;
    const wide = tf.layers.dense({ units: 256, activation: 'relu' }).apply(x);
    x = tf.layers.add().apply([x, tf.layers.dense({ units: 64 }).apply(wide) as tf.SymbolicTensor]) as tf.SymbolicTensor;
  }
  const pooled = tf.layers.globalAveragePooling1d({}).apply(x);
  const outputs = tf.layers.dense({ units: 10, activation: 'softmax' }).apply(pooled) as tf.SymbolicTensor;
  return tf.model({ inputs: ids, outputs });
};
const kinds: Readonly<Record<string, { readonly build: () => tf.LayersModel; readonly shape: readonly number[] }>> = {
  dense: { build: dense, shape: [SIDE * SIDE] },
  convolutional: { build: convolutional, shape: [SIDE, SIDE, 1] },
  embedding: { build: embedding, shape: [WORDS] },
  attention: { build: attention, shape: [WORDS] },
};
const { build, shape } = kinds[kind!]!;
const ids = shape.length === 1 && shape[0] === WORDS;
const x = tensor(
  Float32Array.from({ length: shape.reduce((a, b) => a * b, RECORDS) }, (_, i) => (ids ? i % 100 : Math.sin(i))),
  [RECORDS, ...shape],
);
const y = tensor(
  Float32Array.from({ length: RECORDS }, (_, i) => i % 10),
  [RECORDS],
);

/** The most memory that the process ever held, in bytes, as the kernel counts it. */
const peak = (): number => 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

const training = (change: object) =>
  makePrivate(build(), {
    loss: 'sparseCategoricalCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 0.1 },
    clipping: { kind: 'flat', norm: 1 },
    sampleRate: 0.5,
    expectedBatchSize: 128,
    privacy: { noiseMultiplier: 1 },
    mode: mode as 'fast',
    engine: onnxEngine(),
    ...change,
  });
// What the runtime, the model and the exact sums of a step need whatever the batch is measured first, one example at a time.
await training({ physicalBatchSize: 1 }).fit(x, y, { steps: 1 });
const before = peak();
await training({ physicalBatchSize: 256, memoryBudgetBytes: Number(budget) }).fit(x, y, { steps: 2 });
process.stdout.write(String((peak() - before) / 2 ** 20));
