/**
 * The declarative task: record-level DP-SGD on a CSV file, with the noise that this owner's own budget asks for over the
 * planned rounds.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { onnxEngine } from '@sotto/core/onnx';
import type { Engine } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { createMechanismPlan, createRecordTrainer, planBudget } from '@sotto/dp';
import type { Topology } from '@sotto/core/model';
import { featureCount } from '../plan/tabular-spec.ts';
import { parseTable } from './tabular-data.ts';
import type { ClientTask, PreparedTask, TaskContext, TrainRequest, TrainResult } from './task.ts';

/** What the task is made of. */
export interface TabularTaskParts {
  readonly file: string;
  readonly crypto: CryptoProvider;
  /** A CSPRNG: sampling and noise come from it. */
  readonly random: RandomSource;
  /** Default: ONNX Runtime on the CPU. */
  readonly engine?: Engine | undefined;
}

/** Record-level DP-SGD on a CSV file. */
export function tabularTask(parts: TabularTaskParts): ClientTask {
  return { prepare: (context) => prepare(parts, context) };
}

async function prepare(parts: TabularTaskParts, { plan, party, budget }: TaskContext): Promise<PreparedTask> {
  const { crypto, random, file } = parts;
  const { clipNorm, learningRate, localSteps, adjacency } = plan.training;
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new SottoError('not-found', `${file} cannot be read; check task.file and its permissions`, { cause });
  });
  const data = parseTable(crypto, bytes, plan.data, file);
  const { sampleRate, expectedBatchSize } = party;
  const planned = planBudget({ ...budget, sampleRate, rounds: plan.rounds, stepsPerRound: localSteps, adjacency });
  const mechanism = createMechanismPlan({
    sampleRate,
    expectedBatchSize,
    clipping: { kind: 'flat', norm: clipNorm },
    noiseMultiplier: planned.noiseMultiplier,
  });
  const trainer = await createRecordTrainer({
    model: plan.model as unknown as Topology,
    loss: 'binaryCrossentropy',
    features: data.training.features,
    labels: data.training.labels,
    plan: mechanism,
    engine: parts.engine ?? onnxEngine(),
    random,
  });
  const train = async ({ weights }: TrainRequest): Promise<TrainResult> => {
    const start = joined(weights);
    const metrics = await trainer.evaluate(start, data.heldOut.features, data.heldOut.labels);
    const current = start.slice();
    for (let step = 0; step < localSteps; step++) {
      const { sum } = await trainer.noisyGradientSum(current);
      for (let i = 0; i < current.length; i++)
        current[i] = (current[i] ?? 0) - (learningRate * (sum[i] ?? 0)) / expectedBatchSize;
    }
    return { update: current.map((value, i) => value - (start[i] ?? 0)), metrics };
  };
  return {
    event: planned.roundEvent,
    filter: planned.filter,
    mechanism:
      `DP-SGD at the data owner: ${localSteps} step(s) a round on ${featureCount(plan.data)} features, Poisson sampling of records at rate ${sampleRate}, ` +
      `gradients clipped per record to norm ${clipNorm}, exact Gaussian noise of multiplier ${planned.noiseMultiplier} on the integer grid of their sum`,
    contentHash: crypto.sha256(bytes),
    train,
    close: () => trainer.close(),
  };
}

function joined(weights: readonly Float32Array[]): Float64Array {
  const flat = new Float64Array(weights.reduce((sum, tensor) => sum + tensor.length, 0));
  let offset = 0;
  for (const tensor of weights) {
    flat.set(tensor, offset);
    offset += tensor.length;
  }
  return flat;
}
