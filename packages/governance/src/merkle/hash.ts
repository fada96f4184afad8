/**
 * The hashes of a Merkle tree after RFC 6962 §2.1 (unchanged in RFC 9162 §2.1.1): SHA-256 with one prefix byte for
 * leaves and another for inner nodes, so that neither can be taken for the other.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';

/** The one primitive that trees need. */
export type Sha256 = Pick<CryptoProvider, 'sha256'>;

/** Bytes of a hash. */
export const HASH_LENGTH = 32;

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** SHA-256(0x00 ‖ data). */
export function leafHash(crypto: Sha256, data: Uint8Array): Uint8Array {
  return crypto.sha256(LEAF_PREFIX, data);
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(crypto: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  return crypto.sha256(NODE_PREFIX, left, right);
}

/** The root of the empty tree: SHA-256 of nothing. */
export function emptyRoot(crypto: Sha256): Uint8Array {
  return crypto.sha256();
}
