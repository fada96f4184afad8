/**
 * `makePrivate`: differentially private training of a `tf.LayersModel`, in the same process as the rest of a product.
 *
 * @module
 */
import type { DpEvent } from '@sotto/core/event';
import type { ModelGraph } from '@sotto/core/model';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import type { Extension } from './planned.ts';
import type { History } from './callbacks.ts';
import type { Dataset } from './dataset.ts';
import type { PrivacySpent } from './guarantee.ts';
import type { Tensors } from './inputs.ts';
import type {
  FitDatasetOptions,
  FitOptions,
  PrivateModelOptions,
  PublicEvaluation,
  StepReport,
  StepsOptions,
  TrainableModel,
} from './options.ts';
import type { SessionInfo } from './session.ts';
import { Trainable } from './trainable.ts';

/** A model under private training. Calls must not overlap. */
export interface PrivateModel {
  /** The mechanism of the next step. */
  readonly plan: MechanismPlan;
  readonly graph: ModelGraph;
  /** Steps in an epoch, unless `fit` is told otherwise. */
  readonly stepsPerEpoch: number;
  /** Steps that the target still pays for; infinite without a target. */
  readonly stepsLeft: number;
  /** The budget that all steps together keep to; undefined where a noise multiplier was given. */
  readonly target: { readonly epsilon: number; readonly delta: number } | undefined;
  /** How the present training computes, or the last one: engine, device, sizes, and why it was chosen so. Undefined before the first. */
  readonly info: SessionInfo | undefined;
  /** Trains on private examples and writes the weights back into the model. Resolves with what the callbacks saw. */
  fit(x: Tensors, y: Tensors, options?: FitOptions): Promise<History>;
  /**
   * Trains on a data set of batches `{xs, ys}`, such as a `tf.data.Dataset`, which is read into memory once: sampling needs every example at every step. Each example that it gives is a
   * record of its own: `repeat()`, augmentation and overlapping windows make several of one, and the guarantee is for one of them unless `unit` is the user and `userIds` name whose they
   * are. `userIds` are by the order of reading, which must be the same each time: `shuffle()` changes it.
   */
  fitDataset(dataset: Dataset, options?: FitDatasetOptions): Promise<History>;
  /** One step at a time, for loops of one's own. */
  steps(x: Tensors, y: Tensors, options: StepsOptions): AsyncGenerator<StepReport, void, void>;
  /** Evaluates plainly, without any protection: only for data that are declared outside the guarantee. */
  evaluate(x: Tensors, y: Tensors, options: { readonly outsideGuarantee: true }): Promise<PublicEvaluation>;
  /** Writes the weights of the last step into the tfjs model, in the middle of `steps` or of a callback. */
  syncWeights(): Promise<void>;
  /**
   * Plans further steps after a finished run, to a greater target in total, with noise of their own. What is decided after results were seen is kept to the target by an RDP filter, not by a
   * total, so that it gets a little more noise than a run planned at once. The target must have been set before the first result was seen; the statement says so. Throws `invalid-argument`
   * where what was spent leaves nothing.
   */
  extend(more: Extension): void;
  /** The event of everything spent so far: steps, reported figures and evaluations. */
  event(): DpEvent;
  /**
   * ε at a δ; the target's by default. `upper` is a guarantee that holds also where somebody looked at results before deciding to stop or to go on: until all that was planned has run it is
   * the cost of the whole plan. `ifFixedBeforehand` is the total of what was charged so far.
   */
  privacySpent(delta?: number): PrivacySpent;
  /** What is guaranteed, in words, with what is not. */
  privacyStatement(delta?: number): string;
  /** Everything that is needed to go on later, as bytes. Contains no private data. */
  checkpoint(): Promise<Uint8Array>;
  /**
   * Goes on from a checkpoint of the same model and options, `privacy` among them. What was spent since, here or there, stays spent. The target becomes the checkpoint's:
   * that of the options, or what `extend` made of it before the checkpoint was written.
   */
  restore(checkpoint: Uint8Array): Promise<void>;
}

/** Prepares a model for private training. Throws `unsupported`, with the layer and the cure, where it has no private gradient. */
export function makePrivate(model: TrainableModel, options: PrivateModelOptions): PrivateModel {
  return new Trainable(model, options);
}
