/**
 * The inverse distribution function decided in integers of any length: where floating point cannot tell, and in the far tail.
 *
 * @module
 */

import { SottoError } from '@sotto/core/errors';

/** A fair source never needs so many: it would agree with a boundary in all of them with probability below 2⁻²⁰⁰⁰. */
const MOST_BITS = 2048n;

/** Where further bits come from. */
export interface WordSource {
  /** A uniform integer in [0, 2³²). */
  word(): number;
}

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
 * 2^`bits`·P(|X| > b) for X ~ N(0, 1) and b = `numerator`/2^`shift` > 0, within 1.
 *
 * 1 − √(2/π)·b·Σₙ (−z)ⁿ/(n!(2n + 1)) with z = b²/2, on a grid of 2^−q. A term zⁿ/n! is made from the one before by rounding down twice: its error
 * is multiplied by z/n and grows by less than 2 units. A product of factors z/i is at most zⁱ/i! < eᶻ, so after N terms the error is below 2N·eᶻ.
 * The series ends where n > z and the term is rounded to 0; from there on the terms fall and alternate, so that what is left out is at most
 * 2N·eᶻ. With the N divisions by 2n + 1 the sum is within 2N²·eᶻ + 2N·eᶻ + N. As zⁿ/n! ≤ 2⁻ⁿ for n > 5.5z, N ≤ max(5.5z, q) + 2, which is below 2¹⁷ for every
 * b < 100 and `bits` < 2¹⁶; a caller stops far below: P(|X| > 54) < 2⁻²⁰⁴⁸. So the sum is within 2³⁶·eᶻ units.
 * √(2/π) is within 3 units, and the product within (b + 1)·2³⁷·eᶻ. With q = `bits` + 1.4427·z + log₂(b + 1) + 40 that is an eighth of the result's unit,
 * and rounding to the nearest adds a half.
 */
export function scaledTail(numerator: bigint, shift: bigint, bits: bigint): bigint {
  const square = numerator * numerator;
  const squareShift = 2n * shift + 1n; // z = square/2^squareShift
  const zCeiling = (square >> squareShift) + 1n;
  // 1.4427 ≤ 1443/1000; the integer part of b plus 1 has a bit length of at least log₂(b + 1).
  const q = bits + (zCeiling * 1443n) / 1000n + 1n + BigInt(((numerator >> shift) + 1n).toString(2).length) + 40n;
  let term = 1n << q;
  let sum = 0n;
  for (let n = 0n; term > 0n || n <= zCeiling; n++) {
    sum += n % 2n === 0n ? term / (2n * n + 1n) : -(term / (2n * n + 1n));
    term = ((term * square) >> squareShift) / (n + 1n);
  }
  // 2^q·√(2/π) = √(2^(3q + 1)/(2^q·π)).
  const root = squareRoot((1n << (3n * q + 1n)) / scaledPi(q));
  const inner = (((root * numerator) >> shift) * sum) >> q;
  return ((1n << q) - inner + (1n << (q - bits - 1n))) >> (q - bits);
}

/** A uniform u in (0, 1) of which the first bits are known, compared with S at rounding boundaries. */
class GrowingUniform {
  #value: bigint;
  #bits: bigint;
  readonly #scaleBits: bigint;
  readonly #source: WordSource;

  constructor(value: bigint, bits: number, scaleBits: number, source: WordSource) {
    this.#value = value;
    this.#bits = BigInt(bits);
    this.#scaleBits = BigInt(scaleBits);
    this.#source = source;
  }

  /** Whether u < S((m − ½)/2ᵏ), which is whether the magnitude is at least m ≥ 1. Draws bits until that is certain. */
  reaches(m: bigint): boolean {
    for (;;) {
      const tail = scaledTail(2n * m - 1n, this.#scaleBits + 1n, this.#bits + 8n);
      if ((this.#value + 1n) << 8n <= tail - 1n) return true;
      if (this.#value << 8n >= tail + 1n) return false;
      if (this.#bits > MOST_BITS) {
        throw new SottoError(
          'internal',
          `the random source agreed with a boundary in ${this.#bits} bits; it is broken, so no noise is made of it`,
        );
      }
      this.#value = (this.#value << 32n) | BigInt(this.#source.word());
      this.#bits += 32n;
    }
  }
}

/**
 * ⌊2ᵏ·S⁻¹(u) + ½⌋ for a uniform u that begins with the given 63 bits and goes on with words of the source, as many as it takes.
 *
 * @param guess Where to look first, a non-negative integer. It changes the time, never the result.
 */
export function exactMagnitude(prefix: number, second: number, scaleBits: number, guess: number, source: WordSource): number {
  const u = new GrowingUniform((BigInt(prefix) << 32n) | BigInt(second), 63, scaleBits, source);
  // Invariant: the magnitude is at least `low`, and below `high` where that is known.
  let low = 0n;
  let high: bigint | undefined;
  let step = 1n;
  for (let probe = BigInt(guess) || 1n; high === undefined || high - low > 1n;) {
    if (u.reaches(probe)) low = probe;
    else high = probe;
    if (high === undefined) probe = low + step;
    else if (low === 0n && high - step > 0n) probe = high - step;
    else probe = (low + high) >> 1n;
    step *= 2n;
  }
  return Number(low);
}

/** A point near S⁻¹(u) for u = (prefix·2³² + second)·2⁻⁶³ < 2⁻¹⁸, by Newton's method on ln S with Laplace's continued fraction. */
export function approximateTail(prefix: number, second: number): number {
  const logU = Math.log(prefix * 2 ** 32 + second + 0.5) - 63 * Math.LN2;
  let x = Math.sqrt(-2 * logU);
  for (let round = 0; round < 6; round++) {
    let fraction = x;
    for (let n = 60; n > 0; n--) fraction = x + n / fraction;
    // S(x) = √(2/π)·e^(−x²/2)/fraction, and the derivative of ln S is −fraction.
    const logS = 0.5 * Math.log(2 / Math.PI) - (x * x) / 2 - Math.log(fraction);
    x += (logS - logU) / fraction;
  }
  return x;
}
