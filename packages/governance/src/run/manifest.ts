/**
 * The manifest of an export: a note, signed with the coordinator's ledger key, that lists the SHA-256 of every other
 * file. Lines: format, origin of the coordinator's log, run id, then `<sha-256>  <path>` in byte order of the paths.
 *
 * @module
 */
import { compareIds, toHex } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import type { LogKey } from '../log/checkpoint.ts';
import { openNote, parseNote, signNote } from '../log/note.ts';
import type { Sha256 } from '../merkle/hash.ts';
import { exportPaths } from './files.ts';

const FORMAT = 'sotto manifest/1';

/** What a manifest states. */
export interface Manifest {
  readonly origin: string;
  readonly runId: string;
  /** SHA-256 (hex) by path. */
  readonly hashes: ReadonlyMap<string, string>;
}

function manifestText(manifest: Manifest): string {
  const lines = [...manifest.hashes].toSorted(([a], [b]) => compareIds(a, b)).map(([path, hash]) => `${hash}  ${path}`);
  return [FORMAT, manifest.origin, manifest.runId, ...lines, ''].join('\n');
}

/** Lists and signs all files but the manifest itself. */
export function signManifest(
  crypto: Pick<CryptoProvider, 'sha256' | 'ed25519PublicKey' | 'ed25519Sign'>,
  about: { readonly origin: string; readonly runId: string; readonly files: ReadonlyMap<string, Uint8Array> },
  seed: Uint8Array,
): Uint8Array {
  const hashes = hashFiles(crypto, about.files);
  const text = manifestText({ origin: about.origin, runId: about.runId, hashes });
  return signNote(crypto, text, [{ name: about.origin, seed }]);
}

/** SHA-256 of every file but the manifest. */
export function hashFiles(crypto: Sha256, files: ReadonlyMap<string, Uint8Array>): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const [path, bytes] of files) {
    if (path !== exportPaths.manifest) hashes.set(path, toHex(crypto.sha256(bytes)));
  }
  return hashes;
}

/** Reads a manifest without verifying its signature; throws `invalid-encoding`. */
export function parseManifest(note: Uint8Array): Manifest {
  const { text, signatures } = parseNote(note);
  const lines = text.slice(0, -1).split('\n');
  const [format, origin, runId, ...rest] = lines;
  if (format !== FORMAT || origin === undefined || runId === undefined || signatures.length !== 1) {
    throw new SottoError('invalid-encoding', `the manifest is not a note of "${FORMAT}" with one signature`);
  }
  const hashes = new Map<string, string>();
  for (const line of rest) {
    const match = /^([0-9a-f]{64}) {2}([^\s\\]+)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined)
      throw new SottoError('invalid-encoding', 'the manifest has a malformed line');
    hashes.set(match[2], match[1]);
  }
  const manifest = { origin, runId, hashes };
  if (manifestText(manifest) !== text) throw new SottoError('invalid-encoding', 'the manifest is not in its canonical form');
  return manifest;
}

/** Verifies a manifest; throws `integrity` or `invalid-encoding`. */
export function openManifest(crypto: Pick<CryptoProvider, 'sha256' | 'ed25519Verify'>, note: Uint8Array, key: LogKey): Manifest {
  const manifest = parseManifest(note);
  openNote(crypto, note, [{ name: key.origin, publicKey: key.publicKey }]);
  if (manifest.origin !== key.origin)
    throw new SottoError('integrity', `the manifest is of ${manifest.origin}, not of ${key.origin}`);
  return manifest;
}
