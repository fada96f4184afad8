import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BitSource } from '../../../packages/dp/src/noise/bit-source.ts';
import { scaledTail } from '../../../packages/dp/src/noise/inverse-cdf-exact.ts';
import {
  inverseCdfTable,
  ROW_DOUBLES,
  rowOf,
  SECOND_ROW_DOUBLES,
  SEGMENTS,
} from '../../../packages/dp/src/noise/inverse-cdf-table.ts';
import type { InverseCdfTable } from '../../../packages/dp/src/noise/inverse-cdf-table.ts';
import { createInverseCdfGaussian } from '../../../packages/dp/src/noise/inverse-cdf.ts';
import type { InverseCdfGaussian } from '../../../packages/dp/src/noise/inverse-cdf.ts';
import { boundary, onGrid, ORACLE_BITS, oracleTail, uniformOf, wordsOf } from './fast-oracle.ts';

const ONES = 0xffffffff;

/** One sample from the given words; zeros follow them. */
function sample(gaussian: InverseCdfGaussian, words: readonly number[]): number {
  let next = 0;
  const word = (): number => words[next++] ?? 0;
  const out = new Float64Array(1);
  gaussian.fill(out, { word, fill: (target) => target.set(Array.from(target, word)) });
  return out[0]!;
}

/** Whether the oracle agrees: the magnitude's cell holds the u of the words. */
function isRight(magnitude: number, words: readonly number[], scaleBits: number): boolean {
  const u = uniformOf(words);
  return u < boundary(magnitude, scaleBits) && u >= boundary(magnitude + 1, scaleBits);
}

/** Bit strings that leave the boundary below some magnitude as late as they can: after each word, on either side, or not within six words. */
function adversarialWords(scaleBits: number, seed: string, boundaries: number): number[][] {
  const random = new BitSource(unsafeDeterministicRandom(seed));
  const deepest = 6;
  return Array.from({ length: boundaries }, (_, i) => {
    // Mostly where samples lie; every fifth in the tail.
    const reach = i % 5 === 0 ? 8.5 : 3;
    const m = Math.max(1, Math.ceil(random.word() * 2 ** -32 * reach * 2 ** scaleBits));
    const digits = wordsOf(boundary(m, scaleBits), deepest);
    const strings = [
      [...digits, 0],
      [...digits, ONES],
    ];
    for (let depth = 1; depth < deepest; depth++) {
      strings.push([...digits.slice(0, depth), ...Array.from({ length: deepest - depth }, () => 0)]);
      strings.push([...digits.slice(0, depth), ...Array.from({ length: deepest - depth }, () => ONES)]);
      const next = digits[depth]!;
      if (next > 0) strings.push([...digits.slice(0, depth), next - 1, ONES, ONES]);
      if (next < ONES) strings.push([...digits.slice(0, depth), next + 1, 0, 0]);
    }
    // A string of zeros alone never decides, so each ends with a one.
    return strings.map((words) => [...words, 1]);
  }).flat();
}

/** How many adversarial strings give a wrong sample. */
function mistakes(gaussian: InverseCdfGaussian, boundaries: number): number {
  const { scaleBits } = gaussian;
  return adversarialWords(scaleBits, `adversary ${scaleBits}`, boundaries).reduce(
    (count, words) => count + (isRight(sample(gaussian, words), words, scaleBits) ? 0 : 1),
    0,
  );
}

function damaged(scaleBits: number, change: (table: InverseCdfTable, row: number) => void): InverseCdfTable {
  const table = inverseCdfTable(scaleBits);
  for (let row = 1; row <= SEGMENTS; row++) change(table, row);
  return table;
}

const javascript = (scaleBits: number, table?: InverseCdfTable): InverseCdfGaussian =>
  createInverseCdfGaussian(scaleBits, { backend: 'javascript', ...(table && { table }) });

describe('inverse-CDF Gaussian against an oracle in integers', () => {
  it.each([0, 1, 7, 16, 20, 24, 27, 30])('decides strings at boundaries as the oracle does at k = %d', (scaleBits) => {
    expect(mistakes(createInverseCdfGaussian(scaleBits), 12)).toBe(0);
    expect(mistakes(javascript(scaleBits), 12)).toBe(0);
  });

  it.each([3, 24, 30])('maps random strings as the oracle does at k = %d', (scaleBits) => {
    const random = new BitSource(unsafeDeterministicRandom(`random ${scaleBits}`));
    const gaussian = createInverseCdfGaussian(scaleBits);
    for (let i = 0; i < 300; i++) {
      const words = Array.from({ length: 5 }, () => random.word());
      const z = sample(gaussian, words);
      expect(isRight(Math.abs(z), words, scaleBits)).toBe(true);
      if (z !== 0) expect(z < 0).toBe(words[0]! >= 2 ** 31);
    }
  });

  it('holds in the far tail, below the table, down to nothing but zeros', () => {
    for (const scaleBits of [0, 24, 30]) {
      const gaussian = createInverseCdfGaussian(scaleBits);
      const strings = [
        [0, 0, 0, 1, 5],
        [0, 0, 1, 0],
        [0, 1, ONES],
        [0, ONES, 3],
        [1, 0, 0],
        [7, 1, 2],
        [2047, ONES, ONES],
        [2048, 0, 0],
        [0, 2 ** 30, 1],
      ];
      for (const words of strings) expect(isRight(sample(gaussian, words), words, scaleBits)).toBe(true);
    }
  });

  it('refuses a source that repeats one word for ever', () => {
    expect(() => sample(createInverseCdfGaussian(24), [0, 0])).toThrow(
      /the random source agreed with a boundary in \d+ bits; it is broken/,
    );
  });

  it('never returns a negative zero', () => {
    for (const gaussian of [createInverseCdfGaussian(0), javascript(0)]) {
      expect(Object.is(sample(gaussian, [ONES, ONES]), 0)).toBe(true);
      expect(Object.is(sample(gaussian, [2 ** 31 + 2 ** 30, 5]), -1)).toBe(true);
    }
  });

  it('gives the same sample whichever stage decides', () => {
    const never = (second: boolean): InverseCdfTable =>
      damaged(24, ({ rows, secondRows }, row) => {
        rows[row * ROW_DOUBLES + 5] = -1;
        if (second) secondRows[row * SECOND_ROW_DOUBLES + 2] = -1;
      });
    const [all, two, exact] = [javascript(24), javascript(24, never(false)), javascript(24, never(true))];
    const random = new BitSource(unsafeDeterministicRandom('stages'));
    for (let i = 0; i < 500; i++) {
      const words = Array.from({ length: 5 }, () => random.word());
      const expected = sample(all, words);
      expect(sample(two, words)).toBe(expected);
      expect(sample(exact, words)).toBe(expected);
    }
  });

  it('is caught where an error bound is set to zero, or to half', () => {
    const scaled = (stage: 1 | 2, factor: number): InverseCdfTable =>
      damaged(24, ({ rows, secondRows }, row) => {
        const [array, at] = stage === 1 ? [rows, row * ROW_DOUBLES + 5] : [secondRows, row * SECOND_ROW_DOUBLES + 2];
        array[at] = 0.5 - factor * (0.5 - array[at]!);
      });
    expect(mistakes(javascript(24, scaled(1, 0)), 20)).toBeGreaterThan(0);
    expect(mistakes(javascript(24, scaled(1, 0.5)), 20)).toBeGreaterThan(0);
    expect(mistakes(javascript(24, scaled(2, 0)), 20)).toBeGreaterThan(0);
    // The check itself counts nothing where nothing is damaged.
    expect(mistakes(javascript(24, scaled(1, 1)), 20)).toBe(0);
  });
});

describe('inverse-CDF tables', () => {
  it.each([0, 24, 30])('keep |ŷ − Y(u)| ≤ δ for the ends of every segment and a point within, at k = %d', (scaleBits) => {
    const { rows, secondRows } = inverseCdfTable(scaleBits);
    const random = new BitSource(unsafeDeterministicRandom(`bounds ${scaleBits}`));
    /** S at (y − ½)/2ᵏ. */
    const tailAt = (y: number): bigint => oracleTail((onGrid(y) - onGrid(0.5)) >> BigInt(scaleBits));
    const inUnits = (u: number): bigint => onGrid(u) >> 31n;
    for (let row = 1 + (random.word() % 3); row <= SEGMENTS; row += 1 + (random.word() % 7)) {
      const at = row * ROW_DOUBLES;
      const width = 2 ** (((row - 1) >> 6) + 5);
      const first = rows[at + 6]! + 0.5 - width / 2;
      for (const prefix of [first, first + width - 1, first + (random.word() % width)]) {
        expect(rowOf(prefix)).toBe(row);
        const coefficients = [
          ...rows.subarray(at, at + 5),
          ...secondRows.subarray(row * SECOND_ROW_DOUBLES, row * SECOND_ROW_DOUBLES + 2),
        ];
        const evaluate = (degree: number, t: number): number =>
          coefficients.slice(0, degree + 1).reduceRight((sum, c) => sum * t + c, 0);
        const t = prefix - rows[at + 6]!;
        const y1 = evaluate(4, t);
        const delta1 = 0.5 - rows[at + 5]!;
        expect(tailAt(y1 + delta1 + 2 ** -52) <= inUnits(prefix)).toBe(true);
        expect(tailAt(y1 - delta1 - 2 ** -52) >= inUnits(prefix + 1)).toBe(true);
        const second = random.word();
        const y2 = evaluate(6, t - 0.5 + (second + 0.5) * 2 ** -32);
        const delta2 = 0.5 - secondRows[row * SECOND_ROW_DOUBLES + 2]!;
        const low = inUnits(prefix) + (BigInt(second) << (ORACLE_BITS - 63n));
        // y2 ± δ is formed in integers: a double could not hold it.
        const near = (sign: bigint): bigint =>
          oracleTail((onGrid(y2) - onGrid(0.5) + sign * onGrid(delta2)) >> BigInt(scaleBits));
        expect(near(1n) <= low).toBe(true);
        expect(near(-1n) >= low + (1n << (ORACLE_BITS - 63n))).toBe(true);
      }
    }
  });

  it('leave little undecided: the bounds are of use', () => {
    const share = (scaleBits: number, stage: 1 | 2): number => {
      const { rows, secondRows } = inverseCdfTable(scaleBits);
      let sum = 0;
      for (let row = 1; row <= SEGMENTS; row++) {
        const limit = stage === 1 ? rows[row * ROW_DOUBLES + 5]! : secondRows[row * SECOND_ROW_DOUBLES + 2]!;
        sum += Math.min(1, 2 * (0.5 - limit)) * 2 ** (((row - 1) >> 6) + 5 - 31);
      }
      return sum;
    };
    expect(share(24, 1)).toBeLessThan(0.05);
    expect(share(20, 1)).toBeLessThan(0.004);
    expect(share(24, 2)).toBeLessThan(2 ** -22);
    expect(share(30, 2)).toBeLessThan(2 ** -16);
  });

  it('refuse a scale out of range', () => {
    expect(() => createInverseCdfGaussian(31)).toThrow(/scaleBits is 31.*from 0 to 30/);
  });

  it('agree in the tail with the integers of the last stage, within one unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 * 2 ** 20 }), fc.constantFrom(40n, 71n, 150n, 300n), (m, bits) => {
        const expected = boundary(m, 20) >> (ORACLE_BITS - bits - 20n);
        const difference = (scaledTail(BigInt(2 * m - 1), 21n, bits) << 20n) - expected;
        expect(difference < 1n << 20n && difference > -(1n << 20n)).toBe(true);
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});

describe('inverse-CDF streams', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('do not depend on the size of the pool', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 9000 }),
        fc.constantFrom(0, 20, 24, 28),
        (pool, count, scaleBits) => {
          const gaussian = createInverseCdfGaussian(scaleBits);
          const [a, b] = [new Float64Array(count), new Float64Array(count)];
          gaussian.fill(a, new BitSource(unsafeDeterministicRandom('pools')));
          const bits = new BitSource(unsafeDeterministicRandom('pools'), pool);
          gaussian.fill(b, bits);
          expect(b).toEqual(a);
        },
      ),
      { seed: 1, numRuns: 12 },
    );
  });

  it.each([0, 13, 24, 28, 30])('are equal in WebAssembly and JavaScript at k = %d', (scaleBits) => {
    const [vector, plain] = [createInverseCdfGaussian(scaleBits), javascript(scaleBits)];
    expect(vector.backend).toBe('wasm');
    expect(plain.backend).toBe('javascript');
    for (const count of [1, 2, 3, 4, 5, 63, 8191, 8192, 8193, 40_000]) {
      const [a, b] = [new Float64Array(count), new Float64Array(count)];
      const sources = [a, b].map(() => new BitSource(unsafeDeterministicRandom(`backends ${count}`)));
      vector.fill(a, sources[0]!);
      plain.fill(b, sources[1]!);
      expect(a).toEqual(b);
      // Both have drawn the same number of words.
      expect(sources[0]!.word()).toBe(sources[1]!.word());
    }
  });

  it('come from JavaScript where the host has no WebAssembly or forbids it', () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(createInverseCdfGaussian(24).backend).toBe('javascript');
    const Module = vi.fn<() => object>(function refuse() {
      throw new Error('refused by the content security policy');
    });
    vi.stubGlobal('WebAssembly', { Module });
    expect(createInverseCdfGaussian(24).backend).toBe('javascript');
    expect(Module).toHaveBeenCalledOnce();
  });

  it('leave no noise behind in the memory of the kernel', () => {
    const seen: Uint32Array[] = [];
    const bits = new BitSource(unsafeDeterministicRandom('wiped'));
    const source = {
      word: () => bits.word(),
      fill: (target: Uint32Array<ArrayBuffer>) => {
        seen.push(target);
        bits.fill(target);
      },
    };
    createInverseCdfGaussian(24).fill(new Float64Array(10_000), source);
    // First and second words of two blocks.
    expect(seen.length).toBe(4);
    expect(seen.every((words) => words.every((word) => word === 0))).toBe(true);
    // Words, samples and positions lie behind the table in one memory.
    const { buffer, byteOffset } = seen[0]!;
    expect(new Uint8Array(buffer, byteOffset).every((byte) => byte === 0)).toBe(true);
  });

  it('hand out words in bulk as one by one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 70 }),
        (lengths, pool) => {
          const bulk = new BitSource(unsafeDeterministicRandom('bulk'), pool);
          const single = new BitSource(unsafeDeterministicRandom('bulk'), pool);
          for (const length of lengths) {
            const words = new Uint32Array(length);
            bulk.fill(words);
            expect([...words, bulk.word()]).toEqual(Array.from({ length: length + 1 }, () => single.word()));
          }
        },
      ),
      { seed: 2, numRuns: 40 },
    );
  });
});
