import { onnxEngine } from '@sotto/core/onnx';
import { referenceEngine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { makePrivate } from '@sotto/dp';
import type { PrivateModelOptions } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { RECORDS, smallModel as model, values, x, y } from './support/two-moons.ts';

const options = (change: Partial<PrivateModelOptions> = {}): PrivateModelOptions =>
  ({
    loss: 'binaryCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 2 },
    clipping: { kind: 'flat', norm: 1 },
    sampleRate: 0.5,
    expectedBatchSize: 150,
    privacy: { target: { epsilon: 4, delta: 1e-4 }, steps: 40 },
    engine: onnxEngine(),
    random: unsafeDeterministicRandom('private model'),
    ...change,
  }) as PrivateModelOptions;

const accuracy = (net: tf.Sequential): number => {
  const predicted = (net.predict(x) as typeof x).dataSync();
  return y.dataSync().filter((label, i) => predicted[i]! > 0.5 === label > 0.5).length / RECORDS;
};

describe('makePrivate', () => {
  it.each([
    ['secure', { kind: 'flat', norm: 1 }],
    ['fast', { kind: 'flat', norm: 1 }],
    ['secure', { kind: 'perLayer', norm: 1 }],
    ['fast', { kind: 'perLayer', norm: 1 }],
    ['fast', { kind: 'automatic', norm: 1 }],
    ['fast', { kind: 'normalised', norm: 1 }],
  ] as const)('trains a tfjs model in %s mode with %o and states what it cost', async (mode, clipping) => {
    const net = model();
    const trained = makePrivate(net, options({ mode, clipping }));
    const { epoch, history } = await trained.fit(x, y, { epochs: 20, validationData: { x, y, outsideGuarantee: true } });
    expect(accuracy(net)).toBeGreaterThan(0.85);
    expect(epoch).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(Object.keys(history)).toEqual(['val_loss', 'val_acc']);
    expect(history['val_acc']!.at(-1)!).toBeCloseTo(accuracy(net), 6);
    const spent = trained.privacySpent(1e-4);
    expect(spent.upper).toBeLessThanOrEqual(4);
    expect(spent.upper).toBeGreaterThan(3.9);
    expect(trained.privacyStatement(1e-4)).toMatch(/differentially private for each record/);
  });

  it('refuses to go beyond the steps of its budget, before anything is drawn', async () => {
    const trained = makePrivate(model(), options({ privacy: { target: { epsilon: 1, delta: 1e-5 }, steps: 3 } }));
    await trained.fit(x, y, { steps: 2 });
    await expect(trained.fit(x, y, { steps: 2 })).rejects.toThrow(/2 steps are asked for; 1 of the 3 steps/);
    await trained.fit(x, y, { steps: 1 });
    expect(trained.event()).toMatchObject({ type: 'selfComposed', count: 3 });
  });

  it('gives the same sums in both modes and on both engines, but for rounding', async () => {
    const weights = await Promise.all(
      [
        { mode: 'secure', engine: referenceEngine },
        { mode: 'secure', engine: onnxEngine() },
        { mode: 'fast', engine: referenceEngine },
        { mode: 'fast', engine: onnxEngine() },
      ].map(async ({ mode, engine }) => {
        const net = model();
        const trained = makePrivate(
          net,
          options({
            mode: mode as 'fast',
            engine,
            privacy: { noiseMultiplier: 0.5 },
            random: unsafeDeterministicRandom('same'),
            physicalBatchSize: 32,
          }),
        );
        await trained.fit(x, y, { steps: 3 });
        return Float64Array.from(net.getWeights().flatMap((tensor) => [...tensor.dataSync()]));
      }),
    );
    // The slack of the fast mode raises its noise by about a part in two hundred.
    for (const other of weights.slice(1))
      other.forEach((value, j) => expect(Math.abs(value - weights[0]![j]!)).toBeLessThan(2e-3));
  });

  it('treats records that are not finite alike in both modes: they count as zero', async () => {
    const bad = values.slice();
    bad[10] = NaN;
    bad[21] = Infinity;
    for (const mode of ['secure', 'fast'] as const) {
      const net = model();
      await makePrivate(net, options({ mode, privacy: { noiseMultiplier: 1 } })).fit(tensor(bad, [RECORDS, 2]), y, { steps: 2 });
      expect(net.getWeights().every((weight) => weight.dataSync().every((value) => Number.isFinite(value)))).toBe(true);
    }
  });

  it('keeps frozen layers as they are and uses them', async () => {
    const net = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, activation: 'tanh', inputShape: [2], trainable: false }),
        tf.layers.dense({ units: 1, activation: 'sigmoid' }),
      ],
    });
    const before = [...net.layers[0]!.getWeights()[0]!.dataSync()];
    const trained = makePrivate(net, options());
    await trained.fit(x, y, { steps: 2 });
    expect([...net.layers[0]!.getWeights()[0]!.dataSync()]).toEqual(before);
    expect(trained.graph.parameterCount).toBe(5);
  });

  it('stops early when a callback says so, and can be iterated', async () => {
    const trained = makePrivate(model(), options());
    await trained.fit(x, y, { steps: 10, onStep: ({ step }) => step < 3 });
    expect(trained.event()).toMatchObject({ count: 3 });
    for await (const { step } of trained.steps(x, y, { steps: 10 })) if (step === 5) break;
    expect(trained.event()).toMatchObject({ count: 5 });
  });

  it('refuses labels that are text, and expected batches below the sampling rate’s in fast mode', async () => {
    const labels = { shape: [RECORDS, 1], dataSync: () => Array.from({ length: RECORDS }, () => 'cat') as never };
    await expect(makePrivate(model(), options()).fit(x, labels, { steps: 1 })).rejects.toThrow(/y holds strings/);
    await expect(makePrivate(model(), options({ mode: 'fast', expectedBatchSize: 20 })).fit(x, y, { steps: 1 })).rejects.toThrow(
      /300 records.*at most 44.*expectedBatchSize/,
    );
  });
});
