/**
 * Uniform integers without bias.
 *
 * @module
 */
import type { BitSource } from '../noise/bit-source.ts';

/** A uniform integer in [0, m), by rejection of the words beyond the last whole multiple of m. */
export function uniformBelow(m: number, bits: BitSource): number {
  const limit = 2 ** 32 - (2 ** 32 % m);
  for (;;) {
    const word = bits.word();
    if (word < limit) return word % m;
  }
}
