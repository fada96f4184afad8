/**
 * Exact samples of the rounded Gaussian: round(2ᵏ·X) for a real X ~ N(0, 1), by comparisons of uniform bits alone.
 *
 * Karney, "Sampling exactly from the normal distribution" (ACM TOMS 42, 2016; arXiv 1303.6257), algorithms N, H, B and C. Every uniform deviate is a real number of
 * which 32 bits are drawn at a time, as many as a comparison needs: equal digits are followed by fresh ones, so that no
 * comparison is ever decided by truncation. There is no logarithm, no exponential and no rounding error; the output has exactly
 * the distribution of the Gaussian mechanism's noise after rounding to the grid. Since x + round(N) = round(x + N) for an
 * integer x, adding it is post-processing of the real Gaussian mechanism, and accounting results for that hold verbatim.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { uniformBelow } from '../sampling/uniform.ts';
import type { BitSource } from './bit-source.ts';
import { LazyUniform } from './lazy-uniform.ts';

const HALF = 2 ** 31;

/** Draws rounded Gaussians of standard deviation 2^`scaleBits` grid units. */
export class ExactGaussian {
  readonly #bits: BitSource;
  readonly #shift: number;
  #x: LazyUniform = new LazyUniform();
  #y: LazyUniform = new LazyUniform();
  #z: LazyUniform = new LazyUniform();
  readonly #r: LazyUniform = new LazyUniform();

  /**
   * @param scaleBits k: the standard deviation is 2ᵏ units; 0 to 30, so that the rounding bit lies in the first digit of the
   *   fraction.
   */
  constructor(bits: BitSource, scaleBits: number) {
    integer('scaleBits', scaleBits, 0, 30);
    this.#bits = bits;
    this.#shift = scaleBits;
  }

  /** One sample: an integer; magnitudes above 2^(k+4) are possible and as rare as they should be. */
  next(): number {
    for (;;) {
      // N1: n ≥ 0 with probability proportional to e^(−n/2).
      let n = 0;
      while (this.#halfExponential()) n++;
      // N2: accept n with probability e^(−n(n−1)/2), as n(n − 1) trials of e^(−1/2).
      let accepted = true;
      for (let i = n * (n - 1); i > 0 && accepted; i--) accepted = this.#halfExponential();
      if (!accepted) continue;
      // N3, N4: a fraction x, accepted with probability e^(−x(2n+x)/2), as n + 1 trials.
      this.#x.reset(this.#bits.word());
      for (let i = n; i >= 0 && accepted; i--) accepted = this.#fractionTrial(n);
      if (!accepted) continue;
      // N5, N6: ±(n + x), rounded to a multiple of 2^−k. Exactly half way has probability zero, so the first bit beyond decides.
      const first = this.#x.digits[0]!;
      const scale = 2 ** this.#shift;
      const doubled = Math.floor(first / 2 ** (31 - this.#shift)); // the k + 1 leading bits of x
      const magnitude = n * scale + Math.floor((doubled + 1) / 2);
      return magnitude !== 0 && this.#bits.word() < HALF ? -magnitude : magnitude;
    }
  }

  /** Fills the target with independent samples. */
  fill(target: Float64Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.next();
  }

  /** Algorithm H: true with probability e^(−1/2), from the length of the longest falling run 1/2 > u₁ > u₂ > … */
  #halfExponential(): boolean {
    const bits = this.#bits;
    const first = bits.word();
    if (first >= HALF) return true;
    let previous = this.#y.reset(first);
    let next = this.#z;
    for (let length = 1; ; length++) {
      next.reset(bits.word());
      if (!next.isBelow(previous, bits)) return length % 2 === 0;
      [previous, next] = [next, previous];
    }
  }

  /** Algorithm B: true with probability e^(−x(2n+x)/(2n+2)). */
  #fractionTrial(n: number): boolean {
    const bits = this.#bits;
    const m = 2 * n + 2;
    let previous = this.#x;
    let next = this.#y;
    let spare = this.#z;
    for (let length = 0; ; length++) {
      next.reset(bits.word());
      if (!next.isBelow(previous, bits)) return length % 2 === 0;
      // r < (2n + x)/(2n + 2) for a uniform r: of m equal cells, 2n are true, one is false, and one leaves it to a fresh r' < x.
      const cell = uniformBelow(m, bits);
      if (cell === m - 1) return length % 2 === 0;
      if (cell === m - 2 && !this.#r.reset(bits.word()).isBelow(this.#x, bits)) return length % 2 === 0;
      const freed = previous === this.#x ? spare : previous;
      previous = next;
      next = freed;
      spare = freed;
    }
  }
}
