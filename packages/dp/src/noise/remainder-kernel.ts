/**
 * Trying points of the remainder in WebAssembly with 128-bit vectors, two at a time: the same operations on the same doubles in the same order as `tryPoints` in
 * sample-stages.ts, so that both give the same results. Whether a point is accepted is as good as random, and so nothing branches on it.
 *
 * @module
 */
import { DENSITY_PARTS } from './normal-density.ts';
import { INDEX_BITS } from './rectangle-table.ts';
import type { SampleTarget } from './rectangle-kernel.ts';
import { CELL_UNIT_BITS, INDEX_MASK, MARGIN, PLACE_MASK } from './sample-stages.ts';
import { I32, op, V128 } from './wasm-encoder.ts';
import type { ModuleFunction } from './wasm-encoder.ts';

/** Byte offsets of what the function reads and writes. */
export interface RemainderLayout {
  /** A byte for each case. */
  readonly boxes: number;
  /** Two doubles for each cell, see `comparisonRows`. */
  readonly rows: number;
  /** `densityTable`, as far as cells reach. */
  readonly density: number;
  readonly undecided: number;
  readonly points: number;
  readonly open: number;
  /** Where samples go, 32-bit integers or doubles, unless it is the second memory. */
  readonly out: number;
}

type Code = (readonly number[])[];

/** A double of this and an integer below 2⁵² added have the integer in their lowest bits; with half as much again also a negative one. */
const TWO_52 = 2 ** 52;
/** The upper half of 2⁵². */
const TWO_52_UPPER = 0x43300000;

/** A function from a count of points, and for the second memory the address of the first sample, to how many were rejected, and 2¹⁶ times how many are open. */
export function remainderKernel(name: string, scaleBits: number, at: RemainderLayout, target: SampleTarget): ModuleFunction {
  const toDoubles = target === 'doubles';
  const toSecond = target === 'second';
  const [count, to] = [0, 1];
  const parameters = toSecond ? [I32, I32] : [I32];
  const types: number[] = [];
  const local = (type: number): number => parameters.length + types.push(type) - 1;
  const [j, left, opened, boxA, boxB, position, rejected, unsure] = Array.from({ length: 8 }, () => local(I32)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [words, y, v, sign, x, r, density, rowA, rowB, over, needed, sample] = Array.from({ length: 12 }, () => local(V128)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const before: Code = [];
  /** A local that holds a double in both halves. */
  const both = (value: number): readonly number[] => {
    const to = local(V128);
    before.push(op.f64(value), op.f64x2Splat, op.set(to));
    return op.get(to);
  };
  const low = op.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  const high = op.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]);
  const [half, one, two52] = [both(0.5), both(1), both(TWO_52)];
  const minusTerm = (coefficient: readonly number[]): Code => [
    op.set(density),
    coefficient,
    op.get(r),
    op.get(density),
    op.f64x2Mul,
    op.f64x2Sub,
  ];

  // j counts bytes of points: 8 for each.
  const box = (lane: number): Code => [
    op.get(j),
    op.i32Load16(at.points + 8 * lane),
    op.i32(INDEX_MASK),
    op.i32And,
    op.i32Load8(at.boxes),
  ];
  const compute: Code = [
    ...[op.get(j), op.load(at.points), op.set(words)],
    ...[...box(0), op.set(boxA), ...box(1), op.set(boxB)],
    // y = i·2³² + place, as 2⁵² + y less 2⁵².
    ...[op.get(words), op.i32(32), op.i64x2ShrUnsigned],
    ...[
      op.get(boxA),
      op.i32(TWO_52_UPPER),
      op.i32Or,
      op.i32x4Replace(1),
      op.get(boxB),
      op.i32(TWO_52_UPPER),
      op.i32Or,
      op.i32x4Replace(3),
    ],
    ...[two52, op.f64x2Sub, op.set(y)],
    // v, in the same way.
    ...[op.get(words), op.i32(INDEX_BITS), op.i32x4ShrUnsigned, op.i32(PLACE_MASK), op.i32x4Splat, op.and],
    ...[op.i32(TWO_52_UPPER), op.i32x4Replace(1), op.i32(TWO_52_UPPER), op.i32x4Replace(3), two52, op.f64x2Sub, op.set(v)],
    ...[op.get(words), op.i32(63 - 31), op.i64x2Shl, both(-0), op.and, op.set(sign)],
    ...[op.get(y), half, op.f64x2Add, both(2 ** -CELL_UNIT_BITS), op.f64x2Mul],
    ...[both(2 ** -(scaleBits + 1)), op.get(sign), op.xor, op.f64x2Sub, op.set(x)],
    // z, then n, then r.
    ...[
      half,
      op.get(x),
      op.f64x2Mul,
      op.get(x),
      op.f64x2Mul,
      op.tee(r),
      both(DENSITY_PARTS),
      op.f64x2Mul,
      op.f64x2Floor,
      op.set(x),
    ],
    ...[op.get(r), op.get(x), both(1 / DENSITY_PARTS), op.f64x2Mul, op.f64x2Sub, op.set(r)],
    ...[both(1 / 120), ...[both(1 / 24), both(1 / 6), half, one, one].flatMap(minusTerm)],
    ...[op.get(x), two52, op.f64x2Add, op.set(x)],
    ...[op.get(x), op.i32x4Extract(0), op.i32(3), op.i32Shl, op.loadHalf(at.density), op.set(needed)],
    ...[
      op.get(x),
      op.i32x4Extract(2),
      op.i32(3),
      op.i32Shl,
      op.get(needed),
      op.loadUpperHalf(at.density),
      op.f64x2Mul,
      op.set(density),
    ],
    ...[
      op.get(boxA),
      op.i32(4),
      op.i32Shl,
      op.load(at.rows),
      op.set(rowA),
      op.get(boxB),
      op.i32(4),
      op.i32Shl,
      op.load(at.rows),
      op.set(rowB),
    ],
    ...[op.get(density), op.get(rowA), op.get(rowB), low, op.f64x2Sub],
    ...[op.get(v), half, op.f64x2Add, op.get(rowA), op.get(rowB), high, op.tee(needed), op.f64x2Mul, op.f64x2Sub, op.set(over)],
    ...[op.get(density), both(MARGIN), op.f64x2Mul, half, op.get(needed), op.f64x2Mul, op.f64x2Add, op.set(needed)],
    // −(m + ½) − ½ is −1 − m.
    ...[
      op.get(y),
      both(2 ** (scaleBits - CELL_UNIT_BITS)),
      op.f64x2Mul,
      op.f64x2Floor,
      half,
      op.f64x2Add,
      op.get(sign),
      op.xor,
      half,
      op.f64x2Sub,
    ],
    ...(toDoubles ? [] : [both(1.5 * TWO_52), op.f64x2Add]),
    op.set(sample),
    ...[op.get(over), op.i64x2Bitmask, op.set(rejected)],
    // A NaN compares as false: open.
    ...[op.get(over), op.f64x2Abs, op.get(needed), op.f64x2AtLeast, op.i64x2Bitmask, op.i32(3), op.i32Xor, op.set(unsure)],
  ];
  const bit = (mask: number, lane: number): Code => [
    op.get(mask),
    ...(lane === 0 ? [] : [op.i32(1), op.i32ShrUnsigned]),
    op.i32(1),
    op.i32And,
  ];
  const enter = (lane: number): Code => [
    ...[op.get(j), op.i32(1), op.i32ShrUnsigned, op.i32Load(at.undecided + 4 * lane), op.set(position)],
    ...[op.get(position), op.i32(toDoubles ? 3 : 2), op.i32Shl, ...(toSecond ? [op.get(to), op.i32Add] : []), op.get(sample)],
    toDoubles ? op.store64Lane(at.out, lane) : toSecond ? op.store32LaneInSecond(0, 2 * lane) : op.store32Lane(at.out, 2 * lane),
    ...[op.get(left), op.i32(2), op.i32Shl, op.get(position), op.i32Store(at.undecided)],
    ...[
      op.get(opened),
      op.i32(3),
      op.i32Shl,
      op.get(j),
      op.i32(3),
      op.i32ShrUnsigned,
      op.i32(lane),
      op.i32Add,
      op.i32Store(at.open),
    ],
    ...[op.get(opened), op.i32(3), op.i32Shl, op.get(position), op.i32Store(at.open + 4)],
    ...[op.get(left), ...bit(rejected, lane), ...bit(unsure, lane), op.i32(1), op.i32Xor, op.i32And, op.i32Add, op.set(left)],
    ...[op.get(opened), ...bit(unsure, lane), op.i32Add, op.set(opened)],
  ];
  const body: Code = [
    ...[op.get(count), op.i32(3), op.i32Shl, op.set(count)],
    op.loop,
    ...compute,
    ...enter(0),
    ...[op.get(j), op.i32(8), op.i32Add, op.get(count), op.i32LessUnsigned, op.if, ...enter(1), op.end],
    ...[op.get(j), op.i32(16), op.i32Add, op.tee(j), op.get(count), op.i32LessUnsigned, op.branchIf(0)],
    op.end,
    ...[op.get(opened), op.i32(16), op.i32Shl, op.get(left), op.i32Or],
  ];
  return { name, parameters, results: [I32], locals: types, body: [...before, ...body] };
}
