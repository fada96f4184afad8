/**
 * The whole part of a half-normal deviate before its fraction is accepted: n ≥ 0 with probability e^(−n²/2)/Z, exactly.
 *
 * The cumulative probabilities are real numbers, held as base-2³² digits that are computed in integer arithmetic as far as a comparison
 * needs them. A uniform deviate is compared with them digit by digit.
 *
 * @module
 */
import type { BitSource } from './bit-source.ts';

/** Digits that are computed at first: one comparison in 2¹²⁸ needs more. */
const FIRST_DIGITS = 4;
const GUARD_BITS = 64n;
/** e^(−n²/2) at n = 60 is below 2⁻²⁵⁹⁶, so that a sum up to there is exact to any number of digits that will be asked for. */
const LAST = 60;

/** Σ over m ≤ n of e^(−m²/2), divided by the sum over all m, times 2^bits, for each n; each off by less than 2¹². */
function cumulative(bits: bigint): bigint[] {
  const one = 1n << bits;
  // q = e^(−1/2) by its series; e^(−n²/2) = q^(n²) by q^(n²) = q^((n−1)²)·q^(2n−1).
  let q = 0n;
  let term = one;
  for (let k = 1n; term !== 0n; k++) {
    q += term;
    term = -term / (2n * k);
  }
  const sums: bigint[] = [];
  let value = one;
  let power = q;
  let sum = 0n;
  for (let n = 0; n <= LAST; n++) {
    sum += value;
    sums.push(sum);
    value = (value * power) >> bits;
    power = (((power * q) >> bits) * q) >> bits;
  }
  return sums.map((partial) => (partial << bits) / sum);
}

/** The first digits of each cumulative probability. */
export function cumulativeDigits(count: number): number[][] {
  for (let guard = GUARD_BITS; ; guard *= 2n) {
    const bits = BigInt(32 * count);
    const rows = cumulative(bits + guard);
    // A carry from the error could only change digits where the guard bits are nearly all ones or zeros.
    const margin = 1n << (guard / 2n);
    const ambiguous = rows.some((row) => {
      const rest = row & ((1n << guard) - 1n);
      return (
        row < 1n << (bits + guard) && (rest < margin || rest > (1n << guard) - margin) && (1n << (bits + guard)) - row > margin
      );
    });
    if (ambiguous) continue;
    const limit = (1n << bits) - 1n;
    return rows.map((row) => {
      // Rows within the error of 1 are below it by less than any digit computed here.
      const fraction = row >> guard > limit ? limit : row >> guard;
      return Array.from({ length: count }, (_, i) => Number((fraction >> BigInt(32 * (count - 1 - i))) & 0xffffffffn));
    });
  }
}

/** The same for every sampler: a constant of mathematics. */
const firstDigits: readonly (readonly number[])[] = cumulativeDigits(FIRST_DIGITS);

/** Draws n. */
export class HalfNormalSteps {
  #digits: readonly (readonly number[])[] = firstDigits;
  readonly #first: Float64Array = Float64Array.from(this.#digits, (row) => row[0]!);

  next(bits: BitSource): number {
    const word = bits.word();
    const first = this.#first;
    let n = 0;
    while (word > first[n]!) n++;
    return word < first[n]! ? n : this.#resolve(word, n, bits);
  }

  /** The first digit equals that of row n (and perhaps of further rows): draws digits until the place among the rows is known. */
  #resolve(word: number, begin: number, bits: BitSource): number {
    const drawn = [word];
    let n = begin;
    for (let i = 0; n <= LAST;) {
      if (i === drawn.length) drawn.push(bits.word());
      if (i === this.#digits[n]!.length) this.#digits = cumulativeDigits(2 * i);
      const [mine, row] = [drawn[i]!, this.#digits[n]![i]!];
      if (mine < row) return n;
      if (mine > row) {
        n++;
        i = 0;
      } else {
        i++;
      }
    }
    return n;
  }
}
