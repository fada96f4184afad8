import { afterAll, describe, expect, it } from 'vitest';
import { SottoError } from '../../packages/core/src/errors.ts';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';
import { maskStream, runMaskJob } from '../../packages/secagg/src/masks.ts';
import type { MaskJob } from '../../packages/secagg/src/masks.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/crypto-node.ts';
import {
  addAndWipe,
  CHUNK_ELEMENTS,
  maskChunk,
  openStreams,
  runMaskJobFast,
} from '../../packages/secagg/src/node/mask-kernel.ts';
import { takeKeystream } from '../../packages/secagg/src/node/keystream-output.ts';
import { createMaskPool } from '../../packages/secagg/src/node/mask-pool.ts';
import { createSimdAdder } from '../../packages/secagg/src/node/simd-adder.ts';
import { addPacked } from '../../packages/secagg/src/packing.ts';

const pool = createMaskPool({ threads: 2 });
afterAll(() => pool.close());

function jobOf(bits: number, length: number): MaskJob {
  const vectors = [
    { name: 'long', length, bits },
    { name: 'short', length: 3, bits: 11 },
  ];
  const streams = [1, 2, 3].map((k) => maskStream(nodeCrypto, new Uint8Array(32).fill(k), vectors, k === 2 ? -1 : 1));
  const targets = vectors.map((vector) => Uint32Array.from({ length: vector.length }, (_, i) => (i * 40503) % 2 ** vector.bits));
  return { vectors, streams, targets };
}

/** Where two long vectors first differ; −1 where they do not. A failing comparison of them as objects would take minutes to print. */
function difference(found: Uint32Array, expected: Uint32Array): number {
  return found.length === expected.length ? found.findIndex((value, i) => value !== expected[i]) : Infinity;
}

describe('the fast kernel and the pool', () => {
  it('have SIMD here, and it adds and subtracts', () => {
    const simd = createSimdAdder(1)!;
    const adder = simd.width(32);
    const words = new Uint32Array(simd.memory);
    words.set([1, 2 ** 31, 3, 4, 5, 6, 7, 8], 0);
    words.set([10, 2 ** 31, 30, 40, 50, 60, 70, 4294967295], 64);
    adder.add(0, 256, 32);
    expect([...words.subarray(0, 8)]).toEqual([11, 0, 33, 44, 55, 66, 77, 7]);
    adder.subtract(0, 256, 16);
    expect([...words.subarray(0, 8)]).toEqual([1, 2 ** 31, 3, 4, 55, 66, 77, 7]);
  });

  it('unpacks elements of every width, as the portable code does', () => {
    const simd = createSimdAdder(1)!;
    const random = unsafeDeterministicRandom('simd');
    for (let bits = 1; bits <= 32; bits++) {
      const length = 256;
      const packed = new Uint8Array(4 * bits * 8);
      random.fill(packed);
      const before = new Uint8Array(4 * length);
      random.fill(before);
      const mask = bits === 32 ? 2 ** 32 - 1 : 2 ** bits - 1;
      for (const sign of [1, -1] as const) {
        const expected = new Uint32Array(before.slice().buffer);
        addPacked(expected, packed, bits, sign);
        const words = new Uint32Array(simd.memory, 0, length);
        words.set(new Uint32Array(before.slice().buffer));
        new Uint8Array(simd.memory).set(packed, 2048);
        if (sign === 1) simd.width(bits).add(0, 2048, 4 * length);
        else simd.width(bits).subtract(0, 2048, 4 * length);
        expect([...words.map((word) => (word & mask) >>> 0)], `${bits} bits`).toEqual([
          ...expected.map((word) => (word & mask) >>> 0),
        ]);
      }
    }
  });

  it('continues a keystream beyond a counter of 32 bits', () => {
    const key = new Uint8Array(32).fill(9);
    const start = 2 ** 34 + 2 ** 17; // elements; at 32 bits the block's counter is then above 2^32
    const part = new Uint32Array(8);
    maskChunk(openStreams(32, [{ key, sign: 1 }]), start, part);
    const expected = new Uint8Array(32);
    nodeCrypto.aes256CtrKeystream(key, 4 * start, expected);
    expect(new Uint8Array(part.buffer)).toEqual(expected);
  });

  it('fills fresh memory with the sum of the keystreams, whatever was masked before', () => {
    const streams = openStreams(20, [{ key: new Uint8Array(32).fill(5), sign: -1 }]);
    const before = new Uint32Array(CHUNK_ELEMENTS).fill(77);
    maskChunk(streams, 0, before);
    for (const length of [CHUNK_ELEMENTS, 1001]) {
      const expected = new Uint32Array(length);
      maskChunk(streams, 256, expected);
      const fresh = new Uint32Array(length);
      maskChunk(streams, 256, fresh, true);
      expect(difference(fresh, expected)).toBe(-1);
    }
  });

  it.each([1, 20, 32])('adds vectors modulo 2^%i and leaves nothing of what it added', (bits) => {
    const length = 2 * CHUNK_ELEMENTS + 13;
    const wide = (seed: number): Uint32Array => Uint32Array.from({ length }, (_, i) => Math.imul(i + seed, 2654435761));
    const target = wide(1);
    const addend = wide(2);
    const expected = target.map((value, i) => (value + addend[i]!) % 2 ** bits);
    addAndWipe(target, addend, bits);
    expect(difference(target, expected)).toBe(-1);
    expect(addend.every((word) => word === 0)).toBe(true);
  });

  it('divides a long vector, and reduces what was not', async () => {
    const portable = jobOf(20, 400_001);
    portable.targets[0]!.fill(2 ** 32 - 3, 7, 90_000);
    const pooled = { ...portable, targets: portable.targets.map((target) => target.slice()) };
    runMaskJob(nodeCrypto, portable);
    await pool.run(pooled);
    for (const [v, target] of pooled.targets.entries()) expect(difference(target, portable.targets[v]!)).toBe(-1);
  });

  it('keep no keystream in what the cipher returned', () => {
    const output = Buffer.from(new Uint8Array(64).fill(7));
    const shared = Buffer.from(new ArrayBuffer(64), 16, 32).fill(7);
    const target = new Uint8Array(80);
    takeKeystream(output, target, 16);
    expect(target).toEqual(Uint8Array.from({ length: 80 }, (_, i) => (i < 16 ? 0 : 7)));
    expect(output.every((byte) => byte === 0)).toBe(true);
    takeKeystream(shared, target);
    expect([...shared]).toEqual(Array(32).fill(0)); // a view of something larger: overwritten, not taken away
    const whole = Buffer.from(new ArrayBuffer(64)).fill(7);
    takeKeystream(whole, target);
    expect(whole.buffer.byteLength).toBe(typeof ArrayBuffer.prototype.transfer === 'function' ? 0 : 64);
  });

  it.each([1, 2, 3, 5])('divides vectors of every length among %i threads', async (threads) => {
    const own = createMaskPool({ threads });
    for (const length of [1, 127, 128, 129, 24_576 * threads, 24_576 * threads + 1]) {
      const portable = jobOf(13, length);
      runMaskJob(nodeCrypto, portable);
      const pooled = jobOf(13, length);
      await own.run(pooled);
      expect(pooled.targets, `${length} elements`).toEqual(portable.targets);
    }
    await own.close();
  });

  it.each([1, 7, 16, 20, 31, 32])('give what the portable code gives at %i bits', async (bits) => {
    const length = 70_003;
    const portable = jobOf(bits, length);
    runMaskJob(nodeCrypto, portable);
    const fast = jobOf(bits, length);
    runMaskJobFast(fast);
    expect(fast.targets).toEqual(portable.targets);
    const pooled = jobOf(bits, length);
    await pool.run(pooled);
    expect(pooled.targets).toEqual(portable.targets);
  });

  it('report progress, one job after the other', async () => {
    const seen: number[] = [];
    const first = jobOf(32, 50_000);
    const second = jobOf(32, 50_000);
    await Promise.all([pool.run(first, { progress: (done) => seen.push(done) }), pool.run(second)]);
    expect(seen.at(-1)).toBe(50_003);
    expect(first.targets).toEqual(second.targets);
  });

  it('say so when one has died, in every job from then on', async () => {
    const pool = createMaskPool({ threads: 1 });
    const job = (keyBytes: number): MaskJob => ({
      vectors: [{ name: 'update', length: 8, bits: 32 }],
      targets: [new Uint32Array(8)],
      streams: [{ keys: [new Uint8Array(keyBytes)], sign: 1 }],
    });
    await pool.run(job(32));
    await expect(pool.run(job(5))).rejects.toThrow(SottoError);
    for (let i = 0; i < 2; i++) await expect(pool.run(job(32))).rejects.toThrow('make another pool');
    await pool.close();
  });

  it('stop when they are cancelled, and leave the targets as they were', async () => {
    const job = jobOf(32, 50_000);
    const before = job.targets.map((target) => target.slice());
    await expect(pool.run(job, { signal: { aborted: true } })).rejects.toMatchObject({ code: 'cancelled' });
    expect(job.targets).toEqual(before);
    await pool.run(job);
    expect(() => runMaskJobFast(jobOf(20, 9), { signal: { aborted: true } })).toThrow(/cancelled/);
  });
});
