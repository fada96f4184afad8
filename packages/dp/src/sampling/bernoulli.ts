/**
 * Exact Bernoulli trials: true with probability p, where p is the real number that the double stands for, to the last bit.
 *
 * A uniform real U in [0, 1) is compared with p digit by digit in base 2³², and further digits of U are drawn only while
 * the digits so far are equal. So there is no rounding of p to a multiple of 2⁻³² or 2⁻⁵³, which would change the sampling
 * rate of a private mechanism (a 32-bit float comparison is off by 19 % at p = 1e-7).
 *
 * @module
 */
import { probability } from '@sotto/core/check';
import type { BitSource } from '../noise/bit-source.ts';

const BASE = 2 ** 32;

/** The base-2³² digits of p in [0, 1), most significant first, without trailing zeros. Exact: scaling by 2³² and the subtraction of the integer part do not round. */
export function fractionDigits(p: number): Uint32Array {
  const digits: number[] = [];
  let rest = p;
  while (rest > 0) {
    const scaled = rest * BASE;
    const digit = Math.floor(scaled);
    digits.push(digit);
    rest = scaled - digit;
  }
  return Uint32Array.from(digits);
}

/** A trial that is true with probability exactly `p`. */
export function bernoulli(p: number): (bits: BitSource) => boolean {
  probability('p', p);
  if (p === 1) return () => true;
  const digits = fractionDigits(p);
  return (bits) => {
    for (let i = 0; i < digits.length; i++) {
      const word = bits.word();
      const digit = digits[i]!;
      if (word !== digit) return word < digit;
    }
    return false; // U ≥ p: all digits of p were matched, and what follows in U is not negative
  };
}
