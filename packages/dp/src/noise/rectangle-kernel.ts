/**
 * Looking words up in WebAssembly with 128-bit vectors, eight samples at a time, with the same results as the loops in sample-stages.ts.
 *
 * @module
 */
import { CELL_BITS, INDEX_BITS, PLACE_BITS } from './rectangle-table.ts';
import type { RectangleTable } from './rectangle-table.ts';
import { INDEX_MASK, LANES, LONG_SCALE_BITS, MORE_BITS, PLACE_MASK } from './sample-stages.ts';
import { I32, op, V128 } from './wasm-encoder.ts';
import type { ModuleFunction } from './wasm-encoder.ts';

/** Byte offsets of what the function reads and writes. */
export interface LookUpLayout {
  /** A byte for each case. Must be 0, so that a case is an address. */
  readonly cells: 0;
  readonly words: number;
  readonly more: number;
  /** For doubles; integers go where the words were. */
  readonly doubles: number;
  readonly undecided: number;
}

/** Instructions in order. */
type Code = (readonly number[])[];

/** Where samples go: integers where the words were, doubles, or integers in a second memory, where the words are overwritten with zeros. */
export type SampleTarget = 'integers' | 'doubles' | 'second';

/** A function from a count of samples, and for the second memory the address of the first of them, to a count of undecided ones. */
export function lookUpKernel(
  name: string,
  { scaleBits, rectangles }: RectangleTable,
  at: LookUpLayout,
  target: SampleTarget,
): ModuleFunction {
  const long = scaleBits >= LONG_SCALE_BITS;
  const toDoubles = target === 'doubles';
  const toSecond = target === 'second';
  const [count, to] = [0, 1];
  const parameters = toSecond ? [I32, I32] : [I32];
  const [i, found, mask, bytes, words, cells, signs, limit, index, place, zero] = Array.from(
    { length: 11 },
    (_, local) => parameters.length + local,
  ) as [number, number, number, number, number, number, number, number, number, number, number];

  /** Four samples, from byte 16h of the group's words; leaves the bits of undecided ones on the stack. */
  const four = (h: number): Code => {
    const convert = (): Code => [
      // m as a signed number is off by 2³¹; m + ½ changes its sign exactly, and −(m + ½) − ½ is −1 − m.
      ...[op.f64x2ConvertLowSigned, op.f64(2 ** 31 + 0.5), op.f64x2Splat, op.f64x2Add],
    ];
    const signed = (low: boolean): Code => [
      ...(low ? [op.get(signs), op.i64x2ExtendLowSigned] : [op.get(signs), op.i64x2ExtendHighSigned]),
      ...[op.i32(63), op.i64x2Shl, op.xor, op.f64(0.5), op.f64x2Splat, op.f64x2Sub],
    ];
    return [
      ...[op.get(i), op.load(at.words + 16 * h), op.set(words)],
      // The case lies in a word's lowest bits, where memory can be asked for it.
      op.get(zero),
      op.set(cells),
      ...[0, 1, 2, 3].flatMap((lane) => [
        ...[op.get(i), op.i32Load16(at.words + 16 * h + 4 * lane), op.i32(INDEX_MASK), op.i32And],
        ...[op.get(cells), op.loadByteLane(0, 4 * lane), op.set(cells)],
      ]),
      ...[op.get(words), op.i32(31), op.i32x4ShrSigned, op.set(signs)],
      ...[op.get(words), op.i32(INDEX_BITS), op.i32x4ShrUnsigned, op.i32(PLACE_MASK), op.i32x4Splat, op.and],
      ...(long
        ? [
            ...[op.i32(MORE_BITS), op.i32x4Shl],
            ...[op.get(bytes), op.loadWordZero(at.more + 4 * h), op.i16x8ExtendLowUnsigned, op.i32x4ExtendLowUnsigned],
            ...[op.i32(2 ** MORE_BITS - 1), op.i32x4Splat, op.and, op.or],
          ]
        : []),
      ...[op.get(cells), op.i32(PLACE_BITS + (long ? MORE_BITS : 0)), op.i32x4Shl, op.or],
      ...[op.i32(PLACE_BITS + CELL_BITS + (long ? MORE_BITS : 0) - scaleBits), op.i32x4ShrUnsigned],
      ...(toDoubles
        ? [
            ...[op.i32(-(2 ** 31)), op.i32x4Splat, op.xor, op.set(place)],
            ...[op.get(i), op.i32(1), op.i32Shl, op.get(place), ...convert(), ...signed(true), op.store(at.doubles + 32 * h)],
            ...[op.get(i), op.i32(1), op.i32Shl],
            ...[op.get(place), op.get(place), op.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15])],
            ...[...convert(), ...signed(false), op.store(at.doubles + 32 * h + 16)],
          ]
        : toSecond
          ? [
              ...[op.get(signs), op.xor, op.set(place), op.get(to), op.get(place), op.storeInSecond(16 * h)],
              ...[op.get(i), op.get(zero), op.store(at.words + 16 * h)],
            ]
          : [op.get(signs), op.xor, op.set(place), op.get(i), op.get(place), op.store(at.words + 16 * h)]),
      ...[op.get(words), op.get(index), op.and, op.get(limit), op.i32x4GreaterSigned, op.i32x4Bitmask],
    ];
  };
  // i counts bytes of words: 4 for each sample.
  const body: Code = [
    ...[op.i32(rectangles - 1), op.i32x4Splat, op.set(limit)],
    ...[op.i32(INDEX_MASK), op.i32x4Splat, op.set(index)],
    op.loop,
    ...(long ? [op.get(i), op.i32(2), op.i32ShrUnsigned, op.set(bytes)] : []),
    ...[...four(0), ...four(1), op.i32(4), op.i32Shl, op.i32Or, op.tee(mask)],
    op.if,
    op.loop,
    ...[op.get(found), op.get(i), op.i32(2), op.i32ShrUnsigned, op.get(mask), op.i32Ctz, op.i32Add, op.i32Store(at.undecided)],
    ...[op.get(found), op.i32(4), op.i32Add, op.set(found)],
    ...[op.get(mask), op.get(mask), op.i32(1), op.i32Sub, op.i32And, op.tee(mask), op.branchIf(0)],
    op.end,
    op.end,
    ...(toSecond ? [op.get(to), op.i32(4 * LANES), op.i32Add, op.set(to)] : []),
    ...[
      op.get(i),
      op.i32(4 * LANES),
      op.i32Add,
      op.tee(i),
      op.get(count),
      op.i32(2),
      op.i32Shl,
      op.i32LessUnsigned,
      op.branchIf(0),
    ],
    op.end,
    ...[op.get(found), op.i32(2), op.i32ShrUnsigned],
  ];
  const locals = [I32, I32, I32, I32, V128, V128, V128, V128, V128, V128, V128];
  return { name, parameters, results: [I32], locals, body };
}
