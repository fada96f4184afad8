/**
 * Reading the cases of `sotto epsilon`, `delta`, `calibrate`, `curve` and `compare`.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';

/** One case as it was written: an object, with the line or position it came from for messages. */
export interface RawCase {
  readonly id: string | number;
  /** The parsed object, or the reason why the line is none. */
  readonly value: Readonly<Record<string, unknown>> | SottoError;
}

/** Reads a file, or standard input for "-". */
export async function readText(file: string): Promise<string> {
  if (file === '-') return await readStream(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw fileError(file, error);
  }
}

/** A file system error as one line with its cure. */
export function fileError(file: string, error: unknown): SottoError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new SottoError('not-found', `${file} does not exist; check the path`, { cause: error });
  if (code === 'EISDIR') return new SottoError('invalid-argument', `${file} is a folder; name a file`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM') {
    return new SottoError('permission-denied', `${file} may not be read or written by this user; change its permissions`, {
      cause: error,
    });
  }
  return SottoError.from(error, 'unavailable');
}

/** Parses one JSON document; a message names the file. */
export function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SottoError('invalid-encoding', `${nameOf(file)} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/**
 * Splits a text into cases: one object, an array of objects, or JSON lines (one object per line, empty lines ignored).
 * A bad line is a case that fails; the others go on.
 */
export function parseCases(file: string, text: string): readonly RawCase[] {
  const trimmed = text.trim();
  if (trimmed === '')
    throw new SottoError(
      'invalid-encoding',
      `${nameOf(file)} is empty; write one case per line, such as {"event": {"type": "gaussian", "noiseMultiplier": 2}, "delta": 1e-5}`,
    );
  let whole: unknown;
  try {
    whole = JSON.parse(trimmed);
  } catch (error) {
    // Several lines that each begin an object are JSON lines; anything else is a broken document.
    if (!/\n\s*[{[]/.test(trimmed)) {
      throw new SottoError('invalid-encoding', `${nameOf(file)} is not JSON: ${(error as Error).message}`, { cause: error });
    }
    return trimmed.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, i + 1)]));
  }
  return (Array.isArray(whole) ? (whole as unknown[]) : [whole]).map((value, i) => rawCase(value, i + 1));
}

function parseLine(line: string, number: number): RawCase {
  try {
    return rawCase(JSON.parse(line), number);
  } catch (error) {
    return { id: number, value: new SottoError('invalid-encoding', `line ${number} is not JSON: ${(error as Error).message}`) };
  }
}

function rawCase(value: unknown, position: number): RawCase {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      id: position,
      value: new SottoError('invalid-encoding', `case ${position} is ${show(value)}; it must be an object with an event`),
    };
  }
  const { id } = value as { id?: unknown };
  return {
    id: typeof id === 'string' || typeof id === 'number' ? id : position,
    value: value as Readonly<Record<string, unknown>>,
  };
}

/** JSON in which ±∞ is a string. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_key, member: unknown) => (member === Infinity ? 'Infinity' : member === -Infinity ? '-Infinity' : member),
    indent,
  );
}
