/**
 * Poisson sampling: every record is in the batch with the same probability, independently of all others.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import type { BitSource } from '../noise/bit-source.ts';
import { bernoulli } from './bernoulli.ts';

/**
 * Draws one Poisson sample of the indices 0 … populationSize − 1, in ascending order. The batch may be empty or the whole
 * population. Which records are in it, and how many, is secret.
 */
export function poissonSample(populationSize: number, sampleRate: number, bits: BitSource): Uint32Array {
  integer('populationSize', populationSize, 0, 2 ** 32 - 1);
  const included = bernoulli(sampleRate);
  const batch = new Uint32Array(populationSize);
  let size = 0;
  for (let i = 0; i < populationSize; i++) if (included(bits)) batch[size++] = i;
  return batch.slice(0, size);
}
