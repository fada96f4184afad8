/**
 * A training session: the one place that holds private examples while a model is trained. Its caller asks for steps and gets back what a step may tell.
 *
 * `openSession` (open-session.ts) runs in the caller's thread; `@sotto/dp/node` runs the same behind a worker thread. A session is told everything by plain data, and what it
 * answers is private already (weights, noisy figures) or was computed from data outside the guarantee.
 *
 * @module
 */
import type { LayerKind, Topology } from '@sotto/core/model';
import type { Engine } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import type { HelperData } from '../fused/fused-update.ts';
import type { NoiseSource } from '../noise/step-noise.ts';
import type { OptimiserOptions, OptimiserState } from '../optimiser/optimiser.ts';
import type { AverageOptions, AverageState } from '../optimiser/average.ts';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { MechanismPlan, MechanismState } from '../plan/mechanism-plan.ts';
import type { Schedule } from '../plan/schedule.ts';
import type { UserIds } from '../sampling/users.ts';
import type { EvaluationSums } from './evaluation-logs.ts';
import type { ExampleTable } from './examples.ts';
import type { Metrics } from './metrics.ts';
import type { LossWeights, Losses } from './objective.ts';
import type { Statistic } from './released-statistics.ts';

/** Everything that a session is told when it opens. Plain data, so that it can cross to another thread. */
export interface SessionSpec {
  readonly topology: Topology;
  readonly frozen: Float32Array;
  readonly loss: Losses;
  readonly lossWeights: LossWeights | undefined;
  /** Functions, which do not cross to another thread. */
  readonly kinds?: readonly LayerKind[] | undefined;
  readonly metrics: Metrics | undefined;
  readonly optimiser: OptimiserOptions;
  /** Factors on the optimiser's learning rate by step. */
  readonly learningRateSchedule: Schedule | undefined;
  /** The average of the weights that is kept beside them. */
  readonly average: AverageOptions | undefined;
  readonly mechanism: PlanWithoutNoise;
  readonly noiseMultiplier: number;
  /** Private examples; none where the session only evaluates. */
  readonly examples: ExampleTable | undefined;
  /** Whose each example is, where users are hidden. */
  readonly userIds: UserIds | undefined;
  readonly state: SessionState;
  /** Figures that each step releases beside its gradient. */
  readonly statistics: readonly Statistic[];
  readonly physicalBatchSize: number | undefined;
  readonly memoryBudgetBytes: number | undefined;
}

/** What training changes. Nothing in it is more private than the weights, except the order of a shuffled epoch under way. */
export interface SessionState {
  /** Steps that these weights went through. */
  readonly steps: number;
  readonly weights: Float64Array;
  readonly optimiser: OptimiserState | undefined;
  readonly average: AverageState | undefined;
  /** The place in the schedule and the epoch, and the adaptive clip norm. */
  readonly mechanism: MechanismState | undefined;
}

/** What a step released, by name. */
export type Figures = Readonly<Record<string, number>>;

/** How examples are evaluated: plainly, for data outside the guarantee, or with noise on each sum. */
export type EvaluationMode = { readonly kind: 'public' } | { readonly kind: 'noisy'; readonly statistics: readonly Statistic[] };

/** What a session found out about itself; for messages and tests. */
export interface SessionInfo {
  readonly engine: string;
  readonly lanes: number;
  readonly physicalBatchSize: number;
  /** Whether weights, sums and the optimiser stay on the engine's device between steps. */
  readonly onDevice: boolean;
  /** Why they are in memory instead; undefined where they stay on the device. */
  readonly inMemory: string | undefined;
  /** The noise of a step has a standard deviation of 2 to this power grid units. Chosen coarser for a device, where nobody chose it. */
  readonly gridBits: number;
  /** How the engine was picked, where it was with `auto`. */
  readonly choice: string | undefined;
  /** Where steps run: in the thread of who called, or in one of their own. */
  readonly thread: 'caller' | 'worker';
}

/** A session. Calls must not overlap. */
export interface TrainingSession {
  readonly info: SessionInfo;
  /**
   * One private step. The caller has charged it already.
   *
   * @param position The number under which it was charged. Where it is not that of the step that would run, nothing is drawn.
   * @throws SottoError `internal` where the two differ
   */
  step(position?: number): Promise<Figures>;
  evaluate(examples: ExampleTable, mode: EvaluationMode): Promise<EvaluationSums>;
  /** The state after the last step. */
  state(): Promise<SessionState>;
  close(): Promise<void>;
}

/** Opens sessions: in this thread or elsewhere. */
export type SessionOpener = (spec: SessionSpec) => Promise<TrainingSession>;

/** What an in-thread session is given besides its specification. */
export interface SessionTools {
  readonly engine: Engine;
  readonly random: RandomSource;
  /** Draws noise ahead; it must fit the plan. Closed by its owner. */
  readonly noise?: NoiseSource | undefined;
  /** Makes a noise source for the plan, which is closed with the session; undefined where noise is better drawn within the step. */
  readonly openNoise?:
    ((plan: MechanismPlan, dimension: number) => (NoiseSource & { close(): Promise<void> }) | undefined) | undefined;
  /** Threads that help to end a step in `fast` mode and draw noise of their own, which is drawn within the step then. */
  readonly helpers?: UpdateHelpers | undefined;
  readonly breathe?: (() => Promise<void>) | undefined;
}

/** Starts threads that help with the pass that ends a step. */
export interface UpdateHelpers {
  /** How many are worth their start. A public figure. */
  count(dimension: number): number;
  /** Starts one for each of the given. */
  start(threads: readonly HelperData[], gridBits: number): { close(): Promise<void> };
}
