/**
 * The first stage of the inverse-CDF sampler in WebAssembly with 128-bit vectors: the same operations on the same doubles in the same order as
 * the loop in inverse-cdf.ts, four samples at a time, so that both give the same bits.
 *
 * @module
 */
import { FIRST_PREFIX, ROW_DOUBLES, SEGMENTS } from './inverse-cdf-table.ts';
import type { InverseCdfTable } from './inverse-cdf-table.ts';
import { encodeModule, I32, op, V128 } from './wasm-encoder.ts';

/** What is used of the platform's WebAssembly; absent in some hosts, and forbidden by some content security policies. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object) => { readonly exports: unknown };
};

/** A first stage with its own memory. */
export interface FirstStage {
  /** Words to work on. Positions beyond the count must be 0. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** Signed samples; undefined where undecided. */
  readonly out: Float64Array<ArrayBuffer>;
  /** Ascending positions of undecided samples. */
  readonly undecided: Uint32Array<ArrayBuffer>;
  /** Works on the first `count` words; returns how many positions of {@link FirstStage.undecided} are valid. */
  readonly run: (count: number) => number;
}

const ROW_BYTES = 8 * ROW_DOUBLES;
const WORDS_AT = (SEGMENTS + 1) * ROW_BYTES;

/** Instructions in order. */
type Code = (readonly number[])[];

/** The kernel's bytes for blocks of `capacity` words, a multiple of 4. */
export function kernelBytes(capacity: number): Uint8Array<ArrayBuffer> {
  const outAt = WORDS_AT + 4 * capacity;
  const undecidedAt = outAt + 8 * capacity;
  const pages = Math.ceil((undecidedAt + 4 * capacity) / 65536);
  // Locals: 0 is the count.
  const [count, i, found, mask, a, b] = [0, 1, 2, 3, 4, 5];
  const [words, prefixes, half, signs, rowA, rowB, t, y, floor] = [6, 7, 8, 9, 10, 11, 12, 13, 14];
  const low = op.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  const high = op.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]);
  const upperHalf = op.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
  /** Loads the pair of doubles at the given byte of both samples' rows. */
  const loadPair = (byte: number): Code => [op.get(a), op.load(byte), op.set(rowA), op.get(b), op.load(byte), op.set(rowB)];
  const pick = (lane: readonly number[]): Code => [op.get(rowA), op.get(rowB), lane];

  /** Samples 2h and 2h + 1 of four; leaves the bits of their undecided lanes on the stack. */
  const pair = (h: number): Code => {
    const take = (vector: number): Code => (h === 0 ? [op.get(vector)] : [op.get(vector), op.get(vector), upperHalf]);
    return [
      // The row's address from exponent and leading mantissa bits: row 1 begins at prefix 2¹¹, whose exponent field is 1023 + 11.
      ...take(prefixes),
      ...[op.f64x2ConvertLowSigned, op.tee(half), op.i32(46), op.i64x2ShrUnsigned, op.set(t)],
      ...[0, 2].flatMap((lane) => [
        op.get(t),
        op.i32x4Extract(lane),
        op.i32(((1023 + 11) << 6) - 1),
        op.i32Sub,
        op.i32(6),
        op.i32Shl,
        op.set(lane === 0 ? a : b),
      ]),
      ...[...loadPair(48), op.get(half), ...pick(low), op.f64x2Sub, op.set(t)],
      ...[...loadPair(32), ...pick(high), op.set(half), ...pick(low), op.get(t), op.f64x2Mul],
      ...[...loadPair(16), ...pick(high), op.f64x2Add, op.get(t), op.f64x2Mul, ...pick(low), op.f64x2Add, op.get(t), op.f64x2Mul],
      ...[...loadPair(0), ...pick(high), op.f64x2Add, op.get(t), op.f64x2Mul, ...pick(low), op.f64x2Add, op.tee(y)],
      ...[op.f64x2Floor, op.set(floor)],
      // 0 − m rather than −m: a zero stays +0.
      ...[op.get(i), op.i32(1), op.i32Shl],
      ...[
        op.f64(0),
        op.f64x2Splat,
        op.get(floor),
        op.f64x2Sub,
        op.get(floor),
        ...take(signs),
        op.i64x2ExtendLowSigned,
        op.bitSelect,
      ],
      op.store(outAt + 16 * h),
      ...[
        op.get(y),
        op.get(floor),
        op.f64x2Sub,
        op.f64(0.5),
        op.f64x2Splat,
        op.f64x2Sub,
        op.f64x2Abs,
        op.get(half),
        op.f64x2Greater,
        op.i64x2Bitmask,
      ],
    ];
  };

  // i counts bytes of words: 4 for each sample.
  const body = [
    op.loop,
    ...[op.get(i), op.load(WORDS_AT), op.tee(words), op.i32(0x7fffffff), op.i32x4Splat, op.and],
    ...[op.i32(FIRST_PREFIX - 1), op.i32x4Splat, op.i32x4MaxSigned, op.set(prefixes)],
    ...[op.get(words), op.i32(31), op.i32x4ShrSigned, op.set(signs)],
    ...[...pair(0), ...pair(1), op.i32(2), op.i32Shl, op.i32Or, op.tee(mask)],
    op.if,
    op.loop,
    ...[op.get(found), op.get(i), op.i32(2), op.i32ShrUnsigned, op.get(mask), op.i32Ctz, op.i32Add, op.i32Store(undecidedAt)],
    ...[op.get(found), op.i32(4), op.i32Add, op.set(found)],
    ...[op.get(mask), op.get(mask), op.i32(1), op.i32Sub, op.i32And, op.tee(mask), op.branchIf(0)],
    op.end,
    op.end,
    ...[op.get(i), op.i32(16), op.i32Add, op.tee(i), op.get(count), op.i32(2), op.i32Shl, op.i32LessUnsigned, op.branchIf(0)],
    op.end,
    ...[op.get(found), op.i32(2), op.i32ShrUnsigned],
  ];
  const locals = [I32, I32, I32, I32, I32, V128, V128, V128, V128, V128, V128, V128, V128, V128];
  return encodeModule({ pages, locals, body });
}

/** A first stage in WebAssembly, or `undefined` where the host has none or forbids it. */
export function wasmFirstStage(table: InverseCdfTable, capacity: number): FirstStage | undefined {
  let instance: { readonly exports: unknown };
  try {
    instance = new WebAssembly.Instance(new WebAssembly.Module(kernelBytes(capacity)));
  } catch {
    return undefined;
  }
  const { memory, run } = instance.exports as { memory: { buffer: ArrayBuffer }; run: (count: number) => number };
  const outAt = WORDS_AT + 4 * capacity;
  new Float64Array(memory.buffer, 0, table.rows.length).set(table.rows);
  const undecided = new Uint32Array(memory.buffer, outAt + 8 * capacity, capacity);
  const words = new Uint32Array(memory.buffer, WORDS_AT, capacity);
  return { words, out: new Float64Array(memory.buffer, outAt, capacity), undecided, run };
}
