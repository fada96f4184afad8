/**
 * A worker thread of the mask pool: takes chunks of the vectors in shared memory, one after the other from a count that all
 * workers share, and runs the kernel over them.
 *
 * @module
 */
import { parentPort } from 'node:worker_threads';
import { maskChunk, openStreams } from './mask-kernel.ts';
import type { OpenStreams } from './mask-kernel.ts';

/** One vector of a job. */
export interface WorkerVector {
  readonly bits: number;
  /** Zeros as long as the vector, in shared memory that nobody has touched; the sum of its keystreams afterwards. */
  readonly sum: Uint32Array;
  /** One key for each stream. */
  readonly keys: readonly Uint8Array[];
}

/** What the pool sends to every worker; the same for all. */
export interface WorkerJob {
  readonly vectors: readonly WorkerVector[];
  readonly signs: readonly (1 | -1)[];
  /** Chunk after chunk: its vector and the elements at which it begins and ends. */
  readonly chunks: Uint32Array;
  /** Shared words, by {@link CONTROL}. */
  readonly control: Int32Array;
}

/** Places in the control words: elements done by all, 1 where the job is cancelled, the next chunk to take. */
export const CONTROL = { done: 0, cancelled: 1, next: 2, words: 3 } as const;

/** Takes chunks until none is left: a worker whose core is taken away for a while leaves more to the others. */
function work({ vectors, signs, chunks, control }: WorkerJob): void {
  let present: WorkerVector | undefined;
  let streams: OpenStreams | undefined;
  for (;;) {
    const at = 3 * Atomics.add(control, CONTROL.next, 1);
    if (at >= chunks.length || Atomics.load(control, CONTROL.cancelled) === 1) return;
    const vector = vectors[chunks[at]!]!;
    if (streams === undefined || vector !== present) {
      present = vector;
      streams = openStreams(
        vector.bits,
        vector.keys.map((key, i) => ({ key, sign: signs[i]! })),
      );
    }
    const part = vector.sum.subarray(chunks[at + 1], chunks[at + 2]);
    maskChunk(streams, chunks[at + 1]!, part, true);
    Atomics.add(control, CONTROL.done, part.length);
  }
}

parentPort?.on('message', (job: WorkerJob) => {
  work(job);
  for (const vector of job.vectors) for (const key of vector.keys) key.fill(0);
  parentPort?.postMessage('done');
});
