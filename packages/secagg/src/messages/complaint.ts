/**
 * Hybrid suite: the higher id of a pair found that the mask key which the lower one confirms is not the one that it
 * derived; it says so, signed, and leaves before it has sent an input.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { sign, verify } from '../primitives.ts';
import { beginMessage, fixed, openMessage, readId, SIGNATURE_BYTES } from './wire.ts';

export interface Complaint {
  readonly id: string;
  /** The lower id of the pair. */
  readonly about: string;
  /** Sig("complaint", sid, id, about). */
  readonly signature: Uint8Array;
}

export function signComplaint(
  crypto: CryptoProvider,
  signingSeed: Uint8Array,
  sid: Uint8Array,
  id: string,
  about: string,
): Complaint {
  return { id, about, signature: sign(crypto, signingSeed, 'complaint', (w) => w.bytes(sid).text(id).text(about)) };
}

export function verifyComplaint(crypto: CryptoProvider, signingKey: Uint8Array, sid: Uint8Array, complaint: Complaint): boolean {
  return verify(crypto, signingKey, complaint.signature, 'complaint', (w) =>
    w.bytes(sid).text(complaint.id).text(complaint.about),
  );
}

export function encodeComplaint(sid: Uint8Array, complaint: Complaint): Uint8Array {
  return beginMessage('complaint', sid).text(complaint.id).text(complaint.about).bytes(complaint.signature).finish();
}

export function decodeComplaint(sid: Uint8Array, data: Uint8Array): Complaint {
  const reader = openMessage('complaint', data, sid);
  const complaint = { id: readId(reader), about: readId(reader), signature: fixed(reader, SIGNATURE_BYTES) };
  reader.end();
  return complaint;
}
