/**
 * Uniform 32-bit words from a {@link RandomSource}, drawn in pools and wiped as they are handed out, so that neither
 * the noise nor the sample of a step can be read from memory afterwards through the pool.
 *
 * @module
 */
import type { RandomSource } from '@sotto/core/random';

const POOL_WORDS = 16384;

/** A stream of independent uniform words. Not to be shared between steps that must not depend on each other's draws. */
export class BitSource {
  readonly #random: RandomSource;
  readonly #pool: Uint32Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #next: number;

  constructor(random: RandomSource, poolWords: number = POOL_WORDS) {
    this.#random = random;
    this.#pool = new Uint32Array(poolWords);
    this.#bytes = new Uint8Array(this.#pool.buffer);
    this.#next = poolWords;
  }

  /** A uniform integer in [0, 2³²). */
  word(): number {
    if (this.#next === this.#pool.length) {
      this.#random.fill(this.#bytes);
      this.#next = 0;
    }
    const value = this.#pool[this.#next]!;
    this.#pool[this.#next++] = 0;
    return value;
  }

  /** Wipes what is left; the next word comes from a fresh pool. */
  wipe(): void {
    this.#pool.fill(0);
    this.#next = this.#pool.length;
  }
}
