/**
 * A client as witness: it remembers the last checkpoint of a log that it accepted, and accepts the next only with the
 * proof that the log has grown from there. A log that was rewound or forked is refused.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { verifyConsistency } from '../merkle/verify.ts';
import { type Checkpoint, type LogKey, openCheckpoint } from './checkpoint.ts';

/**
 * Verifies the next checkpoint of a log.
 *
 * @param remembered the last one accepted; `undefined` for the first meeting, when there is nothing to compare
 * @param proof consistency proof from the remembered size to the new one
 * @throws SottoError `integrity` if the signature fails, or the log shrank, or it does not contain what was seen
 */
export function acceptCheckpoint(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519Verify'>,
  key: LogKey,
  remembered: Pick<Checkpoint, 'size' | 'root'> | undefined,
  note: Uint8Array,
  proof: readonly Uint8Array[],
): Checkpoint {
  const next = openCheckpoint(crypto, note, key);
  if (remembered === undefined) return next;
  if (next.size < remembered.size) {
    throw new SottoError(
      'integrity',
      `the log ${key.origin} was rewound: it has ${next.size} entries, ${remembered.size} were seen before; ` +
        'do not take part until its operator has explained it',
    );
  }
  const consistent = verifyConsistency(crypto, {
    fromSize: remembered.size,
    fromRoot: remembered.root,
    toSize: next.size,
    toRoot: next.root,
    proof,
  });
  if (!consistent) {
    throw new SottoError(
      'integrity',
      `the log ${key.origin} does not contain the ${remembered.size} entries that were seen before: it was forked or the proof is wrong`,
    );
  }
  return next;
}
