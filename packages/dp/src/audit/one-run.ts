/**
 * Auditing with one training run: many canaries, each in the data set or not by its own fair coin, and guesses about some
 * of them from the one output.
 *
 * Two statistics. {@link oneRunPValue} is Steinke, Nasr, Jagielski 2023 ("Privacy auditing with one (1) training run",
 * arXiv 2305.08846, Theorem 5.2 and Appendix D) for an (ε, δ) claim. {@link oneRunTradeOffRefuted} is Mahloujifar, Melis,
 * Chaudhuri 2024 ("Auditing f-differential privacy in one run", arXiv 2410.22235, Algorithm 2) for a whole trade-off
 * function, which refutes far more for the same number of guesses.
 *
 * **Guarantees**: both hold for any dependence between the canaries' scores. They need coins that are fair and
 * independent, guesses that depend on the output alone, and a number of guesses fixed before the output is seen.
 *
 * @module
 */
import { integer, nonNegative, openProbability, probability } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { logBinomialPmf, logBinomialUpperTail } from './binomial.ts';
import { gaussianMu, gaussianTradeOff, type TradeOff } from './trade-off.ts';

/** What the guesser did with one output: abstained on all but `guesses` of the canaries, and was right `correct` times. */
export interface GuessCounts {
  /** Number of canaries whose membership was decided by a fair coin. */
  readonly canaries: number;
  readonly guesses: number;
  readonly correct: number;
}

function checkCounts(counts: GuessCounts): void {
  integer('canaries', counts.canaries, 1);
  integer('guesses', counts.guesses, 0, counts.canaries);
  integer('correct', counts.correct, 0, counts.guesses);
}

/**
 * An upper bound of the probability that an (ε, δ)-DP mechanism lets anybody guess so well:
 * p = β + 2mδ·max_i α_i/i with β = P[B ≥ c], α_i = P[c − i ≤ B < c], B ~ Binomial(guesses, 1/(1 + e^−ε)).
 *
 * @throws `invalid-argument` for impossible counts or parameters
 */
export function oneRunPValue(counts: GuessCounts, epsilon: number, delta: number): number {
  checkCounts(counts);
  nonNegative('epsilon', epsilon);
  probability('delta', delta);
  const { canaries, guesses, correct } = counts;
  if (correct === 0) return 1;
  const p = 1 / (1 + Math.exp(-epsilon));
  const q = 1 / (1 + Math.exp(epsilon));
  const beta = Math.exp(logBinomialUpperTail(guesses, correct, p, q));
  if (delta === 0) return Math.min(1, beta);
  return Math.min(1, beta + 2 * canaries * delta * largestMeanMass(guesses, correct, p, q));
}

/** max over 1 ≤ i ≤ c of P[c − i ≤ B < c]/i. The mass rises to the mode and falls after it, so the running mean has one peak. */
function largestMeanMass(n: number, correct: number, p: number, q: number): number {
  const top = correct - 1;
  const anchor = Math.min(top, Math.max(0, Math.floor((n + 1) * p)));
  const scale = Math.exp(logBinomialPmf(n, anchor, p, q));
  const odds = p / q;
  const above: number[] = [];
  for (let k = anchor, mass = 1; k < top; k++) {
    mass *= ((n - k) / (k + 1)) * odds;
    above.push(mass);
  }
  let sum = 0;
  let best = 0;
  let i = 0;
  for (let k = above.length - 1; k >= 0; k--) best = Math.max(best, (sum += above[k]!) / ++i);
  for (let k = anchor, mass = 1; k >= 0; k--) {
    best = Math.max(best, (sum += mass) / ++i);
    if (mass < best) break;
    mass *= k / ((n - k + 1) * odds);
  }
  return best * scale;
}

/**
 * The largest ε for which the claim (ε, δ) is refuted at the given significance: with probability 1 − significance, the
 * true ε at this δ is larger. 0 if nothing is refuted, or nothing above `atLeast` (which spares the search when only a
 * larger bound than one already found is of interest).
 *
 * @throws `invalid-argument` for impossible counts or parameters
 */
export function oneRunEpsilon(counts: GuessCounts, delta: number, significance: number, atLeast: number = 0): number {
  openProbability('significance', significance);
  return largestRefuted((epsilon) => oneRunPValue(counts, epsilon, delta) <= significance, atLeast);
}

/**
 * Whether guesses that good have probability below `significance` under every mechanism with this trade-off function.
 *
 * The recursion bounds, from the highest number of correct guesses downwards, the mass that any such mechanism can put on
 * "at least i correct": h and r are the wrong and right guesses' shares of that mass, over the number of canaries.
 *
 * @throws `invalid-argument` for impossible counts or parameters
 */
export function oneRunTradeOffRefuted(counts: GuessCounts, tradeOff: TradeOff, significance: number): boolean {
  checkCounts(counts);
  openProbability('significance', significance);
  const { canaries, guesses, correct } = counts;
  let right = (significance * correct) / canaries;
  let wrong = (significance * (guesses - correct)) / canaries;
  for (let i = correct - 1; i >= 0; i--) {
    // The inverse of the blow-up function 1 − f; f is its own inverse.
    const least = tradeOff(1 - right);
    if (least <= wrong) break;
    right = Math.min(1, right + (i / (guesses - i)) * (least - wrong));
    wrong = least;
  }
  return right + wrong > guesses / canaries;
}

/**
 * The ε at `delta` of the largest Gaussian mechanism that is refuted (μ-GDP with δ_μ(ε) = δ). A lower bound of ε for
 * mechanisms of the Gaussian family, an indication for others; use {@link oneRunTradeOffRefuted} with the claim's own
 * trade-off function, or {@link oneRunEpsilon}, where that matters.
 *
 * @throws `invalid-argument` for impossible counts, a delta or significance outside (0, 1)
 */
export function oneRunGaussianEpsilon(counts: GuessCounts, delta: number, significance: number, atLeast: number = 0): number {
  openProbability('delta', delta);
  return largestRefuted(
    (epsilon) => oneRunTradeOffRefuted(counts, gaussianTradeOff(gaussianMu(epsilon, delta)), significance),
    atLeast,
  );
}

/** sup of the ε for which `refuted` holds, to 1e-9; it must be true below and false above. */
function largestRefuted(refuted: (epsilon: number) => boolean, atLeast: number): number {
  nonNegative('atLeast', atLeast);
  if (!refuted(atLeast)) return 0;
  let low = atLeast;
  let high = Math.max(1, 2 * atLeast);
  while (refuted(high)) {
    low = high;
    high *= 2;
    if (high > 1e6)
      throw new SottoError('numeric', 'the audit refutes every epsilon up to 1e6; the guesses are not consistent with any claim');
  }
  while (high - low > 1e-9 * Math.max(1, high)) {
    const middle = (low + high) / 2;
    if (refuted(middle)) low = middle;
    else high = middle;
  }
  return low;
}
