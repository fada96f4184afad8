import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitSource } from '../../../packages/dp/src/noise/bit-source.ts';
import { DENSITY_REACH, normalDensity, ScaledDensity } from '../../../packages/dp/src/noise/normal-density.ts';
import { CELLS, HEIGHT_BITS, KAPPA_BITS, rectangleTable, TAIL } from '../../../packages/dp/src/noise/rectangle-table.ts';
import type { RectangleTable } from '../../../packages/dp/src/noise/rectangle-table.ts';
import { onGrid, ORACLE_BITS, oracleDensity, toNumber } from './fast-oracle.ts';

const ONE = 1n << ORACLE_BITS;
/** What the oracle may be off by, generously. */
const OFF = 1n << 100n;

/** Cells, and steps of the tail, in which a table breaks one of the two inequalities that its exactness rests on. */
function broken({ scaleBits, heights, boxHeights, kappa }: RectangleTable): number[] {
  const delta = ONE >> BigInt(scaleBits + 1);
  const found: number[] = [];
  const rectangle = (i: number): bigint => (BigInt(heights[i]!) << ORACLE_BITS) >> BigInt(HEIGHT_BITS);
  const box = (i: number): bigint => ((BigInt(boxHeights[i]!) * BigInt(kappa)) << ORACLE_BITS) >> BigInt(KAPPA_BITS);
  for (let i = 0; i < CELLS; i++) {
    const [begin, end] = [(BigInt(i) * ONE) / 64n - delta, (BigInt(i + 1) * ONE) / 64n + delta];
    const [least, most] = [oracleDensity(end) - OFF, oracleDensity(begin < 0n ? 0n : begin) + OFF];
    if (rectangle(i) > least || rectangle(i) + box(i) < most) found.push(i);
  }
  for (let g = 0; g < 40; g++) {
    const begin = (BigInt(TAIL) * ONE) / 64n + (BigInt(g) * ONE) / 4n - delta;
    if (box(TAIL) >> BigInt(g + 5) < oracleDensity(begin) + OFF) found.push(TAIL + g);
  }
  return found;
}

describe('tables of rectangles and boxes', () => {
  it.each([0, 1, 4, 5, 6, 7, 12, 24, 26, 30])('keep rectangles beneath the curve and boxes above it at k = %d', (scaleBits) => {
    const table = rectangleTable(scaleBits);
    expect(broken(table)).toEqual([]);
    // One more unit in any box or rectangle would do no harm or much: neither inequality holds by luck alone.
    const higher = { ...table, heights: table.heights.map((n) => n + 1) };
    expect(broken(higher).length).toBeGreaterThan(CELLS - 1);
    const lower = { ...table, boxHeights: table.boxHeights.map((e, i) => (i === 0 ? 0 : e - 1)) };
    expect(broken(lower).length).toBeGreaterThan(CELLS - 1);
  });

  it.each([0, 6, 24, 30])('list each cell as often as it is high, and leave nothing over, at k = %d', (scaleBits) => {
    const { cells, heights, boxes, boxHeights, rectangles, kappa } = rectangleTable(scaleBits);
    const count = (table: Uint8Array): number[] => {
      const counts = Array.from({ length: CELLS + 1 }, () => 0);
      for (const i of table) counts[i]!++;
      return counts;
    };
    expect(count(boxes)).toEqual([...boxHeights]);
    expect(boxes).toHaveLength(2 ** 13);
    expect(count(cells.subarray(0, rectangles))).toEqual([...heights]);
    expect(cells.subarray(rectangles).every((i) => i === 0)).toBe(true);
    expect(Number.isInteger(kappa)).toBe(true);
  });

  it('leave little: rectangles hold nearly all, and boxes are tight', () => {
    for (const scaleBits of [12, 24, 30]) {
      const { rectangles, kappa } = rectangleTable(scaleBits);
      const left = 1 - rectangles / 2 ** 13;
      expect(left).toBeLessThan(0.021);
      // Points tried for each sample that no rectangle gives: the boxes' area over what is left.
      expect((2 ** 13 * kappa * 2 ** -KAPPA_BITS * 2) / 64 / left).toBeLessThan(1.35);
    }
    expect(1 - rectangleTable(0).rectangles / 2 ** 13).toBeLessThan(0.41);
  });

  it('refuse a scale out of range', () => {
    expect(() => rectangleTable(31)).toThrow(/scaleBits is 31.*from 0 to 30/);
    expect(() => rectangleTable(-1)).toThrow(/scaleBits is -1/);
  });
});

describe('density of the normal law', () => {
  it('is within its bound for every argument of the interval, in doubles', () => {
    const random = new BitSource(unsafeDeterministicRandom('density'));
    let worst = 0;
    for (let i = 0; i < 3000; i++) {
      const x = i % 3 === 0 ? (random.word() / 2 ** 32) * DENSITY_REACH : (random.word() / 2 ** 32) * 4;
      const computed = normalDensity(i % 2 === 0 ? x : -x);
      for (const end of [-1n, 0n, 1n]) {
        const exact = oracleDensity(onGrid(x) + end * (ONE >> 35n));
        const error = Number(((onGrid(computed) - exact) << 60n) / exact) / 2 ** 60;
        worst = Math.max(worst, Math.abs(error));
      }
    }
    expect(worst).toBeLessThan(2 ** -30);
    // The bound is not idle: the ends of the interval take up more than a fifth of it.
    expect(worst).toBeGreaterThan(0.2 * 2 ** -30);
  });

  it('is within one unit in integers of any length', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 12n << 50n }), fc.constantFrom(3n, 20n, 64n, 100n, 250n), (numerator, bits) => {
        const difference =
          (new ScaledDensity(bits).at(numerator, 50n) << 40n) -
          (oracleDensity(numerator << (ORACLE_BITS - 50n)) >> (ORACLE_BITS - bits - 40n));
        expect(difference <= 1n << 40n && difference >= -(1n << 40n)).toBe(true);
      }),
      { seed: 4, numRuns: 150 },
    );
    expect(toNumber(oracleDensity(0n))).toBeCloseTo(1 / Math.sqrt(2 * Math.PI), 15);
  });

  it('is still positive integers far out', () => {
    const density = new ScaledDensity(2000n);
    // φ(40) = e^(−800)/√(2π) ≈ 1.463e-348: below what doubles hold.
    expect((density.at(40n, 0n) * 10n ** 350n) >> 2000n).toBe(146n);
    expect(density.at(60n, 0n)).toBe(0n);
  });
});
