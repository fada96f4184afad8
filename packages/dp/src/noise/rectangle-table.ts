/**
 * The rectangles under the bell curve from which nearly all samples come, and the boxes around what is left.
 *
 * **The law.** For X ~ N(0, 1) the sample is round(2ᵏX) = ⌊2ᵏ(X + δ)⌋ with δ = 2^−(k+1); ties have probability zero. Let Y = X + δ. A sign s and a y ≥ 0 stand for
 * Y = y or Y = −y, of density φ(y − δ) and φ(y + δ), and the sample is m = ⌊2ᵏy⌋ or, but for ties, ⌊−2ᵏy⌋ = −1 − m: the bits of m, all inverted. So it is a function of
 * (s, y), and exact when they have exactly that density.
 *
 * **Rectangles, wedges, tail** (Marsaglia 1964; Knuth, The Art of Computer Programming, vol. 2, 3.4.1). The half-line is cut into cells [i/64, (i + 1)/64), i = 0 … 254, and a
 * tail from 255/64 on. The density over a cell is written as a constant ρᵢ plus what is left, which is never negative:
 *
 *   f(s, y) = ρᵢ + (f(s, y) − ρᵢ),  ρᵢ = nᵢ/256 ≤ φ((i + 1)/64 + δ),
 *
 * the least of f over the cell for both signs. A rectangle has probability ρᵢ/64 for each sign: nᵢ of 2¹⁴ equally likely cases. So of a uniform word 13 bits are looked up
 * in a table where i stands nᵢ times, one bit is the sign, and all other bits are y's place in the cell, where it is uniform: nothing is computed, and nothing is rounded. The Σnᵢ
 * cases make up about 98 %. In the others (s, y) must have density f − ρ, divided by what is missing to 1.
 *
 * **What is left** is drawn by rejection, until accepted, from boxes: i with probability Eᵢ/2¹³, a fair sign, y uniform in the cell; accepted with probability
 * (f(s, y) − ρᵢ)/ηᵢ, where ηᵢ = κEᵢ ≥ φ(max(0, i/64 − δ)) − ρᵢ is the box's height. The accepted density is proportional to f − ρ, with the same factor everywhere. In
 * the tail, with probability E/2¹³, y = 255/64 + (g + u)/4 with P(g) = 2^−(g+1) and u uniform; the box of g has the height κE·2^−(g+5), which has the same
 * factor, and holds f: φ falls by more than a half over a quarter beyond 255/64 − ½. How v·ηᵢ < f − ρᵢ is decided for a uniform v, without ever being wrong, is in wedge.ts.
 *
 * So no probability is approximated: nᵢ, Eᵢ and κ are integers and a power of two, which need not be the best but only to satisfy the two inequalities.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { ScaledDensity } from './normal-density.ts';

/** log₂ of the cells in a unit of y. */
export const CELL_BITS = 6;
/** Cells with a number of their own. */
export const CELLS = 255;
/** What stands for the tail beyond them. */
export const TAIL = 255;
/** log₂ of the cases of either table. */
export const INDEX_BITS = 13;
/** Bits of a word that are neither sign nor case. */
export const PLACE_BITS: number = 32 - 1 - INDEX_BITS;
/** κ is a whole number of 2⁻⁴⁰. */
export const KAPPA_BITS = 40;

const CASES = 2 ** INDEX_BITS;
/** ρᵢ = nᵢ/2⁸. */
export const HEIGHT_BITS: number = INDEX_BITS + 1 - CELL_BITS;
/** Bits of the densities that the tables are made from. */
const PRECISION = 64n;

/** The decomposition for one k. */
export interface RectangleTable {
  /** k: the standard deviation is 2ᵏ units. */
  readonly scaleBits: number;
  /** How many cases belong to rectangles. They are the first ones. */
  readonly rectangles: number;
  /** For each case its cell; 0 beyond the rectangles. */
  readonly cells: Uint8Array;
  /** nᵢ for each cell, and 0 for the tail. */
  readonly heights: Uint16Array;
  /** For each case of the remainder its cell, or {@link TAIL}. */
  readonly boxes: Uint8Array;
  /** Eᵢ for each cell, and for the tail. */
  readonly boxHeights: Uint16Array;
  /** 2⁴⁰·κ. */
  readonly kappa: number;
}

/** Eᵢ for boxes that must be so high, in units of 2^−`PRECISION`, where κ is so large. */
function boxesOf(needs: readonly bigint[], kappa: bigint): bigint[] {
  const unit = kappa << (PRECISION - BigInt(KAPPA_BITS));
  return needs.map((need) => (need + unit - 1n) / unit);
}

/** A table in which each index stands as often as is said. */
function spread(counts: ArrayLike<number>): Uint8Array {
  const table = new Uint8Array(CASES);
  for (let i = 0, at = 0; i < counts.length; at += counts[i]!, i++) table.fill(i, at, at + counts[i]!);
  return table;
}

/**
 * Makes the tables of a k. Takes some milliseconds; make them once per mechanism.
 *
 * @param scaleBits k, from 0 to 30.
 */
export function rectangleTable(scaleBits: number): RectangleTable {
  integer('scaleBits', scaleBits, 0, 30);
  const density = new ScaledDensity(PRECISION);
  // Places in units of 2^−shift, of which both a cell and δ are whole numbers.
  const shift = BigInt(Math.max(CELL_BITS, scaleBits + 1));
  const cell = 1n << (shift - BigInt(CELL_BITS));
  const offset = 1n << (shift - BigInt(scaleBits) - 1n);
  const heights = new Uint16Array(CELLS + 1);
  const needs: bigint[] = [];
  for (let i = 0; i <= CELLS; i++) {
    const begin = BigInt(i) * cell - offset;
    const most = density.at(begin < 0n ? 0n : begin, shift) + 1n;
    if (i === TAIL) {
      needs.push(most << 5n);
      break;
    }
    const least = density.at(BigInt(i + 1) * cell + offset, shift) - 1n;
    heights[i] = Number((least << BigInt(HEIGHT_BITS)) >> PRECISION);
    needs.push(most - (BigInt(heights[i]!) << (PRECISION - BigInt(HEIGHT_BITS))));
  }
  // The least κ for which the boxes are at most 2¹³.
  let [low, high] = [0n, 1n << BigInt(KAPPA_BITS)];
  while (high - low > 1n) {
    const kappa = (low + high) / 2n;
    const total = boxesOf(needs, kappa).reduce((a, b) => a + b, 0n);
    if (total <= BigInt(CASES)) high = kappa;
    else low = kappa;
  }
  const boxHeights = Uint16Array.from(boxesOf(needs, high), Number);
  // Higher than needed is allowed.
  boxHeights[0]! += CASES - boxHeights.reduce((a, b) => a + b, 0);
  const rectangles = heights.reduce((a, b) => a + b, 0);
  if (rectangles > CASES) throw new SottoError('internal', 'the rectangles hold more than the whole law');
  return {
    scaleBits,
    rectangles,
    cells: spread(heights),
    heights,
    boxes: spread(boxHeights),
    boxHeights,
    kappa: Number(high),
  };
}
