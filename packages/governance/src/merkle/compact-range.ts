/**
 * The root of a tree whose leaves stream by, in O(log n) memory: the hashes of the perfect subtrees that the leaves so
 * far fall into.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import { emptyRoot, HASH_LENGTH, nodeHash, type Sha256 } from './hash.ts';

/** A running Merkle root. */
export class CompactRange {
  readonly #crypto: Sha256;
  /** Perfect subtrees from left to right, sizes strictly falling. */
  readonly #peaks: { readonly height: number; readonly hash: Uint8Array }[] = [];
  #size = 0;

  constructor(crypto: Sha256) {
    this.#crypto = crypto;
  }

  get size(): number {
    return this.#size;
  }

  append(leafHash: Uint8Array): void {
    let hash = check.bytes('leaf hash', leafHash, HASH_LENGTH);
    let height = 0;
    while (this.#peaks.at(-1)?.height === height) {
      hash = nodeHash(this.#crypto, this.#peaks.pop()!.hash, hash);
      height++;
    }
    this.#peaks.push({ height, hash });
    this.#size++;
  }

  root(): Uint8Array {
    const last = this.#peaks.at(-1);
    if (last === undefined) return emptyRoot(this.#crypto);
    let hash = last.hash;
    for (let i = this.#peaks.length - 2; i >= 0; i--) hash = nodeHash(this.#crypto, this.#peaks[i]!.hash, hash);
    return hash;
  }
}

/** The root over all leaf hashes given. */
export function merkleRoot(crypto: Sha256, leafHashes: Iterable<Uint8Array>): Uint8Array {
  const range = new CompactRange(crypto);
  for (const hash of leafHashes) range.append(hash);
  return range.root();
}
