/**
 * SIGKILL at random moments: in each trial the demo's federation runs as separate processes, and the coordinator or one
 * hospital is killed at a random moment of the run and started again.
 *
 * A trial passes when the run still finishes: a model, ledgers that verify, published + aborted = planned, ε within the
 * budget of every hospital, each reservation either released, or spent once, and no contribution without one.
 *
 * Environment: SOTTO_KILL_TRIALS (30), SOTTO_KILL_ROUNDS (8), SOTTO_KILL_SEED (random), SOTTO_KILL_KEEP=1 keeps the
 * folders of trials that fail.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decodeEntry, decodeEntryBundle, type LedgerEntry } from '@sotto/governance';
import type { BenchOptions, BenchResult } from './bench.ts';

const sotto = join(import.meta.dirname, '../packages/cli/bin/sotto.js');
const VICTIMS = ['coordinator', 'cleveland', 'hungary', 'va', 'switzerland'] as const;
/** Authority, coordinator, four hospitals. */
const SERVICES = 6;
const MAX_REDRAWS = 5;
const TRIAL_TIMEOUT_MS = 180_000;

interface Settings {
  readonly trials: number;
  readonly rounds: number;
  readonly seed: number;
}

interface Kill {
  readonly victim: (typeof VICTIMS)[number];
  /** After the last of the six services started. */
  readonly atMs: number;
}

interface Trial {
  readonly trial: number;
  readonly victim: string;
  readonly atMs: number;
  readonly passed: boolean;
  readonly published: number;
  readonly aborted: number;
  readonly epsilonMost: number;
  readonly seconds: number;
  readonly faults: readonly string[];
}

interface Observed {
  readonly status: number | null;
  readonly durationMs: number;
  /** From the start of the last service to the export. */
  readonly spanMs: number;
  readonly killed: boolean;
  readonly result: Readonly<Record<string, unknown>> | undefined;
  readonly lastWords: string;
}

function settings(): Settings {
  const read = (name: string, fallback: number): number => {
    const text = process.env[name];
    const value = text === undefined || text === '' ? fallback : Number(text);
    if (!Number.isSafeInteger(value) || value < 1)
      throw new Error(`${name} is "${text}"; it must be a whole number of at least 1`);
    return value;
  };
  return {
    trials: read('SOTTO_KILL_TRIALS', 30),
    rounds: read('SOTTO_KILL_ROUNDS', 8),
    seed: read('SOTTO_KILL_SEED', randomInt(1, 2 ** 31)),
  };
}

/** Mulberry32: reproduces which process dies when, nothing else. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs the demo and kills one of its services at the given moment. */
async function runOnce(directory: string, rounds: number, kill: Kill | undefined): Promise<Observed> {
  const startedMs = Date.now();
  const demo = spawn(process.execPath, [sotto, 'demo', '--json', '--no-drop', '--rounds', String(rounds), '--out', directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pids = new Map<string, number>();
  let result: Readonly<Record<string, unknown>> | undefined;
  let killed = false;
  let completeMs: number | undefined;
  let exportedMs: number | undefined;
  let lastWords = '';
  let timer: NodeJS.Timeout | undefined;
  const strike = (): void => {
    const pid = kill === undefined ? undefined : pids.get(kill.victim);
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
      killed = true;
    } catch {
      // It had ended by itself.
    }
  };
  const limit = setTimeout(() => demo.kill('SIGTERM'), TRIAL_TIMEOUT_MS);
  demo.stderr.setEncoding('utf8').on('data', (text: string) => (lastWords = (lastWords + text).slice(-1000)));
  createInterface({ input: demo.stdout }).on('line', (line) => {
    const record = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (record['event'] === 'demo.process') {
      pids.set(String(record['party']), Number(record['pid']));
      if (pids.size === SERVICES && completeMs === undefined) {
        completeMs = Date.now();
        if (kill !== undefined) timer = setTimeout(strike, kill.atMs);
      }
    }
    if (record['event'] === 'export.written') exportedMs = Date.now();
    if (record['event'] === 'demo.result') result = record;
  });
  const status = await new Promise<number | null>((resolve) => demo.on('close', (code) => resolve(code)));
  clearTimeout(limit);
  clearTimeout(timer);
  const spanMs = (exportedMs ?? Date.now()) - (completeMs ?? startedMs);
  return { status, durationMs: Date.now() - startedMs, spanMs, killed, result, lastWords: lastWords.trim() };
}

/** All entries of a party's exported log, read without the verifier. */
function ledgerOf(directory: string, party: string): LedgerEntry[] {
  const folder = join(directory, 'ledger', party, 'tile', 'entries');
  // Full tiles and the longest partial one; a run of the demo has far fewer than 256 × 1000 entries.
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => !file.endsWith('.p'));
  const bundles = new Map<string, { readonly width: number; readonly path: string }>();
  for (const file of files) {
    const match = /^(\d{3})(?:\.p[\\/](\d+))?$/.exec(file);
    if (match === null) continue;
    const width = match[2] === undefined ? 256 : Number(match[2]);
    if (width > (bundles.get(match[1]!)?.width ?? 0)) bundles.set(match[1]!, { width, path: join(folder, file) });
  }
  return [...bundles.keys()]
    .toSorted()
    .flatMap((index) =>
      decodeEntryBundle(readFileSync(bundles.get(index)!.path), bundles.get(index)!.width).map((bytes) => decodeEntry(bytes)),
    );
}

/** Faults in the spending of one hospital, from its own ledger alone. */
function spendingFaults(
  party: string,
  entries: readonly LedgerEntry[],
  published: ReadonlyMap<number, readonly string[]>,
): string[] {
  const faults: string[] = [];
  const reserved = new Map<number, 'open' | 'released' | 'contributed'>();
  for (const entry of entries) {
    if (entry.kind === 'reserve') {
      if (reserved.has(entry.round)) faults.push(`${party} reserved round ${entry.round} twice`);
      reserved.set(entry.round, 'open');
    } else if (entry.kind === 'release' || entry.kind === 'contribute') {
      if (reserved.get(entry.round) !== 'open')
        faults.push(`${party}: ${entry.kind} of round ${entry.round} without an open reservation`);
      reserved.set(entry.round, entry.kind === 'release' ? 'released' : 'contributed');
    }
  }
  for (const [round, members] of published) {
    if (members.includes(party) && reserved.get(round) !== 'contributed')
      faults.push(`${party} is in the sum of round ${round}, but its ledger has no contribution`);
  }
  return faults;
}

function check(
  directory: string,
  observed: Observed,
  planned: number,
): Pick<Trial, 'published' | 'aborted' | 'epsilonMost' | 'faults'> {
  const faults: string[] = [];
  const { status, result } = observed;
  if (status !== 0) faults.push(`the demo ended with status ${status}: ${observed.lastWords}`);
  if (result === undefined) return { published: 0, aborted: 0, epsilonMost: 0, faults: [...faults, 'no result'] };
  if (result['verified'] !== true) faults.push(`not verified: ${String(result['verification'])}`);
  const coordinator = ledgerOf(directory, 'coordinator');
  const published = new Map<number, readonly string[]>();
  let aborted = 0;
  for (const entry of coordinator) {
    if (entry.kind === 'publish')
      published.set(
        entry.round,
        entry.survivors.map(({ party }) => party),
      );
    if (entry.kind === 'abort') aborted++;
  }
  if (published.size + aborted !== planned)
    faults.push(`${published.size} published + ${aborted} aborted is not ${planned} planned`);
  const spent = result['spent'] as readonly { readonly party: string; readonly epsilon: number; readonly budget: number }[];
  for (const { party, epsilon, budget } of spent) if (!(epsilon <= budget)) faults.push(`${party} spent ${epsilon} of ${budget}`);
  for (const party of VICTIMS)
    if (party !== 'coordinator') faults.push(...spendingFaults(party, ledgerOf(directory, party), published));
  return { published: published.size, aborted, epsilonMost: Math.max(0, ...spent.map(({ epsilon }) => epsilon)), faults };
}

/** Whom to kill, and when: the coordinator in two of five trials. */
function draw(random: () => number, spanMs: number): Kill {
  const victim = random() < 0.4 ? 'coordinator' : VICTIMS[1 + Math.floor(random() * 4)]!;
  return { victim, atMs: Math.floor(random() * spanMs) };
}

/** Runs all trials. @throws Error if one does not finish as defined */
export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const { trials, rounds, seed } = settings();
  const random = generator(seed);
  const folder = mkdtempSync(join(tmpdir(), 'sotto-kills-'));
  const results: Trial[] = [];
  try {
    const quiet = await runOnce(join(folder, 'undisturbed'), rounds, undefined);
    const before = check(join(folder, 'undisturbed'), quiet, rounds);
    if (before.faults.length > 0) throw new Error(`the undisturbed run failed: ${before.faults.join('; ')}`);
    const { spanMs } = quiet;
    progress(
      `undisturbed: ${(quiet.durationMs / 1000).toFixed(1)} s, moments from ${(spanMs / 1000).toFixed(1)} s of it; ${rounds} rounds; seed ${seed}`,
    );
    for (let trial = 1; trial <= trials; trial++) {
      const directory = join(folder, `trial-${trial}`);
      let kill = draw(random, spanMs);
      let observed = await runOnce(directory, rounds, kill);
      // A victim that had ended by then was not killed: that is no trial.
      for (let again = 0; !observed.killed && observed.status === 0 && again < MAX_REDRAWS; again++) {
        kill = draw(random, spanMs);
        observed = await runOnce(directory, rounds, kill);
      }
      const { victim, atMs } = kill;
      const outcome = check(directory, observed, rounds);
      const passed = observed.killed && outcome.faults.length === 0;
      results.push({
        trial,
        victim,
        atMs,
        passed,
        seconds: observed.durationMs / 1000,
        ...outcome,
      });
      progress(
        `trial ${trial} of ${trials}: ${victim} at ${(atMs / 1000).toFixed(2)} s: ${passed ? 'finished' : `FAILED: ${outcome.faults.join('; ')}`}`,
      );
      if (passed || process.env['SOTTO_KILL_KEEP'] !== '1') {
        rmSync(directory, { recursive: true, force: true });
        rmSync(join(folder, `.trial-${trial}-state`), { recursive: true, force: true });
      } else progress(`kept in ${directory}`);
    }
  } finally {
    if (process.env['SOTTO_KILL_KEEP'] !== '1') rmSync(folder, { recursive: true, force: true });
  }
  const passed = results.filter((result) => result.passed).length;
  const summary = `${passed} of ${trials} runs finished after a SIGKILL at a random moment (${rounds} rounds, seed ${seed}).`;
  if (passed < trials)
    throw new Error(
      `${summary} ${results.flatMap(({ trial, faults }) => faults.map((fault) => `trial ${trial}: ${fault}`)).join('; ')}`,
    );
  return {
    summary,
    tables: [
      {
        title: 'SIGKILL at random moments',
        columns: ['trial', 'killed', 'after ms', 'published', 'aborted', 'most ε spent', 'seconds'],
        rows: results.map((row) => [row.trial, row.victim, row.atMs, row.published, row.aborted, row.epsilonMost, row.seconds]),
      },
    ],
    data: { seed, rounds, trials: results },
  };
}
