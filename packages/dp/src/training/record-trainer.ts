/**
 * Record-level private gradients of a model on one owner's records: what a data owner computes in a federated round.
 *
 * @module
 */
import type { LayersModelLike } from '@sotto/core/model';
import type { Engine } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import type { MechanismPlan, PrivateSum } from '../plan/mechanism-plan.ts';
import type { LossName } from './losses.ts';

/** What a trainer is made of. */
export interface RecordTrainerOptions {
  /** A `tf.LayersModel`, or its topology as `model.toJSON(null, false)` and `model.json` hold it. */
  readonly model: LayersModelLike | { readonly class_name: string; readonly config: unknown };
  readonly loss: LossName;
  /** Inputs, `[records, …input shape]` in row-major order. */
  readonly features: Float32Array;
  /** Targets, `[records, …target shape]` in row-major order; class ids for `sparseCategoricalCrossentropy`. */
  readonly labels: Float32Array;
  readonly plan: MechanismPlan;
  readonly engine: Engine;
  /** A CSPRNG, except in tests. */
  readonly random: RandomSource;
  /** Examples per run of the engine. It changes speed and memory, never the result's distribution. Default 64. */
  readonly physicalBatchSize?: number;
}

/** Labels counted on records that the caller declared outside the guarantee. */
export interface Evaluation {
  readonly correct: number;
  readonly total: number;
}

/** A trainer. Calls must not overlap. */
export interface RecordTrainer {
  /** D: trainable parameters, in the order of the model's layers and weights. */
  readonly parameterCount: number;
  readonly plan: MechanismPlan;
  /** One private step at the given weights: sample, per-example gradients, clip, sum, noise. Costs one `plan.event`. */
  noisyGradientSum(weights: Float64Array): Promise<PrivateSum>;
  /**
   * Counts right answers: the greatest output against the greatest target, or against the class id; with one output
   * per example, whether output and target are on the same side of 1/2. NOT private: only for records outside the guarantee.
   */
  evaluate(weights: Float64Array, features: Float32Array, labels: Float32Array): Promise<Evaluation>;
  close(): Promise<void>;
}
