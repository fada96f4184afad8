/**
 * The authority's memory: issued tokens by their hash, and what each was used for. A token and the certificates that it
 * bought are one row, so that an authority that dies between use and answer gives the same answer again.
 *
 * @module
 */
import { equalBytes } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import type { Role } from '@sotto/core/identity';
import { Database, bytesOf, integerOf, textOf } from '../store/database.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS token (
    hash BLOB PRIMARY KEY, id TEXT NOT NULL, role TEXT NOT NULL, expires_ms INTEGER NOT NULL,
    request BLOB, tls_certificate BLOB, identity_certificate BLOB
  ) STRICT;
`;

/** The certificates that a token was exchanged for. */
export interface IssuedCertificates {
  readonly tlsCertificate: Uint8Array;
  readonly identityCertificate: Uint8Array;
}

function refuse(reason: string): never {
  throw new SottoError('unauthenticated', `the join token ${reason}; ask the authority for a new one`);
}

/** Tokens on disk. */
export class TokenStore {
  readonly #database: Database;

  constructor(file: string) {
    this.#database = new Database(file, schema);
  }

  /** Adds a token; an unused one of the same party is dropped. */
  add(hash: Uint8Array, id: string, role: Role, expiresMs: number): void {
    this.#database.transaction(() => {
      this.#database.run('DELETE FROM token WHERE id = ? AND role = ? AND request IS NULL', id, role);
      this.#database.run('INSERT INTO token (hash, id, role, expires_ms) VALUES (?, ?, ?, ?)', hash, id, role, expiresMs);
    });
  }

  /** Whether the token can still be used or has been. */
  isGood(hash: Uint8Array, nowMs: number): boolean {
    const row = this.#database.get('SELECT expires_ms, request FROM token WHERE hash = ?', hash);
    return row !== undefined && (row['request'] !== null || integerOf(row, 'expires_ms') >= nowMs);
  }

  /**
   * Refuses a token that cannot be exchanged by this party, whatever else it asks: before the rest of its request is read.
   *
   * @throws SottoError `unauthenticated` where it is unknown, for another party, or expired unused
   */
  admit(hash: Uint8Array, id: string, role: string, nowMs: number): void {
    const row = this.#database.get('SELECT * FROM token WHERE hash = ?', hash);
    if (row === undefined) return refuse('is unknown');
    if (textOf(row, 'id') !== id || textOf(row, 'role') !== role) return refuse('is for another party');
    if (row['request'] === null && integerOf(row, 'expires_ms') < nowMs) refuse('has expired');
  }

  /**
   * What the token was used for already by the same request, or `undefined` where it is unused.
   *
   * @throws SottoError `unauthenticated` where it is unknown, expired, for another party, or used by another request
   */
  check(hash: Uint8Array, id: string, role: string, request: Uint8Array, nowMs: number): IssuedCertificates | undefined {
    this.admit(hash, id, role, nowMs);
    const row = this.#database.get('SELECT * FROM token WHERE hash = ? AND request IS NOT NULL', hash);
    if (row === undefined) return undefined;
    if (!equalBytes(bytesOf(row, 'request'), request)) return refuse('was used already');
    return { tlsCertificate: bytesOf(row, 'tls_certificate'), identityCertificate: bytesOf(row, 'identity_certificate') };
  }

  /** Uses the token, once; the certificates stored first win. */
  use(hash: Uint8Array, request: Uint8Array, issued: IssuedCertificates): boolean {
    const changed = this.#database.run(
      'UPDATE token SET request = ?, tls_certificate = ?, identity_certificate = ? WHERE hash = ? AND request IS NULL',
      request,
      issued.tlsCertificate,
      issued.identityCertificate,
      hash,
    );
    return changed === 1;
  }

  close(): void {
    this.#database.close();
  }
}
