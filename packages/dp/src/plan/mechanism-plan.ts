/**
 * One object that owns the sampler, the clipping, the noise and the privacy event of every step, so that what is accounted
 * cannot differ from what ran.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Adjacency, DpEvent, PrivacyUnit } from '@sotto/core/event';
import type { RandomSource } from '@sotto/core/random';
import type { Clipping } from '../clip/clipping.ts';
import { floatSlack, maxFloatRows } from '../clip/float-slack.ts';
import { createGrid } from '../clip/grid.ts';
import type { Grid } from '../clip/grid.ts';
import type { BitSource } from '../noise/bit-source.ts';
import { ExactGaussian } from '../noise/exact-gaussian.ts';
import { createFastGaussian } from '../noise/fast-gaussian.ts';
import type { FastGaussian } from '../noise/fast-gaussian.ts';
import type { NoiseValues } from '../noise/step-noise.ts';
import { adjacencyOf, mostUnits, stepsPerEpoch } from '../sampling/sampling.ts';
import type { Sampling } from '../sampling/sampling.ts';
import { chargeOfStep, chargesOf, composeCharges, isStationary } from './events.ts';
import { checkPlan, gradientNoiseOf, noiseAt } from './options.ts';
import type { MechanismPlanOptions, PlanUnit, SampledPlanOptions } from './options.ts';
import { Run } from './run.ts';
import type { MechanismRun, RunOptions } from './mechanism-run.ts';
import { scheduleRange, scheduleValue } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import type { FloatSums, PrivateStep } from './private-step.ts';
import type { DrawNoise } from './step.ts';

export type { MechanismPlanOptions, MechanismSettings, PlanUnit, SampledPlanOptions } from './options.ts';
export type { MechanismRun, MechanismState, RestoreOptions, RunOptions } from './mechanism-run.ts';
export type { EngineClipping, PrivateStep, PrivateSum } from './private-step.ts';

/** A DP-SGD mechanism: sampling, clipping on an integer grid, exact rounded Gaussian noise, and what they cost. */
export interface MechanismPlan {
  readonly sampling: Sampling;
  /** q of (truncated) Poisson sampling. Undefined with batches of fixed size, for which the figure of Poisson sampling does not hold. */
  readonly sampleRate: number | undefined;
  readonly expectedBatchSize: number;
  /** The rule with its defaults filled in; `norm` is that of the first step where norms change. */
  readonly clipping: Clipping;
  /** σ as it is accounted, before the schedule's factor. */
  readonly noiseMultiplier: number;
  readonly noiseSchedule: Schedule;
  readonly normSchedule: Schedule;
  readonly mode: 'secure' | 'fast';
  readonly unit: PlanUnit;
  /** The neighbours and the unit that the events are about, for the options of `epsilonOf` and `deltaOf`. */
  readonly relation: { readonly adjacency: Adjacency; readonly unit: PrivacyUnit };
  /** The most units of a step; infinite for `poisson`. */
  readonly maxBatchSize: number;
  /** Steps in which a unit takes part once, on average or exactly: 1/q rounded, or the batches of an epoch. */
  readonly stepsPerEpoch: number;
  /** The integer grid of the first step in `secure` mode. `gridBits` is the same at every step. */
  readonly grid: Grid;
  /** `fast` mode: the most rows of one `addSum`, which bounds the rounding of float32 sums; infinite in `secure` mode. */
  readonly maxFloatRows: number;
  /** By how much, relatively, the noise is raised for a model of D parameters: 0 in `secure` mode. */
  slack(dimension: number): number;
  /**
   * The event of one step, where all steps cost the same. Reading it throws `unsupported` with shuffled batches or scheduled noise, where no event of one step times the
   * number of steps is right: use {@link eventOfSteps}.
   */
  readonly event: DpEvent;
  /** What step number `step` (from 0) of a run adds to the account: an epoch of shuffled batches is charged whole at its first step, its other steps are `noOp`. */
  eventOfStep(step: number): DpEvent;
  /** The event of the first `count` steps of a run. An epoch of shuffled batches counts whole. */
  eventOfSteps(count: number): DpEvent;
  /** Begins a training under this plan. */
  run(options: RunOptions): MechanismRun;
  /**
   * Draws the batch of one step by itself. Every record of the batch must be added to the step before it is released. Refused (`unsupported`) where
   * steps depend on each other or on users: use {@link run}.
   *
   * @param populationSize Records in the private data set.
   * @param dimension Coordinates of a gradient.
   * @param groupEnds Where each group of coordinates that is clipped by itself ends, for `perLayer` clipping.
   * @param random Where sample and noise come from; a CSPRNG except in tests.
   */
  begin(populationSize: number, dimension: number, random: RandomSource, groupEnds?: readonly number[]): PrivateStep;
}

/** Builds a plan. Throws `invalid-argument` on a value out of range or a combination that has no sound account. */
export function createMechanismPlan(options: MechanismPlanOptions | SampledPlanOptions): MechanismPlan {
  const plan = checkPlan(options);
  const { sampling, expectedBatchSize, clipping, noiseMultiplier, noiseSchedule, normSchedule, gridBits, mode, unit } = plan;
  const maxBatchSize = mostUnits(sampling);
  const rowsPerUnit = unit.kind === 'user' && unit.combine === 'perRecord' ? unit.contributionBound : 1;
  const mostNoise = gradientNoiseOf(clipping, noiseMultiplier * scheduleRange(noiseSchedule)[1]);
  const maxRows = maxBatchSize * rowsPerUnit;
  const slack = (dimension: number): number =>
    mode === 'secure'
      ? 0
      : floatSlack({ dimension, maxBatchSize: maxRows, maxFloatRows: maxFloatRows(maxRows) }) +
        2 * Math.sqrt(dimension) * (mostNoise / 2 ** gridBits);
  const drawNoise = noiseDrawer(gridBits);
  const stationary = isStationary(plan);
  const event = stationary ? chargeOfStep(plan, 0) : undefined;
  const alone = stationary && clipping.kind !== 'adaptive' && unit.kind === 'record' && normSchedule === 1;
  const mostFloatRows = mode === 'fast' ? maxFloatRows(maxRows) : Infinity;
  const run = (runOptions: RunOptions): Run => {
    const { memory } = runOptions.floats ?? {};
    const draw = memory === undefined ? drawNoise : noiseDrawer(gridBits, memory);
    return new Run({ plan, slack, maxFloatRows: mostFloatRows, drawNoise: draw, stepEvent: event }, runOptions);
  };
  const built: Omit<MechanismPlan, 'event'> = {
    sampling,
    sampleRate: 'sampleRate' in sampling ? sampling.sampleRate : undefined,
    expectedBatchSize,
    clipping,
    noiseMultiplier,
    noiseSchedule,
    normSchedule,
    mode,
    unit,
    relation: Object.freeze({ adjacency: adjacencyOf(sampling), unit: unit.kind }),
    maxBatchSize,
    maxFloatRows: mostFloatRows,
    stepsPerEpoch: stepsPerEpoch(sampling),
    grid: createGrid(clipping.norm * scheduleValue(normSchedule, 0), gradientNoiseOf(clipping, noiseAt(plan, 0)), gridBits),
    slack,
    eventOfStep: (step: number) => event ?? chargeOfStep(plan, integer('step', step, 0)),
    eventOfSteps: (count: number) => composeCharges(chargesOf(plan, integer('count', count, 0))),
    run,
    begin: (records: number, dimension: number, random: RandomSource, groupEnds?: readonly number[]) => {
      if (!alone) {
        throw new SottoError('unsupported', 'steps of this plan depend on each other or on users; begin them by run(…).next()');
      }
      return run({ records, dimension, random, ...(groupEnds === undefined ? {} : { groupEnds }) }).next();
    },
  };
  Object.defineProperty(built, 'event', {
    // Where it would throw it is not listed, so that a plan can be printed and copied.
    enumerable: event !== undefined,
    get(): DpEvent {
      if (event !== undefined) return event;
      throw new SottoError(
        'unsupported',
        `steps of this plan (sampling ${sampling.kind}) have no event of their own that could be multiplied; ask eventOfSteps, or event of a run`,
      );
    },
  });
  return Object.freeze(built as MechanismPlan);
}

/** Below so many coordinates the table of the fast sampler costs more than it saves. Both samplers have the same distribution. */
const FEW_COORDINATES = 1024;

/** @param shared A memory that noise is asked for in. */
function noiseDrawer(gridBits: number, shared?: FloatSums['memory']): DrawNoise {
  let sampler: FastGaussian | undefined;
  return (target: NoiseValues, bits: BitSource, dimension: number): void => {
    if (dimension < FEW_COORDINATES) {
      const few = new ExactGaussian(bits, gridBits);
      for (let j = 0; j < target.length; j++) target[j] = few.next();
      return;
    }
    sampler ??= createFastGaussian(gridBits, { shared });
    sampler.fill(target, bits);
  };
}
