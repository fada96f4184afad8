/**
 * Piecewise polynomials for the Gaussian's inverse distribution function, with proven error bounds.
 *
 * **The map.** For X ~ N(0, 1) let S(x) = P(|X| > x) and x(u) = S⁻¹(u). With u uniform on (0, 1), x(u) is distributed as |X|, and with a fair
 * sign s, s·⌊2ᵏx(u) + ½⌋ is distributed as round(2ᵏX); ties have probability zero. So Y(u) = 2ᵏx(u) + ½ is all that must be known, and of Y only
 * its floor. Below, u is an infinite string of uniform bits of which a prefix is known: u lies in an interval of width 2ω around its middle.
 *
 * **The claim.** For a row of the table and a stage (1: 31 bits known, degree 4; 2: 63 bits known, degree 6) the computed ŷ satisfies
 * |ŷ − Y(u)| ≤ δ for *every* u in the interval. Where the fraction of ŷ is more than δ away from 0 and from 1, ⌊Y(u)⌋ = ⌊ŷ⌋ is certain; otherwise
 * the caller draws more bits. No sample is ever decided by an approximation.
 *
 * **Segments.** u is measured in units of 2⁻³¹. Octave o = 0 … 19 is [2^(11+o), 2^(12+o)), cut into 64 segments of width 2^(5+o), so that rows ascend
 * with u and the ends of segments are integers: the interval of a prefix never crosses one. Let c be the segment's centre, τ = u − c for the middle u,
 * and |τ| ≤ R, half the segment's width.
 *
 * **The polynomial** is Taylor's at c. dx/du = −D with D = √(π/2)·e^(x²/2), and dD/du = −x·D², so by induction
 * x⁽ⁿ⁾ = Pₙ(x)·(−D)ⁿ with P₁ = 1 and Pₙ₊₁ = Pₙ' + n·x·Pₙ. All coefficients of all Pₙ are non-negative integers: there is no cancellation, and
 * |x⁽ⁿ⁾| falls as u rises. A bound for a segment is therefore a value at any point below it; the centre of the row beneath serves, written x₋ and D₋.
 *
 * **The error**, in units of the output, with ε = 2⁻⁵³, s = 2ᵏ (multiplying by it is exact) and Bₙ = s·Pₙ(x₋)·D₋ⁿ·Rⁿ/n!:
 * - width of the interval: ω·s·D₋ by the mean value theorem;
 * - truncation at degree m: Bₘ₊₁ by Lagrange's form of the remainder;
 * - the constant term: x is within ε·x of the truth (the data are correctly rounded), adding ½ costs another ε·(s·x + ½), and so does the last addition
 *   of Horner's scheme: together at most 3ε·(s·x₋ + 1);
 * - the other terms: a coefficient takes at most 5n + 3 ≤ 33 roundings (x and D rounded; Pₙ by Horner, all terms positive; powers, product and quotient), Horner's scheme 2n + 1 ≤ 13
 *   on term n, τ itself at most one: fewer than 64, so at most 64ε·(1 + 64ε)·ΣBₙ < 65ε·ΣBₙ.
 *
 * δ is the sum times 1 + 2⁻²⁰, plus 2⁻⁵²: the first covers the roundings of this very computation and of x₋ and D₋, the second those of ½ − δ and of taking the fraction.
 *
 * @module
 */
import { fromBase64 } from '@sotto/core/bytes';
import { integer } from '@sotto/core/check';
import { INVERSE_CDF_DATA } from './inverse-cdf-data.ts';

/** Rows with a polynomial; row 0 lies below them and is always undecided. */
export const SEGMENTS = 1280;
/** The least 31-bit prefix that the table covers. */
export const FIRST_PREFIX: number = 2 ** 11;
/** Doubles per row of the first stage: c₀ … c₄, limit, offset, unused. Two doubles make a SIMD vector. */
export const ROW_DOUBLES = 8;
/** Doubles per row of the second stage: c₅, c₆, limit, unused. */
export const SECOND_ROW_DOUBLES = 4;

const LAST_DEGREE = 6;
const FIRST_DEGREE = 4;
const EPSILON = 2 ** -53;

/** The polynomials of one k. A `limit` is ½ − δ: a sample is decided where the fraction of ŷ is at most so far from ½. */
export interface InverseCdfTable {
  /** k: the standard deviation is 2ᵏ units. */
  readonly scaleBits: number;
  /** Stage 1. The polynomial's argument is prefix − offset, which is the middle of the prefix's interval minus c. */
  readonly rows: Float64Array;
  /** Stage 2. The lower coefficients and the offset are those of stage 1. */
  readonly secondRows: Float64Array;
}

/** The row of a 31-bit prefix, 0 for those below the table. */
export function rowOf(prefix: number): number {
  const covered = prefix < FIRST_PREFIX ? FIRST_PREFIX - 1 : prefix;
  const zeros = Math.clz32(covered);
  return ((20 - zeros) << 6) + ((covered << zeros) >>> 25) - 63;
}

/** Pₙ for n = 1 … `last`, ascending coefficients. */
function derivativePolynomials(last: number): number[][] {
  const all: number[][] = [[], [1]];
  for (let n = 1; n < last; n++) {
    const p = all[n]!;
    all.push(Array.from({ length: n + 1 }, (_, i) => (i + 1) * (p[i + 1] ?? 0) + n * (p[i - 1] ?? 0)));
  }
  return all;
}

function horner(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i]!;
  return sum;
}

/** x and D at the centres of all rows, as little-endian doubles. */
function centreValues(): Float64Array {
  const bytes = fromBase64(INVERSE_CDF_DATA);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: 2 * (SEGMENTS + 1) }, (_, i) => view.getFloat64(8 * i, true));
}

/**
 * Scales the polynomials and their bounds to a k. Takes a few milliseconds; make it once per mechanism.
 *
 * @param scaleBits k, from 0 to 30.
 */
export function inverseCdfTable(scaleBits: number): InverseCdfTable {
  integer('scaleBits', scaleBits, 0, 30);
  const scale = 2 ** scaleBits;
  const values = centreValues();
  const polynomials = derivativePolynomials(LAST_DEGREE + 1);
  const rows = new Float64Array((SEGMENTS + 1) * ROW_DOUBLES);
  const secondRows = new Float64Array((SEGMENTS + 1) * SECOND_ROW_DOUBLES);
  rows[5] = -1;
  secondRows[2] = -1;
  for (let row = 1; row <= SEGMENTS; row++) {
    const octave = (row - 1) >> 6;
    const radius = 2 ** (octave + 4);
    const centre = 2 ** (octave + 11) + ((row - 1) & 63) * 2 * radius + radius;
    const [xBelow, slopeBelow, x, slope] = [
      values[2 * row - 2]!,
      values[2 * row - 1]! / 2 ** 31,
      values[2 * row]!,
      values[2 * row + 1]! / 2 ** 31,
    ];
    const coefficients = [scale * x + 0.5];
    const bounds = [0];
    // Powers by multiplication: the language leaves the accuracy of `**` on fractions open.
    for (let n = 1, factorial = 1, power = scale, powerBelow = scale; n <= LAST_DEGREE + 1; n++) {
      factorial *= n;
      power *= -slope;
      powerBelow *= slopeBelow * radius;
      coefficients.push((horner(polynomials[n]!, x) * power) / factorial);
      bounds.push((horner(polynomials[n]!, xBelow) * powerBelow) / factorial);
    }
    const limit = (degree: number, halfWidth: number): number => {
      const others = bounds.slice(1, degree + 1).reduce((a, b) => a + b, 0);
      const rounding = EPSILON * (3 * (scale * xBelow + 1) + 65 * others);
      const error = halfWidth * scale * slopeBelow + bounds[degree + 1]! + rounding;
      return 0.5 - (error * (1 + 2 ** -20) + 2 ** -52);
    };
    rows.set([...coefficients.slice(0, FIRST_DEGREE + 1), limit(FIRST_DEGREE, 0.5), centre - 0.5], row * ROW_DOUBLES);
    secondRows.set([coefficients[5]!, coefficients[6]!, limit(LAST_DEGREE, 2 ** -33)], row * SECOND_ROW_DOUBLES);
  }
  return { scaleBits, rows, secondRows };
}
