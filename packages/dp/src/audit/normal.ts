/**
 * The standard normal distribution, and Gaussian differential privacy in its terms (Dong, Roth, Su 2019).
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { show } from '@sotto/core/check';

const LOG_ROOT_TWO_PI = 0.9189385332046727;
const SERIES_LIMIT = 2.6;

/** (Φ(x) − ½)/φ(x) by its power series, all terms of one sign; for |x| ≤ 2.6. */
function centralRatio(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 3; k < 200; k += 2) {
    term *= (x * x) / k;
    const next = sum + term;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** Mills' ratio (1 − Φ(x))/φ(x) for x ≥ 2.6, by its continued fraction evaluated backwards. */
function millsRatio(x: number): number {
  const depth = x > 12 ? 24 : Math.ceil(30 + 500 / (x * x));
  let tail = x;
  for (let k = depth; k > 0; k--) tail = x + k / tail;
  return 1 / tail;
}

function density(x: number): number {
  return Math.exp(-0.5 * x * x - LOG_ROOT_TWO_PI);
}

/** Φ(x); relative error below 1e-13 in the lower tail down to the underflow. */
export function normalCdf(x: number): number {
  if (x < -SERIES_LIMIT) return density(x) * millsRatio(-x);
  if (x > SERIES_LIMIT) return 1 - density(x) * millsRatio(x);
  return 0.5 + density(x) * centralRatio(x);
}

/** ln Φ(x), finite far beyond the underflow of Φ. */
export function normalLogCdf(x: number): number {
  if (x === -Infinity) return -Infinity;
  if (x < -SERIES_LIMIT) return -0.5 * x * x - LOG_ROOT_TWO_PI + Math.log(millsRatio(-x));
  return x > SERIES_LIMIT ? Math.log1p(-density(x) * millsRatio(x)) : Math.log(normalCdf(x));
}

/** Φ⁻¹(p) for p in [0, 1]; ±∞ at the ends. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new SottoError('invalid-argument', `p is ${show(p)}; it must be a number from 0 to 1`);
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p === 0) return -Infinity;
  // A rational start (Abramowitz and Stegun 26.2.23, error below 4.5e-4), then Halley steps on ln Φ.
  const t = Math.sqrt(-2 * Math.log(p));
  let x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (let step = 0; step < 4; step++) {
    const cdf = normalCdf(x);
    const error = cdf > 0 ? (cdf - p) / density(x) : 0;
    const delta = error / (1 + 0.5 * x * error);
    x -= delta;
    if (Math.abs(delta) <= 1e-15 * Math.max(1, Math.abs(x))) break;
  }
  return x;
}

/** ln δ(ε) of μ-Gaussian DP: δ(ε) = Φ(−ε/μ + μ/2) − e^ε·Φ(−ε/μ − μ/2) (Dong, Roth, Su 2019, Corollary 2.13). */
export function gaussianLogDelta(epsilon: number, mu: number): number {
  if (mu === 0) return -Infinity;
  if (mu === Infinity) return 0;
  const first = normalLogCdf(-epsilon / mu + mu / 2);
  const second = epsilon + normalLogCdf(-epsilon / mu - mu / 2);
  return second >= first ? -Infinity : first + Math.log(-Math.expm1(second - first));
}

/** Bisection of a function that rises through zero once in [low, high]; the lower end is returned. */
function lastNegative(low: number, high: number, rising: (x: number) => number): number {
  let below = low;
  let above = high;
  for (let step = 0; step < 200; step++) {
    const middle = (below + above) / 2;
    if (middle === below || middle === above) break;
    if (rising(middle) > 0) above = middle;
    else below = middle;
  }
  return below;
}

/** The ε of μ-Gaussian DP at δ in (0, 1); 0 where δ is already reached at ε = 0, +∞ for μ = +∞. */
export function gaussianEpsilon(mu: number, delta: number): number {
  if (mu === Infinity) return Infinity;
  const target = Math.log(delta);
  if (gaussianLogDelta(0, mu) <= target) return 0;
  let high = 1;
  while (gaussianLogDelta(high, mu) > target) high *= 2;
  return lastNegative(0, high, (epsilon) => target - gaussianLogDelta(epsilon, mu));
}

/** The μ for which Gaussian DP is exactly (ε, δ); δ in (0, 1), ε ≥ 0. */
export function gaussianMu(epsilon: number, delta: number): number {
  const target = Math.log(delta);
  let high = 1;
  while (gaussianLogDelta(epsilon, high) <= target) high *= 2;
  return lastNegative(0, high, (mu) => gaussianLogDelta(epsilon, mu) - target);
}
