/**
 * Masking against its keystream: the same bytes of AES-256-CTR from `node:crypto` in one thread, as anybody would write it, and
 * against the least that the kernel's own way of making it can cost.
 *
 * @module
 */
import { createCipheriv, createSecretKey } from 'node:crypto';
import { randomBytes } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import type { MaskJob } from '@sotto/secagg';
import { runMaskJobFast } from '@sotto/secagg/node';
import { cpuOf, median } from './measure.ts';

/** The plain loop is fastest with chunks from 256 to 512 KiB: 132 and 128 ms for 400 MB, against 137 at 128 KiB and 162 at 32. */
const PLAIN_CHUNK_BYTES = 262144;
/** The kernel's own. */
const FREED_CHUNK_BYTES = 98304;

/** The keystream alone, one cipher after the other, as anybody would write it. */
export function keystream(streams: number, bytes: number): void {
  const zeros = new Uint8Array(PLAIN_CHUNK_BYTES);
  for (let i = 0; i < streams; i++) {
    const cipher = createCipheriv('aes-256-ctr', createSecretKey(randomBytes(systemRandom, 32)), new Uint8Array(16));
    for (let done = 0; done < bytes; done += PLAIN_CHUNK_BYTES) {
      cipher.update(zeros.subarray(0, Math.min(PLAIN_CHUNK_BYTES, bytes - done)));
    }
  }
}

/**
 * The least that the kernel's way can cost: blocks through the block cipher, each returned buffer freed at once. Freeing does
 * not serve counter mode: Node cuts its output out of one that is a byte longer, and what comes then (80 ms for 400 MB, or
 * 250) depends on where the allocator puts the two.
 */
export function freedBlocks(streams: number, bytes: number): void {
  const blocks = new Uint8Array(FREED_CHUNK_BYTES);
  for (let i = 0; i < streams; i++) {
    const cipher = createCipheriv('aes-256-ecb', createSecretKey(randomBytes(systemRandom, 32)), null);
    for (let done = 0; done < bytes; done += FREED_CHUNK_BYTES) {
      const { buffer } = cipher.update(blocks.subarray(0, Math.min(FREED_CHUNK_BYTES, 16 * Math.ceil((bytes - done) / 16))));
      if (buffer instanceof ArrayBuffer) buffer.transfer(0);
    }
  }
}

export function jobOf(streams: number, length: number, bits: number): MaskJob {
  return {
    vectors: [{ name: 'update', length, bits }],
    targets: [new Uint32Array(length)],
    streams: Array.from({ length: streams }, (_, i) => ({
      keys: [randomBytes(systemRandom, 32)],
      sign: i % 2 === 0 ? 1 : -1,
    })),
  };
}

/** Measurements of the same work taken in turn, so that all meet the same other load. Least CPU milliseconds. */
export interface Masking {
  readonly ours: number;
  /** The plain loop over AES-256-CTR. */
  readonly theirs: number;
  /** The block cipher alone, its buffers freed at once. */
  readonly freed: number;
  /** Medians of the ratios of ours to the two, of neighbouring measurements. */
  readonly medianRatio: number;
  readonly medianFreedRatio: number;
}

/** Masking `streams` keystreams of `bits`-bit elements onto a vector against making them. */
export function maskAgainstKeystream(streams: number, length: number, bits: number, repeats: number): Masking {
  const job = jobOf(streams, length, bits);
  const bytes = (length * bits) / 8;
  const times = Array.from({ length: repeats }, () => ({
    theirs: cpuOf(() => keystream(streams, bytes)),
    ours: cpuOf(() => runMaskJobFast(job)),
    freed: cpuOf(() => freedBlocks(streams, bytes)),
  }));
  return {
    ours: Math.min(...times.map((time) => time.ours)),
    theirs: Math.min(...times.map((time) => time.theirs)),
    freed: Math.min(...times.map((time) => time.freed)),
    medianRatio: median(times.map((time) => time.ours / time.theirs)),
    medianFreedRatio: median(times.map((time) => time.ours / time.freed)),
  };
}
