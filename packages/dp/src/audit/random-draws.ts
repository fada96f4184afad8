/**
 * The audit's own draws: fair coins, uniform indices, and normal scores for simulations of its power. Not for noise that
 * protects anybody.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { randomBytes, type RandomSource } from '@sotto/core/random';
import { normalQuantile } from '../accounting/special.ts';

/** `count` fair coins, 0 or 1 each. */
export function fairCoins(random: RandomSource, count: number): Uint8Array {
  const bits = randomBytes(random, Math.ceil(count / 8));
  return Uint8Array.from({ length: count }, (_, i) => (bits[i >> 3]! >> (i & 7)) & 1);
}

/** `count` independent uniform integers from 0 to size − 1, by rejection, without bias. */
export function uniformIndices(random: RandomSource, size: number, count: number): Uint32Array {
  integer('size', size, 1, 0xffff_ffff);
  const limit = Math.floor(0x1_0000_0000 / size) * size;
  const out = new Uint32Array(count);
  let words: Uint32Array = new Uint32Array(0);
  let used = 0;
  for (let i = 0; i < count;) {
    if (used === words.length) {
      words = new Uint32Array(randomBytes(random, 4 * Math.min(1024, count - i + 4)).buffer);
      used = 0;
    }
    const word = words[used++]!;
    if (word < limit) out[i++] = word % size;
  }
  return out;
}

/** `count` standard normal draws by inversion of 53-bit uniforms. */
export function normalDraws(random: RandomSource, count: number): Float64Array {
  const words = new Uint32Array(randomBytes(random, 8 * count).buffer);
  return Float64Array.from({ length: count }, (_, i) => {
    const uniform = ((words[2 * i]! >>> 5) * 0x400_0000 + (words[2 * i + 1]! >>> 6) + 0.5) / 0x20_0000_0000_0000;
    return normalQuantile(uniform);
  });
}

/** A uniformly random subset of exactly `size` of the first `total` integers, as a 0/1 mask. */
export function randomSubset(random: RandomSource, total: number, size: number): Uint8Array {
  integer('size', size, 0, total);
  const order = Uint32Array.from({ length: total }, (_, i) => i);
  const mask = new Uint8Array(total);
  for (let i = 0; i < size; i++) {
    const pick = i + uniformIndices(random, total - i, 1)[0]!;
    const chosen = order[pick]!;
    order[pick] = order[i]!;
    order[i] = chosen;
    mask[chosen] = 1;
  }
  return mask;
}
