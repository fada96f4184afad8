/**
 * Trains one of the benchmark's models in a process of its own and prints how far its memory rose under a budget, as JSON.
 *
 * Arguments: model, mode, lanes, budget in bytes. What the runtime, the model and the exact sums need whatever the batch is measured first, one example at a time.
 */
import { readFileSync } from 'node:fs';
import { onnxEngine } from '@sotto/core/onnx';
import { makePrivate } from '@sotto/dp';
import { tensor } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { benchModels } from '../dpsgd/models.ts';
import type { BenchModel } from '../dpsgd/models.ts';

const VOCABULARY = 4000;

/** A large table of words, whose gradient of an example is as large as the table. */
const embedding: Omit<BenchModel, 'name'> = {
  parameters: VOCABULARY * 64 + 640,
  batch: 64,
  inputShape: [40],
  targetShape: [],
  classes: VOCABULARY,
  tokens: true,
  build: () =>
    sequential({
      layers: [
        layers.embedding({ inputDim: VOCABULARY, outputDim: 64, inputLength: 40 }),
        layers.globalAveragePooling1d({}),
        layers.dense({ units: 10, activation: 'softmax' }),
      ],
    }),
};

const [name, mode, lanes, budget] = process.argv.slice(2) as [string, 'fast' | 'secure', string, string];
const model = name === 'embedding' ? embedding : benchModels[name as keyof typeof benchModels];
const records = 2 * model.batch;
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, records);
const made = (shape: readonly number[], value: (i: number) => number) =>
  tensor(
    Float32Array.from({ length: size(shape) }, (_, i) => value(i)),
    [records, ...shape],
  );
const x = made(model.inputShape, (i) => (model.tokens ? (i * 7) % model.classes : Math.sin(i)));
const y = made(model.targetShape, (i) => (i * 3) % Math.min(10, model.classes));

/** The most memory that the process ever held, in bytes, as the kernel counts it. */
const peak = (): number => 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

const training = (change: object) =>
  makePrivate(model.build(), {
    loss: 'sparseCategoricalCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 0.1 },
    clipping: { kind: 'flat', norm: 1 },
    sampleRate: 0.5,
    expectedBatchSize: model.batch,
    privacy: { noiseMultiplier: 1 },
    mode,
    engine: onnxEngine({ lanes: Number(lanes) }),
    ...change,
  });
await training({ physicalBatchSize: 1 }).fit(x, y, { steps: 1 });
const before = peak();
const measured = training({ physicalBatchSize: 256, memoryBudgetBytes: Number(budget) });
await measured.fit(x, y, { steps: 2 });
process.stdout.write(JSON.stringify({ risen: peak() - before, physicalBatchSize: measured.info!.physicalBatchSize }));
process.exit();
