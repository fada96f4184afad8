/**
 * A session ends its steps in one pass over shared memory where there is such memory. What it trains is the same to the last bit as where there is none.
 */
import { compileModel, topologyOf } from '@sotto/core/model';
import { onnxEngine } from '@sotto/core/onnx';
import { referenceEngine } from '@sotto/core/ops';
import type { Engine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { FusedUpdate } from '../../../packages/dp/src/fused/fused-update.ts';
import { StepNoise } from '../../../packages/dp/src/noise/step-noise.ts';
import type { NoiseSource } from '../../../packages/dp/src/noise/step-noise.ts';
import { BatchComputer } from '../../../packages/dp/src/training/batch-computer.ts';
import { openSession } from '../../../packages/dp/src/training/open-session.ts';
import type { SessionSpec, SessionState } from '../../../packages/dp/src/training/session.ts';
import { watchedEngine } from './support/watched-engine.ts';

const WIDTH = 30;
const CLASSES = 8;
const COUNT = 60;

const model = sequential({
  layers: [
    layers.dense({ units: 32, activation: 'tanh', inputShape: [WIDTH] }),
    layers.dense({ units: CLASSES, activation: 'softmax' }),
  ],
});
const topology = topologyOf(model);
const dimension = compileModel(model).parameterCount;
const start = Float64Array.from({ length: dimension }, (_, j) => 0.2 * Math.sin(3.7 * j));

/** Records, of which number 7 is spoilt where that is asked for. */
function examples(spoilt: boolean): NonNullable<SessionSpec['examples']> {
  const x = Float32Array.from({ length: COUNT * WIDTH }, (_, j) => Math.sin(1.3 * j) * 2);
  if (spoilt) x[7 * WIDTH + 3] = Infinity;
  return {
    count: COUNT,
    columns: [
      { name: 'x0', width: WIDTH, values: x },
      { name: 'y0', width: 1, values: Float32Array.from({ length: COUNT }, (_, i) => i % CLASSES) },
    ],
  };
}

type Change = Partial<Omit<SessionSpec, 'mechanism'>> & {
  readonly mechanism?: Partial<SessionSpec['mechanism']>;
  readonly spoilt?: boolean;
};

function specOf({ mechanism, spoilt = false, ...rest }: Change): SessionSpec {
  return {
    topology,
    frozen: new Float32Array(0),
    loss: 'sparseCategoricalCrossentropy',
    lossWeights: undefined,
    metrics: [],
    optimiser: { kind: 'sgd', learningRate: 0.5 },
    learningRateSchedule: undefined,
    average: undefined,
    mechanism: {
      sampleRate: 0.6,
      expectedBatchSize: 36,
      clipping: { kind: 'flat', norm: 1 },
      mode: 'fast',
      ...mechanism,
    } as SessionSpec['mechanism'],
    noiseMultiplier: 1,
    examples: examples(spoilt),
    userIds: undefined,
    state: { steps: 0, weights: start, optimiser: undefined, average: undefined, mechanism: undefined },
    statistics: [],
    physicalBatchSize: 8,
    memoryBudgetBytes: undefined,
    kinds: undefined,
    ...rest,
  } as SessionSpec;
}

interface Trained {
  readonly state: SessionState;
  readonly figures: readonly unknown[];
  /** Passes that ended steps. */
  readonly passes: number;
}

async function train(spec: SessionSpec, engine: Engine, steps = 3, noise?: NoiseSource): Promise<Trained> {
  const passes = vi.spyOn(FusedUpdate.prototype, 'run');
  const session = await openSession(spec, { engine, random: unsafeDeterministicRandom('fused'), noise });
  const figures: unknown[] = [];
  for (let i = 0; i < steps; i++) figures.push(await session.step());
  const state = await session.state();
  await session.close();
  const { length } = passes.mock.calls;
  passes.mockRestore();
  return { state, figures, passes: length };
}

/** Trains where there is no shared memory. */
async function trainPlainly(...args: Parameters<typeof train>): Promise<Trained> {
  vi.spyOn(FusedUpdate, 'open').mockReturnValue(undefined);
  try {
    return await train(...args);
  } finally {
    vi.restoreAllMocks();
  }
}

const cases: Readonly<Record<string, Change>> = {
  'plain descent': {},
  'one run per step': { physicalBatchSize: 64 },
  'a record whose gradient is not finite': { spoilt: true },
  'clipping by layer': { mechanism: { clipping: { kind: 'perLayer', norm: 1 } } },
  'adaptive clipping': { mechanism: { clipping: { kind: 'adaptive', norm: 1, countNoise: 4 } } },
  'users, whose records are clipped one by one': {
    mechanism: { unit: { kind: 'user', contributionBound: 2, combine: 'perRecord' } } as Partial<SessionSpec['mechanism']>,
    userIds: Array.from({ length: COUNT }, (_, i) => `user ${i >> 2}`),
  },
  'schedules, momentum and an average': {
    mechanism: {
      noiseSchedule: { kind: 'linear', from: 1, to: 0.5, steps: 4 },
      normSchedule: { kind: 'linear', from: 1, to: 2, steps: 4 },
    },
    optimiser: { kind: 'sgd', learningRate: 0.5, momentum: 0.9, nesterov: true },
    learningRateSchedule: { kind: 'linear', from: 1, to: 0, steps: 4 },
    average: { decay: 0.9 },
  },
  'adam without the noise’s variance, and figures': {
    optimiser: { kind: 'adam', learningRate: 0.05, noiseCorrection: { floor: 1e-3 } },
    statistics: [
      { name: 'batchSize', noiseMultiplier: 2, clip: 1, examplesPerUnit: 1 },
      { name: 'loss', noiseMultiplier: 2, clip: 3, examplesPerUnit: 1 },
      { name: 'nonFiniteExamples', noiseMultiplier: 2, clip: 1, examplesPerUnit: 1 },
    ],
    spoilt: true,
  },
};

const inThread = onnxEngine();
const engines: readonly Engine[] = [onnxEngine({ lanes: 2 }), inThread, referenceEngine];

afterEach(() => vi.restoreAllMocks());
afterAll(() => vi.restoreAllMocks());

describe('steps that end in one pass', () => {
  for (const [name, change] of Object.entries(cases)) {
    it(`train the same bits: ${name}`, async () => {
      for (const engine of name === 'plain descent' ? engines : [inThread]) {
        const spec = specOf(change);
        const fused = await train(spec, engine);
        const plain = await trainPlainly(spec, engine);
        expect(fused.passes).toBe(3);
        expect(plain.passes).toBe(0);
        expect(fused.state.weights).toEqual(plain.state.weights);
        expect(fused.state.weights).not.toEqual(start);
        expect(fused.state).toEqual(plain.state);
        expect(fused.figures).toEqual(plain.figures);
      }
    });
  }

  it('go on from a state as if they had never stopped', async () => {
    const change: Change = { optimiser: { kind: 'adam', learningRate: 0.05 }, average: { decay: 0.9 } };
    const { state } = await train(specOf(change), inThread, 2);
    expect(state.weights.buffer).toBeInstanceOf(ArrayBuffer);
    expect(state.optimiser!.slots.every(({ buffer }) => buffer instanceof ArrayBuffer)).toBe(true);
    const spec = specOf({ ...change, state });
    const resumed = await train(spec, inThread, 2);
    const plain = await trainPlainly(spec, inThread, 2);
    expect(resumed.state.weights).toEqual(plain.state.weights);
    expect(resumed.state.average).toEqual(plain.state.average);
    expect(resumed.state.optimiser).toEqual(plain.state.optimiser);
  });

  it('use noise that was drawn ahead once, and overwrite it', async () => {
    const drawn: Float64Array[] = [];
    const gridBits = 24;
    const source = (): NoiseSource => ({
      gridBits,
      dimension,
      take: () => {
        const values = Float64Array.from({ length: dimension }, (_, j) => Math.round(1e7 * Math.sin(j + drawn.length)));
        drawn.push(values);
        return Promise.resolve(new StepNoise(gridBits, values));
      },
    });
    const spec = specOf({ mechanism: { gridBits } });
    const fused = await train(spec, inThread, 2, source());
    expect(drawn).toHaveLength(2);
    for (const values of drawn.splice(0)) expect(values.every((value) => value === 0)).toBe(true);
    const plain = await trainPlainly(spec, inThread, 2, source());
    expect(fused.state.weights).toEqual(plain.state.weights);
  });

  it('keep no sums where a step fails before its end, so that the next one has none of them', async () => {
    const spec = specOf({ physicalBatchSize: 64 });
    const open = () => openSession(spec, { engine: inThread, random: unsafeDeterministicRandom('fails late') });
    const failing = await open();
    const end = vi.spyOn(FusedUpdate.prototype, 'run').mockImplementationOnce(() => {
      throw new Error('too late');
    });
    const wipe = vi.spyOn(BatchComputer.prototype, 'wipe');
    const add = vi.spyOn(FusedUpdate.prototype, 'add');
    await expect(failing.step()).rejects.toThrow(/a batch failed with the engine/);
    expect(end).toHaveBeenCalledTimes(1);
    expect(wipe).toHaveBeenCalledTimes(1);
    const parts = add.mock.calls[0]![0];
    expect(parts.every((part) => part.every((value) => value === 0))).toBe(true);
    // Whatever the first step drew, the second one moves the weights by its own gradient and noise alone.
    await failing.step();
    const passed = end.mock.contexts[1] as unknown as FusedUpdate;
    expect(passed.sums.every((_, i) => passed.isFree(i))).toBe(true);
    const moved = (await failing.state()).weights.map((value, j) => value - start[j]!);
    // Of each example at most 0.5/36, of noise 0.5/36 per coordinate.
    const most = (0.5 / 36) * (COUNT + 1.1 * Math.sqrt(dimension));
    expect(Math.hypot(...moved)).toBeLessThan(most);
    await failing.close();
  });

  it.each([
    ['looks at a sum as it comes where a gradient was out of range', 0, /use secure mode or another engine/],
    ['ends with the step where the engine spoils a sum of gradients that were not', 1, /restore a checkpoint into a new one/],
  ])('%s', async (_, ok, message) => {
    let trains = false;
    const spoiling = watchedEngine(async (name, own, ...given) => {
      const outputs = await own(...given);
      if (trains && name === 'clipped-sum') {
        outputs['s1']![3] = NaN;
        outputs['ok']![0] = ok;
      }
      return outputs;
    });
    const session = await openSession(specOf({}), { engine: spoiling, random: unsafeDeterministicRandom('spoils') });
    trains = true;
    await expect(session.step()).rejects.toThrow(message);
    await session.close();
  });

  it('keep copies of examples until the next step and no longer than the session', async () => {
    const inputs: Float32Array[] = [];
    const listening = watchedEngine((name, own, given, into) => {
      if (name === 'clipped-sum') inputs.push(given['x0'] as Float32Array);
      return own(given, into);
    });
    const session = await openSession(specOf({}), { engine: listening, random: unsafeDeterministicRandom('copies') });
    // What the check of places made up.
    inputs.length = 0;
    await session.step();
    expect(inputs.some((values) => values.some((value) => value !== 0))).toBe(true);
    await session.close();
    expect(inputs.every((values) => values.every((value) => value === 0))).toBe(true);
  });

  it('keep no sums where a run fails, and train on', async () => {
    let opened = false;
    let fails = false;
    const failing = watchedEngine(async (name, own, ...given) => {
      const outputs = await own(...given);
      if (fails && name === 'clipped-sum') throw new Error('out of memory');
      fails = opened && name === 'clipped-sum';
      return outputs;
    });
    const wipe = vi.spyOn(FusedUpdate.prototype, 'wipe');
    const session = await openSession(specOf({}), { engine: failing, random: unsafeDeterministicRandom('fails') });
    opened = true;
    await expect(session.step()).rejects.toThrow(/a batch failed with the engine/);
    expect(wipe).toHaveBeenCalledTimes(1);
    expect((await session.state()).weights).toEqual(start);
    fails = false;
    await session.close();
  });
});
