/**
 * Training in a thread of its own, seen from the thread that asked for it.
 *
 * @module
 */
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { SottoError } from '@sotto/core/errors';
import { compileModel } from '@sotto/core/model';
import { isShared, sharedFloats } from '@sotto/core/ops';
import type { ExampleTable } from '../training/examples.ts';
import { holdsFunction, packLosses } from '../training/portable-loss.ts';
import type { SessionOpener, SessionSpec, TrainingSession } from '../training/session.ts';
import { openCallerSession } from './caller-session.ts';
import { begin, pendingWork, waitForWork } from './pending-work.ts';
import type { PendingWork } from './pending-work.ts';
import { unpackError } from './training-messages.ts';
import type { TrainingAnswer, TrainingAnswers, TrainingRequest } from './training-messages.ts';
import type { EngineChoice } from './worker-engine.ts';

/** How the thread computes. None of it can change a privacy guarantee. */
export interface TrainingThreadOptions {
  /** Default `onnx-cpu`. */
  readonly engine?: EngineChoice;
  /** Threads of the engine. Default: the cores that this process may use. */
  readonly lanes?: number;
}

/** The side of a worker thread that a session needs. */
export interface TrainingPort {
  postMessage(message: TrainingRequest): void;
  on(event: 'message', listener: (answer: TrainingAnswer) => void): unknown;
  on(event: 'error' | 'messageerror', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

/**
 * Opens each session in a new thread, which ends with it. Randomness is the platform's CSPRNG in that thread. What cannot cross to a thread, such as layer kinds of one's
 * own or a loss that is no plain program of operations, is trained in this one, with a warning.
 */
export function threadSessions(options: TrainingThreadOptions = {}): SessionOpener {
  return (spec) => {
    const sendable = makeSendable(spec);
    if ('why' in sendable) return openCallerSession(spec, options, sendable.why);
    const pending = pendingWork();
    return openThreadSession(sendable, options, startThread(pending), pending);
  };
}

/** A specification as it crosses to a thread. */
type Sendable = Pick<Extract<TrainingRequest, { kind: 'open' }>, 'spec' | 'loss'>;

/** Makes a specification sendable, or tells why it is not. */
export function makeSendable({ loss, kinds, ...spec }: SessionSpec): Sendable | { readonly why: string } {
  if (kinds !== undefined && kinds.length > 0) return { why: 'kinds holds functions, which cannot cross to another thread' };
  if (!holdsFunction(loss)) return { spec, loss: packLosses(undefined, loss) };
  try {
    return { spec, loss: packLosses(compileModel(spec.topology), loss) };
  } catch (error) {
    return { why: `loss cannot cross to another thread: ${SottoError.from(error).message}` };
  }
}

function startThread(pending: PendingWork): TrainingPort {
  const source = import.meta.url.endsWith('.ts');
  const file = new URL(source ? './training-worker.ts' : './training-worker.js', import.meta.url);
  return new Worker(file, {
    workerData: pending,
    // Not a copy, so that engines of NVIDIA's processors are told of full precision.
    env: SHARE_ENV,
    execArgv: source ? ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning'] : [],
  });
}

/** Opens a session behind a port. For tests; others use {@link threadSessions}. */
export async function openThreadSession(
  { spec, loss }: Sendable,
  { engine, lanes }: TrainingThreadOptions,
  port: TrainingPort,
  pending: PendingWork = pendingWork(),
): Promise<TrainingSession> {
  const thread = new TrainingThread(port, pending);
  try {
    const examples = spec.examples === undefined ? undefined : await shareTable(spec.examples);
    const chosen = engine ?? 'onnx-cpu';
    const info = await thread.ask('open', { kind: 'open', spec: { ...spec, examples }, loss, engine: chosen, lanes });
    return {
      info: { ...info, thread: 'worker' },
      step: (position) => thread.ask('step', { kind: 'step', position }),
      evaluate: async (table, mode) => thread.ask('evaluate', { kind: 'evaluate', examples: await shareTable(table), mode }),
      state: () => thread.ask('state', { kind: 'state' }),
      async close() {
        try {
          await thread.ask('close', { kind: 'close' });
        } finally {
          await thread.end();
        }
      },
    };
  } catch (error) {
    await thread.end();
    throw error;
  }
}

/** Numbers that are copied between two turns of the event loop: a few milliseconds. */
const SLICE = 2 ** 21;

/** The table over memory that threads share, so that the thread gets it without another copy. */
async function shareTable(table: ExampleTable): Promise<ExampleTable> {
  const columns = [];
  for (const column of table.columns) {
    if (isShared(column.values)) {
      columns.push(column);
      continue;
    }
    const values = sharedFloats(column.values.length);
    for (let begin = 0; begin < values.length; begin += SLICE) {
      values.set(column.values.subarray(begin, begin + SLICE), begin);
      await setImmediate();
    }
    columns.push({ ...column, values });
  }
  return { ...table, columns };
}

interface Waiter {
  readonly resolve: (value: never) => void;
  readonly reject: (error: SottoError) => void;
}

/** Requests are answered in their order; once the thread has died, every request is refused. */
class TrainingThread {
  readonly #port: TrainingPort;
  readonly #pending: PendingWork;
  readonly #waiting: Waiter[] = [];
  /** Steps are ended before the process is. */
  readonly #beforeExit = (): void => waitForWork(this.#pending);
  #dead: SottoError | undefined;

  constructor(port: TrainingPort, pending: PendingWork) {
    this.#port = port;
    this.#pending = pending;
    process.on('exit', this.#beforeExit);
    port.on('message', (answer) => {
      const waiter = this.#waiting.shift();
      if (this.#waiting.length === 0) port.unref();
      if (answer.ok) waiter?.resolve(answer.value as never);
      else waiter?.reject(unpackError(answer.error));
    });
    port.on('error', (error) => this.#die(error instanceof Error ? error.message : String(error), error));
    port.on('messageerror', (error) => this.#die('its message could not be read', error));
    port.on('exit', (code) => this.#die(`it ended with code ${code}`));
    port.unref();
  }

  ask<K extends TrainingRequest['kind']>(_kind: K, request: Extract<TrainingRequest, { kind: K }>): Promise<TrainingAnswers[K]> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    // A waiting caller keeps the process alive; an idle session does not.
    this.#port.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      begin(this.#pending);
      this.#port.postMessage(request);
    });
  }

  async end(): Promise<void> {
    this.#dead ??= new SottoError('conflict', 'this training session is closed');
    process.off('exit', this.#beforeExit);
    await this.#port.terminate();
  }

  #die(why: string, cause?: unknown): void {
    if (this.#dead !== undefined) return;
    process.off('exit', this.#beforeExit);
    this.#dead = new SottoError(
      'internal',
      `the training thread failed: ${why}; what was charged stays charged, and training can begin again from the last weights`,
      {
        cause,
      },
    );
    for (const { reject } of this.#waiting.splice(0)) reject(this.#dead);
  }
}
