/**
 * Many field elements at once, bit by bit: plane p holds bit p of every element, 32 elements a word. Multiplying by the
 * generator is then a change of numbering and three exclusive ors, whatever the elements are, so evaluating a secret
 * polynomial at a public point is data-independent and several times faster than lanes.
 *
 * @module
 */
import type { RandomSource } from '@sotto/core/random';
import type { Field } from './field.ts';

/** Planes of `byteLength` bytes of field elements. */
export class Slices {
  readonly #bits: number;
  /** Words in a plane. */
  readonly #width: number;
  readonly #byteLength: number;
  /** Planes other than 0 into which the reduction polynomial folds the top one. */
  readonly #folds: readonly number[];

  constructor(field: Field, byteLength: number) {
    this.#bits = field.bits;
    this.#byteLength = byteLength;
    this.#width = Math.ceil((8 * byteLength) / field.bits / 32);
    this.#folds = Array.from({ length: field.bits - 1 }, (_, i) => i + 1).filter((plane) => (field.polynomial >>> plane) & 1);
  }

  zero(): Uint32Array {
    return new Uint32Array(this.#bits * this.#width);
  }

  /** `count` uniform coefficients, one after the other. */
  randomCoefficients(count: number, random: RandomSource): Uint32Array {
    const words = new Uint32Array(count * this.#bits * this.#width);
    random.fill(new Uint8Array(words.buffer));
    return words;
  }

  fromBytes(bytes: Uint8Array): Uint32Array {
    const planes = this.zero();
    const step = this.#bits / 8;
    for (let i = 0; i < this.#byteLength; i++) {
      const element = Math.floor(i / step);
      const low = step === 1 ? 0 : i % 2 === 0 ? 8 : 0; // 16-bit elements are big-endian
      for (let bit = 0; bit < 8; bit++) {
        planes[(low + bit) * this.#width + (element >>> 5)]! |= ((bytes[i]! >>> bit) & 1) << (element & 31);
      }
    }
    return planes;
  }

  toBytes(planes: Uint32Array): Uint8Array {
    const bytes = new Uint8Array(this.#byteLength);
    const step = this.#bits / 8;
    for (let i = 0; i < this.#byteLength; i++) {
      const element = Math.floor(i / step);
      const low = step === 1 ? 0 : i % 2 === 0 ? 8 : 0;
      let byte = 0;
      for (let bit = 0; bit < 8; bit++) {
        byte |= ((planes[(low + bit) * this.#width + (element >>> 5)]! >>> (element & 31)) & 1) << bit;
      }
      bytes[i] = byte;
    }
    return bytes;
  }

  /** value = x · value + coefficients[offset …]: one step of Horner's rule. Only the public `x` steers it. */
  hornerStep(value: Uint32Array, x: number, coefficients: Uint32Array, offset: number, scratch: Uint32Array): void {
    const width = this.#width;
    const size = value.length;
    const folds = this.#folds;
    scratch.fill(0);
    let base = 0; // where plane 0 begins in the scratch area: doubling moves it down by one plane
    for (let bit = 31 - Math.clz32(x); bit >= 0; bit--) {
      base = base === 0 ? size - width : base - width;
      for (let f = 0; f < folds.length; f++) {
        let target = base + folds[f]! * width;
        if (target >= size) target -= size;
        for (let w = 0; w < width; w++) scratch[target + w]! ^= scratch[base + w]!;
      }
      if ((x >>> bit) & 1) {
        const split = size - base;
        for (let w = 0; w < split; w++) scratch[base + w]! ^= value[w]!;
        for (let w = split; w < size; w++) scratch[w - split]! ^= value[w]!;
      }
    }
    const split = size - base;
    for (let w = 0; w < split; w++) value[w] = scratch[base + w]! ^ coefficients[offset + w]!;
    for (let w = split; w < size; w++) value[w] = scratch[w - split]! ^ coefficients[offset + w]!;
  }
}
