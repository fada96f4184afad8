/**
 * Noise for a planned run that its own filter will admit to the last step.
 *
 * @module
 */
import { integer, openProbability, positive } from '@sotto/core/check';
import { type Adjacency, type DpEvent } from '@sotto/core/event';
import { dpSgdEvent } from '../calibrate.ts';
import { epsilonAtOrder } from '../rdp/convert.ts';
import { defaultOrders, furtherOrders } from '../rdp/orders.ts';
import { searchReal } from '../search.ts';
import { PrivacyFilter } from './filter.ts';
import { costOf, nano, type RuleContext } from './rule.ts';

/** A run of equal rounds under a budget of its own. */
export interface PlannedBudget {
  readonly noiseMultiplier: number;
  /** The event of one round: one Poisson-subsampled Gaussian per step of the round. */
  readonly roundEvent: DpEvent;
  /** A fresh filter that admits exactly the planned rounds (perhaps a few more, never one that exceeds the budget). */
  readonly filter: PrivacyFilter;
  /** ε of the whole run as the filter counts it, at most the budget. */
  readonly achievedEpsilon: number;
}

/**
 * The least noise multiplier at which `rounds` reservations of one round each fit into an RDP filter of (ε, δ), counted
 * as the filter counts: in integer nano-units, each round rounded up.
 *
 * @throws SottoError `invalid-argument`; `numeric` if no noise up to 1e7 is enough
 */
export function planBudget(options: {
  readonly epsilon: number;
  readonly delta: number;
  readonly sampleRate: number;
  readonly rounds: number;
  /** Default 1. */
  readonly stepsPerRound?: number;
  readonly adjacency?: Adjacency;
}): PlannedBudget {
  const epsilon = positive('epsilon', options.epsilon);
  const delta = openProbability('delta', options.delta);
  const rounds = integer('rounds', options.rounds, 1);
  const steps = integer('stepsPerRound', options.stepsPerRound ?? 1, 1);
  const adjacency = options.adjacency ?? 'addOrRemoveOne';
  const usual = defaultOrders.filter((order) => order < Infinity);
  // A small ε needs orders of about ln(1/δ)/ε.
  const orders = -Math.log(delta) / epsilon > 200 ? [...usual, ...furtherOrders] : usual;
  const context: RuleContext = { kind: 'rdp', adjacency, orders, slackShare: 0 };
  const roundEvent = (noiseMultiplier: number): DpEvent => dpSgdEvent({ sampleRate: options.sampleRate, noiseMultiplier, steps });
  const best = (noiseMultiplier: number): { epsilon: number; order: number } => {
    const cost = costOf(roundEvent(noiseMultiplier), context);
    let least = { epsilon: Infinity, order: orders[0]! };
    orders.forEach((order, i) => {
      // One nano-unit more for the capacity, which is rounded down.
      const value = epsilonAtOrder(order, (cost[i]! * rounds + 1) / nano, delta, 'cks20');
      if (value < least.epsilon) least = { epsilon: value, order };
    });
    return least;
  };
  const noiseMultiplier = searchReal({
    decreasing: (sigma) => Math.max(1e-12, best(sigma).epsilon),
    target: epsilon,
    start: 1,
    min: 1e-3,
    max: 1e7,
    tolerance: 1e-9,
  });
  const { epsilon: achievedEpsilon, order } = best(noiseMultiplier);
  const filter = PrivacyFilter.open({ kind: 'rdp', epsilon, delta, adjacency, orders: [order] });
  return { noiseMultiplier, roundEvent: roundEvent(noiseMultiplier), filter, achievedEpsilon: Math.max(0, achievedEpsilon) };
}
