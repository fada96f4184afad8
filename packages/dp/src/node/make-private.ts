/**
 * `makePrivate` for Node: the same as that of `@sotto/dp`, with training off the caller's thread.
 *
 * @module
 */
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import { checkOptionsObject } from '../training/first-look.ts';
import type { ModelOptions, TrainableModel } from '../training/options.ts';
import { makePrivate as makePrivateWith } from '../training/private-model.ts';
import type { PrivateModel } from '../training/private-model.ts';
import { progressBar } from './progress-bar.ts';
import { threadSessions } from './training-thread.ts';
import type { TrainingThreadOptions } from './training-thread.ts';
import { checkEngineChoice } from './worker-engine.ts';

/** Options of {@link makePrivate}: those of `@sotto/dp`, with an engine by name. */
export type NodePrivateModelOptions = PlanWithoutNoise &
  Omit<ModelOptions, 'engine' | 'openSession' | 'openProgress' | 'random'> &
  TrainingThreadOptions;

/**
 * Prepares a model for private training in threads of their own: one that holds the examples and the account of a step, one for each lane of the engine, and for
 * large models those that help to end a step, or one that draws noise ahead. The caller's event loop only passes messages.
 */
export function makePrivate(model: TrainableModel, options: NodePrivateModelOptions): PrivateModel {
  checkOptionsObject(options);
  const { engine, lanes, ...rest } = options;
  checkEngineChoice(engine, lanes);
  const thread = { ...(engine === undefined ? {} : { engine }), ...(lanes === undefined ? {} : { lanes }) };
  return makePrivateWith(model, {
    ...(rest as PlanWithoutNoise & ModelOptions),
    openSession: threadSessions(thread),
    openProgress: (training) => progressBar({ training }),
  });
}
