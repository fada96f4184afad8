/**
 * The fast path of mask expansion in one thread: one open cipher a stream, chunk by chunk over all streams, so that a
 * chunk of the vector stays in the cache while every keystream passes over it.
 *
 * @module
 */
import { createCipheriv } from 'node:crypto';
import type { CancelSignal } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { reduce } from '../masks.ts';
import type { JobOptions, MaskJob } from '../masks.ts';
import { addWords } from '../packing.ts';
import { createSimdAdder } from './simd-adder.ts';
import type { SimdAdder } from './simd-adder.ts';

/** Bytes of keystream made at a time: large enough for OpenSSL's full speed, small enough for the second-level cache. */
const CHUNK_BYTES = 131072;
/** Elements in a chunk: their words fill as much. */
const CHUNK_ELEMENTS = CHUNK_BYTES / 4;
const PAGE_BYTES = 65536;
const ZEROS = new Uint8Array(CHUNK_BYTES);

/** One vector's part of a job: elements [start, start + target.length) of it, start a multiple of 128. */
export interface MaskRange {
  readonly bits: number;
  readonly start: number;
  readonly target: Uint32Array;
  /** AES-256 keys with their signs. */
  readonly streams: readonly { readonly key: Uint8Array; readonly sign: 1 | -1 }[];
}

/** What a long range reports and asks, between chunks. */
export interface RangeHooks {
  readonly onElements?: ((count: number) => void) | undefined;
  readonly signal?: CancelSignal | undefined;
}

let adder: SimdAdder | undefined | 'none';

/** The thread's adder: memory for the chunk of the vector, for the keystream, and a page that unpacking may read into. */
function simdAdder(): SimdAdder | undefined {
  adder ??= createSimdAdder((2 * CHUNK_BYTES) / PAGE_BYTES + 1) ?? 'none';
  return adder === 'none' ? undefined : adder;
}

/** Adds the keystreams to the range in place and reduces it. Throws `cancelled`. */
export function maskRange(range: MaskRange, hooks: RangeHooks = {}): void {
  const { bits, start, target } = range;
  const ciphers = range.streams.map(({ key, sign }) => {
    const counter = new Uint8Array(16);
    new DataView(counter.buffer).setBigUint64(8, BigInt((start * bits) / 128));
    return { cipher: createCipheriv('aes-256-ctr', key, counter), sign };
  });
  const simd = simdAdder();
  const scratch = new Uint32Array(CHUNK_BYTES / 4 + 1);
  const scratchBytes = new Uint8Array(scratch.buffer);
  for (let from = 0; from < target.length; from += CHUNK_ELEMENTS) {
    if (hooks.signal?.aborted === true) throw new SottoError('cancelled', 'masking was cancelled');
    const part = target.subarray(from, Math.min(target.length, from + CHUNK_ELEMENTS));
    const bytes = Math.ceil((part.length * bits) / 8);
    if (simd !== undefined) {
      addInMemory(simd, part, bits, ciphers);
    } else {
      for (const { cipher, sign } of ciphers) {
        scratchBytes.set(cipher.update(ZEROS.subarray(0, bytes)));
        addWords(part, scratch, bits, sign);
      }
    }
    reduce(part, bits);
    hooks.onElements?.(part.length);
  }
  scratch.fill(0);
}

type OpenStream = { readonly cipher: ReturnType<typeof createCipheriv>; readonly sign: 1 | -1 };

/** All keystreams over one chunk, in the adder's memory. */
function addInMemory(simd: SimdAdder, part: Uint32Array, bits: number, ciphers: readonly OpenStream[]): void {
  const chunk = new Uint32Array(simd.memory, 0, CHUNK_ELEMENTS);
  const keystream = new Uint8Array(simd.memory, CHUNK_BYTES, CHUNK_BYTES);
  const zeros = ZEROS.subarray(0, Math.ceil((part.length * bits) / 8));
  const end = 4 * part.length;
  const mask = bits === 32 ? -1 : 2 ** bits - 1;
  chunk.set(part);
  for (const { cipher, sign } of ciphers) {
    keystream.set(cipher.update(zeros));
    if (bits !== 32) simd.addPacked(0, CHUNK_BYTES, end, bits, mask, sign);
    else if (sign === 1) simd.add(0, CHUNK_BYTES, end);
    else simd.subtract(0, CHUNK_BYTES, end);
  }
  part.set(chunk.subarray(0, part.length));
  chunk.fill(0);
  keystream.fill(0);
}

/** Runs a job in this thread: the same result as `runMaskJob`, several times faster. Throws `cancelled`. */
export function runMaskJobFast(job: MaskJob, options: JobOptions = {}): void {
  const total = job.vectors.reduce((sum, vector) => sum + vector.length, 0);
  let done = 0;
  for (const [v, vector] of job.vectors.entries()) {
    const streams = job.streams.map((stream) => ({ key: stream.keys[v]!, sign: stream.sign }));
    maskRange(
      { bits: vector.bits, start: 0, target: job.targets[v]!, streams },
      {
        signal: options.signal,
        onElements: (count) => {
          done += count;
          options.progress?.(done, total);
        },
      },
    );
  }
}
