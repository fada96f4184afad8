/**
 * Round 3: each survivor signs the pair (U1, U2) that it saw, once; T such signatures make a certificate.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import type { ByteReader, ByteWriter } from '@sotto/core/encoding';
import { sign, verify } from '../primitives.ts';
import { ascending, beginMessage, fixed, openMessage, readId, SIGNATURE_BYTES } from './wire.ts';
import type { WireLimits } from './wire.ts';

/** One survivor's Sig("confirm", sid, root(U1), root(U2), |U2|). */
export interface Confirmation {
  readonly id: string;
  readonly signature: Uint8Array;
}

/** What a confirmation states. */
export interface Certified {
  readonly sid: Uint8Array;
  readonly rootU1: Uint8Array;
  readonly rootU2: Uint8Array;
  /** |U2|. */
  readonly survivors: number;
}

const writeCertified =
  (statement: Certified) =>
  (writer: ByteWriter): ByteWriter =>
    writer.bytes(statement.sid).bytes(statement.rootU1).bytes(statement.rootU2).u32(statement.survivors);

export function signConfirmation(crypto: CryptoProvider, signingSeed: Uint8Array, statement: Certified): Uint8Array {
  return sign(crypto, signingSeed, 'confirm', writeCertified(statement));
}

export function verifyConfirmation(
  crypto: CryptoProvider,
  signingKey: Uint8Array,
  statement: Certified,
  signature: Uint8Array,
): boolean {
  return verify(crypto, signingKey, signature, 'confirm', writeCertified(statement));
}

export const writeConfirmation = (writer: ByteWriter, confirmation: Confirmation): ByteWriter =>
  writer.text(confirmation.id).bytes(confirmation.signature);

export const readConfirmations = (reader: ByteReader, limits: WireLimits): readonly Confirmation[] =>
  ascending(
    'list of confirmations',
    reader.list((r): Confirmation => ({ id: readId(r), signature: fixed(r, SIGNATURE_BYTES) }), {
      maxCount: limits.nMax,
      minItemBytes: 73,
    }),
    (confirmation) => confirmation.id,
  );

export function encodeConfirm(sid: Uint8Array, confirmation: Confirmation): Uint8Array {
  return writeConfirmation(beginMessage('confirm', sid), confirmation).finish();
}

export function decodeConfirm(sid: Uint8Array, data: Uint8Array): Confirmation {
  const reader = openMessage('confirm', data, sid);
  const confirmation = { id: readId(reader), signature: fixed(reader, SIGNATURE_BYTES) };
  reader.end();
  return confirmation;
}

export function encodeConfirmations(sid: Uint8Array, confirmations: readonly Confirmation[]): Uint8Array {
  return beginMessage('confirmations', sid).list(confirmations, writeConfirmation).finish();
}

export function decodeConfirmations(sid: Uint8Array, limits: WireLimits, data: Uint8Array): readonly Confirmation[] {
  const reader = openMessage('confirmations', data, sid);
  const confirmations = readConfirmations(reader, limits);
  reader.end();
  return confirmations;
}
