import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cutWindows, loadPlays } from '../../examples/char-transformer/text.ts';
import { trainTransformer } from '../../examples/char-transformer/train.ts';
import { privateMeanAge, trainUntil } from '../../examples/custom-loop/train.ts';
import { trainDigits } from '../../examples/mnist/train.ts';
import { trainTabular } from '../../examples/tabular/train.ts';

// The examples draw from the platform's CSPRNG. Every bound below is many standard deviations from what they reach, and far from what no training reaches.

test('digits: a short training with little privacy reads most held-out digits', async () => {
  const { accuracy, steps, training } = await trainDigits({ epsilon: 50, epochs: 6, batch: 100, trainingImages: 2000 });
  expect(steps).toBe(120);
  // One in ten is a guess.
  expect(accuracy).toBeGreaterThan(0.6);
  const { upper } = training.privacySpent(1e-5);
  expect(upper).toBeLessThanOrEqual(50);
  expect(upper).toBeGreaterThan(45);
}, 240_000);

test('tabular: twenty epochs at epsilon 1 beat the majority class', async () => {
  const seen: number[] = [];
  const callbacks = { onEpochEnd: (epoch: number) => void seen.push(epoch) };
  const { accuracy, training } = await trainTabular(1, 20, { callbacks });
  expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(accuracy).toBeGreaterThan(0.65);
  expect(training.privacySpent(1e-3).upper).toBeLessThanOrEqual(1);
  expect(training.privacyStatement(1e-3)).toMatch(/for each record/);
}, 240_000);

const prose = readFileSync(path.join(import.meta.dirname, '../../docs/accounting.md'), 'utf8')
  .split(/\n+/)
  .filter((line) => line.length > 60)
  .map((line, i) => `Speaker ${i % 7}:\n${line}`)
  .join('\n\n');

test('transformer: two epochs on the prose of this repository lower the loss of a character', async () => {
  const { before, after } = await trainTransformer(prose, {
    sizes: { length: 16, width: 16, heads: 2, blocks: 1 },
    windows: 400,
    batch: 40,
    epochs: 2,
    epsilon: 50,
  });
  expect(before).toBeGreaterThan(4);
  expect(after).toBeLessThan(before - 0.4);
}, 240_000);

test('windows: a window never crosses a speech, targets are the following characters, speakers are kept', async () => {
  const { count, inputs, targets, speakers } = cutWindows('FIRST:\nabcdef\n\nSECOND:\nghi\n\nno speech\n\nTHIRD:\nxyz', 3);
  const text = (ids: Float32Array) => [...ids].map((id) => (id === 0 ? '\n' : String.fromCharCode(31 + id))).join('');
  expect(count).toBe(4);
  expect(text(inputs)).toBe('abcdefghixyz');
  expect(text(targets)).toBe('bcdef\nhi\nyz\n');
  expect(speakers).toEqual(['FIRST', 'FIRST', 'SECOND', 'THIRD']);
  await expect(loadPlays(path.join(import.meta.dirname, 'no-such-file'))).rejects.toThrow(/no-such-file/);
});

test('custom loop: stops when it is good enough and tells the cost of what it planned; the mechanism alone gives the mean', async () => {
  const all = await trainUntil(2, 10);
  expect(all.steps).toBe(10);
  expect(all.epsilon).toBeLessThanOrEqual(2);
  const few = await trainUntil(0, 10);
  expect(few.steps).toBe(1);
  // Who stops in view of results has chosen the number of steps: the plan's figure holds.
  expect(few.epsilon).toBeCloseTo(all.epsilon, 6);
  // 303 patients of 54.4 years on average, divided by 300; the noise's standard deviation is a third of a year.
  const { age, epsilon } = privateMeanAge(5);
  expect(Math.abs(age - 54.4)).toBeLessThan(3);
  expect(epsilon).toBeGreaterThan(0.4);
  expect(epsilon).toBeLessThan(0.5);
}, 240_000);
