/**
 * Noise drawn ahead in a worker thread, a fixed amount per step, while the step before it computes.
 *
 * Samples lie in memory that both threads see, so that nothing is copied between them: the queue lends the thread an array per step, the thread says
 * when it is full, the step reads it where it lies, overwrites it and gives it back for later noise.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { NoiseSource } from '../noise/step-noise.ts';
import { INT32_SCALE_BITS, StepNoise } from '../noise/step-noise.ts';
import type { NoiseValues } from '../noise/step-noise.ts';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import { DRAWN } from './noise-messages.ts';
import type { NoiseRequest } from './noise-messages.ts';
import type { NoiseWorkerData } from './noise-worker.ts';

/** What noise is drawn, and how much ahead. All of it is public. */
export interface NoiseWorkerOptions {
  /** The plan whose steps will use the noise; it fixes the scale. */
  readonly plan: Pick<MechanismPlan, 'grid'>;
  /** Parameters of the model, such as `RecordTrainer.parameterCount`. */
  readonly dimension: number;
  /** Steps whose noise is kept ready; 4 bytes per parameter each, 8 where `gridBits` is above 26. Default 2. */
  readonly stepsAhead?: number;
}

/**
 * Exact noise from the platform's CSPRNG, drawn in a thread of its own. The thread begins the noise of one step whenever that of another is
 * taken, and keeps no process alive by itself.
 */
export interface NoiseWorker extends NoiseSource {
  /**
   * The noise of one step, in the order of the calls; waits where none is ready. Rejects with `conflict` after {@link close}, with `cancelled` where
   * `close` is called meanwhile, and with `internal` once the thread has failed: there is no quiet way back to another source.
   */
  take(): Promise<StepNoise>;
  /** Ends the thread and wipes what was not used. */
  close(): Promise<void>;
}

/** The side of a worker thread that the queue needs. */
export interface WorkerPort {
  /** Asks for the noise of one step in the given array. The answer is {@link DRAWN}. */
  postMessage(message: NoiseRequest): void;
  on(event: 'message', listener: (value: unknown) => void): unknown;
  on(event: 'error' | 'messageerror', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

const DEFAULT_STEPS_AHEAD = 2;
/** 1 GiB of noise. */
const MAX_SAMPLES_AHEAD = 2 ** 27;

/** Starts the thread. Throws `invalid-argument` where a size is out of range. */
export function createNoiseWorker(options: NoiseWorkerOptions): NoiseWorker {
  const { gridBits } = options.plan.grid;
  const dimension = integer('dimension', options.dimension, 1, MAX_SAMPLES_AHEAD);
  const most = Math.floor(MAX_SAMPLES_AHEAD / dimension);
  const stepsAhead = integer('stepsAhead', options.stepsAhead ?? Math.min(DEFAULT_STEPS_AHEAD, most), 1, most);
  const source = import.meta.url.endsWith('.ts');
  const file = new URL(source ? './noise-worker.ts' : './noise-worker.js', import.meta.url);
  const workerData: NoiseWorkerData = { gridBits };
  const worker = new Worker(file, {
    workerData,
    execArgv: source ? ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning'] : [],
  });
  return new NoiseQueue(worker, gridBits, dimension, stepsAhead);
}

/** An array for noise of the given scale, in memory that threads share. */
function sharedValues(gridBits: number, dimension: number): NoiseValues {
  return gridBits <= INT32_SCALE_BITS
    ? new Int32Array(new SharedArrayBuffer(4 * dimension))
    : new Float64Array(new SharedArrayBuffer(8 * dimension));
}

interface Waiter {
  readonly resolve: (noise: StepNoise) => void;
  readonly reject: (error: SottoError) => void;
}

/** The queue over a thread that fills one array after the other. */
export class NoiseQueue implements NoiseWorker {
  readonly gridBits: number;
  readonly dimension: number;
  readonly #worker: WorkerPort;
  /** Arrays that the thread holds, in the order in which it fills them. */
  readonly #ordered: NoiseValues[] = [];
  readonly #ready: StepNoise[] = [];
  readonly #waiting: Waiter[] = [];
  /** Arrays that were used and overwritten. */
  readonly #spare: NoiseValues[] = [];
  /** Why nothing is handed out any more. */
  #ended: SottoError | undefined;

  constructor(worker: WorkerPort, gridBits: number, dimension: number, stepsAhead: number) {
    this.gridBits = gridBits;
    this.dimension = dimension;
    this.#worker = worker;
    worker.on('message', (answer) => this.#receive(answer));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error.message : String(error), error));
    worker.on('messageerror', (error) => this.#fail('its message could not be read', error));
    worker.on('exit', (code) => this.#fail(`it ended with code ${code}`));
    worker.unref();
    // One order for each step kept ready, then one for each that is taken: what is under way or ready never exceeds that.
    for (let i = 0; i < stepsAhead; i++) this.#order();
  }

  take(): Promise<StepNoise> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#order();
    const noise = this.#ready.shift();
    if (noise !== undefined) return Promise.resolve(noise);
    this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    this.#end(
      new SottoError('conflict', 'the noise worker is closed; make another one'),
      new SottoError('cancelled', 'the noise worker was closed while its noise was waited for'),
    );
    await this.#terminate();
  }

  #order(): void {
    const values = this.#spare.pop() ?? sharedValues(this.gridBits, this.dimension);
    this.#ordered.push(values);
    this.#worker.postMessage(values);
  }

  #receive(answer: unknown): void {
    // What arrives after the end is wiped with all that was ordered.
    if (this.#ended !== undefined) return;
    const values = answer === DRAWN ? this.#ordered.shift() : undefined;
    if (values === undefined) {
      this.#fail('its message is not that the noise of a step was drawn');
      return;
    }
    const noise = new StepNoise(this.gridBits, values, (used) => {
      if (this.#ended === undefined) this.#spare.push(used);
    });
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#ready.push(noise);
    else waiter.resolve(noise);
    if (this.#waiting.length === 0) this.#worker.unref();
  }

  #fail(why: string, cause?: unknown): void {
    if (this.#ended !== undefined) return;
    const error = new SottoError(
      'internal',
      `the noise worker failed: ${why}; make another one, or leave it out to draw noise within the step`,
      { cause },
    );
    this.#end(error, error);
    void this.#terminate();
  }

  #end(later: SottoError, waiting: SottoError): void {
    this.#ended ??= later;
    for (const noise of this.#ready.splice(0)) noise.wipe();
    for (const { reject } of this.#waiting.splice(0)) reject(waiting);
    this.#spare.length = 0;
    this.#worker.unref();
  }

  /** Ends the thread, then wipes what it was filling. */
  async #terminate(): Promise<void> {
    await this.#worker.terminate();
    for (const values of this.#ordered.splice(0)) values.fill(0);
  }
}
