import { EventEmitter } from 'node:events';
import { referenceEngine } from '@sotto/core/ops';
import type { CompiledProgram, Engine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { createMechanismPlan, createRecordTrainer, makePrivate } from '@sotto/dp';
import type { RecordTrainerOptions, StepNoise } from '@sotto/dp';
import { createNoiseWorker } from '@sotto/dp/node';
import '@tensorflow/tfjs-backend-cpu';
import { tensor2d } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { NoiseQueue } from '../../../packages/dp/src/node/noise-queue.ts';
import type { WorkerPort } from '../../../packages/dp/src/node/noise-queue.ts';
import { DRAWN } from '../../../packages/dp/src/node/noise-messages.ts';
import type { NoiseRequest } from '../../../packages/dp/src/node/noise-messages.ts';
import { StepNoise as StepNoiseClass } from '../../../packages/dp/src/noise/step-noise.ts';

/** A thread whose every answer the test sends by hand, and which keeps the arrays that it was given to see them overwritten. */
class ScriptedThread extends EventEmitter implements WorkerPort {
  /** What the queue did to the thread. */
  readonly log: string[] = [];
  /** Arrays that came with requests; the same one may come again. */
  readonly arrays: NoiseRequest[] = [];
  #answered = 0;
  postMessage(message: NoiseRequest): void {
    this.log.push('draw');
    this.arrays.push(message);
  }
  ref(): void {}
  unref(): void {}
  terminate(): Promise<number> {
    this.log.push('terminate');
    return Promise.resolve(1);
  }
  /** Fills the oldest array that is not filled yet. */
  answer(...values: number[]): void {
    this.arrays[this.#answered++]!.set(values);
    this.emit('message', DRAWN);
  }
  get orders(): number {
    return this.log.filter((entry) => entry === 'draw').length;
  }
}

const FEATURES = 2;
const plan = createMechanismPlan({
  sampleRate: 0.5,
  expectedBatchSize: 10,
  clipping: { kind: 'flat', norm: 1 },
  noiseMultiplier: 1,
});
const logistic = () =>
  tf.sequential({ layers: [tf.layers.dense({ units: 1, activation: 'sigmoid', inputShape: [FEATURES], name: 'risk' })] });

function options(records: number, change: Partial<RecordTrainerOptions> = {}): RecordTrainerOptions {
  return {
    model: logistic(),
    loss: 'binaryCrossentropy',
    features: Float32Array.from({ length: records * FEATURES }, (_, i) => Math.sin(i)),
    labels: Float32Array.from({ length: records }, (_, i) => i % 2),
    plan,
    engine: referenceEngine,
    random: unsafeDeterministicRandom('trainer'),
    physicalBatchSize: 4,
    ...change,
  };
}

describe('noise queue', () => {
  it('orders as many steps as it keeps ready, and one more for each that is taken', async () => {
    const thread = new ScriptedThread();
    const queue = new NoiseQueue(thread, 4, 1, 2);
    expect(thread.orders).toBe(2);
    thread.answer(10);
    thread.answer(20);
    expect(thread.orders).toBe(2);
    const taken = [queue.take(), queue.take(), queue.take()];
    expect(thread.orders).toBe(5);
    thread.answer(30);
    const sums = (await Promise.all(taken)).map((noise) => {
      const sum = Float64Array.of(1);
      StepNoiseClass.addOnce(noise, 4, sum);
      return sum[0];
    });
    expect(sums).toEqual([11, 21, 31]);
    // Of the first three arrays nothing is left; two more are being filled.
    expect(thread.arrays.slice(0, 3).map((values) => values[0])).toEqual([0, 0, 0]);
  });

  it('shares memory with the thread, 32-bit integers where they suffice', async () => {
    for (const [gridBits, expected] of [
      [26, Int32Array],
      [27, Float64Array],
    ] as const) {
      const thread = new ScriptedThread();
      const queue = new NoiseQueue(thread, gridBits, 3, 1);
      thread.answer(1, -2, 3);
      const values = StepNoiseClass.takeOnce(await queue.take(), gridBits, 3);
      expect(values).toBeInstanceOf(expected);
      expect(values).toBe(thread.arrays[0]);
      expect(values.buffer).toBeInstanceOf(SharedArrayBuffer);
      await queue.close();
    }
  });

  it('has later noise drawn into an array that was used, once it is given back, and only once', async () => {
    const thread = new ScriptedThread();
    const queue = new NoiseQueue(thread, 8, 2, 1);
    thread.answer(3, 4);
    const noise = await queue.take();
    StepNoiseClass.giveBack(noise); // nothing was taken of it yet
    const values = StepNoiseClass.takeOnce(noise, 8, 2);
    expect(thread.arrays[1]).not.toBe(values);
    StepNoiseClass.giveBack(noise);
    StepNoiseClass.giveBack(noise);
    expect(() => StepNoiseClass.takeOnce(noise, 8, 2)).toThrow(/used or wiped/);
    for (let i = 0; i < 2; i++) {
      thread.answer(3, 4);
      await queue.take();
    }
    expect(thread.arrays.map((array) => array === values)).toEqual([true, false, true, false]);
    // What is wiped instead of used is drawn over as well.
    thread.answer(5, 6);
    const unused = await queue.take();
    unused.wipe();
    unused.wipe();
    thread.answer(5, 6);
    await queue.take();
    expect(thread.arrays.at(-1)).toBe(thread.arrays[3]);
    expect(new Set(thread.arrays).size).toBe(4);
    await queue.close();
  });

  it('draws into arrays that share no memory', async () => {
    // Two releases that held the same numbers: the second would find what the first left, which is nothing.
    const thread = new ScriptedThread();
    const queue = new NoiseQueue(thread, 8, 2, 2);
    thread.answer(7, 8);
    thread.answer(5, 6);
    await Promise.all([queue.take(), queue.take()]);
    expect(new Set(thread.arrays.map(({ buffer }) => buffer)).size).toBe(thread.arrays.length);
    expect(thread.arrays.length).toBeGreaterThan(3);
    await queue.close();
  });

  it('wipes what is ready, and what was being drawn, when it ends', async () => {
    for (const end of [(queue: NoiseQueue) => queue.close(), (_: NoiseQueue, thread: ScriptedThread) => thread.emit('exit', 9)]) {
      const thread = new ScriptedThread();
      const queue = new NoiseQueue(thread, 4, 1, 2);
      thread.answer(10);
      // The thread is at work on the second when the end comes, and its answer is on the way.
      thread.arrays[1]!.fill(20);
      await end(queue, thread);
      await new Promise(setImmediate);
      thread.emit('message', DRAWN);
      expect(thread.arrays.map((values) => values[0])).toEqual([0, 0]);
      expect(thread.log.filter((entry) => entry === 'terminate')).toHaveLength(1);
      await expect(queue.take()).rejects.toThrow(/closed|code 9/);
    }
  });
});

describe('a record trainer with noise drawn ahead', () => {
  it('adds exactly that noise to the sum that it would release without it', async () => {
    const thread = new ScriptedThread();
    const noise = new NoiseQueue(thread, plan.grid.gridBits, 3, 2);
    thread.answer(0, 0, 0);
    thread.answer(7, -8, 9);
    const weights = new Float64Array(3);
    // The same seed, so the same batch: the releases differ by the noise alone.
    const sums: Float64Array[] = [];
    for (let i = 0; i < 2; i++) {
      const trainer = await createRecordTrainer(options(20, { noise }));
      sums.push((await trainer.noisyGradientSum(weights)).sum.map((value) => Math.round(value / plan.grid.unit)));
      await trainer.close();
    }
    expect([...sums[1]!].map((value, j) => value - sums[0]![j]!)).toEqual([7, -8, 9]);
    // Where the noise stood there is nothing of it left.
    expect(thread.arrays.slice(0, 2).map((values) => [...values])).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('asks the thread for the same, at the same points, whatever the records are', async () => {
    const logs = [];
    for (const records of [0, 1, 37]) {
      const thread = new ScriptedThread();
      // What the engine does is logged between the orders of noise: all orders of a step come before its first record is read.
      const engine: Engine = {
        ...referenceEngine,
        compile: async (program) => {
          const compiled = await referenceEngine.compile(program);
          const run: CompiledProgram['run'] = (inputs) => {
            if (thread.log.at(-1) !== 'records') thread.log.push('records');
            return compiled.run(inputs);
          };
          return { ...compiled, run, dispose: () => compiled.dispose() };
        },
      };
      const noise = new NoiseQueue(thread, plan.grid.gridBits, 3, 2);
      for (let i = 0; i < 2; i++) thread.answer(1, 2, 3);
      const trainer = await createRecordTrainer(options(records, { noise, engine }));
      // What the engine did before the first step was no step of these records.
      thread.log.splice(0, Infinity, 'draw', 'draw');
      for (let i = 0; i < 3; i++) {
        await trainer.noisyGradientSum(new Float64Array(3));
        thread.answer(1, 2, 3);
        thread.log.push('released');
      }
      logs.push(thread.log.filter((entry) => entry !== 'records'));
      if (records === 37) expect(thread.log.slice(0, 5)).toEqual(['draw', 'draw', 'draw', 'records', 'released']);
    }
    expect(logs[0]).toEqual(['draw', 'draw', 'draw', 'released', 'draw', 'released', 'draw', 'released']);
    expect(logs[1]).toEqual(logs[0]);
    expect(logs[2]).toEqual(logs[0]);
  });

  it('refuses a source for another plan or model, and wipes the noise of a step that fails', async () => {
    const port = (): ScriptedThread => new ScriptedThread();
    await expect(createRecordTrainer(options(5, { noise: new NoiseQueue(port(), 9, 3, 1) }))).rejects.toThrow(
      /standard deviation of 2\^9 grid units; the plan needs 2\^24/,
    );
    await expect(createRecordTrainer(options(5, { noise: new NoiseQueue(port(), 24, 4, 1) }))).rejects.toThrow(
      /noise is for 4 parameters; the step has 3/,
    );
    // A source that names the right scale but hands out another is caught where the noise is added.
    const liar = {
      gridBits: 24,
      dimension: 3,
      take: (): Promise<StepNoise> => Promise.resolve(new StepNoiseClass(9, Float64Array.of(1, 2, 3))),
    };
    const lied = await createRecordTrainer(options(5, { noise: liar }));
    await expect(lied.noisyGradientSum(new Float64Array(3))).rejects.toThrow(/2\^9 grid units/);
    const thread = port();
    const failing: RecordTrainerOptions['random'] = {
      fill: () => {
        throw new Error('no entropy');
      },
    };
    const trainer = await createRecordTrainer(options(5, { noise: new NoiseQueue(thread, 24, 3, 1), random: failing }));
    thread.answer(1, 2, 3);
    await expect(trainer.noisyGradientSum(new Float64Array(3))).rejects.toThrow(/no entropy/);
    expect([...thread.arrays[0]!]).toEqual([0, 0, 0]);
  });

  it('trains with a real thread, at the same cost', async () => {
    const model = logistic();
    const trained = makePrivate(model, {
      loss: 'binaryCrossentropy',
      optimiser: { kind: 'sgd', learningRate: 1 },
      clipping: { kind: 'flat', norm: 1 },
      sampleRate: 0.5,
      expectedBatchSize: 100,
      privacy: { noiseMultiplier: 1 },
      engine: referenceEngine,
    });
    const x = Float32Array.from({ length: 200 * FEATURES }, (_, i) => Math.sin(1.7 * i));
    const y = Float32Array.from({ length: 200 }, (_, i) => (x[i * FEATURES]! > 0 ? 1 : 0));
    const rows = { x: tensor2d(x, [200, FEATURES]), y: tensor2d(y, [200, 1]) };
    const noise = createNoiseWorker({ plan: trained.plan, dimension: trained.graph.parameterCount });
    const { history } = await trained.fit(rows.x, rows.y, {
      steps: 20,
      noise,
      validationData: { ...rows, outsideGuarantee: true },
    });
    await noise.close();
    expect(history['val_acc']!.at(-1)).toBeGreaterThan(0.85);
    expect(trained.event()).toEqual({ type: 'selfComposed', count: 20, event: trained.plan.event });
    await expect(trained.fit(rows.x, rows.y, { steps: 1, noise })).rejects.toThrow(/noise worker is closed/);
  });
});
