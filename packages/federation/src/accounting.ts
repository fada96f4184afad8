/**
 * The accountant of the federation: what governance asks when it turns events into ε, and what guards a budget.
 *
 * @module
 */
import type { DpEvent } from '@sotto/core/event';
import { epsilonOf } from '@sotto/dp';
import type { Accountant } from '@sotto/governance';

/** The least upper bound of ε that any accountant of `@sotto/dp` proves. */
export const accountant: Accountant = (events, { delta, adjacency }) => {
  if (events.length === 0) return { epsilon: 0, method: 'nothing was spent' };
  const event: DpEvent = { type: 'composed', events };
  const answer = epsilonOf(event, { delta, adjacency });
  return { epsilon: answer.upper, method: answer.method };
};
