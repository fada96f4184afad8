/**
 * A worker thread of the mask pool: takes chunks of the vectors in shared memory, one after the other from a count that all
 * workers share, and runs the kernel over them.
 *
 * @module
 */
import { parentPort } from 'node:worker_threads';
import { maskChunk, openStreams } from './mask-kernel.ts';

/** One vector of a job. */
export interface WorkerVector {
  readonly bits: number;
  /** The whole vector, in shared memory. */
  readonly target: Uint32Array;
  /** Elements in each of its chunks but the last. */
  readonly chunkElements: number;
  /** One key for each stream. */
  readonly keys: readonly Uint8Array[];
}

/** What the pool sends to every worker; the same for all. */
export interface WorkerJob {
  readonly vectors: readonly WorkerVector[];
  readonly signs: readonly (1 | -1)[];
  /** Shared words, by {@link CONTROL}. */
  readonly control: Int32Array;
}

/** Places in the control words: elements done by all, 1 where the job is cancelled, the next chunk to take. */
export const CONTROL = { done: 0, cancelled: 1, next: 2, words: 3 } as const;

/** Takes chunks until none is left: a worker whose core is taken away for a while leaves more to the others. */
function work({ vectors, signs, control }: WorkerJob): void {
  let first = 0; // chunk at which the present vector begins
  let taken = Atomics.add(control, CONTROL.next, 1);
  for (const { bits, target, chunkElements, keys } of vectors) {
    const chunks = Math.ceil(target.length / chunkElements);
    if (taken >= first + chunks) {
      first += chunks;
      continue;
    }
    const streams = openStreams(
      bits,
      keys.map((key, i) => ({ key, sign: signs[i]! })),
    );
    for (; taken < first + chunks; taken = Atomics.add(control, CONTROL.next, 1)) {
      if (Atomics.load(control, CONTROL.cancelled) === 1) return;
      const start = (taken - first) * chunkElements;
      const part = target.subarray(start, Math.min(target.length, start + chunkElements));
      maskChunk(streams, start, part);
      Atomics.add(control, CONTROL.done, part.length);
    }
    first += chunks;
  }
}

parentPort?.on('message', (job: WorkerJob) => {
  work(job);
  for (const vector of job.vectors) for (const key of vector.keys) key.fill(0);
  parentPort?.postMessage('done');
});
