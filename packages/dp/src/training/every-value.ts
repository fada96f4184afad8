/**
 * Looks at all values of a column without holding up the event loop.
 *
 * @module
 */
import { nextFrame } from '@tensorflow/tfjs-core';

/** Values looked at between two turns of the event loop: a few milliseconds. */
const SLICE = 2 ** 21;

/** Whether all values fit a rule. */
export async function everyValue(values: Float32Array, fits: (value: number) => boolean): Promise<boolean> {
  for (let begin = 0; begin < values.length; begin += SLICE) {
    if (begin > 0) await nextFrame();
    if (!values.subarray(begin, begin + SLICE).every(fits)) return false;
  }
  return true;
}
