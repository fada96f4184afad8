/**
 * The Gaussian mechanism and Gaussian differential privacy in closed form.
 *
 * μ-GDP is indistinguishability at least as good as N(0, 1) against N(μ, 1): a Gaussian of noise multiplier σ is 1/σ-GDP,
 * and compositions add μ² (Dong, Roth and Su 2022, "Gaussian differential privacy").
 *
 * @module
 */
import { erfcx, logNormalCdf, normalCdf, normalQuantile } from './special.ts';

/** δ(ε) of μ-GDP, exact: Φ(μ/2 − ε/μ) − e^ε·Φ(−μ/2 − ε/μ) (Balle and Wang 2018, Theorem 8). ε may be negative. */
export function gaussianDelta(mu: number, epsilon: number): number {
  if (mu === 0) return Math.max(0, -Math.expm1(epsilon));
  if (mu === Infinity) return 1;
  if (epsilon === Infinity) return 0;
  const u = (epsilon / mu - mu / 2) * Math.SQRT1_2;
  const v = (epsilon / mu + mu / 2) * Math.SQRT1_2;
  // v² − u² = ε, so both terms share the factor e^(−u²) and only scaled functions are subtracted.
  if (u > 0) return 0.5 * Math.exp(-u * u) * (erfcx(u) - erfcx(v));
  const subtracted = Math.exp(epsilon + logNormalCdf(-v * Math.SQRT2));
  return Math.max(0, normalCdf(-u * Math.SQRT2) - subtracted);
}

/** ln δ(ε) of μ-GDP, also where δ underflows. */
export function gaussianLogDelta(mu: number, epsilon: number): number {
  const u = (epsilon / mu - mu / 2) * Math.SQRT1_2;
  const v = (epsilon / mu + mu / 2) * Math.SQRT1_2;
  if (u > 0) return -u * u - Math.LN2 + Math.log(erfcx(u) - erfcx(v));
  return Math.log(gaussianDelta(mu, epsilon));
}

/** ε(δ) of μ-GDP: the inverse of {@link gaussianDelta}, at least 0, by Newton steps that a bracket guards. */
export function gaussianEpsilon(mu: number, delta: number): number {
  if (mu === 0) return 0;
  if (mu === Infinity) return delta >= 1 ? 0 : Infinity;
  if (delta >= gaussianDelta(mu, 0)) return 0;
  if (delta <= 0) return Infinity;
  const target = Math.log(delta);
  let low = 0;
  let high = 1;
  while (gaussianLogDelta(mu, high) > target) {
    low = high;
    high *= 2;
  }
  let epsilon = 0.5 * (low + high);
  for (let i = 0; i < 200; i++) {
    const logDelta = gaussianLogDelta(mu, epsilon);
    if (logDelta > target) low = epsilon;
    else high = epsilon;
    // dδ/dε = −e^ε·Φ(−ε/μ − μ/2)
    const slope = -Math.exp(epsilon + logNormalCdf(-epsilon / mu - mu / 2) - logDelta);
    let next = epsilon - (logDelta - target) / slope;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (Math.abs(next - epsilon) <= 1e-15 * Math.max(1, epsilon)) return next;
    epsilon = next;
  }
  return epsilon;
}

/** Power of the best attack of false-positive rate `fpr` on a μ-GDP mechanism: Φ(Φ⁻¹(fpr) + μ). */
export function gaussianTpr(mu: number, fpr: number): number {
  return normalCdf(normalQuantile(fpr) + mu);
}

/**
 * The central-limit estimate of μ for `steps` Poisson-subsampled Gaussians: q·√(T·(e^(1/σ²) − 1)) (Bu et al. 2020,
 * "Deep learning with Gaussian differential privacy"). An ESTIMATE that under-reports, never a bound.
 */
export function cltMu(sampleRate: number, noiseMultiplier: number, steps: number): number {
  return sampleRate * Math.sqrt(steps * Math.expm1(1 / (noiseMultiplier * noiseMultiplier)));
}
