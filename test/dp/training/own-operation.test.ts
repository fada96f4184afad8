/** An operation and a layer kind that the packages know nothing about are trained privately on every engine, and checked as their own are. */
import { onnxEngine } from '@sotto/core/onnx';
import { recordProgram, referenceEngine } from '@sotto/core/ops';
import { tfjsEngine } from '@sotto/core/tfjs';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { makePrivate } from '@sotto/dp';
import { makePrivate as makePrivateInThread } from '@sotto/dp/node';
import '@tensorflow/tfjs-backend-cpu';
import { cumsum, mul, serialization, tensor } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { cumulativeSum } from '../../core/ops/cumulative-sum.ts';
import { keepsItsRules } from '../../core/ops/primitive-rules.ts';
import { expectClose, numbers } from '../../core/ops/support.ts';
import { checkDerivatives, checkEngines, checkFiniteDifferences, checkForward, checkPerExample } from './support/gradients.ts';
import type { GradientCase } from './support/gradients.ts';
import { runningTotal } from './support/running-total.ts';
import { weightsOf } from './support/two-moons.ts';

/** The layer as tfjs sees it. */
class RunningTotal extends tf.layers.Layer {
  static readonly className = 'RunningTotal';
  #gain?: ReturnType<tf.layers.Layer['addWeight']>;

  override build(inputShape: unknown): void {
    this.#gain = this.addWeight('gain', [(inputShape as number[]).at(-1)!], 'float32', tf.initializers.ones());
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return mul(cumsum(Array.isArray(inputs) ? inputs[0]! : inputs, 1), this.#gain!.read());
  }
}
serialization.registerClass(RunningTotal as unknown as serialization.SerializableConstructor<serialization.Serializable>);

const model = (): tf.LayersModel =>
  tf.sequential({
    layers: [
      tf.layers.dense({ units: 3, inputShape: [5, 2], kernelInitializer: tf.initializers.glorotUniform({ seed: 8 }) }),
      new RunningTotal({}),
      tf.layers.flatten(),
      tf.layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: tf.initializers.glorotUniform({ seed: 9 }) }),
    ],
  });

describe('an operation of one’s own', () => {
  keepsItsRules(cumulativeSum);

  it('is recorded once for equal attributes, and apart from another one of its name', () => {
    const namesake = { ...cumulativeSum };
    const { nodes } = recordProgram({
      name: 'sums',
      inputs: [{ name: 'x', shape: [2, 3] }],
      build: (ops, { x }) => ({
        a: ops.apply(cumulativeSum, [x!], { axis: 1 }),
        b: ops.apply(cumulativeSum, [x!], { axis: 1 }),
        c: ops.apply(cumulativeSum, [x!], { axis: 0 }),
        d: ops.apply(namesake, [x!], { axis: 0 }),
      }),
    });
    expect(nodes.map(({ operation }) => operation)).toEqual(['input', 'apply', 'apply', 'apply']);
  });

  it('in a layer of one’s own has the gradients of every method', async () => {
    const example: GradientCase = { name: 'running total', model, loss: 'binaryCrossentropy', kinds: [runningTotal] };
    await checkForward(example);
    await checkFiniteDifferences(example);
    await checkDerivatives(example);
    await checkPerExample(example);
    await checkEngines(example);
  });
});

describe('private training with it', () => {
  const RECORDS = 60;
  const x = tensor(numbers(RECORDS * 10, 3), [RECORDS, 5, 2]);
  const y = tensor(
    Float32Array.from({ length: RECORDS }, (_, i) => i % 2),
    [RECORDS, 1],
  );
  const mechanism = {
    loss: 'binaryCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 0.3 },
    sampleRate: 0.5,
    expectedBatchSize: 30,
    clipping: { kind: 'flat', norm: 1 },
    privacy: { noiseMultiplier: 1 },
    kinds: [runningTotal],
  } as const;
  const engines = { reference: () => referenceEngine, onnx: () => onnxEngine(), tfjs: () => tfjsEngine() };

  it.each(['secure', 'fast'] as const)('gives the same weights on all engines (%s mode)', async (mode) => {
    const trained: number[][] = [];
    for (const open of Object.values(engines)) {
      const net = model();
      const random = unsafeDeterministicRandom('own operation');
      await makePrivate(net, { ...mechanism, engine: open(), mode, random }).fit(x, y, { steps: 4 });
      trained.push(weightsOf(net));
    }
    const before = weightsOf(model());
    expect(trained[0]!.some((weight, i) => Math.abs(weight - before[i]!) > 0.01)).toBe(true);
    for (const weights of trained.slice(1)) expectClose(weights, trained[0]!, 1e-5, 'weights');
  });

  it('trains in this thread where it cannot cross to another, and is refused where nobody says what the layer is', async () => {
    const threaded = makePrivateInThread(model(), mechanism);
    await threaded.fit(x, y, { steps: 1 });
    expect(threaded.info!.thread).toBe('caller');
    const { kinds: _, ...rest } = mechanism;
    expect(() => makePrivate(model(), { ...rest, engine: referenceEngine })).toThrow(/RunningTotal/);
  });
});
