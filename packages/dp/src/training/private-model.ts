/**
 * `makePrivate`: differentially private training of a `tf.LayersModel`, in the same process as the rest of a product.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import { compileModel } from '@sotto/core/model';
import type { LayersModelLike, ModelGraph } from '@sotto/core/model';
import type { Engine } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { tensor } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { PrivacyAnswer } from '../accounting/accountant.ts';
import { epsilonOf } from '../accounting/answer.ts';
import { calibrateNoiseMultiplier } from '../accounting/calibrate.ts';
import type { Clipping } from '../clip/clipping.ts';
import type { NoiseSource } from '../noise/step-noise.ts';
import { createOptimiser } from '../optimiser/optimiser.ts';
import type { Optimiser, OptimiserOptions, OptimiserState } from '../optimiser/optimiser.ts';
import { createMechanismPlan } from '../plan/mechanism-plan.ts';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import { createRecordTrainer } from './record-trainer.ts';
import type { Evaluation, RecordTrainer } from './record-trainer.ts';
import type { LossName } from './losses.ts';

/** A model whose weights can be written, as a `tf.LayersModel`'s can. */
export interface TrainableModel extends LayersModelLike {
  readonly weights: readonly (LayersModelLike['weights'][number] & { write(value: Tensor): unknown })[];
}

/** Rows of numbers: a tensor, or anything that looks like one. */
export interface Rows {
  readonly shape: readonly number[];
  dataSync(): ArrayLike<number>;
}

/** How much privacy a training may cost: a budget for a number of steps, or a noise multiplier. */
export type PrivacyTarget =
  | { readonly target: { readonly epsilon: number; readonly delta: number }; readonly steps: number }
  | { readonly noiseMultiplier: number };

/** Options of {@link makePrivate}. Those of the mechanism are public constants: they must not be computed from the private data. */
export interface PrivateModelOptions {
  readonly loss: LossName;
  readonly optimiser: OptimiserOptions;
  readonly clipping: Clipping;
  /** The probability with which each example takes part in a step. */
  readonly sampleRate: number;
  /** What sums are divided by. */
  readonly expectedBatchSize: number;
  readonly privacy: PrivacyTarget;
  readonly engine: Engine;
  /** Default `secure`; see `MechanismPlanOptions.mode`. */
  readonly mode?: 'secure' | 'fast';
  /** Examples per run of the engine. Performance only. */
  readonly physicalBatchSize?: number;
  /** Default: the platform's CSPRNG. Anything else is for tests. */
  readonly random?: RandomSource;
}

/** How long to train, and what to report on data outside the guarantee. */
export interface FitOptions {
  readonly steps: number;
  /** Draws the steps' noise ahead; see `RecordTrainerOptions.noise`. Build it from this model's `plan` and `graph.parameterCount`. */
  readonly noise?: NoiseSource;
  /** Evaluated without any protection: give only data that are declared outside the guarantee. */
  readonly publicValidation?: { readonly x: Rows; readonly y: Rows; readonly everySteps?: number };
  /** Called after each step. Return false to stop early; what it sees is already private. */
  readonly onStep?: (report: StepReport) => boolean | void;
}

/** What one step made known. Losses and counts of the private data are not among it: each would be a release of its own. */
export interface StepReport {
  /** Steps of this model so far, over all calls. */
  readonly step: number;
  readonly publicValidation?: Evaluation;
}

/** Everything that is needed to go on later. Contains no private data. */
export interface PrivateCheckpoint {
  readonly steps: number;
  readonly weights: Float64Array;
  readonly optimiser: OptimiserState;
}

/** A model under private training. Calls must not overlap. */
export interface PrivateModel {
  readonly plan: MechanismPlan;
  readonly graph: ModelGraph;
  /** Trains on private examples and writes the weights back into the model. */
  fit(x: Rows, y: Rows, options: FitOptions): Promise<readonly StepReport[]>;
  /** The same, one step at a time, for loops of one's own. */
  steps(x: Rows, y: Rows, options: Omit<FitOptions, 'onStep'>): AsyncGenerator<StepReport, void, void>;
  /** The event of all steps so far. */
  event(): DpEvent;
  /** ε of all steps so far at a δ. */
  privacySpent(delta: number): PrivacyAnswer;
  /** What is guaranteed, in words, with what is not. */
  privacyStatement(delta: number): string;
  checkpoint(): PrivateCheckpoint;
  /** Goes on from a checkpoint. Steps that were spent since stay spent. */
  restore(checkpoint: PrivateCheckpoint): void;
}

/** Prepares a model for private training. Throws `unsupported`, with the layer and the cure, where it has no private gradient. */
export function makePrivate(model: TrainableModel, options: PrivateModelOptions): PrivateModel {
  return new Trainable(model, options);
}

class Trainable implements PrivateModel {
  readonly plan: MechanismPlan;
  readonly graph: ModelGraph;
  readonly #model: TrainableModel;
  readonly #options: PrivateModelOptions;
  readonly #weights: Float64Array;
  readonly #optimiser: Optimiser;
  readonly #maxSteps: number;
  #steps = 0;

  constructor(model: TrainableModel, options: PrivateModelOptions) {
    const { privacy, sampleRate, expectedBatchSize, clipping, mode } = options;
    this.#model = model;
    this.#options = options;
    this.graph = compileModel(model);
    let noiseMultiplier: number;
    if ('target' in privacy) {
      this.#maxSteps = integer('privacy.steps', privacy.steps, 1);
      noiseMultiplier = calibrateNoiseMultiplier({
        ...privacy.target,
        sampleRate,
        steps: privacy.steps,
        adjacency: 'addOrRemoveOne',
      }).value;
    } else {
      this.#maxSteps = Infinity;
      noiseMultiplier = privacy.noiseMultiplier;
    }
    this.plan = createMechanismPlan({
      sampleRate,
      expectedBatchSize,
      clipping,
      noiseMultiplier,
      ...(mode === undefined ? {} : { mode }),
    });
    this.#weights = readWeights(model, this.graph);
    this.#optimiser = createOptimiser(options.optimiser, this.graph.parameterCount);
  }

  async fit(x: Rows, y: Rows, options: FitOptions): Promise<readonly StepReport[]> {
    const history: StepReport[] = [];
    for await (const report of this.steps(x, y, options)) {
      history.push(report);
      if (options.onStep?.(report) === false) break;
    }
    return history;
  }

  async *steps(x: Rows, y: Rows, options: Omit<FitOptions, 'onStep'>): AsyncGenerator<StepReport, void, void> {
    const count = integer('steps', options.steps, 1);
    if (this.#steps + count > this.#maxSteps) {
      throw new SottoError(
        'budget-exhausted',
        `steps is ${count}; ${this.#maxSteps - this.#steps} of the ${this.#maxSteps} steps that the budget was calibrated for are left`,
      );
    }
    const trainer = await this.#trainer(x, y, options.noise);
    try {
      for (let i = 0; i < count; i++) {
        // Charged before anything is drawn: a step that fails half way is spent.
        this.#steps++;
        const { sum, expectedBatchSize } = await trainer.noisyGradientSum(this.#weights);
        for (let j = 0; j < sum.length; j++) sum[j]! /= expectedBatchSize;
        this.#optimiser.update(this.#weights, sum);
        yield await this.#report(trainer, options, i + 1 === count);
      }
    } finally {
      writeWeights(this.#model, this.graph, this.#weights);
      await trainer.close();
    }
  }

  async #report(trainer: RecordTrainer, { publicValidation }: Omit<FitOptions, 'onStep'>, last: boolean): Promise<StepReport> {
    const step = this.#steps;
    if (publicValidation === undefined || (!last && step % (publicValidation.everySteps ?? 1) !== 0)) return { step };
    const { x, y } = publicValidation;
    return {
      step,
      publicValidation: await trainer.evaluate(
        this.#weights,
        toFloats('publicValidation.x', x),
        toFloats('publicValidation.y', y),
      ),
    };
  }

  #trainer(x: Rows, y: Rows, noise: NoiseSource | undefined): Promise<RecordTrainer> {
    const { loss, engine, physicalBatchSize } = this.#options;
    return createRecordTrainer({
      model: this.#model,
      loss,
      features: toFloats('x', x),
      labels: toFloats('y', y),
      plan: this.plan,
      engine,
      random: this.#options.random ?? systemRandom,
      ...(physicalBatchSize === undefined ? {} : { physicalBatchSize }),
      ...(noise === undefined ? {} : { noise }),
    });
  }

  event(): DpEvent {
    return this.#steps === 0 ? { type: 'noOp' } : { type: 'selfComposed', count: this.#steps, event: this.plan.event };
  }

  privacySpent(delta: number): PrivacyAnswer {
    return epsilonOf(this.event(), { delta, adjacency: 'addOrRemoveOne' });
  }

  privacyStatement(delta: number): string {
    const { plan } = this;
    const answer = this.privacySpent(delta);
    const slack = plan.slack(this.graph.parameterCount);
    return [
      `The weights are (${answer.upper.toPrecision(4)}, ${delta})-differentially private for each record (adding or removing one), by ${answer.method}.`,
      `Mechanism: ${this.#steps} steps of Poisson sampling at rate ${plan.sampleRate}, ${plan.clipping.kind} clipping to norm ${plan.clipping.norm}, Gaussian noise of ${plan.noiseMultiplier} clip norms.`,
      plan.mode === 'secure'
        ? 'Sensitivity was verified in integers for every example, and the noise is an exact rounded Gaussian.'
        : `Clipped sums were computed in 32-bit floats; the noise is an exact rounded Gaussian, raised by a relative ${slack.toPrecision(3)} for rounding. A batch above ${plan.maxBatchSize} examples is cut, which adds less than 1e-13·(1 + e^ε) per step to δ.`,
      'Outside the guarantee: the data given as publicValidation, the options of the mechanism, the initial weights, and how long a step takes.',
    ].join('\n');
  }

  checkpoint(): PrivateCheckpoint {
    return { steps: this.#steps, weights: this.#weights.slice(), optimiser: this.#optimiser.state() };
  }

  restore(checkpoint: PrivateCheckpoint): void {
    if (checkpoint.weights.length !== this.#weights.length) {
      throw new SottoError(
        'invalid-argument',
        `the checkpoint has ${checkpoint.weights.length} weights; the model has ${this.#weights.length}`,
      );
    }
    this.#steps = Math.max(this.#steps, integer('checkpoint.steps', checkpoint.steps, 0));
    this.#weights.set(checkpoint.weights);
    this.#optimiser.restore(checkpoint.optimiser);
    writeWeights(this.#model, this.graph, this.#weights);
  }
}

function toFloats(name: string, rows: Rows): Float32Array {
  const data = rows.dataSync() as ArrayLike<unknown>;
  if (typeof data[0] === 'string')
    throw new SottoError('invalid-argument', `${name} holds strings; encode them as numbers, such as class ids`);
  return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>);
}

function weightByName<W extends LayersModelLike['weights'][number]>(weights: readonly W[], name: string): W {
  const found =
    weights.find((weight) => weight.name.replace(/_\d+$/, '') === name) ?? weights.find((weight) => weight.name === name);
  if (found === undefined) throw new SottoError('internal', `the model has no weight ${name}`);
  return found;
}

function readWeights(model: LayersModelLike, graph: ModelGraph): Float64Array {
  const flat = new Float64Array(graph.parameterCount);
  for (const spec of graph.trainable)
    flat.set(Float64Array.from(weightByName(model.weights, spec.name).read().dataSync()), spec.offset);
  return flat;
}

function writeWeights(model: TrainableModel, graph: ModelGraph, flat: Float64Array): void {
  for (const spec of graph.trainable) {
    const value = tensor(Float32Array.from(flat.subarray(spec.offset, spec.offset + spec.size)), [...spec.shape]);
    weightByName(model.weights, spec.name).write(value);
    value.dispose();
  }
}
