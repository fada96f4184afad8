/**
 * One service as a child process: its log lines, its death, its standard input as the cord that ends it with us.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ServiceSpec } from './configs.ts';

/** A line of a service's log. */
export interface ServiceRecord {
  readonly time: string;
  readonly level: string;
  readonly party: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that it wrote to standard error. */
  readonly lastWords: string;
}

export interface ChildEvents {
  readonly record: (record: ServiceRecord) => void;
  readonly exit: (exit: ChildExit) => void;
}

const LAST_WORDS = 2000;

/** The file that runs the command: compiled or source, like this one. */
function entryPoint(): { readonly file: string; readonly execArgv: readonly string[] } {
  const source = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(new URL(`../main.${source ? 'ts' : 'js'}`, import.meta.url));
  return {
    file,
    execArgv: source
      ? ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning']
      : ['--disable-warning=ExperimentalWarning'],
  };
}

/** A running service. */
export class Child {
  readonly spec: ServiceSpec;
  readonly #process: ChildProcess;
  #lastWords = '';

  constructor(spec: ServiceSpec, events: ChildEvents) {
    this.spec = spec;
    const { file, execArgv } = entryPoint();
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    // Its own process group: Ctrl-C reaches the demo alone, which then ends the services in order. The piped standard
    // input closes when the demo dies, however it dies, and the services end on that.
    this.#process = spawn(process.execPath, [...execArgv, file, spec.role, '--config', spec.config, '--exit-with-parent'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env,
    });
    this.#process.stdin?.on('error', () => undefined);
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
    });
    if (this.#process.stdout !== null)
      createInterface({ input: this.#process.stdout }).on('line', (line) => this.#line(line, events));
    this.#process.on('error', (error) => {
      this.#lastWords += error.message;
    });
    this.#process.on('close', (code, signal) => events.exit({ code, signal, lastWords: this.#lastWords.trim() }));
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#process.kill(signal);
  }

  #line(line: string, events: ChildEvents): void {
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {
      record = undefined;
    }
    // A line that is no record is kept with the last words: it may say why the service ends.
    if (typeof record === 'object' && record !== null && 'event' in record) events.record(record as ServiceRecord);
    else this.#lastWords = `${this.#lastWords}${line}\n`.slice(-LAST_WORDS);
  }
}
