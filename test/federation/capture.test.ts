/**
 * The coordinator never holds an unmasked update: everything that it receives is captured and searched. The same search
 * must find the updates when the masks are zero, else it proves nothing.
 */
import { expect, test } from 'vitest';
import type { CryptoProvider } from '../../packages/core/src/crypto.ts';
import type { TrainResult } from '../../packages/federation/src/index.ts';
import { pack, packedBytes, quantise, quantiserFor, sumBits } from '../../packages/secagg/src/index.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/index.ts';
import { Federation, fixedTask, fourIds, tinyPlan } from './support.ts';

/** A bigger model, so that a packed update is long enough to be looked for and the masked vectors fill a histogram. */
const features = 400;
const bits = 16;
const plan = tinyPlan({ rounds: 1, features, quantiserBits: bits });

const updateBits = sumBits(plan.secagg.nMax, 2 ** bits - 1);
const updateBytes = packedBytes({ name: 'update', length: features + 1, bits: updateBits });
const metricsBytes = packedBytes({ name: 'metrics', length: 2, bits: sumBits(plan.secagg.nMax, 2 ** 20 - 1) });

/** Different values everywhere: a run of equal ones would match by chance. */
function levelsOf(id: string): Float64Array {
  return Float64Array.from({ length: features + 1 }, (_, i) => Math.sin((i + 1) * id.charCodeAt(0)) * 20);
}

interface Capture {
  readonly bytes: Uint8Array;
  readonly masked: Uint8Array;
  readonly levels: ReadonlyMap<string, Uint32Array>;
}

async function capture(clientCrypto: CryptoProvider, coordinatorCrypto: CryptoProvider): Promise<Capture> {
  const federation = new Federation(plan);
  const parts: Uint8Array[] = [];
  const masked: Uint8Array[] = [];
  await federation.authority();
  await federation.coordinator({
    crypto: coordinatorCrypto,
    onReceived: (data, { method }) => {
      parts.push(data.slice());
      // A chunk of a masked input is field 2 of its message (tag 0x12). Its message ends with the two packed vectors, each
      // behind its length (4 bytes).
      if (method.endsWith('/MaskedInput') && data[0] === 0x12) {
        const end = data.length - metricsBytes - 4;
        masked.push(data.slice(end - updateBytes, end));
      }
    },
  });
  const clients = fourIds.map((id) => {
    const task = fixedTask(id, (): TrainResult => ({ update: levelsOf(id), metrics: { correct: 3, total: 5 } }));
    return federation.client(id, { task, crypto: clientCrypto });
  });
  await Promise.all(clients.map((client) => client.finished));
  const quantiser = quantiserFor(plan.quantiser.clip, plan.quantiser.bits);
  const levels = new Map(
    fourIds.map((id, i) => [
      id,
      quantise(
        levelsOf(id).map((value) => (i + 1) * value),
        quantiser,
      ).levels,
    ]),
  );
  return { bytes: Buffer.concat(parts), masked: Buffer.concat(masked), levels };
}

/** Whether 24 bytes of the vector, packed at any width, occur anywhere in the bytes, from any bit on. */
function find(haystack: Uint8Array, levels: Uint32Array): string[] {
  const found: string[] = [];
  const data = Buffer.from(haystack);
  const shifts = Array.from({ length: 8 }, (_, shift) => shifted(data, shift));
  for (let width = 8; width <= 32; width++) {
    const stored = width < 32 ? levels.map((level) => level % 2 ** width) : levels;
    const packed = Buffer.from(pack(stored, width));
    // From every byte of the first few elements on, so that a cut at a chunk's border does not hide it.
    for (let from = 8; from < 8 + 4 * width; from += width) {
      const needle = packed.subarray(from, from + 24);
      shifts.forEach((view, shift) => {
        if (view.includes(needle)) found.push(`width ${width}, bit offset ${shift}`);
      });
    }
  }
  // As plain numbers, too: 16, 32 and 64 bits in either order.
  for (const array of [Uint16Array.from(levels), levels.slice(), Float32Array.from(levels), Float64Array.from(levels)]) {
    const plain = Buffer.from(array.buffer, 0, array.byteLength);
    const swapped = Buffer.from(plain);
    if (array.BYTES_PER_ELEMENT === 2) swapped.swap16();
    else if (array.BYTES_PER_ELEMENT === 4) swapped.swap32();
    else swapped.swap64();
    for (const form of [plain, swapped]) if (data.includes(form.subarray(64, 128))) found.push(array.constructor.name);
  }
  return found;
}

/** The little-endian bit string without its first `shift` bits. */
function shifted(data: Buffer, shift: number): Buffer {
  if (shift === 0) return data;
  const out = Buffer.alloc(data.length);
  for (let i = 0; i < data.length; i++) out[i] = ((data[i] ?? 0) >> shift) | (((data[i + 1] ?? 0) << (8 - shift)) & 0xff);
  return out;
}

/** χ² of the bytes against the uniform distribution: 255 degrees of freedom, mean 255, deviation √510. */
function chiSquare(data: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of data) counts[byte] = (counts[byte] ?? 0) + 1;
  const expected = data.length / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

test('nothing that the coordinator receives holds an update, and masked vectors look uniform', async () => {
  const { bytes, masked, levels } = await capture(nodeCrypto, nodeCrypto);
  expect(masked.length).toBe(4 * updateBytes);
  for (const [id, vector] of levels) expect(find(bytes, vector), id).toEqual([]);
  // 8 deviations: by chance once in 10^13.
  expect(chiSquare(masked)).toBeLessThan(255 + 8 * Math.sqrt(510));
});

test('the same search finds every update when the masks are zeros', async () => {
  const zeros: CryptoProvider = { ...nodeCrypto, aes256CtrKeystream: (_key, _offset, target) => void target.fill(0) };
  const { bytes, masked, levels } = await capture(zeros, zeros);
  for (const [id, vector] of levels) expect(find(bytes, vector), id).not.toEqual([]);
  expect(chiSquare(masked)).toBeGreaterThan(255 + 8 * Math.sqrt(510));
});
