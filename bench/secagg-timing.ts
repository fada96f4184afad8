/**
 * Whether the time of secret sharing and of the share checks depends on the secret: Welch's t between a fixed and a random
 * class, as dudect does (Reparaz, Balasch and Verbauwhede 2017). |t| above 4.5 is suspicious, above 10 a leak.
 *
 * Runs are interleaved at random; the slowest tenth of the measurements, which interrupts make, is left out of both classes.
 *
 * @module
 */
import { equalBytes } from '@sotto/core/bytes';
import { randomBytes } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { pack } from '@sotto/secagg';
import { gf256 } from '../packages/secagg/src/field.ts';
import { dualMultipliers, findWrongShares, sharesAgree } from '../packages/secagg/src/reed-solomon.ts';
import { combineShares, lagrangeAtZero, splitSecret } from '../packages/secagg/src/shamir.ts';
import type { BenchOptions, BenchResult } from './bench.ts';

interface Subject {
  readonly name: string;
  readonly measurements: number;
  /** Work whose time is taken, on a secret of 64 bytes and its shares, t = 7 of 10. */
  readonly work: (secret: Uint8Array, shares: readonly Uint8Array[]) => void;
}

/** Shows that the method would see a leak. */
const CONTROL = 'control: a comparison that stops early';

const fixed = new Uint8Array(64);
const reference = randomBytes(systemRandom, 64);
const words = new Uint32Array(1024);
const points = Array.from({ length: 10 }, (_, i) => i + 1);
const factors = lagrangeAtZero(gf256, points.slice(0, 7));
const multipliers = dualMultipliers(gf256, points);
let sink = 0;

const subjects: readonly Subject[] = [
  {
    name: 'sharing, GF(2^8), t = 7 of 10',
    measurements: 20_000,
    work: (secret) => void splitSecret(secret, 7, 10, systemRandom),
  },
  {
    name: 'sharing, GF(2^16), t = 3 of 257',
    measurements: 2000,
    work: (secret) => void splitSecret(secret, 3, 257, systemRandom),
  },
  {
    name: 'recovery from 7 shares',
    measurements: 20_000,
    work: (_, shares) => {
      for (let i = 0; i < 5; i++) sink += combineShares(gf256, shares.slice(0, 7), factors)[0]!;
    },
  },
  {
    name: 'whether 10 shares agree, in brief and in full',
    measurements: 10_000,
    work: (_, shares) => {
      sink += sharesAgree(gf256, points, multipliers, shares, 7) ? 1 : 0;
      sink += findWrongShares(gf256, points, shares, 7)!.length;
    },
  },
  {
    name: 'comparison of 64 bytes',
    measurements: 40_000,
    work: (secret) => {
      for (let i = 0; i < 20; i++) sink += equalBytes(secret, reference) ? 1 : 0;
    },
  },
  {
    name: CONTROL,
    measurements: 40_000,
    work: (secret) => {
      for (let i = 0; i < 20; i++) {
        let same = 0;
        while (same < 64 && secret[same] === 0) same++;
        sink += same;
      }
    },
  },
  {
    name: 'packing of 1,024 elements at 20 bits',
    measurements: 10_000,
    work: (secret) => {
      for (let i = 0; i < words.length; i++) words[i] = secret[i & 63]! * 4000;
      sink += pack(words, 20)[0]!;
    },
  },
];

/** Welch's t of two classes, after the slowest tenth of all is cut off. */
function welch(times: readonly (readonly number[])[]): number {
  const limit = [...times.flat()].sort((a, b) => a - b)[Math.floor(times.flat().length * 0.9)]!;
  const [a, b] = times.map((list) => {
    const kept = list.filter((time) => time < limit);
    const mean = kept.reduce((sum, time) => sum + time, 0) / kept.length;
    const variance = kept.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (kept.length - 1);
    return { mean, error: variance / kept.length };
  });
  return (a!.mean - b!.mean) / Math.sqrt(a!.error + b!.error);
}

export async function run(options: BenchOptions): Promise<BenchResult> {
  const rows: (string | number)[][] = [];
  const data: Record<string, number> = {};
  for (const { name, measurements, work } of subjects) {
    options.progress(name);
    const times: number[][] = [[], []];
    const classes = randomBytes(systemRandom, measurements);
    for (let i = 0; i < measurements + 500; i++) {
      const kind = (classes[i % measurements] ?? 0) & 1;
      const secret = randomBytes(systemRandom, 64);
      if (kind === 0) secret.set(fixed);
      const shares = splitSecret(secret, 7, 10, systemRandom);
      const start = process.hrtime.bigint();
      work(secret, shares);
      const spent = Number(process.hrtime.bigint() - start);
      if (i >= 500) times[kind]!.push(spent); // the first ones warm the engine up
    }
    const t = welch(times);
    data[name] = t;
    rows.push([
      name,
      measurements,
      t.toFixed(2),
      Math.abs(t) < 4.5 ? 'no dependence seen' : Math.abs(t) < 10 ? 'suspicious' : 'depends on the secret',
    ]);
  }
  data['sink'] = sink;
  const worst = Math.max(...rows.filter((row) => row[0] !== CONTROL).map((row) => Math.abs(Number(row[2]))));
  return {
    summary: `The largest |t| between fixed and random secrets is ${worst.toFixed(2)}; 4.5 is the usual limit.`,
    tables: [{ title: 'Time against the secret', columns: ['work', 'measurements', "Welch's t", 'verdict'], rows }],
    data,
  };
}
