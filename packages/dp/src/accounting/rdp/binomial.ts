/**
 * Tails of the binomial distribution, summed in log space from the largest term.
 *
 * @module
 */
import { logAddExp, logBinomial } from '../special.ts';

/** ln P[Bin(n, p) ≥ k]. */
export function logBinomialUpperTail(n: number, p: number, k: number): number {
  if (k <= 0) return 0;
  if (k > n || p === 0) return -Infinity;
  if (p === 1) return 0;
  // Below the mean the complement is the smaller sum.
  if (k <= n * p) return Math.log1p(-Math.exp(logTail(n, p, k - 1, -1)));
  return logTail(n, p, k, 1);
}

/** ln Σ of the probabilities at k, k+d, k+2d …, which decrease from k on. */
function logTail(n: number, p: number, k: number, direction: 1 | -1): number {
  if (k < 0 || k > n) return -Infinity;
  const logOdds = Math.log(p) - Math.log1p(-p);
  let term = logBinomial(n, k) + k * Math.log(p) + (n - k) * Math.log1p(-p);
  let total = term;
  for (let i = k; direction > 0 ? i < n : i > 0; i += direction) {
    term += direction > 0 ? Math.log((n - i) / (i + 1)) + logOdds : Math.log(i / (n - i + 1)) - logOdds;
    if (term < total - 45) break;
    total = logAddExp(total, term);
  }
  return total;
}
