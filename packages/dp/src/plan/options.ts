/**
 * What a mechanism plan is made of, checked and completed. All of it is public and must not depend on the private records.
 *
 * @module
 */
import { integer, oneOf, positive, probability, show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { checkClipping } from '../clip/clipping.ts';
import type { AdaptiveClipping, Clipping } from '../clip/clipping.ts';
import { createGrid, defaultGridBits } from '../clip/grid.ts';
import { gradientNoise } from '../clip/quantile.ts';
import { knownKeys } from '../known-keys.ts';
import { checkSampling, expectedUnits, mostUnits, truncationCap } from '../sampling/sampling.ts';
import type { Sampling } from '../sampling/sampling.ts';
import { checkSchedule, isConstant, scheduleRange, scheduleValue } from './schedule.ts';
import type { Schedule } from './schedule.ts';

/** Whose presence is hidden: a record's, or a user's with all the user's records. */
export type PlanUnit =
  | { readonly kind: 'record' }
  | {
      /** Users are sampled, and all limits and noise are for a whole user. The run is given the records' `userIds`. */
      readonly kind: 'user';
      /** The most records of one user in a step; a user with more takes part with a random subset. */
      readonly contributionBound: number;
      /**
       * `mean` (the default): the mean of the user's gradients is clipped to C, which needs the `secure` mode where the bound is above 1. `perRecord`: every record's gradient is clipped
       * to C/`contributionBound`, so that the user's sum stays within C; it works in both modes and loses more.
       */
      readonly combine?: 'mean' | 'perRecord';
    };

/** What all plans have, whatever their sampling. */
export interface MechanismSettings {
  readonly clipping: Clipping;
  /** σ: the noise's standard deviation on the sum, in clip norms. Greater than 0. */
  readonly noiseMultiplier: number;
  /** Factors on the noise multiplier by step. Each step is accounted with its own noise. */
  readonly noiseSchedule?: Schedule;
  /** Factors on `clipping.norm` by step; the noise follows, so that the cost stays. Not with `adaptive` clipping. */
  readonly normSchedule?: Schedule;
  /** k of `createGrid`; by default about 2²⁴ grid steps lie within the clip norm. */
  readonly gridBits?: number;
  /**
   * `secure` (the default): every example is rounded to the grid and its norm verified in integers. `fast`: the engine adds clipped gradients in
   * float32, and the noise is raised by a stated slack that bounds what rounding can add to the sensitivity. Both assume that an engine computes a
   * row from that row alone, wherever in the batch it is; see "What both modes assume" in docs/training.md.
   */
  readonly mode?: 'secure' | 'fast';
  /** Default: the record. */
  readonly unit?: PlanUnit;
}

/** A plan with Poisson sampling, in short. */
export interface MechanismPlanOptions extends MechanismSettings {
  /** The probability with which each unit takes part in a step, in (0, 1]. */
  readonly sampleRate: number;
  /** The batch size that a sum is divided by: a public constant, not the size of the batch that was drawn. */
  readonly expectedBatchSize: number;
  /**
   * `fast` mode: the most units of a step, a public constant; a larger draw is cut to a random subset, and accounted so. The default is exceeded with a
   * probability below 1e-13, by at most (1.05·expectedBatchSize + 1)/sampleRate units, which is the most that the plan accepts.
   */
  readonly maxBatchSize?: number;
  readonly sampling?: never;
}

/** A plan with any sampling. */
export interface SampledPlanOptions extends MechanismSettings {
  readonly sampling: Sampling;
  /** The batch size that a sum is divided by; needed with `poisson`, else by default what the sampling expects. */
  readonly expectedBatchSize?: number;
  readonly sampleRate?: never;
  readonly maxBatchSize?: never;
}

/** The options of a plan, complete. */
export interface CheckedPlan {
  readonly sampling: Sampling;
  readonly expectedBatchSize: number;
  readonly clipping: Clipping;
  readonly noiseMultiplier: number;
  readonly noiseSchedule: Schedule;
  readonly normSchedule: Schedule;
  readonly gridBits: number;
  readonly mode: 'secure' | 'fast';
  readonly unit: Required<PlanUnit>;
}

/** σ of a step, as it is accounted. */
export function noiseAt(plan: Pick<CheckedPlan, 'noiseMultiplier' | 'noiseSchedule'>, step: number): number {
  return plan.noiseMultiplier * scheduleValue(plan.noiseSchedule, step);
}

/** The noise multiplier of the gradient alone: above σ where a count is paid from the same σ. */
export function gradientNoiseOf(clipping: Clipping, noiseMultiplier: number): number {
  return clipping.kind === 'adaptive'
    ? gradientNoise(noiseMultiplier, (clipping as AdaptiveClipping).countNoise)
    : noiseMultiplier;
}

const MEMBERS: readonly (keyof MechanismPlanOptions)[] = [
  'sampling',
  'sampleRate',
  'expectedBatchSize',
  'maxBatchSize',
  'clipping',
  'noiseMultiplier',
  'noiseSchedule',
  'normSchedule',
  'gridBits',
  'mode',
  'unit',
];

const EXAMPLES = {
  sampling: "{kind: 'poisson', sampleRate: 0.01}",
  unit: "{kind: 'user', contributionBound: 4}",
} as const;

/** Checks options and fills in what they leave out. Throws `invalid-argument`. */
export function checkPlan(options: MechanismPlanOptions | SampledPlanOptions): CheckedPlan {
  // Configuration files reach this without a type check.
  knownKeys('', options, MEMBERS);
  for (const name of ['sampling', 'unit'] as const) {
    const value: unknown = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'object' || value === null) {
      throw new SottoError(
        'invalid-argument',
        `${name} is ${show(value)}; it must be an object with a kind, such as ${EXAMPLES[name]}`,
      );
    }
  }
  const mode = oneOf('mode', options.mode ?? 'secure', ['secure', 'fast']);
  const unit = checkUnit(options.unit, mode);
  const sampling = samplingOf(options, mode);
  const { expectedBatchSize: expected } = options;
  if (expected === undefined && sampling.kind === 'poisson') {
    throw new SottoError('invalid-argument', 'expectedBatchSize is missing; give the public constant that sums are divided by');
  }
  const expectedBatchSize = positive(
    'expectedBatchSize',
    expected ?? expectedUnits(sampling as Exclude<Sampling, { kind: 'poisson' }>),
  );
  const noiseMultiplier = positive('noiseMultiplier', options.noiseMultiplier);
  const noiseSchedule = checkSchedule('noiseSchedule', options.noiseSchedule ?? 1, 'positive');
  const normSchedule = checkSchedule('normSchedule', options.normSchedule ?? 1, 'positive');
  const [least, most] = scheduleRange(noiseSchedule).map((factor) => factor * noiseMultiplier) as [number, number];
  const clipping = completeClipping(checkClipping(options.clipping), expectedBatchSize, most);
  if (clipping.kind === 'adaptive') {
    if (!isConstant(normSchedule)) {
      throw new SottoError(
        'invalid-argument',
        'normSchedule is given with adaptive clipping, which chooses the norm itself; give one of them',
      );
    }
    if (unit.kind === 'user' && unit.combine === 'perRecord' && unit.contributionBound > 1) {
      throw new SottoError(
        'invalid-argument',
        'clipping is adaptive with unit.combine perRecord, where a user would be counted often; use mean',
      );
    }
  }
  const [leastGradient, mostGradient] = [gradientNoiseOf(clipping, least), gradientNoiseOf(clipping, most)];
  const gridBits = options.gridBits ?? defaultGridBits(leastGradient);
  // Both ends of the schedules must lie on the grid: what is refused is refused before anything is drawn.
  for (const norm of scheduleRange(normSchedule)) {
    for (const noise of [leastGradient, mostGradient]) createGrid(clipping.norm * norm, noise, gridBits);
  }
  return Object.freeze({
    sampling,
    expectedBatchSize,
    clipping,
    noiseMultiplier,
    noiseSchedule,
    normSchedule,
    gridBits,
    mode,
    unit,
  });
}

function checkUnit(unit: PlanUnit | undefined, mode: 'secure' | 'fast'): Required<PlanUnit> {
  if (unit === undefined) return Object.freeze({ kind: 'record' });
  const record = oneOf('unit.kind', unit.kind, ['record', 'user']) === 'record';
  knownKeys('unit', unit, record ? ['kind'] : ['kind', 'contributionBound', 'combine']);
  if (record) return Object.freeze({ kind: 'record' });
  const { contributionBound, combine } = unit as Extract<PlanUnit, { kind: 'user' }>;
  const checked = {
    kind: 'user' as const,
    contributionBound: integer('unit.contributionBound', contributionBound, 1, 2 ** 20),
    combine: oneOf('unit.combine', combine ?? 'mean', ['mean', 'perRecord']),
  };
  if (mode === 'fast' && checked.combine === 'mean' && checked.contributionBound > 1) {
    throw new SottoError(
      'invalid-argument',
      'unit.combine is mean in fast mode, where an engine adds records, not users; use mode secure, combine perRecord or contributionBound 1',
    );
  }
  return Object.freeze(checked);
}

function samplingOf(options: MechanismPlanOptions | SampledPlanOptions, mode: 'secure' | 'fast'): Sampling {
  if (options.sampling !== undefined) {
    // The types rule this out; JavaScript and casts do not.
    const beside = (['sampleRate', 'maxBatchSize'] as const).find((name) => options[name] !== undefined);
    if (beside !== undefined) {
      throw new SottoError(
        'invalid-argument',
        `${beside} is given beside sampling; sampling alone says how units are drawn and accounted`,
      );
    }
    const sampling = checkSampling(options.sampling);
    if (mode === 'fast' && mostUnits(sampling) === Infinity) {
      throw new SottoError(
        'invalid-argument',
        'sampling is poisson in fast mode, whose slack needs a largest batch; use truncatedPoisson',
      );
    }
    return sampling;
  }
  const { sampleRate, maxBatchSize } = options;
  const poisson = checkSampling({ kind: 'poisson', sampleRate: probability('sampleRate', sampleRate) });
  if (mode === 'secure') {
    if (maxBatchSize !== undefined) {
      throw new SottoError(
        'invalid-argument',
        'maxBatchSize is given in secure mode; give sampling truncatedPoisson to cut batches there',
      );
    }
    return poisson;
  }
  const expected = positive('expectedBatchSize', options.expectedBatchSize);
  const sourceSize = Math.max(1, Math.floor((1.05 * expected + 1) / sampleRate));
  const cap = integer('maxBatchSize', maxBatchSize ?? truncationCap(sourceSize, sampleRate), 1, 2 ** 20);
  return checkSampling({ kind: 'truncatedPoisson', sampleRate, sourceSize, cap });
}

function completeClipping(clipping: Clipping, expectedBatchSize: number, mostNoise: number): Clipping {
  if (clipping.kind !== 'adaptive' || clipping.countNoise !== undefined) return clipping;
  return Object.freeze({ ...clipping, countNoise: Math.max(expectedBatchSize / 20, mostNoise) });
}
