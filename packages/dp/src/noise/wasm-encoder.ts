/**
 * As much of the WebAssembly binary format as functions with a memory need (WebAssembly Core Specification 2.0, chapter 5).
 *
 * @module
 */

/** Value types. */
export const I32 = 0x7f;
export const F64 = 0x7c;
export const V128 = 0x7b;

/** An unsigned LEB128 number. */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) + 128);
  }
}

/** A signed LEB128 number of 32 bits. */
function signed(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const low = rest & 127;
    if (rest >> 6 === 0 || rest >> 6 === -1) return [...out, low];
    out.push(low | 128);
  }
}

const at = (alignment: number, offset: number): number[] => [...unsigned(alignment), ...unsigned(offset)];
/** The same in the second memory. */
const inSecond = (alignment: number, offset: number): number[] => [...unsigned(alignment + 64), 1, ...unsigned(offset)];

/** Instructions, by the names of the specification. Loads and stores take their constant offset. Vector instructions follow the prefix 0xfd. */
export const op = {
  loop: [0x03, 0x40],
  if: [0x04, 0x40],
  end: [0x0b],
  branchIf: (depth: number): number[] => [0x0d, ...unsigned(depth)],
  get: (local: number): number[] => [0x20, ...unsigned(local)],
  set: (local: number): number[] => [0x21, ...unsigned(local)],
  tee: (local: number): number[] => [0x22, ...unsigned(local)],
  i32Load: (offset: number): number[] => [0x28, ...at(2, offset)],
  i32Load8: (offset: number): number[] => [0x2d, ...at(0, offset)],
  i32Load16: (offset: number): number[] => [0x2f, ...at(1, offset)],
  i32Store: (offset: number): number[] => [0x36, ...at(2, offset)],
  i32: (value: number): number[] => [0x41, ...signed(value)],
  i32EqualZero: [0x45],
  i32LessUnsigned: [0x49],
  i32Ctz: [0x68],
  i32Add: [0x6a],
  i32Sub: [0x6b],
  i32And: [0x71],
  i32Or: [0x72],
  i32Xor: [0x73],
  i32Shl: [0x74],
  i32ShrUnsigned: [0x76],
  load: (offset: number): number[] => [0xfd, 0x00, ...at(4, offset)],
  loadSplat64: (offset: number): number[] => [0xfd, 0x0a, ...at(3, offset)],
  store: (offset: number): number[] => [0xfd, 0x0b, ...at(4, offset)],
  storeInSecond: (offset: number): number[] => [0xfd, 0x0b, ...inSecond(4, offset)],
  shuffle: (lanes: readonly number[]): number[] => [0xfd, 0x0d, ...lanes],
  loadHalf: (offset: number): number[] => [0xfd, 0x5d, ...at(3, offset)],
  loadByteLane: (offset: number, lane: number): number[] => [0xfd, 0x54, ...at(0, offset), lane],
  loadUpperHalf: (offset: number): number[] => [0xfd, 0x57, ...at(3, offset), 1],
  store32Lane: (offset: number, lane: number): number[] => [0xfd, 0x5a, ...at(2, offset), lane],
  store32LaneInSecond: (offset: number, lane: number): number[] => [0xfd, 0x5a, ...inSecond(2, offset), lane],
  store64Lane: (offset: number, lane: number): number[] => [0xfd, 0x5b, ...at(3, offset), lane],
  loadWordZero: (offset: number): number[] => [0xfd, 0x5c, ...at(2, offset)],
  i32x4Splat: [0xfd, 0x11],
  f64x2Splat: [0xfd, 0x14],
  i32x4Equal: [0xfd, 0x37],
  i32x4Extract: (lane: number): number[] => [0xfd, 0x1b, lane],
  i32x4Replace: (lane: number): number[] => [0xfd, 0x1c, lane],
  f64x2Extract: (lane: number): number[] => [0xfd, 0x21, lane],
  i32x4GreaterSigned: [0xfd, 0x3b],
  f64x2Equal: [0xfd, 0x47],
  f64x2AtLeast: [0xfd, 0x4c],
  and: [0xfd, 0x4e],
  or: [0xfd, 0x50],
  xor: [0xfd, 0x51],
  anyTrue: [0xfd, 0x53],
  f32x4DemoteZero: [0xfd, 0x5e],
  f64x2PromoteLow: [0xfd, 0x5f],
  f64x2Floor: [0xfd, 0x75],
  i16x8ExtendLowUnsigned: [0xfd, 0x89, 0x01],
  i32x4Bitmask: [0xfd, 0xa4, 0x01],
  i32x4ExtendLowUnsigned: [0xfd, 0xa9, 0x01],
  i32x4Shl: [0xfd, 0xab, 0x01],
  i32x4ShrSigned: [0xfd, 0xac, 0x01],
  i32x4ShrUnsigned: [0xfd, 0xad, 0x01],
  i64x2AllTrue: [0xfd, 0xc3, 0x01],
  i64x2Bitmask: [0xfd, 0xc4, 0x01],
  i64x2ExtendLowSigned: [0xfd, 0xc7, 0x01],
  i64x2ExtendHighSigned: [0xfd, 0xc8, 0x01],
  i64x2Shl: [0xfd, 0xcb, 0x01],
  i64x2ShrUnsigned: [0xfd, 0xcd, 0x01],
  f64x2Abs: [0xfd, 0xec, 0x01],
  f64x2Sqrt: [0xfd, 0xef, 0x01],
  f64x2Add: [0xfd, 0xf0, 0x01],
  f64x2Sub: [0xfd, 0xf1, 0x01],
  f64x2Mul: [0xfd, 0xf2, 0x01],
  f64x2Div: [0xfd, 0xf3, 0x01],
  f64x2Max: [0xfd, 0xf5, 0x01],
  f64x2ConvertLowSigned: [0xfd, 0xfe, 0x01],
  f64Add: [0xa0],
  f64: (value: number): number[] => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)],
} as const;

const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
const name = (text: string): number[] => [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0))];

/** A function with one result or none. */
export interface ModuleFunction {
  readonly name: string;
  /** Types of the parameters, which are the first locals. */
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  /** Types of the locals after the parameters. */
  readonly locals: readonly number[];
  /** Instructions without the closing `end`. */
  readonly body: readonly (readonly number[])[];
}

/** The bytes of a module that exports functions, and a memory of so many pages of 64 KiB as `memory`. */
export function encodeFunctions(pages: number, functions: readonly ModuleFunction[]): Uint8Array<ArrayBuffer> {
  return encodeSections(section(5, [1, 0x00, ...unsigned(pages)]), functions);
}

/** The bytes of a module that exports functions over a memory that threads share, of exactly so many pages: the import `host.memory`. */
export function encodeOverSharedMemory(pages: number, functions: readonly ModuleFunction[]): Uint8Array<ArrayBuffer> {
  return encodeSections([], functions, section(2, [1, ...name('host'), ...name('memory'), ...exactly(pages)]));
}

/**
 * The bytes of a module that exports functions over two memories: the import `host.own`, of so many pages at least, and as the second one `host.shared`, which threads share, of
 * exactly so many. Refused by hosts without several memories (WebAssembly 3.0).
 */
export function encodeOverTwoMemories(
  pages: number,
  sharedPages: number,
  functions: readonly ModuleFunction[],
): Uint8Array<ArrayBuffer> {
  const own = [...name('host'), ...name('own'), 0x02, 0x00, ...unsigned(pages)];
  const shared = [...name('host'), ...name('shared'), ...exactly(sharedPages)];
  return encodeSections([], functions, section(2, [2, ...own, ...shared]));
}

/** A memory that threads share, of so many pages. */
const exactly = (pages: number): number[] => [0x02, 0x03, ...unsigned(pages), ...unsigned(pages)];

function encodeSections(
  memory: readonly number[],
  functions: readonly ModuleFunction[],
  imported: readonly number[] = [],
): Uint8Array<ArrayBuffer> {
  const count = unsigned(functions.length);
  const types = functions.map(({ parameters, results }) => [0x60, parameters.length, ...parameters, results.length, ...results]);
  const exported = functions.map((one, i) => [...name(one.name), 0x00, i]);
  const bodies = functions.map(({ locals, body }) => {
    const code = [...unsigned(locals.length), ...locals.flatMap((type) => [1, type]), ...body.flat(), 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [...count, ...types.flat()]),
    ...imported,
    ...section(3, [...count, ...functions.map((_, i) => i)]),
    ...memory,
    ...section(7, [functions.length + 1, ...exported.flat(), ...name('memory'), 0x02, 0]),
    ...section(10, [...count, ...bodies.flat()]),
  ]);
}
