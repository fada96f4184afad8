/**
 * The density φ(x) = e^(−x²/2)/√(2π) of the standard normal law, in doubles with a proven bound and in integers of any length.
 *
 * @module
 */

function squareRoot(value: bigint): bigint {
  let x = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const y = (x + value / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

/** 2^`bits`·π within 2, by Machin's formula with 32 guard bits. */
function scaledPi(bits: bigint): bigint {
  const arctan = (n: bigint): bigint => {
    let power = (1n << (bits + 32n)) / n;
    let sum = 0n;
    for (let k = 1n, sign = 1n; power > 0n; k += 2n, sign = -sign) {
      sum += (sign * power) / k;
      power /= n * n;
    }
    return sum;
  };
  return (16n * arctan(5n) - 4n * arctan(239n)) >> 32n;
}

/**
 * 2^q·e^z for z = `numerator`/2^`shift` ≥ 0, too low by less than 6N·e^z after N terms of the series.
 *
 * A term zⁿ/n! is made from the one before by rounding down twice, which takes less than 2 units from it. What is missing travels on through factors z/i: from the terms
 * after it altogether less than Σ zᵐ/m! = e^z times as much. So N terms miss less than 2N·e^z units in all. The series ends at a term that is rounded to 0 with n > 2z: that term
 * truly is at most what is missing in it, and those after it are less than as much again. Together less than 6N·e^z units.
 */
function scaledExponential(numerator: bigint, shift: bigint, q: bigint): bigint {
  const twice = (numerator >> shift) * 2n + 2n;
  let term = 1n << q;
  let sum = 0n;
  for (let n = 1n; term > 0n || n <= twice; n++) {
    sum += term;
    term = ((term * numerator) >> shift) / n;
  }
  return sum;
}

/** φ on a grid of 2^−`bits`. */
export class ScaledDensity {
  readonly bits: bigint;
  readonly #guarded: bigint;
  readonly #root: bigint;

  constructor(bits: bigint) {
    this.bits = bits;
    this.#guarded = bits + 32n;
    this.#root = squareRoot(scaledPi(this.#guarded) << (this.#guarded + 1n));
  }

  /**
   * 2^bits·φ(`numerator`/2^`shift`) within 1, for arguments below 2¹⁰.
   *
   * z < 2¹⁹, and zⁿ/n! ≤ (ez/n)ⁿ ≤ 2⁻ⁿ for n ≥ 5.5z, so that the series has N ≤ max(5.5z, q) + 2 < 2²² terms where q = bits + 32 < 2²¹. Then e^z is within a part in 2^(q − 25), √(2π)
   * within one in 2^(q − 3), and φ < ½ within 2^−(bits + 6). Rounding to the nearest adds a half.
   */
  at(numerator: bigint, shift: bigint): bigint {
    const q = this.#guarded;
    const divisor = scaledExponential(numerator * numerator, 2n * shift + 1n, q) * this.#root;
    return ((1n << (2n * q + this.bits)) + divisor / 2n) / divisor;
  }
}

/** `factor`·e^(−i/2^perUnit)·2⁻²⁰⁰ for i from 0, within a part in 2⁵². */
function exponentials(count: number, perUnit: bigint, factor: bigint): Float64Array {
  const q = 200n;
  return Float64Array.from({ length: count }, (_, i) => {
    const value = (factor << q) / scaledExponential(BigInt(i), perUnit, q);
    return Number(value) / 2 ** 200;
  });
}

/** Pieces of x²/2 in a unit. */
export const DENSITY_PARTS = 32;
/** Arguments of {@link normalDensity} must be below this in size. */
export const DENSITY_REACH = 11;

const whole: Float64Array = exponentials(61, 0n, (1n << 400n) / squareRoot(scaledPi(200n) << 201n));
const part: Float64Array = exponentials(DENSITY_PARTS, 5n, 1n << 200n);

/** e^(−n/32)/√(2π) for x²/2 = n/32 up to {@link DENSITY_REACH}, within a part in 2⁵¹. A constant of mathematics. */
export const densityTable: Float64Array = Float64Array.from(
  { length: 61 * DENSITY_PARTS },
  (_, n) => whole[Math.floor(n / DENSITY_PARTS)]! * part[n % DENSITY_PARTS]!,
);

/**
 * φ(x) for every x that is within 2⁻³⁵ of the given one, with a relative error below 2⁻³⁰.
 *
 * x²/2 = n/32 + r with r < 1/32. The Taylor polynomial of e^(−r) to degree 5 is off by at most r⁶/720 < 2⁻³⁹ of e^(−r) ≥ 0.96; x²/2 ≤ 60.5 is rounded by at most 2⁻⁴⁸;
 * the table is within 2⁻⁵¹ and some twenty operations round by 2⁻⁵³ each; and d(ln φ) = −x dx is at most 11·2⁻³⁵. The sum is below 2⁻³¹.
 *
 * The vectors of remainder-kernel.ts do the same operations in the same order.
 */
export function normalDensity(x: number): number {
  const z = 0.5 * x * x;
  const n = Math.floor(z * DENSITY_PARTS);
  const r = z - n / DENSITY_PARTS;
  const series = 1 - r * (1 - r * (1 / 2 - r * (1 / 6 - r * (1 / 24 - r * (1 / 120)))));
  return densityTable[n]! * series;
}
