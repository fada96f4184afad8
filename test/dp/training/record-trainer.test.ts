import { onnxEngine } from '@sotto/core/onnx';
import { referenceEngine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { createMechanismPlan, createRecordTrainer } from '@sotto/dp';
import type { RecordTrainerOptions } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { tensor2d } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';

const FEATURES = 5;
const RECORDS = 37;

/** Reproducible numbers in (−1, 1). */
function numbers(count: number, phase: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + phase) * Math.cos(0.3 * i * phase));
}

const logistic = () =>
  tf.sequential({ layers: [tf.layers.dense({ units: 1, activation: 'sigmoid', inputShape: [FEATURES], name: 'risk' })] });

function options(change: Partial<RecordTrainerOptions> = {}): RecordTrainerOptions {
  return {
    model: logistic(),
    loss: 'binaryCrossentropy',
    features: numbers(RECORDS * FEATURES, 1),
    labels: numbers(RECORDS, 2).map((value) => (value > 0 ? 1 : 0)),
    plan: createMechanismPlan({
      sampleRate: 0.7,
      expectedBatchSize: 26,
      clipping: { kind: 'flat', norm: 0.4 },
      noiseMultiplier: 0.8,
    }),
    engine: referenceEngine,
    random: unsafeDeterministicRandom('trainer'),
    physicalBatchSize: 8,
    ...change,
  };
}

const weights = Float64Array.from({ length: FEATURES + 1 }, (_, i) => 0.3 * (i - 2));

describe('record trainer', () => {
  it('releases the sum of clipped per-example gradients, by a plain loop, on both engines', async () => {
    // With the same bytes the sample and the noise are the same, so the difference of two releases is the difference of the sums.
    const { features, labels, plan } = options();
    const shadow = plan.begin(RECORDS, FEATURES + 1, unsafeDeterministicRandom('trainer'));
    const rows = new Float64Array(shadow.batch.length * (FEATURES + 1));
    shadow.batch.forEach((record, row) => {
      let z = weights[FEATURES]!;
      for (let j = 0; j < FEATURES; j++) z += weights[j]! * features[record * FEATURES + j]!;
      const error = 1 / (1 + Math.exp(-z)) - labels[record]!;
      for (let j = 0; j < FEATURES; j++) rows[row * (FEATURES + 1) + j] = error * features[record * FEATURES + j]!;
      rows[row * (FEATURES + 1) + FEATURES] = error;
    });
    shadow.add([{ values: rows, width: FEATURES + 1 }], shadow.batch.length);
    const expected = shadow.release().sum;
    for (const [engine, tolerance] of [
      [referenceEngine, 1e-6],
      [onnxEngine(), 1e-5],
    ] as const) {
      const trainer = await createRecordTrainer(options({ engine }));
      const { sum } = await trainer.noisyGradientSum(weights);
      sum.forEach((value, j) => expect(Math.abs(value - expected[j]!)).toBeLessThan(tolerance));
      await trainer.close();
    }
  });

  it('gives the same release however the batch is cut into physical chunks', async () => {
    const sums = await Promise.all(
      [1, 5, 64].map(async (physicalBatchSize) => {
        const trainer = await createRecordTrainer(options({ physicalBatchSize }));
        return [...(await trainer.noisyGradientSum(weights)).sum];
      }),
    );
    expect(sums[1]).toEqual(sums[0]);
    expect(sums[2]).toEqual(sums[0]);
  });

  it('draws fresh samples and noise in every step', async () => {
    const trainer = await createRecordTrainer(options());
    const a = await trainer.noisyGradientSum(weights);
    const b = await trainer.noisyGradientSum(weights);
    expect([...a.sum]).not.toEqual([...b.sum]);
  });

  it('survives records that are not finite, on both engines', async () => {
    for (const engine of [referenceEngine, onnxEngine()]) {
      const features = numbers(RECORDS * FEATURES, 1);
      features[3] = NaN;
      features[FEATURES + 1] = Infinity;
      const trainer = await createRecordTrainer(options({ engine, features }));
      expect((await trainer.noisyGradientSum(weights)).sum.every((value) => Number.isFinite(value))).toBe(true);
    }
  });

  it('evaluates as tfjs predicts, for one unit and for classes', async () => {
    for (const engine of [referenceEngine, onnxEngine()]) {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ units: 7, activation: 'tanh', inputShape: [FEATURES] }),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      });
      const flat = Float64Array.from(model.getWeights().flatMap((tensor) => [...tensor.dataSync()]));
      const x = numbers(RECORDS * FEATURES, 3);
      const labels = Float32Array.from({ length: RECORDS }, (_, i) => i % 3);
      const trainer = await createRecordTrainer(
        options({ model, engine, loss: 'sparseCategoricalCrossentropy', features: x, labels }),
      );
      const predictions = (model.predict(tensor2d(x, [RECORDS, FEATURES])) as Tensor).dataSync();
      const correct = labels.filter((label, i) => {
        const row = [...predictions.subarray(i * 3, i * 3 + 3)];
        return row.indexOf(Math.max(...row)) === label;
      }).length;
      expect(await trainer.evaluate(flat, x, labels)).toEqual({ correct, total: RECORDS });
      await trainer.close();
    }
  });

  it('learns: the private model beats chance on separable data', async () => {
    const features = numbers(400 * FEATURES, 5);
    const labels = Float32Array.from({ length: 400 }, (_, i) =>
      features[i * FEATURES]! + features[i * FEATURES + 1]! > 0 ? 1 : 0,
    );
    const plan = createMechanismPlan({
      sampleRate: 0.5,
      expectedBatchSize: 200,
      clipping: { kind: 'flat', norm: 1 },
      noiseMultiplier: 1,
    });
    const trainer = await createRecordTrainer(options({ features, labels, plan, engine: onnxEngine() }));
    const w = new Float64Array(FEATURES + 1);
    for (let i = 0; i < 40; i++) {
      const { sum, expectedBatchSize } = await trainer.noisyGradientSum(w);
      sum.forEach((value, j) => (w[j]! -= (2 * value) / expectedBatchSize));
    }
    const { correct, total } = await trainer.evaluate(w, features, labels);
    expect(correct / total).toBeGreaterThan(0.85);
  });

  it('refuses data, weights and models that do not fit', async () => {
    await expect(createRecordTrainer(options({ features: numbers(11, 1) }))).rejects.toThrow(
      /features has 11 numbers.*multiple of 5/,
    );
    await expect(createRecordTrainer(options({ labels: numbers(3, 1) }))).rejects.toThrow(
      /labels has 3 numbers; 37 examples need 37/,
    );
    const frozen = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [FEATURES], trainable: false })] });
    await expect(createRecordTrainer(options({ model: frozen }))).rejects.toThrow(/no trainable parameters/);
    const trainer = await createRecordTrainer(options());
    await expect(trainer.noisyGradientSum(new Float64Array(3))).rejects.toThrow(/weights has 3 numbers; the model has 6/);
    await expect(trainer.evaluate(weights, numbers(10, 1), numbers(1, 1))).rejects.toThrow(/labels has 1 numbers/);
  });
});
