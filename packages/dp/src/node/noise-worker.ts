/**
 * The thread behind `createNoiseWorker`: it fills each array that it is given with the noise of one step, from the platform's CSPRNG, and says so.
 * It is told a scale, nothing else.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemRandom } from '@sotto/core/system-random';
import { BitSource } from '../noise/bit-source.ts';
import { createInverseCdfGaussian } from '../noise/inverse-cdf.ts';
import { DRAWN } from './noise-messages.ts';
import type { NoiseRequest, NoiseWorkerData } from './noise-messages.ts';

const { gridBits } = workerData as NoiseWorkerData;
const bits = new BitSource(systemRandom);
const gaussian = createInverseCdfGaussian(gridBits);

parentPort?.on('message', (values: NoiseRequest) => {
  const drawn = values instanceof Float64Array ? values : new Float64Array(values.length);
  gaussian.fill(drawn, bits);
  if (drawn !== values) {
    for (let j = 0; j < drawn.length; j++) values[j] = drawn[j]!;
    drawn.fill(0);
  }
  parentPort?.postMessage(DRAWN);
});
