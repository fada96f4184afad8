/**
 * A session in the thread that calls: it draws, computes, releases and updates.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { compileModel } from '@sotto/core/model';
import type { RandomSource } from '@sotto/core/random';
import { FusedUpdate } from '../fused/fused-update.ts';
import type { NoiseSource, StepNoise } from '../noise/step-noise.ts';
import { checkNoiseFits } from '../noise/step-noise.ts';
import { createOptimiser } from '../optimiser/optimiser.ts';
import type { Optimiser } from '../optimiser/optimiser.ts';
import { WeightAverage } from '../optimiser/average.ts';
import type { MechanismRun, PrivateStep } from '../plan/mechanism-plan.ts';
import { scheduleValue } from '../plan/schedule.ts';
import { BatchComputer } from './batch-computer.ts';
import { DeviceTrainer } from './device-trainer.ts';
import { addToFigures, metricsOf, PublicSums } from './evaluation-logs.ts';
import type { EvaluationSums } from './evaluation-logs.ts';
import { withoutValues } from './engine-errors.ts';
import { Evaluator } from './evaluator.ts';
import type { ExampleTable } from './examples.ts';
import { batchPrograms, groupEndsOf } from './gradient-parts.ts';
import { createObjective } from './objective.ts';
import { choosePhysicalBatch, leastRuns } from './physical-batch.ts';
import type { PhysicalBatchOptions } from './physical-batch.ts';
import { planWith } from './plan-with.ts';
import { NoisyFigure } from './released-statistics.ts';
import { chooseResidence, onGrid } from './residence.ts';
import type {
  EvaluationMode,
  Figures,
  SessionInfo,
  SessionSpec,
  SessionState,
  SessionTools,
  TrainingSession,
} from './session.ts';
import { StepFigures } from './step-figures.ts';

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
      runMultiple: engine.runMultiple,
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
    } catch (error) {
      this.#computer?.wipe();
      throw error;
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
