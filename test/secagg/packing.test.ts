import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../../packages/core/src/crypto-noble.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/crypto-node.ts';
import { CHUNK_ELEMENTS, maskStream, runMaskJob } from '../../packages/secagg/src/masks.ts';
import { addPacked, pack, unpack } from '../../packages/secagg/src/packing.ts';
import { dequantiseSum, quantise, quantiserFor, sumBits } from '../../packages/secagg/src/quantiser.ts';

/** The definition, bit by bit. */
function slowPack(values: readonly number[], bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((values.length * bits) / 8));
  for (const [e, value] of values.entries()) {
    for (let i = 0; i < bits; i++) {
      const bit = e * bits + i;
      if (Math.floor(value / 2 ** i) % 2 === 1) out[Math.floor(bit / 8)]! |= 1 << (bit % 8);
    }
  }
  return out;
}

describe('packing', () => {
  it('is the little-endian bit string of the specification for every width', () => {
    for (let bits = 1; bits <= 32; bits++) {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 2 ** bits - 1 }), { maxLength: 70 }), (values) => {
          const packed = pack(Uint32Array.from(values), bits);
          expect(packed).toEqual(slowPack(values, bits));
          expect([...unpack(packed, bits, values.length)]).toEqual(values);
        }),
        { seed: bits, numRuns: 12 },
      );
    }
  });

  it('adds and subtracts modulo 2^32, which reduces to every width', () => {
    for (let bits = 1; bits <= 32; bits++) {
      const values = Uint32Array.from({ length: 37 }, (_, i) => Math.floor((i * 2654435761) % 2 ** bits));
      const target = Uint32Array.from({ length: 37 }, (_, i) => i * 77777);
      const want = target.slice();
      const packed = pack(values, bits);
      addPacked(target, packed, bits, 1);
      for (let i = 0; i < 37; i++) want[i]! += values[i]!;
      expect(target).toEqual(want);
      addPacked(target, packed, bits, -1);
      addPacked(target, packed, bits, -1);
      for (let i = 0; i < 37; i++) want[i]! -= 2 * values[i]!;
      expect(target).toEqual(want);
    }
  });
});

describe('masks', () => {
  const key = new Uint8Array(32).fill(11);

  it('are one keystream for each vector, whatever the chunks', () => {
    for (const bits of [1, 5, 13, 20, 32]) {
      const length = CHUNK_ELEMENTS * 2 + 37;
      const vectors = [
        { name: 'v', length, bits },
        { name: 'w', length: 3, bits: 7 },
      ];
      const stream = maskStream(nodeCrypto, key, vectors, 1);
      const targets = [new Uint32Array(length), new Uint32Array(3)];
      runMaskJob(nodeCrypto, { vectors, targets, streams: [stream] });
      const whole = new Uint8Array(Math.ceil((length * bits) / 8));
      nodeCrypto.aes256CtrKeystream(stream.keys[0]!, 0, whole);
      expect(targets[0]).toEqual(unpack(whole, bits, length));
      const back = maskStream(nobleCrypto, key, vectors, -1);
      runMaskJob(nodeCrypto, { vectors, targets, streams: [back] });
      expect(targets[0]!.every((value) => value === 0)).toBe(true);
    }
  });

  it('report progress and can be cancelled', () => {
    const vectors = [{ name: 'v', length: CHUNK_ELEMENTS * 3, bits: 8 }];
    const job = { vectors, targets: [new Uint32Array(CHUNK_ELEMENTS * 3)], streams: [maskStream(nodeCrypto, key, vectors, 1)] };
    const seen: number[] = [];
    runMaskJob(nodeCrypto, job, { progress: (done) => seen.push(done) });
    expect(seen).toEqual([1, 2, 3].map((chunk) => chunk * CHUNK_ELEMENTS));
    const signal = { aborted: false };
    expect(() =>
      runMaskJob(nodeCrypto, job, {
        signal,
        progress: () => {
          signal.aborted = true;
        },
      }),
    ).toThrow(expect.objectContaining({ code: 'cancelled' }));
  });
});

describe('the quantiser', () => {
  it('maps zero to the offset, clips, rounds to the nearest level', () => {
    const spec = quantiserFor(4, 16);
    const { levels, clipped } = quantise([0, 4, -4, 5, -Infinity, 4 / 32767, -2.4 / (32767 / 4)], spec);
    expect([...levels]).toEqual([32768, 65535, 1, 65535, 1, 32769, 32766]);
    expect(clipped).toBe(2);
    expect(() => quantise([NaN], spec)).toThrow(/NaN/);
  });

  it('gives back sums to half a level a member', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 5, maxLength: 5 }), {
          minLength: 1,
          maxLength: 9,
        }),
        (rows) => {
          const spec = quantiserFor(4, 16);
          const sums = new Uint32Array(5);
          for (const row of rows) for (const [i, level] of quantise(row, spec).levels.entries()) sums[i]! += level;
          const back = dequantiseSum(sums, rows.length, spec);
          for (let i = 0; i < 5; i++) {
            const exact = rows.reduce((sum, row) => sum + row[i]!, 0);
            expect(Math.abs(back[i]! - exact)).toBeLessThanOrEqual((rows.length * 0.5000001) / spec.scale + 1e-9);
          }
        },
      ),
      { seed: 5, numRuns: 50 },
    );
  });

  it('counts bits in integers', () => {
    expect(sumBits(4, 2 ** 16 - 1)).toBe(18);
    expect(sumBits(100, 2 ** 16 - 1)).toBe(23);
    expect(sumBits(3, 1)).toBe(2);
    expect(() => sumBits(100, 2 ** 30)).toThrow(/37 bits/);
  });
});
