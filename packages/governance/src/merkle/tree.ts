/**
 * An append-only Merkle tree that answers for every earlier size too: roots, inclusion and consistency proofs in
 * O(log n) hashes, since all complete subtrees are kept (two hashes per leaf).
 *
 * @module
 */
import * as check from '@sotto/core/check';
import { emptyRoot, HASH_LENGTH, nodeHash, type Sha256 } from './hash.ts';

/** Size and start of a perfect subtree at some height. */
const powerOfTwo = (exponent: number): number => 2 ** exponent;

/** The largest power of two below `size` (size ≥ 2): where RFC 6962 splits. Returns its exponent. */
function splitExponent(size: number): number {
  let exponent = 0;
  while (powerOfTwo(exponent + 1) < size) exponent++;
  return exponent;
}

/** A tree over leaf hashes. Hashes that it returns are its own: do not write to them. */
export class MerkleTree {
  readonly #crypto: Sha256;
  /** `#levels[h][i]` is the hash of the perfect subtree over leaves [i·2^h, (i+1)·2^h). */
  readonly #levels: Uint8Array[][] = [[]];

  constructor(crypto: Sha256, leafHashes: Iterable<Uint8Array> = []) {
    this.#crypto = crypto;
    for (const hash of leafHashes) this.append(hash);
  }

  /** Number of leaves. */
  get size(): number {
    return this.#levels[0]!.length;
  }

  /** Appends a leaf hash (32 bytes) and returns its index. */
  append(hash: Uint8Array): number {
    check.bytes('leaf hash', hash, HASH_LENGTH);
    const index = this.size;
    let node = hash;
    let position = index;
    for (let height = 0; ; height++) {
      const level = (this.#levels[height] ??= []);
      level.push(node);
      if (position % 2 === 0) return index;
      node = nodeHash(this.#crypto, level[position - 1]!, node);
      position = (position - 1) / 2;
    }
  }

  /** The hash of the perfect subtree number `index` of height `height` (0: a leaf); it must be complete. */
  node(height: number, index: number): Uint8Array {
    const level = this.#levels[check.integer('height', height, 0, 52)] ?? [];
    return level[check.integer('index', index, 0, level.length - 1)]!;
  }

  /** The root of the first `size` leaves. */
  root(size: number = this.size): Uint8Array {
    check.integer('size', size, 0, this.size);
    return size === 0 ? emptyRoot(this.#crypto) : this.#range(0, size);
  }

  /** The inclusion proof of a leaf in the tree of the first `size` leaves (RFC 9162 §2.1.3.1), leaf side first. */
  inclusionProof(index: number, size: number = this.size): Uint8Array[] {
    check.integer('size', size, 1, this.size);
    check.integer('index', index, 0, size - 1);
    const proof: Uint8Array[] = [];
    let start = 0;
    let end = size;
    while (end - start > 1) {
      const middle = start + powerOfTwo(splitExponent(end - start));
      if (index < middle) {
        proof.push(this.#range(middle, end));
        end = middle;
      } else {
        proof.push(this.#range(start, middle));
        start = middle;
      }
    }
    return proof.reverse();
  }

  /** The proof that the tree of `to` leaves begins with that of `from` (RFC 9162 §2.1.4.1); empty for 0 and for equal sizes. */
  consistencyProof(from: number, to: number = this.size): Uint8Array[] {
    check.integer('to', to, 0, this.size);
    check.integer('from', from, 0, to);
    const proof: Uint8Array[] = [];
    if (from === 0 || from === to) return proof;
    let start = 0;
    let end = to;
    let whole = true; // the old tree is the left part of the range from its first leaf on
    while (from !== end) {
      const middle = start + powerOfTwo(splitExponent(end - start));
      if (from <= middle) {
        proof.push(this.#range(middle, end));
        end = middle;
      } else {
        proof.push(this.#range(start, middle));
        start = middle;
        whole = false;
      }
    }
    if (!whole) proof.push(this.#range(start, end));
    return proof.reverse();
  }

  /** The tree hash of leaves [start, end), where start is a multiple of the power of two at or above the length. */
  #range(start: number, end: number): Uint8Array {
    const length = end - start;
    if (length === 1) return this.#levels[0]![start]!;
    const exponent = splitExponent(length);
    if (powerOfTwo(exponent + 1) === length) return this.#levels[exponent + 1]![start / length]!;
    const middle = start + powerOfTwo(exponent);
    return nodeHash(this.#crypto, this.#range(start, middle), this.#range(middle, end));
  }
}
