import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipFactor } from '../../../packages/dp/src/clip/clipping.ts';
import { createGrid, defaultGridBits, maxSquaredNorm } from '../../../packages/dp/src/clip/grid.ts';
import type { Grid } from '../../../packages/dp/src/clip/grid.ts';
import { QuantisedSum } from '../../../packages/dp/src/clip/quantised-sum.ts';
import type { ClipFactor } from '../../../packages/dp/src/clip/quantised-sum.ts';

const DIMENSION = 6;

/** The sum of some gradients on a grid. */
function sumOf(
  grid: Grid,
  factor: ClipFactor,
  gradients: readonly (readonly number[])[],
  numbers: Float32ArrayConstructor | Float64ArrayConstructor = Float64Array,
): QuantisedSum {
  const sum = new QuantisedSum(grid, DIMENSION, 100, factor);
  for (const gradient of gradients) sum.addRow([{ values: numbers.from(gradient), width: DIMENSION }], 0);
  return sum;
}

/** ‖a − b‖² of integer vectors, exactly. */
function squaredDistance(a: Float64Array, b: Float64Array): bigint {
  return a.reduce((sum, value, i) => sum + (BigInt(value) - BigInt(b[i]!)) ** 2n, 0n);
}

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -10, max: 10 }),
  fc.double(), // the whole range: NaN, infinities, 1e308, subnormals
  fc.constantFrom(0, -0, 1e-320, 1e38, -1e38, 1e200, 1, 0.5, Number.MAX_VALUE),
);
const gradient = fc.array(anyNumber, { minLength: DIMENSION, maxLength: DIMENSION });
const noise = fc.oneof(fc.double({ min: 0.3, max: 100, noNaN: true }), fc.constantFrom(0.5, 1, 2, 1 / 3, 11.712));
const clipNorm = fc.oneof(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), fc.constantFrom(1, 0.1, 1e-6));
const factors = fc.constantFrom<ClipFactor>(
  clipFactor({ kind: 'flat', norm: 1 }),
  clipFactor({ kind: 'automatic', norm: 1 }),
  clipFactor({ kind: 'normalised', norm: 1 }),
  // A clipping rule that does not clip, and one that returns nonsense: the integer check must hold the bound by itself.
  () => 1,
  (norm, limit) => (3 * limit) / norm,
  () => NaN,
  () => Infinity,
);

describe('quantised sum', () => {
  it('changes by at most the bound when one example is added, for any gradient and any factor', () => {
    fc.assert(
      fc.property(
        fc.array(gradient, { maxLength: 4 }),
        gradient,
        noise,
        clipNorm,
        factors,
        // Float32 gradients take the vector kernel.
        fc.constantFrom(Float32Array, Float64Array),
        (others, extra, sigma, norm, factor, numbers) => {
          const grid = createGrid(norm, sigma);
          const without = sumOf(grid, factor, others, numbers);
          const including = sumOf(grid, factor, [...others, extra], numbers);
          expect(including.sum.every((value) => Number.isSafeInteger(value))).toBe(true);
          expect(squaredDistance(including.sum, without.sum) <= maxSquaredNorm(grid.gridBits, sigma)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is bounded so that noise of 2^k units is at least sigma times the sensitivity, and no smaller bound is needed', () => {
    fc.assert(
      fc.property(noise, fc.integer({ min: 4, max: 24 }), (sigma, gridBits) => {
        fc.pre(2 ** gridBits / sigma < 2 ** 26 && 2 ** gridBits / sigma >= 1);
        const bound = maxSquaredNorm(gridBits, sigma);
        // sigma as an exact fraction m/2^1074·…: multiply everything by 2^(2·60), sigma having at most 60 fractional bits here.
        const scaled = BigInt(sigma * 2 ** 60);
        expect(Number(scaled) / 2 ** 60).toBe(sigma);
        const noiseSquared = 1n << BigInt(2 * gridBits + 120);
        expect(bound * scaled * scaled <= noiseSquared).toBe(true);
        expect((bound + 1n) * scaled * scaled > noiseSquared).toBe(true);
      }),
    );
  });

  it('keeps the bound when groups of coordinates are clipped apart', () => {
    fc.assert(
      fc.property(gradient, noise, factors, fc.constantFrom([6], [1, 6], [2, 4, 6]), (extra, sigma, factor, ends) => {
        const grid = createGrid(1, sigma);
        const sum = new QuantisedSum(grid, DIMENSION, 1, factor, ends);
        sum.addRow([{ values: Float64Array.from(extra), width: DIMENSION }], 0);
        const bound = maxSquaredNorm(grid.gridBits, sigma);
        expect(squaredDistance(sum.sum, new Float64Array(DIMENSION)) <= bound).toBe(true);
        // Each group has its equal share and no more.
        ends.forEach((end, i) => {
          const group = sum.sum.slice(ends[i - 1] ?? 0, end);
          expect(squaredDistance(group, new Float64Array(group.length)) * BigInt(ends.length) <= bound).toBe(true);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the direction and norm of gradients within the clip norm, and brings others to it', () => {
    const grid = createGrid(2, 1.5);
    const flat = clipFactor({ kind: 'flat', norm: 2 });
    const small = [0.1, -0.2, 0.3, 0, 0, 0.4];
    const large = small.map((value) => value * 100);
    const unit = (values: readonly number[]): number[] => Array.from(sumOf(grid, flat, [values]).sum, (z) => z * grid.unit);
    unit(small).forEach((value, i) => expect(value).toBeCloseTo(small[i]!, 6));
    const norm = Math.hypot(...large);
    unit(large).forEach((value, i) => expect(value).toBeCloseTo((2 * large[i]!) / norm, 6));
    expect(Math.hypot(...unit(large))).toBeLessThanOrEqual(2);
    expect(Math.hypot(...unit(large))).toBeGreaterThan(1.9999);
  });

  it('clips by AUTO-S and by normalising as their formulas say', () => {
    const grid = createGrid(0.5, 1);
    const g = [0.3, -0.1, 0, 0.2, 0, 0];
    const norm = Math.hypot(...g);
    const release = (kind: 'automatic' | 'normalised'): number[] =>
      Array.from(sumOf(grid, clipFactor({ kind, norm: 0.5 }), [g]).sum, (z) => z * grid.unit);
    release('automatic').forEach((value, i) => expect(value).toBeCloseTo((0.5 * g[i]!) / (norm + 0.01), 6));
    release('normalised').forEach((value, i) => expect(value).toBeCloseTo((0.5 * g[i]!) / norm, 6));
    expect(sumOf(grid, clipFactor({ kind: 'normalised', norm: 0.5 }), [[0, 0, 0, 0, 0, 0]]).sum.every((z) => z === 0)).toBe(true);
  });

  it('shrinks what a factor leaves a little too long, rather than drop it', () => {
    const grid = createGrid(2, 1);
    for (const numbers of [Float32Array, Float64Array]) {
      const { sum } = sumOf(grid, (norm, limit) => (1.00001 * limit) / norm, [[3, -4, 0, 12, 0, 1]], numbers);
      const squares = sum.reduce((total, value) => total + value * value, 0);
      expect(squares).toBeLessThanOrEqual(grid.maxSquaredNorm);
      expect(squares).toBeGreaterThan(0.9999 * grid.maxSquaredNorm);
    }
  });

  it('counts an example with a NaN or an infinity, adds zero for it, and goes on', () => {
    const grid = createGrid(1, 1);
    const flat = clipFactor({ kind: 'flat', norm: 1 });
    const good = [0.5, 0, 0, 0, 0, 0];
    const sum = sumOf(grid, flat, [good, [NaN, 1, 1, 1, 1, 1], [1, Infinity, 0, 0, 0, 0], [Infinity, -Infinity, 0, 0, 0, 0]]);
    expect(sum.nonFiniteExamples).toBe(3);
    expect(sum.examples).toBe(4);
    expect([...sum.sum]).toEqual([...sumOf(grid, flat, [good]).sum]);
  });

  it('does not depend on the order of the examples', () => {
    fc.assert(
      fc.property(fc.array(gradient, { minLength: 2, maxLength: 6 }), (gradients) => {
        const grid = createGrid(1, 0.8);
        const flat = clipFactor({ kind: 'flat', norm: 1 });
        expect([...sumOf(grid, flat, gradients).sum]).toEqual([...sumOf(grid, flat, [...gradients].reverse()).sum]);
      }),
    );
  });

  it('is the same, and within the bound, in the vectors that large models use', () => {
    const dimension = 5003;
    const grid = createGrid(1.3, 0.8);
    const rows = [0.001, 1, 1e30].map((scale) =>
      Float32Array.from({ length: dimension }, (_, j) => scale * Math.sin(1.7 * j + scale)),
    );
    for (const factor of [clipFactor({ kind: 'flat', norm: 1.3 }), (): number => 1]) {
      const [vectors, plain] = [0, 1].map(() => new QuantisedSum(grid, dimension, 10, factor)) as [QuantisedSum, QuantisedSum];
      for (const row of rows) {
        const before = vectors.sum.slice();
        const norm = vectors.addRow([{ values: row, width: dimension }], 0);
        expect(plain.addRow([{ values: Float64Array.from(row), width: dimension }], 0)).toBe(norm);
        expect(squaredDistance(vectors.sum, before) <= maxSquaredNorm(grid.gridBits, 0.8)).toBe(true);
      }
      expect([...vectors.sum]).toEqual([...plain.sum]);
      const bad = rows[1]!.with(5000, NaN);
      expect(vectors.addRow([{ values: bad, width: dimension }], 0)).toBeNaN();
      expect([...vectors.sum]).toEqual([...plain.sum]);
    }
  });

  it('refuses grids outside exact arithmetic, too coarse for the model, or too fine for the data', () => {
    expect(() => createGrid(1, 0.01, 24)).toThrow(/gridBits is 24.*use 17/);
    expect(() => createGrid(0, 1)).toThrow(/clipNorm is 0/);
    expect(() => createGrid(1, -1)).toThrow(/noiseMultiplier is -1/);
    expect(() => new QuantisedSum(createGrid(1, 1, 8), 26_010, 10, () => 1)).toThrow(
      /too few for 26010 parameters; raise gridBits/,
    );
    expect(() => new QuantisedSum(createGrid(1, 1, 24), 10, 2 ** 30, () => 1)).toThrow(/lower gridBits/);
    expect(defaultGridBits(1)).toBe(24);
    expect(createGrid(1, 1000).radius).toBeGreaterThan(2 ** 20);
  });
});
