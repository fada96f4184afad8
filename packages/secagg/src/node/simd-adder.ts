/**
 * Adding and subtracting words, and adding packed elements, in WebAssembly. JavaScript's own loop reaches about the speed at which
 * OpenSSL makes keystream, which would double the time of masking; this one costs next to nothing. The module is so
 * small that it is put together here, instruction by instruction.
 *
 * @module
 */

/** The two operations on a memory of their own: words from `source` go onto those at `target`, up to `end` (byte addresses, multiples of 16). */
export interface SimdAdder {
  readonly memory: ArrayBuffer;
  readonly add: (target: number, source: number, end: number) => void;
  readonly subtract: (target: number, source: number, end: number) => void;
  /** Adds `sign` times the `bits`-bit elements packed at `source` to the words at `target` up to `end`; reads up to 7 bytes beyond them. */
  readonly addPacked: (target: number, source: number, end: number, bits: number, mask: number, sign: number) => void;
}

const PAGE_BYTES = 65536;
const I32 = 0x7f;
const GET = 0x20;
const SET = 0x21;
const I32X4_ADD = 0xae;
const I32X4_SUB = 0xb1;
/** v128.load and v128.store with 16-byte alignment at offset 0. */
const LOAD = [0xfd, 0x00, 0x04, 0x00];
const STORE = [0xfd, 0x0b, 0x04, 0x00];
const advance = (local: number): number[] => [GET, local, 0x41, 16, 0x6a, SET, local];

/** do { *p0 = *p0 (operation) *p1; p0 += 16; p1 += 16 } while (p0 < p2) */
function body(operation: number): number[] {
  const loop = [
    ...[0x03, 0x40],
    ...[GET, 0, GET, 0, ...LOAD, GET, 1, ...LOAD, 0xfd, operation, 0x01, ...STORE],
    ...[...advance(0), ...advance(1)],
    ...[GET, 0, GET, 2, 0x49, 0x0d, 0x00, 0x0b],
  ];
  return [0x00, ...loop, 0x0b];
}

/** Element by element: *p0 += sign · ((64 bits at p1 + ⌊l6/8⌋ >> l6 mod 8) & mask); p0 += 4; l6 += bits; while (p0 < p2) */
function packedBody(): number[] {
  const loop = [
    ...[0x03, 0x40],
    ...[GET, 0, GET, 0, 0x28, 0x02, 0x00],
    ...[GET, 1, GET, 6, 0x41, 3, 0x76, 0x6a, 0x29, 0x00, 0x00],
    ...[GET, 6, 0x41, 7, 0x71, 0xad, 0x88, 0xa7],
    ...[GET, 4, 0x71, GET, 5, 0x6c, 0x6a, 0x36, 0x02, 0x00],
    ...[GET, 0, 0x41, 4, 0x6a, SET, 0, GET, 6, GET, 3, 0x6a, SET, 6],
    ...[GET, 0, GET, 2, 0x49, 0x0d, 0x00, 0x0b],
  ];
  return [0x01, 0x01, I32, ...loop, 0x0b];
}

/** A length in LEB128 (at most two bytes here) and the bytes. */
const sized = (bytes: readonly number[]): number[] =>
  bytes.length < 128 ? [bytes.length, ...bytes] : [(bytes.length & 127) | 128, bytes.length >> 7, ...bytes];
const name = (text: string): number[] => sized(Array.from(text, (letter) => letter.charCodeAt(0)));
const section = (id: number, items: readonly (readonly number[])[]): number[] => [id, ...sized([items.length, ...items.flat()])];

/** A fresh adder with `pages` of 64 KiB, or `undefined` where the machine has no WebAssembly SIMD. */
export function createSimdAdder(pages: number): SimdAdder | undefined {
  const module = Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [
      [0x60, 3, I32, I32, I32, 0],
      [0x60, 6, I32, I32, I32, I32, I32, I32, 0],
    ]),
    ...section(3, [[0], [0], [1]]),
    ...section(5, [[0x00, pages]]),
    ...section(7, [
      [...name('memory'), 0x02, 0],
      [...name('add'), 0x00, 0],
      [...name('subtract'), 0x00, 1],
      [...name('addPacked'), 0x00, 2],
    ]),
    ...section(10, [sized(body(I32X4_ADD)), sized(body(I32X4_SUB)), sized(packedBody())]),
  );
  if (!WebAssembly.validate(module)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
  const memory = (exports['memory'] as WebAssembly.Memory).buffer;
  if (memory.byteLength !== pages * PAGE_BYTES) return undefined;
  return {
    memory,
    add: exports['add'] as SimdAdder['add'],
    subtract: exports['subtract'] as SimdAdder['subtract'],
    addPacked: exports['addPacked'] as SimdAdder['addPacked'],
  };
}
