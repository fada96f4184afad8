/**
 * Sotto's contenders: whole private steps as a training session takes them, and steps without noise or without privacy.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto';
import { compileModel, topologyOf } from '@sotto/core/model';
import type { ModelGraph } from '@sotto/core/model';
import { onnxEngine } from '@sotto/core/onnx';
import { sharedFloats } from '@sotto/core/ops';
import type { Engine, Program } from '@sotto/core/ops';
import { openNoiseThread } from '../../packages/dp/src/node/session-tools.ts';
import { updateHelpers } from '../../packages/dp/src/node/update-helpers.ts';
import { clippedSumProgram, plainSumProgram } from '../../packages/dp/src/training/gradient-programs.ts';
import { createObjective } from '../../packages/dp/src/training/objective.ts';
import type { Objective } from '../../packages/dp/src/training/objective.ts';
import { openSession } from '../../packages/dp/src/training/open-session.ts';
import type { SessionSpec, TrainingSession } from '../../packages/dp/src/training/session.ts';
import { stepper } from './contender.ts';
import type { Contender } from './contender.ts';
import type { BenchModel } from './models.ts';
import { PlainDescent } from './plain-descent.ts';

const LEARNING_RATE = 0.1;
const LOSS = 'sparseCategoricalCrossentropy';
const CLIPPING = { kind: 'flat', norm: 1 } as const;

const random = { fill: (target: Uint8Array): void => void randomFillSync(target) };

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

interface Examples {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Random digits, pixels or tokens. */
function examplesOf(model: BenchModel): Examples {
  const one = (): number => (model.tokens ? Math.floor(Math.random() * model.classes) : Math.random());
  return {
    x: Float32Array.from({ length: model.batch * sizeOf(model.inputShape) }, one),
    y: Float32Array.from({ length: model.batch * sizeOf(model.targetShape) }, () => Math.floor(Math.random() * model.classes)),
  };
}

/** A session that takes the whole table as its batch in every step. */
async function session(
  model: BenchModel,
  engine: Engine,
  mode: 'fast' | 'secure',
  weights: Float64Array,
  noiseAhead: boolean,
): Promise<TrainingSession> {
  const { x, y } = examplesOf(model);
  const built = model.build();
  const lanes = engine.lanes ?? 1;
  const spec: SessionSpec = {
    topology: topologyOf(built),
    frozen: new Float32Array(0),
    loss: LOSS,
    lossWeights: undefined,
    optimiser: { kind: 'sgd', learningRate: LEARNING_RATE },
    learningRateSchedule: undefined,
    average: undefined,
    mechanism: { sampleRate: 1, expectedBatchSize: model.batch, clipping: CLIPPING, mode },
    noiseMultiplier: 1,
    examples: {
      count: model.batch,
      columns: [
        { name: 'x0', width: sizeOf(model.inputShape), values: x },
        { name: 'y0', width: sizeOf(model.targetShape), values: y },
      ],
    },
    userIds: undefined,
    state: { steps: 0, weights, optimiser: undefined, average: undefined, mechanism: undefined },
    metrics: [],
    statistics: [],
    // The batch has the same size in every step, so that sums need no room for larger ones; rows are rounded while others are computed.
    physicalBatchSize: mode === 'fast' ? Math.ceil(model.batch / lanes) : undefined,
    memoryBudgetBytes: undefined,
  };
  return openSession(spec, {
    engine,
    random,
    helpers: updateHelpers(lanes - 1),
    openNoise: noiseAhead ? openNoiseThread : undefined,
  });
}

/** Forward, backward, sum and update, with a program that gives sums; without rounding to a grid and without noise. */
async function bareSteps(
  model: BenchModel,
  engine: Engine,
  graph: ModelGraph,
  program: (n: number) => Program,
): Promise<{ step: () => Promise<void>; close: () => Promise<void> }> {
  const lanes = engine.lanes ?? 1;
  const n = Math.ceil(model.batch / lanes);
  const compiled = await engine.compile(program(n));
  const { x, y } = examplesOf(model);
  const descent = new PlainDescent(graph.parameterCount, lanes, LEARNING_RATE / model.batch);
  const { parameters } = descent;
  parameters.set(initialWeights(graph));
  const slots = Array.from({ length: lanes }, (_, lane) => {
    const share = (values: Float32Array): Float32Array => {
      const width = values.length / model.batch;
      const part = sharedFloats(n * width);
      part.set(values.subarray(lane * n * width, Math.min(values.length, (lane + 1) * n * width)));
      return part;
    };
    const sum = descent.sums[lane]!;
    return {
      inputs: { parameters, x0: share(x), y0: share(y), mask: sharedFloats(n).fill(1) },
      into: Object.fromEntries(
        graph.trainable.map(({ offset, size }, i) => [`s${i}`, sum.subarray(offset, offset + size)] as const),
      ),
    };
  });
  return {
    step: async () => {
      await Promise.all(slots.map(({ inputs, into }) => compiled.run(inputs, into)));
      descent.step();
    },
    close: async () => {
      await descent.close();
      await compiled.dispose();
    },
  };
}

function initialWeights(graph: ModelGraph): Float64Array {
  return Float64Array.from({ length: graph.parameterCount }, () => 0.1 * (Math.random() - 0.5));
}

/** Names of Sotto's contenders. */
export const names = {
  plain: 'Sotto without privacy',
  before: 'Sotto private, before noise',
  fast: 'Sotto private, fast',
  secure: 'Sotto private, secure',
} as const;

/** The engine for so many threads: one thread without lanes is the calling one. */
export function engineFor(threads: number): Engine {
  return threads === 1 ? onnxEngine() : onnxEngine({ lanes: threads });
}

/** A private session as a contender, and how long it took from nothing to the end of its first step. */
export async function privateContender(
  model: BenchModel,
  threads: number,
  mode: 'fast' | 'secure',
): Promise<{ contender: Contender; firstStepMs: number }> {
  const graph = compileModel(model.build());
  const weights = initialWeights(graph);
  const begin = performance.now();
  const opened = await session(model, engineFor(threads), mode, weights, threads > 1);
  await opened.step();
  const firstStepMs = performance.now() - begin;
  return {
    contender: stepper(
      names[mode],
      () => opened.step(),
      () => opened.close(),
    ),
    firstStepMs,
  };
}

/** The steps that are not whole private ones. */
export async function bareContenders(model: BenchModel, threads: number): Promise<Contender[]> {
  const graph = compileModel(model.build());
  if (graph.parameterCount !== model.parameters) {
    throw new Error(`${model.name} has ${graph.parameterCount} parameters; the peers have ${model.parameters}`);
  }
  const objective: Objective = createObjective(graph, LOSS);
  const plain = await bareSteps(model, engineFor(threads), graph, (n) => plainSumProgram(graph, objective, n));
  const before = await bareSteps(model, engineFor(threads), graph, (n) => clippedSumProgram(graph, objective, n, CLIPPING));
  return [stepper(names.plain, plain.step, plain.close), stepper(names.before, before.step, before.close)];
}
