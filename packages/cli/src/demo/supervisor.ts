/**
 * Starts the six services, restarts whichever dies before its work is done, kills one on purpose, and stops them all.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { Child, type ChildExit, type ServiceRecord } from './child.ts';
import type { ServiceSpec } from './configs.ts';
import type { ProgressRecord } from './progress.ts';
import { partyName } from './hospitals.ts';

export interface SupervisorOptions {
  readonly services: readonly ServiceSpec[];
  /** Sees every log record and the supervisor's own events, in order. */
  readonly onRecord: (record: ProgressRecord) => void;
  /** Called before a service is started again after the drill killed it. */
  readonly beforeRestart: (id: string, cause: 'drill' | 'death') => void;
}

/** A service that dies this often within the window is not going to work. */
const MAX_DEATHS = 5;
const DEATH_WINDOW_MS = 20_000;
const RESTART_PAUSE_MS = 200;
const STOP_GRACE_MS = 8_000;
const LAST_CLIENT_GRACE_MS = 4_000;

/** Watches the children of one run. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Map<string, Child>();
  readonly #done = new Set<string>();
  readonly #drilled = new Set<string>();
  readonly #deaths = new Map<string, number[]>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #finished = Promise.withResolvers<void>();
  #waiting: readonly ServiceSpec[] = [];
  #stopping = false;
  #idle: (() => void) | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#finished.promise.catch(() => undefined);
  }

  /** Starts the first service and, once it is ready, the others; settles when coordinator and all clients have ended well; rejects if one cannot run. */
  async run(): Promise<void> {
    const [first, ...others] = this.#options.services;
    // The others enrol with the first: tokens and address are there once it is ready.
    this.#waiting = others;
    this.#start(first!);
    await this.#finished.promise;
  }

  /** The process id of a running service. */
  pidOf(id: string): number | undefined {
    return this.#children.get(id)?.pid;
  }

  /** Ends all children: SIGTERM, then SIGKILL for what is left after a grace period. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#finished.resolve();
    if (this.#children.size === 0) return;
    const gone = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    for (const child of this.#children.values()) child.kill('SIGTERM');
    const hard = setTimeout(() => {
      for (const child of this.#children.values()) child.kill('SIGKILL');
    }, STOP_GRACE_MS);
    await gone;
    clearTimeout(hard);
  }

  #start(spec: ServiceSpec): void {
    if (this.#stopping) return;
    const child = new Child(spec, {
      record: (record) => this.#record(spec, record),
      exit: (exit) => this.#exited(spec, exit),
    });
    this.#children.set(spec.id, child);
    this.#options.onRecord({ ...this.#own(spec.id, 'demo.process'), role: spec.role, pid: child.pid });
  }

  #record(spec: ServiceSpec, record: ServiceRecord): void {
    this.#options.onRecord(record);
    if (record.event === 'service.ready' && this.#waiting.length > 0) {
      const others = this.#waiting;
      this.#waiting = [];
      for (const other of others) this.#start(other);
    }
    if (record.event === 'client.drill' && record.party === spec.id) {
      this.#drilled.add(spec.id);
      this.#children.get(spec.id)?.kill('SIGKILL');
      this.#options.onRecord({
        ...this.#own(spec.id, 'demo.killed'),
        round: record['round'],
        note: `${partyName(spec.id)} was killed after its shares were out`,
      });
    }
  }

  #exited(spec: ServiceSpec, exit: ChildExit): void {
    this.#children.delete(spec.id);
    if (this.#stopping) {
      if (this.#children.size === 0) this.#idle?.();
      return;
    }
    // The authority serves until it is stopped; the others end by themselves when the run is over.
    if (exit.code === 0 && spec.role !== 'authority') {
      this.#done.add(spec.id);
      const waiting = this.#options.services.filter(({ id, role }) => role !== 'authority' && !this.#done.has(id));
      if (waiting.length === 0) this.#finished.resolve();
      else if (spec.role === 'coordinator') this.#expectEnd();
      return;
    }
    this.#restart(spec, exit);
  }

  /**
   * The coordinator ends when the run is exported. A client that was being restarted just then has nobody left to tell it:
   * its ledger is in the export already, so it is not waited for.
   */
  #expectEnd(): void {
    const timer = setTimeout(() => this.#finished.resolve(), LAST_CLIENT_GRACE_MS);
    this.#timers.add(timer);
  }

  #restart(spec: ServiceSpec, exit: ChildExit): void {
    const drilled = this.#drilled.delete(spec.id);
    if (!drilled && !this.#countDeath(spec, exit)) return;
    this.#options.beforeRestart(spec.id, drilled ? 'drill' : 'death');
    const how = exit.signal === null ? `ended with status ${exit.code}` : `was ended by ${exit.signal}`;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#start(spec);
        const note = drilled ? `${partyName(spec.id)} was started again` : `${partyName(spec.id)} ${how} and was started again`;
        this.#options.onRecord({ ...this.#own(spec.id, 'demo.restarted'), note, lastWords: exit.lastWords });
      },
      drilled ? 0 : RESTART_PAUSE_MS,
    );
    this.#timers.add(timer);
  }

  /** False when the service has died too often to be started again; the run has failed then. */
  #countDeath(spec: ServiceSpec, exit: ChildExit): boolean {
    const now = Date.now();
    const recent = (this.#deaths.get(spec.id) ?? []).filter((ms) => now - ms < DEATH_WINDOW_MS);
    recent.push(now);
    this.#deaths.set(spec.id, recent);
    // A wrong configuration does not get better by trying again.
    if (exit.code !== 2 && recent.length < MAX_DEATHS) return true;
    const words =
      exit.lastWords === '' ? `it ended with ${exit.signal ?? `status ${exit.code}`}` : exit.lastWords.split('\n').at(-1)!;
    this.#finished.reject(new SottoError('unavailable', `the service "${spec.id}" cannot run: ${words}`));
    return false;
  }

  #own(party: string, event: string): ProgressRecord & { readonly time: string; readonly level: string } {
    return { time: new Date().toISOString(), level: 'info', party, event };
  }
}
