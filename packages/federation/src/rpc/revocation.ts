/**
 * Revocation by serial. The authority gives the two certificates of one enrolment the same serial; X.509 needs a positive
 * integer, so the first byte of its form is 01 (see `issueLeaf`).
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/**
 * Refuses a TLS certificate whose enrolment is revoked, with `unauthenticated`.
 *
 * @param revoked serials of enrolments: 32 lower-case hex digits each
 * @param serialNumber the X.509 serial in hex, as Node gives it
 */
export function checkNotRevoked(revoked: readonly string[], serialNumber: string, who: string): void {
  const shown = bodyOf(serialNumber.toLowerCase().padStart(32, '0'));
  if (revoked.some((serial) => bodyOf(serial) === shown)) {
    throw new SottoError('unauthenticated', `the certificate of ${who} is revoked; ask the authority for a new join token`);
  }
}

/** The 15 bytes that both forms share. */
function bodyOf(serial: string): string {
  return serial.slice(2);
}
