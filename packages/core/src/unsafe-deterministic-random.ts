/**
 * A reproducible random source for tests, vectors and audits. It destroys every privacy guarantee when it is used for
 * sampling, noise or keys in production; hence its name.
 *
 * @module
 */
import { chacha20 } from '@noble/ciphers/chacha.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8 } from './bytes.ts';
import type { RandomSource } from './random.ts';

const POOL_BYTES = 4096;

/** A ChaCha20 stream keyed by SHA-256 of the seed text: the same seed gives the same bytes, in whatever portions. */
export function unsafeDeterministicRandom(seed: string): RandomSource {
  const key = sha256(utf8(`sotto unsafe deterministic random ${seed}`));
  const nonce = new Uint8Array(12);
  let block = 0;
  let pool = new Uint8Array(0);
  let used = 0;
  return Object.freeze({
    fill(target: Uint8Array): void {
      for (let i = 0; i < target.length; i++) {
        if (used === pool.length) {
          new DataView(nonce.buffer).setUint32(0, block++);
          pool = chacha20(key, nonce, new Uint8Array(POOL_BYTES)) as Uint8Array<ArrayBuffer>;
          used = 0;
        }
        target[i] = pool[used++] ?? 0;
      }
    },
  });
}
