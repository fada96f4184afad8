/**
 * Rényi divergence of the mechanisms that are neither sampled nor composed. Every function takes an order α ≥ 1 (1 is
 * the Kullback–Leibler divergence, +∞ the max divergence) and returns a bound for both directions.
 *
 * @module
 */
import { logAddExp, logExpm1 } from '../special.ts';

/** Just above 1: divergences grow with the order, so this bounds the Kullback–Leibler divergence from above. */
export const nearOne: number = 1 + 1e-6;

/** N(0, σ²) against N(sensitivity, σ²). Mironov 2017, Proposition 7. */
export function gaussianRdp(order: number, sigma: number, sensitivity: number): number {
  if (sensitivity === 0 || sigma === Infinity) return 0;
  return sigma === 0 ? Infinity : (order * sensitivity * sensitivity) / (2 * sigma * sigma);
}

/** Laplace of scale b against its shift by 1. Mironov 2017, Proposition 6. */
export function laplaceRdp(order: number, scale: number): number {
  if (scale === Infinity) return 0;
  if (scale === 0) return Infinity;
  if (order === Infinity) return 1 / scale;
  if (order === 1) return 1 / scale + Math.expm1(-1 / scale);
  const up = Math.log(order / (2 * order - 1)) + (order - 1) / scale;
  const down = Math.log((order - 1) / (2 * order - 1)) - order / scale;
  return clip(logAddExp(up, down) / (order - 1), 1 / scale);
}

/** P(x) ∝ e^(−a|x|) on the integers against its shift by `sensitivity`: three geometric sums. */
export function discreteLaplaceRdp(order: number, parameter: number, sensitivity: number): number {
  const pure = parameter * sensitivity;
  if (order === Infinity || pure === Infinity || pure === 0) return pure;
  const alpha = order === 1 ? nearOne : order;
  const logTail = -Math.log(-Math.expm1(-parameter));
  // x ≤ 0, 0 < x < Δ, x ≥ Δ of Σ_x p(x)^α·p(x−Δ)^(1−α), with ratio r = e^(a(1−2α)) in the middle.
  const left = (alpha - 1) * pure + logTail;
  const right = -alpha * pure + logTail;
  let total = logAddExp(left, right);
  if (sensitivity > 1) {
    const logRatio = parameter * (1 - 2 * alpha);
    const middle =
      (alpha - 1) * pure + logRatio + Math.log(-Math.expm1((sensitivity - 1) * logRatio)) - Math.log(-Math.expm1(logRatio));
    total = logAddExp(total, middle);
  }
  const normaliser = Math.log(Math.tanh(parameter / 2));
  return clip((total + normaliser) / (alpha - 1), pure);
}

/** Two outcomes of probabilities p and 1−p against the same swapped, p = e^ε/(1+e^ε): the worst ε-DP mechanism. */
export function pureRdp(order: number, epsilon: number): number {
  if (epsilon === 0 || epsilon === Infinity || order === Infinity) return epsilon;
  if (order === 1) return epsilon * Math.tanh(epsilon / 2);
  const total = logAddExp(order * epsilon, (1 - order) * epsilon) - logAddExp(0, epsilon);
  return clip(total / (order - 1), epsilon);
}

/**
 * The ε-DP exponential mechanism, which is ε-bounded-range: its log-ratio takes the values t and t − ε in the worst
 * case. The best t in closed form (Dong, Durfee and Rogers 2020, "Optimal differential privacy composition for
 * exponential mechanisms").
 */
export function exponentialMechanismRdp(order: number, epsilon: number): number {
  if (epsilon === 0 || epsilon === Infinity || order === Infinity) return epsilon;
  if (order === 1) {
    // Cancellation below ε = 1e-3: ε²/8 is the leading term and an upper bound.
    if (epsilon < 1e-3) return (epsilon * epsilon) / 8;
    const ratio = epsilon / Math.expm1(epsilon);
    return Math.max(0, ratio - 1 - Math.log(ratio));
  }
  // E(s) = s^(α−1)·(A − B·s) for s = e^t in [1, e^ε]; its derivative vanishes at s = (α−1)A/(αB).
  const logDenominator = Math.log(-Math.expm1(-epsilon));
  const logA = Math.log(-Math.expm1(-order * epsilon)) - logDenominator;
  const logB = -epsilon + Math.log(-Math.expm1(-(order - 1) * epsilon)) - logDenominator;
  const logS = Math.min(epsilon, Math.max(0, Math.log((order - 1) / order) + logA - logB));
  const value = (order - 1) * logS + logA + Math.log1p(-Math.exp(logB + logS - logA));
  return clip(value / (order - 1), epsilon);
}

/** k-ary randomised response: two true answers against each other. */
export function randomizedResponseRdp(order: number, noise: number, buckets: number): number {
  if (noise === 0) return Infinity;
  if (noise === 1) return 0;
  const low = noise / buckets;
  const high = 1 - noise + low;
  const pure = Math.log(high / low);
  if (order === Infinity) return pure;
  if (order === 1) return (high - low) * pure;
  const swapped = logAddExp(
    order * Math.log(high) + (1 - order) * Math.log(low),
    order * Math.log(low) + (1 - order) * Math.log(high),
  );
  const total = buckets === 2 ? swapped : logAddExp(swapped, Math.log((buckets - 2) * low));
  return clip(total / (order - 1), pure);
}

/** k-ary randomised response: a true answer against the uniform answer of an empty unit; the larger direction. */
export function randomizedResponseSpecialRdp(order: number, noise: number, buckets: number): number {
  if (noise === 0) return Infinity;
  if (noise === 1) return 0;
  const logLow = Math.log(noise / buckets);
  const logHigh = Math.log(1 - noise + noise / buckets);
  const logUniform = -Math.log(buckets);
  const logRest = Math.log(buckets - 1);
  const pure = Math.max(logHigh - logUniform, logUniform - logLow);
  if (order === Infinity) return pure;
  const alpha = order === 1 ? nearOne : order;
  const forward = logAddExp(alpha * logHigh + (1 - alpha) * logUniform, logRest + alpha * logLow + (1 - alpha) * logUniform);
  const backward = logAddExp(alpha * logUniform + (1 - alpha) * logHigh, logRest + alpha * logUniform + (1 - alpha) * logLow);
  return clip(Math.max(forward, backward) / (alpha - 1), pure);
}

/**
 * A bound that is proved at integer orders carried to all orders: (α−1)·ε(α) is convex and 0 at α = 1, so a chord lies
 * above it.
 */
export function byIntegerOrders(order: number, at: (integer: number) => number): number {
  if (order === Infinity) return at(Infinity);
  const low = Math.floor(order);
  if (low === order && order >= 2) return at(order);
  const atHigh = low * at(low + 1);
  const atLow = low >= 2 ? (low - 1) * at(low) : 0;
  if (order === 1) return at(2);
  return (atLow + (order - low) * (atHigh - atLow)) / (order - 1);
}

/**
 * Skellam noise of total variance μ on an integer vector (Agarwal, Kairouz and Liu 2021, "The Skellam mechanism",
 * Theorem 3.5 with scale 1), proved at integer orders.
 */
export function skellamRdp(order: number, variance: number, l1: number, l2: number): number {
  if (l2 === 0 || variance === Infinity) return 0;
  if (variance === 0) return Infinity;
  return byIntegerOrders(order, (alpha) => {
    if (alpha === Infinity) return Infinity;
    const main = (alpha * l2 * l2) / (2 * variance);
    const fine = ((2 * alpha - 1) * l2 * l2 + 6 * l1) / (4 * variance * variance);
    return main + Math.min(fine, (3 * l1) / (2 * variance));
  });
}

/**
 * The sum of n discrete Gaussians is close to, but not, a discrete Gaussian: τ bounds the distance per coordinate
 * (Kairouz, Liu and Steinke 2021, "The distributed discrete Gaussian mechanism", Theorem 1 and Proposition 14).
 */
export function distributedDiscreteGaussianRdp(
  order: number,
  clients: number,
  sigma: number,
  dimension: number,
  l1: number,
  l2: number,
): number {
  if (l2 === 0 || sigma === Infinity) return 0;
  if (sigma === 0) return Infinity;
  if (order === Infinity) return Infinity;
  let tau = 0;
  for (let k = 1; k < clients; k++) {
    const term = Math.exp((-2 * Math.PI * Math.PI * sigma * sigma * k) / (k + 1));
    tau += 10 * term;
    // The terms decrease towards a positive limit: close the sum by its largest possible remainder.
    if (k === 4096) {
      tau += 10 * term * (clients - 1 - k);
      break;
    }
  }
  const total = Math.sqrt(clients) * sigma;
  const ratio = l2 / total;
  const bySum = (order / 2) * ratio * ratio + tau * dimension * Math.max(1, order / 4);
  const byL1 = (order / 2) * (ratio * ratio + (2 * l1 * tau) / total + tau * tau * dimension);
  const byNorm = (order / 2) * (ratio + Math.sqrt(dimension) * tau) ** 2;
  return Math.min(bySum, byL1, byNorm);
}

/** ln(1 + q(e^ε − 1)): pure DP under Poisson sampling. */
export function amplifiedPure(epsilon: number, sampleRate: number): number {
  return epsilon === 0 ? 0 : logAddExp(0, Math.log(sampleRate) + logExpm1(epsilon));
}

function clip(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
