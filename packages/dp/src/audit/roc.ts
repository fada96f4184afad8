/**
 * Receiver operating characteristic of membership scores: counts at every threshold, TPR at low FPR, area under the curve.
 *
 * A score says how likely a canary (or record) was in the training data: larger is more likely. The decision at a
 * threshold t is "in" for every score ≥ t.
 *
 * @module
 */
import { probability, show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';

/** Scores of the canaries that were in, and of those that were out. No NaN; neither list empty. */
export interface MembershipScores {
  readonly inScores: Float64Array;
  readonly outScores: Float64Array;
}

/**
 * The decisions at every distinct threshold, from +∞ (nothing is "in") down to the least score (all are). All arrays have
 * the same length; the counts rise.
 */
export interface RocCurve {
  readonly thresholds: Float64Array;
  readonly truePositives: Int32Array;
  readonly falsePositives: Int32Array;
  /** Number of canaries that were in. */
  readonly positives: number;
  /** Number of canaries that were out. */
  readonly negatives: number;
}

function checkScores(name: string, scores: Float64Array): void {
  if (scores.length === 0) {
    throw new SottoError('invalid-argument', `${name} is empty; an audit needs canaries that were in and canaries that were out`);
  }
  const bad = scores.findIndex((score) => Number.isNaN(score));
  if (bad >= 0) {
    throw new SottoError(
      'invalid-argument',
      `${name}[${bad}] is ${show(scores[bad])}; map failed runs to a score before the audit`,
    );
  }
}

/**
 * The ROC curve of the scores.
 *
 * @throws `invalid-argument` for an empty list or a NaN
 */
export function rocCurve(scores: MembershipScores): RocCurve {
  checkScores('inScores', scores.inScores);
  checkScores('outScores', scores.outScores);
  const ins = Float64Array.from(scores.inScores).sort();
  const outs = Float64Array.from(scores.outScores).sort();
  const thresholds: number[] = [Infinity];
  const truePositives: number[] = [0];
  const falsePositives: number[] = [0];
  let i = ins.length;
  let o = outs.length;
  while (i > 0 || o > 0) {
    const threshold = Math.max(i > 0 ? ins[i - 1]! : -Infinity, o > 0 ? outs[o - 1]! : -Infinity);
    while (i > 0 && ins[i - 1]! >= threshold) i--;
    while (o > 0 && outs[o - 1]! >= threshold) o--;
    thresholds.push(threshold);
    truePositives.push(ins.length - i);
    falsePositives.push(outs.length - o);
  }
  return {
    thresholds: Float64Array.from(thresholds),
    truePositives: Int32Array.from(truePositives),
    falsePositives: Int32Array.from(falsePositives),
    positives: ins.length,
    negatives: outs.length,
  };
}

/** Indices of the thresholds on the upper convex hull of the curve: the tests that no coin between two others can match. */
export function hullIndices(curve: RocCurve): Int32Array {
  const { truePositives: tp, falsePositives: fp } = curve;
  const hull: number[] = [];
  for (let k = 0; k < tp.length; k++) {
    while (hull.length >= 2) {
      const a = hull[hull.length - 2]!;
      const b = hull[hull.length - 1]!;
      const turn = (tp[b]! - tp[a]!) * (fp[k]! - fp[b]!) - (tp[k]! - tp[b]!) * (fp[b]! - fp[a]!);
      if (turn > 0) break;
      hull.pop();
    }
    hull.push(k);
  }
  return Int32Array.from(hull);
}

/**
 * The best true positive rate at a false positive rate, tests that toss a coin between two thresholds included (linear
 * interpolation on the hull).
 */
export function tprAtFpr(curve: RocCurve, falsePositiveRate: number): number {
  probability('falsePositiveRate', falsePositiveRate);
  const hull = hullIndices(curve);
  const target = falsePositiveRate * curve.negatives;
  let best = 0;
  for (let k = 0; k < hull.length; k++) {
    const here = hull[k]!;
    const fp = curve.falsePositives[here]!;
    if (fp <= target) {
      best = curve.truePositives[here]!;
      continue;
    }
    const before = hull[k - 1]!;
    const share = (target - curve.falsePositives[before]!) / (fp - curve.falsePositives[before]!);
    best = curve.truePositives[before]! + share * (curve.truePositives[here]! - curve.truePositives[before]!);
    break;
  }
  return best / curve.positives;
}

/** The probability that a random "in" score exceeds a random "out" score, ties counted half (Mann–Whitney). ½ is a coin. */
export function areaUnderCurve(curve: RocCurve): number {
  let area = 0;
  for (let k = 1; k < curve.thresholds.length; k++) {
    const width = curve.falsePositives[k]! - curve.falsePositives[k - 1]!;
    area += 0.5 * width * (curve.truePositives[k]! + curve.truePositives[k - 1]!);
  }
  return area / (curve.positives * curve.negatives);
}
