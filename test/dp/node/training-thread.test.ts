/** Training in a thread of its own: it trains, it says why it fails, and the caller's event loop stays live meanwhile. */
import { onnxEngine } from '@sotto/core/onnx';
import { makePrivate as makePrivateHere } from '@sotto/dp';
import type { JointLoss, LossFunction, ShapedLoss } from '@sotto/dp';
import { makePrivate } from '@sotto/dp/node';
import '@tensorflow/tfjs-backend-cpu';
import { tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, it } from 'vitest';
import { makeSendable, openThreadSession } from '../../../packages/dp/src/node/training-thread.ts';
import type { TrainingPort } from '../../../packages/dp/src/node/training-thread.ts';
import type { TrainingRequest } from '../../../packages/dp/src/node/training-messages.ts';
import { options, smallModel, weightsOf, x, y } from '../training/support/two-moons.ts';

const { engine: _engine, random: _random, ...plain } = options();
const settings = { ...plain, lanes: 2 } as Parameters<typeof makePrivate>[1];

describe('training in a thread', () => {
  it('trains, evaluates, reports and goes on, as in this thread', async () => {
    const model = smallModel();
    const target = { epsilon: 8, delta: 1e-5 };
    const report = { trainLoss: { kind: 'noisy', noiseMultiplier: 2, clip: 3 } } as const;
    const change = {
      privacy: { target, epochs: 12 },
      optimiser: { kind: 'adam', learningRate: 0.1 },
      report,
      sampleRate: 0.25,
      expectedBatchSize: 75,
    } as const;
    const training = makePrivate(model, { ...settings, ...change } as typeof settings);
    const { history } = await training.fit(x, y, { epochs: 6, validationData: { x, y, outsideGuarantee: true } });
    expect(history['loss']).toHaveLength(6);
    const bytes = await training.checkpoint();
    await training.fit(x, y, { validationData: { x, y, outsideGuarantee: true } });
    const { acc } = await training.evaluate(x, y, { outsideGuarantee: true });
    expect(acc).toBeGreaterThan(0.8);
    expect(training.privacySpent().upper).toBeLessThanOrEqual(8);
    // The checkpoint of a thread is one like any other.
    const here = smallModel();
    const other = makePrivateHere(here, options(change));
    await other.restore(bytes);
    expect(other.stepsLeft).toBe(24);
    expect(weightsOf(here)).not.toEqual(weightsOf(model));
  });

  it('says why a training is refused, and is free afterwards', async () => {
    const training = makePrivate(smallModel(), {
      ...settings,
      mode: 'fast',
      sampleRate: 0.5,
      expectedBatchSize: 20,
    } as typeof settings);
    await expect(training.fit(x, y, { steps: 1 })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/300 records/),
    });
    await expect(training.fit(x, y, { steps: 1 })).rejects.toThrow(/300 records/);
    expect(training.event()).toEqual({ type: 'noOp' });
  });

  it('takes losses that are functions, as programs of their operations', async () => {
    const loss: LossFunction = (ops, p, t) => ops.mul(ops.sub(p, t), ops.sub(p, t));
    const evaluated: number[] = [];
    for (const each of [loss, { joint: (ops, [p], [t]) => loss(ops, p!, t!) } satisfies JointLoss, 'meanSquaredError' as const]) {
      const training = makePrivate(smallModel(), { ...settings, loss: each });
      evaluated.push((await training.evaluate(x, y, { outsideGuarantee: true })).loss);
      await training.fit(x, y, { steps: 1 });
      expect(training.info!.thread).toBe('worker');
    }
    expect(evaluated[0]).toBeCloseTo(evaluated[2]!, 6);
    expect(evaluated[1]).toBe(evaluated[0]);
  });

  it('trains in this thread, with a warning, where a loss is no program of operations', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    try {
      const loss: LossFunction = (ops, p, t) => ops.mul(ops.abs(ops.sub(p, t)), ops.constant([Math.random()], []));
      const training = makePrivate(smallModel(), { ...settings, loss });
      await training.fit(x, y, { steps: 1 });
      expect(training.info!.thread).toBe('caller');
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('warning', listen);
    }
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ code: 'SOTTO_TRAINS_HERE' });
    expect(warnings[0]!.message).toMatch(/holds up, because loss cannot cross.*number in constant is none that follows/);
  });

  it('keeps charged what was charged when the thread dies, and goes on from the last weights', async () => {
    const posted: TrainingRequest['kind'][] = [];
    let die: (code: number) => void = () => undefined;
    let answer: (value: unknown) => void = () => undefined;
    const port: TrainingPort = {
      postMessage: ({ kind }) => {
        posted.push(kind);
        if (kind === 'open') answer({ ok: true, value: { engine: 'test', lanes: 1, physicalBatchSize: 1, gridBits: 24 } });
        else die(1);
      },
      on(event: string, listener: (value: never) => void) {
        if (event === 'exit') die = listener as typeof die;
        if (event === 'message') answer = listener as typeof answer;
      },
      ref: () => undefined,
      unref: () => undefined,
      terminate: async () => 0,
    };
    const model = smallModel();
    const before = weightsOf(model);
    const training = makePrivateHere(model, {
      ...(plain as Parameters<typeof makePrivateHere>[1]),
      openSession: (spec) => openThreadSession(makeSendable(spec) as never, {}, port),
    });
    await expect(training.fit(x, y, { steps: 3 })).rejects.toThrow(/training thread failed: it ended with code 1/);
    expect(posted).toEqual(['open', 'step']);
    expect(training.event()).toMatchObject({ type: 'poissonSampled' });
    expect(weightsOf(model)).toEqual(before);
  });

  const timers: NodeJS.Timeout[] = [];
  afterEach(() => timers.splice(0).forEach((timer) => clearInterval(timer)));

  /** Beats every 5 ms, and notes how long this thread computed between two beats: its own CPU time, which other processes on the machine do not add to. */
  function heartbeat(): { readonly gaps: number[] } {
    const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };
    const now = (): number => {
      if (threadCpuUsage === undefined) return performance.now();
      const { user, system } = threadCpuUsage.call(process);
      return (user + system) / 1000;
    };
    const gaps: number[] = [];
    let last = now();
    timers.push(
      setInterval(() => {
        const time = now();
        gaps.push(time - last);
        last = time;
      }, 5),
    );
    return { gaps };
  }

  // A step of about a second on one core: per-example gradients of 0.3 million weights for 256 examples, checked in integers.
  const wide = (): tf.Sequential =>
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 400, activation: 'relu', inputShape: [784] }),
        tf.layers.dense({ units: 10, activation: 'softmax' }),
      ],
    });
  const images = tensor(
    Float32Array.from({ length: 512 * 784 }, (_, i) => Math.sin(i)),
    [512, 784],
  );
  const digits = tensor(
    Float32Array.from({ length: 512 }, (_, i) => i % 10),
    [512],
  );
  const heavy = {
    loss: 'sparseCategoricalCrossentropy',
    optimiser: { kind: 'adam', learningRate: 1e-3 },
    clipping: { kind: 'flat', norm: 1 },
    sampleRate: 0.5,
    expectedBatchSize: 256,
    privacy: { noiseMultiplier: 1 },
    physicalBatchSize: 128,
  } as const;

  // −log of the share of the right class, once by its name and once written as a function.
  const written: ShapedLoss = {
    targetShape: [],
    loss: (ops, p, t) => ops.neg(ops.log(ops.sum(ops.mul(ops.oneHot(t, 10), p), [1]))),
  };

  it.each([
    ['by name', heavy.loss],
    ['as a function', written],
  ] as const)(
    'leaves the event loop live: no gap of 50 ms between heartbeats, over a training of seconds, with a loss %s',
    async (_, loss) => {
      const training = makePrivate(wide(), { ...heavy, loss, lanes: 2 });
      const { gaps } = heartbeat();
      const cpu = process.cpuUsage();
      await training.fit(images, digits, { steps: 2 });
      const { user } = process.cpuUsage(cpu);
      // The process computed for seconds, this thread never for long.
      expect(user / 1000).toBeGreaterThan(500);
      expect(gaps.length).toBeGreaterThan(10);
      expect(Math.max(...gaps)).toBeLessThan(50);
    },
  );

  it('would not without the thread, so that the test above can fail', async () => {
    const training = makePrivateHere(wide(), { ...heavy, engine: onnxEngine() });
    const { gaps } = heartbeat();
    await training.fit(images, digits, { steps: 1 });
    expect(Math.max(...gaps)).toBeGreaterThan(50);
  });
});
