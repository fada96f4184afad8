/**
 * What the training of one model is made of, and how it opens sessions.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { systemRandom } from '@sotto/core/system-random';
import { nextFrame } from '@tensorflow/tfjs-core';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { TrainingAccount } from './account.ts';
import type { ExampleTable } from './examples.ts';
import type { ModelBinding } from './model-binding.ts';
import { modelOptions } from './option-names.ts';
import type { PrivateModelOptions, TrainableModel, TrainingOptions } from './options.ts';
import type { Progress } from './progress.ts';
import { serialSession } from './serial-session.ts';
import { openSession } from './open-session.ts';
import type { SessionSpec, SessionState, TrainingSession } from './session.ts';

/** See the module's description. */
export interface TrainingParts {
  readonly model: TrainableModel;
  readonly options: PrivateModelOptions;
  readonly mechanism: PlanWithoutNoise;
  readonly binding: ModelBinding;
  readonly account: TrainingAccount;
  readonly progress: Progress;
}

/** The options of the mechanism among all that `makePrivate` is told. */
export function mechanismOf(options: PrivateModelOptions): PlanWithoutNoise {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !(name in modelOptions))) as PlanWithoutNoise;
}

/**
 * Opens a session on some examples, or on none to evaluate only.
 *
 * @param state Where it goes on from.
 */
export async function openSessionOf(
  { options, mechanism, binding, account }: TrainingParts,
  examples: ExampleTable | undefined,
  { noise, userIds }: TrainingOptions,
  state: SessionState,
): Promise<TrainingSession> {
  const spec: SessionSpec = {
    topology: binding.topology,
    frozen: binding.frozen,
    loss: options.loss,
    lossWeights: options.lossWeights,
    kinds: options.kinds,
    metrics: options.metrics,
    optimiser: options.optimiser,
    learningRateSchedule: options.learningRateSchedule,
    average: options.average,
    mechanism,
    noiseMultiplier: account.plan.noiseMultiplier,
    examples,
    userIds,
    state,
    statistics: account.reports.step,
    physicalBatchSize: options.physicalBatchSize,
    memoryBudgetBytes: options.memoryBudgetBytes,
  };
  if (options.engine === undefined) {
    if (noise !== undefined)
      throw new SottoError('invalid-argument', 'noise is given, but training runs elsewhere, which draws its own; leave it out');
    return options.openSession!(spec);
  }
  const random = options.random ?? systemRandom;
  return serialSession(await openSession(spec, { engine: options.engine, random, noise, breathe: () => nextFrame() }));
}
