/**
 * The two loops of the exact sampler in WebAssembly, over one memory.
 *
 * @module
 */
import { densityTable } from './normal-density.ts';
import { lookUpKernel } from './rectangle-kernel.ts';
import type { LookUpLayout } from './rectangle-kernel.ts';
import { CELLS, INDEX_BITS } from './rectangle-table.ts';
import type { RectangleTable } from './rectangle-table.ts';
import { remainderKernel } from './remainder-kernel.ts';
import type { RemainderLayout } from './remainder-kernel.ts';
import { comparisonRows } from './sample-stages.ts';
import type { SampleStages, SharedStages } from './sample-stages.ts';
import { encodeFunctions, encodeOverTwoMemories } from './wasm-encoder.ts';

/** What is used of the platform's WebAssembly; absent in some hosts, and forbidden by some content security policies. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports?: object) => { readonly exports: unknown };
};

/** A WebAssembly memory that threads share. */
export interface SharedTarget {
  readonly buffer: SharedArrayBuffer;
}

const PAGE = 65536;

/** Pieces of x²/2 up to x = 4.5: no cell reaches farther. */
const NEAR_DENSITIES = 384;

type Layout = LookUpLayout & Omit<RemainderLayout, 'out'> & { readonly end: number };

/** Tables first, then what is wiped. */
function layoutFor(capacity: number): Layout {
  let next = 0;
  const place = (bytes: number): number => {
    next += bytes;
    return next - bytes;
  };
  place(2 ** INDEX_BITS);
  return {
    cells: 0,
    boxes: place(2 ** INDEX_BITS),
    rows: place(16 * (CELLS + 1)),
    density: place(8 * NEAR_DENSITIES),
    words: place(4 * capacity),
    more: place(capacity),
    doubles: place(8 * capacity),
    undecided: place(4 * capacity),
    // One point more, since they are looked at in pairs.
    points: place(8 * capacity + 16),
    open: place(8 * capacity + 16),
    end: next,
  };
}

/** Stages over a memory of their own and one that threads share; undefined where the host has no modules of two memories. */
function sharedStages(
  table: RectangleTable,
  at: Layout,
  own: { readonly buffer: ArrayBuffer },
  shared: SharedTarget,
): SharedStages | undefined {
  const { buffer } = shared;
  const code = encodeOverTwoMemories(own.buffer.byteLength / PAGE, buffer.byteLength / PAGE, [
    lookUpKernel('lookUp', table, at, 'second'),
    remainderKernel('tryPoints', table.scaleBits, { ...at, out: 0 }, 'second'),
  ]);
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { host: { own, shared } });
    const { lookUp, tryPoints } = exports as Pick<SharedStages, 'lookUp' | 'tryPoints'>;
    return { buffer, lookUp, tryPoints };
  } catch {
    return undefined;
  }
}

/**
 * Stages in WebAssembly for blocks of `capacity` samples, a multiple of 16; `undefined` where the host has none or forbids it.
 *
 * @param shared A memory that samples are wanted in; see {@link SampleStages.shared}.
 */
export function wasmStages(table: RectangleTable, capacity: number, shared?: SharedTarget): SampleStages | undefined {
  const at = layoutFor(capacity);
  const { scaleBits } = table;
  const code = encodeFunctions(Math.ceil(at.end / PAGE), [
    lookUpKernel('integers', table, at, 'integers'),
    lookUpKernel('doubles', table, at, 'doubles'),
    remainderKernel('tryIntegers', scaleBits, { ...at, out: at.words }, 'integers'),
    remainderKernel('tryDoubles', scaleBits, { ...at, out: at.doubles }, 'doubles'),
  ]);
  let instance: { readonly exports: unknown };
  try {
    instance = new WebAssembly.Instance(new WebAssembly.Module(code));
  } catch {
    return undefined;
  }
  type Loop = (count: number) => number;
  const { memory, integers, doubles, tryIntegers, tryDoubles } = instance.exports as {
    memory: { readonly buffer: ArrayBuffer };
    integers: Loop;
    doubles: Loop;
    tryIntegers: Loop;
    tryDoubles: Loop;
  };
  const { buffer } = memory;
  new Uint8Array(buffer, at.cells).set(table.cells);
  new Uint8Array(buffer, at.boxes).set(table.boxes);
  new Float64Array(buffer, at.rows).set(comparisonRows(table));
  new Float64Array(buffer, at.density).set(densityTable.subarray(0, NEAR_DENSITIES));
  return {
    words: new Uint32Array(buffer, at.words, capacity),
    more: new Uint32Array(buffer, at.more, capacity / 4),
    integers: new Int32Array(buffer, at.words, capacity),
    doubles: new Float64Array(buffer, at.doubles, capacity),
    undecided: new Uint32Array(buffer, at.undecided, capacity),
    points: new Uint32Array(buffer, at.points, 2 * capacity),
    open: new Uint32Array(buffer, at.open, 2 * capacity),
    lookUp: (count, toIntegers) => (toIntegers ? integers(count) : doubles(count)),
    tryPoints: (count, toIntegers) => (toIntegers ? tryIntegers(count) : tryDoubles(count)),
    shared: shared === undefined ? undefined : sharedStages(table, at, memory, shared),
  };
}
