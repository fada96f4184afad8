/**
 * What the examples have in common on a terminal: errors in one line, long sentences wrapped, and no advice about TensorFlow.js's own backends, since it is
 * not what trains here.
 */
import { SottoError } from '@sotto/core/errors';
import { env } from '@tensorflow/tfjs-core';

const WIDTH = 100;

/** Runs a program: what it cannot do is told in one line, with exit status 1. */
export async function runExample(main: () => Promise<void>): Promise<void> {
  env().set('PROD', true);
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Writes lines to stdout. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** A text of several facts, one a line, as a list of wrapped paragraphs. */
export function facts(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      let at = 2;
      const words = line.split(' ').map((word) => {
        const breaks = at + word.length > WIDTH;
        at = (breaks ? 2 : at) + word.length + 1;
        return `${breaks ? '\n  ' : ' '}${word}`;
      });
      return `•${words.join('')}`;
    })
    .join('\n');
}

/** A number option of a command line, or undefined where it is not given. Throws `invalid-argument` for anything else. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new SottoError('invalid-argument', `--${name} is ${JSON.stringify(text)}; it must be a number`);
}
