/** Random sources for tests. */
import type { RandomSource } from '@sotto/core/random';

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
