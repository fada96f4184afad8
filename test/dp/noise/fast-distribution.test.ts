import { describe, expect, it } from 'vitest';
import { INVERSE_CDF_DATA } from '../../../packages/dp/src/noise/inverse-cdf-data.ts';
import { inverseCdfTable, ROW_DOUBLES, SEGMENTS } from '../../../packages/dp/src/noise/inverse-cdf-table.ts';
import { createInverseCdfGaussian } from '../../../packages/dp/src/noise/inverse-cdf.ts';
import type { BulkWordSource, InverseCdfGaussian } from '../../../packages/dp/src/noise/inverse-cdf.ts';
import { chiSquareTest, moments } from '../support/statistics.ts';
import { boundary, ORACLE_BITS, onGrid, oracleSlope, oracleTail } from './fast-oracle.ts';

/** A fast generator of test words: xoshiro128**, which passes the usual batteries. Not secure. */
function testWords(seed: number): BulkWordSource {
  let [a, b, c, d] = [seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162];
  const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  const word = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  const fill = (target: Uint32Array): void => {
    for (let i = 0; i < target.length; i++) target[i] = word();
  };
  for (let i = 0; i < 64; i++) word();
  return { word, fill };
}

const toNumber = (value: bigint): number => Number(value >> (ORACLE_BITS - 100n)) / 2 ** 100;
/** P(round(2ᵏ·|X|) ≥ m). */
const atLeast = (m: number, scaleBits: number): number => toNumber(boundary(m, scaleBits));

/**
 * Runs through all of [0, 1) in 2²⁰ even steps instead of at random, so that shares of samples differ from probabilities by less than 2⁻²⁰:
 * returns how many of the 2²⁰ magnitudes are at least m, for each m.
 */
function sweep(gaussian: InverseCdfGaussian, limits: readonly number[]): number[] {
  const total = 2 ** 20;
  let step = 0;
  let firstWords: ArrayBuffer | undefined;
  const source: BulkWordSource = {
    // Alternating signs; a further word is the middle.
    word: () => 2 ** 31,
    fill(target) {
      // The first array that is filled takes the first words of every block, the other one the second words.
      firstWords ??= target.buffer;
      if (target.buffer !== firstWords) target.fill(2 ** 31);
      else for (let i = 0; i < target.length; i++, step++) target[i] = step * 2 ** 11 + 2 ** 10 + (step % 2) * 2 ** 31;
    },
  };
  const out = new Float64Array(total);
  gaussian.fill(out, source);
  const magnitudes = out.map((z) => Math.abs(z)).sort();
  return limits.map((m) => {
    let low = 0;
    let high = total;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (magnitudes[middle]! >= m) high = middle;
      else low = middle + 1;
    }
    return total - low;
  });
}

/** The greatest difference between swept shares and probabilities, times 2²⁰. */
function sweptBias(gaussian: InverseCdfGaussian): number {
  const { scaleBits } = gaussian;
  const limits = Array.from({ length: 90 }, (_, i) => Math.max(1, Math.round(((i + 1) / 20) * 2 ** scaleBits)));
  return Math.max(...sweep(gaussian, limits).map((count, i) => Math.abs(count - 2 ** 20 * atLeast(limits[i]!, scaleBits))));
}

describe('inverse-CDF distribution, swept', () => {
  it.each([0, 2, 5, 20, 24, 30])('has probabilities exact to a millionth at k = %d', (scaleBits) => {
    expect(sweptBias(createInverseCdfGaussian(scaleBits))).toBeLessThan(1.001);
    expect(sweptBias(createInverseCdfGaussian(scaleBits, { backend: 'javascript' }))).toBeLessThan(1.001);
  });

  it('shows a bias of 1e-4 in probability, and one of 1e-5', () => {
    for (const bias of [1e-4, 1e-5]) {
      const table = inverseCdfTable(24);
      // Moves samples near x = 1, where the density of |X| is 0.48, by bias/0.48.
      for (let row = 1; row <= SEGMENTS; row++) table.rows[row * ROW_DOUBLES]! += (bias / 0.484) * 2 ** 24;
      expect(sweptBias(createInverseCdfGaussian(24, { backend: 'javascript', table }))).toBeGreaterThan(0.9 * bias * 2 ** 20);
    }
  });
});

describe('inverse-CDF distribution, sampled', () => {
  const SAMPLES = 2 ** 22;
  const draw = (scaleBits: number, count: number = SAMPLES): Float64Array => {
    const out = new Float64Array(count);
    createInverseCdfGaussian(scaleBits).fill(out, testWords(scaleBits + 1));
    return out;
  };

  it.each([0, 1, 3, 6])('has the cell probabilities of the rounded Gaussian at k = %d', (scaleBits) => {
    const most = Math.ceil(5.2 * 2 ** scaleBits);
    const counts = Array.from({ length: 2 * most + 1 }, () => 0);
    for (const z of draw(scaleBits)) counts[Math.max(-most, Math.min(most, z)) + most]!++;
    const tails = Array.from({ length: most + 2 }, (_, m) => atLeast(m, scaleBits));
    const expected = counts.map((_, i) => {
      const m = Math.abs(i - most);
      const cell = tails[m]! - (m === most ? 0 : tails[m + 1]!);
      return SAMPLES * (m === 0 ? cell : cell / 2);
    });
    expect(chiSquareTest(counts, expected)).toBeGreaterThan(1e-3);
  });

  it.each([12, 24, 27, 30])('has moments, tails, distribution function and low bits of the Gaussian at k = %d', (scaleBits) => {
    const samples = draw(scaleBits);
    const unit = samples.map((z) => z / 2 ** scaleBits);
    const { mean, variance, kurtosis } = moments(unit);
    // Four standard errors.
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(SAMPLES));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / SAMPLES));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(4 * Math.sqrt(24 / SAMPLES));
    for (const limit of [1, 2, 3, 4, 4.5]) {
      const expected = SAMPLES * toNumber(oracleTail(onGrid(limit)));
      const found = unit.reduce((count, x) => count + (Math.abs(x) > limit ? 1 : 0), 0);
      expect(Math.abs(found - expected)).toBeLessThan(4 * Math.sqrt(expected) + 1);
    }
    // Kolmogorov–Smirnov at 401 points of a sorted sample; 1.95/√n is passed with probability 1e-3.
    const sorted = unit.sort();
    let below = 0;
    for (let i = -200; i <= 200; i++) {
      const x = i / 50;
      while (below < SAMPLES && sorted[below]! <= x) below++;
      const half = toNumber(oracleTail(onGrid(Math.abs(x)))) / 2;
      expect(Math.abs(below / SAMPLES - (x < 0 ? half : 1 - half))).toBeLessThan(1.95 / Math.sqrt(SAMPLES));
    }
    const low = Array.from({ length: 32 }, () => 0);
    for (const z of samples) low[((z % 32) + 32) % 32]!++;
    expect(
      chiSquareTest(
        low,
        low.map(() => SAMPLES / 32),
      ),
    ).toBeGreaterThan(1e-3);
  });

  it('draws neighbours that are independent', () => {
    const samples = draw(24);
    for (const lag of [1, 2, 4, 8192]) {
      let product = 0;
      for (let i = lag; i < SAMPLES; i++) product += (samples[i]! / 2 ** 24) * (samples[i - lag]! / 2 ** 24);
      expect(Math.abs(product) / Math.sqrt(SAMPLES)).toBeLessThan(4);
    }
  });
});

describe('inverse-CDF data', () => {
  it('are the nearest doubles, every one', () => {
    const view = new DataView(new Uint8Array(Buffer.from(INVERSE_CDF_DATA, 'base64')).buffer);
    expect(view.byteLength).toBe(16 * (SEGMENTS + 1));
    /** Half the distance to the next double. */
    const halfStep = (value: number): number => 2 ** (Math.floor(Math.log2(value)) - 53);
    let wrong = 0;
    for (let row = 0; row <= SEGMENTS; row++) {
      const octave = (row - 1) >> 6;
      const width = row === 0 ? 16 : 2 ** (octave + 5);
      const first = row === 0 ? 2 ** 11 - 16 : 2 ** (octave + 11) + ((row - 1) & 63) * width;
      const centre = onGrid(first + width / 2) >> 31n;
      const [x, slope] = [view.getFloat64(16 * row, true), view.getFloat64(16 * row + 8, true)];
      const [exact, step] = [onGrid(x), onGrid(halfStep(x))];
      // S falls: the solution lies between x − step and x + step.
      if (!(oracleTail(exact - step) >= centre && oracleTail(exact + step) <= centre)) wrong++;
      // x moved by Newton to the solution gives the slope there.
      const solution = exact + (((oracleTail(exact) - centre) * oracleSlope(exact)) >> ORACLE_BITS);
      const error = oracleSlope(solution) - onGrid(slope);
      if ((error < 0n ? -error : error) > onGrid(halfStep(slope))) wrong++;
    }
    expect(wrong).toBe(0);
  });
});
