/**
 * The platform's CSPRNG through Web Crypto, which Node, browsers and workers all have.
 *
 * @module
 */
import type { RandomSource } from './random.ts';

declare const crypto: { getRandomValues(target: Uint8Array): Uint8Array };

/** Web Crypto refuses more than this at once. */
const MAX_CHUNK_BYTES = 65536;

/** The platform's cryptographically secure generator. */
export const systemRandom: RandomSource = Object.freeze({
  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i += MAX_CHUNK_BYTES) {
      crypto.getRandomValues(target.subarray(i, Math.min(i + MAX_CHUNK_BYTES, target.length)));
    }
  },
});
