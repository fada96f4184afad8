/**
 * The thread behind `createNoiseWorker`: for each message it draws the noise of one step from the platform's CSPRNG and hands it over.
 * It is told a scale and a number of coordinates, nothing else.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemRandom } from '@sotto/core/system-random';
import { BitSource } from '../noise/bit-source.ts';
import { createInverseCdfGaussian } from '../noise/inverse-cdf.ts';

/** What the thread is started with. */
export interface NoiseWorkerData {
  readonly gridBits: number;
  readonly dimension: number;
}

const { gridBits, dimension } = workerData as NoiseWorkerData;
const bits = new BitSource(systemRandom);
const gaussian = createInverseCdfGaussian(gridBits);

parentPort?.on('message', () => {
  const values = new Float64Array(dimension);
  gaussian.fill(values, bits);
  // Transferred, not copied: this thread keeps nothing of it.
  parentPort?.postMessage(values, [values.buffer]);
});
