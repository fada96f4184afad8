/**
 * Proofs that stand by themselves (C2SP tlog-proof v1): an entry's index, its inclusion proof and the signed checkpoint, as
 * one text. The file extension is `.tlog-proof`.
 *
 * @module
 */
import { equalBytes, fromBase64, fromUtf8, toBase64, utf8 } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { HASH_LENGTH, leafHash } from '../merkle/hash.ts';
import { verifyInclusion } from '../merkle/verify.ts';
import { type Checkpoint, type LogKey, openCheckpoint } from './checkpoint.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
/** More than a tree of 2⁵³ leaves needs. */
const MAX_HASHES = 64;

/** What a proof file holds. */
export interface LogProof {
  readonly index: number;
  /** Inclusion proof, leaf side first. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint. */
  readonly checkpoint: Uint8Array;
  /** Opaque and not signed by itself; Sotto puts the entry here, which the proof then binds. */
  readonly extra?: Uint8Array;
}

/** Writes a proof file. */
export function encodeLogProof(proof: LogProof): Uint8Array {
  check.integer('index', proof.index, 0);
  const extra = proof.extra === undefined ? [] : [`extra ${toBase64(proof.extra)}`];
  const lines = [HEADER, ...extra, `index ${proof.index}`, ...proof.proof.map(toBase64), '', fromUtf8(proof.checkpoint)];
  return utf8(lines.join('\n'));
}

/** The inverse of {@link encodeLogProof}; verifies nothing. Throws `invalid-encoding`. */
export function decodeLogProof(file: Uint8Array): LogProof {
  const fault = (reason: string): SottoError => new SottoError('invalid-encoding', `the proof file ${reason}`);
  const text = fromUtf8(file);
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw fault('has no blank line before its checkpoint');
  const lines = text.slice(0, blank).split('\n');
  if (lines.shift() !== HEADER) throw fault(`does not begin with "${HEADER}"`);
  const extra = lines[0]?.startsWith('extra ') === true ? fromBase64(lines.shift()!.slice(6)) : undefined;
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index))) throw fault('has no index');
  if (lines.length > MAX_HASHES) throw fault(`has more than ${MAX_HASHES} hashes`);
  const proof = lines.map(fromBase64);
  if (proof.some((hash) => hash.length !== HASH_LENGTH)) throw fault('has a hash that is not 32 bytes');
  const decoded: LogProof = {
    index: Number(index),
    proof,
    checkpoint: utf8(text.slice(blank + 2)),
    ...(extra === undefined ? {} : { extra }),
  };
  if (!equalBytes(encodeLogProof(decoded), file)) throw fault('is not in its canonical form');
  return decoded;
}

/**
 * Verifies that an entry is in a log.
 *
 * @param entry the leaf's bytes
 * @returns the checkpoint under which it is
 * @throws SottoError `invalid-encoding` or `integrity`
 */
export function verifyLogProof(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519Verify'>,
  file: Uint8Array,
  entry: Uint8Array,
  key: LogKey,
): Checkpoint {
  const { index, proof, checkpoint } = decodeLogProof(file);
  const opened = openCheckpoint(crypto, checkpoint, key);
  const { size, root } = opened;
  if (!verifyInclusion(crypto, { leafHash: leafHash(crypto, entry), index, size, root, proof })) {
    throw new SottoError('integrity', `the entry is not at index ${index} of the log ${key.origin}`);
  }
  return opened;
}
