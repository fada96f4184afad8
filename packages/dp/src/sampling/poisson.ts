/**
 * Poisson sampling: every record is in the batch with the same probability, independently of all others.
 *
 * @module
 */
import { integer, probability } from '@sotto/core/check';
import type { BitSource } from '../noise/bit-source.ts';
import { bernoulli } from './bernoulli.ts';

/** Records whose first digits are drawn together, a multiple of 4. */
const BLOCK = 16384;
const BASE = 256;

/**
 * Draws one Poisson sample of the indices 0 … populationSize − 1, in ascending order. The batch may be empty or the whole
 * population. Which records are in it, and how many, is secret.
 *
 * As in `bernoulli.ts` a uniform real is compared with the rate digit by digit, exactly; the first digit is a byte, which decides for all but one record in 256.
 */
export function poissonSample(populationSize: number, sampleRate: number, bits: BitSource): Uint32Array {
  integer('populationSize', populationSize, 0, 2 ** 32 - 1);
  probability('sampleRate', sampleRate);
  if (sampleRate === 0) return new Uint32Array(0);
  if (sampleRate === 1) return Uint32Array.from({ length: populationSize }, (_, i) => i);
  // Exact: scaling by a power of two and the subtraction of the integer part do not round.
  const digit = Math.floor(sampleRate * BASE);
  const rest = sampleRate * BASE - digit;
  const decideEqual = bernoulli(rest);
  const expected = populationSize * sampleRate;
  let batch = new Uint32Array(Math.min(populationSize, Math.ceil(expected + 8 * Math.sqrt(expected) + 16)));
  let size = 0;
  const words = new Uint32Array(Math.min(BLOCK, populationSize + 3) >> 2);
  const bytes = new Uint8Array(words.buffer);
  for (let begin = 0; begin < populationSize; begin += bytes.length) {
    const count = Math.min(bytes.length, populationSize - begin);
    bits.fill(words.subarray(0, (count + 3) >> 2));
    for (let i = 0; i < count; i++) {
      const byte = bytes[i]!;
      if (byte > digit || (byte === digit && !decideEqual(bits))) continue;
      if (size === batch.length) {
        const larger = new Uint32Array(Math.min(populationSize, 2 * size));
        larger.set(batch);
        batch.fill(0);
        batch = larger;
      }
      batch[size++] = begin + i;
    }
  }
  bytes.fill(0);
  const sample = batch.slice(0, size);
  batch.fill(0);
  return sample;
}
