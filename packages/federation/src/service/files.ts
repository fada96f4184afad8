/**
 * Small files that others read while they are written, and secrets that others must not read.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { SottoError } from '@sotto/core/errors';

/**
 * Makes a folder of one party: mode 0700; one that is there already is tightened to it.
 *
 * @throws SottoError `permission-denied` for a folder of many users (sticky, as /tmp), or one that is not ours to tighten
 */
export function makePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { mode } = statSync(directory);
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  const refuse = (cause?: unknown): SottoError =>
    new SottoError(
      'permission-denied',
      `${directory} is open to others (mode ${(mode & 0o7777).toString(8)}); choose a folder for this party alone, with mode 0700`,
      { cause },
    );
  if ((mode & 0o1000) !== 0) throw refuse();
  try {
    chmodSync(directory, 0o700);
  } catch (cause) {
    throw refuse(cause);
  }
}

/** Makes sure that a file is there and that only its owner may read and write it. */
export function makePrivateFile(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

/** Writes a file as a whole: a reader, and a crash, sees the old content or the new, never a part. */
export function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const scratch = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = openSync(scratch, 'wx', mode);
  try {
    const data = typeof content === 'string' ? Buffer.from(content) : content;
    for (let written = 0; written < data.length;) written += writeSync(handle, data, written);
    fsyncSync(handle);
    closeSync(handle);
    renameSync(scratch, file);
  } catch (reason) {
    rmSync(scratch, { force: true });
    throw reason;
  }
  syncDirectory(path.dirname(file));
}

/** Writes a secret with mode 0600, whatever the umask. */
export function writeSecretFile(file: string, content: string | Uint8Array): void {
  writeFileAtomic(file, content, 0o600);
  chmodSync(file, 0o600);
}

/** Refuses a secret that others may read; not on Windows, which has no such modes. */
export function checkSecretFile(file: string): void {
  const { mode } = statSync(file);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new SottoError(
      'permission-denied',
      `${file} may be read by others (mode ${(mode & 0o777).toString(8)}); run chmod 600 on it`,
    );
  }
}

/** `host:port` as it stands, or the content of the file that `file:PATH` names; throws `unavailable` while that is missing. */
export async function resolveAddress(reference: string, what: string): Promise<string> {
  if (!reference.startsWith('file:')) return reference;
  const file = reference.slice(5);
  try {
    const address = (await readFile(file, 'utf8')).trim();
    if (address.length > 0) return address;
  } catch (cause) {
    throw new SottoError('unavailable', `${file} with the address of ${what} is not there yet; start ${what} first`, { cause });
  }
  throw new SottoError('unavailable', `${file} with the address of ${what} is empty`);
}

function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
