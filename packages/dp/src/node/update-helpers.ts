/**
 * Threads that help with the pass that ends a step: each takes blocks of coordinates, draws their noise and updates them.
 *
 * A thread is told nothing of the examples. It sees the clipped sums where they lie, adds noise to them and overwrites them, and sleeps between steps.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import { helperThread } from '../fused/fused-update.ts';
import type { HelperData } from '../fused/fused-update.ts';
import type { UpdateHelpers } from '../training/session.ts';
import type { UpdateWorkerData } from './update-worker.ts';

/** So many parameters for each thread are worth its start and its waking. */
const COORDINATES_PER_THREAD = 2 ** 16;

/**
 * At most so many threads besides the one that trains, fewer for small models.
 *
 * @param most The cores that are free at the end of a step, less one
 * @param startOne For tests
 */
export function updateHelpers(most: number, startOne: StartHelper = startHelper): UpdateHelpers {
  return {
    count: (dimension) => Math.max(0, Math.min(most, Math.floor(dimension / COORDINATES_PER_THREAD) - 1)),
    start(threads, gridBits) {
      let closing = false;
      // A thread that was killed, as for want of memory, cannot mark its end in the shared memory: it is done here, when this thread's event loop turns. A pass that is under way waits
      // with the loop stopped, and gives up after a while without a sign of life.
      const ended = (helper: HelperData): void => {
        if (!closing) helperThread(helper).fail();
      };
      const workers = threads.map((helper) => {
        const worker = startOne(helper, gridBits);
        // One that never ran has taken nothing: the others do its part.
        let ran = false;
        worker.on('online', () => {
          ran = true;
        });
        const onEnd = (): void => {
          if (ran) ended(helper);
        };
        worker.on('error', onEnd);
        worker.on('exit', onEnd);
        return worker;
      });
      return {
        close: async () => {
          closing = true;
          await Promise.all(workers.map((worker) => worker.terminate()));
        },
      };
    },
  };
}

/** Starts one thread. */
export type StartHelper = (helper: HelperData, gridBits: number) => Worker;

/** Starts one thread that does not keep the process alive. */
export function startHelper(helper: HelperData, gridBits: number): Worker {
  const source = import.meta.url.endsWith('.ts');
  const file = new URL(source ? './update-worker.ts' : './update-worker.js', import.meta.url);
  const workerData: UpdateWorkerData = { helper, gridBits };
  const worker = new Worker(file, {
    workerData,
    execArgv: source ? ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning'] : [],
  });
  worker.unref();
  return worker;
}
