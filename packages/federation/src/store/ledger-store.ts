/**
 * A party's ledger on disk: leaves in order. An entry and the change of state that goes with it are one transaction, and
 * the ledger in memory takes the entry in only when that transaction is durable.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { Ledger, type LedgerEntry } from '@sotto/governance';
import { type Database, bytesOf } from './database.ts';

/** Tables of {@link LedgerStore}. Leaves can only be added. */
export const ledgerSchema = `
  CREATE TABLE IF NOT EXISTS ledger (position INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;
  CREATE TRIGGER IF NOT EXISTS ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
  CREATE TRIGGER IF NOT EXISTS ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
`;

/** A durable {@link Ledger}. */
export class LedgerStore {
  /** The ledger in memory: always what is durable. */
  readonly ledger: Ledger;
  readonly #database: Database;
  readonly #crypto: CryptoProvider;
  readonly #seed: Uint8Array;

  /**
   * Reads what is stored; throws where it does not keep the rules.
   *
   * @param seed the party's ledger key
   */
  constructor(database: Database, crypto: CryptoProvider, origin: string, seed: Uint8Array) {
    this.#database = database;
    this.#crypto = crypto;
    this.#seed = seed;
    const leaves = database.all('SELECT leaf FROM ledger ORDER BY position').map((row) => bytesOf(row, 'leaf'));
    this.ledger = new Ledger(crypto, origin, leaves);
  }

  /** Appends an entry, with whatever else must be stored in the same transaction. Returns its index. */
  append(entry: LedgerEntry, also?: (index: number) => void): number {
    const prepared = this.ledger.prepare(entry);
    this.#database.transaction(() => {
      this.#database.run('INSERT INTO ledger (position, leaf) VALUES (?, ?)', prepared.index, prepared.leaf);
      also?.(prepared.index);
    });
    this.ledger.commit(prepared);
    return prepared.index;
  }

  /** The signed checkpoint of what is durable. */
  checkpoint(): Uint8Array {
    return this.ledger.log.checkpoint(this.#crypto, this.#seed);
  }
}
