/**
 * A ledger in memory: a transparency log whose leaves are entries that keep the rules. What stores it keeps the leaves in
 * order and opens it again from them.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { TransparencyLog } from '../log/transparency-log.ts';
import { decodeEntry, encodeEntry } from './codec.ts';
import type { LedgerEntry } from './entry.ts';
import { LedgerFold } from './fold.ts';
import type { LedgerState } from './state.ts';

/** An entry on its way into the ledger. */
export interface PreparedEntry {
  /** The index that it will have. */
  readonly index: number;
  /** The leaf to store. */
  readonly leaf: Uint8Array;
}

/** One party's ledger. */
export class Ledger {
  readonly log: TransparencyLog;
  readonly #fold: LedgerFold;

  /**
   * @param leaves what is stored already, in order; decoded and folded, so that a damaged store does not open
   */
  constructor(crypto: Pick<CryptoProvider, 'sha256'>, origin: string, leaves: Iterable<Uint8Array> = []) {
    this.log = new TransparencyLog(crypto, origin);
    this.#fold = new LedgerFold(crypto);
    for (const leaf of leaves) this.#take(leaf, decodeEntry(leaf));
  }

  get size(): number {
    return this.log.size;
  }

  /** What follows from the entries; a live view. */
  get state(): LedgerState {
    return this.#fold.state;
  }

  entry(index: number): LedgerEntry {
    return decodeEntry(this.log.entry(index));
  }

  /** Checks an entry against the rules and returns the leaf to make durable; changes nothing. */
  prepare(entry: LedgerEntry): PreparedEntry {
    const leaf = encodeEntry(entry);
    this.#fold.check(entry);
    return { index: this.size, leaf };
  }

  /** Takes in a prepared entry, once its leaf is durable. */
  commit(prepared: PreparedEntry): void {
    if (prepared.index !== this.size) {
      throw new SottoError(
        'conflict',
        `entry ${prepared.index} was prepared, but the ledger has ${this.size} entries by now; prepare it again`,
      );
    }
    this.#take(prepared.leaf, decodeEntry(prepared.leaf));
  }

  /** {@link prepare} and {@link commit} in one, for ledgers that are not stored. */
  append(entry: LedgerEntry): PreparedEntry {
    const prepared = this.prepare(entry);
    this.commit(prepared);
    return prepared;
  }

  #take(leaf: Uint8Array, entry: LedgerEntry): void {
    this.#fold.applyDecoded(entry);
    this.log.append(leaf);
  }
}
