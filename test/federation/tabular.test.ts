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

test('a record’s part depends on the seed and its own fields only: removing one moves no other', () => {
  const rows = Array.from({ length: 400 }, (_, i) => `${i};1;1;0`);
  const partsOf = (lines: readonly string[], seed = 's'): { held: number[]; trained: number[] } => {
    const parts = parse(['a;b;c;d', ...lines].join('\n'), { holdout: { fraction: 0.34, seed } });
    const ids = ({ count, features }: typeof parts.training): number[] =>
      Array.from({ length: count }, (_, i) => Math.round((features[3 * i] ?? 0) * 10 + 50));
    return { held: ids(parts.heldOut), trained: ids(parts.training) };
  };
  const { held, trained } = partsOf(rows);
  expect(held.length).toBeGreaterThan(100);
  expect(held.length).toBeLessThan(172);
  for (const removed of [0, 1, 57, 199, 399]) {
    const without = partsOf(rows.filter((_, i) => i !== removed));
    expect(without.held).toEqual(held.filter((row) => row !== removed));
    expect(without.trained).toEqual(trained.filter((row) => row !== removed));
  }
  const shuffled = partsOf([...rows].reverse());
  expect(shuffled.held.sort((a, b) => a - b)).toEqual(held);
  expect(partsOf(rows, 'other').held).not.toEqual(held);
  // Recomputed by hand: SHA-256 of the canonical encoding, first four bytes, against the fraction.
  const text = (value: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(value));
    return Buffer.concat([length, Buffer.from(value)]);
  };
  const coin = (row: string): boolean => {
    const hash = createHash('sha256')
      .update(text('sotto holdout/2'))
      .update(text('s'))
      .update(Buffer.of(0, 0, 0, 4));
    for (const field of row.split(';')) hash.update(text(field));
    return hash.digest().readUInt32BE(0) < 0.34 * 2 ** 32;
  };
  expect(held).toEqual(rows.map((_, i) => i).filter((i) => coin(rows[i]!)));
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
