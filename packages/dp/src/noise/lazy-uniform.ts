/**
 * Uniform real numbers that are drawn as far as a decision needs them.
 *
 * @module
 */
import type { BitSource } from './bit-source.ts';

/** A uniform real in [0, 1) of which only the leading base-2³² digits are known. */
export class LazyUniform {
  readonly digits: number[] = [];

  /** Begins a new deviate with its first digit. */
  reset(first: number): this {
    this.digits.length = 0;
    this.digits.push(first);
    return this;
  }

  /** The digit of the given index, drawn now if it is not known yet. */
  digit(index: number, bits: BitSource): number {
    while (this.digits.length <= index) this.digits.push(bits.word());
    return this.digits[index]!;
  }

  /** Whether this deviate is below the other. Both grow by fresh digits while they are equal, which ends with probability 1. */
  isBelow(other: LazyUniform, bits: BitSource): boolean {
    for (let i = 0; ; i++) {
      const a = this.digit(i, bits);
      const b = other.digit(i, bits);
      if (a !== b) return a < b;
    }
  }
}
