/**
 * The RFC 6962 tree hash over a list of leaves, with which rosters and survivor sets are bound into signatures.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The Merkle tree hash of RFC 6962 §2.1 (32 bytes). The empty list hashes to SHA-256 of nothing. */
export function merkleRoot(crypto: CryptoProvider, leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return crypto.sha256();
  let level = leaves.map((leaf) => crypto.sha256(LEAF, leaf));
  // Pairing from the left and carrying an odd last node up gives the same tree as the recursive definition.
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) next.push(crypto.sha256(NODE, level[i]!, level[i + 1]!));
    if (level.length % 2 === 1) next.push(level[level.length - 1]!);
    level = next;
  }
  return level[0]!;
}
