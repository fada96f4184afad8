/**
 * Exact rounded Gaussian noise: samples per second on one core, against a sampler that is not exact.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto';
import { BitSource } from '../packages/dp/src/noise/bit-source.ts';
import { ExactGaussian } from '../packages/dp/src/noise/exact-gaussian.ts';
import type { BenchOptions, BenchResult } from './bench.ts';

const SAMPLES = 1_000_000;
const ROUNDS = 7;

const nodeRandom = { fill: (target: Uint8Array): void => void randomFillSync(target) };

/** Samples per second of processor time: the best round, for what else runs on the machine only slows it. */
function measure(fill: (target: Float64Array) => void): number {
  const target = new Float64Array(SAMPLES);
  fill(target.subarray(0, SAMPLES / 10));
  let best = Infinity;
  for (let i = 0; i < ROUNDS; i++) {
    const before = process.cpuUsage();
    fill(target);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1e6);
  }
  return SAMPLES / best;
}

/** Box–Muller on 53-bit uniforms from the same generator: fast enough to compare with, and neither exact nor safe. */
function boxMuller(target: Float64Array): void {
  const bits = new BitSource(nodeRandom);
  const uniform = (): number => ((bits.word() >>> 5) * 2 ** 26 + (bits.word() >>> 6) + 1) / 2 ** 53;
  for (let i = 0; i < target.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    target[i] = radius * Math.cos(angle);
    target[i + 1] = radius * Math.sin(angle);
  }
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const exact = measure((target) => new ExactGaussian(new BitSource(nodeRandom), 24).fill(target));
  options.progress(`exact: ${(exact / 1e6).toFixed(2)} M/s`);
  const float = measure(boxMuller);
  const rows = [
    ['exact rounded Gaussian (Karney), JavaScript', exact / 1e6, exact / float],
    ['Box-Muller in doubles, not exact', float / 1e6, 1],
  ] as const;
  return {
    summary: `Exact noise is drawn at ${(exact / 1e6).toFixed(1)} million samples a second on one core, ${(exact / float).toFixed(2)} of the rate of inexact Box-Muller.`,
    tables: [{ title: 'Gaussian samples from the CSPRNG, one core', columns: ['sampler', 'M samples/s', 'ratio'], rows }],
    data: { exactPerSecond: exact, boxMullerPerSecond: float },
  };
}
