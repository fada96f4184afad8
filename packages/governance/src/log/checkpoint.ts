/**
 * Checkpoints of a log (C2SP tlog-checkpoint v1.0.0): origin, size and root as a signed note whose key name is the
 * origin. Sotto's origin is `<trust domain>/<party id>`.
 *
 * @module
 */
import { fromBase64, toBase64 } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { HASH_LENGTH } from '../merkle/hash.ts';
import { isNoteName, openNote, signNote } from './note.ts';

/** What a log states about itself. */
export interface Checkpoint {
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** RFC 6962 root over them (32 bytes). */
  readonly root: Uint8Array;
}

/** The key under which a log's checkpoints are accepted. */
export interface LogKey {
  readonly origin: string;
  /** Ed25519 public key (32 bytes). */
  readonly publicKey: Uint8Array;
}

/** The origin of a party's log. */
export function logOrigin(trustDomain: string, party: string): string {
  const origin = `${check.text('trustDomain', trustDomain, 255)}/${check.partyId('party', party)}`;
  if (!isNoteName(origin))
    throw new SottoError('invalid-argument', `trustDomain is "${trustDomain}"; it must hold no space and no plus sign`);
  return origin;
}

/** The text that is signed. */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  check.text('origin', checkpoint.origin);
  check.integer('size', checkpoint.size, 0);
  check.bytes('root', checkpoint.root, HASH_LENGTH);
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/** The inverse of {@link encodeCheckpoint}; extension lines, which the specification advises against, are refused. */
export function decodeCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin, size, root] = lines;
  if (lines.length !== 4 || lines[3] !== '' || origin === undefined || size === undefined || root === undefined) {
    throw new SottoError('invalid-encoding', 'checkpoint is not the three lines origin, size and root');
  }
  if (origin === '' || !/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new SottoError('invalid-encoding', 'checkpoint has an empty origin or a size that is no decimal integer');
  }
  const hash = fromBase64(root);
  if (hash.length !== HASH_LENGTH) throw new SottoError('invalid-encoding', 'checkpoint has a root that is not 32 bytes');
  return { origin, size: Number(size), root: hash };
}

/** The signed checkpoint, as a note. */
export function signCheckpoint(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519PublicKey' | 'ed25519Sign'>,
  checkpoint: Checkpoint,
  seed: Uint8Array,
): Uint8Array {
  return signNote(crypto, encodeCheckpoint(checkpoint), [{ name: checkpoint.origin, seed }]);
}

/** Verifies a signed checkpoint of one log; throws `integrity` or `invalid-encoding`. */
export function openCheckpoint(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519Verify'>,
  note: Uint8Array,
  key: LogKey,
): Checkpoint {
  const { text } = openNote(crypto, note, [{ name: key.origin, publicKey: key.publicKey }]);
  const checkpoint = decodeCheckpoint(text);
  if (checkpoint.origin !== key.origin) {
    throw new SottoError('integrity', `the checkpoint is of the log ${checkpoint.origin}, not of ${key.origin}`);
  }
  return checkpoint;
}
