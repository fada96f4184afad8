/**
 * Bracketed search on monotone functions, which never returns the wrong side of the target.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** What {@link searchReal} looks for. */
export interface RealSearch {
  /** A non-increasing function of x > 0 (for instance ε as a function of the noise). +∞ is allowed. */
  readonly decreasing: (x: number) => number;
  readonly target: number;
  /** Where to begin. */
  readonly start: number;
  /** The first step of the bracket from there; it squares with each further step. Default 2. */
  readonly factor?: number;
  readonly min: number;
  readonly max: number;
  /** The relative width of the bracket at which the search ends. */
  readonly tolerance: number;
}

/**
 * The least x, to `tolerance`, at which the function is at most the target, always on the side that meets it.
 *
 * @throws SottoError `numeric` if the function is above the target everywhere up to `max`
 */
export function searchReal(search: RealSearch): number {
  const { decreasing, target, min, max, tolerance } = search;
  // In logs of both, ε against σ is close to a line: false position gains many digits per step.
  const gap = (x: number): number => {
    const value = decreasing(x);
    if (Number.isNaN(value)) throw new SottoError('numeric', `the function to invert is NaN at ${x}`);
    return value === Infinity ? Infinity : Math.log(Math.max(value, 1e-300)) - Math.log(target);
  };
  let high = Math.min(max, Math.max(min, search.start));
  let highGap = gap(high);
  let low = high;
  let lowGap = highGap;
  let factor = search.factor ?? 2;
  const widen = (): number => {
    const now = factor;
    factor = Math.min(1e4, factor * factor);
    return now;
  };
  while (highGap > 0) {
    if (high >= max) throw new SottoError('numeric', `no value up to ${max} meets the target ${target}; relax the target`);
    low = high;
    lowGap = highGap;
    high = Math.min(max, high * widen());
    highGap = gap(high);
  }
  while (lowGap <= 0) {
    if (low <= min) return min;
    high = low;
    highGap = lowGap;
    low = Math.max(min, low / widen());
    lowGap = gap(low);
  }
  let lowWeight = lowGap;
  let highWeight = highGap;
  let side = 0;
  for (let i = 0; i < 200 && high - low > tolerance * high; i++) {
    const a = Math.log(low);
    const b = Math.log(high);
    let x = Math.sqrt(low * high);
    if (Number.isFinite(lowWeight) && lowWeight > highWeight && i % 8 !== 7) {
      const guess = Math.exp(b - ((b - a) * highWeight) / (highWeight - lowWeight));
      // Step a little beyond the guess towards the far end, so that the bracket closes from both sides.
      const nudge = 0.25 * tolerance * guess;
      x = side > 0 ? guess - nudge : guess + nudge;
      if (!(x > low && x < high)) x = Math.sqrt(low * high);
    }
    if (x <= low || x >= high) break;
    const value = gap(x);
    if (value <= 0) {
      high = x;
      highGap = value;
      highWeight = value;
      if (side === 1) lowWeight /= 2;
      side = 1;
      if (value === 0) break;
    } else {
      low = x;
      lowGap = value;
      lowWeight = value;
      if (side === -1) highWeight /= 2;
      side = -1;
    }
  }
  return high;
}

/**
 * The largest integer in [min, max] at which a non-decreasing function is at most the target.
 *
 * @throws SottoError `numeric` if it is above the target at `min` already
 */
export function searchInteger(increasing: (n: number) => number, target: number, min: number, max: number): number {
  if (increasing(min) > target) throw new SottoError('numeric', `even ${min} is beyond the target ${target}; relax the target`);
  let low = min;
  let step = Math.max(1, min);
  let high = max + 1;
  while (low < max) {
    const next = Math.min(max, low + step);
    if (increasing(next) > target) {
      high = next;
      break;
    }
    low = next;
    step *= 2;
  }
  if (high > max) return max;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (increasing(middle) > target) high = middle;
    else low = middle;
  }
  return low;
}
