/**
 * The fast path of mask expansion in one thread: one open cipher a stream, chunk by chunk over all streams, so that a
 * chunk of the vector stays in the cache while every keystream passes over it.
 *
 * Counter mode is the block cipher over consecutive counters. All streams need the same counters, so they are written
 * once a chunk and go through each stream's block cipher as they are: a stream can then be continued anywhere without being set
 * up again.
 *
 * @module
 */
import { createCipheriv, createSecretKey } from 'node:crypto';
import { SottoError } from '@sotto/core/errors';
import { reduce } from '../masks.ts';
import type { JobOptions, MaskJob } from '../masks.ts';
import { addWords } from '../packing.ts';
import { takeKeystream } from './keystream-output.ts';
import { createSimdAdder } from './simd-adder.ts';
import type { SimdAdder } from './simd-adder.ts';

/**
 * Bytes of keystream made at a time: large enough for OpenSSL's full speed, small enough that the counters, the keystream, its
 * copy and the chunk of the vector lie in a second-level cache of 512 KiB together.
 */
const CHUNK_BYTES = 98304;
/** Most elements in a chunk: their words fill as much. A multiple of {@link CHUNK_STEP}. */
export const CHUNK_ELEMENTS: number = CHUNK_BYTES / 4;
/** Chunks begin at multiples of this many elements: each begins at a block of the keystream then, whatever the bits. */
export const CHUNK_STEP = 128;
const PAGE_BYTES = 65536;
const BLOCK_BYTES = 16;

/** An AES-256 key and what its keystream does to the vector. */
export interface KeyedStream {
  readonly key: Uint8Array;
  readonly sign: 1 | -1;
}

/** Streams of one vector, set up once. */
export interface OpenStreams {
  readonly bits: number;
  readonly ciphers: readonly { readonly cipher: ReturnType<typeof createCipheriv>; readonly sign: 1 | -1 }[];
}

/** Sets the streams of one vector of `bits`-bit elements up. */
export function openStreams(bits: number, streams: readonly KeyedStream[]): OpenStreams {
  return {
    bits,
    ciphers: streams.map(({ key, sign }) => ({ cipher: createCipheriv('aes-256-ecb', createSecretKey(key), null), sign })),
  };
}

/** The thread's adder and its memory, which holds zeros between calls. */
interface ChunkAdder {
  readonly width: SimdAdder['width'];
  /** A chunk of the vector, from address 0 on. */
  readonly chunk: Uint32Array;
  /** What goes onto it, from address {@link CHUNK_BYTES} on. */
  readonly addend: Uint32Array;
}

let adder: ChunkAdder | undefined | 'none';

function chunkAdder(): ChunkAdder | undefined {
  if (adder === undefined) {
    // A page more than the two fill: unpacking may read into it.
    const simd = createSimdAdder(Math.ceil((2 * CHUNK_BYTES) / PAGE_BYTES) + 1);
    if (simd === undefined) adder = 'none';
    else {
      const { memory, width } = simd;
      const place = (address: number): Uint32Array => new Uint32Array(memory, address, CHUNK_ELEMENTS);
      adder = { width, chunk: place(0), addend: place(CHUNK_BYTES) };
    }
  }
  return adder === 'none' ? undefined : adder;
}

/** Byte address up to which the adder goes over `length` elements: they go eight at a time. */
const endOf = (length: number): number => 4 * 8 * Math.ceil(length / 8);

const counters = new Uint8Array(CHUNK_BYTES);
const counterView = new DataView(counters.buffer);

/** The counter blocks from `first` on, to `bytes` bytes rounded up to a block. Counters stay far below 2^53. */
function counterBlocks(first: number, bytes: number): Uint8Array {
  const blocks = Math.ceil(bytes / BLOCK_BYTES);
  for (let i = 0; i < blocks; i++) {
    const counter = first + i;
    counterView.setUint32(BLOCK_BYTES * i + 8, Math.floor(counter / 2 ** 32));
    counterView.setUint32(BLOCK_BYTES * i + 12, counter >>> 0);
  }
  return counters.subarray(0, BLOCK_BYTES * blocks);
}

/**
 * Adds the keystreams to one chunk in place and reduces it: elements [start, start + part.length) of the vector, `start` a
 * multiple of {@link CHUNK_STEP} and part.length at most {@link CHUNK_ELEMENTS}. Where `fresh` says that the part holds zeros,
 * it is only written: pages of fresh memory would be faulted in twice if they were read first.
 */
export function maskChunk({ bits, ciphers }: OpenStreams, start: number, part: Uint32Array, fresh: boolean = false): void {
  const blocks = counterBlocks((start * bits) / (8 * BLOCK_BYTES), (part.length * bits) / 8);
  const simd = chunkAdder();
  if (simd === undefined) {
    // One more word than the elements fill: unpacking looks at it.
    const scratch = new Uint32Array(blocks.length / 4 + 1);
    const bytes = new Uint8Array(scratch.buffer);
    for (const { cipher, sign } of ciphers) {
      takeKeystream(cipher.update(blocks), bytes);
      addWords(part, scratch, bits, sign);
    }
    scratch.fill(0);
  } else {
    const { chunk, addend } = simd;
    const keystream = new Uint8Array(addend.buffer, CHUNK_BYTES, CHUNK_BYTES);
    const end = endOf(part.length);
    const { add, subtract } = simd.width(bits);
    if (!fresh) chunk.set(part);
    for (const { cipher, sign } of ciphers) {
      takeKeystream(cipher.update(blocks), keystream);
      if (sign === 1) add(0, CHUNK_BYTES, end);
      else subtract(0, CHUNK_BYTES, end);
    }
    part.set(chunk.subarray(0, part.length));
    chunk.fill(0);
    keystream.fill(0);
  }
  reduce(part, bits);
}

/** Adds a vector of the same length to `target`, modulo 2^bits, and overwrites it with zeros. */
export function addAndWipe(target: Uint32Array, vector: Uint32Array, bits: number): void {
  const simd = chunkAdder();
  for (let start = 0; start < target.length; start += CHUNK_ELEMENTS) {
    const part = target.subarray(start, start + CHUNK_ELEMENTS);
    const more = vector.subarray(start, start + CHUNK_ELEMENTS);
    if (simd === undefined) addWords(part, more, 32, 1);
    else {
      const { chunk, addend } = simd;
      chunk.set(part);
      addend.set(more);
      simd.width(32).add(0, CHUNK_BYTES, endOf(part.length));
      part.set(chunk.subarray(0, part.length));
    }
    more.fill(0);
  }
  simd?.chunk.fill(0);
  simd?.addend.fill(0);
  reduce(target, bits);
}

/** Runs a job in this thread: the same result as `runMaskJob`, several times faster. Throws `cancelled`. */
export function runMaskJobFast(job: MaskJob, options: JobOptions = {}): void {
  const total = job.vectors.reduce((sum, vector) => sum + vector.length, 0);
  let done = 0;
  for (const [v, vector] of job.vectors.entries()) {
    const target = job.targets[v]!;
    const streams = openStreams(
      vector.bits,
      job.streams.map((stream) => ({ key: stream.keys[v]!, sign: stream.sign })),
    );
    for (let start = 0; start < vector.length; start += CHUNK_ELEMENTS) {
      if (options.signal?.aborted === true) throw new SottoError('cancelled', 'masking was cancelled');
      const part = target.subarray(start, Math.min(vector.length, start + CHUNK_ELEMENTS));
      maskChunk(streams, start, part);
      done += part.length;
      options.progress?.(done, total);
    }
  }
}
