/**
 * Arithmetic in GF(2^8) and GF(2^16) without tables and without branches on data: several elements lie side by side in a
 * 32-bit word and are multiplied by a public constant with shifts and masks. Only evaluation points, which are public,
 * steer a loop.
 *
 * @module
 */

/** A binary field whose elements lie in lanes of 32-bit words. */
export interface Field {
  /** Bits of an element: 8 or 16. */
  readonly bits: 8 | 16;
  /** The reduction polynomial with its leading term. */
  readonly polynomial: number;
  /** All bits of a lane but the top one, in every lane. */
  readonly bodyMask: number;
  /** The lowest bit of every lane. */
  readonly unitMask: number;
}

/** GF(2^8) with x^8 + x^4 + x^3 + x + 1. */
export const gf256: Field = Object.freeze({ bits: 8, polynomial: 0x11b, bodyMask: 0x7f7f7f7f, unitMask: 0x01010101 });

/** GF(2^16) with x^16 + x^12 + x^3 + x + 1; elements are big-endian. */
export const gf65536: Field = Object.freeze({ bits: 16, polynomial: 0x1100b, bodyMask: 0x7fff7fff, unitMask: 0x00010001 });

/** The field for `m` evaluation points other than zero. */
export function fieldFor(m: number): Field {
  return m <= 255 ? gf256 : gf65536;
}

/** Words whose lanes are the elements of `bytes` (length a multiple of 4). */
export function toWords(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) {
    words[i] = (bytes[4 * i]! << 24) | (bytes[4 * i + 1]! << 16) | (bytes[4 * i + 2]! << 8) | bytes[4 * i + 3]!;
  }
  return words;
}

/** The inverse of {@link toWords}. */
export function toBytes(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    bytes[4 * i] = word >>> 24;
    bytes[4 * i + 1] = word >>> 16;
    bytes[4 * i + 2] = word >>> 8;
    bytes[4 * i + 3] = word;
  }
  return bytes;
}

/** target += factor · words, lane by lane. `factor` is public, `words` may be secret. */
export function addMultiple(field: Field, target: Uint32Array, words: Uint32Array, factor: number): void {
  const { bodyMask, unitMask } = field;
  const fold = field.polynomial & (field.bits === 8 ? 0xff : 0xffff);
  const top = field.bits - 1;
  for (let i = 0; i < words.length; i++) {
    let term = words[i]!;
    let sum = 0;
    for (let rest = factor; rest !== 0; rest >>>= 1) {
      sum ^= -(rest & 1) & term;
      // fold < 2^13 and the masked word has one bit a lane, so that no product crosses into the next lane
      term = ((term & bodyMask) << 1) ^ Math.imul((term >>> top) & unitMask, fold);
    }
    target[i]! ^= sum;
  }
}

/** The product of two elements, in time that depends on the field alone. */
export function multiply(field: Field, a: number, b: number): number {
  let product = 0;
  let term = a;
  for (let bit = 0; bit < field.bits; bit++) {
    product ^= -((b >>> bit) & 1) & term;
    term = (term << 1) ^ (-(term >>> (field.bits - 1)) & field.polynomial);
  }
  return product;
}

/** The inverse of an element other than zero: a^(2^bits − 2). Zero gives zero. */
export function invert(field: Field, a: number): number {
  let square = a;
  let inverse = 1;
  for (let bit = 1; bit < field.bits; bit++) {
    square = multiply(field, square, square);
    inverse = multiply(field, inverse, square);
  }
  return inverse;
}
