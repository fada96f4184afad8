/**
 * The numbers of a round's cohort, as every client computes them for itself (secure aggregation protocol 1, §2).
 *
 * @module
 */
import * as check from '@sotto/core/check';
import type { PlanTerms } from './entry.ts';

/** What follows from the size of a roster. */
export interface CohortThresholds {
  /** Clients of the roster that may collude with the coordinator: max(cMin, ⌊(n − 1)·γ⌋). */
  readonly colluders: number;
  /** Shares that recover a secret, and signatures that certify a survivor set: ⌊(n + c)/2⌋ + 1. */
  readonly threshold: number;
  /** The least size of U1 and of U2: max(threshold, nMin, c + hMin). */
  readonly floor: number;
}

/** Thresholds of a roster of `n` in the complete graph, in integers. */
export function cohortThresholds(terms: PlanTerms['secagg'], n: number): CohortThresholds {
  check.integer('n', n, 1);
  const colluders = Math.max(terms.cMin, Math.floor(((n - 1) * terms.gammaNumerator) / terms.gammaDenominator));
  const threshold = Math.floor((n + colluders) / 2) + 1;
  return { colluders, threshold, floor: Math.max(threshold, terms.nMin, colluders + terms.hMin) };
}
