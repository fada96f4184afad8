/**
 * Mask expansion: AES-256-CTR keystreams cut into b-bit elements and added to or subtracted from vectors modulo 2^b.
 * Work goes chunk by chunk over all streams, so that a chunk of the vector stays in the cache.
 *
 * @module
 */
import type { CancelSignal, CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import type { VectorSpec } from './context.ts';
import { addPacked } from './packing.ts';
import { expand } from './primitives.ts';

/** One key whose keystream goes over all vectors. */
export interface MaskStream {
  /** One AES-256 key for each vector. */
  readonly keys: readonly Uint8Array[];
  readonly sign: 1 | -1;
}

/** Keystreams to add to vectors in place; targets are reduced modulo 2^bits at the end. */
export interface MaskJob {
  readonly vectors: readonly VectorSpec[];
  readonly targets: readonly Uint32Array[];
  readonly streams: readonly MaskStream[];
}

/** Elements in a chunk: a multiple of 128, so that every chunk begins at a block of the keystream, whatever the bits. */
export const CHUNK_ELEMENTS = 16384;

/** Keys of one mask for all vectors: Expand(key, "prg", index, name, length, bits). */
export function maskStream(crypto: CryptoProvider, key: Uint8Array, vectors: readonly VectorSpec[], sign: 1 | -1): MaskStream {
  const keys = vectors.map((vector, index) =>
    expand(crypto, key, 32, 'prg', (w) => w.u32(index).text(vector.name).u32(vector.length).u32(vector.bits)),
  );
  return { keys, sign };
}

/** What a long job reports and asks. */
export interface JobOptions {
  /** Called after each chunk with the elements done and the elements in all. */
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: CancelSignal;
}

/** Runs a job in this thread. Throws `cancelled`, after which the targets are unusable. */
export function runMaskJob(crypto: CryptoProvider, job: MaskJob, options: JobOptions = {}): void {
  const total = job.vectors.reduce((sum, vector) => sum + vector.length, 0);
  let done = 0;
  for (const [v, vector] of job.vectors.entries()) {
    const target = job.targets[v]!;
    if (target.length !== vector.length) {
      throw new SottoError(
        'invalid-argument',
        `vector ${vector.name} has ${target.length} elements; the job says ${vector.length}`,
      );
    }
    const keystream = new Uint8Array(Math.ceil((Math.min(CHUNK_ELEMENTS, vector.length) * vector.bits) / 8));
    for (let start = 0; start < vector.length; start += CHUNK_ELEMENTS) {
      if (options.signal?.aborted === true) throw new SottoError('cancelled', 'masking was cancelled');
      const end = Math.min(vector.length, start + CHUNK_ELEMENTS);
      const part = target.subarray(start, end);
      const bytes = keystream.subarray(0, Math.ceil(((end - start) * vector.bits) / 8));
      for (const stream of job.streams) {
        crypto.aes256CtrKeystream(stream.keys[v]!, (start * vector.bits) / 8, bytes);
        addPacked(part, bytes, vector.bits, stream.sign);
      }
      done += end - start;
      options.progress?.(done, total);
    }
    keystream.fill(0);
    reduce(target, vector.bits);
  }
}

/** Reduces every element modulo 2^bits. */
export function reduce(target: Uint32Array, bits: number): void {
  if (bits === 32) return;
  const mask = 2 ** bits - 1;
  for (let i = 0; i < target.length; i++) target[i]! &= mask;
}
