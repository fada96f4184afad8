/**
 * Bootstrap quantiles of a statistic of membership scores: how much an AUC, a TPR or an ε estimate would move if the canaries
 * were drawn again. An interval of the estimate, not a confidence bound of the true ε.
 *
 * @module
 */
import { integer, openProbability } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { RandomSource } from '@sotto/core/random';
import { countsAt } from './threshold-bounds.ts';
import { uniformIndices } from './random-draws.ts';
import { hullIndices, type MembershipScores, type RocCurve } from './roc.ts';

/** How to resample. */
export interface BootstrapOptions {
  /** Number of resamples, default 1000. */
  readonly samples?: number;
  /** Quantiles to report, each in (0, 1), default 0.025 and 0.975. */
  readonly quantiles?: readonly number[];
  readonly random: RandomSource;
}

/**
 * Resamples the "in" and the "out" scores with replacement and returns the quantiles of the statistic (linear interpolation).
 *
 * @throws `invalid-argument` for quantiles outside (0, 1), no samples or empty scores
 */
export function bootstrapQuantiles(
  scores: MembershipScores,
  statistic: (scores: MembershipScores) => number,
  options: BootstrapOptions,
): number[] {
  const samples = integer('samples', options.samples ?? 1000, 1, 10_000_000);
  const quantiles = options.quantiles ?? [0.025, 0.975];
  if (quantiles.length === 0) throw new SottoError('invalid-argument', 'quantiles is empty; name at least one, such as 0.5');
  quantiles.forEach((q, k) => openProbability(`quantiles[${k}]`, q));
  const values = new Float64Array(samples);
  for (let s = 0; s < samples; s++) {
    values[s] = statistic({
      inScores: resample(scores.inScores, options.random),
      outScores: resample(scores.outScores, options.random),
    });
  }
  values.sort();
  return quantiles.map((q) => {
    const at = q * (samples - 1);
    const low = Math.floor(at);
    const high = Math.min(samples - 1, low + 1);
    return values[low]! + (at - low) * (values[high]! - values[low]!);
  });
}

function resample(scores: Float64Array, random: RandomSource): Float64Array {
  const picks = uniformIndices(random, scores.length, scores.length);
  return Float64Array.from(picks, (k) => scores[k]!);
}

/**
 * A point estimate of ε without any confidence: max of ln((TPR − δ)/FPR) over the hull's thresholds with at least
 * `minimumCount` false positives. For bootstrap intervals and plots; a verdict needs a bound.
 */
export function rawEpsilonEstimate(curve: RocCurve, delta: number, minimumCount: number = 50): number {
  integer('minimumCount', minimumCount, 1);
  let best = 0;
  for (const k of hullIndices(curve)) {
    const counts = countsAt(curve, k);
    const tpr = counts.truePositives / counts.positives - delta;
    if (counts.falsePositives < minimumCount || tpr <= 0) continue;
    best = Math.max(best, Math.log((tpr * counts.negatives) / counts.falsePositives));
  }
  return best;
}
