/**
 * Mask expansion on several cores: worker threads run the kernel over chunks of the vectors in shared memory, each taking
 * the next one that is left. Counter mode lets a chunk begin anywhere.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { JobOptions, MaskJob } from '../masks.ts';
import { CHUNK_ELEMENTS, CHUNK_STEP } from './mask-kernel.ts';
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

/** The chunk with which a vector makes a multiple of `threads` chunks of one length, so that none works while the others wait. */
function evenChunk(length: number, threads: number): number {
  const rounds = Math.max(1, Math.ceil(length / (CHUNK_ELEMENTS * threads)));
  return Math.max(CHUNK_STEP, CHUNK_STEP * Math.ceil(length / (rounds * threads * CHUNK_STEP)));
}

async function runJob(workers: readonly Worker[], job: MaskJob, options: JobOptions): Promise<void> {
  const total = job.vectors.reduce((sum, vector) => sum + vector.length, 0);
  const chunkElements = job.vectors.map((vector) => evenChunk(vector.length, workers.length));
  const chunks = job.vectors.reduce((sum, vector, v) => sum + Math.ceil(vector.length / chunkElements[v]!), 0);
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.words));
  const shared = job.targets.map((target) => {
    const copy = new Uint32Array(new SharedArrayBuffer(4 * target.length));
    copy.set(target);
    return copy;
  });
  const message: WorkerJob = {
    vectors: job.vectors.map((vector, v) => ({
      bits: vector.bits,
      target: shared[v]!,
      chunkElements: chunkElements[v]!,
      keys: job.streams.map((stream) => stream.keys[v]!),
    })),
    signs: job.streams.map((stream) => stream.sign),
    control,
  };
  const poll = setInterval(() => {
    if (options.signal?.aborted === true) Atomics.store(control, CONTROL.cancelled, 1);
    options.progress?.(Math.min(total, Atomics.load(control, CONTROL.done)), total);
  }, POLL_MS);
  try {
    if (options.signal?.aborted === true) Atomics.store(control, CONTROL.cancelled, 1);
    await Promise.all(workers.slice(0, chunks).map((worker) => work(worker, message)));
    if (Atomics.load(control, CONTROL.cancelled) === 1) throw new SottoError('cancelled', 'masking was cancelled');
    for (const [v, target] of job.targets.entries()) target.set(shared[v]!);
    options.progress?.(total, total);
  } finally {
    clearInterval(poll);
    for (const copy of shared) copy.fill(0);
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
