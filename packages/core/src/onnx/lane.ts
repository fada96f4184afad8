/**
 * A worker thread with ONNX Runtime sessions, seen from the thread that owns it.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import { SottoError } from '../errors.ts';
import type { LaneAnswer, LaneRequest } from './lane-worker.ts';
import type { SessionSettings } from './ort-session.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The side of a worker thread that a lane needs. */
export interface LanePort {
  postMessage(message: LaneRequest): void;
  on(event: 'message', listener: (answer: LaneAnswer) => void): unknown;
  on(event: 'error' | 'messageerror', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

/** Starts a lane's thread, from source or as built. */
export function startLaneThread(settings: SessionSettings): LanePort {
  const source = import.meta.url.endsWith('.ts');
  const file = new URL(source ? './lane-worker.ts' : './lane-worker.js', import.meta.url);
  return new Worker(file, {
    workerData: settings,
    execArgv: source ? ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning'] : [],
  });
}

/** A lane. Requests are answered in order; once the thread has died, every request is refused. */
export class Lane {
  readonly #port: LanePort;
  readonly #waiting: Waiter[] = [];
  #dead: SottoError | undefined;
  #ended = false;

  constructor(port: LanePort) {
    this.#port = port;
    port.on('message', ({ failure }) => {
      const waiter = this.#waiting.shift();
      if (this.#waiting.length === 0) port.unref();
      if (failure === undefined) waiter?.resolve();
      // The runtime's own words, as a session in this thread has them: in a run they may hold values of inputs, which is for the caller to know of.
      else waiter?.reject(new Error(failure));
    });
    port.on('error', (error) => this.#die(error instanceof Error ? error.message : String(error), error));
    port.on('messageerror', (error) => this.#die('its message could not be read', error));
    port.on('exit', (code) => this.#die(`it ended with code ${code}`));
    port.unref();
  }

  /** Requests that were not answered yet. */
  get load(): number {
    return this.#waiting.length;
  }

  /** Rejects with the runtime's own error where the request fails, with `internal` where the thread has died. */
  ask(request: LaneRequest): Promise<void> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    this.#port.ref();
    this.#port.postMessage(request);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Ends the thread. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#port.terminate();
  }

  #die(why: string, cause?: unknown): void {
    if (this.#dead !== undefined) return;
    this.#dead = this.#ended
      ? new SottoError('cancelled', 'the lanes of the engine were ended while a run was under way')
      : new SottoError('internal', `a lane of the engine failed: ${why}; make another engine`, { cause });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#dead);
  }
}
