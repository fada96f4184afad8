/**
 * Windows of characters from the speeches of a play: a line that ends in a colon names the speaker, an empty line ends the speech.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SottoError } from '@sotto/core/errors';

/** The text as its publisher gives it, public domain. */
const SOURCE = {
  url: 'https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt',
  sha256: '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed',
  file: 'tinyshakespeare/input.txt',
};

/** Line feed and the printable characters of ASCII: a public constant, not the characters that the private text happens to hold. */
export const VOCABULARY = `\n${Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')}`;

/** Windows of characters and whose they are. */
export interface Windows {
  readonly count: number;
  /** Ids of the characters of each window, `[count, length]`. */
  readonly inputs: Float32Array;
  /** Ids of the characters that follow each of them, `[count, length]`. */
  readonly targets: Float32Array;
  /** The speaker of each window. */
  readonly speakers: readonly string[];
}

/**
 * The text of a file, or else of the folder that the environment variable `SOTTO_DATA` names, or else of its publisher, whose copy is checked by SHA-256.
 */
export async function loadPlays(file?: string): Promise<string> {
  const folder = process.env['SOTTO_DATA'];
  if (file !== undefined) return read(file);
  const text = folder === undefined ? await download() : read(path.join(folder, SOURCE.file));
  const hash = createHash('sha256').update(text).digest('hex');
  if (hash !== SOURCE.sha256)
    throw new SottoError(
      'integrity',
      `the text has the SHA-256 ${hash}, not the published one; pass --data FILE for another text`,
    );
  return text;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SottoError('not-found', `${file} cannot be read; pass --data FILE with a text`, { cause });
  }
}

async function download(): Promise<string> {
  let response: Response;
  try {
    response = await fetch(SOURCE.url);
  } catch (cause) {
    throw new SottoError('not-found', 'the text cannot be downloaded; pass --data FILE, or name its folder in SOTTO_DATA', {
      cause,
    });
  }
  if (!response.ok)
    throw new SottoError(
      'not-found',
      `the text's source answers ${response.status}; pass --data FILE, or name its folder in SOTTO_DATA`,
    );
  return response.text();
}

/** Cuts speeches into windows that do not overlap; what is too short for one is left out. */
export function cutWindows(text: string, length: number): Windows {
  const ids = new Map(Array.from(VOCABULARY, (character, id) => [character, id]));
  const inputs: number[] = [];
  const targets: number[] = [];
  const speakers: string[] = [];
  for (const block of text.split(/\n\n+/)) {
    const match = /^([^\n]+):\n([\s\S]+)$/.exec(block);
    if (match === null) continue;
    const [, speaker, speech] = match as unknown as [string, string, string];
    const codes = Array.from(`${speech}\n`, (character) => ids.get(character) ?? ids.get(' ')!);
    for (let at = 0; at + length < codes.length; at += length) {
      inputs.push(...codes.slice(at, at + length));
      targets.push(...codes.slice(at + 1, at + length + 1));
      speakers.push(speaker);
    }
  }
  return { count: speakers.length, inputs: Float32Array.from(inputs), targets: Float32Array.from(targets), speakers };
}
