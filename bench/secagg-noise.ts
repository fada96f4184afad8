/**
 * Distributed noise against central noise: the squared error of the decoded sum over that of the Gaussian mechanism with the
 * same noise multiplier on the exact sum, at 16 bits, with everybody honest and nobody lost.
 *
 * @module
 */
import { systemRandom } from '@sotto/core/system-random';
import { decodeNoisedSum, distributedNoise, encodeNoised } from '@sotto/secagg';
import { nodeCrypto } from '@sotto/secagg/node';
import type { BenchOptions, BenchResult } from './bench.ts';

const CASES = [
  [10_000, 10],
  [10_000, 100],
  [10_000, 1000],
  [100_000, 10],
  [100_000, 100],
  [1_000_000, 10],
] as const;

/** A unit vector of member k: dense, and much the same for all, as updates of one model are. */
function vectorOf(length: number, k: number): Float64Array {
  const vector = Float64Array.from({ length }, (_, i) => Math.cos(i) + 0.3 * Math.cos(i * (k + 2)));
  let squared = 0;
  for (const value of vector) squared += value * value;
  const scale = 1 / Math.sqrt(squared);
  return vector.map((value) => value * scale);
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const rows: (string | number)[][] = [];
  const data: unknown[] = [];
  let worst = 0;
  const bits = 16;
  const seed = new Uint8Array(32).fill(1);
  for (const [length, members] of CASES) {
    options.progress(`d = ${length}, n = ${members}`);
    const noiseMultiplier = 1;
    const mechanism = distributedNoise({ length, clipNorm: 1, bits, noiseMultiplier, members, honestMinimum: members });
    const sums = new Uint32Array(mechanism.dimension);
    const exact = new Float64Array(length);
    const start = process.cpuUsage();
    for (let k = 0; k < members; k++) {
      const vector = vectorOf(length, k);
      const part = encodeNoised(nodeCrypto, systemRandom, mechanism, seed, vector);
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i]! + part[i]!) & (2 ** bits - 1);
      for (let i = 0; i < length; i++) exact[i]! += vector[i]!;
    }
    const spent = process.cpuUsage(start);
    const got = decodeNoisedSum(nodeCrypto, mechanism, seed, sums);
    let error = 0;
    for (let i = 0; i < length; i++) error += (got[i]! - exact[i]!) ** 2;
    const ratio = error / length / noiseMultiplier ** 2;
    const slack = 4 * Math.sqrt(2 / length);
    worst = Math.max(worst, ratio);
    const clientMs = (spent.user + spent.system) / 1000 / members;
    rows.push([length, members, ratio.toFixed(3), slack.toFixed(3), clientMs.toFixed(0), '≤ 1.1']);
    data.push({
      length,
      members,
      bits,
      noiseMultiplier,
      ratio,
      clientMs,
      scale: mechanism.scale,
      localVariance: mechanism.localVariance,
    });
  }
  return {
    summary: `At ${bits} bits the squared error is at most ${worst.toFixed(3)} times that of central noise.`,
    tables: [
      {
        title: `Squared error over central noise, ${bits} bits, noise multiplier 1`,
        columns: ['d', 'n', 'ratio', 'chance (4 deviations)', 'client CPU ms', 'bar'],
        rows,
      },
    ],
    data,
  };
}
