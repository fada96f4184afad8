/**
 * From scores to a decision about a claim: which tests are run at which significance, fixed before any score is seen.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { gaussianEpsilon } from '../accounting/gaussian.ts';
import { oneRunEpsilon, oneRunGaussianEpsilon, oneRunPValue, oneRunTradeOffRefuted, type GuessCounts } from './one-run.ts';
import { splitByMembership, type AuditSample } from './target.ts';
import {
  chooseTest,
  clopperPearsonEpsilon,
  clopperPearsonMu,
  clopperPearsonTradeOffRefuted,
  countDecisions,
  type TestCounts,
  type TestObjective,
} from './threshold-bounds.ts';
import { gaussianTradeOff, type TradeOff } from './trade-off.ts';

/** What is claimed of a mechanism, for the adjacency "one canary more or less". */
export interface AuditClaim {
  /** The claim is (ε, δ)-DP, ε finite and δ in [0, 1). */
  readonly epsilon: number;
  readonly delta: number;
  /** More than a point, where it is known; it makes the audit far more powerful. */
  readonly curve?: ClaimedCurve;
}

/**
 * A claim about every test at once: μ-Gaussian DP (μ = √steps/σ for steps without sampling), or any trade-off function that is
 * its own inverse.
 */
export type ClaimedCurve =
  | { readonly kind: 'gaussian'; readonly mu: number }
  | { readonly kind: 'tradeOff'; readonly name: string; readonly tradeOff: TradeOff };

/** One statistical test of an audit. */
export interface AuditTestResult {
  /** What is tested: the point (ε, δ), or the whole curve. */
  readonly about: 'epsilon-delta' | 'curve';
  /** Whether the claim is refuted at this test's significance. */
  readonly refuted: boolean;
  /** This test's share of the audit's significance. */
  readonly significance: number;
  /** The largest ε refuted at the claim's δ. Absent for a curve that is no member of a family. */
  readonly epsilonLowerBound?: number;
  /** What the ε bound presumes of the mechanism; `refuted` itself presumes nothing. */
  readonly assumption: 'none' | 'gaussian-family';
  /** What was observed: the counts that gave the bound. */
  readonly observed: TestCounts | GuessCounts;
}

/** How the significance is spent. */
export type AuditMethod =
  /** One canary per run: Clopper–Pearson on the second half of the runs, at a threshold chosen on the first half. */
  | 'clopper-pearson'
  /** Any number of canaries per run: guesses about the extreme scores, at guess counts fixed in advance. */
  | 'one-run';

/** Shares of the canaries that the one-run tests guess about, half of them "in" and half "out". */
export const guessShares: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.7];

/**
 * Tests the claim on the scores. With probability 1 − significance no true claim is refuted, all tests together.
 *
 * @param bounds false skips the search for lower bounds (the refutations stay): for simulations
 * @throws `invalid-argument` for Clopper–Pearson with several canaries per run, whose outcomes are not independent
 */
export function decide(
  sample: AuditSample,
  claim: AuditClaim,
  method: AuditMethod,
  significance: number,
  bounds: boolean = true,
): AuditTestResult[] {
  // A curve says more than a point of it, so its test gets most of the significance.
  const curveShare = claim.curve === undefined ? 0 : 0.8 * significance;
  const spend = { point: significance - curveShare, curve: curveShare };
  if (method === 'clopper-pearson') return decideIndependent(sample, claim, spend);
  return decideOneRun(sample, claim, spend, bounds);
}

/** The significance of the two tests. */
interface Spend {
  readonly point: number;
  readonly curve: number;
}

function decideIndependent(sample: AuditSample, claim: AuditClaim, spend: Spend): AuditTestResult[] {
  if (sample.canariesPerRun !== 1) {
    throw new SottoError(
      'invalid-argument',
      `method is clopper-pearson with ${sample.canariesPerRun} canaries per run; their outcomes are not independent, so use 1 canary per run or one-run`,
    );
  }
  const half = sample.runs >> 1;
  const first = splitByMembership(sample, 0, half);
  const second = splitByMembership(sample, half);
  const countsFor = (objective: TestObjective, significance: number): TestCounts => {
    const usable = first.inScores.length > 0 && first.outScores.length > 0;
    const test = usable ? chooseTest(first, objective, significance) : { threshold: Infinity, reversed: false };
    return countDecisions(second, test);
  };
  const pointCounts = countsFor({ kind: 'epsilon', delta: claim.delta }, spend.point);
  const epsilonLowerBound = clopperPearsonEpsilon(pointCounts, claim.delta, spend.point);
  const results: AuditTestResult[] = [
    {
      about: 'epsilon-delta',
      refuted: epsilonLowerBound > claim.epsilon,
      significance: spend.point,
      epsilonLowerBound,
      assumption: 'none',
      observed: pointCounts,
    },
  ];
  if (claim.curve !== undefined) {
    const observed = countsFor({ kind: 'mu' }, spend.curve);
    if (claim.curve.kind === 'gaussian') {
      const mu = clopperPearsonMu(observed, spend.curve);
      results.push({
        about: 'curve',
        refuted: mu > claim.curve.mu,
        significance: spend.curve,
        ...(claim.delta > 0 ? { epsilonLowerBound: mu > 0 ? gaussianEpsilon(mu, claim.delta) : 0 } : {}),
        assumption: 'gaussian-family',
        observed,
      });
    } else {
      const refuted = clopperPearsonTradeOffRefuted(observed, claim.curve.tradeOff, spend.curve);
      results.push({ about: 'curve', refuted, significance: spend.curve, assumption: 'none', observed });
    }
  }
  return results;
}

function decideOneRun(sample: AuditSample, claim: AuditClaim, spend: Spend, bounds: boolean): AuditTestResult[] {
  const grid = guessCounts(sample);
  const each = spend.point / grid.length;
  let best = { bound: 0, refuted: false, observed: grid[0]! };
  for (const counts of grid) {
    const refuted = oneRunPValue(counts, claim.epsilon, claim.delta) <= each;
    const bound = bounds ? oneRunEpsilon(counts, claim.delta, each, best.bound) : 0;
    if (bound > best.bound || (refuted && !best.refuted)) {
      best = { bound: Math.max(bound, best.bound), refuted: refuted || best.refuted, observed: counts };
    }
  }
  const results: AuditTestResult[] = [
    {
      about: 'epsilon-delta',
      refuted: best.refuted,
      significance: spend.point,
      epsilonLowerBound: best.bound,
      assumption: 'none',
      observed: best.observed,
    },
  ];
  if (claim.curve !== undefined) {
    const { curve } = claim;
    const share = spend.curve / grid.length;
    const tradeOff = curve.kind === 'gaussian' ? gaussianTradeOff(curve.mu) : curve.tradeOff;
    let curveBest = { bound: 0, refuted: false, observed: grid[0]! };
    for (const counts of grid) {
      const refuted = oneRunTradeOffRefuted(counts, tradeOff, share);
      const search = bounds && curve.kind === 'gaussian' && claim.delta > 0;
      const bound = search ? oneRunGaussianEpsilon(counts, claim.delta, share, curveBest.bound) : 0;
      if (bound > curveBest.bound || (refuted && !curveBest.refuted)) {
        curveBest = { bound: Math.max(bound, curveBest.bound), refuted: refuted || curveBest.refuted, observed: counts };
      }
    }
    results.push({
      about: 'curve',
      refuted: curveBest.refuted,
      significance: spend.curve,
      ...(curve.kind === 'gaussian' && claim.delta > 0 ? { epsilonLowerBound: curveBest.bound } : {}),
      assumption: curve.kind === 'gaussian' ? 'gaussian-family' : 'none',
      observed: curveBest.observed,
    });
  }
  return results;
}

/** Guesses on the highest and lowest scores, for each share; ties are broken by position, which does not depend on the coins. */
function guessCounts(sample: AuditSample): GuessCounts[] {
  const canaries = sample.scores.length;
  const order = Uint32Array.from({ length: canaries }, (_, i) => i).sort((a, b) => {
    const difference = sample.scores[b]! - sample.scores[a]!;
    return difference < 0 ? -1 : difference > 0 ? 1 : a - b;
  });
  const sizes = new Set(guessShares.map((share) => Math.max(1, Math.round((share * canaries) / 2))));
  return [...sizes]
    .filter((size) => 2 * size <= canaries)
    .map((size) => {
      let correct = 0;
      for (let k = 0; k < size; k++) {
        correct += sample.included[order[k]!]!;
        correct += 1 - sample.included[order[canaries - 1 - k]!]!;
      }
      return { canaries, guesses: 2 * size, correct };
    });
}
