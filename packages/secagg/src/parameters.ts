/**
 * The integers of a round: collusion bound c, sharing threshold t, certificate size T and survivor floor F. Each client
 * computes them itself from the roster that it sees and takes them from nobody.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';

/** The largest roster over the complete graph; above it only a sparse graph would do. */
export const COMPLETE_GRAPH_MAX = 512;

/** What the plan promises about the cohort; part of the round's context. */
export interface CohortRule {
  /** γ = numerator / denominator: the fraction of the other members that may collude with the coordinator. */
  readonly gammaNumerator: number;
  readonly gammaDenominator: number;
  /** Least collusion bound, whatever γ gives. */
  readonly cMin: number;
  /** Least and greatest roster size. */
  readonly nMin: number;
  readonly nMax: number;
  /** Least number of honest inputs in the sum; at least 2. */
  readonly hMin: number;
}

/** The integers that follow from a roster of `n`. */
export interface RoundParameters {
  readonly n: number;
  /** Members that may collude with the coordinator: max(cMin, ⌊(n − 1)·γ⌋). */
  readonly c: number;
  /** Shares that open a secret: ⌊(n + c)/2⌋ + 1. */
  readonly t: number;
  /** Signatures that certify a survivor set; equal to t over the complete graph. */
  readonly T: number;
  /** Least |U1| and |U2|: max(T, nMin, c + hMin). */
  readonly F: number;
}

/** Checks a cohort rule by itself, without a roster; throws `invalid-argument`. */
export function checkCohortRule(rule: CohortRule): CohortRule {
  check.integer('gammaDenominator', rule.gammaDenominator, 1, 1_000_000);
  check.integer('gammaNumerator', rule.gammaNumerator, 0, rule.gammaDenominator);
  check.integer('nMin', rule.nMin, 3, 0xffff);
  check.integer('nMax', rule.nMax, rule.nMin, 0xffff);
  check.integer('cMin', rule.cMin, 0, rule.nMax);
  check.integer('hMin', rule.hMin, 2, rule.nMax);
  return rule;
}

/**
 * The parameters of a roster of `n` (docs/secagg-wire.md), in integers.
 *
 * Throws `protocol-aborted` where the rule refuses that roster: outside nMin…nMax, or with F > n.
 */
export function roundParameters(n: number, rule: CohortRule): RoundParameters {
  checkCohortRule(rule);
  check.integer('n', n, 0);
  if (n < rule.nMin)
    throw new SottoError('protocol-aborted', `the roster has ${n} members; this round needs at least ${rule.nMin}`);
  if (n > rule.nMax)
    throw new SottoError('protocol-aborted', `the roster has ${n} members; this round takes at most ${rule.nMax}`);
  const parameters = parametersOf(n, rule);
  if (parameters.F > n) {
    throw new SottoError(
      'protocol-aborted',
      `the roster has ${n} members, but its sum needs ${parameters.F}; enrol more or lower hMin`,
    );
  }
  return parameters;
}

/** c, t, T and F without the acceptance checks of {@link roundParameters}. */
export function parametersOf(n: number, rule: CohortRule): RoundParameters {
  const c = Math.max(rule.cMin, floorQuotient((n - 1) * rule.gammaNumerator, rule.gammaDenominator));
  const T = floorQuotient(n + c, 2) + 1;
  return { n, c, t: T, T, F: Math.max(T, rule.nMin, c + rule.hMin) };
}

/** ⌊a / b⌋ for safe non-negative integers, without going through a rounded quotient. */
function floorQuotient(a: number, b: number): number {
  return (a - (a % b)) / b;
}
