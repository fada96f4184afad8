/**
 * Exact (Clopper–Pearson) confidence limits of a binomial proportion.
 *
 * @module
 */
import { integer, openProbability } from '@sotto/core/check';
import { betaQuantile } from './binomial.ts';

/**
 * The smallest p that `successes` of `trials` rules out from above: P[Binomial(trials, p) ≤ successes] = significance.
 * The true proportion lies above the result with probability at most `significance`. With no trials the limit is 1.
 *
 * @throws `invalid-argument` for counts that are no integers or out of range, or a significance outside (0, 1)
 */
export function clopperPearsonUpper(successes: number, trials: number, significance: number): number {
  integer('trials', trials, 0);
  integer('successes', successes, 0, trials);
  openProbability('significance', significance);
  if (successes === trials) return 1;
  if (successes === 0) return -Math.expm1(Math.log(significance) / trials);
  return betaQuantile(trials - successes, successes + 1, significance).complement;
}

/**
 * The largest p that `successes` of `trials` rules out from below: P[Binomial(trials, p) ≥ successes] = significance.
 * The true proportion lies below the result with probability at most `significance`.
 *
 * @throws as {@link clopperPearsonUpper}
 */
export function clopperPearsonLower(successes: number, trials: number, significance: number): number {
  integer('trials', trials, 0);
  integer('successes', successes, 0, trials);
  openProbability('significance', significance);
  if (successes === 0) return 0;
  if (successes === trials) return Math.exp(Math.log(significance) / trials);
  return betaQuantile(successes, trials - successes + 1, significance).x;
}
