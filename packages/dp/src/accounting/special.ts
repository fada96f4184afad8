/**
 * Special functions in double precision: ECMAScript has no erfc, log-gamma or normal quantile.
 *
 * @module
 */

const sqrtPi = Math.sqrt(Math.PI);
/** ln √(2π) */
export const logSqrt2Pi: number = 0.5 * Math.log(2 * Math.PI);

/** erf(x) for |x| < 2 by its all-positive series e^(−x²)·2x/√π·Σ (2x²)^n/(1·3·5…(2n+1)); relative error below 1e-15. */
function erfSeries(x: number): number {
  const y = 2 * x * x;
  let term = 1;
  let sum = 1;
  for (let n = 1; n < 200; n++) {
    term *= y / (2 * n + 1);
    sum += term;
    if (term < 1e-17 * sum) break;
  }
  return ((2 * x) / sqrtPi) * Math.exp(-x * x) * sum;
}

/**
 * e^(x²)·erfc(x) for x ≥ 6: the continued fraction of Laplace, evaluated backwards with enough terms for full precision.
 */
function erfcxFraction(x: number): number {
  const terms = x > 12 ? 16 : 36;
  let tail = 0;
  for (let n = terms; n >= 1; n--) tail = (0.5 * n) / (x + tail);
  return 1 / ((x + tail) * sqrtPi);
}

/** e^(x²)·erfc(x) for x ≥ 0. */
export function erfcx(x: number): number {
  if (x < 0.5) return Math.exp(x * x) * erfc(x);
  if (x < 6) return erfcxTaylor(x);
  return x > 1e8 ? 1 / (x * sqrtPi) : erfcxFraction(x);
}

/** e^(−x²) without the error of rounding x² (which is x²·1e-16, large for large x). */
function expMinusSquare(x: number): number {
  const high = Math.round(x * 16) / 16;
  const low = x - high;
  return Math.exp(-high * high) * Math.exp(-low * (x + high));
}

/** The complementary error function; relative error below 1e-14 down to the underflow at x ≈ 26.5. */
export function erfc(x: number): number {
  if (x < 0.5) return 1 - erf(x);
  if (x > 27.3) return 0;
  return erfcx(x) * expMinusSquare(x);
}

/** The error function. */
export function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x < 2) return erfSeries(x);
  return 1 - erfc(x);
}

/**
 * erfcx on [0.5, 6) by Taylor expansion about the next point of a table; erfcx solves y' = 2xy − 2/√π, which gives
 * every derivative, so there is no cancellation of 1 − erf.
 */
function erfcxTaylor(x: number): number {
  const index = Math.round((x - 0.5) * 4);
  const centre = 0.5 + index / 4;
  const h = x - centre;
  let previous = erfcxTable[index]!;
  let current = 2 * centre * previous - 2 / sqrtPi;
  let power = h;
  let sum = previous + current * h;
  for (let n = 1; n < 30; n++) {
    const next = (2 * (centre * current + previous)) / (n + 1);
    // `current` holds the n-th Taylor coefficient: y_(n+1) = (2c·y_n + 2·y_(n−1)) / (n + 1).
    previous = current;
    current = next;
    power *= h;
    const term = current * power;
    sum += term;
    if (Math.abs(term) < 1e-18 * sum) break;
  }
  return sum;
}

/** e^(x²)·erfc(x) at 0.5, 0.75, … 6, to 17 digits. */
const erfcxTable: readonly number[] = [
  0.61569034419292587, 0.50693765029314481, 0.427583576155807, 0.36782291645236109, 0.3215854164543175, 0.28497223473743639,
  0.25539567631050574, 0.23108725873039187, 0.21080636406114358, 0.19366209627906868, 0.17900115118138995, 0.16633534842682188,
  0.1552936556088943, 0.14558972127503854, 0.13699945762506139, 0.12934527478598791, 0.12248480427384142, 0.11630270721024731,
  0.11070463773306863, 0.1056127354688918, 0.10096221839949909, 0.096698778169713921, 0.092776567800538354,
];

/** ln erfc(x) for every x, also where erfc underflows; error below 1e-14·max(1, |result|). */
export function logErfc(x: number): number {
  if (x < 0) return Math.LN2 + Math.log1p(-0.5 * erfc(-x));
  if (x < 0.5) return Math.log(erfc(x));
  return Math.log(erfcx(x)) - x * x;
}

/** Φ(x), the standard normal distribution function; relative error below 1e-14 in the lower tail. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * Math.SQRT1_2);
}

/** ln Φ(x) for every x. */
export function logNormalCdf(x: number): number {
  if (x > 0) return Math.log1p(-0.5 * erfc(x * Math.SQRT1_2));
  return logErfc(-x * Math.SQRT1_2) - Math.LN2;
}

/** Φ⁻¹(p) for p in [0, 1], by Newton steps on ln Φ, which converge from anywhere in the lower half. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN;
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  return logNormalQuantile(Math.log(p));
}

/** Φ⁻¹(e^logP) for logP ≤ ln ½. */
export function logNormalQuantile(logP: number): number {
  let x = logP > -3 ? -0.5 : -Math.sqrt(-2 * logP);
  for (let i = 0; i < 60; i++) {
    const value = logNormalCdf(x);
    const slope = Math.exp(-0.5 * x * x - logSqrt2Pi - value);
    const step = (value - logP) / slope;
    x -= step;
    if (Math.abs(step) <= 1e-15 * Math.max(1, Math.abs(x))) break;
  }
  return x;
}

/** ln(e^a + e^b). */
export function logAddExp(a: number, b: number): number {
  if (a < b) return logAddExp(b, a);
  if (b === -Infinity || a === Infinity) return a;
  return a + Math.log1p(Math.exp(b - a));
}

/** ln(e^a − e^b) for a ≥ b. */
export function logSubExp(a: number, b: number): number {
  if (b === -Infinity) return a;
  if (a <= b) return -Infinity;
  const d = b - a;
  return a + (d > -0.69 ? Math.log(-Math.expm1(d)) : Math.log1p(-Math.exp(d)));
}

/** ln(e^x − 1) for x > 0. */
export function logExpm1(x: number): number {
  return x > 40 ? x + Math.log1p(-Math.exp(-x)) : Math.log(Math.expm1(x));
}

const stirling: readonly number[] = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

/** ln Γ(x) for x > 0; error about 1e-15·max(1, |result|). */
export function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  let product = 1;
  while (z < 12) {
    product *= z;
    z += 1;
    if (product > 1e280) {
      shift += Math.log(product);
      product = 1;
    }
  }
  shift += Math.log(product);
  const inverse = 1 / z;
  const square = inverse * inverse;
  let series = 0;
  for (let i = stirling.length - 1; i >= 0; i--) series = series * square + stirling[i]!;
  return (z - 0.5) * Math.log(z) - z + logSqrt2Pi + series * inverse - shift;
}

/** ln binom(n, k) for 0 ≤ k ≤ n. */
export function logBinomial(n: number, k: number): number {
  if (k === 0 || k === n) return 0;
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
