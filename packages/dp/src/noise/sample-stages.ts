/**
 * The two loops that nearly all work on samples is done in, over arrays of one block: looking words up, and trying points of the remainder. Here in plain JavaScript; in
 * WebAssembly in wasm-stages.ts, with the same results.
 *
 * @module
 */
import { normalDensity } from './normal-density.ts';
import { CELL_BITS, CELLS, HEIGHT_BITS, INDEX_BITS, KAPPA_BITS, PLACE_BITS, TAIL } from './rectangle-table.ts';
import type { RectangleTable } from './rectangle-table.ts';

/** From k on a word is too short for a sample, and a byte more of each is used. */
export const LONG_SCALE_BITS: number = PLACE_BITS + CELL_BITS + 1;
/** Bits that are used of such a byte. */
export const MORE_BITS = 6;
/** Samples that may be made together. */
export const LANES = 8;

export const INDEX_MASK: number = 2 ** INDEX_BITS - 1;
export const PLACE_MASK: number = 2 ** PLACE_BITS - 1;

/** log₂ of the units in which y is known by its first word. */
export const CELL_UNIT_BITS: number = CELL_BITS + 32;

/**
 * What a comparison of doubles must be clear by, relative to the density: twice the error of {@link normalDensity}, so that a thousand times more is left than what
 * ρ + v·η and the comparison itself are rounded by.
 */
export const MARGIN: number = 2 ** -29;

/** The arrays of a block and the loops over them. */
export interface SampleStages {
  /** A uniform word for each sample; where the count is no multiple of {@link LANES}, 0 for as many more. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** Four uniform bytes in each word, one for each sample; read where k is at least {@link LONG_SCALE_BITS}. */
  readonly more: Uint32Array<ArrayBuffer>;
  /** Samples as integers, where the words were. */
  readonly integers: Int32Array<ArrayBuffer>;
  /** Samples as doubles. */
  readonly doubles: Float64Array<ArrayBuffer>;
  /** Positions of samples that are not made yet; what stands there until then is undefined. */
  readonly undecided: Uint32Array<ArrayBuffer>;
  /** Two uniform words for each undecided position: case, v and sign; then y's place. */
  readonly points: Uint32Array<ArrayBuffer>;
  /** For each point that doubles leave open its number and its position. */
  readonly open: Uint32Array<ArrayBuffer>;
  /** Makes `count` samples of words; returns how many are undecided, whose positions then are listed. Integers for k up to 26. */
  readonly lookUp: (count: number, toIntegers: boolean) => number;
  /**
   * Tries the points of the first `count` undecided positions. Positions whose point is rejected are moved to the front. Returns how many those are, and 2¹⁶ times how many
   * are open: points in the tail, and points too close to the curve.
   */
  readonly tryPoints: (count: number, toIntegers: boolean) => number;
  /** The same into memory that threads share, where the host has stages for it. */
  readonly shared?: SharedStages | undefined;
}

/** Stages whose samples are integers in a memory that threads share, from the address `to` on. */
export interface SharedStages {
  readonly buffer: SharedArrayBuffer;
  /** Counts are multiples of {@link LANES}; the words are overwritten with zeros. */
  readonly lookUp: (count: number, to: number) => number;
  readonly tryPoints: (count: number, to: number) => number;
}

/** For each cell ρᵢ and ηᵢ·2^−{@link PLACE_BITS}; for the tail a NaN, with which every comparison leaves its points open. */
export function comparisonRows({ heights, boxHeights, kappa }: RectangleTable): Float64Array {
  const rows = new Float64Array(2 * (CELLS + 1));
  for (let i = 0; i < CELLS; i++) {
    rows[2 * i] = heights[i]! / 2 ** HEIGHT_BITS;
    rows[2 * i + 1] = (boxHeights[i]! * kappa) / 2 ** (KAPPA_BITS + PLACE_BITS);
  }
  rows[2 * TAIL + 1] = NaN;
  return rows;
}

/** Stages in plain JavaScript for blocks of `capacity` samples, a multiple of {@link LANES}. */
export function javascriptStages(table: RectangleTable, capacity: number): SampleStages {
  const words = new Uint32Array(capacity);
  const integers = new Int32Array(words.buffer);
  const more = new Uint32Array(capacity / 4);
  const doubles = new Float64Array(capacity);
  const undecided = new Uint32Array(capacity);
  const points = new Uint32Array(2 * capacity);
  const open = new Uint32Array(2 * capacity);
  const bytes = new Uint8Array(more.buffer);
  const rows = comparisonRows(table);
  return {
    words,
    more,
    integers,
    doubles,
    undecided,
    points,
    open,
    lookUp: (count, toIntegers) =>
      toIntegers
        ? integersOf(table, integers, bytes, undecided, count)
        : doublesOf(table, integers, bytes, doubles, undecided, count),
    tryPoints: (count, toIntegers) => {
      const out = toIntegers ? integers : doubles;
      return tryPoints({ table, rows, out, undecided, points, open }, count);
    },
  };
}

// The loops name their constants for themselves: engines of JavaScript look those of other modules up at every turn.

/** Makes samples of words, where they are. */
function integersOf(
  { scaleBits, cells, rectangles }: RectangleTable,
  words: Int32Array,
  bytes: Uint8Array,
  undecided: Uint32Array,
  count: number,
): number {
  const [indexBits, indexMask, placeMask] = [INDEX_BITS, INDEX_MASK, PLACE_MASK];
  const moreBits = scaleBits >= LONG_SCALE_BITS ? MORE_BITS : 0;
  const moreMask = 2 ** moreBits - 1;
  const placeBits = PLACE_BITS + moreBits;
  const shift = placeBits + CELL_BITS - scaleBits;
  let found = 0;
  for (let i = 0; i < count; i++) {
    const word = words[i]!;
    const index = word & indexMask;
    const place = (cells[index]! << placeBits) | (((word >>> indexBits) & placeMask) << moreBits) | (bytes[i]! & moreMask);
    words[i] = (place >>> shift) ^ (word >> 31);
    if (index >= rectangles) undecided[found++] = i;
  }
  return found;
}

function doublesOf(
  { scaleBits, cells, rectangles }: RectangleTable,
  words: Int32Array,
  bytes: Uint8Array,
  doubles: Float64Array,
  undecided: Uint32Array,
  count: number,
): number {
  const [indexBits, indexMask, placeMask] = [INDEX_BITS, INDEX_MASK, PLACE_MASK];
  const moreBits = scaleBits >= LONG_SCALE_BITS ? MORE_BITS : 0;
  const moreMask = 2 ** moreBits - 1;
  const placeBits = PLACE_BITS + moreBits;
  const shift = placeBits + CELL_BITS - scaleBits;
  let found = 0;
  for (let i = 0; i < count; i++) {
    const word = words[i]!;
    const index = word & indexMask;
    const place = (cells[index]! << placeBits) | (((word >>> indexBits) & placeMask) << moreBits) | (bytes[i]! & moreMask);
    // −(m + ½) − ½ is −1 − m.
    doubles[i] = ((place >>> shift) + 0.5) * (1 + 2 * (word >> 31)) - 0.5;
    if (index >= rectangles) undecided[found++] = i;
  }
  return found;
}

interface Trial {
  readonly table: RectangleTable;
  readonly rows: Float64Array;
  readonly out: Int32Array | Float64Array;
  readonly undecided: Uint32Array;
  readonly points: Uint32Array;
  readonly open: Uint32Array;
}

function tryPoints({ table, rows, out, undecided, points, open }: Trial, count: number): number {
  const { scaleBits, boxes } = table;
  const delta = 2 ** -(scaleBits + 1);
  const toY = 2 ** -CELL_UNIT_BITS;
  const toSample = 2 ** (scaleBits - CELL_UNIT_BITS);
  const [indexBits, indexMask, placeMask, margin] = [INDEX_BITS, INDEX_MASK, PLACE_MASK, MARGIN];
  let left = 0;
  let opened = 0;
  for (let j = 0; j < count; j++) {
    const first = points[2 * j]! | 0;
    const i = boxes[first & indexMask]!;
    const sign = 1 + 2 * (first >> 31);
    const y = i * 0x100000000 + points[2 * j + 1]!;
    const density = normalDensity((y + 0.5) * toY - sign * delta);
    const step = rows[2 * i + 1]!;
    // By how much the curve is above the middle of what v may be, and by how much it must be to decide.
    const over = density - rows[2 * i]! - (((first >>> indexBits) & placeMask) + 0.5) * step;
    const needed = density * margin + 0.5 * step;
    const position = undecided[j]!;
    if (over >= needed) out[position] = (Math.floor(y * toSample) + 0.5) * sign - 0.5;
    else if (over <= -needed) undecided[left++] = position;
    else {
      open[2 * opened] = j;
      open[2 * opened + 1] = position;
      opened++;
    }
  }
  return left + 0x10000 * opened;
}
