/**
 * The accountant with which ledgers are read.
 *
 * @module
 */
import { epsilonOf } from '@sotto/dp';
import type { Accountant } from '@sotto/governance';

/** The least upper bound of ε that any accountant of `@sotto/dp` proves: the same as wrote the report. */
export const accountant: Accountant = (events, { delta, adjacency }) => {
  if (events.length === 0) return { epsilon: 0, method: 'nothing was spent' };
  const { upper, method } = epsilonOf({ type: 'composed', events }, { delta, adjacency });
  return { epsilon: upper, method };
};
