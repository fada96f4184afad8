import { describe, expect, it } from 'vitest';
import { createFastGaussian } from '../../../packages/dp/src/noise/fast-gaussian.ts';
import type { BulkWordSource } from '../../../packages/dp/src/noise/fast-gaussian.ts';
import { rectangleTable, TAIL } from '../../../packages/dp/src/noise/rectangle-table.ts';
import type { RectangleTable } from '../../../packages/dp/src/noise/rectangle-table.ts';
import type { SampleStages } from '../../../packages/dp/src/noise/sample-stages.ts';
import { wasmStages } from '../../../packages/dp/src/noise/wasm-stages.ts';
import { settlePoint } from '../../../packages/dp/src/noise/wedge.ts';
import { chiSquareTest, moments } from '../support/statistics.ts';
import { boundary, onGrid, oracleTail, toNumber } from './fast-oracle.ts';

const BLOCK = 2 ** 13;

/** What a sweep of 2¹⁷ and 2²³ points may be off by where two samples in a hundred come from the second. */
const SWEPT = 4e-6;

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

/** P(round(2ᵏ·|X|) ≥ m). */
const atLeast = (m: number, scaleBits: number): number => toNumber(boundary(m, scaleBits));

/** Limits at ends of cells, in sixteenths of a standard deviation. */
const SIXTEENTHS = 72;

/** Adds to `counts[l]` the samples whose magnitude is in sixteenth l; NaN counts nowhere. */
function countSixteenths(counts: Float64Array, samples: Float64Array, scaleBits: number): void {
  const scale = 16 / 2 ** scaleBits;
  for (const z of samples) {
    const l = Math.min(SIXTEENTHS, Math.floor(Math.abs(z) * scale));
    if (l >= 0) counts[l]!++;
  }
}

/** Tries as many points as a block has, each for the position of its own number; rejected ones leave a NaN. */
function tryBlock(stages: SampleStages, table: RectangleTable, bits: BulkWordSource): Float64Array {
  const { doubles, undecided, points, open } = stages;
  for (let i = 0; i < BLOCK; i++) undecided[i] = i;
  const tried = stages.tryPoints(BLOCK, false);
  for (let j = 0; j < (tried & 0xffff); j++) doubles[undecided[j]!] = NaN;
  for (let o = 0; o < tried >>> 16; o++) {
    const j = open[2 * o]!;
    doubles[open[2 * o + 1]!] = settlePoint(table, points[2 * j]!, points[2 * j + 1]!, bits) ?? NaN;
  }
  return doubles;
}

/**
 * The greatest error of P(|sample| ≥ m) as the tables and the two stages make it, by running through words evenly instead of at random: every case of the first word with 8 places and
 * both signs, then every box with 32 places, 16 values of v and both signs. What the second sweep accepts has the probability that the first one leaves over.
 */
function sweptBias(table: RectangleTable): number {
  const { scaleBits } = table;
  const stages = wasmStages(table, BLOCK)!;
  const bits = testWords(scaleBits + 9);
  const [first, second] = [new Float64Array(SIXTEENTHS + 1), new Float64Array(SIXTEENTHS + 1)];
  for (let sweep = 0; sweep < 2 * 8; sweep++) {
    const sign = (sweep % 2) * 2 ** 31;
    for (let index = 0; index < 2 ** 13; index++)
      stages.words[index] = sign + ((sweep >> 1) * 2 ** 15 + (bits.word() >>> 17)) * 2 ** 13 + index;
    stages.more.fill(0x20202020);
    // Undecided cases are the last ones.
    countSixteenths(first, stages.doubles.subarray(0, BLOCK - stages.lookUp(BLOCK, false)), scaleBits);
  }
  for (let sweep = 0; sweep < 2 * 32 * 16; sweep++) {
    const sign = (sweep % 2) * 2 ** 31;
    const place = ((sweep >> 1) % 32) * 2 ** 27;
    const v = (sweep >> 6) * 2 ** 14;
    for (let index = 0; index < 2 ** 13; index++) {
      stages.points[2 * index] = sign + (v + (bits.word() >>> 18)) * 2 ** 13 + index;
      stages.points[2 * index + 1] = place + (bits.word() >>> 5);
    }
    countSixteenths(second, tryBlock(stages, table, bits), scaleBits);
  }
  const total = (counts: Float64Array): number => counts.reduce((a, b) => a + b, 0);
  const decided = total(first) / 2 ** 17;
  const accepted = total(second);
  let [worst, probability] = [0, 0];
  for (let l = SIXTEENTHS; l > 0; l--) {
    probability += first[l]! / 2 ** 17 + ((1 - decided) * second[l]!) / accepted;
    const m = (l / 16) * 2 ** scaleBits;
    if (Number.isInteger(m)) worst = Math.max(worst, Math.abs(probability - atLeast(m, scaleBits)));
  }
  return worst;
}

describe('fast Gaussian distribution, swept', () => {
  it.each([
    [0, 3e-5],
    [24, SWEPT],
  ])('has probabilities exact to some millionths at k = %d, as far as a sweep can tell', (scaleBits, most) => {
    expect(sweptBias(rectangleTable(scaleBits))).toBeLessThan(most);
  });

  it('shows a rectangle that is a unit too high in a table, and boxes that are too low', () => {
    const table = rectangleTable(24);
    const cells = table.cells.slice();
    cells[table.rectangles] = 64; // density near 1 raised by 1/256 of a sixty-fourth, without the rest knowing
    expect(sweptBias({ ...table, cells, rectangles: table.rectangles + 1 })).toBeGreaterThan(5 * SWEPT);
    const low = { ...table, kappa: Math.floor(table.kappa * 0.7) };
    expect(sweptBias(low)).toBeGreaterThan(5 * SWEPT);
  });
});

describe('fast Gaussian distribution, sampled', () => {
  const SAMPLES = 2 ** 22;
  const draw = (scaleBits: number, count: number = SAMPLES): Float64Array => {
    const out = new Float64Array(count);
    createFastGaussian(scaleBits).fill(out, testWords(scaleBits + 1));
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

  it.each([0, 6, 24, 30])('has the tail of the Gaussian beyond four standard deviations at k = %d', (scaleBits) => {
    const table = rectangleTable(scaleBits);
    const stages = wasmStages(table, BLOCK)!;
    const words = testWords(77);
    const index = table.boxes.indexOf(TAIL);
    const samples: number[] = [];
    while (samples.length < 60_000) {
      words.fill(stages.points);
      for (let i = 0; i < BLOCK; i++) stages.points[2 * i] = ((stages.points[2 * i]! >>> 13) << 13) + index;
      samples.push(...tryBlock(stages, table, words).filter((z) => !Number.isNaN(z)));
    }
    // m and −1 − m stand for places y and −y, so that a negative sample lies half a unit farther out than it seems, and a positive one half a unit nearer.
    const limits = [4, 4.1, 4.25, 4.5, 4.75, 5, 5.5]
      .map((x) => Math.ceil(x * 2 ** scaleBits))
      .filter((m, l, all) => all.indexOf(m) === l);
    const beyond = (m: number): number => samples.filter((z) => (z < 0 ? -1 - z : z) >= m).length;
    const mass = (m: number): number => {
      const [y, delta] = [onGrid(m / 2 ** scaleBits), onGrid(2 ** -(scaleBits + 1))];
      return toNumber(oracleTail(y - delta)) + toNumber(oracleTail(y + delta));
    };
    const all = beyond(limits[0]!);
    expect(all).toBeGreaterThan(30_000);
    for (const m of limits.slice(1)) {
      const expected = (all * mass(m)) / mass(limits[0]!);
      expect(Math.abs(beyond(m) - expected)).toBeLessThan(4 * Math.sqrt(expected) + 1);
    }
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
