/**
 * From a ledger's events to ε, by an accountant that the caller supplies.
 *
 * @module
 */
import type { Adjacency, DpEvent } from '@sotto/core/event';
import type { AccountState } from './state.ts';
import { spentEvents } from './state.ts';

/** An accountant: the least ε that it can prove for the composition of events at δ. Must be a pure function. */
export type Accountant = (
  events: readonly DpEvent[],
  question: { readonly delta: number; readonly adjacency: Adjacency },
) => { readonly epsilon: number; readonly method: string };

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

/** ε of everything that an account has spent, at its own δ, against its own budget. */
export function accountSpending(account: AccountState, accountant: Accountant): AccountSpending {
  const { adjacency, budget } = account.opened.entry;
  const { epsilon, method } = accountant(spentEvents(account), { delta: budget.delta, adjacency });
  const epsilonBudget = budget.epsilonNano / NANO;
  return { epsilon, epsilonBudget, delta: budget.delta, withinBudget: epsilon <= epsilonBudget, method };
}
