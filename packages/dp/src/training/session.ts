/**
 * A training session: the one place that holds private examples while a model is trained. Its caller asks for steps and gets back what a step may tell.
 *
 * {@link openSession} runs in the caller's thread; `@sotto/dp/node` runs the same behind a worker thread. A session is told everything by plain data, and what it
 * answers is private already (weights, noisy figures) or was computed from data outside the guarantee.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { compileModel } from '@sotto/core/model';
import type { LayerKind, Topology } from '@sotto/core/model';
import type { Engine } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { FusedUpdate } from '../fused/fused-update.ts';
import type { HelperData } from '../fused/fused-update.ts';
import type { NoiseSource, StepNoise } from '../noise/step-noise.ts';
import { checkNoiseFits } from '../noise/step-noise.ts';
import { createOptimiser } from '../optimiser/optimiser.ts';
import type { Optimiser, OptimiserOptions, OptimiserState } from '../optimiser/optimiser.ts';
import { WeightAverage } from '../optimiser/average.ts';
import type { AverageOptions, AverageState } from '../optimiser/average.ts';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { MechanismPlan, MechanismRun, MechanismState, PrivateStep } from '../plan/mechanism-plan.ts';
import { scheduleValue } from '../plan/schedule.ts';
import type { Schedule } from '../plan/schedule.ts';
import type { UserIds } from '../sampling/users.ts';
import { BatchComputer } from './batch-computer.ts';
import { DeviceTrainer } from './device-trainer.ts';
import { addToFigures, metricsOf, PublicSums } from './evaluation-logs.ts';
import type { EvaluationSums } from './evaluation-logs.ts';
import { withoutValues } from './engine-errors.ts';
import { Evaluator } from './evaluator.ts';
import type { ExampleTable } from './examples.ts';
import { batchPrograms, groupEndsOf } from './gradient-parts.ts';
import type { Metrics } from './metrics.ts';
import { createObjective } from './objective.ts';
import type { LossWeights, Losses } from './objective.ts';
import { choosePhysicalBatch, leastRuns } from './physical-batch.ts';
import type { PhysicalBatchOptions } from './physical-batch.ts';
import { planWith } from './plan-with.ts';
import { NoisyFigure } from './released-statistics.ts';
import type { Statistic } from './released-statistics.ts';
import { chooseResidence, onGrid } from './residence.ts';

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

/** From so many parameters on, one pass over shared memory is worth being compiled. */
const FUSED_DIMENSION = 2 ** 10;

/** Opens a session in this thread. */
export async function openSession(spec: SessionSpec, tools: SessionTools): Promise<TrainingSession> {
  const session = new Session(spec, tools);
  await session.prepare();
  return session;
}

class Session implements TrainingSession {
  readonly info: SessionInfo;
  readonly #spec: SessionSpec;
  readonly #metrics: number;
  readonly #random: RandomSource;
  readonly #run: MechanismRun | undefined;
  readonly #noise: NoiseSource | undefined;
  readonly #closeNoise: (() => Promise<void>) | undefined;
  /** Ends steps in one pass, where there are vectors and shared memory. */
  readonly #fused: FusedUpdate | undefined;
  readonly #helpers: { close(): Promise<void> } | undefined;
  readonly #computer: BatchComputer | undefined;
  /** Opens the trainer that keeps all on the device, where that is possible. */
  readonly #openDevice: (() => Promise<DeviceTrainer>) | undefined;
  #device: DeviceTrainer | undefined;
  readonly #evaluator: Evaluator;
  readonly #weights: Float64Array;
  readonly #optimiser: Optimiser;
  readonly #average: WeightAverage | undefined;
  #steps: number;

  constructor(spec: SessionSpec, tools: SessionTools) {
    const graph = compileModel(spec.topology, { kinds: spec.kinds });
    const { engine, random, breathe } = tools;
    const { frozen, state, examples } = spec;
    const accounted = planWith(spec.mechanism, spec.noiseMultiplier);
    const objective = createObjective(graph, spec.loss, spec.lossWeights);
    const metrics = metricsOf(graph, objective, spec.metrics);
    const lanes = engine.lanes ?? 1;
    const { mode } = accounted;
    const physical: PhysicalBatchOptions = {
      requested: spec.physicalBatchSize,
      memoryBudgetBytes: spec.memoryBudgetBytes,
      expectedBatchSize: accounted.expectedBatchSize,
      sampleRate: accounted.sampleRate,
      lanes,
      limit: accounted.maxFloatRows,
      returnsRows: mode !== 'fast',
      program: (n) => batchPrograms(graph, objective, n, accounted)[mode === 'fast' ? 'sum' : 'rows'],
    };
    const physicalBatchSize = choosePhysicalBatch(physical);
    const shared = { graph, engine, physicalBatchSize, frozen, breathe };
    const { plan, inMemory } = chooseResidence({
      spec,
      plan: accounted,
      engine,
      physicalBatchSize,
      dimension: graph.parameterCount,
      hasNoise: tools.noise !== undefined,
    });
    const onDevice = inMemory === undefined;
    const { choice } = engine as { readonly choice?: string };
    const { gridBits } = plan.grid;
    this.info = { engine: engine.name, lanes, physicalBatchSize, onDevice, inMemory, gridBits, choice, thread: 'caller' };
    this.#spec = spec;
    this.#metrics = metrics.length;
    this.#random = random;
    this.#evaluator = new Evaluator({ ...shared, objective, metrics });
    const dimension = graph.parameterCount;
    const helpers = tools.noise === undefined ? (tools.helpers?.count(dimension) ?? 0) : 0;
    const fuses = examples !== undefined && !onDevice && mode === 'fast' && dimension >= FUSED_DIMENSION;
    const { optimiser } = spec;
    const fused = fuses
      ? FusedUpdate.open({ dimension, optimiser, average: spec.average !== undefined, gridBits, lanes, helpers })
      : undefined;
    this.#fused = fused;
    this.#weights = fused?.setWeights(state.weights) ?? state.weights.slice();
    this.#steps = state.steps;
    this.#optimiser = createOptimiser(optimiser, dimension, fused === undefined ? undefined : (i) => fused.slots[i]!);
    if (state.optimiser !== undefined) this.#optimiser.restore(state.optimiser);
    if (spec.average !== undefined) {
      this.#average = new WeightAverage(spec.average, dimension, fused?.averaged);
      if (state.average !== undefined) this.#average.restore(state.average);
    }
    if (examples === undefined) return;
    const groupEnds = groupEndsOf(plan.clipping, graph);
    this.#run = plan.run({
      records: examples.count,
      dimension,
      random,
      ...(fused === undefined ? {} : { floats: fused }),
      ...(groupEnds === undefined ? {} : { groupEnds }),
      ...(spec.userIds === undefined ? {} : { userIds: spec.userIds }),
    });
    if (state.mechanism !== undefined) {
      const grid = spec.mechanism.gridBits === undefined ? onGrid(state.mechanism, gridBits) : state.mechanism;
      // One training goes on at a time, from the state that the last one left: no other run takes this one.
      this.#run.restore(grid, { sole: true });
    }
    const programs = batchPrograms(graph, objective, physicalBatchSize, plan);
    if (onDevice) {
      const { weights, optimiser: optimiserState } = state;
      this.#openDevice = () =>
        DeviceTrainer.open(examples, { ...shared, plan, programs, optimiser, random, weights, optimiserState });
    } else
      this.#computer = new BatchComputer(examples, {
        ...shared,
        leastRuns: leastRuns(physical, physicalBatchSize),
        programs,
        mode,
        random,
        fused,
      });
    if (fused !== undefined && helpers > 0) {
      const threads = Array.from({ length: helpers }, (_, i) => fused.helper(i + 1));
      this.#helpers = tools.helpers?.start(threads, gridBits);
    }
    const ahead = tools.noise === undefined && this.#helpers === undefined;
    const opened = ahead ? tools.openNoise?.(plan, dimension) : undefined;
    if (opened !== undefined) this.#closeNoise = () => opened.close();
    this.#noise = tools.noise ?? opened;
    if (this.#noise !== undefined) checkNoiseFits(this.#noise, gridBits, dimension);
  }

  async prepare(): Promise<void> {
    try {
      await this.#computer?.prepare(this.#weights);
      this.#device = await this.#openDevice?.();
    } catch (error) {
      await this.#closeNoise?.();
      await this.#helpers?.close();
      throw error;
    }
  }

  async step(charged?: number): Promise<Figures> {
    if (this.#run === undefined) throw new SottoError('internal', 'this session has no examples to train on');
    if (charged !== undefined && charged !== this.#run.position)
      throw new SottoError(
        'internal',
        `step ${charged} was charged, but step ${this.#run.position} would run; nothing was drawn`,
      );
    // Taken before any example is touched, so that when the source is asked does not depend on this step's batch.
    const noise = await this.#noise?.take();
    try {
      const { position } = this.#run;
      const step = this.#run.next();
      const figures = new StepFigures(this.#spec.statistics, step.batch.length);
      const { optimiser, learningRateSchedule } = this.#spec;
      const rate =
        learningRateSchedule === undefined ? undefined : optimiser.learningRate * scheduleValue(learningRateSchedule, position);
      await withoutValues(this.info.engine, async () => {
        if (this.#device === undefined) await this.#stepHere(step, figures, noise, rate);
        else await this.#device.step(step, noise, rate);
      });
      this.#steps++;
      return figures.release(this.#random);
    } finally {
      noise?.wipe();
    }
  }

  async #stepHere(
    step: PrivateStep,
    figures: StepFigures,
    noise: StepNoise | undefined,
    rate: number | undefined,
  ): Promise<void> {
    const fused = this.#fused;
    if (fused !== undefined) {
      await this.#stepFused(fused, step, figures, noise, rate);
      return;
    }
    await this.#computer!.addBatch(step, this.#weights, figures.losses);
    figures.nonFinite(step.nonFiniteExamples);
    const { sum, expectedBatchSize, standardDeviation } = step.release(noise);
    this.#optimiser.update(this.#weights, sum, rate, standardDeviation / expectedBatchSize, 1 / expectedBatchSize);
    this.#average?.update(this.#weights);
    // What was released has been used.
    this.#run?.reuse(sum);
  }

  async #stepFused(
    fused: FusedUpdate,
    step: PrivateStep,
    figures: StepFigures,
    noise: StepNoise | undefined,
    rate: number | undefined,
  ): Promise<void> {
    fused.check();
    const [optimiser, average] = [this.#optimiser, this.#average];
    try {
      await this.#computer!.addBatch(step, this.#weights, figures.losses);
      figures.nonFinite(step.nonFiniteExamples);
      step.releaseInto(({ unit, draw, expectedBatchSize, standardDeviation }) => {
        const noiseDeviation = standardDeviation / expectedBatchSize;
        fused.run({ unit, draw, optimiser, average, learningRate: rate, noiseDeviation, scale: 1 / expectedBatchSize });
      }, noise);
    } catch (error) {
      // Sums that no noise will hide are not kept, and must not count in another step.
      fused.wipe();
      throw error;
    }
  }

  async evaluate(examples: ExampleTable, mode: EvaluationMode): Promise<EvaluationSums> {
    this.#fused?.check();
    if (this.#device !== undefined) this.#weights.set(await this.#device.weights());
    const weights = this.#average !== undefined && this.#steps > 0 ? this.#average.values() : this.#weights;
    if (mode.kind === 'public') {
      const sums = new PublicSums(this.#metrics);
      await this.#evaluator.visit(examples, weights, (outputs, _begin, count) => sums.add(outputs, count));
      return sums.sums();
    }
    const figures = new Map(mode.statistics.map((each) => [each.name, new NoisyFigure(each)]));
    await this.#evaluator.visit(examples, weights, (outputs, _begin, count) => addToFigures(figures, outputs, count), true);
    const release = (name: string): number => figures.get(name)?.release(this.#random) ?? NaN;
    const [loss, count] = [release('loss'), release('count')];
    const values = Array.from({ length: this.#metrics }, (_, i) => release(`value${i}`));
    return { loss, count, values, weights: values.map(() => count) };
  }

  async state(): Promise<SessionState> {
    this.#fused?.check();
    if (this.#device !== undefined) {
      this.#weights.set(await this.#device.weights());
      this.#optimiser.restore(await this.#device.optimiserState());
    }
    return {
      steps: this.#steps,
      weights: this.#weights.slice(),
      optimiser: this.#optimiser.state(),
      average: this.#average?.state(),
      mechanism: this.#run?.state({ keepOrder: true }) ?? this.#spec.state.mechanism,
    };
  }

  async close(): Promise<void> {
    await this.#closeNoise?.();
    await this.#helpers?.close();
    this.#fused?.close();
    await this.#computer?.close();
    await this.#device?.close();
    await this.#evaluator.close();
  }
}

/** The figures of one step. */
class StepFigures {
  /** Listens to losses where some figure needs them. */
  readonly losses: ((losses: ArrayLike<number>, count: number) => void) | undefined;
  readonly #figures: ReadonlyMap<string, NoisyFigure>;

  constructor(statistics: readonly Statistic[], batchSize: number) {
    this.#figures = new Map(statistics.map((each) => [each.name, new NoisyFigure(each)]));
    for (let i = 0; i < batchSize; i++) this.#figures.get('batchSize')?.add(1);
    const loss = this.#figures.get('loss');
    if (loss !== undefined) {
      this.losses = (losses, count) => {
        for (let i = 0; i < count; i++) loss.add(losses[i]!);
      };
    }
  }

  nonFinite(count: number): void {
    for (let i = 0; i < count; i++) this.#figures.get('nonFiniteExamples')?.add(1);
  }

  release(random: RandomSource): Figures {
    return Object.fromEntries([...this.#figures].map(([name, figure]) => [name, figure.release(random)]));
  }
}
