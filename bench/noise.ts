/**
 * Exact Gaussian noise against its price: samples per second of CPU time beside the bare random words, Karney's exact sampler and inexact Box–Muller.
 *
 * All draw from the platform's CSPRNG, as the noise threads do, in the same run, in turn, one after the other. CPU time of the process, so that other load on the machine counts little;
 * the least of the rounds, since load still takes caches and clock, with medians and wall time beside it.
 *
 * @module
 */
import { loadavg } from 'node:os';
import { BitSource } from '../packages/dp/src/noise/bit-source.ts';
import { ExactGaussian } from '../packages/dp/src/noise/exact-gaussian.ts';
import { createFastGaussian } from '../packages/dp/src/noise/fast-gaussian.ts';
import { nodeRandom } from '../packages/dp/src/node/noise-random.ts';
import { INT32_SCALE_BITS } from '../packages/dp/src/noise/step-noise.ts';
import type { NoiseValues } from '../packages/dp/src/noise/step-noise.ts';
import type { BenchOptions, BenchResult } from './bench.ts';

const SAMPLES = 2 ** 20;
const ROUNDS = 21;

interface Contender {
  readonly name: string;
  readonly exact: 'yes' | 'no' | '';
  /** Overwrites the contender's own target. */
  readonly draw: () => void;
}

/** Box–Muller on 53-bit uniforms from the CSPRNG, rounded to the grid: what most libraries do. Its distribution is not exact. */
function boxMuller(scaleBits: number): (target: Float64Array) => void {
  const words = new Uint32Array(16384);
  const bytes = new Uint8Array(words.buffer);
  const scale = 2 ** scaleBits;
  return (target) => {
    let at = words.length;
    for (let i = 0; i < target.length; i += 2) {
      if (at === words.length) {
        nodeRandom.fill(bytes);
        at = 0;
      }
      const u = ((words[at]! >>> 5) * 2 ** 26 + (words[at + 1]! >>> 6) + 1) * 2 ** -53;
      const v = ((words[at + 2]! >>> 5) * 2 ** 26 + (words[at + 3]! >>> 6)) * 2 ** -53;
      at += 4;
      const radius = Math.sqrt(-2 * Math.log(u)) * scale;
      target[i] = Math.round(radius * Math.cos(2 * Math.PI * v));
      target[i + 1] = Math.round(radius * Math.sin(2 * Math.PI * v));
    }
  };
}

/** One word of the CSPRNG for each sample, in blocks, and nothing else. */
function bareWords(): void {
  const words = new Uint8Array(32768);
  for (let done = 0; done < SAMPLES; done += words.length / 4) nodeRandom.fill(words);
}

function contenders(scaleBits: number): Contender[] {
  const doubles = new Float64Array(SAMPLES);
  // As the noise threads have it: 32-bit integers where they suffice.
  const integers = scaleBits <= INT32_SCALE_BITS ? new Int32Array(new SharedArrayBuffer(4 * SAMPLES)) : undefined;
  const fast = (backend: 'auto' | 'javascript', target: NoiseValues): Contender => {
    const gaussian = createFastGaussian(scaleBits, { backend });
    const bits = new BitSource(nodeRandom);
    const host = gaussian.backend === 'wasm' ? 'WebAssembly' : 'JavaScript';
    const name = `rectangles, ${host}, ${target instanceof Int32Array ? '32-bit integers' : 'doubles'}`;
    return { name, exact: 'yes', draw: () => gaussian.fill(target, bits) };
  };
  const karney = new ExactGaussian(new BitSource(nodeRandom), scaleBits);
  const naive = boxMuller(scaleBits);
  return [
    { name: 'CSPRNG alone, one word each', exact: '', draw: bareWords },
    fast('auto', integers ?? doubles),
    fast('javascript', integers ?? doubles),
    ...(integers === undefined ? [] : [fast('auto', doubles), fast('javascript', doubles)]),
    { name: 'Box–Muller', exact: 'no', draw: () => naive(doubles) },
    { name: 'Karney', exact: 'yes', draw: () => karney.fill(doubles) },
  ];
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Millions of samples per second: of CPU time in the best round and in the median one, and of wall time. */
function measure(all: readonly Contender[]): { best: number; cpu: number; wall: number }[] {
  for (const { draw } of all) for (let i = 0; i < 3; i++) draw();
  const times = all.map(() => ({ cpu: [] as number[], wall: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    all.forEach(({ draw }, i) => {
      const wallStart = performance.now();
      const cpuStart = process.cpuUsage();
      draw();
      const { user, system } = process.cpuUsage(cpuStart);
      times[i]!.cpu.push(user + system);
      times[i]!.wall.push(1000 * (performance.now() - wallStart));
    });
  }
  return times.map(({ cpu, wall }) => ({
    best: SAMPLES / Math.min(...cpu),
    cpu: SAMPLES / median(cpu),
    wall: SAMPLES / median(wall),
  }));
}

export function run(options: BenchOptions): Promise<BenchResult> {
  const loadBefore = loadavg()[0]!;
  const data = [20, 24, 27, 30].map((scaleBits) => {
    options.progress(`standard deviation 2^${scaleBits} grid units`);
    const all = contenders(scaleBits);
    const rates = measure(all);
    const reference = rates.at(-1)!.best;
    const rows = all.map(({ name, exact }, i) => ({ name, exact, ...rates[i]!, ratioToKarney: rates[i]!.best / reference }));
    return { scaleBits, rows };
  });
  const main = data.find(({ scaleBits }) => scaleBits === 24)!.rows;
  const [, vector, plain, , , muller] = main;
  const round = (value: number): string => value.toPrecision(3);
  return Promise.resolve({
    summary:
      `Exact noise at k = 24: ${round(vector!.best)} M samples per CPU second in WebAssembly (${round(vector!.ratioToKarney)} times Karney, ` +
      `${round(vector!.best / muller!.best)} times Box–Muller), ${round(plain!.best)} M in JavaScript. Load average ${round(loadBefore)} at the start.`,
    tables: data.map(({ scaleBits, rows }) => ({
      title: `Standard deviation 2^${scaleBits} grid units`,
      columns: ['sampler', 'exact', 'M/s of CPU', 'median', 'M/s of wall', 'times Karney'],
      rows: rows.map(({ name, exact, best, cpu, wall, ratioToKarney }) => [name, exact, best, cpu, wall, ratioToKarney]),
    })),
    data: { samples: SAMPLES, rounds: ROUNDS, loadAverage: [loadBefore, loadavg()[0]!], scales: data },
  });
}
