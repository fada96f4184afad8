/**
 * Join tokens: a secret for one enrolment of one id in one role, with the fingerprint by which the authority is known.
 *
 * @module
 */
import { fromBase64, toBase64 } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Role } from '@sotto/core/identity';
import { ConfigReader } from '../config/config-reader.ts';
import { trustDomain } from '../config/authority-config.ts';
import { checkSecretFile, writeSecretFile } from '../service/files.ts';
import { parseJson } from './trust-file.ts';

/** What a token file holds. */
export interface JoinToken {
  readonly trustDomain: string;
  /** Fingerprint of the authority's trust bundle. */
  readonly fingerprint: string;
  readonly id: string;
  readonly role: Role;
  /** 32 random bytes. */
  readonly secret: Uint8Array;
  readonly expiresMs: number;
}

/** Writes a token with mode 0600. */
export function writeJoinToken(file: string, token: JoinToken): void {
  const { secret, ...rest } = token;
  writeSecretFile(file, `${JSON.stringify({ version: 1, ...rest, secret: toBase64(secret) }, undefined, 2)}\n`);
}

/** Reads a token; throws `not-found`, `permission-denied` (others may read it) or `invalid-config`. */
export function readJoinToken(file: string): JoinToken {
  const reader = new ConfigReader(parseJson(file), `join token ${file}`);
  checkSecretFile(file);
  reader.read('version', (name, value) => check.integer(name, value, 1, 1));
  const token: JoinToken = {
    trustDomain: reader.read('trustDomain', trustDomain),
    fingerprint: reader.read('fingerprint', (name, value) => {
      if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
        throw new SottoError('invalid-argument', `${name} is not a SHA-256`);
      return value;
    }),
    id: reader.read('id', check.partyId),
    role: reader.read('role', (name, value) => check.oneOf(name, value, ['coordinator', 'client'])),
    // The value never appears in a message.
    secret: reader.read('secret', (name, value) => {
      try {
        return check.bytes(name, typeof value === 'string' ? fromBase64(value) : undefined, 32);
      } catch {
        throw new SottoError('invalid-argument', `${name} is not the base64 of 32 bytes; ask for a new token`);
      }
    }),
    expiresMs: reader.read('expiresMs', (name, value) => check.integer(name, value, 0)),
  };
  reader.end();
  return token;
}
