/**
 * The end of a step in WebAssembly vectors: from the float32 sums of the lanes to new weights, one block of coordinates at a time.
 *
 * For each coordinate: the sums are added up in float64 in the order in which they were given, multiplied by the inverse of the grid's unit and rounded; the noise is added and the result
 * multiplied by the unit; then come the optimiser, the average of the weights, and the parameter in float32. All of it is the same operations on the same doubles in the same order as
 * the loops of `noise/release.ts`, `optimiser/optimiser.ts` and `optimiser/average.ts`, so that results do not depend on the host.
 *
 * @module
 */
import { encodeOverSharedMemory, I32, op, V128 } from '../noise/wasm-encoder.ts';
import type { ModuleFunction } from '../noise/wasm-encoder.ts';
import type { OptimiserOptions } from '../optimiser/optimiser.ts';
import type { VectorLayout } from './layout.ts';
import { updateCode } from './update-code.ts';
import type { Code } from './update-code.ts';

/** What is used of the platform's WebAssembly; absent in some hosts, and forbidden by some content security policies. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
  Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => SharedMemory;
};

/** A memory that threads share. It can be sent to another thread. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

/** A memory of so many pages; undefined where the host has none that is shared. */
export function sharedMemory(pages: number): SharedMemory | undefined {
  if (typeof SharedArrayBuffer === 'undefined' || typeof WebAssembly === 'undefined') return undefined;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    return undefined;
  }
}

/** Bytes of float32 that one turn of a loop takes: four coordinates. */
const TURN = 16;

/** One form of the pass. */
export interface PassForm {
  /** Float32 sums that it adds up; they are overwritten with zeros. */
  readonly sums: number;
  /** Whether it begins with the float64 sum, which is overwritten with zeros, too. */
  readonly doubles: boolean;
  /** Whether it moves the average of the weights. */
  readonly average: boolean;
}

/**
 * A pass over the coordinates of which `begin` and `end` are four times the numbers: noise from the address `noise` on, sums from the addresses `sums` on, which are those of
 * coordinate 0; it overwrites the noise with zeros. Returns 0 where a sum was not finite, and then has spoilt the weights; else 1.
 */
export type Pass = (begin: number, end: number, noise: number, ...sums: readonly number[]) => number;

/** The loops besides the pass. */
export interface SumLoops {
  /** 1 where all float32 numbers of the given bytes are finite, else 0. */
  readonly finite: (begin: number, end: number) => number;
  /** Adds a float32 sum, of so many bytes from the given address on, to the float64 sum, and overwrites it with zeros. */
  readonly settle: (sum: number, bytes: number) => void;
}

const instantiate = (memory: SharedMemory, pages: number, functions: readonly ModuleFunction[]): unknown =>
  new WebAssembly.Instance(new WebAssembly.Module(encodeOverSharedMemory(pages, functions)), { host: { memory } }).exports;

/** The closing of a loop that counts bytes up to an end. */
const next = (i: number, end: number): Code => [
  op.get(i),
  op.i32(TURN),
  op.i32Add,
  op.tee(i),
  op.get(end),
  op.i32LessUnsigned,
  op.branchIf(0),
];

/** Two zeros. */
const zeros: Code = [op.f64(0), op.f64x2Splat];

/** Compiles the loops over sums. Throws where the host forbids it or has no vectors. */
export function sumLoops(memory: SharedMemory, { doubles, pages }: VectorLayout): SumLoops {
  const EXPONENT = 0x7f800000;
  const [begin, end, found, mask] = [0, 1, 2, 3];
  const finite: ModuleFunction = {
    name: 'finite',
    parameters: [I32, I32],
    results: [I32],
    locals: [V128, V128],
    body: [
      ...[op.i32(EXPONENT), op.i32x4Splat, op.set(mask)],
      op.loop,
      ...[op.get(begin), op.load(0), op.get(mask), op.and, op.get(mask), op.i32x4Equal, op.get(found), op.or, op.set(found)],
      ...next(begin, end),
      op.end,
      ...[op.get(found), op.anyTrue, op.i32EqualZero],
    ],
  };
  const [sum, bytes, i, twice] = [0, 1, 2, 3];
  const half = (h: number): Code => [
    op.get(twice),
    ...[op.get(twice), op.load(doubles + 16 * h)],
    ...[op.get(i), op.get(sum), op.i32Add, op.loadHalf(8 * h), op.f64x2PromoteLow, op.f64x2Add],
    op.store(doubles + 16 * h),
  ];
  const settle: ModuleFunction = {
    name: 'settle',
    parameters: [I32, I32],
    results: [],
    locals: [I32, I32],
    body: [
      op.loop,
      ...[op.get(i), op.i32(1), op.i32Shl, op.set(twice), ...half(0), ...half(1)],
      ...[op.get(i), op.get(sum), op.i32Add, ...zeros, op.store(0)],
      ...next(i, bytes),
      op.end,
    ],
  };
  return instantiate(memory, pages, [finite, settle]) as SumLoops;
}

/** Compiles one form of the pass. Throws where the host forbids it or has no vectors. */
export function compilePass(memory: SharedMemory, layout: VectorLayout, optimiser: OptimiserOptions, form: PassForm): Pass {
  const begin = 0;
  const end = 1;
  const noise = 2;
  const sumAt = (k: number): number => 3 + k;
  let locals = 3 + form.sums;
  const types: number[] = [];
  const local = (type: number): number => {
    types.push(type);
    return locals++;
  };
  const twice = local(I32);
  const constants: Code = [];
  let told = 0;
  /** A local with both halves the next number that the pass is told. */
  const number = (): number => {
    const to = local(V128);
    constants.push(op.i32(0), op.loadSplat64(layout.numbers + 8 * told++), op.set(to));
    return to;
  };
  const unit = number();
  const perUnit = number();
  const zero = local(V128);
  /** Sums of products with zero, which are zero unless a sum was not finite. */
  const spoilt = [local(V128), local(V128)];
  const point5 = local(V128);
  constants.push(op.f64(0.5), op.f64x2Splat, op.set(point5));
  const [gradient, weight] = [local(V128), local(V128)];
  const rounded = [local(V128), local(V128)];
  const update = updateCode(optimiser, layout, { gradient, weight, twice, local: () => local(V128), number });
  const share = number();
  const old = local(V128);

  const half = (h: number): Code => {
    const wide = (at: number): Code => [op.get(twice), op.load(at + 16 * h)];
    const sum = (k: number): Code => [op.get(begin), op.get(sumAt(k)), op.i32Add, op.loadHalf(8 * h), op.f64x2PromoteLow];
    const first = form.doubles ? wide(layout.doubles) : form.sums > 0 ? sum(0) : zeros;
    const others = Array.from({ length: form.sums }, (_, k) => (k > 0 || form.doubles ? [...sum(k), op.f64x2Add] : [])).flat();
    const average = (): Code => [
      ...[op.get(twice), ...wide(layout.averageAt), op.tee(old)],
      ...[op.get(share), op.get(weight), op.get(old), op.f64x2Sub, op.f64x2Mul, op.f64x2Add, op.store(layout.averageAt + 16 * h)],
    ];
    return [
      ...(layout.integers ? [op.get(noise), op.loadHalf(8 * h), op.f64x2ConvertLowSigned] : [op.get(noise), op.load(16 * h)]),
      ...[...first, ...others, op.get(perUnit), op.f64x2Mul, op.get(point5), op.f64x2Add, op.f64x2Floor],
      ...[op.f64x2Add, op.get(unit), op.f64x2Mul, op.tee(gradient)],
      ...[op.get(zero), op.f64x2Mul, op.get(spoilt[h]!), op.f64x2Add, op.set(spoilt[h]!)],
      ...[...wide(layout.weights), op.set(weight)],
      ...update(h),
      ...[op.get(twice), op.get(weight), op.store(layout.weights + 16 * h)],
      ...(form.average ? average() : []),
      ...[op.get(weight), op.f32x4DemoteZero, op.set(rounded[h]!)],
    ];
  };
  const wipe: Code = [
    ...Array.from({ length: form.sums }, (_, k) => [op.get(begin), op.get(sumAt(k)), op.i32Add, ...zeros, op.store(0)]).flat(),
    ...(form.doubles ? [0, 16].flatMap((at) => [op.get(twice), ...zeros, op.store(layout.doubles + at)]) : []),
    ...(layout.integers ? [0] : [0, 16]).flatMap((at) => [op.get(noise), ...zeros, op.store(at)]),
  ];
  const body = [
    ...constants,
    op.loop,
    ...[op.get(begin), op.i32(1), op.i32Shl, op.set(twice), ...half(0), ...half(1)],
    ...[op.get(begin), op.get(rounded[0]!), op.get(rounded[1]!)],
    ...[op.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]), op.store(layout.parameters)],
    ...wipe,
    ...[op.get(noise), op.i32(layout.integers ? TURN : 2 * TURN), op.i32Add, op.set(noise)],
    ...next(begin, end),
    op.end,
    ...[op.get(spoilt[0]!), op.get(spoilt[1]!), op.f64x2Add, op.get(zero), op.f64x2Equal, op.i64x2AllTrue],
  ];
  const parameters = [I32, I32, I32, ...Array.from({ length: form.sums }, () => I32)];
  const { pass } = instantiate(memory, layout.pages, [{ name: 'pass', parameters, results: [I32], locals: types, body }]) as {
    pass: Pass;
  };
  return pass;
}
