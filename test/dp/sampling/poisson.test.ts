import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { describe, expect, it } from 'vitest';
import { BitSource } from '../../../packages/dp/src/noise/bit-source.ts';
import { poissonSample } from '../../../packages/dp/src/sampling/poisson.ts';
import { scriptedWords } from '../support/scripted-random.ts';

/** Words whose bytes, in memory, are these. */
const wordsOf = (...bytes: number[]): number[] => [...new Uint32Array(Uint8Array.from(bytes).buffer)];
/** With a pool of one word, so that words are drawn as they are asked for. */
const sample = (population: number, rate: number, words: readonly number[]): number[] => [
  ...poissonSample(population, rate, new BitSource(scriptedWords(words), 1)),
];

describe('a Poisson sample', () => {
  it('is decided by the first byte, and by further digits exactly where it is the rate’s', () => {
    // 0.75/256 + 5/256: the first digit is 5, the rest 0.75.
    const rate = 5.75 / 256;
    const first = wordsOf(4, 5, 6, 5);
    expect(sample(4, rate, [...first, 0.75 * 2 ** 32 - 1, 0.75 * 2 ** 32])).toEqual([0, 1]);
    expect(sample(4, rate, [...first, 0.75 * 2 ** 32, 0])).toEqual([0, 3]);
    // Without a rest nothing more is drawn.
    expect(sample(4, 5 / 256, first)).toEqual([0]);
    // Digits of a tiny rate: 0, then 0, then a half.
    expect(sample(4, 2 ** -41, [...wordsOf(0, 1, 0, 255), 0, 2 ** 31, 0, 2 ** 31 - 1])).toEqual([2]);
  });

  it('is empty at 0 and everything at 1, and draws nothing there', () => {
    expect(sample(5, 0, [])).toEqual([]);
    expect(sample(5, 1, [])).toEqual([0, 1, 2, 3, 4]);
    expect(sample(0, 0.5, [])).toEqual([]);
    expect(() => sample(5, 1.5, [])).toThrow(/sampleRate is 1.5/);
  });

  it('holds more records than are to be expected', () => {
    const everyone = sample(
      200,
      1 / 256,
      Array.from({ length: 50 }, () => 0),
    );
    expect(everyone).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it('has the rate in every block of a large population, and at its end', () => {
    const bits = new BitSource(unsafeDeterministicRandom('blocks'));
    const [population, rate, draws] = [40_003, 0.3, 60];
    const counts = new Uint32Array(population);
    for (let i = 0; i < draws; i++) {
      let last = -1;
      for (const record of poissonSample(population, rate, bits)) {
        if (record <= last || record >= population) throw new Error(`record ${record} after ${last}`);
        last = record;
        counts[record]!++;
      }
    }
    for (const [begin, end] of [
      [0, 16384],
      [16384, 32768],
      [32768, population],
      [population - 700, population],
    ] as const) {
      const trials = draws * (end - begin);
      const seen = counts.subarray(begin, end).reduce((a, b) => a + b, 0);
      expect(Math.abs(seen - trials * rate)).toBeLessThan(5 * Math.sqrt(trials * rate * (1 - rate)));
    }
  });
});
