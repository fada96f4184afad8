/**
 * Threads that help with the pass that ends a step: each takes blocks of coordinates, draws their noise and updates them.
 *
 * A thread is told nothing of the examples. It sees the clipped sums where they lie, adds noise to them and overwrites them, and sleeps between steps.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import type { HelperData } from '../fused/fused-update.ts';
import type { UpdateHelpers } from '../training/session.ts';
import type { UpdateWorkerData } from './update-worker.ts';

/** So many parameters for each thread are worth its start and its waking. */
const COORDINATES_PER_THREAD = 2 ** 16;

/**
 * At most so many threads besides the one that trains, fewer for small models.
 *
 * @param most The cores that are free at the end of a step, less one
 */
export function updateHelpers(most: number): UpdateHelpers {
  return {
    count: (dimension) => Math.max(0, Math.min(most, Math.floor(dimension / COORDINATES_PER_THREAD) - 1)),
    start(threads, gridBits) {
      const workers = threads.map((helper) => startThread(helper, gridBits));
      return {
        close: async () => {
          await Promise.all(workers.map((worker) => worker.terminate()));
        },
      };
    },
  };
}

function startThread(helper: HelperData, gridBits: number): Worker {
  const source = import.meta.url.endsWith('.ts');
  const file = new URL(source ? './update-worker.ts' : './update-worker.js', import.meta.url);
  const workerData: UpdateWorkerData = { helper, gridBits };
  const worker = new Worker(file, {
    workerData,
    execArgv: source ? ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning'] : [],
  });
  // It marks its own failure in the shared memory; what it cannot mark is noticed by its silence.
  worker.on('error', () => undefined);
  worker.unref();
  return worker;
}
