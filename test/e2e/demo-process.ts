/**
 * Runs the compiled `sotto` command as a process of its own, as a user does.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const command = join(import.meta.dirname, '../../packages/cli/bin/sotto.js');

export interface DemoRecord {
  readonly party: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command whose JSON lines can be waited for. */
export class SottoProcess {
  readonly records: DemoRecord[] = [];
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  readonly #waiting = new Set<{
    readonly wanted: (record: DemoRecord) => boolean;
    readonly resolve: (record: DemoRecord) => void;
  }>();

  constructor(...args: string[]) {
    const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    if (args.includes('--json'))
      createInterface({ input: child.stdout }).on('line', (line) => this.#record(JSON.parse(line) as DemoRecord));
    this.ended = new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr })));
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** The first record, of those past or to come, that is wanted; rejects if the process ends without one. */
  async record(wanted: (record: DemoRecord) => boolean): Promise<DemoRecord> {
    const past = this.records.find(wanted);
    if (past !== undefined) return past;
    const coming = new Promise<DemoRecord>((resolve) => this.#waiting.add({ wanted, resolve }));
    const never = this.ended.then(({ status, stderr }) => {
      throw new Error(`the command ended with status ${status} first: ${stderr}`);
    });
    return await Promise.race([coming, never]);
  }

  /** Process ids of the services, the latest of each party. */
  pids(): Map<string, number> {
    return new Map(this.records.filter(({ event }) => event === 'demo.process').map(({ party, pid }) => [party, pid as number]));
  }

  #record(record: DemoRecord): void {
    this.records.push(record);
    for (const entry of this.#waiting) {
      if (!entry.wanted(record)) continue;
      this.#waiting.delete(entry);
      entry.resolve(record);
    }
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Settles when none of the processes lives any more. */
export async function gone(pids: Iterable<number>): Promise<void> {
  for (const pid of pids) while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}
