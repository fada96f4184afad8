/**
 * Record-level private gradients of a model on one owner's records: what a data owner computes in a federated round.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { compileModel } from '@sotto/core/model';
import type { LayersModelLike, ModelGraph, Topology } from '@sotto/core/model';
import { sizeOf } from '@sotto/core/ops';
import type { Engine } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { checkNoiseFits } from '../noise/step-noise.ts';
import type { NoiseSource } from '../noise/step-noise.ts';
import type { MechanismPlan, MechanismRun, PrivateSum } from '../plan/mechanism-plan.ts';
import type { UserIds } from '../sampling/users.ts';
import { BatchComputer } from './batch-computer.ts';
import { withoutValues } from './engine-errors.ts';
import { Evaluator } from './evaluator.ts';
import { tableOf } from './examples.ts';
import type { ColumnSpec, ExampleTable } from './examples.ts';
import { batchPrograms, frozenWeights, groupEndsOf } from './gradient-parts.ts';
import type { LossName } from './losses.ts';
import { createObjective } from './objective.ts';
import type { Objective } from './objective.ts';

/** What a trainer is made of. */
export interface RecordTrainerOptions {
  /** A `tf.LayersModel`, or its topology as `model.toJSON(null, false)` and `model.json` hold it. */
  readonly model: LayersModelLike | Topology;
  readonly loss: LossName;
  /** Inputs, `[records, …input shape]` in row-major order. */
  readonly features: Float32Array;
  /** Targets, `[records, …target shape]` in row-major order; class ids for `sparseCategoricalCrossentropy`. */
  readonly labels: Float32Array;
  readonly plan: MechanismPlan;
  /** Whose each record is, where the plan hides users. */
  readonly userIds?: UserIds;
  readonly engine: Engine;
  /** A CSPRNG, except in tests. */
  readonly random: RandomSource;
  /**
   * Draws the noise of steps ahead, such as `createNoiseWorker` of `@sotto/dp/node`; it must be built for this plan and model, and stays
   * the caller's to close. By default noise is drawn within the step, from `random`. Performance only.
   */
  readonly noise?: NoiseSource;
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
  /** One private step at the given weights: sample, per-example gradients, clip, sum, noise. Costs what the plan says for the next step. */
  noisyGradientSum(weights: Float64Array): Promise<PrivateSum>;
  /**
   * Counts right answers: the greatest output against the greatest target, or against the class id; with one output
   * per example, whether output and target are on the same side of 1/2. NOT private: only for records outside the guarantee.
   */
  evaluate(weights: Float64Array, features: Float32Array, labels: Float32Array): Promise<Evaluation>;
  close(): Promise<void>;
}

const DEFAULT_PHYSICAL_BATCH = 64;

/** Builds a trainer: compiles the model for the engine and checks the data's shapes. */
export async function createRecordTrainer(options: RecordTrainerOptions): Promise<RecordTrainer> {
  const graph = compileModel(options.model);
  if (graph.parameterCount === 0)
    throw new SottoError('invalid-argument', 'the model has no trainable parameters; unfreeze a layer');
  const frozen = frozenWeights(options.model, graph);
  if (graph.inputShapes.length !== 1 || graph.outputs.length !== 1) {
    throw new SottoError(
      'unsupported',
      `the model has ${graph.inputShapes.length} inputs and ${graph.outputs.length} outputs; a record trainer takes one of each`,
    );
  }
  if (options.noise !== undefined) checkNoiseFits(options.noise, options.plan.grid.gridBits, graph.parameterCount);
  const objective = createObjective(graph, options.loss);
  const physicalBatchSize = Math.min(
    options.plan.maxFloatRows,
    integer('physicalBatchSize', options.physicalBatchSize ?? DEFAULT_PHYSICAL_BATCH, 1, 2 ** 20),
  );
  const trainer = new Trainer(options, graph, objective, physicalBatchSize, frozen);
  await trainer.prepare();
  return trainer;
}

class Trainer implements RecordTrainer {
  readonly parameterCount: number;
  readonly plan: MechanismPlan;
  readonly #noise: NoiseSource | undefined;
  readonly #run: MechanismRun;
  readonly #engine: string;
  readonly #computer: BatchComputer;
  readonly #evaluator: Evaluator;
  readonly #columns: readonly [ColumnSpec, ColumnSpec];
  readonly #outputWidth: number;

  constructor(
    options: RecordTrainerOptions,
    graph: ModelGraph,
    objective: Objective,
    physicalBatchSize: number,
    frozen: Float32Array,
  ) {
    const { plan, engine, random, userIds } = options;
    const column = (name: string, argument: string, shape: readonly number[]): ColumnSpec => ({
      name,
      argument,
      shape,
      width: sizeOf(shape),
    });
    this.parameterCount = graph.parameterCount;
    this.plan = plan;
    this.#noise = options.noise;
    this.#engine = engine.name;
    this.#outputWidth = sizeOf(graph.outputShapes[0]!);
    this.#columns = [column('x0', 'features', graph.inputShapes[0]!), column('y0', 'labels', objective.targetShapes[0]!)];
    const table = this.#table(options.features, options.labels);
    const groupEnds = groupEndsOf(plan.clipping, graph);
    this.#run = plan.run({
      records: table.count,
      dimension: graph.parameterCount,
      random,
      ...(groupEnds === undefined ? {} : { groupEnds }),
      ...(userIds === undefined ? {} : { userIds }),
    });
    const shared = { graph, engine, physicalBatchSize, frozen };
    const programs = batchPrograms(graph, objective, physicalBatchSize, plan);
    this.#computer = new BatchComputer(table, { ...shared, programs, mode: plan.mode, random });
    this.#evaluator = new Evaluator({ ...shared, objective });
  }

  #table(features: Float32Array, labels: Float32Array): ExampleTable {
    return tableOf(this.#columns, [features, labels]);
  }

  prepare(): Promise<void> {
    return this.#computer.prepare();
  }

  async noisyGradientSum(weights: Float64Array): Promise<PrivateSum> {
    this.#checkWeights(weights);
    // Taken before any record is touched, so that when the source is asked does not depend on this step's batch.
    const noise = await this.#noise?.take();
    try {
      const step = this.#run.next();
      await withoutValues(this.#engine, () => this.#computer.addBatch(step, weights));
      return step.release(noise);
    } catch (error) {
      this.#computer.wipe();
      throw error;
    } finally {
      noise?.wipe();
    }
  }

  async evaluate(weights: Float64Array, features: Float32Array, labels: Float32Array): Promise<Evaluation> {
    this.#checkWeights(weights);
    const table = this.#table(features, labels);
    const { width } = this.#columns[1];
    let correct = 0;
    await this.#evaluator.visit(table, weights, ({ o0 }, begin, count) => {
      for (let row = 0; row < count; row++) {
        const output = o0!.subarray(row * this.#outputWidth, (row + 1) * this.#outputWidth);
        if (isRight(output, labels.subarray((begin + row) * width, (begin + row + 1) * width))) correct++;
      }
    });
    return { correct, total: table.count };
  }

  async close(): Promise<void> {
    await this.#computer.close();
    await this.#evaluator.close();
  }

  #checkWeights(weights: Float64Array): void {
    if (weights.length !== this.parameterCount) {
      throw new SottoError(
        'invalid-argument',
        `weights has ${weights.length} numbers; the model has ${this.parameterCount} parameters`,
      );
    }
  }
}

function isRight(output: ArrayLike<number>, target: ArrayLike<number>): boolean {
  if (output.length === 1) return output[0]! > 0.5 === target[0]! > 0.5;
  const wanted = target.length === 1 ? target[0]! : argMax(target);
  return argMax(output) === wanted;
}

function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
