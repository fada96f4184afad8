/**
 * Vectors of b-bit elements as one little-endian bit string: element e is bits [e·b, (e + 1)·b), bit i of the string is
 * bit i mod 8 of byte ⌊i/8⌋. Spare bits of the last byte are zero.
 *
 * @module
 */

/** Packs elements below 2^bits into ⌈length·bits/8⌉ bytes. Higher bits of an element are dropped. */
export function pack(values: Uint32Array, bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((values.length * bits) / 8));
  const mask = elementMask(bits);
  let buffer = 0;
  let filled = 0; // bits in the buffer: fewer than 8 between elements
  let o = 0;
  for (let e = 0; e < values.length; e++) {
    const value = (values[e]! & mask) >>> 0;
    let taken = 0;
    while (taken < bits) {
      const take = Math.min(8 - filled, bits - taken);
      buffer |= ((value >>> taken) & ((1 << take) - 1)) << filled;
      filled += take;
      taken += take;
      if (filled === 8) {
        out[o++] = buffer;
        buffer = 0;
        filled = 0;
      }
    }
  }
  if (filled > 0) out[o] = buffer;
  return out;
}

/** The inverse of {@link pack}: `length` elements of `bits` bits. */
export function unpack(packed: Uint8Array, bits: number, length: number): Uint32Array {
  const out = new Uint32Array(length);
  addPacked(out, packed, bits, 1);
  return out;
}

/**
 * Adds (sign 1) or subtracts (sign −1) packed elements to `target`, modulo 2^32; the caller reduces modulo 2^bits once,
 * since 2^bits divides 2^32. `packed` holds target.length elements from its first bit on.
 */
export function addPacked(target: Uint32Array, packed: Uint8Array, bits: number, sign: 1 | -1): void {
  const mask = elementMask(bits);
  const last = packed.length - 1;
  for (let e = 0; e < target.length; e++) {
    const bit = e * bits;
    const byte = Math.floor(bit / 8);
    const shift = bit % 8;
    const low =
      packed[byte]! |
      ((byte + 1 <= last ? packed[byte + 1]! : 0) << 8) |
      ((byte + 2 <= last ? packed[byte + 2]! : 0) << 16) |
      ((byte + 3 <= last ? packed[byte + 3]! : 0) << 24);
    const high = byte + 4 <= last ? packed[byte + 4]! : 0;
    const value = (shift === 0 ? low : (low >>> shift) | (high << (32 - shift))) & mask;
    target[e] = sign === 1 ? target[e]! + value : target[e]! - value;
  }
}

function elementMask(bits: number): number {
  return bits === 32 ? -1 : 2 ** bits - 1;
}
