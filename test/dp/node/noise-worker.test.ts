import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SottoError } from '@sotto/core/errors';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { createMechanismPlan } from '@sotto/dp';
import type { MechanismPlan, StepNoise } from '@sotto/dp';
import { createNoiseWorker } from '@sotto/dp/node';
import type { NoiseWorker, NoiseWorkerOptions } from '@sotto/dp/node';
import { afterEach, describe, expect, it } from 'vitest';
import { NoiseQueue } from '../../../packages/dp/src/node/noise-queue.ts';
import { BitSource } from '../../../packages/dp/src/noise/bit-source.ts';
import { ExactGaussian } from '../../../packages/dp/src/noise/exact-gaussian.ts';
import { StepNoise as StepNoiseClass } from '../../../packages/dp/src/noise/step-noise.ts';
import { chiSquareTest, kolmogorovTest, moments, normalCdf } from '../support/statistics.ts';

/** The worker draws from the platform's generator, so a test fails by chance with this probability. */
const CHANCE = 1e-6;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((worker) => worker.close()));
});

function start(options: NoiseWorkerOptions): NoiseWorker {
  const worker = createNoiseWorker(options);
  open.push(worker);
  return worker;
}

function queueOver(code: string): NoiseQueue {
  const queue = new NoiseQueue(new Worker(code, { eval: true, execArgv: [] }), 8, 4, 2);
  open.push(queue);
  return queue;
}

function planOf(noiseMultiplier: number, norm = 1, gridBits?: number, mode: 'secure' | 'fast' = 'secure'): MechanismPlan {
  return createMechanismPlan({
    sampleRate: 0.5,
    expectedBatchSize: 10,
    clipping: { kind: 'flat', norm },
    noiseMultiplier,
    mode,
    ...(gridBits === undefined ? {} : { gridBits }),
  });
}

/** Uses noise up, as a step does, on a sum of zeros. */
function spend(noise: StepNoise): Float64Array {
  const sum = new Float64Array(noise.dimension);
  StepNoiseClass.addOnce(noise, noise.gridBits, sum);
  return sum;
}

async function draw(worker: NoiseWorker, steps: number): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < steps; i++) samples.push(...spend(await worker.take()));
  return samples;
}

describe('noise worker', () => {
  it('draws the rounded Gaussian of the synchronous sampler, at standard deviation 8', async () => {
    const [gridBits, dimension, steps] = [3, 5001, 5];
    const samples = await draw(start({ plan: planOf(5, 1, gridBits), dimension }), steps);
    const most = 5 * 2 ** gridBits;
    const count = (values: Iterable<number>): number[] => {
      const cells = Array.from({ length: 2 * most + 1 }, () => 0);
      for (const z of values) cells[Math.max(0, Math.min(2 * most, z + most))]!++;
      return cells;
    };
    // Against the cell probabilities Φ((z + ½)/8) − Φ((z − ½)/8), and against four times as many synchronous samples.
    const cdf = (cell: number): number => normalCdf((cell - most - 0.5) / 2 ** gridBits);
    const cells = 2 * most + 1;
    const expected = Array.from({ length: cells }, (_, i) => (i === cells - 1 ? 1 : cdf(i + 1)) - (i === 0 ? 0 : cdf(i)));
    const observed = count(samples);
    expect(
      chiSquareTest(
        observed,
        expected.map((p) => p * samples.length),
      ),
    ).toBeGreaterThan(CHANCE);
    const reference = new Float64Array(4 * samples.length);
    new ExactGaussian(new BitSource(unsafeDeterministicRandom('reference')), gridBits).fill(reference);
    const scaled = count(reference).map((n) => n / 4);
    // Two samples differ by 1 + 1/4 times the variance of one.
    const shrunk = observed.map((n, i) => scaled[i]! + (n - scaled[i]!) / Math.sqrt(1 + 1 / 4));
    expect(chiSquareTest(shrunk, scaled)).toBeGreaterThan(CHANCE);
    expect(samples).toHaveLength(dimension * steps);
  });

  it.each([
    [2.5, 0.1, 'secure'],
    [0.7, 3, 'fast'],
  ] as const)('gives a plan noise of sigma·C: sigma %d, C %d, %s mode', async (noiseMultiplier, norm, mode) => {
    const dimension = 4000;
    const plan = planOf(noiseMultiplier, norm, undefined, mode);
    const noise = await start({ plan, dimension }).take();
    const { sum, standardDeviation, event } = plan.begin(0, dimension, unsafeDeterministicRandom('batch')).release(noise);
    expect(standardDeviation).toBeCloseTo(noiseMultiplier * norm * (1 + plan.slack(dimension)), 12);
    expect(event).toBe(plan.event);
    const unit = Array.from(sum, (value) => value / standardDeviation);
    const { mean, variance } = moments(unit);
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(dimension));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / dimension));
    expect(kolmogorovTest(unit, normalCdf)).toBeGreaterThan(CHANCE);
  });

  it('hands out every sample once: nothing is shared within, across or between workers', async () => {
    // At 2³⁰ units 20 000 samples have 0.05 equal pairs on average. One sample carried over a boundary would give 39 of them.
    const plan = planOf(64, 1, 30);
    const [first, second] = [start({ plan, dimension: 500, stepsAhead: 3 }), start({ plan, dimension: 500, stepsAhead: 1 })];
    const together = await Promise.all(Array.from({ length: 20 }, () => first.take()));
    const samples = [...together.flatMap((noise) => [...spend(noise)]), ...(await draw(second, 20))];
    expect(samples).toHaveLength(20_000);
    expect(samples.length - new Set(samples).size).toBeLessThanOrEqual(4);
  });

  it('leaves the main thread free while it draws', async () => {
    const worker = start({ plan: planOf(1), dimension: 1_000_000, stepsAhead: 1 });
    let turned = false;
    setImmediate(() => (turned = true));
    // The thread is not up yet. Noise drawn on this one would be there before the event loop turned even once.
    spend(await worker.take());
    expect(turned).toBe(true);
  });

  it('refuses sizes out of range', () => {
    const plan = planOf(1);
    expect(() => createNoiseWorker({ plan, dimension: 0 })).toThrow(/dimension is 0/);
    expect(() => createNoiseWorker({ plan, dimension: 2 ** 28 })).toThrow(/dimension is 268435456/);
    expect(() => createNoiseWorker({ plan, dimension: 2 ** 26, stepsAhead: 3 })).toThrow(/stepsAhead is 3/);
    expect(() => createNoiseWorker({ plan, dimension: 5, stepsAhead: 0 })).toThrow(/stepsAhead is 0/);
  });
});

describe('noise drawn ahead', () => {
  it('is refused at another scale or dimension, and the step can go on', async () => {
    const plan = planOf(1);
    const coarse = start({ plan: planOf(1, 1, 20), dimension: 6 });
    const step = plan.begin(0, 6, unsafeDeterministicRandom('scale'));
    const wrongScale = await coarse.take();
    expect(() => step.release(wrongScale)).toThrow(/noise has a standard deviation of 2\^20 grid units; the plan needs 2\^24/);
    const wrongSize = await start({ plan, dimension: 5 }).take();
    expect(() => step.release(wrongSize)).toThrow(/noise is for 5 parameters; the step has 6/);
    // Neither copies of its public face nor another scale written over it pass.
    const forged = { gridBits: 24, dimension: 6, wipe: () => undefined } as unknown as StepNoise;
    expect(() => step.release(forged)).toThrow(/not drawn by a noise source/);
    expect(() => Object.assign(wrongScale, { gridBits: 24 })).toThrow(TypeError);
    expect(step.release(await start({ plan, dimension: 6 }).take()).sum.every((value) => value !== 0)).toBe(true);
  });

  it('is used once, is then overwritten, and cannot be printed', () => {
    const values = Float64Array.of(41, -42, 43);
    const noise = new StepNoiseClass(24, values);
    expect(`${inspect(noise, { showHidden: true, depth: 9 })}${JSON.stringify(noise)}`).not.toMatch(/4[123]/);
    const plan = planOf(1);
    const steps = ['a', 'b'].map((seed) => plan.begin(0, 3, unsafeDeterministicRandom(seed)));
    const released = [...steps[0]!.release(noise).sum];
    expect(released).toEqual([41, -42, 43].map((z) => z * plan.grid.unit));
    // By what was released.
    expect(values.every((value) => value === 0 || released.includes(value))).toBe(true);
    expect(() => steps[1]!.release(noise)).toThrow(/used or wiped already/);
    expect(() => steps[0]!.release(new StepNoiseClass(24, new Float64Array(3)))).toThrow(/never drawn twice/);
  });
});

describe('the end of a noise worker', () => {
  it('refuses after close, cancels what waits, and may be closed twice', async () => {
    const worker = start({ plan: planOf(1), dimension: 200_000 });
    const waiting = Promise.allSettled([worker.take()]);
    await worker.close();
    expect((await waiting)[0]).toMatchObject({ status: 'rejected', reason: { name: 'SottoError', code: 'cancelled' } });
    await expect(worker.take()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/is closed; make another/),
    });
    await worker.close();
  });

  it.each([
    ['throws', 'throw new Error("no entropy")', /noise worker failed: no entropy; make another one/],
    ['ends', 'process.exit(3)', /noise worker failed: it ended with code 3/],
    [
      'sends something else',
      'require("worker_threads").parentPort.postMessage([1, 2, 3, 4])',
      /message is not that the noise of a step was drawn/,
    ],
  ])('says so where the thread %s, now and later', async (_, code, message) => {
    const queue = queueOver(code);
    const failures = await Promise.allSettled([queue.take(), queue.take()]);
    for (const failure of failures) {
      expect(failure.status).toBe('rejected');
      const { reason } = failure as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(SottoError);
      expect(reason).toMatchObject({ code: 'internal', message: expect.stringMatching(message) });
    }
    await expect(queue.take()).rejects.toThrow(message);
  });

  it('hands out nothing more where the thread dies with noise ready', async () => {
    const queue = queueOver(`
      const { parentPort } = require('worker_threads');
      let orders = 0;
      parentPort.on('message', (values) => {
        values.fill(++orders);
        parentPort.postMessage('drawn');
        if (orders === 3) process.exit(1);
      });`);
    expect([...spend(await queue.take())]).toEqual([1, 1, 1, 1]); // orders the third, after which the thread ends
    for (;;) {
      const outcome = await queue.take().catch((error: unknown) => error);
      if (outcome instanceof SottoError) {
        expect(outcome.message).toMatch(/ended with code 1/);
        break;
      }
    }
    await expect(queue.take()).rejects.toThrow(/ended with code 1/);
  });
});
