import '@tensorflow/tfjs-backend-cpu';
import { tensor2d } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { onnxEngine } from '../../../packages/core/src/onnx/index.ts';
import { makePrivate } from '../../../packages/dp/src/index.ts';
import type { ShapedLoss } from '../../../packages/dp/src/index.ts';

const SECRET = 987_654;

/** A loss that looks the target up in a table of three rows, as a user might who trusts the labels. */
const careless: ShapedLoss = {
  targetShape: [1],
  loss(ops, prediction, target) {
    const [n] = ops.shapeOf(prediction) as [number];
    const row = ops.gather(ops.constant([1, 2, 3], [3, 1]), ops.reshape(target, [n]));
    const difference = ops.sub(prediction, ops.reshape(row, [n, 1]));
    return ops.sum(ops.mul(difference, difference), [1]);
  },
};

describe('an engine that fails over private data', () => {
  it.each([1, 2])('tells nothing of them with %d lanes', async (lanes) => {
    const training = makePrivate(sequential({ layers: [layers.dense({ units: 1, inputShape: [3] })] }), {
      engine: onnxEngine({ lanes }),
      loss: careless,
      optimiser: { kind: 'sgd', learningRate: 0.1 },
      sampleRate: 0.5,
      expectedBatchSize: 50,
      clipping: { kind: 'flat', norm: 1 },
      privacy: { noiseMultiplier: 1 },
    });
    const y = tensor2d(new Float32Array(100).fill(SECRET), [100, 1]);
    const failure: unknown = await training
      .fit(tensor2d(new Float32Array(300), [100, 3]), y, { steps: 1 })
      .catch((e: unknown) => e);
    expect(failure).toMatchObject({ code: 'internal' });
    expect((failure as Error).cause).toBeUndefined();
    expect(String(failure)).toMatch(/a batch failed with the engine onnx/);
    expect(String(failure)).not.toContain(String(SECRET));
  });
});
