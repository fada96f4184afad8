/**
 * Hashes by which a ledger refers to what is too long or too private to stand in it.
 *
 * @module
 */
import { toHex } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { canonicalJsonBytes, type Json } from '@sotto/core/json';
import type { Sha256 } from '../merkle/hash.ts';
import { floatsToBytes } from '../model-files.ts';
import type { HashText } from './entry.ts';

/**
 * SHA-256(salt ‖ data). With a salt of 32 random bytes that the owner keeps, nobody else can test a guess of the data;
 * with salt and data the owner can prove to an auditor what was meant.
 */
export function datasetCommitment(crypto: Sha256, salt: Uint8Array, data: Uint8Array): HashText {
  return toHex(crypto.sha256(check.bytes('salt', salt, 32), data));
}

/** SHA-256 of the canonical JSON (RFC 8785) of a plan. */
export function planHash(crypto: Sha256, plan: Json): HashText {
  return toHex(crypto.sha256(canonicalJsonBytes(plan)));
}

/** SHA-256 of the canonical JSON of a TensorFlow.js topology. */
export function topologyHash(crypto: Sha256, topology: Json): HashText {
  return toHex(crypto.sha256(canonicalJsonBytes(topology)));
}

/** SHA-256 of the weights in model order as little-endian binary32: the bytes of `weights.bin`. */
export function modelHash(crypto: Sha256, weights: Float32Array): HashText {
  return toHex(crypto.sha256(floatsToBytes(weights)));
}
