/**
 * A transparency log in memory: entries as bytes, their Merkle tree, checkpoints and proofs. It only grows. What stores
 * it keeps the entries in order and builds it again from them.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { leafHash } from '../merkle/hash.ts';
import { MerkleTree } from '../merkle/tree.ts';
import { type Checkpoint, signCheckpoint } from './checkpoint.ts';
import { encodeEntryBundle, hashTile, MAX_ENTRY_BYTES, tilePath, TILE_WIDTH, tilesOf } from './tiles.ts';

/** An append-only log of byte strings. */
export class TransparencyLog {
  readonly origin: string;
  readonly #crypto: Pick<CryptoProvider, 'sha256'>;
  readonly #tree: MerkleTree;
  readonly #entries: Uint8Array[] = [];

  /** @param entries what the log holds already, in order */
  constructor(crypto: Pick<CryptoProvider, 'sha256'>, origin: string, entries: Iterable<Uint8Array> = []) {
    this.origin = check.text('origin', origin);
    this.#crypto = crypto;
    this.#tree = new MerkleTree(crypto);
    for (const entry of entries) this.append(entry);
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Appends a copy of the entry and returns its index. */
  append(entry: Uint8Array): number {
    if (entry.length > MAX_ENTRY_BYTES) {
      throw new SottoError('invalid-argument', `the entry has ${entry.length} bytes; it must have at most ${MAX_ENTRY_BYTES}`);
    }
    this.#entries.push(entry.slice());
    return this.#tree.append(leafHash(this.#crypto, entry));
  }

  /** A copy of an entry. */
  entry(index: number): Uint8Array {
    check.integer('index', index, 0, this.size - 1);
    return this.#entries[index]!.slice();
  }

  /** Copies of all entries. */
  entries(): Uint8Array[] {
    return this.#entries.map((entry) => entry.slice());
  }

  /** The RFC 6962 leaf hash of an entry. */
  leafHash(index: number): Uint8Array {
    return this.#tree.node(0, index).slice();
  }

  /** The root of the first `size` entries. */
  root(size: number = this.size): Uint8Array {
    return this.#tree.root(size).slice();
  }

  inclusionProof(index: number, size: number = this.size): Uint8Array[] {
    return this.#tree.inclusionProof(index, size);
  }

  consistencyProof(from: number, to: number = this.size): Uint8Array[] {
    return this.#tree.consistencyProof(from, to);
  }

  /** The unsigned checkpoint of the first `size` entries. */
  state(size: number = this.size): Checkpoint {
    return { origin: this.origin, size, root: this.root(size) };
  }

  /** The signed checkpoint of the first `size` entries. Never sign a size before its entries are durable. */
  checkpoint(
    crypto: Pick<CryptoProvider, 'sha256' | 'ed25519PublicKey' | 'ed25519Sign'>,
    seed: Uint8Array,
    size: number = this.size,
  ): Uint8Array {
    return signCheckpoint(crypto, this.state(size), seed);
  }

  /** The tiles and entry bundles of the log by path (tlog-tiles), without the checkpoint. */
  tiles(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    for (const tile of tilesOf(this.size)) {
      const first = tile.index * TILE_WIDTH;
      const bytes =
        tile.level === 'entries'
          ? encodeEntryBundle(this.#entries.slice(first, first + tile.width))
          : hashTile(this.#tree, tile.level, tile.index, tile.width);
      files.set(tilePath(tile), bytes);
    }
    return files;
  }
}
