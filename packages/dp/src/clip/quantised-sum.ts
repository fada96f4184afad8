/**
 * The clipped sum of the `secure` mode: each example becomes an integer vector whose norm is verified in exact integer
 * arithmetic, and integers are added, so that neither rounding nor the order of addition can raise the sensitivity.
 *
 * Guarantee: adding or removing one example changes `sum` by an integer vector z with ‖z‖² ≤ grid.maxSquaredNorm, for every
 * gradient that an engine can hand in, NaN and infinities included.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { NumericArray } from '@sotto/core/ops';
import type { Grid } from './grid.ts';

/** How an example's norm becomes its factor; see {@link ./clipping.ts}. */
export type ClipFactor = (norm: number, limit: number) => number;

/** A sum of examples on a grid. */
export class QuantisedSum {
  /** Σ z, integers. Private data until noise is added. */
  readonly sum: Float64Array;
  readonly #grid: Grid;
  readonly #factor: ClipFactor;
  /** Norms are brought below this many units before rounding, which moves each of D coordinates by at most half a unit. */
  readonly #target: number;
  readonly #scratch: Float64Array;
  readonly #rounded: Float64Array;
  #examples = 0;
  #nonFinite = 0;

  /**
   * @param dimension D, the number of coordinates.
   * @param maxExamples The most examples that may be added, from which it is checked that sums stay exact.
   */
  constructor(grid: Grid, dimension: number, maxExamples: number, factor: ClipFactor) {
    integer('dimension', dimension, 1);
    integer('maxExamples', maxExamples, 0);
    const target = grid.radius - Math.sqrt(dimension) / 2;
    if (!(target > 0.9 * grid.radius)) {
      throw new SottoError(
        'invalid-argument',
        `the grid has ${Math.floor(grid.radius)} steps within the clip norm, too few for ${dimension} parameters; raise gridBits`,
      );
    }
    if (maxExamples * Math.ceil(grid.radius) > 2 ** 52) {
      throw new SottoError('invalid-argument', `${maxExamples} examples on this grid could leave exact integers; lower gridBits`);
    }
    this.#grid = grid;
    this.#factor = factor;
    this.#target = target;
    this.sum = new Float64Array(dimension);
    this.#scratch = new Float64Array(dimension);
    this.#rounded = new Float64Array(dimension);
  }

  /** Examples added so far. Private data. */
  get examples(): number {
    return this.#examples;
  }

  /** Examples that held a NaN or an infinity and so contributed zero. Private data. */
  get nonFiniteExamples(): number {
    return this.#nonFinite;
  }

  /** Adds the example whose gradient is row `row` of matrices `[rows, width]`, one after the other in the flat vector. */
  addRow(parts: readonly { readonly values: NumericArray; readonly width: number }[], row: number): void {
    const scratch = this.#scratch;
    let at = 0;
    for (const { values, width } of parts) {
      const begin = row * width;
      for (let j = 0; j < width; j++) scratch[at++] = values[begin + j]!;
    }
    if (at !== scratch.length)
      throw new SottoError('internal', `a gradient has ${at} coordinates; the sum has ${scratch.length}`);
    this.#addScratch();
  }

  #addScratch(): void {
    const g = this.#scratch;
    this.#examples++;
    let largest = 0;
    let squares = 0;
    for (let j = 0; j < g.length; j++) {
      const value = g[j]!;
      const magnitude = Math.abs(value);
      if (magnitude > largest) largest = magnitude;
      squares += value * value;
    }
    // A NaN makes the squares NaN; an infinity makes the largest infinite. Either way the whole example counts as zero.
    if (Number.isNaN(squares) || largest === Infinity) {
      this.#nonFinite++;
      return;
    }
    let norm = Math.sqrt(squares);
    if (!(squares < 1e300) || squares < 1e-280) norm = scaledNorm(g, largest);
    const unit = this.#grid.unit;
    let factor = this.#factor(norm, this.#target * unit) / unit;
    // Rounding adds at most √D/2 to the norm, which the target leaves room for, so the first try nearly always holds. The check is what
    // the guarantee rests on: it holds for any factor, and an example that never passes contributes zero.
    if (!Number.isFinite(factor)) factor = 0;
    let within = this.#quantise(factor);
    for (let step = 2 ** -20; !within && step <= 1; step *= 2) {
      factor *= 1 - step;
      within = this.#quantise(factor);
    }
    if (!within) return;
    const sum = this.sum;
    const z = this.#rounded;
    for (let j = 0; j < z.length; j++) sum[j]! += z[j]!;
  }

  /** Rounds the example to the grid under a factor; tells whether it is within the exact bound. */
  #quantise(factor: number): boolean {
    const g = this.#scratch;
    const z = this.#rounded;
    let squares = 0;
    // Each square is an integer, and partial sums are exact below 2⁵³; beyond that they only grow, so that a violation stays one.
    for (let j = 0; j < g.length; j++) {
      const value = Math.round(g[j]! * factor);
      z[j] = value;
      squares += value * value;
    }
    return squares <= this.#grid.maxSquaredNorm;
  }
}

/** A norm whose squares would leave the range of doubles. */
function scaledNorm(g: Float64Array, largest: number): number {
  if (largest === 0) return 0;
  let squares = 0;
  for (let j = 0; j < g.length; j++) squares += (g[j]! / largest) ** 2;
  return largest * Math.sqrt(squares);
}
