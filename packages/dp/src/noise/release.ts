/**
 * The loops over all coordinates of a step: they run once per parameter and step, and are kept apart so that each is compiled for its own types.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { NumericArray } from '@sotto/core/ops';

/** Whether all numbers of a sum are finite. */
export function isFiniteSum(parts: readonly NumericArray[]): boolean {
  // A NaN or an infinity survives every sum of products with zero. Four sums, so that an addition need not wait for the one before it.
  for (const part of parts) {
    const even = part.length & ~3;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let j = 0; j < even; j += 4) {
      a += part[j]! * 0;
      b += part[j + 1]! * 0;
      c += part[j + 2]! * 0;
      d += part[j + 3]! * 0;
    }
    for (let j = even; j < part.length; j++) a += part[j]! * 0;
    if (a + b + c + d !== 0) return false;
  }
  return true;
}

/** Adds vectors, one after the other, to one that is as long as all of them together. Nothing is added where the lengths differ. */
export function addParts(sum: Float64Array, parts: readonly NumericArray[]): void {
  const length = parts.reduce((count, part) => count + part.length, 0);
  if (length !== sum.length) throw new SottoError('internal', `a sum has ${length} coordinates; the model has ${sum.length}`);
  let at = 0;
  for (const part of parts) {
    const target = sum.subarray(at, at + part.length);
    if (part instanceof Float32Array) addFloat32(target, part);
    else for (let j = 0; j < part.length; j++) target[j]! += part[j]!;
    at += part.length;
  }
}

function addFloat32(target: Float64Array, part: Float32Array): void {
  const length = part.length;
  for (let j = 0; j < length; j++) target[j] = target[j]! + part[j]!;
}

/**
 * (noise + rows + ⌊floats·(1/unit) + ½⌋) · unit, where the noise stood. Noise and rows are integers, and what is added for the floats is one as well, whatever the
 * product was rounded to; by how much that may differ from the real quotient, over all coordinates at most a quarter of a unit, is in the slack. A quotient for each would take
 * twice the time of all the rest.
 */
export function releaseSum(
  noise: Float64Array,
  rows: Float64Array | undefined,
  floats: Float64Array | undefined,
  unit: number,
): void {
  if (rows !== undefined) addIntegers(noise, rows);
  if (floats !== undefined) roundFloats(noise, floats, unit);
  else scale(noise, unit);
}

function addIntegers(noise: Float64Array, rows: Float64Array): void {
  const { length } = noise;
  for (let j = 0; j < length; j++) noise[j] = noise[j]! + rows[j]!;
}

function scale(noise: Float64Array, unit: number): void {
  const { length } = noise;
  for (let j = 0; j < length; j++) noise[j] = noise[j]! * unit;
}

function roundFloats(noise: Float64Array, floats: Float64Array, unit: number): void {
  const { length } = noise;
  const perUnit = 1 / unit;
  for (let j = 0; j < length; j++) noise[j] = (noise[j]! + Math.floor(floats[j]! * perUnit + 0.5)) * unit;
}
