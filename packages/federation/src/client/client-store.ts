/**
 * What a client must not forget: its ledger, which is its budget and its memory of the coordinator's log as well; the
 * records that it has contributed and answered; the round that it entered last.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { randomBytes } from '@sotto/core/random';
import type { RandomSource } from '@sotto/core/random';
import type { CompleteEntry, ContributeEntry } from '@sotto/governance';
import { Database, bytesOf, integerOf } from '../store/database.ts';
import { LedgerStore, ledgerSchema } from '../store/ledger-store.ts';

const schema = `
  ${ledgerSchema}
  CREATE TABLE IF NOT EXISTS record (name TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS entered (run_id TEXT PRIMARY KEY, round INTEGER NOT NULL, attempt INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS salt (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), value BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS final_model (run_id TEXT PRIMARY KEY, weights BLOB NOT NULL) STRICT;
`;

/** A round and its attempt; zeros before the first. */
export interface EnteredRound {
  readonly round: number;
  readonly attempt: number;
}

/** The client's database. */
export class ClientStore {
  readonly ledger: LedgerStore;
  readonly #database: Database;

  constructor(file: string, crypto: CryptoProvider, origin: string, seed: Uint8Array) {
    this.#database = new Database(file, schema);
    try {
      this.ledger = new LedgerStore(this.#database, crypto, origin, seed);
    } catch (reason) {
      this.#database.close();
      throw reason;
    }
  }

  /** The last attempt of a round that this client sent anything for. */
  entered(runId: string): EnteredRound {
    const row = this.#database.get('SELECT round, attempt FROM entered WHERE run_id = ?', runId);
    return row === undefined ? { round: 0, attempt: 0 } : { round: integerOf(row, 'round'), attempt: integerOf(row, 'attempt') };
  }

  /** Remembers, before anything is sent, that the attempt is entered. */
  enter(runId: string, { round, attempt }: EnteredRound): void {
    this.#database.run(
      `INSERT INTO entered (run_id, round, attempt) VALUES (?, ?, ?)
       ON CONFLICT (run_id) DO UPDATE SET round = excluded.round, attempt = excluded.attempt`,
      runId,
      round,
      attempt,
    );
  }

  /** Creates a record; returns false where it exists already, in whichever process of this identity. */
  record(name: string): boolean {
    return this.#database.run('INSERT INTO record (name) VALUES (?) ON CONFLICT DO NOTHING', name) === 1;
  }

  /** Creates the record of a contribution together with its ledger entry; returns false, with nothing written, where it exists already. */
  contribute(name: string, entry: ContributeEntry): boolean {
    if (this.#database.get('SELECT name FROM record WHERE name = ?', name) !== undefined) return false;
    this.ledger.append(entry, () => this.#database.run('INSERT INTO record (name) VALUES (?)', name));
    return true;
  }

  /** Ends a run: its last entry together with the model that came out. */
  complete(entry: CompleteEntry, weights: Uint8Array): void {
    this.ledger.append(entry, () =>
      this.#database.run('INSERT INTO final_model (run_id, weights) VALUES (?, ?)', entry.runId, weights),
    );
  }

  /** The model of a run that is complete. */
  finalModel(runId: string): Uint8Array | undefined {
    const row = this.#database.get('SELECT weights FROM final_model WHERE run_id = ?', runId);
    return row === undefined ? undefined : bytesOf(row, 'weights');
  }

  /** The secret salt of this party's data set commitment, made at the first call. */
  salt(random: RandomSource): Uint8Array {
    this.#database.run('INSERT INTO salt (only_one, value) VALUES (1, ?) ON CONFLICT DO NOTHING', randomBytes(random, 32));
    const row = this.#database.get('SELECT value FROM salt');
    return row === undefined ? randomBytes(random, 32) : bytesOf(row, 'value');
  }

  close(): void {
    this.#database.close();
  }
}
