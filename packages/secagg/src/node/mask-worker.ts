/**
 * A worker thread of the mask pool: takes ranges of a vector in shared memory and runs the kernel over them.
 *
 * @module
 */
import { parentPort } from 'node:worker_threads';
import { maskRange } from './mask-kernel.ts';

/** What the pool sends. */
export interface WorkerTask {
  readonly bits: number;
  /** First element of the whole vector that `target` holds; a multiple of 128. */
  readonly start: number;
  /** The range's elements in shared memory. */
  readonly target: Uint32Array;
  readonly keys: readonly Uint8Array[];
  readonly signs: readonly (1 | -1)[];
  /** Two shared words: elements done so far by all workers, and 1 where the job is cancelled. */
  readonly control: Int32Array;
}

parentPort?.on('message', (task: WorkerTask) => {
  const streams = task.keys.map((key, i) => ({ key, sign: task.signs[i]! }));
  const signal = {
    get aborted(): boolean {
      return Atomics.load(task.control, 1) === 1;
    },
  };
  try {
    maskRange(
      { bits: task.bits, start: task.start, target: task.target, streams },
      { signal, onElements: (count) => Atomics.add(task.control, 0, count) },
    );
    parentPort?.postMessage('done');
  } catch {
    parentPort?.postMessage('cancelled'); // the kernel throws for nothing else
  }
  for (const key of task.keys) key.fill(0);
});
