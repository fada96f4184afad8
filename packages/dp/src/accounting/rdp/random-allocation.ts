/**
 * Balls in bins: a unit is in one of `bins` batches, uniformly at random, and every batch sum gets Gaussian noise. For one
 * unit more or less, P = average over t of N(e_t, σ²I) against Q = N(0, σ²I) dominates (Chua et al. 2024, "Balls-and-bins
 * sampling for DP-SGD"). The likelihood ratio is the mean S of `bins` independent log-normal variables of mean 1, so both
 * directions are moments of S:
 *
 *     exp((α−1)·D_α(P‖Q)) = E[S^α],  exp((α−1)·D_α(Q‖P)) = E[S^(1−α)].
 *
 * @module
 */
import { logAddExp, logGamma } from '../special.ts';
import { byIntegerOrders } from './leaves.ts';

/** Orders beyond this one fall back on the bound without amplification. */
const largestOrder = 64;

/** Polynomials by the logs of their non-negative coefficients, up to a degree. */
function multiply(a: Float64Array, b: Float64Array): Float64Array {
  const product = new Float64Array(a.length).fill(-Infinity);
  for (let n = 0; n < a.length; n++) {
    let largest = -Infinity;
    for (let k = 0; k <= n; k++) largest = Math.max(largest, a[k]! + b[n - k]!);
    if (largest === -Infinity) continue;
    let sum = 0;
    for (let k = 0; k <= n; k++) sum += Math.exp(a[k]! + b[n - k]! - largest);
    product[n] = largest + Math.log(sum);
  }
  return product;
}

/** ln E[S^n] for n = 0 … degree: n!/bins^n times the coefficients of (Σ e^((k²−k)/2σ²)·z^k/k!)^bins. */
function logMoments(bins: number, sigma: number, degree: number): Float64Array {
  let square: Float64Array = Float64Array.from(
    { length: degree + 1 },
    (_, k) => (k * k - k) / (2 * sigma * sigma) - logGamma(k + 1),
  );
  let power: Float64Array | undefined;
  for (let left = bins; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = power === undefined ? square : multiply(power, square);
    if (left > 1) square = multiply(square, square);
  }
  return (power ?? square).map((log, n) => log + logGamma(n + 1) - n * Math.log(bins));
}

/** ln E[S^−k] for k = 1 … most, from E[S^−k] = (1/Γ(k))·∫ u^(k−1)·E[e^(−u·W/bins)]^bins du for u = e^y. */
function logInverseMoments(bins: number, sigma: number, most: number): Float64Array {
  const zStep = 0.08;
  const zs = Array.from({ length: 326 }, (_, i) => (i - 162.5) * zStep);
  const weights = zs.map((z) => (Math.exp(-0.5 * z * z) * zStep) / Math.sqrt(2 * Math.PI));
  const values = zs.map((z) => Math.exp(z / sigma - 0.5 / (sigma * sigma)) / bins);
  const yStep = 0.04;
  const logs = new Float64Array(most + 1).fill(-Infinity);
  for (let y = -14; y < 60; y += yStep) {
    const u = Math.exp(y);
    let lost = 0;
    let kept = 0;
    for (let i = 0; i < zs.length; i++) {
      lost -= weights[i]! * Math.expm1(-u * values[i]!);
      kept += weights[i]! * Math.exp(-u * values[i]!);
    }
    // E[e^(−uW)] by the smaller of its two sides, so that it keeps its digits near 1 and near 0.
    const logSurvive = bins * (lost < 0.5 ? Math.log1p(-lost) : Math.log(kept));
    if (logSurvive + most * y < -1000) break;
    for (let k = 1; k <= most; k++) logs[k] = logAddExp(logs[k]!, k * y + logSurvive);
  }
  for (let k = 1; k <= most; k++) {
    // Below y = −14 the integrand is u^(k−1) to seven digits from above: its integral is u^k/k.
    const rest = k * (-14 - yStep / 2) - Math.log(k);
    logs[k] = logAddExp(logs[k]! + Math.log(yStep), rest) - logGamma(k);
  }
  return logs;
}

/** ε(α) of one epoch, adding or removing one unit; +∞ at order +∞. Never above the Gaussian without amplification. */
export function randomAllocationRdp(bins: number, sigma: number, orders: readonly number[]): Float64Array {
  const plain = (order: number): number => order / (2 * sigma * sigma);
  if (bins === 1 || sigma === 0) return Float64Array.from(orders, (order) => (sigma === 0 ? Infinity : plain(order)));
  if (sigma === Infinity) return new Float64Array(orders.length);
  const forward = logMoments(bins, sigma, largestOrder);
  const backward = logInverseMoments(bins, sigma, largestOrder - 1);
  const at = (order: number): number => {
    // E[S^−k] is carried by z ≈ −k/(bins·σ) in every bin; the quadrature ends at −13.
    if (order > largestOrder || sigma < 0.25 || (order - 1) / (bins * sigma) > 4) return plain(order);
    const moment = Math.max(forward[order]!, backward[order - 1]!);
    // Round-off of the sums and of the quadrature, in the safe direction.
    return Number.isNaN(moment) ? plain(order) : Math.min(plain(order), Math.max(0, moment + 1e-11) / (order - 1));
  };
  return Float64Array.from(orders, (order) => Math.min(plain(order), byIntegerOrders(order, at)));
}
