/**
 * Threads that help to end a step: every coordinate is updated once, with noise of its own; a thread that fails is noticed; training goes through them.
 */
import { EventEmitter, once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { makePrivate } from '@sotto/dp/node';
import '@tensorflow/tfjs-backend-cpu';
import { tensor2d } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, it } from 'vitest';
import { FusedUpdate, helperThread } from '../../../packages/dp/src/fused/fused-update.ts';
import { BLOCK } from '../../../packages/dp/src/fused/layout.ts';
import { startHelper, updateHelpers } from '../../../packages/dp/src/node/update-helpers.ts';
import type { NoiseValues } from '../../../packages/dp/src/noise/step-noise.ts';
import { createOptimiser } from '../../../packages/dp/src/optimiser/optimiser.ts';

const D = 3 * 65536 + 77;
const GRID_BITS = 10;
const descent = { kind: 'sgd', learningRate: 1 } as const;

const open = (helpers: number): FusedUpdate =>
  FusedUpdate.open({ dimension: D, optimiser: descent, average: false, gridBits: GRID_BITS, lanes: 2, helpers })!;

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

describe('threads that help to end a step', () => {
  it('are as many as the size is worth', () => {
    const helpers = updateHelpers(3);
    expect([0, 1000, 65536, 2 * 65536 - 1, 2 * 65536, 4 * 65536, 1e9].map((dimension) => helpers.count(dimension))).toEqual([
      0, 0, 0, 0, 1, 3, 3,
    ]);
    expect(updateHelpers(0).count(1e9)).toBe(0);
  });

  it('share the blocks with the thread that leads, each block once and with fresh noise', async () => {
    const fused = open(1);
    closing.push(updateHelpers(1).start([fused.helper(1)], GRID_BITS));
    const optimiser = createOptimiser(descent, D);
    const blocks = Math.ceil(D / BLOCK);
    const own = new Set<number>();
    const previous = new Float64Array(D);
    let helped = 0;
    // The thread takes a while to start; until then the leading thread does all by itself.
    for (let step = 0; helped < 3 * blocks && step < 10_000; step++) {
      fused.setWeights(new Float64Array(D));
      fused.sums[0]!.fill(5);
      fused.sums[1]!.fill(-2.25);
      fused.add([fused.sums[0]!]);
      fused.add([fused.sums[1]!]);
      own.clear();
      // (2.75 / 0.5 + ½) = 6 units; zero noise in the blocks of this thread.
      const draw = (target: NoiseValues, begin: number): void => {
        own.add(begin / BLOCK);
        target.fill(0);
      };
      fused.run({ unit: 0.5, draw, optimiser, average: undefined, learningRate: -1, noiseDeviation: 1, scale: 2 });
      let [count, sum, squares, repeated] = [0, 0, 0, 0];
      for (let j = 0; j < D; j++) {
        const value = fused.weights[j]! - 6;
        if (own.has(Math.floor(j / BLOCK))) {
          if (value !== 0) throw new Error(`coordinate ${j} has ${value} of another thread's noise`);
          continue;
        }
        count++;
        sum += value;
        squares += value * value;
        if (value === previous[j]) repeated++;
        previous[j] = value;
      }
      for (const values of fused.sums) expect(values.every((value) => value === 0)).toBe(true);
      if (count === 0) continue;
      helped += blocks - own.size;
      const deviation = 2 ** GRID_BITS;
      // Six standard deviations of the estimates.
      expect(Math.abs(sum / count)).toBeLessThan((6 * deviation) / Math.sqrt(count));
      expect(Math.abs(squares / count / deviation ** 2 - 1)).toBeLessThan(6 * Math.sqrt(2 / count));
      // Two samples are equal with probability 1/(2√π·2¹⁰).
      expect(repeated).toBeLessThan(count / 1000);
    }
    expect(helped).toBeGreaterThanOrEqual(3 * blocks);
  });

  it('draw noise ahead while a core is idle, for one pass', async () => {
    const fused = open(1);
    closing.push(updateHelpers(1).start([fused.helper(1)], GRID_BITS));
    const { memory, layout } = fused.helper(1);
    const values = new Int32Array(memory.buffer, layout.aheadAt, D);
    const states = new Int32Array(memory.buffer, layout.statesAt, Math.ceil(D / BLOCK));
    const optimiser = createOptimiser(descent, D);
    const drawn = async (): Promise<void> => {
      fused.setIdle(1);
      while (!states.every((_, block) => Atomics.load(states, block) === 2)) await new Promise(setImmediate);
      fused.setIdle(0);
    };
    await drawn();
    const first = values.slice();
    fused.setWeights(new Float64Array(D));
    const draw = (): void => {
      throw new Error('all noise was drawn ahead');
    };
    const run = (): void =>
      fused.run({ unit: 1, draw, optimiser, average: undefined, learningRate: -1, noiseDeviation: 1, scale: 1 });
    run();
    expect(fused.weights.every((value, j) => value === first[j])).toBe(true);
    expect(values.every((value) => value === 0)).toBe(true);
    await drawn();
    const equal = values.reduce((count, value, j) => count + (value === first[j] ? 1 : 0), 0);
    expect(equal).toBeLessThan(D / 1000);
    const deviation = Math.sqrt(first.reduce((sum, value) => sum + value * value, 0) / D);
    expect(Math.abs(deviation / 2 ** GRID_BITS - 1)).toBeLessThan(6 / Math.sqrt(2 * D));
  });

  it('end the training where one of them fails', () => {
    const fused = open(1);
    fused.sums[0]!.fill(1);
    fused.add([fused.sums[0]!]);
    // The other thread takes a block and fails, in the middle of a draw of this one.
    const other = helperThread(fused.helper(1));
    let begun = false;
    const draw = (target: NoiseValues): void => {
      target.fill(0);
      if (begun) return;
      begun = true;
      const failing = (): void => {
        throw new Error('no bits');
      };
      expect(() => other.help(failing)).toThrow('no bits');
      other.fail();
    };
    const run = (): void =>
      fused.run({
        unit: 1,
        draw,
        optimiser: createOptimiser(descent, D),
        average: undefined,
        learningRate: 1,
        noiseDeviation: 1,
        scale: 1,
      });
    expect(run).toThrow('failed half way');
    expect(fused.sums[0]!.every((value) => value === 0)).toBe(true);
    expect(() => fused.check()).toThrow('its weights are lost');
  });

  it('end the training at once where one of them was killed between steps', async () => {
    const fused = open(1);
    const workers: Worker[] = [];
    const helpers = updateHelpers(1, (helper, gridBits) => {
      const worker = startHelper(helper, gridBits);
      workers.push(worker);
      return worker;
    });
    closing.push(helpers.start([fused.helper(1)], GRID_BITS));
    const run = (): void =>
      fused.run({
        unit: 1,
        draw: (target) => target.fill(0),
        optimiser: createOptimiser(descent, D),
        average: undefined,
        learningRate: 1,
        noiseDeviation: 1,
        scale: 1,
      });
    run();
    await once(workers[0]!, 'online');
    // As when memory runs out: the thread is gone, and nothing of it ran any more.
    await workers[0]!.terminate();
    expect(run).toThrow('a thread that helps to end steps has ended');
  });

  it('are no failure where they never run', async () => {
    const fused = open(1);
    const never = Object.assign(new EventEmitter(), { terminate: () => Promise.resolve(0) });
    closing.push(updateHelpers(1, () => never as unknown as Worker).start([fused.helper(1)], GRID_BITS));
    never.emit('error', new Error('no more threads'));
    never.emit('exit', 1);
    const optimiser = createOptimiser(descent, D);
    const draw = (target: NoiseValues): void => void target.fill(0);
    fused.run({ unit: 1, draw, optimiser, average: undefined, learningRate: 1, noiseDeviation: 1, scale: 1 });
  });

  it('are no failure where they end with the session', async () => {
    const fused = open(1);
    await updateHelpers(1)
      .start([fused.helper(1)], GRID_BITS)
      .close();
    const optimiser = createOptimiser(descent, D);
    const draw = (target: NoiseValues): void => void target.fill(0);
    fused.run({ unit: 1, draw, optimiser, average: undefined, learningRate: 1, noiseDeviation: 1, scale: 1 });
  });

  it('train a model of two layers, and save it', async () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 360, activation: 'relu', inputShape: [360] }),
        layers.dense({ units: 1, activation: 'sigmoid' }),
      ],
    });
    const training = makePrivate(model, {
      loss: 'binaryCrossentropy',
      optimiser: { kind: 'sgd', learningRate: 0.1 },
      clipping: { kind: 'flat', norm: 1 },
      sampleRate: 0.5,
      expectedBatchSize: 16,
      mode: 'fast',
      privacy: { noiseMultiplier: 1 },
      lanes: 2,
    });
    const x = tensor2d(
      Float32Array.from({ length: 32 * 360 }, (_, j) => Math.sin(j)),
      [32, 360],
    );
    const y = tensor2d(
      Float32Array.from({ length: 32 }, (_, i) => i % 2),
      [32, 1],
    );
    const before = model.getWeights()[0]!.dataSync().slice();
    await training.fit(x, y, { steps: 4 });
    const after = model.getWeights()[0]!.dataSync();
    // Each step moves each weight by noise of rate·σ·C/16 and a little more: 4 steps by about 0.0125.
    let squares = 0;
    for (let j = 0; j < after.length; j++) squares += (after[j]! - before[j]!) ** 2;
    const deviation = Math.sqrt(squares / after.length);
    expect(deviation).toBeGreaterThan(0.012);
    expect(deviation).toBeLessThan(0.0145);
    expect((await training.checkpoint()).length).toBeGreaterThan(8 * after.length);
  });
});
