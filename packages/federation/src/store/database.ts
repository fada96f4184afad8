/**
 * The embedded database: node:sqlite with a write-ahead log, synced at every commit, so that what was acknowledged
 * survives a kill and a power loss. One small interface, plain SQL.
 *
 * @module
 */
import path from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { SottoError } from '@sotto/core/errors';
import { makePrivateDirectory, makePrivateFile } from '../service/files.ts';

/** A column value. */
export type SqlValue = null | number | string | Uint8Array;

/** One row. */
export type Row = Readonly<Record<string, SqlValue>>;

/** A database file of one process. Not for use from two processes at once, but it survives that without damage. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements: Map<string, StatementSync> = new Map();
  #depth = 0;
  #closed = false;

  /** Opens or creates the file and applies the schema, which must be idempotent (`CREATE TABLE IF NOT EXISTS …`). */
  constructor(file: string, schema: string) {
    makePrivateDirectory(path.dirname(file));
    try {
      // SQLite gives its log and its shared memory the modes of the database.
      makePrivateFile(file);
      this.#db = new DatabaseSync(file);
      this.#db.exec(
        'PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA foreign_keys = ON;',
      );
    } catch (cause) {
      throw new SottoError('unavailable', `${file} cannot be opened as a database; check its folder and permissions`, { cause });
    }
    const mode = this.get('PRAGMA journal_mode')?.['journal_mode'];
    const sync = this.get('PRAGMA synchronous')?.['synchronous'];
    if (mode !== 'wal' || sync !== 2) {
      throw new SottoError(
        'unavailable',
        `${file} has journal mode ${String(mode)}; a ledger needs a local file system with write-ahead logs`,
      );
    }
    this.transaction(() => this.#db.exec(schema));
  }

  /** Runs a statement and returns the number of changed rows. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.#prepare(sql).run(...(values as SQLInputValue[])).changes);
  }

  get(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...(values as SQLInputValue[])) as Row | undefined;
  }

  all(sql: string, ...values: readonly SqlValue[]): Row[] {
    return this.#prepare(sql).all(...(values as SQLInputValue[])) as Row[];
  }

  /** All or nothing: durable when it returns. Calls nest into the outermost one. */
  transaction<T>(work: () => T): T {
    this.#check();
    if (this.#depth > 0) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#depth++;
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (reason) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw reason;
    } finally {
      this.#depth--;
    }
  }

  /** Later calls throw `cancelled`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    this.#check();
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #check(): void {
    if (this.#closed) throw new SottoError('cancelled', 'the database is closed; the service has stopped');
  }
}

/** A column that must be an integer. */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new SottoError('internal', `column ${column} is not a number`);
  return value;
}

/** A column that must be a text. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new SottoError('internal', `column ${column} is not a text`);
  return value;
}

/** A column that must be bytes. */
export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new SottoError('internal', `column ${column} is not bytes`);
  return value;
}
