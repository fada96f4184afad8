/**
 * Evidence of a reservation: the entry, its place, the proof, and the owner's signed checkpoint. A hospital makes it, the
 * coordinator checks it before it takes a masked input, and embeds it in what it publishes.
 *
 * @module
 */
import { fromBase64, fromUtf8, toBase64, utf8 } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { canonicalJsonBytes, parseCanonicalJson } from '@sotto/core/json';
import { type Checkpoint, type LogKey, openCheckpoint } from '../log/checkpoint.ts';
import { encodeLogProof } from '../log/proof-file.ts';
import { leafHash } from '../merkle/hash.ts';
import { verifyInclusion } from '../merkle/verify.ts';
import { decodeEvidence, encodeEntry, evidenceToJson } from './codec.ts';
import type { ReservationEvidence } from './entry.ts';
import type { Ledger } from './ledger.ts';

/** What a reservation must be about. */
export interface EvidenceExpectation {
  readonly runId: string;
  readonly round: number;
  readonly planHash: string;
}

/**
 * Proves that entry `index` of a ledger is a reservation, under the ledger's present state.
 *
 * @param seed the owner's ledger key; all entries must be durable already
 */
export function reservationEvidence(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519PublicKey' | 'ed25519Sign'>,
  ledger: Ledger,
  index: number,
  seed: Uint8Array,
): ReservationEvidence {
  const reserve = ledger.entry(index);
  if (reserve.kind !== 'reserve')
    throw new SottoError('invalid-argument', `entry ${index} is "${reserve.kind}", not a reservation`);
  return {
    reserve,
    index,
    proof: ledger.log.inclusionProof(index).map(toBase64),
    checkpoint: fromUtf8(ledger.log.checkpoint(crypto, seed)),
  };
}

/**
 * Verifies a reservation: the checkpoint is signed by the owner's ledger key, the entry is in the ledger that it states,
 * and it is about what is expected.
 *
 * @param key origin and ledger key of the owner, from its certificate
 * @returns the owner's checkpoint
 * @throws SottoError `integrity` or `invalid-encoding`
 */
export function verifyEvidence(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519Verify'>,
  evidence: ReservationEvidence,
  key: LogKey,
  expected: EvidenceExpectation,
): Checkpoint {
  const { reserve, index } = evidence;
  if (reserve.runId !== expected.runId || reserve.round !== expected.round || reserve.planHash !== expected.planHash) {
    throw new SottoError('integrity', `the reservation of ${key.origin} is for another run, round or plan`);
  }
  const checkpoint = openCheckpoint(crypto, utf8(evidence.checkpoint), key);
  const included = verifyInclusion(crypto, {
    leafHash: leafHash(crypto, encodeEntry(reserve)),
    index,
    size: checkpoint.size,
    root: checkpoint.root,
    proof: evidence.proof.map(fromBase64),
  });
  if (!included) {
    throw new SottoError(
      'integrity',
      `the inclusion proof of reservation ${index} of ${key.origin} does not verify under its checkpoint`,
    );
  }
  return checkpoint;
}

/** Evidence on the wire: canonical JSON. */
export function encodeEvidence(evidence: ReservationEvidence): Uint8Array {
  return canonicalJsonBytes(evidenceToJson(evidence));
}

/** The inverse of {@link encodeEvidence}; throws `invalid-encoding`. */
export function parseEvidence(wire: Uint8Array): ReservationEvidence {
  return decodeEvidence(parseCanonicalJson(fromUtf8(wire), 'the reservation evidence'));
}

/** Evidence as a proof file (C2SP tlog-proof) that other tools read; its `extra` is the reserve entry's leaf. */
export function evidenceToLogProof(evidence: ReservationEvidence): Uint8Array {
  return encodeLogProof({
    index: evidence.index,
    proof: evidence.proof.map(fromBase64),
    checkpoint: utf8(evidence.checkpoint),
    extra: encodeEntry(evidence.reserve),
  });
}
