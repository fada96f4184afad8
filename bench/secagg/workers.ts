/**
 * Masking with one worker thread and with two, beside two processes that share nothing but the machine: what they reach is
 * what its two cores give at that time.
 *
 * @module
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createMaskPool } from '@sotto/secagg/node';
import type { BenchTable } from '../bench.ts';
import { jobOf } from './keystream.ts';
import { median } from './measure.ts';

/** Wall milliseconds by turn; within a turn the three follow each other at once. */
interface Turn {
  readonly one: number;
  readonly two: number;
  readonly processes: number;
}

export interface Workers {
  readonly turns: readonly Turn[];
  /** Least CPU milliseconds of the process with one worker and with two, those of the main thread included. */
  readonly cpu: readonly [number, number];
  /** Least CPU milliseconds of the main thread, which do not get fewer with workers. */
  readonly main: number;
}

/** A job with one worker, with two, and in two processes with half of the vector each, in turn. */
export async function workers(streams: number, length: number, repeats: number): Promise<Workers> {
  const job = jobOf(streams, length, 32);
  const one = createMaskPool({ threads: 1 });
  const two = createMaskPool({ threads: 2 });
  const processes = [0, 1].map(() => fork(join(import.meta.dirname, 'mask-process.ts'), [String(streams), String(length / 2)]));
  const halves = async (): Promise<void> => {
    await Promise.all(
      processes.map((child) => {
        const done = once(child, 'message');
        child.send('mask');
        return done;
      }),
    );
  };
  const wall = async (call: () => Promise<unknown>): Promise<number> => {
    const started = performance.now();
    await call();
    return performance.now() - started;
  };
  const cpu: [number, number] = [Infinity, Infinity];
  let main = Infinity;
  const pooled = async (k: 0 | 1): Promise<number> => {
    const spent = process.cpuUsage();
    const own = process.threadCpuUsage();
    const time = await wall(() => [one, two][k]!.run(job));
    const { user, system } = process.cpuUsage(spent);
    cpu[k] = Math.min(cpu[k], (user + system) / 1000);
    const mine = process.threadCpuUsage(own);
    main = Math.min(main, (mine.user + mine.system) / 1000);
    return time;
  };
  const turns: Turn[] = [];
  try {
    for (let warm = 0; warm < 2; warm++) for (const call of [() => one.run(job), () => two.run(job), halves]) await call();
    for (let i = 0; i < repeats; i++) {
      turns.push({ one: await pooled(0), two: await pooled(1), processes: await wall(halves) });
    }
  } finally {
    for (const child of processes) child.disconnect();
    await Promise.all([one.close(), two.close()]);
  }
  return { turns, cpu, main };
}

/** The table: least times, and medians of the ratios of neighbouring measurements. */
export function workersTable({ turns, cpu, main }: Workers): BenchTable {
  const least = (name: keyof Turn): number => Math.min(...turns.map((turn) => turn[name]));
  const inTurn = (above: keyof Turn, below: keyof Turn): string =>
    median(turns.map((turn) => turn[above] / turn[below])).toFixed(2);
  const row = (name: string, which: keyof Turn, bar: string): string[] => [
    name,
    least('one').toFixed(1),
    least(which).toFixed(1),
    (least('one') / least(which)).toFixed(2),
    inTurn('one', which),
    (least('processes') / least(which)).toFixed(2),
    inTurn('processes', which),
    bar,
  ];
  // The main thread's part does not get shorter; the rest of the CPU time would be spent on both cores at once.
  const own = cpu[0] / (main + (cpu[1] - main) / 2);
  return {
    title: `Two workers against one (mask 1,000,000 × 32 bits, 99 neighbours), least of ${turns.length} turns`,
    columns: [
      'measure',
      'one, ms',
      'two, ms',
      'times faster',
      'median in turn',
      'of what two processes reach',
      'median in turn',
      'bar',
    ],
    rows: [
      row('two workers, wall time', 'two', '≥ 1.8'),
      row('two processes, half of the vector each', 'processes', ''),
      ['from CPU time: with two cores free', cpu[0].toFixed(1), cpu[1].toFixed(1), own.toFixed(2), '', '', '', '≥ 1.8'],
    ],
  };
}
