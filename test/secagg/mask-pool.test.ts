import { afterAll, describe, expect, it } from 'vitest';
import { maskStream, runMaskJob } from '../../packages/secagg/src/masks.ts';
import type { MaskJob } from '../../packages/secagg/src/masks.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/crypto-node.ts';
import { runMaskJobFast } from '../../packages/secagg/src/node/mask-kernel.ts';
import { createMaskPool } from '../../packages/secagg/src/node/mask-pool.ts';
import { createSimdAdder } from '../../packages/secagg/src/node/simd-adder.ts';

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

describe('the fast kernel and the pool', () => {
  it('have SIMD here, and it adds and subtracts', () => {
    const adder = createSimdAdder(1)!;
    const words = new Uint32Array(adder.memory);
    words.set([1, 2 ** 31, 3, 4, 5, 6, 7, 8], 0);
    words.set([10, 2 ** 31, 30, 40, 50, 60, 70, 4294967295], 64);
    adder.add(0, 256, 32);
    expect([...words.subarray(0, 8)]).toEqual([11, 0, 33, 44, 55, 66, 77, 7]);
    adder.subtract(0, 256, 16);
    expect([...words.subarray(0, 8)]).toEqual([1, 2 ** 31, 3, 4, 55, 66, 77, 7]);
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

  it('stop when they are cancelled, and leave the targets as they were', async () => {
    const job = jobOf(32, 50_000);
    const before = job.targets.map((target) => target.slice());
    await expect(pool.run(job, { signal: { aborted: true } })).rejects.toMatchObject({ code: 'cancelled' });
    expect(job.targets).toEqual(before);
    await pool.run(job);
    expect(() => runMaskJobFast(jobOf(20, 9), { signal: { aborted: true } })).toThrow(/cancelled/);
  });
});
