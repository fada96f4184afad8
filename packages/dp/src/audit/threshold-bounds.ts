/**
 * Lower bounds of ε from the error rates of a membership test, for canaries whose outcomes are independent: one canary per
 * run of the mechanism, many runs (Jagielski, Ullman, Oprea 2020; Nasr et al. 2021 and 2023).
 *
 * Both error rates are bounded from above by Clopper–Pearson at half the significance each, so that every consequence
 * drawn from the pair holds with probability 1 − significance.
 *
 * @module
 */
import { integer, openProbability, probability } from '@sotto/core/check';
import { gaussianEpsilon } from '../accounting/gaussian.ts';
import { normalQuantile } from '../accounting/special.ts';
import { clopperPearsonUpper } from './clopper-pearson.ts';
import { hullIndices, rocCurve, type MembershipScores, type RocCurve } from './roc.ts';
import type { TradeOff } from './trade-off.ts';

/** The outcomes of one membership test over independent canaries. */
export interface TestCounts {
  /** Canaries that were in, and among them those that the test called "in". */
  readonly positives: number;
  readonly truePositives: number;
  /** Canaries that were out, and among them those that the test called "in". */
  readonly negatives: number;
  readonly falsePositives: number;
}

/** Upper limits of both error rates that hold together with probability 1 − significance. */
export interface ErrorRateLimits {
  readonly falsePositiveRate: number;
  readonly falseNegativeRate: number;
}

/**
 * Clopper–Pearson upper limits of the false positive and the false negative rate, at significance/2 each.
 *
 * @throws `invalid-argument` for impossible counts or a significance outside (0, 1)
 */
export function errorRateLimits(counts: TestCounts, significance: number): ErrorRateLimits {
  openProbability('significance', significance);
  integer('positives', counts.positives, 0);
  integer('truePositives', counts.truePositives, 0, counts.positives);
  return {
    falsePositiveRate: clopperPearsonUpper(counts.falsePositives, counts.negatives, significance / 2),
    falseNegativeRate: clopperPearsonUpper(counts.positives - counts.truePositives, counts.positives, significance / 2),
  };
}

/**
 * The ε that the counts refute at this δ: max(0, ln((TPR − δ)/FPR), ln((TNR − δ)/FNR)) at the confidence limits. The true ε
 * is smaller with probability at most `significance`, whatever the mechanism.
 *
 * @throws as {@link errorRateLimits}
 */
export function clopperPearsonEpsilon(counts: TestCounts, delta: number, significance: number): number {
  probability('delta', delta);
  return epsilonOfLimits(errorRateLimits(counts, significance), delta);
}

function epsilonOfLimits(limits: ErrorRateLimits, delta: number): number {
  const { falsePositiveRate: fpr, falseNegativeRate: fnr } = limits;
  const one = 1 - fnr - delta > 0 ? Math.log((1 - fnr - delta) / fpr) : 0;
  const other = 1 - fpr - delta > 0 ? Math.log((1 - fpr - delta) / fnr) : 0;
  return Math.max(0, one, other);
}

/**
 * The μ that the counts refute among Gaussian mechanisms: Φ⁻¹(1 − FPR) − Φ⁻¹(FNR) at the confidence limits, at least 0.
 *
 * @throws as {@link errorRateLimits}
 */
export function clopperPearsonMu(counts: TestCounts, significance: number): number {
  return muOfLimits(errorRateLimits(counts, significance));
}

function muOfLimits(limits: ErrorRateLimits): number {
  const mu = -normalQuantile(limits.falsePositiveRate) - normalQuantile(limits.falseNegativeRate);
  return mu > 0 ? mu : 0;
}

/** The ε at `delta` of {@link clopperPearsonMu}: a lower bound for mechanisms of the Gaussian family. */
export function clopperPearsonGaussianEpsilon(counts: TestCounts, delta: number, significance: number): number {
  openProbability('delta', delta);
  return gaussianEpsilon(clopperPearsonMu(counts, significance), delta);
}

/**
 * Whether the counts refute a claimed trade-off function: the false negative rate is below what the claim allows at the
 * false positive rate, both at their limits.
 *
 * @throws as {@link errorRateLimits}
 */
export function clopperPearsonTradeOffRefuted(counts: TestCounts, tradeOff: TradeOff, significance: number): boolean {
  const { falsePositiveRate, falseNegativeRate } = errorRateLimits(counts, significance);
  return falseNegativeRate < tradeOff(falsePositiveRate);
}

/** A membership test on scores: "in" for scores ≥ threshold, or, reversed, for scores < threshold. */
export interface ThresholdTest {
  readonly threshold: number;
  readonly reversed: boolean;
}

/** Applies a test to scores. */
export function countDecisions(scores: MembershipScores, test: ThresholdTest): TestCounts {
  const count = (list: Float64Array): number => {
    let n = 0;
    for (const score of list) if (score >= test.threshold !== test.reversed) n++;
    return n;
  };
  return {
    positives: scores.inScores.length,
    truePositives: count(scores.inScores),
    negatives: scores.outScores.length,
    falsePositives: count(scores.outScores),
  };
}

/** What {@link chooseTest} looks for: the largest bound of μ, or of ε at a δ. */
export type TestObjective = { readonly kind: 'mu' } | { readonly kind: 'epsilon'; readonly delta: number };

/**
 * The threshold with the best bound on these scores. Its own bound on the SAME scores is biased upwards: choose on one part
 * of the runs and bound on the rest.
 */
export function chooseTest(scores: MembershipScores, objective: TestObjective, significance: number): ThresholdTest {
  const forward = bestOnCurve(rocCurve(scores), objective, significance);
  const negated = { inScores: scores.inScores.map((x) => -x), outScores: scores.outScores.map((x) => -x) };
  const backward = bestOnCurve(rocCurve(negated), objective, significance);
  if (backward.value <= forward.value) return { threshold: forward.threshold, reversed: false };
  return { threshold: -backward.threshold, reversed: true };
}

function bestOnCurve(curve: RocCurve, objective: TestObjective, significance: number): { threshold: number; value: number } {
  let best = { threshold: Infinity, value: 0 };
  for (const k of hullIndices(curve)) {
    const counts = countsAt(curve, k);
    const limits = errorRateLimits(counts, significance);
    const value = objective.kind === 'mu' ? muOfLimits(limits) : epsilonOfLimits(limits, objective.delta);
    if (value > best.value) best = { threshold: middleBelow(curve, k), value };
  }
  return best;
}

/** Counts of the k-th threshold of a curve. */
export function countsAt(curve: RocCurve, k: number): TestCounts {
  return {
    positives: curve.positives,
    truePositives: curve.truePositives[k]!,
    negatives: curve.negatives,
    falsePositives: curve.falsePositives[k]!,
  };
}

/** A threshold with the same decisions, halfway to the next lower score: fresh scores fall on both sides without bias. */
function middleBelow(curve: RocCurve, k: number): number {
  const here = curve.thresholds[k]!;
  const next = curve.thresholds[k + 1];
  if (next === undefined || !Number.isFinite(here) || !Number.isFinite(next)) return here;
  const middle = next + (here - next) / 2;
  return middle > next ? middle : here;
}
