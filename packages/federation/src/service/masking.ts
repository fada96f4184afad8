/**
 * How a service makes its mask keystreams: small jobs in the calling thread, large ones in worker threads, so that the
 * lines to the other parties stay alive meanwhile and a service that stops does not wait for the end of the job.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import type { CryptoProvider } from '@sotto/core/crypto';
import { type MaskJob, packedBytes, runMaskJob } from '@sotto/secagg';
import { type MaskPool, createMaskPool, runMaskJobFast } from '@sotto/secagg/node';

/** Runs mask jobs, each to the same result as `runMaskJob` of `@sotto/secagg`. */
export interface Masking {
  /** Rejects with `cancelled` when the signal aborts; what the targets hold then is of no use, and secret. */
  run(job: MaskJob, signal: AbortSignal): Promise<void>;
  /** Ends the worker threads. */
  close(): Promise<void>;
}

/** Keystream that one core makes in about 5 ms: less is not worth the way to another thread. */
const inlineBytes: number = 8 * 1024 * 1024;

/** Options of {@link nodeMasking}. */
export interface NodeMaskingOptions {
  /** Worker threads, begun with the first large job. Default: one for each core. */
  readonly threads?: number | undefined;
  /** Bytes of keystream up to which a job runs in the calling thread. Default 8 MiB. */
  readonly inlineBytes?: number | undefined;
}

/** The fast path: `node:crypto` with SIMD adding. Several services of one process may share it. */
export function nodeMasking(options: NodeMaskingOptions = {}): Masking {
  const most = check.integer('inlineBytes', options.inlineBytes ?? inlineBytes, 0);
  let pool: MaskPool | undefined;
  return {
    run: async (job, signal) => {
      if (keystreamBytes(job) <= most) runMaskJobFast(job, { signal });
      else {
        pool ??= createMaskPool(options.threads === undefined ? {} : { threads: options.threads });
        await pool.run(job, { signal });
      }
    },
    close: async () => {
      await pool?.close();
    },
  };
}

/** The portable path, with a provider's own keystream, in the calling thread. */
export function portableMasking(crypto: CryptoProvider): Masking {
  return {
    run: (job, signal) =>
      new Promise((resolve) => {
        runMaskJob(crypto, job, { signal });
        resolve();
      }),
    close: () => Promise.resolve(),
  };
}

function keystreamBytes({ vectors, streams }: MaskJob): number {
  return streams.length * vectors.reduce((sum, vector) => sum + packedBytes(vector), 0);
}
