/**
 * Uniform 32-bit words from a {@link RandomSource}, drawn in pools and wiped as they are handed out, so that neither
 * the noise nor the sample of a step can be read from memory afterwards through the pool. Pools begin small and double, so
 * that a step that needs few words pays for few.
 *
 * @module
 */
import type { RandomSource } from '@sotto/core/random';

const POOL_WORDS = 16384;
const FIRST_POOL_WORDS = 64;
/** Less than one in so many parts of the largest pool is little. */
const LITTLE = 8;

/** A stream of independent uniform words. Not to be shared between steps that must not depend on each other's draws. */
export class BitSource {
  readonly #random: RandomSource;
  readonly #mostWords: number;
  #pool: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #next = 0;

  constructor(random: RandomSource, poolWords: number = POOL_WORDS) {
    this.#random = random;
    this.#mostWords = poolWords;
  }

  /** A uniform integer in [0, 2³²). */
  word(): number {
    if (this.#next === this.#pool.length) this.#refill();
    const value = this.#pool[this.#next]!;
    this.#pool[this.#next++] = 0;
    return value;
  }

  /**
   * Overwrites the target with the next words: the same words that as many calls of {@link word} would return. What no pool holds comes from the source directly; little
   * comes through a new pool, since a call of the source has a price of its own.
   */
  fill(target: Uint32Array<ArrayBuffer>): void {
    const taken = this.#next === this.#pool.length ? 0 : this.#take(target);
    let rest = taken === 0 ? target : target.subarray(taken);
    if (rest.length === 0) return;
    if (rest.length < this.#mostWords / LITTLE) {
      this.#refill();
      rest = rest.subarray(this.#take(rest));
    }
    if (rest.length > 0) this.#random.fill(new Uint8Array(rest.buffer, rest.byteOffset, rest.byteLength));
  }

  /** Moves what the pool has, as far as it is needed, to the front of the target; returns how many words that are. */
  #take(target: Uint32Array): number {
    const pooled = this.#pool.subarray(this.#next, this.#next + target.length);
    target.set(pooled);
    pooled.fill(0);
    this.#next += pooled.length;
    return pooled.length;
  }

  /** Wipes what is left; the next word comes from a fresh pool. */
  wipe(): void {
    this.#pool.fill(0, this.#next);
    this.#next = this.#pool.length;
  }

  #refill(): void {
    const words = Math.min(this.#mostWords, Math.max(FIRST_POOL_WORDS, 2 * this.#pool.length));
    if (words !== this.#pool.length) this.#pool = new Uint32Array(words);
    this.#random.fill(new Uint8Array(this.#pool.buffer));
    this.#next = 0;
  }
}
