/**
 * What `makePrivate` and `fit` are told.
 *
 * @module
 */
import type { LayerKind, LayersModelLike } from '@sotto/core/model';
import type { Engine } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NoiseSource } from '../noise/step-noise.ts';
import type { OptimiserOptions } from '../optimiser/optimiser.ts';
import type { AverageOptions } from '../optimiser/average.ts';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { Schedule } from '../plan/schedule.ts';
import type { UserIds } from '../sampling/users.ts';
import type { TrainingCallbacks } from './callbacks.ts';
import type { Tensors } from './inputs.ts';
import type { Metrics } from './metrics.ts';
import type { LossWeights, Losses } from './objective.ts';
import type { NoisyCount, NoisySum } from './released-statistics.ts';
import type { PrivateModel } from './private-model.ts';
import type { SessionOpener } from './session.ts';

/** A model whose weights can be written, as a `tf.LayersModel`'s can. */
export interface TrainableModel extends LayersModelLike {
  readonly weights: readonly (LayersModelLike['weights'][number] & { write(value: Tensor): unknown })[];
}

/**
 * How much privacy a training may cost: a budget for a number of steps or epochs, from which the noise is calculated, or a noise multiplier, whose cost is then
 * told by `privacySpent`.
 */
export type PrivacyTarget =
  | {
      readonly target: { readonly epsilon: number; readonly delta: number };
      readonly steps: number;
      readonly epochs?: never;
      readonly noiseMultiplier?: never;
    }
  | {
      readonly target: { readonly epsilon: number; readonly delta: number };
      readonly epochs: number;
      readonly steps?: never;
      readonly noiseMultiplier?: never;
    }
  | {
      readonly noiseMultiplier: number;
      readonly target?: never;
      /** How many steps or epochs are planned, at most one of them. Further ones are refused. Default: what the first training is told. */
      readonly steps?: number;
      readonly epochs?: number;
    };

/**
 * Figures on private data that training may tell. Each is off unless it is named here, each has noise of its own, and each is part of every `privacySpent`
 * and of a `target`.
 */
export interface ReportOptions {
  /** `loss` in the logs of steps and epochs: the sum of each example's loss, cut to ±clip, over the expected batch size. */
  readonly trainLoss?: NoisySum;
  /** `batchSize` in the logs: how many examples a step had. */
  readonly batchSize?: NoisyCount;
  /** `nonFiniteExamples` in the logs: examples whose gradient held a NaN or an infinity and so counted as zero. */
  readonly nonFiniteExamples?: NoisyCount;
  /**
   * For `validationData` that are private: sums of losses (cut to ±clip), of right answers by each accuracy, and of examples, each with this noise multiplier, at the end of an epoch. They are
   * accounted on top of the training, as if the same people were in both. Where users are hidden, each counts with at most `contributionBound` examples, and the noise is for all of them.
   */
  readonly validation?: NoisySum & {
    /** With a `target`: how many evaluations to plan for. Default: one per epoch. */
    readonly evaluations?: number;
  };
}

/** Options of `makePrivate` besides those of the mechanism. */
export interface ModelOptions {
  /** As tfjs takes it: a loss for all outputs, a list or a map by output name. */
  readonly loss: Losses;
  readonly lossWeights?: LossWeights;
  /** Further layer kinds, or other rules for known ones. Each is checked to keep examples apart; that its gradient is right is up to its author. */
  readonly kinds?: readonly LayerKind[];
  /** What validation and `evaluate` tell beside the loss. Default: the accuracy of each output whose loss is a crossentropy. */
  readonly metrics?: Metrics;
  readonly optimiser: OptimiserOptions;
  /** Factors on `optimiser.learningRate` by step. */
  readonly learningRateSchedule?: Schedule;
  /** Keeps an exponential moving average of the weights, which then is what the model gets and what is evaluated. */
  readonly average?: AverageOptions;
  readonly privacy: PrivacyTarget;
  /** Runs the programs in this thread. One of `engine` and `openSession` must be given. */
  readonly engine?: Engine;
  /** Trains somewhere else, such as in the worker of `@sotto/dp/node`. */
  readonly openSession?: SessionOpener;
  /** Makes the callbacks that draw progress for `fit`'s `progress`, such as `progressBar` of `@sotto/dp/node`. */
  readonly openProgress?: (training: PrivateModel) => TrainingCallbacks;
  /** Figures on private data that may be told. Default: none. */
  readonly report?: ReportOptions;
  /** Examples per run of the engine. Performance only. */
  readonly physicalBatchSize?: number;
  /** The most bytes that tensors of a step may take on all lanes together; the physical batch is made small enough. Performance only. */
  readonly memoryBudgetBytes?: number;
  /** Default: the platform's CSPRNG. Anything else is for tests. */
  readonly random?: RandomSource;
}

/** Options of `makePrivate`. Those of the mechanism are public constants: they must not be computed from the private data. */
export type PrivateModelOptions = PlanWithoutNoise & ModelOptions;

/**
 * Data to evaluate on at the end of epochs. `outsideGuarantee: true` declares that nobody in them is promised anything: they are evaluated plainly. Otherwise they are
 * private, and `report.validation` must say with which noise they are told about.
 */
export interface ValidationData {
  readonly x: Tensors;
  readonly y: Tensors;
  readonly outsideGuarantee?: boolean;
  /** Whose each example is; needed for private ones where the mechanism's `unit` is the user. Of a user with more than `contributionBound` examples a random subset counts. */
  readonly userIds?: UserIds;
}

/** What all ways of training take. */
export interface TrainingOptions {
  readonly validationData?: ValidationData;
  /** Epochs between evaluations. Default 1. */
  readonly validationFrequency?: number;
  /** Steps that count as an epoch. Default: 1/sampleRate, rounded, in which an example takes part once on average. */
  readonly stepsPerEpoch?: number;
  /** Whose each example is, by a number or a string; needed where the mechanism's `unit` is the user. Sequences of examples of one user need not be together. */
  readonly userIds?: UserIds;
  /** Draws the steps' noise ahead; see `RecordTrainerOptions.noise`. Build it from this model's `plan` and `graph.parameterCount`. */
  readonly noise?: NoiseSource;
}

/** Options of `steps`. Who writes a loop decides when to evaluate: on data outside the guarantee, by `evaluate`. */
export interface StepsOptions extends Pick<TrainingOptions, 'userIds' | 'noise'> {
  readonly steps: number;
}

/** Options of `fit`. Give `epochs` or `steps`; with a target, the default is all that it planned. */
export interface FitOptions extends TrainingOptions {
  readonly epochs?: number;
  readonly steps?: number;
  /** The number of the first epoch, for logs. */
  readonly initialEpoch?: number;
  readonly callbacks?: TrainingCallbacks | readonly TrainingCallbacks[];
  /** Draws progress with `openProgress`, which `makePrivate` of `@sotto/dp/node` sets. */
  readonly progress?: boolean;
  /** Called after each step. Return false to stop early; what it sees is already private. */
  readonly onStep?: (report: StepReport) => boolean | void;
  /**
   * Saves a checkpoint every so many steps. Each counts the steps until the next one as spent already, so that a crash between them never hides one; the last,
   * when training ends, counts what was spent.
   */
  readonly checkpoints?: { readonly everySteps: number; readonly save: (checkpoint: Uint8Array) => void | Promise<void> };
  /** Ends training after the step in hand, with `cancelled`; the weights are those of that step. */
  readonly signal?: { readonly aborted: boolean };
}

/** Options of `fitDataset`. */
export interface FitDatasetOptions extends FitOptions {
  /** The most bytes that the data set may take in memory. Default 1 GiB. */
  readonly memoryLimitBytes?: number;
}

/** What one step made known: noisy figures that `report` asked for, and nothing else about private data. */
export interface StepReport {
  /** Steps of these weights so far, over all calls. */
  readonly step: number;
  /** By the names of {@link ReportOptions}: `loss`, `batchSize`, `nonFiniteExamples`. */
  readonly figures: Readonly<Record<string, number>>;
}

/** An evaluation on data outside the guarantee: the mean `loss` of an example, the number of examples, and each metric by name. */
export interface PublicEvaluation {
  readonly loss: number;
  readonly count: number;
  /** Share of right answers, where there is one output whose loss is a crossentropy. */
  readonly acc?: number;
  readonly [metric: string]: number | undefined;
}
