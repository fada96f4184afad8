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
import type { Grid } from './grid.ts';
import { javascriptKernel, vectorKernel } from './row-kernel.ts';
import type { RowKernel, RowParts, VectorKernel } from './row-kernel.ts';

/** How an example's norm becomes its factor; see {@link ./clipping.ts}. */
export type ClipFactor = (norm: number, limit: number) => number;

/** Coordinates from which vectors save more in a step than it takes to compile them, about a millisecond. The sums are the same. */
const VECTOR_WORTH = 4096;

/** A sum of examples on a grid. */
export class QuantisedSum {
  readonly #grid: Grid;
  readonly #factor: ClipFactor;
  /** Ends of the groups that are clipped apart from each other; one group ends at D. */
  readonly #ends: readonly number[];
  /** A group's share of the squared norm, an integer: groups × share ≤ grid.maxSquaredNorm. */
  readonly #maxSquaredNorm: number;
  readonly #dimension: number;
  /** Made when the first row comes: in `fast` mode none may. */
  #sum: Float64Array | undefined;
  #vector: VectorKernel | undefined;
  #plain: RowKernel | undefined;
  #examples = 0;
  #nonFinite = 0;

  /**
   * @param dimension D, the number of coordinates.
   * @param maxExamples The most examples that may be added, from which it is checked that sums stay exact.
   * @param groupEnds Where each group of coordinates that is clipped by itself ends; the last is D.
   * @param rowsPerUnit k, where up to k rows belong to one unit: each is held to a k-th of the norm, so that together they keep the bound.
   */
  constructor(
    grid: Grid,
    dimension: number,
    maxExamples: number,
    factor: ClipFactor,
    groupEnds: readonly number[] = [dimension],
    rowsPerUnit: number = 1,
  ) {
    integer('dimension', dimension, 1);
    integer('maxExamples', maxExamples, 0);
    if (groupEnds.at(-1) !== dimension || groupEnds.some((end, i) => end <= (groupEnds[i - 1] ?? 0))) {
      throw new SottoError('invalid-argument', `groupEnds is [${groupEnds.join(', ')}]; it must rise and end at ${dimension}`);
    }
    // k rows of norm ≤ √(M/k²) add up to at most √M.
    this.#maxSquaredNorm = Math.floor(Math.floor(grid.maxSquaredNorm / rowsPerUnit ** 2) / groupEnds.length);
    groupEnds.forEach((end, i) => {
      if (!(this.#target(end - (groupEnds[i - 1] ?? 0)) > 0.9 * Math.sqrt(this.#maxSquaredNorm))) {
        throw new SottoError(
          'invalid-argument',
          `the grid has ${Math.floor(grid.radius)} steps within the clip norm, too few for ${dimension} parameters; raise gridBits`,
        );
      }
    });
    if (maxExamples * Math.ceil(grid.radius) > 2 ** 52) {
      throw new SottoError('invalid-argument', `${maxExamples} examples on this grid could leave exact integers; lower gridBits`);
    }
    this.#grid = grid;
    this.#factor = factor;
    this.#ends = groupEnds;
    this.#dimension = dimension;
  }

  /** Σ z, integers. Private data until noise is added. */
  get sum(): Float64Array {
    if (this.#sum === undefined) {
      // Groups begin and end anywhere, where vectors do not.
      const worth = this.#ends.length === 1 && this.#dimension >= VECTOR_WORTH;
      this.#vector = worth ? vectorKernel(this.#dimension) : undefined;
      this.#sum = this.#vector?.sum ?? new Float64Array(this.#dimension);
    }
    return this.#sum;
  }

  /** Overwrites the sum and the last gradient. */
  wipe(): void {
    this.#sum?.fill(0);
    this.#vector?.kernel.wipe();
    this.#plain?.wipe();
  }

  #kernelFor(parts: RowParts): RowKernel {
    const { sum } = this;
    if (this.#vector !== undefined && parts.every(({ values }) => values instanceof Float32Array)) return this.#vector.kernel;
    return (this.#plain ??= javascriptKernel(sum));
  }

  /** Norms are brought below this many units before rounding, which moves each coordinate by at most half a unit. */
  #target(width: number): number {
    return Math.sqrt(this.#maxSquaredNorm) - Math.sqrt(width) / 2;
  }

  /** Examples added so far. Private data. */
  get examples(): number {
    return this.#examples;
  }

  /** Examples that held a NaN or an infinity and so contributed zero. Private data. */
  get nonFiniteExamples(): number {
    return this.#nonFinite;
  }

  /**
   * Adds the example whose gradient is row `row` of matrices `[rows, width]`, one after the other in the flat vector.
   *
   * @returns the norm of the gradient before clipping, of the last group where there are several; NaN where it counted as zero. Private data.
   */
  addRow(parts: RowParts, row: number): number {
    const width = parts.reduce((total, part) => total + part.width, 0);
    if (width !== this.#dimension)
      throw new SottoError('internal', `a gradient has ${width} coordinates; the sum has ${this.#dimension}`);
    if (parts.some((part) => part.values.length < (row + 1) * part.width))
      throw new SottoError('internal', `a matrix of gradients has no row ${row}`);
    const kernel = this.#kernelFor(parts);
    kernel.load(parts, row);
    this.#examples++;
    let norm = 0;
    let begin = 0;
    for (const end of this.#ends) {
      norm = this.#roundGroup(kernel, begin, end);
      // One bad coordinate makes the whole example count as zero.
      if (Number.isNaN(norm)) {
        this.#nonFinite++;
        return norm;
      }
      begin = end;
    }
    kernel.add();
    return norm;
  }

  /** Clips and rounds one group of the loaded gradient, and returns its norm; NaN where it holds a NaN or an infinity. */
  #roundGroup(kernel: RowKernel, begin: number, end: number): number {
    const norm = kernel.norm(begin, end);
    if (Number.isNaN(norm)) return norm;
    const unit = this.#grid.unit;
    let factor = this.#factor(norm, this.#target(end - begin) * unit) / unit;
    // Rounding adds at most √D/2 to the norm, which the target leaves room for, so the first try nearly always holds. The check is what
    // the guarantee rests on: it holds for any factor, and a group that never passes contributes zero.
    if (!Number.isFinite(factor)) factor = 0;
    let within = kernel.quantise(begin, end, factor) <= this.#maxSquaredNorm;
    for (let step = 2 ** -20; !within && step <= 1; step *= 2) {
      factor *= 1 - step;
      within = kernel.quantise(begin, end, factor) <= this.#maxSquaredNorm;
    }
    if (!within) kernel.discard(begin, end);
    return norm;
  }
}
