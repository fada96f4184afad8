/**
 * From a ledger's events to ε, by an accountant that the caller supplies.
 *
 * @module
 */
import { type Adjacency, type DpEvent, encodeEvent } from '@sotto/core/event';
import { canonicalJson } from '@sotto/core/json';
import { type AccountState, spentEvents } from './state.ts';

/** An accountant: the least ε that it can prove for the composition of events at δ. Must be a pure function. */
export type Accountant = (
  events: readonly DpEvent[],
  question: { readonly delta: number; readonly adjacency: Adjacency },
) => { readonly epsilon: number; readonly method: string };

/**
 * Equal events gathered into one `selfComposed` each, in order of first appearance. Composition does not depend on the
 * order, and accountants are much faster this way.
 */
export function gatherEvents(events: readonly DpEvent[]): DpEvent[] {
  const counts = new Map<string, { event: DpEvent; count: number }>();
  for (const event of events) {
    const [inner, times] = event.type === 'selfComposed' ? [event.event, event.count] : [event, 1];
    const key = canonicalJson(encodeEvent(inner));
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { event: inner, count: times });
    else known.count += times;
  }
  return [...counts.values()].map(({ event, count }) => (count === 1 ? event : { type: 'selfComposed', count, event }));
}

/** The same accountant, which computes each answer once: a report asks the same of an account several times. */
export function rememberAnswers(accountant: Accountant): Accountant {
  const known = new Map<string, ReturnType<Accountant>>();
  return (events, question) => {
    const key = canonicalJson([question.adjacency, question.delta, ...events.map(encodeEvent)]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = accountant(events, question);
    known.set(key, answer);
    return answer;
  };
}

/** Nano-units in ε = 1. */
export const NANO = 1_000_000_000;

/** ε in nano-units, rounded up, so that a spend is never understated; +∞ stays +∞. */
export function epsilonToNano(epsilon: number): number {
  return Math.ceil(epsilon * NANO);
}

/** What an account has spent of its budget. */
export interface AccountSpending {
  /** +∞ where the accountant has no finite bound. */
  readonly epsilon: number;
  readonly epsilonBudget: number;
  readonly delta: number;
  readonly withinBudget: boolean;
  readonly method: string;
}

/**
 * Relative room in the comparison with a budget, for the last bits of binary64: an accountant may sum the same events in
 * another order than the filter that let them through.
 */
const ROUNDING = 1e-12;

/** ε of everything that an account has spent, at its own δ, against its own budget. */
export function accountSpending(account: AccountState, accountant: Accountant): AccountSpending {
  const { adjacency, budget } = account.opened.entry;
  const { epsilon, method } = accountant(gatherEvents(spentEvents(account)), { delta: budget.delta, adjacency });
  const epsilonBudget = budget.epsilonNano / NANO;
  // Written so that a NaN is over budget.
  return { epsilon, epsilonBudget, delta: budget.delta, withinBudget: epsilon <= epsilonBudget * (1 + ROUNDING), method };
}
