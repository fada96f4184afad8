/**
 * Verification of inclusion and consistency proofs (RFC 9162 §2.1.3.2 and §2.1.4.2). Every function answers `false` to
 * anything that does not verify and never throws on foreign values: hashes of a wrong length, proofs too long or too
 * short, sizes out of order.
 *
 * @module
 */
import { equalBytes } from '@sotto/core/bytes';
import { emptyRoot, HASH_LENGTH, nodeHash, type Sha256 } from './hash.ts';

/** What an inclusion proof claims. */
export interface InclusionClaim {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** What a consistency proof claims. */
export interface ConsistencyClaim {
  readonly fromSize: number;
  readonly fromRoot: Uint8Array;
  readonly toSize: number;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);
const areHashes = (...hashes: readonly Uint8Array[]): boolean => hashes.every((hash) => hash.length === HASH_LENGTH);

/** Whether the leaf is at that index of the tree with that root. */
export function verifyInclusion(crypto: Sha256, claim: InclusionClaim): boolean {
  const { index, size, proof } = claim;
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if (!areHashes(claim.leafHash, claim.root, ...proof)) return false;
  let node = index;
  let last = size - 1;
  let hash = claim.leafHash;
  for (const sibling of proof) {
    if (last === 0) return false; // longer than the path to the root
    if (isOdd(node) || node === last) {
      hash = nodeHash(crypto, sibling, hash);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      hash = nodeHash(crypto, hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && equalBytes(hash, claim.root);
}

/** Whether the second tree begins with the first. The empty tree begins every tree, with an empty proof. */
export function verifyConsistency(crypto: Sha256, claim: ConsistencyClaim): boolean {
  const { fromSize, toSize, fromRoot, toRoot, proof } = claim;
  if (!isSize(fromSize) || !isSize(toSize) || fromSize > toSize || !areHashes(fromRoot, toRoot, ...proof)) return false;
  if (fromSize === toSize) return proof.length === 0 && equalBytes(fromRoot, toRoot);
  if (fromSize === 0) return proof.length === 0 && equalBytes(fromRoot, emptyRoot(crypto));
  let node = fromSize - 1;
  let last = toSize - 1;
  while (isOdd(node)) {
    node = half(node);
    last = half(last);
  }
  // A perfect old tree is its own first hash; otherwise the proof begins with the deepest subtree that both share.
  const first = node === 0 ? fromRoot : proof[0];
  const rest = node === 0 ? proof : proof.slice(1);
  if (first === undefined) return false;
  let oldHash = first;
  let newHash = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(crypto, sibling, oldHash);
      newHash = nodeHash(crypto, sibling, newHash);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      newHash = nodeHash(crypto, newHash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  return last === 0 && equalBytes(oldHash, fromRoot) && equalBytes(newHash, toRoot);
}
