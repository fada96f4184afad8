/**
 * What the coordinator must not forget: its ledger, the model, the round in hand, the clients' ledgers. A round that was
 * in hand when the process died is found here and given up.
 *
 * @module
 */
import { fromUtf8, utf8 } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import type { LedgerEntry, RoundStage } from '@sotto/governance';
import { Database, bytesOf, integerOf, textOf } from '../store/database.ts';
import { LedgerStore, ledgerSchema } from '../store/ledger-store.ts';

const schema = `
  ${ledgerSchema}
  CREATE TABLE IF NOT EXISTS model (round INTEGER PRIMARY KEY, weights BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS round_in_hand (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1), round INTEGER NOT NULL, attempt INTEGER NOT NULL, stage TEXT NOT NULL, members TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS mirror (party TEXT NOT NULL, position INTEGER NOT NULL, leaf BLOB NOT NULL, PRIMARY KEY (party, position)) STRICT;
  CREATE TABLE IF NOT EXISTS mirror_head (party TEXT PRIMARY KEY, checkpoint BLOB NOT NULL) STRICT;
`;

/** The round that was begun and has not ended. */
export interface RoundInHand {
  readonly round: number;
  readonly attempt: number;
  readonly stage: RoundStage;
  /** From stage `masked` on, those whose reservations may be spent. */
  readonly members: readonly string[];
}

/** A client's whole ledger, as it was handed over at the end. */
export interface MirroredLedger {
  readonly checkpoint: Uint8Array;
  readonly leaves: readonly Uint8Array[];
}

/** The coordinator's database. */
export class CoordinatorStore {
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

  /** The weights after the last published round, or `undefined` before the first. */
  weights(): Uint8Array | undefined {
    const row = this.#database.get('SELECT weights FROM model ORDER BY round DESC LIMIT 1');
    return row === undefined ? undefined : bytesOf(row, 'weights');
  }

  roundInHand(): RoundInHand | undefined {
    const row = this.#database.get('SELECT * FROM round_in_hand');
    if (row === undefined) return undefined;
    return {
      round: integerOf(row, 'round'),
      attempt: integerOf(row, 'attempt'),
      stage: textOf(row, 'stage') as RoundStage,
      members: JSON.parse(textOf(row, 'members')) as string[],
    };
  }

  /** Records that a round has reached a stage, before anybody is told. */
  enter(round: RoundInHand): void {
    this.#database.run(
      `INSERT INTO round_in_hand (only_one, round, attempt, stage, members) VALUES (1, ?, ?, ?, ?)
       ON CONFLICT (only_one) DO UPDATE SET round = excluded.round, attempt = excluded.attempt, stage = excluded.stage, members = excluded.members`,
      round.round,
      round.attempt,
      round.stage,
      JSON.stringify(round.members),
    );
  }

  /** Ends the round in hand with its publish or abort entry, in one transaction with the new model. */
  end(entry: LedgerEntry & { readonly round: number }, weights?: Uint8Array): void {
    this.ledger.append(entry, () => {
      this.#database.run('DELETE FROM round_in_hand');
      if (weights === undefined) return;
      this.#database.run('DELETE FROM model');
      this.#database.run('INSERT INTO model (round, weights) VALUES (?, ?)', entry.round, weights);
    });
  }

  /** Forgets an attempt that nobody can have spent anything on. */
  dropAttempt(): void {
    this.#database.run('DELETE FROM round_in_hand');
  }

  /** Parties whose ledgers are here. */
  mirrored(): string[] {
    return this.#database.all('SELECT party FROM mirror_head ORDER BY party').map((row) => textOf(row, 'party'));
  }

  mirror(party: string): MirroredLedger | undefined {
    const head = this.#database.get('SELECT checkpoint FROM mirror_head WHERE party = ?', party);
    if (head === undefined) return undefined;
    const leaves = this.#database.all('SELECT leaf FROM mirror WHERE party = ? ORDER BY position', party);
    return { checkpoint: bytesOf(head, 'checkpoint'), leaves: leaves.map((row) => bytesOf(row, 'leaf')) };
  }

  /** Takes over a verified ledger; one that does not extend what was handed over before is refused with `integrity`. */
  takeMirror(party: string, ledger: MirroredLedger): void {
    const before = this.mirror(party)?.leaves ?? [];
    if (
      before.length > ledger.leaves.length ||
      before.some((leaf, i) => fromUtf8(leaf) !== fromUtf8(ledger.leaves[i] ?? utf8('')))
    ) {
      throw new SottoError('integrity', `the ledger of ${party} does not extend the one that it handed over before`);
    }
    this.#database.transaction(() => {
      for (let i = before.length; i < ledger.leaves.length; i++) {
        this.#database.run('INSERT INTO mirror (party, position, leaf) VALUES (?, ?, ?)', party, i, ledger.leaves[i] ?? null);
      }
      this.#database.run(
        'INSERT INTO mirror_head (party, checkpoint) VALUES (?, ?) ON CONFLICT (party) DO UPDATE SET checkpoint = excluded.checkpoint',
        party,
        ledger.checkpoint,
      );
    });
  }

  close(): void {
    this.#database.close();
  }
}
