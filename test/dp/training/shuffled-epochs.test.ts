import { referenceEngine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { makePrivate } from '@sotto/dp';
import type { PrivateModel, PrivateModelOptions } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { tensor } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { epochsOf } from './support/epochs.ts';

/** Five batches of four in an epoch. */
const RECORDS = 20;

/** Record r is the r-th unit vector, so that its gradient moves the r-th weight alone, by one unit each time that it takes part. */
const rows = (order: readonly number[]): Tensor => {
  const values = new Float32Array(RECORDS * RECORDS);
  order.forEach((record, row) => (values[row * RECORDS + record] = 1));
  return tensor(values, [RECORDS, RECORDS]);
};
const y = tensor(new Float32Array(RECORDS).fill(1000), [RECORDS, 1]);
const inOrder = Array.from({ length: RECORDS }, (_, i) => i);
const turned = inOrder.map((i) => (i + 7) % RECORDS);

function open(change: Partial<PrivateModelOptions> = {}): {
  readonly training: PrivateModel;
  /** How often each record has taken part. */
  readonly parts: () => number[];
} {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [RECORDS], kernelInitializer: 'zeros' })],
  });
  const training = makePrivate(model, {
    loss: 'meanSquaredError',
    optimiser: { kind: 'sgd', learningRate: 4 },
    sampling: { kind: 'shuffle', batchSize: 4, sourceSize: RECORDS },
    clipping: { kind: 'flat', norm: 1 },
    privacy: { noiseMultiplier: 0.01 },
    engine: referenceEngine,
    random: unsafeDeterministicRandom('shuffled epochs'),
    ...change,
  } as PrivateModelOptions);
  return { training, parts: () => Array.from(model.getWeights()[0]!.dataSync(), Math.round) };
}

describe('a shuffled epoch', () => {
  it('goes on with the examples that it began with, each of which takes part once', async () => {
    const { training, parts } = open();
    await training.fit(rows(inOrder), y, { steps: 2 });
    await training.fit(rows(inOrder), y, { steps: 2 });
    for await (const _ of training.steps(rows(inOrder), y, { steps: 1 }));
    expect(epochsOf(training)).toBe(1);
    expect(parts()).toEqual(inOrder.map(() => 1));
    await training.fit(rows(turned), y, { steps: 5 });
    expect(epochsOf(training)).toBe(2);
    expect(parts()).toEqual(inOrder.map(() => 2));
  });

  it.each([
    ['in another order', rows(turned), y],
    ['with another target', rows(inOrder), tensor(new Float32Array(RECORDS).fill(1001), [RECORDS, 1])],
  ])('is charged again for examples %s, so that nobody takes part more often than was charged', async (_, x2, y2) => {
    const { training, parts } = open();
    await training.fit(rows(inOrder), y, { steps: 3 });
    await training.fit(x2, y2, { steps: 2 });
    expect(epochsOf(training)).toBe(2);
    expect(Math.max(...parts())).toBeLessThanOrEqual(2);
    // The order is a fresh one: some take part twice and some not at all.
    expect(new Set(parts())).toContain(2);
    await training.fit(x2, y2, { steps: 5 });
    expect(epochsOf(training)).toBe(3);
    expect(Math.max(...parts())).toBeLessThanOrEqual(3);
  });

  it('goes on after a callback has thrown, since no step was lost', async () => {
    const { training, parts } = open();
    await training.fit(rows(inOrder), y, { steps: 1 });
    const stop = (): never => {
      throw new Error('stop');
    };
    await expect(training.fit(rows(inOrder), y, { steps: 1, onStep: stop })).rejects.toThrow('stop');
    await training.fit(rows(inOrder), y, { steps: 3 });
    expect(epochsOf(training)).toBe(1);
    expect(parts()).toEqual(inOrder.map(() => 1));
  });

  it('keeps to its target where its rest is charged again', async () => {
    const { training } = open({ privacy: { target: { epsilon: 8, delta: 1e-5 }, epochs: 2 } });
    await training.fit(rows(inOrder), y, { steps: 3 });
    expect(training.stepsLeft).toBe(7);
    await expect(training.fit(rows(turned), y, { steps: 7 })).rejects.toThrow(
      /7 steps are asked for; 2 of the 10 steps.*rest is charged as another one/,
    );
    // What was refused ended nothing.
    await training.fit(rows(inOrder), y, { steps: 1 });
    expect(epochsOf(training)).toBe(1);
    await training.fit(rows(turned), y, { steps: 1 });
    expect(epochsOf(training)).toBe(2);
    expect(training.stepsLeft).toBe(0);
    expect(training.privacySpent().upper).toBeLessThanOrEqual(8);
  });
});
