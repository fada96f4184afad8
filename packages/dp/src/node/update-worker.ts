/**
 * The thread behind `updateHelpers`: it takes blocks of passes with noise from the platform's CSPRNG, draws noise ahead while cores are idle, and sleeps else.
 *
 * @module
 */
import { workerData } from 'node:worker_threads';
import { nodeRandom } from './noise-random.ts';
import { helperThread } from '../fused/fused-update.ts';
import type { HelperData } from '../fused/fused-update.ts';
import { BitSource } from '../noise/bit-source.ts';
import { createFastGaussian } from '../noise/fast-gaussian.ts';

/** What the thread is started with. */
export interface UpdateWorkerData {
  readonly helper: HelperData;
  readonly gridBits: number;
}

const { helper, gridBits } = workerData as UpdateWorkerData;
const thread = helperThread(helper);
try {
  const bits = new BitSource(nodeRandom);
  const gaussian = createFastGaussian(gridBits, { shared: helper.memory });
  thread.serve((target) => gaussian.fill(target, bits));
} catch (error) {
  thread.fail();
  throw error;
}
