/**
 * Rényi moments of a pair of mixtures of Gaussians of one variance on the line, by the trapezoidal rule. The integrand
 * is analytic, so the rule converges faster than any power of the step; and ∫ is taken of a non-negative function that
 * vanishes with the divergence, so the result keeps its relative accuracy however small it is.
 *
 * @module
 */
import { logSqrt2Pi } from '../special.ts';

/** ln Σ wᵢ·exp((2x·mᵢ − mᵢ²)/2σ²): the log of a mixture density over the density of N(0, σ²). */
function logRatio(x: number, means: readonly number[], logWeights: readonly number[], half: number): number {
  let largest = -Infinity;
  for (let i = 0; i < means.length; i++) {
    const e = logWeights[i]! + (2 * x - means[i]!) * means[i]! * half;
    if (e > largest) largest = e;
  }
  if (largest === -Infinity) return largest;
  let sum = 0;
  for (let i = 0; i < means.length; i++) {
    sum += Math.exp(logWeights[i]! + (2 * x - means[i]!) * means[i]! * half - largest);
  }
  return largest + Math.log(sum);
}

/** u^α − 1 − α(u − 1) ≥ 0, the convex excess of u^α over its tangent at u = 1, for u = e^t and α > 1. */
function excess(t: number, order: number): number {
  if (Math.abs(t) * order > 1e-2) return Math.expm1(order * t) - order * Math.expm1(t);
  return Math.exp(logExcess(t, order));
}

/** ln of {@link excess}, also where that overflows. */
function logExcess(t: number, order: number): number {
  if (Math.abs(t) * order < 1e-2) {
    // Σ_(n≥2) (αⁿ − α)·tⁿ/n!, four terms beyond the first: relative error below 1e-11 here.
    let power = 1;
    let sum = 0;
    let factorial = 2;
    let an = order * order;
    for (let n = 2; n <= 7; n++) {
      sum += ((an - order) / factorial) * power;
      power *= t;
      an *= order;
      factorial *= n + 1;
    }
    return 2 * Math.log(Math.abs(t)) + Math.log(sum);
  }
  if (t === 0) return -Infinity;
  if (t * order > 500) return order * t + Math.log1p(-Math.exp(-order * t) * (1 - order) - order * Math.exp((1 - order) * t));
  return Math.log(Math.expm1(order * t) - order * Math.expm1(t));
}

/**
 * ln E_Q[(P/Q)^α] for P = Σ wᵢ·N(mᵢ, σ²), Q = Σ vⱼ·N(nⱼ, σ²) and each finite order α > 1, on one grid for all orders.
 * All NaN if the grid would be too large.
 */
export function mixtureMoments(
  pMeans: readonly number[],
  pWeights: readonly number[],
  qMeans: readonly number[],
  qWeights: readonly number[],
  sigma: number,
  orders: readonly number[],
): Float64Array {
  const moments = new Float64Array(orders.length).fill(NaN);
  if (orders.length === 0 || !(sigma > 0)) return moments;
  const half = 0.5 / (sigma * sigma);
  const logP = pWeights.map(Math.log);
  const logQ = qWeights.map(Math.log);
  const lowMean = Math.min(...pMeans, ...qMeans);
  const highMean = Math.max(...pMeans, ...qMeans);
  const spread = highMean - lowMean;
  const highestOrder = orders.reduce((a, b) => Math.max(a, b), 1);
  // P^α·Q^(1−α) of two single Gaussians peaks at α·m_P − (α−1)·m_Q: the extremes over all pairs bound the range.
  const pLow = Math.min(...pMeans);
  const pHigh = Math.max(...pMeans);
  const qLow = Math.min(...qMeans);
  const qHigh = Math.max(...qMeans);
  const lowOf = (order: number): number => Math.min(lowMean, order * pLow - (order - 1) * qHigh) - 11 * sigma;
  const highOf = (order: number): number => Math.max(highMean, order * pHigh - (order - 1) * qLow) + 11 * sigma;
  const low = lowOf(highestOrder);
  const high = highOf(highestOrder);
  // Branch points lie at an imaginary distance of about π·σ²/spread; σ/6 resolves the Gaussians themselves.
  const step = Math.min(sigma / 6, (0.5 * sigma * sigma) / Math.max(spread, 1e-300));
  const points = Math.ceil((high - low) / step) + 1;
  if (!(points < 2_000_000)) return moments;
  const ratio = new Float64Array(points);
  const base = new Float64Array(points);
  for (let i = 0; i < points; i++) {
    const x = low + i * step;
    const q = logRatio(x, qMeans, logQ, half);
    ratio[i] = logRatio(x, pMeans, logP, half) - q;
    base[i] = q - x * x * half;
  }
  const logWeight = Math.log(step) - Math.log(sigma) - logSqrt2Pi;
  for (let k = 0; k < orders.length; k++) {
    const order = orders[k]!;
    const first = Math.max(0, Math.floor((lowOf(order) - low) / step));
    const end = Math.min(points, Math.ceil((highOf(order) - low) / step) + 1);
    let peak = -Infinity;
    for (let i = first; i < end; i++) {
      const t = ratio[i]!;
      const height = base[i]! + (t > 0 ? order * t : 0);
      if (height > peak) peak = height;
    }
    const shift = peak > 300 ? peak : 0;
    let sum = 0;
    for (let i = first; i < end; i++) {
      const t = ratio[i]!;
      const b = base[i]! - shift;
      sum += order * t < 300 ? excess(t, order) * Math.exp(b) : Math.exp(b + logExcess(t, order));
    }
    const logMinus1 = shift + Math.log(sum) + logWeight;
    moments[k] = logMinus1 > 36 ? logMinus1 : Math.log1p(Math.exp(logMinus1));
  }
  return moments;
}
