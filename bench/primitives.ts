/**
 * The cryptographic primitives behind a round: node:crypto against the portable provider, operation by operation, measured
 * with tinybench. Ratios of medians in one run.
 *
 * @module
 */
import { nobleCrypto } from '@sotto/core/crypto-noble';
import type { CryptoProvider } from '@sotto/core/crypto';
import { randomBytes } from '@sotto/core/random';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { nodeCrypto } from '@sotto/secagg/node';
import { Bench } from 'tinybench';
import type { BenchOptions, BenchResult } from './bench.ts';

const random = unsafeDeterministicRandom('bench primitives');
const seed = randomBytes(random, 32);
const message = randomBytes(random, 256);
const block = new Uint8Array(65_536);

/** What is measured, on whichever provider. Keys are made once, outside the timing. */
function operations(crypto: CryptoProvider): readonly (readonly [string, () => unknown])[] {
  const publicKey = crypto.ed25519PublicKey(seed);
  const signature = crypto.ed25519Sign(seed, message);
  const peer = crypto.x25519PublicKey(randomBytes(random, 32));
  const nonce = new Uint8Array(12);
  const sealed = crypto.aes256GcmSeal(seed, nonce, message, message);
  return [
    ['X25519 agreement', () => crypto.x25519(seed, peer)],
    ['Ed25519 signature, 256 bytes', () => crypto.ed25519Sign(seed, message)],
    ['Ed25519 verification, 256 bytes', () => crypto.ed25519Verify(publicKey, message, signature)],
    ['SHA-256, 64 KiB', () => crypto.sha256(block)],
    ['AES-256-GCM, open 256 bytes', () => crypto.aes256GcmOpen(seed, nonce, message, sealed)],
    ['AES-256-CTR keystream, 64 KiB', () => crypto.aes256CtrKeystream(seed, 0, block)],
  ];
}

/** Median microseconds of each operation. */
async function medians(crypto: CryptoProvider, progress: BenchOptions['progress']): Promise<ReadonlyMap<string, number>> {
  const bench = new Bench({ time: 300, warmupTime: 100 });
  for (const [name, operation] of operations(crypto)) bench.add(name, operation);
  progress(`measuring the provider ${crypto.name}`);
  await bench.run();
  return new Map(
    bench.tasks.map(({ name, result }) => {
      if (result.state !== 'completed') throw new Error(`${name} did not complete`);
      return [name, 1000 * result.latency.p50];
    }),
  );
}

/** Runs the benchmark. */
export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const noble = await medians(nobleCrypto, progress);
  const node = await medians(nodeCrypto, progress);
  const rows = [...noble].map(([name, slow]) => ({ name, nobleUs: slow, nodeUs: node.get(name) ?? Number.NaN }));
  const ratios = rows.map(({ nobleUs, nodeUs }) => nobleUs / nodeUs);
  return {
    summary: `node:crypto is ${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)} times as fast as the portable provider.`,
    tables: [
      {
        title: 'Median time of one operation',
        columns: ['operation', 'noble, µs', 'node:crypto, µs', 'ratio'],
        rows: rows.map(({ name, nobleUs, nodeUs }) => [
          name,
          nobleUs.toFixed(1),
          nodeUs.toFixed(1),
          (nobleUs / nodeUs).toFixed(1),
        ]),
      },
    ],
    data: rows,
  };
}
