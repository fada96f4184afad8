import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { utf8 } from '../../packages/core/src/bytes.ts';
import { nobleCrypto } from '../../packages/core/src/crypto-noble.ts';
import { parseTable } from '../../packages/federation/src/client/tabular-data.ts';
import { type TabularSpec, loadPlan } from '../../packages/federation/src/index.ts';

const spec: TabularSpec = {
  separator: ';',
  header: true,
  columnCount: 4,
  missing: '?',
  columns: [
    { kind: 'numeric', name: 'age', index: 0, centre: 50, scale: 10 },
    { kind: 'categorical', name: 'kind', index: 2, levels: [1, 2, 3] },
  ],
  label: { index: 3, positiveAbove: 1 },
  holdout: { fraction: 0.5, seed: 's' },
};
const parse = (text: string, change: Partial<TabularSpec> = {}): ReturnType<typeof parseTable> =>
  parseTable(nobleCrypto, utf8(text), { ...spec, ...change }, 'x.csv');

/** Everything in the training part, in order. */
const whole = { holdout: { fraction: 1e-12, seed: 's' } };

test('columns are standardised by public constants, categories one-hot without the first level', () => {
  const { training, heldOut } = parse('age;x;kind;y\n60;9;1;0\n40;?;2;1\r\n50;9;3;2\n\n', whole);
  expect(heldOut.count).toBe(0);
  expect([...training.features]).toEqual([1, 0, 0, -1, 1, 0, 0, 0, 1]);
  expect([...training.labels]).toEqual([0, 0, 1]);
});

test('rows that miss a used value or have an unknown level are dropped; an unused column does not matter', () => {
  const { training } = parse('h\n?;1;1;0\n60;?;1;0\n60;1;7;0\n60;1;?;0\n60;1;2;?\n'.replace('h\n', 'a;b;c;d\n'), whole);
  expect(training.count).toBe(1);
});

test('what is no number is refused with line and column, and without the value', () => {
  expect(() => parse('a;b;c;d\nsecret;1;1;0', whole)).toThrow('x.csv, line 2: age is neither a number nor "?"');
  expect(() => parse('a;b;c;d\nsecret;1;1;0', whole)).not.toThrow('secret');
  expect(() => parse('a;b;c;d\n;1;1;0', whole)).toThrow('line 2');
  expect(() => parse('a;b;c;d\n1;2', whole)).toThrow('x.csv has 2 fields in line 2; the plan says 4');
});

test('a row’s part depends on the seed and its own line only', () => {
  const rows = Array.from({ length: 400 }, (_, i) => `${i};1;1;0`);
  const heldOutOf = (lines: readonly string[], seed = 's'): number[] => {
    const { heldOut } = parse(['a;b;c;d', ...lines].join('\n'), { holdout: { fraction: 0.34, seed } });
    return Array.from({ length: heldOut.count }, (_, i) => Math.round((heldOut.features[3 * i] ?? 0) * 10 + 50));
  };
  const before = heldOutOf(rows);
  expect(before.length).toBeGreaterThan(100);
  expect(before.length).toBeLessThan(172);
  // Rows 0 to 199 are where they were, whatever else is in the file, even where a row becomes unusable.
  const changed = heldOutOf([...rows.slice(0, 100), '?;1;1;0', ...rows.slice(101, 200)]);
  expect(changed).toEqual(before.filter((row) => row < 200 && row !== 100));
  expect(heldOutOf(rows, 'other')).not.toEqual(before);
  // Recomputed by hand: SHA-256, first four bytes, against the fraction.
  const coin = (line: number): boolean =>
    createHash('sha256').update(`sotto holdout/1\ns\n${line}`).digest().readUInt32BE(0) < 0.34 * 2 ** 32;
  expect(before).toEqual(rows.map((_, i) => i).filter((i) => coin(i + 1)));
});

test('the four hospitals give 740 complete records with 13 features', async () => {
  const root = path.join(import.meta.dirname, '../../examples');
  const { data } = await loadPlan(path.join(root, 'heart-disease/plan.yaml'));
  const counts = ['cleveland', 'hungarian', 'switzerland', 'va'].map((name) => {
    const file = `processed.${name}.data`;
    const { training, heldOut } = parseTable(nobleCrypto, readFileSync(path.join(root, 'data/heart-disease', file)), data, file);
    expect(training.features.length).toBe(13 * training.count);
    return training.count + heldOut.count;
  });
  expect(counts).toEqual([303, 261, 46, 130]);
  expect(counts.reduce((sum, count) => sum + count)).toBe(740);
});
