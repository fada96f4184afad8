/**
 * What may be said of the privacy of a training without a condition, whoever decided in view of results when to stop or to go on.
 *
 * Three bounds that hold so, and one that does not:
 * - The cost of all that was planned before the first result. Whoever stops earlier, for any reason, only leaves out some of it, which is post-processing; in which order the
 *   planned releases are asked for does not matter either (concurrent composition: Vadhan and Zhang, STOC 2023).
 * - A limit that was set before the first result and kept by an RDP filter, under which noise and number of further steps may be chosen in view of results.
 * - An odometer, which needs neither.
 * - The total of what was charged holds only if it had been fixed beforehand. It is told beside these, and never in their place.
 *
 * @module
 */
import type { Adjacency, DpEvent } from '@sotto/core/event';
import { encodeEvent } from '@sotto/core/event';
import { SottoError } from '@sotto/core/errors';
import type { PrivacyAnswer } from '../accounting/accountant.ts';
import { epsilonOf } from '../accounting/answer.ts';
import { PrivacyFilter } from '../accounting/budget/filter.ts';
import { PrivacyOdometer } from '../accounting/budget/odometer.ts';
import { costOf, nano } from '../accounting/budget/rule.ts';
import { epsilonAtOrder } from '../accounting/rdp/convert.ts';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import { composeCharges } from './spending.ts';
import type { Charge } from './spending.ts';

/** An ε at a δ. */
export interface Limit {
  readonly epsilon: number;
  readonly delta: number;
}

/** Why the ε of {@link PrivacySpent} holds; see the module's description. */
export type GuaranteeBasis = 'plan' | 'filter' | 'odometer';

/**
 * What a training costs. `upper`, `method` and `why` are the guarantee: they hold also where somebody looked at results and then stopped, or went on. Until all that was planned has
 * run it is therefore the cost of the whole plan. `lower` is 0 where the guarantee is not the total of what was charged.
 */
export interface PrivacySpent extends PrivacyAnswer {
  readonly basis: GuaranteeBasis;
  /** What must have been so for the guarantee to hold, in words; undefined where nothing must. */
  readonly condition: string | undefined;
  /** The total of what was charged so far. It is a guarantee only if the number of steps and their noise were fixed before the first result was seen. */
  readonly ifFixedBeforehand: PrivacyAnswer;
  /** ε by an odometer, which holds whenever and why ever training is stopped or extended; infinite where nothing better is known. */
  readonly atAnyMoment: number;
}

/** What {@link guarantee} is asked about. */
export interface GuaranteeQuestion {
  readonly delta: number;
  readonly relation: MechanismPlan['relation'];
  readonly spent: readonly Charge[];
  /** All releases that were planned before the first; undefined where the number of steps was never said. */
  readonly planned: readonly Charge[] | undefined;
  /** The limit under which the run was extended, where it was. */
  readonly limit: Limit | undefined;
}

type Counts = ReadonlyMap<string, number>;

function countsOf(charges: readonly Charge[]): Counts {
  const counts = new Map<string, number>();
  for (const { event, count } of charges) {
    if (event.type === 'noOp' || count === 0) continue;
    const key = JSON.stringify(encodeEvent(event));
    counts.set(key, count + (counts.get(key) ?? 0));
  }
  return counts;
}

/** Whether nothing was charged that was not planned. */
function covers(planned: Counts, spent: Counts): boolean {
  return [...spent].every(([key, count]) => count <= (planned.get(key) ?? 0));
}

/** The guarantee of what was spent. Throws what `epsilonOf` throws. */
export function guarantee({ delta, relation, spent, planned, limit }: GuaranteeQuestion): PrivacySpent {
  const total = epsilonOf(composeCharges(spent), { delta, ...relation });
  const spentCounts = countsOf(spent);
  const atAnyMoment = odometerEpsilon(spent, relation.adjacency, delta);
  const beside = { ifFixedBeforehand: total, atAnyMoment };
  const plannedCounts = planned === undefined ? undefined : countsOf(planned);
  if (spentCounts.size === 0) return { ...total, ...beside, basis: 'plan', condition: undefined };
  if (plannedCounts !== undefined && covers(plannedCounts, spentCounts)) {
    if (covers(spentCounts, plannedCounts)) return { ...total, ...beside, basis: 'plan', condition: undefined };
    const whole = epsilonOf(composeCharges(planned!), { delta, ...relation });
    return {
      ...whole,
      ...beside,
      lower: 0,
      why: `The cost of all that was planned; what ended earlier is post-processing of it. ${whole.why}`,
      basis: 'plan',
      condition: undefined,
    };
  }
  const bound = { ...total, ...beside, lower: 0, numericError: 0, reports: [], warnings: [] };
  if (limit !== undefined && delta >= limit.delta && filterGrants(limit, composeCharges(spent), relation.adjacency)) {
    return {
      ...bound,
      upper: limit.epsilon,
      method: 'an RDP filter',
      why: `Everything that was charged fits into an RDP filter of ε = ${limit.epsilon} at δ = ${limit.delta}, which holds for steps that were chosen in view of earlier results.`,
      basis: 'filter',
      condition: `the limit of ε = ${limit.epsilon} at δ = ${limit.delta} was set before the first result was seen`,
    };
  }
  return {
    ...bound,
    upper: atAnyMoment,
    method: 'an RDP odometer',
    why: 'An odometer holds at every moment of a run whose steps were chosen, and ended, in view of results.',
    basis: 'odometer',
    condition: undefined,
  };
}

/** ε of an odometer over everything; infinite where it knows no bound of some part. */
function odometerEpsilon(spent: readonly Charge[], adjacency: Adjacency, delta: number): number {
  const event = composeCharges(spent);
  if (event.type === 'noOp') return 0;
  try {
    return PrivacyOdometer.start({ kind: 'rdp', delta, adjacency }).record(event).epsilon;
  } catch (error) {
    if (error instanceof SottoError && error.code === 'unsupported') return Infinity;
    throw error;
  }
}

/** Between the order that is best for a Gaussian of the limit's whole cost, and the lower ones that are best for subsampled Gaussians: within a few hundredths of the least noise for both. */
const ORDER_SHARE = 0.75;

/**
 * The filter that keeps a limit. Its order follows from the limit alone: whatever is chosen after results were seen must not choose it.
 */
function filterOf({ epsilon, delta }: Limit, adjacency: Adjacency): PrivacyFilter {
  const log = Math.log(1 / delta);
  // The zCDP parameter of the limit: ε = ρ + 2√(ρ·ln(1/δ)).
  const rho = (Math.sqrt(log + epsilon) - Math.sqrt(log)) ** 2;
  const best = 1 + Math.sqrt(log / rho);
  return PrivacyFilter.open({ kind: 'rdp', epsilon, delta, adjacency, orders: [Math.max(1.05, 1 + ORDER_SHARE * (best - 1))] });
}

/** Whether the filter of a limit grants an event. */
export function filterGrants(limit: Limit, event: DpEvent, adjacency: Adjacency): boolean {
  return event.type === 'noOp' || filterOf(limit, adjacency).reserve('everything', event).granted;
}

/** ε of an event as the filter of a limit counts it: it is granted where this is at most the limit's. For searching. */
export function filterEpsilon(limit: Limit, event: DpEvent, adjacency: Adjacency): number {
  const { orders } = filterOf(limit, adjacency);
  const cost = costOf(event, { kind: 'rdp', adjacency, orders, slackShare: 0 });
  // Two units of the count for what the capacity is rounded down by, and for round-off here.
  return Math.max(epsilonAtOrder(orders[0]!, (cost[0]! + 2) / nano, limit.delta, 'cks20'), 1e-12);
}
