/**
 * Mask expansion on several cores: worker threads run the kernel over chunks of the vectors in shared memory, each taking
 * the next one that is left. Counter mode lets a chunk begin anywhere. What this thread does alone is all that more cores do
 * not shorten, so it is little: it makes the memory, without touching it, and adds the sum of the keystreams at the end.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { JobOptions, MaskJob } from '../masks.ts';
import { addAndWipe, CHUNK_ELEMENTS, CHUNK_STEP } from './mask-kernel.ts';
import { CONTROL } from './mask-worker.ts';
import type { WorkerJob } from './mask-worker.ts';

/** Worker threads for mask jobs, one job at a time. */
export interface MaskPool {
  readonly threads: number;
  /**
   * Adds the job's keystreams to its targets, as `runMaskJob` does. Rejects with `cancelled`, after which the targets are as they were, and with `internal` once a
   * thread has died, from where on the pool does nothing any more.
   */
  run(job: MaskJob, options?: JobOptions): Promise<void>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** How often progress is told and cancellation looked at while a job runs. */
const POLL_MS = 20;
/** Starts a pool; `threads` defaults to the machine's cores. */
export function createMaskPool(options: { readonly threads?: number } = {}): MaskPool {
  const threads = check.integer('threads', options.threads ?? availableParallelism(), 1, 256);
  const source = import.meta.url.endsWith('.ts');
  const file = new URL(source ? './mask-worker.ts' : './mask-worker.js', import.meta.url);
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(file, {
      execArgv: source ? ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning'] : [],
    });
    worker.unref();
    return worker;
  });
  let tail: Promise<void> = Promise.resolve();
  let closed = false;
  let failed: SottoError | undefined;
  // A thread that has died answers no message: a job that waited for it would wait for ever.
  const fail = (cause?: unknown): void => {
    failed ??= new SottoError('internal', 'a mask worker ended; make another pool', { cause });
  };
  for (const worker of workers) {
    worker.on('error', fail);
    worker.on('exit', () => fail());
  }
  return {
    threads,
    run(job, jobOptions = {}) {
      if (closed) return Promise.reject(new SottoError('conflict', 'the mask pool is closed'));
      const mine = tail.then(() => (failed === undefined ? runJob(workers, job, jobOptions) : Promise.reject(failed)));
      tail = mine.catch(() => undefined);
      return mine;
    },
    async close() {
      closed = true;
      await tail;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Least elements in a chunk where there are more: below, what a call of the cipher costs before its first byte would show. */
const LEAST_CHUNK_ELEMENTS = 8192;

/**
 * Divides vectors into chunks for `threads`: three words each, as {@link WorkerJob.chunks} has them. Towards the end they get
 * smaller, a thread's part of half of what is left, so that the others take over from one that is held up and all end together.
 */
function chunksOf(lengths: readonly number[], threads: number): Uint32Array {
  const chunks: number[] = [];
  let left = lengths.reduce((sum, length) => sum + length, 0);
  for (const [v, length] of lengths.entries()) {
    let start = 0;
    while (start < length) {
      const part = threads === 1 ? left : left / (2 * threads);
      const wanted = Math.max(LEAST_CHUNK_ELEMENTS, CHUNK_STEP * Math.ceil(part / CHUNK_STEP));
      const size = Math.min(length - start, CHUNK_ELEMENTS, wanted);
      chunks.push(v, start, start + size);
      start += size;
      left -= size;
    }
  }
  return Uint32Array.from(chunks);
}

async function runJob(workers: readonly Worker[], job: MaskJob, options: JobOptions): Promise<void> {
  const lengths = job.targets.map((target) => target.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const chunks = chunksOf(lengths, workers.length);
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.words));
  const sums = lengths.map((length) => new Uint32Array(new SharedArrayBuffer(4 * length)));
  const message: WorkerJob = {
    vectors: job.vectors.map((vector, v) => ({
      bits: vector.bits,
      sum: sums[v]!,
      keys: job.streams.map((stream) => stream.keys[v]!),
    })),
    signs: job.streams.map((stream) => stream.sign),
    chunks,
    control,
  };
  const poll = setInterval(() => {
    if (options.signal?.aborted === true) Atomics.store(control, CONTROL.cancelled, 1);
    options.progress?.(Math.min(total, Atomics.load(control, CONTROL.done)), total);
  }, POLL_MS);
  try {
    if (options.signal?.aborted === true) Atomics.store(control, CONTROL.cancelled, 1);
    const works = workers.slice(0, chunks.length / 3).map(async (worker) => {
      try {
        await work(worker, message);
      } catch (error) {
        Atomics.store(control, CONTROL.cancelled, 1); // the others need not go on
        throw error;
      }
    });
    // None may still write when the memory is wiped below.
    await Promise.allSettled(works);
    await Promise.all(works);
    if (Atomics.load(control, CONTROL.cancelled) === 1) throw new SottoError('cancelled', 'masking was cancelled');
    for (const [v, target] of job.targets.entries()) addAndWipe(target, sums[v]!, job.vectors[v]!.bits);
    options.progress?.(total, total);
  } finally {
    clearInterval(poll);
    if (Atomics.load(control, CONTROL.cancelled) === 1) for (const sum of sums) sum.fill(0);
  }
}

/** Has one worker take chunks until there are none left. */
function work(worker: Worker, job: WorkerJob): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      worker.off('message', onMessage);
      worker.off('error', settle);
      worker.off('exit', onExit);
      worker.unref();
      if (error === undefined) resolve();
      else reject(SottoError.from(error));
    };
    const onMessage = (): void => settle();
    const onExit = (): void => settle(new SottoError('internal', 'a mask worker ended'));
    worker.on('message', onMessage);
    worker.on('error', settle);
    worker.on('exit', onExit);
    worker.ref();
    worker.postMessage(job);
  });
}
