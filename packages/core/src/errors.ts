/**
 * The one error class of Sotto.
 *
 * Codes are a closed set so that callers can branch on them and the gRPC shell can map them in both directions.
 * A message names the argument, its value, the limit and the cure; it never contains key material, masks, shares or
 * records.
 *
 * @module
 */

/** Every reason for which Sotto refuses or fails. */
export type SottoErrorCode =
  /** A caller passed a value outside its documented range. */
  | 'invalid-argument'
  /** A configuration or plan file has an unknown key, a missing key or a value out of range. */
  | 'invalid-config'
  /** Bytes or text do not decode: wrong length, trailing bytes, non-canonical form, unknown version. */
  | 'invalid-encoding'
  /** The request is well formed, but this build has no method for it (an event, a layer, an engine). */
  | 'unsupported'
  /** A file, party, round or entry does not exist. */
  | 'not-found'
  /** A peer or a service cannot be reached. */
  | 'unavailable'
  /** A deadline passed. */
  | 'deadline-exceeded'
  /** The caller is known, but its role or the site policy forbids the request. */
  | 'permission-denied'
  /** The caller is not known: no certificate, an expired or a forged one, a used token. */
  | 'unauthenticated'
  /** A privacy budget does not cover the request. */
  | 'budget-exhausted'
  /** A peer broke the protocol; the round is given up on this side. */
  | 'protocol-violation'
  /** A round ended without a result, with nobody to blame (too few survivors, a deadline). */
  | 'protocol-aborted'
  /** A signature, hash, proof or recomputed figure does not match. */
  | 'integrity'
  /** The state changed in the meantime, or the same thing was done twice. */
  | 'conflict'
  /** Two methods contradict each other beyond their stated error, or a search has no answer. */
  | 'numeric'
  /** The operation was interrupted by its caller. */
  | 'cancelled'
  /** A defect of Sotto itself. */
  | 'internal';

/** The error that every Sotto function throws, directly or as a rejected promise. */
export class SottoError extends Error {
  override readonly name = 'SottoError';
  readonly code: SottoErrorCode;
  /** Facts for programs, such as the accounts that are exhausted. Never secret. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: SottoErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** Returns `reason` if it is a {@link SottoError} already, else wraps it with the given code. */
  static from(reason: unknown, code: SottoErrorCode = 'internal'): SottoError {
    if (reason instanceof SottoError) return reason;
    const message = reason instanceof Error ? reason.message : String(reason);
    return new SottoError(code, message, { cause: reason });
  }
}
