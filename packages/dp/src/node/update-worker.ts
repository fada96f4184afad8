/**
 * The thread behind `updateHelpers`: it sleeps until a pass begins, takes blocks with noise from the platform's CSPRNG, and sleeps again.
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
  const gaussian = createFastGaussian(gridBits);
  for (let last = 0; ;) {
    last = thread.waitFor(last);
    thread.help((target) => gaussian.fill(target, bits));
    bits.wipe();
  }
} catch (error) {
  thread.fail();
  throw error;
}
