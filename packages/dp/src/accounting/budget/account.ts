/**
 * The filter of an account that several runs share.
 *
 * An RDP filter keeps (ε, δ) for one order that is fixed before the first result. Where each run brought the order that is best for its own plan, the later orders would be chosen
 * after earlier models were seen: every order bounds the runs that ended under it, and all that is proved of them together is δ times the number of orders (a union bound; see
 * `rule.ts`). So the account has one order for good, which follows from its budget and from the first event that it was charged.
 *
 * @module
 */
import { openProbability, positive } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { type Adjacency, type DpEvent, validateEvent } from '@sotto/core/event';
import { defaultOrders, furtherOrders } from '../rdp/orders.ts';
import { PrivacyFilter } from './filter.ts';
import { capacityOf, costOf } from './rule.ts';

/** What the order of an account follows from: nothing of it may change while the account lives. */
export interface AccountBudget {
  readonly epsilon: number;
  readonly delta: number;
  /** Default `addOrRemoveOne`. */
  readonly adjacency?: Adjacency;
  /** The first event that was, or is to be, charged. */
  readonly first: DpEvent;
}

/**
 * A fresh RDP filter for an account: of the order under which the budget pays for the first event most often. For a run of equal rounds that uses up the budget it is the order
 * of `planBudget`; a later run with other rounds gets a little less out of what is left than with an order of its own.
 *
 * @throws SottoError `unsupported` where an RDP filter cannot hold the event; `budget-exhausted` where the budget does not pay for one
 */
export function accountFilter({ epsilon, delta, adjacency = 'addOrRemoveOne', first }: AccountBudget): PrivacyFilter {
  const limit = { epsilon: positive('epsilon', epsilon), delta: openProbability('delta', delta) };
  const orders = [...defaultOrders.filter((order) => order < Infinity), ...furtherOrders];
  const context = { kind: 'rdp', adjacency, orders, slackShare: 0 } as const;
  const cost = costOf(validateEvent(first), context);
  let best = { order: NaN, times: 0 };
  orders.forEach((order, i) => {
    // All of δ for the one order. An event that costs nothing says nothing of the orders: then the one with the most room.
    const [capacity] = capacityOf(limit.epsilon, limit.delta, { ...context, orders: [order] });
    const times = capacity! / Math.max(cost[i]!, 1e-300);
    if (times > best.times) best = { order, times };
  });
  if (best.times < 1) {
    throw new SottoError(
      'budget-exhausted',
      `the budget ε = ${epsilon} at δ = ${delta} does not cover ${first.type} once; use more noise`,
    );
  }
  return PrivacyFilter.open({ kind: 'rdp', ...limit, adjacency, orders: [best.order] });
}
