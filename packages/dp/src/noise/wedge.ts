/**
 * Decides the points of the remainder that a comparison of doubles at known bits leaves open: in the tail by doubles where they can, else by integers of any length, with as many
 * further bits as it takes.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { DENSITY_REACH, normalDensity, ScaledDensity } from './normal-density.ts';
import { CELL_BITS, HEIGHT_BITS, INDEX_BITS, KAPPA_BITS, PLACE_BITS, TAIL } from './rectangle-table.ts';
import type { RectangleTable } from './rectangle-table.ts';
import { CELL_UNIT_BITS, INDEX_MASK, MARGIN, PLACE_MASK } from './sample-stages.ts';

/** A fair source never needs so many: it would agree with a boundary in all of them, or show nothing but zeros, with probability below 2⁻²⁰⁰⁰. */
const MOST_BITS = 2048;

/** log₂ of the units in which y is known by its first word in the tail, whose intervals are a quarter wide. */
const TAIL_UNIT_BITS: number = 2 + 32;
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

/** The sample of an open point, or undefined where the point is rejected. `first` and `place` are its two words. */
export function settlePoint(table: RectangleTable, first: number, place: number, source: WordSource): number | undefined {
  const { scaleBits, boxes, heights, boxHeights, kappa } = table;
  const negative = first >= 2 ** 31;
  const i = boxes[first & INDEX_MASK]!;
  const g = i === TAIL ? leadingZeros(source) : 0;
  const [y, yBits, heightBits] =
    i === TAIL
      ? [TAIL_BEGIN + g * 2 ** 32 + place, TAIL_UNIT_BITS, KAPPA_BITS + g + 5]
      : [i * 2 ** 32 + place, CELL_UNIT_BITS, KAPPA_BITS];
  const v = (first >>> INDEX_BITS) & PLACE_MASK;
  const accepted =
    (i === TAIL ? quickVerdict(table, negative, y, v, g) : undefined) ??
    liesUnderCurve(
      {
        negative,
        y: BigInt(y),
        yBits: BigInt(yBits),
        v: BigInt(v),
        vBits: BigInt(PLACE_BITS),
        floor: BigInt(heights[i]!),
        height: BigInt(boxHeights[i]!) * BigInt(kappa),
        heightBits: BigInt(heightBits),
      },
      scaleBits,
      source,
    );
  if (!accepted) return undefined;
  const magnitude = Math.floor(y * 2 ** (scaleBits - yBits));
  return negative ? -1 - magnitude : magnitude;
}

/** Whether a point of the tail is accepted, or undefined where doubles cannot tell. */
function quickVerdict(
  { scaleBits, boxHeights, kappa }: RectangleTable,
  negative: boolean,
  y: number,
  v: number,
  g: number,
): boolean | undefined {
  const delta = 2 ** -(scaleBits + 1);
  const x = (y + 0.5) * 2 ** -TAIL_UNIT_BITS + (negative ? delta : -delta);
  // Farther out, where hardly a sample ever lies, integers decide.
  if (x >= DENSITY_REACH) return undefined;
  const density = normalDensity(x);
  const step = (boxHeights[TAIL]! * kappa) / 2 ** (KAPPA_BITS + g + 5 + PLACE_BITS);
  const over = density - (v + 0.5) * step;
  return Math.abs(over) < density * MARGIN + 0.5 * step ? undefined : over > 0;
}
