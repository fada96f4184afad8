/**
 * Vectors of b-bit elements as one little-endian bit string: element e is bits [e·b, (e + 1)·b), bit i of the string is
 * bit i mod 8 of byte ⌊i/8⌋. Spare bits of the last byte are zero.
 *
 * @module
 */

/** Packs elements into ⌈length·bits/8⌉ bytes. Bits of an element above `bits` are dropped. */
export function pack(values: Uint32Array, bits: number): Uint8Array {
  const bytes = Math.ceil((values.length * bits) / 8);
  const words = new Uint32Array(Math.ceil(bytes / 4));
  const mask = elementMask(bits);
  let word = 0;
  let filled = 0; // bits of the word that are taken
  let w = 0;
  for (let e = 0; e < values.length; e++) {
    const value = (values[e]! & mask) >>> 0;
    word |= value << filled;
    filled += bits;
    if (filled >= 32) {
      words[w++] = word;
      filled -= 32;
      word = filled === 0 ? 0 : value >>> (bits - filled);
    }
  }
  if (filled > 0) words[w] = word;
  return new Uint8Array(littleEndian(words).buffer, 0, bytes);
}

/** The inverse of {@link pack}: `length` elements of `bits` bits. */
export function unpack(packed: Uint8Array, bits: number, length: number): Uint32Array {
  const out = new Uint32Array(length);
  addPacked(out, packed, bits, 1);
  return out;
}

/** Bytes to unpack at a time where they have to be copied to an aligned place first; a multiple of 4·bits for every width. */
const PIECE_ELEMENTS = 8192;

/**
 * Adds (sign 1) or subtracts (sign −1) packed elements to `target`, modulo 2^32; the caller reduces modulo 2^bits once,
 * since 2^bits divides 2^32. `packed` holds target.length elements from its first bit on.
 */
export function addPacked(target: Uint32Array, packed: Uint8Array, bits: number, sign: 1 | -1): void {
  const scratch = new Uint32Array(Math.ceil((Math.min(PIECE_ELEMENTS, target.length) * bits) / 32) + 1);
  const bytes = new Uint8Array(scratch.buffer);
  for (let start = 0; start < target.length; start += PIECE_ELEMENTS) {
    const part = target.subarray(start, Math.min(target.length, start + PIECE_ELEMENTS));
    const from = (start * bits) / 8;
    bytes.set(packed.subarray(from, from + Math.ceil((part.length * bits) / 8)));
    addWords(part, littleEndian(scratch), bits, sign);
  }
  scratch.fill(0);
}

/**
 * {@link addPacked} from aligned words in the machine's order, of which there must be one more than the elements fill;
 * what the last one holds does not matter.
 */
export function addWords(target: Uint32Array, words: Uint32Array, bits: number, sign: 1 | -1): void {
  if (bits === 32) {
    if (sign === 1) for (let e = 0; e < target.length; e++) target[e] = (target[e]! + words[e]!) | 0;
    else for (let e = 0; e < target.length; e++) target[e] = (target[e]! - words[e]!) | 0;
    return;
  }
  const mask = elementMask(bits);
  let w = 0;
  let shift = 0;
  for (let e = 0; e < target.length; e++) {
    // Two shifts, so that nothing comes from the next word where the element ends with this one.
    const value = ((words[w]! >>> shift) | ((words[w + 1]! << 1) << (31 - shift))) & mask;
    target[e] = (sign === 1 ? target[e]! + value : target[e]! - value) | 0;
    shift += bits;
    w += shift >>> 5;
    shift &= 31;
  }
}

function elementMask(bits: number): number {
  return bits === 32 ? -1 : 2 ** bits - 1;
}

/** Whether the machine keeps the least significant byte first, as all current ones do. */
const NATIVE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** The same bytes read as little-endian words; swaps in place on a big-endian machine. */
function littleEndian(words: Uint32Array): Uint32Array<ArrayBuffer> {
  if (!NATIVE) {
    const view = new DataView(words.buffer, words.byteOffset);
    for (let i = 0; i < words.length; i++) words[i] = view.getUint32(4 * i, true);
  }
  return words as Uint32Array<ArrayBuffer>;
}
