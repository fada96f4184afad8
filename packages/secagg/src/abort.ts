/**
 * Why a round ends without a sum: a closed set of names, so that callers can branch and tests can tell one check from
 * another. A message never contains a secret.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { SottoErrorCode } from '@sotto/core/errors';

/** Every reason for which a client or the server gives a round up. */
export type AbortCode =
  /** Bytes do not decode, or have trailing bytes, or are not the one encoding. */
  | 'malformed'
  /** A message of another round, session or protocol version. */
  | 'wrong-session'
  /** A message that the present step does not take. */
  | 'unexpected-message'
  /** The durable record of this step exists already: another process of this identity did it. */
  | 'already-done'
  /** Roster: size outside nMin…nMax, or F > n. */
  | 'roster-size'
  /** Roster: not sorted by id, or an id twice. */
  | 'roster-order'
  /** Roster: own entry missing or changed. */
  | 'own-entry'
  /** Roster: a key twice among channel and mask keys, or an identity key twice. */
  | 'duplicate-key'
  /** Roster: a key that is not canonical or of low order. */
  | 'bad-key'
  /** Roster: a certificate that does not verify. */
  | 'bad-certificate'
  /** A signature that does not verify. */
  | 'bad-signature'
  /** The site policy refuses. */
  | 'policy'
  /** A second roster for one advertisement, or a second frozen set of one stage. */
  | 'equivocation'
  /** U1 or U2 too small, not a subset, not sorted, or with a wrong entry. */
  | 'survivors-too-few'
  | 'survivors-not-subset'
  | 'survivors-order'
  /** Own id or own input is not in the set, or is changed. */
  | 'own-input'
  /** Fewer than t shares open. */
  | 'shares-too-few'
  /** Hybrid suite: the mask key that a peer confirms is another one. */
  | 'mask-key-mismatch'
  /** Fewer than T valid confirmations. */
  | 'confirmations-too-few'
  /** A confirmation by somebody outside U2, or twice by one. */
  | 'confirmations-not-survivors'
  /** The receipt contradicts what this client saw. */
  | 'bad-receipt'
  /** A secret could not be recovered: too few answers, or too many wrong shares. */
  | 'recovery-failed'
  /** The operator or a deadline ended the round. */
  | 'cancelled';

/** Why this side gave the round up. */
export interface Abort {
  readonly code: AbortCode;
  readonly message: string;
  /** Parties that the evidence points to; never a holder alone where the dealer may have lied. */
  readonly parties?: readonly string[];
}

/** Thrown inside a step to give the round up; the step turns it into an aborted state. */
export class RoundAbort extends Error {
  override readonly name = 'RoundAbort';
  readonly abort: Abort;

  constructor(code: AbortCode, message: string, parties?: readonly string[]) {
    super(message);
    this.abort = parties === undefined ? { code, message } : { code, message, parties };
  }
}

/** The {@link Abort} of anything thrown while a peer's message was handled, or rethrows a defect. */
export function abortOf(reason: unknown): Abort {
  if (reason instanceof RoundAbort) return reason.abort;
  if (reason instanceof SottoError) {
    const code = CODES[reason.code];
    if (code !== undefined) return { code, message: reason.message };
  }
  throw reason;
}

const CODES: { readonly [code in SottoErrorCode]?: AbortCode } = {
  'invalid-encoding': 'malformed',
  'permission-denied': 'policy',
  unauthenticated: 'bad-certificate',
  'protocol-aborted': 'roster-size',
  // A roster of a size for which the sparse graph has no degree.
  unsupported: 'roster-size',
};
