/** What must hold on every path that a step may take: in secure and fast mode, in one pass over shared memory, on a device, for users, with masks that are drawn. */
import { onnxEngine } from '@sotto/core/onnx';
import type { RandomSource } from '@sotto/core/random';
import { tfjsEngine } from '@sotto/core/tfjs';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { makePrivate } from '@sotto/dp';
import type { FitOptions, PrivateModel } from '@sotto/dp';
import { fill, ready } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { options, RECORDS, smallModel, weightsOf, x, y } from './support/two-moons.ts';

const kernel = (seed: number) => initializers.glorotUniform({ seed });
/** Large enough for one pass over shared memory. */
const wide = (): Sequential =>
  sequential({
    layers: [
      layers.dense({ units: 300, activation: 'tanh', inputShape: [2], kernelInitializer: kernel(1) }),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: kernel(2) }),
    ],
  });
/** Each layer that draws. */
const drawing = (): Sequential =>
  sequential({
    layers: [
      layers.dense({ units: 6, activation: 'tanh', inputShape: [2], kernelInitializer: kernel(3) }),
      layers.dropout({ rate: 0.4 }),
      layers.gaussianNoise({ stddev: 0.2 }),
      layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: kernel(4) }),
    ],
  });

interface Path {
  readonly model: () => Sequential;
  readonly change: Readonly<Record<string, unknown>>;
  readonly fit?: FitOptions;
}

const userIds = Array.from({ length: RECORDS }, (_, i) => i % 100);
const small = { sampleRate: 0.25, expectedBatchSize: 25 };
const paths: Readonly<Record<string, Path>> = {
  'secure mode': { model: smallModel, change: {} },
  'secure mode with dropout, by layers': { model: drawing, change: { clipping: { kind: 'perLayer', norm: 1 } } },
  'fast mode': { model: drawing, change: { mode: 'fast' } },
  'one pass over shared memory': {
    model: wide,
    change: {
      mode: 'fast',
      engine: onnxEngine(),
      optimiser: { kind: 'adamw', learningRate: 0.01, weightDecay: 0.1 },
      average: { decay: 0.9 },
    },
  },
  'one pass with an adaptive norm': {
    model: wide,
    change: { mode: 'fast', clipping: { kind: 'adaptive', norm: 1, learningRate: 1 } },
  },
  'a device': { model: drawing, change: { mode: 'fast', engine: tfjsEngine() } },
  'users by their means': {
    model: smallModel,
    change: { ...small, unit: { kind: 'user', contributionBound: 2 } },
    fit: { userIds },
  },
  'users record by record': {
    model: smallModel,
    change: { ...small, mode: 'fast', unit: { kind: 'user', contributionBound: 2, combine: 'perRecord' } },
    fit: { userIds },
  },
  'batches of a fixed size': { model: smallModel, change: { sampling: { kind: 'fixedSize', batchSize: 30, sourceSize: 300 } } },
};

function begin(
  { model: build, change }: Path,
  random: RandomSource,
): { readonly model: Sequential; readonly training: PrivateModel } {
  const model = build();
  return { model, training: makePrivate(model, options({ ...change, random })) };
}

describe.each(Object.entries(paths))('%s', (name, path) => {
  it('goes on exactly from a checkpoint', async () => {
    await ready();
    const fit = (training: PrivateModel) => training.fit(x, y, { ...path.fit, steps: 4 });
    const whole = begin(path, unsafeDeterministicRandom(name));
    await fit(whole.training);
    await fit(whole.training);
    const random = unsafeDeterministicRandom(name);
    const first = begin(path, random);
    await fit(first.training);
    const second = begin(path, random);
    await second.training.restore(await first.training.checkpoint());
    await fit(second.training);
    expect(second.training.info?.onDevice).toBe(name === 'a device');
    expect(weightsOf(second.model)).toEqual(weightsOf(whole.model));
    expect(weightsOf(second.model)).not.toEqual(weightsOf(first.model));
    expect(second.training.event()).toEqual(whole.training.event());
  });

  it('releases noise where nobody takes part, and where every example is no number', async () => {
    await ready();
    const seldom = 'sampling' in path.change ? {} : { sampleRate: 1e-9, expectedBatchSize: 1 };
    for (const [change, inputs] of [
      [seldom, x],
      [{}, fill([RECORDS, 2], NaN)],
    ] as const) {
      const { model, training } = begin({ ...path, change: { ...path.change, ...change } }, unsafeDeterministicRandom(name));
      const before = weightsOf(model);
      await training.fit(inputs, y, { ...path.fit, steps: 2 });
      const moved = weightsOf(model).map((value, i) => Math.abs(value - before[i]!));
      expect(moved.every(Number.isFinite)).toBe(true);
      // Every weight gets noise of its own.
      expect(new Set(moved).size).toBe(moved.length);
      expect(training.event()).toMatchObject({ count: 2 });
    }
  });
});
