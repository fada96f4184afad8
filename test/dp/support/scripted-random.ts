/** Random sources for tests: scripted words, and words with so few values that ties are frequent. */
import type { RandomSource } from '@sotto/core/random';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';

/** Hands out the given 32-bit words, then fails. Use with pools of one word. */
export function scriptedWords(words: readonly number[]): RandomSource {
  let next = 0;
  return {
    fill(target) {
      const out = new Uint32Array(target.buffer, target.byteOffset, target.byteLength / 4);
      for (let i = 0; i < out.length; i++) {
        if (next >= words.length) throw new Error('the script has no more words');
        out[i] = words[next++]!;
      }
    },
  };
}

/**
 * Words d·2³¹ + e with uniform d < 2 and e < 12: base-24 digits in disguise. Comparisons, halves and residues modulo 2, 4, 6 and 12 of such
 * words are exactly uniform, and two digits are equal once in 24 times.
 */
export function tiedWords(seed: string): RandomSource {
  const random = unsafeDeterministicRandom(seed);
  const bytes = new Uint8Array(4096);
  let used = bytes.length;
  const below = (n: number): number => {
    for (;;) {
      if (used === bytes.length) {
        random.fill(bytes);
        used = 0;
      }
      const value = bytes[used++]!;
      if (value < 256 - (256 % n)) return value % n;
    }
  };
  return {
    fill(target) {
      const out = new Uint32Array(target.buffer, target.byteOffset, target.byteLength / 4);
      for (let i = 0; i < out.length; i++) out[i] = below(2) * 2 ** 31 + below(12);
    },
  };
}
