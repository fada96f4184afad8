/**
 * Reals as unsigned integers with an offset, so that their sums can be masked: without noise inside the sum, an element
 * is round(x·scale) + 2^(bits−1) with x clipped to [−clip, clip]; the coordinator subtracts |U2| offsets.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { QuantiserSpec } from './context.ts';

/** The quantiser whose `bits`-bit range just holds [−clip, clip]: scale = (2^(bits−1) − 1)/clip. Zero maps to the offset exactly. */
export function quantiserFor(clip: number, bits: number): QuantiserSpec {
  check.positive('clip', clip);
  check.integer('bits', bits, 2, 32);
  return { clip, scale: (2 ** (bits - 1) - 1) / clip, bits };
}

/** Bits of a vector whose elements go up to `largest`, so that no sum over `nMax` members wraps. Throws where that is above 32. */
export function sumBits(nMax: number, largest: number): number {
  check.integer('nMax', nMax, 1, 0xffff);
  check.integer('largest', largest, 1, 0xffffffff);
  const bits = (BigInt(nMax) * BigInt(largest)).toString(2).length;
  if (bits > 32)
    throw new SottoError('invalid-argument', `${nMax} elements of up to ${largest} need ${bits} bits; the limit is 32`);
  return bits;
}

/** Rounds to the nearest level (halves up) and clips. NaN is refused: a private step never gives one. */
export function quantise(
  values: ArrayLike<number>,
  spec: QuantiserSpec,
): { readonly levels: Uint32Array; readonly clipped: number } {
  checkSpec(spec);
  const offset = 2 ** (spec.bits - 1);
  const levels = new Uint32Array(values.length);
  let clipped = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) throw new SottoError('invalid-argument', `element ${i} is NaN; it has no place on the grid`);
    const inside = Math.min(spec.clip, Math.max(-spec.clip, value));
    if (inside !== value) clipped++;
    levels[i] = Math.floor(inside * spec.scale + 0.5) + offset;
  }
  return { levels, clipped };
}

/** The sum of the reals: (level sum − members·offset)/scale. `sums` must not have wrapped, which the bits of the vector ensure. */
export function dequantiseSum(sums: Uint32Array, members: number, spec: QuantiserSpec): Float64Array {
  checkSpec(spec);
  check.integer('members', members, 1);
  const offset = members * 2 ** (spec.bits - 1);
  return Float64Array.from(sums, (sum) => (sum - offset) / spec.scale);
}

function checkSpec(spec: QuantiserSpec): void {
  check.positive('clip', spec.clip);
  check.positive('scale', spec.scale);
  check.integer('bits', spec.bits, 2, 32);
  if (spec.clip * spec.scale > 2 ** (spec.bits - 1) - 1 + 1e-6) {
    throw new SottoError(
      'invalid-argument',
      `clip·scale is ${spec.clip * spec.scale}; ${spec.bits} bits hold ${2 ** (spec.bits - 1) - 1}`,
    );
  }
}
