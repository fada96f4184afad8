/**
 * Draws what lies between the rectangles and the bell curve, and its tail: by rejection, where a comparison of doubles decides when it can, and integers of any
 * length when it cannot.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { DENSITY_REACH, normalDensity, ScaledDensity } from './normal-density.ts';
import { CELL_BITS, HEIGHT_BITS, INDEX_BITS, KAPPA_BITS, PLACE_BITS, TAIL } from './rectangle-table.ts';
import type { RectangleTable } from './rectangle-table.ts';
import type { NoiseValues } from './step-noise.ts';

/** A fair source never needs so many: it would agree with a boundary in all of them, or show nothing but zeros, with probability below 2⁻²⁰⁰⁰. */
const MOST_BITS = 2048;

/**
 * What a comparison of doubles must be clear by, relative to the density: twice the error of {@link normalDensity}, so that a thousand times more is left than what
 * ρ + v·η and the comparison itself are rounded by.
 */
const MARGIN: number = 2 ** -29;

/** Which half of a double has its sign, in this machine's order. */
const UPPER = new Uint8Array(Uint16Array.of(1).buffer)[0]!;

/** log₂ of the units in which y is known by its first word: in a cell, and in the tail, whose intervals are a quarter wide. */
const CELL_UNIT_BITS = CELL_BITS + 32;
const TAIL_UNIT_BITS = 2 + 32;
const INDEX_MASK = 2 ** INDEX_BITS - 1;
const PLACE_MASK = 2 ** PLACE_BITS - 1;
const TAIL_BEGIN = TAIL * 2 ** (TAIL_UNIT_BITS - CELL_BITS);

/** Where further bits come from. */
export interface WordSource {
  /** A uniform integer in [0, 2³²). */
  word(): number;
}

/** The error where a source does what a fair one never does. */
export function brokenSource(): SottoError {
  return new SottoError(
    'internal',
    `the random source gave ${MOST_BITS} bits that no fair one gives; it is broken, so no noise is made of it`,
  );
}

/** A point above a rectangle, of which some bits are known. */
export interface BoxedPoint {
  /** Whether the density is φ(y + δ) rather than φ(y − δ). */
  readonly negative: boolean;
  /** y lies in [`y`, `y` + 1)·2^−`yBits`; `yBits` > k. */
  readonly y: bigint;
  readonly yBits: bigint;
  /** v lies in [`v`, `v` + 1)·2^−`vBits`. */
  readonly v: bigint;
  readonly vBits: bigint;
  /** ρ·2^{@link HEIGHT_BITS}. */
  readonly floor: bigint;
  /** η·2^`heightBits`. */
  readonly height: bigint;
  readonly heightBits: bigint;
}

/** Whether ρ + v·η < φ(y ∓ δ), δ = 2^−(k+1). Draws as many further bits of y and v as that takes, a word of each at a time. */
export function liesUnderCurve(point: BoxedPoint, scaleBits: number, source: WordSource): boolean {
  const { negative, floor, height, heightBits } = point;
  let { y, yBits, v, vBits } = point;
  for (;;) {
    // δ is a whole number of the interval's widths: zero may be an end of the interval, but never lies within.
    const delta = 1n << (yBits - BigInt(scaleBits) - 1n);
    const begin = negative ? y + delta : y - delta;
    const [nearest, farthest] = begin < 0n ? [-begin - 1n, -begin] : [begin, begin + 1n];
    const bits = heightBits + vBits + BigInt(HEIGHT_BITS);
    const density = new ScaledDensity(bits);
    const beneath = floor << (bits - BigInt(HEIGHT_BITS));
    const step = height << BigInt(HEIGHT_BITS);
    if (beneath + (v + 1n) * step <= density.at(farthest, yBits) - 1n) return true;
    if (beneath + v * step >= density.at(nearest, yBits) + 1n) return false;
    if (vBits > MOST_BITS) throw brokenSource();
    y = (y << 32n) | BigInt(source.word());
    v = (v << 32n) | BigInt(source.word());
    yBits += 32n;
    vBits += 32n;
  }
}

/** g with probability 2^−(g+1): the zeros before the first one. */
function leadingZeros(source: WordSource): number {
  for (let found = 0; found < MOST_BITS; found += 32) {
    const word = source.word();
    if (word !== 0) return found + Math.clz32(word);
  }
  throw brokenSource();
}

/** Draws samples of the remainder; see rectangle-table.ts. */
export class Wedge {
  readonly #table: RectangleTable;
  /** ρᵢ. */
  readonly #floors: Float64Array;
  /** ηᵢ·2^−`PLACE_BITS`. */
  readonly #steps: Float64Array;
  /** A double and its two halves: the upper one has the sign. */
  readonly #excess: Float64Array = new Float64Array(1);
  readonly #halves: Int32Array = new Int32Array(this.#excess.buffer);

  constructor(table: RectangleTable) {
    const { heights, boxHeights, kappa } = table;
    this.#table = table;
    this.#floors = Float64Array.from(heights, (n) => n / 2 ** HEIGHT_BITS);
    this.#steps = Float64Array.from(boxHeights, (e) => (e * kappa) / 2 ** (KAPPA_BITS + PLACE_BITS));
  }

  /**
   * Tries to make a sample for each of `count` positions of `out` from two words: case, v and sign; then y's place. Positions whose point is rejected are moved to the
   * front of `positions`, and their number is returned. Further words, for the tail and where the comparison is close, come from the source.
   */
  tryEach(out: NoiseValues, positions: Uint32Array, count: number, words: Uint32Array, source: WordSource): number {
    const { scaleBits, boxes } = this.#table;
    const floors = this.#floors;
    const steps = this.#steps;
    const excess = this.#excess;
    const halves = this.#halves;
    const delta = 2 ** -(scaleBits + 1);
    const toY = 2 ** -CELL_UNIT_BITS;
    const toSample = 2 ** (scaleBits - CELL_UNIT_BITS);
    let left = 0;
    for (let j = 0; j < count; j++) {
      const first = words[2 * j]! | 0;
      const place = words[2 * j + 1]!;
      const i = boxes[first & INDEX_MASK]!;
      const sign = 1 + 2 * (first >> 31);
      const y = i * 0x100000000 + place;
      const density = normalDensity((y + 0.5) * toY - sign * delta);
      const step = steps[i]!;
      const over = density - floors[i]! - (((first >>> INDEX_BITS) & PLACE_MASK) + 0.5) * step;
      const position = positions[j]!;
      if (Math.abs(over) < density * MARGIN + 0.5 * step || i === TAIL) {
        const sample = i === TAIL ? this.#tryTail(first, place, source) : this.#decide(first, i, y, source);
        if (sample === undefined) positions[left++] = position;
        else {
          out[position] = sample;
          // 32 standard deviations out, or more, where 32 bits do not hold it.
          if (out[position] !== sample) throw brokenSource();
        }
        continue;
      }
      // Sign and acceptance are as good as random: what depends on them is computed, not branched on. −(m + ½) − ½ is −1 − m.
      out[position] = (Math.floor(y * toSample) + 0.5) * sign - 0.5;
      positions[left] = position;
      excess[0] = over;
      left += halves[UPPER]! >>> 31;
    }
    return left;
  }

  /** The sample of a point, or undefined where it is rejected. */
  #decide(first: number, i: number, y: number, source: WordSource, g: number = 0): number | undefined {
    const { heights, boxHeights, kappa, scaleBits } = this.#table;
    const yBits = i === TAIL ? TAIL_UNIT_BITS : CELL_UNIT_BITS;
    const point: BoxedPoint = {
      negative: first < 0,
      y: BigInt(y),
      yBits: BigInt(yBits),
      v: BigInt((first >>> INDEX_BITS) & PLACE_MASK),
      vBits: BigInt(PLACE_BITS),
      floor: BigInt(heights[i]!),
      height: BigInt(boxHeights[i]!) * BigInt(kappa),
      heightBits: BigInt(i === TAIL ? KAPPA_BITS + g + 5 : KAPPA_BITS),
    };
    if (!liesUnderCurve(point, scaleBits, source)) return undefined;
    return sampleAt(first, y, yBits, scaleBits);
  }

  #tryTail(first: number, place: number, source: WordSource): number | undefined {
    const { scaleBits } = this.#table;
    const g = leadingZeros(source);
    const y = TAIL_BEGIN + g * 2 ** 32 + place;
    const x = (y + 0.5) * 2 ** -TAIL_UNIT_BITS + (first < 0 ? 1 : -1) * 2 ** -(scaleBits + 1);
    const step = this.#steps[TAIL]! * 2 ** -(g + 5);
    // Farther out, where hardly a sample ever lies, integers decide.
    const density = x < DENSITY_REACH ? normalDensity(x) : NaN;
    const over = density - (((first >>> INDEX_BITS) & PLACE_MASK) + 0.5) * step;
    if (!(Math.abs(over) >= density * MARGIN + 0.5 * step)) return this.#decide(first, TAIL, y, source, g);
    return over < 0 ? undefined : sampleAt(first, y, TAIL_UNIT_BITS, scaleBits);
  }
}

/** The sample of an accepted point. */
function sampleAt(first: number, y: number, yBits: number, scaleBits: number): number {
  const magnitude = Math.floor(y * 2 ** (scaleBits - yBits));
  return first < 0 ? -1 - magnitude : magnitude;
}
