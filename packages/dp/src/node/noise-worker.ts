/**
 * The thread behind `createNoiseWorker`: it fills each array that it is given with the noise of one step, from the platform's CSPRNG, and says so.
 * It is told a scale, nothing else.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BitSource } from '../noise/bit-source.ts';
import { createFastGaussian } from '../noise/fast-gaussian.ts';
import { DRAWN } from './noise-messages.ts';
import type { NoiseRequest } from './noise-messages.ts';
import { nodeRandom } from './noise-random.ts';

/** What the thread is started with. */
export interface NoiseWorkerData {
  readonly gridBits: number;
}

const { gridBits } = workerData as NoiseWorkerData;
const bits = new BitSource(nodeRandom);
const gaussian = createFastGaussian(gridBits);

parentPort?.on('message', (values: NoiseRequest) => {
  gaussian.fill(values, bits);
  parentPort?.postMessage(DRAWN);
});
