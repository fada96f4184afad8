/**
 * Exact samples of the rounded Gaussian: round(2ᵏ·X) for a real X ~ N(0, 1), by comparisons of uniform bits alone.
 *
 * Karney, "Sampling exactly from the normal distribution" (ACM TOMS 42, 2016; arXiv 1303.6257), algorithms N and B, with the
 * whole part drawn from a table (`half-normal-steps.ts`). Every uniform deviate is a real number of
 * which 32 bits are drawn at a time, as many as a comparison needs: equal digits are followed by fresh ones, so that no
 * comparison is ever decided by truncation. There is no logarithm, no exponential and no rounding error; the output has exactly
 * the distribution of the Gaussian mechanism's noise after rounding to the grid. Since x + round(N) = round(x + N) for an
 * integer x, adding it is post-processing of the real Gaussian mechanism, and accounting results for that hold verbatim.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import type { BitSource } from './bit-source.ts';
import { HalfNormalSteps } from './half-normal-steps.ts';
import { LazyUniform } from './lazy-uniform.ts';

const BASE = 2 ** 32;

/** Draws rounded Gaussians of standard deviation 2^`scaleBits` grid units. */
export class ExactGaussian {
  readonly #bits: BitSource;
  readonly #scale: number;
  /** Divides the first digit of a fraction so that k + 1 bits are left. */
  readonly #divisor: number;
  readonly #steps: HalfNormalSteps = new HalfNormalSteps();
  readonly #x: LazyUniform = new LazyUniform();
  #signs = 0;
  #signsLeft = 0;

  /**
   * @param scaleBits k: the standard deviation is 2ᵏ units; 0 to 30, so that the rounding bit lies in the first digit of the
   *   fraction.
   */
  constructor(bits: BitSource, scaleBits: number) {
    integer('scaleBits', scaleBits, 0, 30);
    this.#bits = bits;
    this.#scale = 2 ** scaleBits;
    this.#divisor = 2 ** (31 - scaleBits);
  }

  /** One sample: an integer; magnitudes above 2^(k+4) are possible and as rare as they should be. */
  next(): number {
    const bits = this.#bits;
    for (;;) {
      // Steps N1 and N2: n with probability proportional to e^(−n²/2).
      const n = this.#steps.next(bits);
      // N3 and N4: a fraction x, accepted with probability e^(−x(2n+x)/2), as n + 1 trials.
      const first = bits.word();
      this.#x.reset(first);
      let trials = n + 1;
      while (trials > 0 && this.#trial(n, first)) trials--;
      if (trials > 0) continue;
      // N5 and N6: ±(n + x), rounded to a multiple of 2^−k. Exactly half way has probability zero, so the first bit beyond decides.
      const doubled = Math.floor(first / this.#divisor); // the k + 1 leading bits of x
      const magnitude = n * this.#scale + Math.floor((doubled + 1) / 2);
      return this.#sign() && magnitude !== 0 ? -magnitude : magnitude;
    }
  }

  /** Fills the target with independent samples. */
  fill(target: Float64Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.next();
  }

  #sign(): boolean {
    if (this.#signsLeft === 0) {
      this.#signs = this.#bits.word();
      this.#signsLeft = 32;
    }
    const sign = (this.#signs & 1) === 1;
    this.#signs >>>= 1;
    this.#signsLeft--;
    return sign;
  }

  /**
   * Algorithm B: true with probability e^(−x(2n+x)/(2n+2)), from the length of a run x > z₁ > z₂ > … each of whose members passes a
   * trial of probability (2n + x)/(2n + 2). Digits beyond the first are drawn where first digits are equal.
   */
  #trial(n: number, first: number): boolean {
    const bits = this.#bits;
    const m = 2 * n + 2;
    // (2n + x)·2³² lies in [bound, bound + 1).
    const bound = 2 * n * BASE + first;
    let previous = first;
    let previousDigits: LazyUniform | undefined = this.#x;
    for (let even = true; ; even = !even) {
      const next = bits.word();
      if (next > previous) return even;
      let nextDigits: LazyUniform | undefined;
      if (next === previous) {
        nextDigits = new LazyUniform().reset(next);
        if (!nextDigits.isBelow(previousDigits ?? new LazyUniform().reset(previous), bits)) return even;
      }
      // r < (2n + x)/(2n + 2) for a uniform r: r·m·2³² lies in [low, low + m).
      const r = bits.word();
      const low = r * m;
      if (low > bound) return even;
      if (low + m > bound && !this.#isBelowRatio(r, n)) return even;
      previous = next;
      previousDigits = nextDigits;
    }
  }

  /** Decides r·(2n + 2) < 2n + x where the first digits leave it open, by further digits of both. */
  #isBelowRatio(first: number, n: number): boolean {
    const bits = this.#bits;
    const m = BigInt(2 * n + 2);
    let r = BigInt(first);
    let x = BigInt(this.#x.digit(0, bits));
    for (let i = 1; ; i++) {
      const bound = (BigInt(2 * n) << BigInt(32 * i)) + x;
      if (r * m + m <= bound) return true;
      if (r * m > bound) return false;
      r = (r << 32n) + BigInt(bits.word());
      x = (x << 32n) + BigInt(this.#x.digit(i, bits));
    }
  }
}
