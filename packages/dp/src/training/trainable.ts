/**
 * The model behind `makePrivate`: what its methods do, in terms of the account, the runs and the checkpoints.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import type { ModelGraph } from '@sotto/core/model';
import { systemRandom } from '@sotto/core/system-random';
import { WeightAverage } from '../optimiser/average.ts';
import { createOptimiser } from '../optimiser/optimiser.ts';
import type { MechanismPlan, MechanismState } from '../plan/mechanism-plan.ts';
import { checkSchedule } from '../plan/schedule.ts';
import { TrainingAccount } from './account.ts';
import type { Extension } from './planned.ts';
import { callbackList } from './callbacks.ts';
import type { History, TrainingCallbacks } from './callbacks.ts';
import { checkReports } from './costs.ts';
import { materialiseDataset } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { checkCountable, publicEvaluation } from './evaluation-logs.ts';
import { runFit } from './fit.ts';
import { checkOptionsObject, firstLook } from './first-look.ts';
import type { PrivacySpent } from './guarantee.ts';
import type { Tensors } from './inputs.ts';
import { bindModel } from './model-binding.ts';
import { restoreModelCheckpoint, writeModelCheckpoint } from './model-checkpoint.ts';
import { checkTrainingOptions } from './option-names.ts';
import type {
  FitDatasetOptions,
  FitOptions,
  PrivateModelOptions,
  PublicEvaluation,
  StepReport,
  StepsOptions,
  TrainableModel,
} from './options.ts';
import { planWith } from './plan-with.ts';
import type { PrivateModel } from './private-model.ts';
import { Progress } from './progress.ts';
import type { SessionInfo } from './session.ts';
import { writeStatement } from './statement.ts';
import { mechanismOf, openSessionOf } from './training-parts.ts';
import type { TrainingParts } from './training-parts.ts';
import { openRun } from './training-run.ts';

/** The accounts of each model, which are as many as were made private of it. Nothing is kept alive by it. */
const accountsOf = new WeakMap<TrainableModel, TrainingAccount[]>();

function remember(model: TrainableModel, account: TrainingAccount): void {
  accountsOf.set(model, [...(accountsOf.get(model) ?? []), account]);
}

/** Steps that other accounts of the model were charged. */
function stepsElsewhere(model: TrainableModel, account: TrainingAccount): number {
  return (accountsOf.get(model) ?? []).reduce((sum, other) => (other === account ? sum : sum + other.count('step')), 0);
}

/** See {@link PrivateModel}. */
export class Trainable implements PrivateModel {
  readonly graph: ModelGraph;
  readonly #parts: TrainingParts;
  readonly #account: TrainingAccount;
  readonly #progress: Progress;

  constructor(model: TrainableModel, options: PrivateModelOptions) {
    checkOptionsObject(options);
    if ((options.engine === undefined) === (options.openSession === undefined)) {
      throw new SottoError(
        'invalid-argument',
        'engine is missing: give an engine such as onnxEngine(), or use makePrivate of @sotto/dp/node, which has one',
      );
    }
    firstLook(model, options);
    const mechanism = mechanismOf(options);
    const binding = bindModel(model, options);
    this.graph = binding.graph;
    if (options.learningRateSchedule !== undefined)
      checkSchedule('learningRateSchedule', options.learningRateSchedule, 'nonNegative');
    // Made and dropped: they check their options, which are needed only when a session opens.
    void createOptimiser(options.optimiser, 1);
    void (options.average === undefined ? undefined : new WeightAverage(options.average, 1));
    if (options.report?.validation !== undefined) checkCountable(binding.metrics);
    this.#account = new TrainingAccount({
      mechanism,
      privacy: options.privacy,
      reports: checkReports(options.report, planWith(mechanism, 1), binding.metrics.length),
      evaluations: options.report?.validation?.evaluations,
    });
    this.#progress = new Progress(binding);
    this.#parts = { model, options, mechanism, binding, account: this.#account, progress: this.#progress };
    remember(model, this.#account);
  }

  get plan(): MechanismPlan {
    return this.#account.plan;
  }

  get stepsPerEpoch(): number {
    return this.plan.stepsPerEpoch;
  }

  get stepsLeft(): number {
    return this.#account.stepsLeft;
  }

  get target(): Extension['target'] | undefined {
    return this.#account.target;
  }

  get info(): SessionInfo | undefined {
    return this.#progress.info;
  }

  async fit(x: Tensors, y: Tensors, options: FitOptions = {}): Promise<History> {
    checkTrainingOptions('fit', options);
    const steps = this.#stepsOf(options);
    const callbacks = this.#callbacksOf(options);
    const run = await openRun(this.#parts, x, y, options, steps);
    return runFit(run, this.#parts.binding.model, {
      ...options,
      callbacks,
      steps,
      stepsPerEpoch: options.stepsPerEpoch ?? this.stepsPerEpoch,
    });
  }

  #callbacksOf({ callbacks, progress }: FitOptions): readonly TrainingCallbacks[] {
    const given = callbackList(callbacks);
    if (progress !== true) return given;
    const { openProgress } = this.#parts.options;
    if (openProgress === undefined) {
      throw new SottoError(
        'invalid-argument',
        'progress is true, but nothing here can draw it; use makePrivate of @sotto/dp/node, or callbacks such as its progressBar',
      );
    }
    return [...given, openProgress(this)];
  }

  async fitDataset(dataset: Dataset, options: FitDatasetOptions = {}): Promise<History> {
    checkTrainingOptions('fit', options);
    const { xs, ys } = await materialiseDataset(dataset, this.#parts.binding, options.memoryLimitBytes);
    return this.fit(xs, ys, options);
  }

  async *steps(x: Tensors, y: Tensors, options: StepsOptions): AsyncGenerator<StepReport, void, void> {
    checkTrainingOptions('steps', options);
    const count = integer('steps', options.steps, 1);
    const run = await openRun(this.#parts, x, y, options, count);
    try {
      for (let i = 0; i < count; i++) yield await run.step();
    } finally {
      await run.close();
    }
  }

  #stepsOf({ steps, epochs, stepsPerEpoch }: FitOptions): number {
    if (steps !== undefined && epochs !== undefined)
      throw new SottoError('invalid-argument', `steps is ${steps} and epochs ${epochs}; give one of them`);
    // Also where steps are given: epochs of no step would never end.
    const perEpoch = stepsPerEpoch === undefined ? this.stepsPerEpoch : integer('stepsPerEpoch', stepsPerEpoch, 1);
    if (steps !== undefined) return integer('steps', steps, 1);
    if (epochs !== undefined) return integer('epochs', epochs, 1) * perEpoch;
    if (Number.isFinite(this.stepsLeft)) return Math.max(1, this.stepsLeft);
    throw new SottoError('invalid-argument', 'epochs is missing; without a target, say for how many epochs or steps to train');
  }

  async evaluate(x: Tensors, y: Tensors, options: { readonly outsideGuarantee: true }): Promise<PublicEvaluation> {
    if ((options as { readonly outsideGuarantee?: boolean } | undefined)?.outsideGuarantee !== true) {
      throw new SottoError(
        'invalid-argument',
        'evaluate tells plain figures; declare the data outsideGuarantee: true, or have private ones reported through validationData and report.validation',
      );
    }
    const { binding } = this.#parts;
    const examples = await binding.readExamples(x, y, 'x', 'y');
    this.#progress.outsideData = true;
    const open = this.#progress.session;
    if (open === undefined) this.#progress.takeModelWeights();
    const session = open ?? (await openSessionOf(this.#parts, undefined, {}, this.#progress.state));
    try {
      return publicEvaluation(binding.metrics, await session.evaluate(examples, { kind: 'public' }));
    } finally {
      if (session !== open) await session.close();
    }
  }

  async syncWeights(): Promise<void> {
    await this.#progress.fetchState();
    this.#progress.writeWeights();
  }

  extend(more: Extension): void {
    this.#progress.mustRest('extend');
    this.#account.extend(more);
    const { state } = this.#progress;
    this.#progress.state = { ...state, mechanism: this.#withClipNorm(state.mechanism?.clipNorm) };
  }

  /** The first state of the present plan, with a norm that steps of another plan have adapted. It was released already. */
  #withClipNorm(clipNorm: number | undefined): MechanismState | undefined {
    if (clipNorm === undefined) return undefined;
    const users = this.plan.unit.kind === 'user' ? { userIds: [] } : {};
    return { ...this.plan.run({ records: 0, dimension: 1, random: systemRandom, ...users }).state(), clipNorm };
  }

  event(): DpEvent {
    return this.#account.event();
  }

  privacySpent(delta?: number): PrivacySpent {
    return this.#account.spent(delta);
  }

  privacyStatement(delta?: number): string {
    const { mechanism, options } = this.#parts;
    const { random } = options;
    const { plan } = this;
    return writeStatement({
      plan,
      onGrids: [...this.#progress.grids].map((gridBits) => planWith({ ...mechanism, gridBits }, plan.noiseMultiplier)),
      parameterCount: this.graph.parameterCount,
      delta: this.#account.deltaOr(delta),
      answer: this.privacySpent(delta),
      plannedSteps: this.#account.plannedSteps,
      charges: this.#account.charges(),
      weightSteps: this.#progress.state.steps,
      evaluations: this.#account.count('evaluation'),
      reports: this.#account.reports,
      extensions: this.#account.extensions,
      outsideData: this.#progress.outsideData,
      systemRandom: random === undefined || random === systemRandom,
      stepsElsewhere: stepsElsewhere(this.#parts.model, this.#account),
    });
  }

  checkpoint(): Promise<Uint8Array> {
    return writeModelCheckpoint(this.#parts);
  }

  async restore(checkpoint: Uint8Array): Promise<void> {
    this.#progress.mustRest('restore');
    await restoreModelCheckpoint(this.#parts, checkpoint);
  }
}
