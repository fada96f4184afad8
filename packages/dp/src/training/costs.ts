/**
 * What steps, figures and evaluations cost together, and the noise at which they meet a target.
 *
 * @module
 */
import { integer, openProbability, positive } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import { calibrate } from '../accounting/calibrate.ts';
import { knownKeys } from '../known-keys.ts';
import { searchReal } from '../accounting/search.ts';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import { filterEpsilon, filterGrants } from './guarantee.ts';
import type { Limit } from './guarantee.ts';
import type { ReportOptions } from './options.ts';
import { planWith } from './plan-with.ts';
import { statistic, statisticsEvent, withStatistics } from './released-statistics.ts';
import type { Statistic } from './released-statistics.ts';
import { composeCharges } from './spending.ts';
import type { Charge, KindOfCharge } from './spending.ts';

/** The figures that a run releases. */
export interface Reports {
  /** With each step. */
  readonly step: readonly Statistic[];
  /** With each evaluation of private validation data; undefined where there is none. */
  readonly validation: readonly Statistic[] | undefined;
}

/**
 * Checks `report`.
 *
 * @param metrics How many metrics are evaluated.
 */
export function checkReports(report: ReportOptions | undefined, { unit }: Pick<MechanismPlan, 'unit'>, metrics: number): Reports {
  if (report !== undefined) {
    knownKeys('report', report, ['trainLoss', 'batchSize', 'nonFiniteExamples', 'validation']);
    const sum = ['kind', 'noiseMultiplier', 'clip'];
    const members = {
      trainLoss: sum,
      batchSize: sum.slice(0, 2),
      nonFiniteExamples: sum.slice(0, 2),
      validation: [...sum, 'evaluations'],
    };
    for (const [name, known] of Object.entries(members)) {
      const given = report[name as keyof ReportOptions];
      if (given !== undefined) knownKeys(`report.${name}`, given, known);
    }
  }
  const { trainLoss, batchSize, nonFiniteExamples, validation } = report ?? {};
  const perUnit = unit.kind === 'user' ? unit.contributionBound : 1;
  const step: Statistic[] = [];
  if (trainLoss !== undefined) step.push(statistic('report.trainLoss', 'loss', trainLoss, perUnit));
  if (batchSize !== undefined) step.push(statistic('report.batchSize', 'batchSize', batchSize, perUnit));
  if (nonFiniteExamples !== undefined)
    step.push(statistic('report.nonFiniteExamples', 'nonFiniteExamples', nonFiniteExamples, perUnit));
  if (validation === undefined) return { step, validation: undefined };
  const loss = statistic('report.validation', 'loss', validation, perUnit);
  const count = { noiseMultiplier: loss.noiseMultiplier, clip: 1, examplesPerUnit: perUnit };
  const values = Array.from({ length: metrics }, (_, i) => ({ ...count, name: `value${i}` }));
  return { step, validation: [loss, { ...count, name: 'count' }, ...values] };
}

const multipliers = (statistics: readonly Statistic[]): number[] => statistics.map(({ noiseMultiplier }) => noiseMultiplier);

/** What step number `step` of a plan adds to the account, with its figures. */
export function stepCost(plan: MechanismPlan, reports: Reports, step: number): DpEvent {
  const event = plan.eventOfStep(step);
  if (event.type === 'noOp') return event;
  const { noiseSchedule, sampling } = plan;
  if (reports.step.length > 0 && sampling.kind === 'shuffle' && typeof noiseSchedule !== 'number') {
    throw new SottoError(
      'unsupported',
      'report asks for figures of steps beside shuffled batches with scheduled noise; leave one of them out',
    );
  }
  return withStatistics(event, multipliers(reports.step));
}

/** The charges of `count` steps from number `first` on, equal ones together. */
export function stepCosts(plan: MechanismPlan, reports: Reports, first: number, count: number): readonly Charge[] {
  const { noiseSchedule, sampling } = plan;
  if (typeof noiseSchedule === 'number' && sampling.kind !== 'shuffle') return [{ event: stepCost(plan, reports, first), count }];
  const charges = new Map<string, { event: DpEvent; count: number }>();
  for (let step = first; step < first + count; step++) {
    const event = stepCost(plan, reports, step);
    const key = JSON.stringify(event);
    const known = charges.get(key);
    if (known === undefined) charges.set(key, { event, count: 1 });
    else known.count++;
  }
  return [...charges.values()];
}

/** The event of one evaluation of private validation data. */
export function validationCost(reports: Reports): DpEvent {
  if (reports.validation === undefined) {
    throw new SottoError(
      'invalid-argument',
      'validationData is private; declare it outsideGuarantee: true, or say in report.validation with which noise it may be told about',
    );
  }
  return statisticsEvent(multipliers(reports.validation));
}

/** The charges of steps from number `first` on, and of evaluations. */
export function costsOf(
  plan: MechanismPlan,
  reports: Reports,
  first: number,
  { steps, evaluations }: { readonly steps: number; readonly evaluations: number },
): readonly KindOfCharge[] {
  const charges: KindOfCharge[] = [];
  if (steps > 0) for (const charge of stepCosts(plan, reports, first, steps)) charges.push({ kind: 'step', ...charge });
  if (evaluations > 0) charges.push({ kind: 'evaluation', event: validationCost(reports), count: evaluations });
  return charges;
}

/** What a target must pay for. */
export interface PlannedRun {
  readonly target: Limit;
  readonly steps: number;
  readonly evaluations: number;
}

const LEAST_NOISE = 1e-3;
const MOST_NOISE = 1e7;

/** What a run costs, by its noise. */
function costByNoise(mechanism: PlanWithoutNoise, reports: Reports, run: PlannedRun): (noiseMultiplier: number) => DpEvent {
  const steps = integer('privacy.steps', run.steps, 1);
  const besides = run.evaluations > 0 ? [{ event: validationCost(reports), count: run.evaluations }] : [];
  return (noiseMultiplier) => composeCharges([...besides, ...stepCosts(planWith(mechanism, noiseMultiplier), reports, 0, steps)]);
}

/** The least noise multiplier at which a run, with all that it reports, stays within its target. */
export function calibratePlan(mechanism: PlanWithoutNoise, reports: Reports, run: PlannedRun): number {
  const event = costByNoise(mechanism, reports, run);
  try {
    return calibrate(
      { event, epsilon: 'decreasing', integer: false, min: LEAST_NOISE, max: MOST_NOISE, start: 1 },
      { ...run.target, ...planWith(mechanism, 1).relation },
    ).value;
  } catch (error) {
    if (!(error instanceof SottoError) || error.code !== 'numeric') throw error;
    throw new SottoError(
      'invalid-argument',
      `privacy.target.epsilon is ${run.target.epsilon}; no noise reaches it beside what report costs, so raise it or the noise multipliers of report`,
      { cause: error },
    );
  }
}

/**
 * The least noise multiplier at which the RDP filter of the target grants everything together: what was spent before, and a run that is planned in view of it.
 *
 * @param before What was spent.
 */
export function calibrateExtension(mechanism: PlanWithoutNoise, reports: Reports, run: PlannedRun, before: DpEvent): number {
  const { epsilon } = run.target;
  const target = {
    epsilon: positive('extend.target.epsilon', epsilon),
    delta: openProbability('extend.target.delta', run.target.delta),
  };
  const { adjacency } = planWith(mechanism, 1).relation;
  const more = costByNoise(mechanism, reports, run);
  const everything = (noiseMultiplier: number): DpEvent =>
    composeCharges([
      { event: before, count: 1 },
      { event: more(noiseMultiplier), count: 1 },
    ]);
  let found: number;
  try {
    found = searchReal({
      decreasing: (noiseMultiplier) => filterEpsilon(target, everything(noiseMultiplier), adjacency),
      target: epsilon,
      start: 1,
      min: LEAST_NOISE,
      max: MOST_NOISE,
      tolerance: 1e-7,
    });
  } catch (error) {
    if (!(error instanceof SottoError) || error.code !== 'numeric') throw error;
    throw new SottoError(
      'invalid-argument',
      `extend.target.epsilon is ${epsilon}; no noise reaches it beside what report and earlier steps cost, as an RDP filter counts them (a little above their total), so raise it`,
      { cause: error },
    );
  }
  if (!filterGrants(target, everything(found), adjacency))
    throw new SottoError('internal', 'the filter does not grant the noise that was found for it');
  return found;
}
