/** Every check of the protocol has a mutant that takes it out: the sources are searched for what refuses. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutants } from './mutants.ts';

const SOURCES = new URL('../../packages/secagg/src/', import.meta.url);

/** Checks without a mutant, by the text of their condition, with the reason. */
const EXEMPT: Readonly<Record<string, string>> = {
  'client/input.ts if (made === undefined)': 'the roster was checked: the modulus check comes first',
  'client/share.ts if (channel === undefined)': 'the roster was checked: the modulus check comes first',
  'client/share.ts if (kem === undefined)': 'the roster was checked: the modulus check comes first',
  'client/share.ts if (agreed === undefined)': 'the roster was checked: canonical, not of low order',
  'server/recovery.ts if (agreed === undefined)': 'adverts were checked: canonical, not of low order',
  'server/recovery.ts if (ciphertext === undefined)': 'the form of each box was checked when it came',
};

/** Refusals of what the caller, not a peer, did wrong. */
const CALLER = new Set(['invalid-argument', 'conflict', 'internal', 'cancelled']);

interface Check {
  readonly file: string;
  readonly condition: string;
  readonly start: number;
  readonly end: number;
}

function checksOf(file: string): readonly Check[] {
  const source = readFileSync(new URL(file, SOURCES), 'utf8');
  return [...source.matchAll(/throw new (?:RoundAbort|SottoError)\(\s*'([a-z-]+)'|\brefuse\(|throw broken\(/g)].flatMap(
    (match): Check[] => {
      if (match[1] !== undefined && CALLER.has(match[1])) return [];
      // The statement that decides about it begins at the last "if (" before it, in the same function.
      const start = source.lastIndexOf('if (', match.index);
      const body = source.lastIndexOf('\nfunction ', match.index);
      const exported = source.lastIndexOf('\nexport function ', match.index);
      if (start < Math.max(body, exported)) return [];
      const condition = source
        .slice(start, match.index)
        .replace(/\s+/g, ' ')
        .replace(/ \{.*$/, '')
        .trim();
      return [{ file, condition, start, end: match.index + match[0].length }];
    },
  );
}

const files = (readdirSync(SOURCES, { recursive: true }) as string[])
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !/^(noise|node)\//.test(file));

describe('the mutants', () => {
  it('take out every check of the sources', () => {
    const missing = files.flatMap((file) => {
      const source = readFileSync(new URL(file, SOURCES), 'utf8');
      const touched = mutants
        .filter((mutant) => mutant.harmless !== true)
        .flatMap((mutant) => mutant.edits)
        .filter((edit) => edit.file === file)
        .map((edit) => ({ from: source.indexOf(edit.find), to: source.indexOf(edit.find) + edit.find.length }));
      return checksOf(file)
        .filter(({ start, end }) => !touched.some(({ from, to }) => from < end && to > start))
        .map(({ condition }) => `${file} ${condition}`)
        .filter((name) => EXEMPT[name] === undefined);
    });
    expect(missing).toEqual([]);
  });

  it('are many enough for the search to mean something', () => {
    expect(files.flatMap(checksOf).length).toBeGreaterThan(80);
    for (const name of Object.keys(EXEMPT)) {
      const [file, ...condition] = name.split(' ');
      expect(
        checksOf(file!).some((check) => check.condition === condition.join(' ')),
        name,
      ).toBe(true);
    }
  });
});
