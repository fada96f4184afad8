/**
 * Binomial probabilities and the regularised incomplete beta function, accurate in the tails and for large counts.
 *
 * The probability mass is Loader's saddle-point form ("Fast and accurate computation of binomial probabilities", 2000):
 * no difference of large log-gammas, so the relative error stays near 1e-14 for any n. Tails are sums of neighbouring
 * terms from the side on which they shrink. A success probability is always given together with its complement, because
 * `1 - p` has lost its digits when p is next to one.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

const LOG_TWO_PI = 1.8378770664093453;

/** ln(x!) minus Stirling's ½·ln(2πx) + x·ln x − x, for real x > 0. */
function stirlingError(x: number): number {
  let shift = 0;
  let at = x;
  // ln Γ's recurrence in terms of this error; the asymptotic series needs an argument of 16 or more for full precision.
  for (; at < 16; at++) shift += (at + 0.5) * Math.log1p(1 / at) - 1;
  const inverse = 1 / (at * at);
  const series = 1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)));
  return shift + series / at;
}

/** x·ln(x/mean) + mean − x without cancellation when x is next to the mean. */
function deviance(x: number, mean: number): number {
  const difference = x - mean;
  if (Math.abs(difference) < 0.1 * (x + mean)) {
    const v = difference / (x + mean);
    let sum = difference * v;
    let term = 2 * x * v;
    for (let j = 1; j < 1000; j++) {
      term *= v * v;
      const next = sum + term / (2 * j + 1);
      if (next === sum) return next;
      sum = next;
    }
    return sum;
  }
  return x * Math.log(x / mean) + mean - x;
}

/**
 * ln P[X = k] for X ~ Binomial(n, p), `q = 1 − p` given by the caller. n and k may be real (the beta density needs that).
 */
export function logBinomialPmf(n: number, k: number, p: number, q: number): number {
  if (k < 0 || k > n) return -Infinity;
  if (p === 0) return k === 0 ? 0 : -Infinity;
  if (q === 0) return k === n ? 0 : -Infinity;
  if (k === 0) return n === 0 ? 0 : p < 0.5 ? n * Math.log1p(-p) : n * Math.log(q);
  if (k === n) return q < 0.5 ? n * Math.log1p(-q) : n * Math.log(p);
  const rest = n - k;
  const saddle = stirlingError(n) - stirlingError(k) - stirlingError(rest) - deviance(k, n * p) - deviance(rest, n * q);
  return saddle + 0.5 * (Math.log(n) - Math.log(k) - Math.log(rest) - LOG_TWO_PI);
}

/** Σ_{k ≥ from} P[X = k] / P[X = from], summed upwards; fast when `from` is at or above the mode. */
function upwardRatio(n: number, from: number, p: number, q: number): number {
  const odds = p / q;
  let sum = 1;
  let term = 1;
  for (let k = from; k < n; k++) {
    term *= ((n - k) / (k + 1)) * odds;
    const next = sum + term;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/**
 * ln P[X ≥ count] for X ~ Binomial(n, p), `q = 1 − p` given by the caller. Integers 0 ≤ count ≤ n + 1.
 */
export function logBinomialUpperTail(n: number, count: number, p: number, q: number): number {
  if (count <= 0) return 0;
  if (count > n || p === 0) return -Infinity;
  if (q === 0) return 0;
  if (count > n * p) return logBinomialPmf(n, count, p, q) + Math.log(upwardRatio(n, count, p, q));
  return log1mExp(logBinomialLowerTail(n, count - 1, p, q));
}

/** ln P[X ≤ count] for X ~ Binomial(n, p), `q = 1 − p` given by the caller. */
export function logBinomialLowerTail(n: number, count: number, p: number, q: number): number {
  return logBinomialUpperTail(n, n - count, q, p);
}

/** ln(1 − eˣ) for x ≤ 0. */
export function log1mExp(x: number): number {
  if (x >= 0) return -Infinity;
  return x > -Math.LN2 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
}

/** Lentz's continued fraction of the incomplete beta function; converges quickly for x < (a + 1)/(a + b + 2). */
function betaFraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let h = d;
  for (let m = 1; m <= 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    c = 1 + even / c;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    if (Math.abs(c) < tiny) c = tiny;
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    c = 1 + odd / c;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    if (Math.abs(c) < tiny) c = tiny;
    const factor = d * c;
    h *= factor;
    if (Math.abs(factor - 1) < 1e-16) return h;
  }
  throw new SottoError('numeric', `the incomplete beta function did not converge for a = ${a}, b = ${b}, x = ${x}`);
}

/** ln of the Beta(a, b) density times x(1 − x). */
function logBetaDensityLogit(a: number, b: number, x: number, y: number): number {
  return logBinomialPmf(a + b, a, x, y) + Math.log(a) + Math.log(b) - Math.log(a + b);
}

/**
 * ln I_x(a, b), the regularised incomplete beta function, for a, b > 0 and `y = 1 − x` given by the caller.
 *
 * @throws `numeric` if the continued fraction does not converge
 */
export function logRegularizedBeta(a: number, b: number, x: number, y: number): number {
  if (x <= 0) return -Infinity;
  if (y <= 0) return 0;
  const front = logBetaDensityLogit(a, b, x, y);
  if (x * (a + b + 2) < a + 1) return front - Math.log(a) + Math.log(betaFraction(a, b, x));
  return log1mExp(front - Math.log(b) + Math.log(betaFraction(b, a, y)));
}

/**
 * The x with I_x(a, b) = probability, together with 1 − x, each to about 14 digits: a safeguarded Newton search on
 * ln I over the logit of x, from the smaller tail.
 */
export function betaQuantile(a: number, b: number, probability: number): { readonly x: number; readonly complement: number } {
  if (probability <= 0) return { x: 0, complement: 1 };
  if (probability >= 1) return { x: 1, complement: 0 };
  if (probability > 0.5) {
    const mirrored = lowerBetaQuantile(b, a, 1 - probability);
    return { x: mirrored.complement, complement: mirrored.x };
  }
  return lowerBetaQuantile(a, b, probability);
}

function lowerBetaQuantile(a: number, b: number, probability: number): { readonly x: number; readonly complement: number } {
  const target = Math.log(probability);
  let low = -745;
  let high = 745;
  let z = Math.log(a / b);
  for (let step = 0; step < 200; step++) {
    const x = z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z));
    const y = z < 0 ? 1 / (1 + Math.exp(z)) : Math.exp(-z) / (1 + Math.exp(-z));
    const value = logRegularizedBeta(a, b, x, y);
    const error = value - target;
    if (error > 0) high = z;
    else low = z;
    const slope = Math.exp(logBetaDensityLogit(a, b, x, y) - value);
    let next = z - error / slope;
    if (!(next > low && next < high)) next = (low + high) / 2;
    const done = Math.abs(next - z) <= 2e-16 * Math.max(1, Math.abs(z)) || high - low <= 4e-16 * Math.max(1, Math.abs(z));
    z = next;
    if (done) break;
  }
  return z < 0
    ? { x: Math.exp(z) / (1 + Math.exp(z)), complement: 1 / (1 + Math.exp(z)) }
    : { x: 1 / (1 + Math.exp(-z)), complement: Math.exp(-z) / (1 + Math.exp(-z)) };
}
