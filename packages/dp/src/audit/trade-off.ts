/**
 * Trade-off functions: what a privacy claim says about every membership test.
 *
 * @module
 */
import { nonNegative, probability } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { gaussianLogDelta } from '../accounting/gaussian.ts';
import { normalCdf, normalQuantile } from '../accounting/special.ts';

/**
 * The trade-off function of a claim (f-DP; Dong, Roth, Su 2019, Definition 2.1): the least false negative rate of any test
 * whose false positive rate is at most `falsePositiveRate`. It falls, is convex, and lies at or below 1 − x.
 *
 * The audits take it for the test "in" against "out" in both directions, so it must be its own inverse (any claim for
 * add-or-remove or replace adjacency is, once both directions are covered).
 */
export type TradeOff = (falsePositiveRate: number) => number;

/** μ-Gaussian DP: G_μ(x) = Φ(Φ⁻¹(1 − x) − μ). */
export function gaussianTradeOff(mu: number): TradeOff {
  nonNegative('mu', mu);
  return (falsePositiveRate) => {
    if (falsePositiveRate <= 0) return 1;
    if (falsePositiveRate >= 1) return 0;
    return normalCdf(-normalQuantile(falsePositiveRate) - mu);
  };
}

/** (ε, δ)-DP: f(x) = max(0, 1 − δ − e^ε·x, e^−ε·(1 − δ − x)) (Wasserman and Zhou 2010, Kairouz et al. 2015). */
export function approximateDpTradeOff(epsilon: number, delta: number): TradeOff {
  nonNegative('epsilon', epsilon);
  probability('delta', delta);
  const factor = Math.exp(epsilon);
  return (falsePositiveRate) => Math.max(0, 1 - delta - factor * falsePositiveRate, (1 - delta - falsePositiveRate) / factor);
}

/**
 * The trade-off function of a claim of (ε, δ(ε))-DP at several ε, such as an accountant's upper bounds: the largest of their
 * {@link approximateDpTradeOff}s, so it lies below the true one.
 *
 * @throws `invalid-argument` for no points, or values out of range
 */
export function tradeOffOfCurve(points: readonly { readonly epsilon: number; readonly delta: number }[]): TradeOff {
  if (points.length === 0) throw new SottoError('invalid-argument', 'points is empty; a curve needs at least one (ε, δ)');
  const parts = points.map(({ epsilon, delta }) => approximateDpTradeOff(epsilon, delta));
  return (falsePositiveRate) => parts.reduce((best, part) => Math.max(best, part(falsePositiveRate)), 0);
}

/** The μ for which Gaussian DP is exactly (ε, δ); ε ≥ 0, δ in (0, 1). By bisection: δ rises with μ. */
export function gaussianMu(epsilon: number, delta: number): number {
  const target = Math.log(delta);
  let low = 0;
  let high = 1;
  while (gaussianLogDelta(high, epsilon) <= target) {
    low = high;
    high *= 2;
  }
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return low;
    if (gaussianLogDelta(middle, epsilon) > target) high = middle;
    else low = middle;
  }
}
