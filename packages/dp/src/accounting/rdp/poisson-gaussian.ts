/**
 * Rényi divergence of the Poisson-subsampled Gaussian: P = (1−q)·N(0, σ²) + q·N(1, σ²) against Q = N(0, σ²), which
 * bounds both directions (Mironov, Talwar and Zhang 2019, "Rényi differential privacy of the sampled Gaussian
 * mechanism", §3.3 and Theorem 5).
 *
 * @module
 */
import { logErfc } from '../special.ts';
import { mixtureMoments } from './quadrature.ts';

/** Terms after which the fractional series gives up; the quadrature takes over. */
const maxTerms = 80;

/**
 * ln(A_α) at integer orders, each as log1p of a sum of positive terms: no cancellation however small it is.
 * Σ_k C(α,k)(1−q)^(α−k)q^k = 1, so A_α − 1 = Σ_(k≥2) C(α,k)(1−q)^(α−k)q^k·(e^((k²−k)/2σ²) − 1).
 */
function logMomentsInteger(q: number, sigma: number, orders: readonly number[]): Float64Array {
  const most = orders.reduce((a, b) => Math.max(a, b), 1);
  const scale = 0.5 / (sigma * sigma);
  const log1mQ = Math.log1p(-q);
  const logOdds = Math.log(q) - log1mQ;
  const logFactorial = new Float64Array(most + 1);
  const gain = new Float64Array(most + 1);
  for (let k = 1; k <= most; k++) {
    logFactorial[k] = logFactorial[k - 1]! + Math.log(k);
    const exponent = (k * k - k) * scale;
    gain[k] = k * logOdds - logFactorial[k]! + (exponent > 36 ? exponent : Math.log(Math.expm1(exponent)));
  }
  return Float64Array.from(orders, (order) => {
    let largest = -Infinity;
    for (let k = 2; k <= order; k++) {
      const term = gain[k]! - logFactorial[order - k]!;
      if (term > largest) largest = term;
    }
    let sum = 0;
    for (let k = 2; k <= order; k++) sum += Math.exp(gain[k]! - logFactorial[order - k]! - largest);
    const logSum = largest + Math.log(sum) + logFactorial[order]! + order * log1mQ;
    return logSum > 36 ? logSum : Math.log1p(Math.exp(logSum));
  });
}

/**
 * ln(A_α) at a fractional order by the signed series of §3.3: the binomials change sign beyond i = α + 1, and so do the
 * terms. Returns NaN if the series has not converged within {@link maxTerms}.
 */
export function logMomentSeries(q: number, sigma: number, order: number): number {
  const logQ = Math.log(q);
  const log1mQ = Math.log1p(-q);
  const variance = sigma * sigma;
  const half = 0.5 / variance;
  const z0 = variance * (log1mQ - logQ) + 0.5;
  const width = Math.SQRT2 * sigma;
  let logBinomial = 0;
  let sign = 1;
  let largest = -Infinity;
  let sum = 0;
  for (let i = 0; i < maxTerms; i++) {
    const j = order - i;
    const below = logBinomial + i * logQ + j * log1mQ + (i * i - i) * half + logErfc((i - z0) / width) - Math.LN2;
    const above = logBinomial + j * logQ + i * log1mQ + (j * j - j) * half + logErfc((z0 - j) / width) - Math.LN2;
    const high = below > above ? below : above;
    if (high > largest) {
      sum *= Math.exp(largest - high);
      largest = high;
    }
    sum += sign * (Math.exp(below - largest) + Math.exp(above - largest));
    if (i > order && high - largest < -40) return sum > 0 ? largest + Math.log(sum) : NaN;
    const factor = (order - i) / (i + 1);
    if (factor < 0) sign = -sign;
    logBinomial += Math.log(Math.abs(factor));
  }
  return NaN;
}

/**
 * ε(α) of one subsampled Gaussian of noise multiplier `sigma` ≥ 0 for each order > 1 (+∞ included), `sampleRate` in
 * [0, 1]. +∞ where nothing converges. Relative error below 1e-12.
 */
export function poissonGaussianRdp(sampleRate: number, sigma: number, orders: readonly number[]): Float64Array {
  if (sampleRate === 0 || sigma === Infinity) return new Float64Array(orders.length);
  if (sampleRate === 1) return Float64Array.from(orders, (order) => order / (2 * sigma * sigma));
  if (sigma === 0) return new Float64Array(orders.length).fill(Infinity);
  const whole = orders.filter((order) => Number.isInteger(order) && order <= largestInteger);
  const fractional = orders.filter((order) => !(Number.isInteger(order) && order <= largestInteger) && order !== Infinity);
  const wholeMoments = logMomentsInteger(sampleRate, sigma, whole);
  const fractionalMoments = mixtureMoments([0, 1], [1 - sampleRate, sampleRate], [0], [1], sigma, fractional);
  let w = 0;
  let f = 0;
  return Float64Array.from(orders, (order) => {
    if (order === Infinity) return Infinity;
    let logMoment: number;
    if (Number.isInteger(order) && order <= largestInteger) logMoment = wholeMoments[w++]!;
    else {
      logMoment = fractionalMoments[f++]!;
      if (Number.isNaN(logMoment)) logMoment = logMomentSeries(sampleRate, sigma, order);
    }
    // Sampling never makes it worse than the Gaussian itself, whatever the sums say.
    const most = order / (2 * sigma * sigma);
    return Number.isNaN(logMoment) ? Infinity : Math.min(most, Math.max(0, logMoment / (order - 1)));
  });
}

/** Beyond this order the sum is longer than the quadrature. */
const largestInteger = 100_000;
