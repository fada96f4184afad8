/**
 * Callbacks of `fit`, by their tfjs names. What reaches them is public or already private, never a plain figure of the private data.
 *
 * @module
 */
import { finite, integer, oneOf, show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { knownKeys, nearestName } from '../known-keys.ts';

/** Named figures: `loss` and others that `report` releases with noise, `val_loss` and `val_acc` of validation data, `batch` in callbacks of steps. */
export type Logs = Readonly<Record<string, number>>;

/** A model that a callback may stop: set `stopTraining` and training ends after the step in hand. */
export interface Stoppable {
  /** That of the tfjs model; it also tells TypeScript that callbacks which are written for tfjs models fit. */
  readonly name?: string;
  stopTraining?: boolean;
}

/** What training did until now, as in tfjs: `history[name][i]` belongs to epoch `epoch[i]`. */
export interface History {
  readonly epoch: readonly number[];
  readonly history: Readonly<Record<string, readonly number[]>>;
}

/**
 * Hooks into `fit`; each may be asynchronous. A batch is one private step. A tf.Callback, or tfjs's own `tf.callbacks.earlyStopping`, fits as well.
 */
export interface TrainingCallbacks {
  setParams?(params: Readonly<Record<string, number>>): void;
  /** Given the tfjs model, on which `stopTraining = true` ends the training. */
  setModel?(model: Stoppable): void;
  onTrainBegin?(logs?: Logs): void | Promise<void>;
  onTrainEnd?(logs?: Logs): void | Promise<void>;
  /** Called in place of `onTrainEnd` where a training that had begun ends by an error, `cancelled` among them. tfjs has no such hook. */
  onTrainFailed?(): void | Promise<void>;
  onEpochBegin?(epoch: number, logs?: Logs): void | Promise<void>;
  onEpochEnd?(epoch: number, logs?: Logs): void | Promise<void>;
  onBatchBegin?(batch: number, logs?: Logs): void | Promise<void>;
  onBatchEnd?(batch: number, logs?: Logs): void | Promise<void>;
  /** Called whenever training has let the event loop turn: after every step. */
  onYield?(epoch: number, batch: number, logs?: Logs): void | Promise<void>;
}

/** Options of {@link earlyStopping}, as in tfjs. */
export interface EarlyStoppingOptions {
  /** A name in the logs of an epoch. Default `val_loss`. */
  readonly monitor?: string;
  /** What counts as better is better by more than this. Default 0. With noisy figures, set it above their noise. */
  readonly minDelta?: number;
  /** Epochs without improvement after which training stops. Default 0: the first one. */
  readonly patience?: number;
  /** Whether better is less or more. Default `auto`: more where the name ends in `acc`, else less. */
  readonly mode?: 'auto' | 'min' | 'max';
  /** Training stops where the figure does not get better than this. */
  readonly baseline?: number;
}

/** A callback that tells when it stopped. */
export interface EarlyStopping extends TrainingCallbacks {
  /** The epoch after which training was stopped, if it was. */
  readonly stoppedEpoch: number | undefined;
}

/**
 * Stops training when a figure no longer gets better. Only what an epoch's logs hold can be monitored, and logs hold no plain figure of private data: so the
 * decision is post-processing of what was paid for, or of public data.
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): EarlyStopping {
  knownKeys('earlyStopping', options, ['monitor', 'minDelta', 'patience', 'mode', 'baseline']);
  const monitor = options.monitor ?? 'val_loss';
  const minDelta = Math.abs(finite('earlyStopping.minDelta', options.minDelta ?? 0));
  const patience = integer('earlyStopping.patience', options.patience ?? 0, 0);
  const mode = oneOf('earlyStopping.mode', options.mode ?? 'auto', ['auto', 'min', 'max']);
  const up = mode === 'max' || (mode === 'auto' && /acc(uracy)?$/i.test(monitor));
  const baseline = options.baseline === undefined ? undefined : finite('earlyStopping.baseline', options.baseline);
  let model: Stoppable | undefined;
  let best = 0;
  let waited = 0;
  let stoppedEpoch: number | undefined;
  return {
    get stoppedEpoch() {
      return stoppedEpoch;
    },
    setModel(given) {
      model = given;
    },
    onTrainBegin() {
      best = baseline ?? (up ? -Infinity : Infinity);
      waited = 0;
      stoppedEpoch = undefined;
    },
    onEpochEnd(epoch, logs = {}) {
      const value = logs[monitor];
      if (value === undefined) {
        throw new SottoError(
          'invalid-argument',
          `earlyStopping.monitor is ${monitor}, which no epoch reports; it has ${Object.keys(logs).join(', ') || 'nothing'}. Give validationData, or ask for ` +
            'report.trainLoss with its noise',
        );
      }
      if (up ? value > best + minDelta : value < best - minDelta) {
        best = value;
        waited = 0;
      } else if (++waited > patience) {
        stoppedEpoch = epoch;
        if (model !== undefined) model.stopTraining = true;
      }
    },
  };
}

/** The hooks that are called, in their order. */
const HOOKS: readonly (Hook | 'onTrainFailed')[] = [
  'onTrainBegin',
  'onEpochBegin',
  'onBatchBegin',
  'onBatchEnd',
  'onYield',
  'onEpochEnd',
  'onTrainEnd',
  'onTrainFailed',
];

/** Callbacks as a list. Throws `invalid-argument` where one is no object, or has a hook that nobody calls. */
export function callbackList(
  callbacks: TrainingCallbacks | readonly TrainingCallbacks[] | undefined,
): readonly TrainingCallbacks[] {
  const list = callbacks === undefined ? [] : Array.isArray(callbacks) ? (callbacks as unknown[]) : [callbacks];
  return list.map((callback, i) => {
    if (typeof callback === 'object' && callback !== null) {
      const unknown = Object.keys(callback).find(
        (name) => /^on[A-Z]/u.test(name) && !(HOOKS as readonly string[]).includes(name),
      );
      if (unknown === undefined) return callback as TrainingCallbacks;
      const nearest = nearestName(unknown, HOOKS);
      throw new SottoError(
        'invalid-argument',
        `callbacks[${i}].${unknown} is called by nobody; ${nearest === undefined ? '' : `did you mean ${nearest}? `}hooks are ${HOOKS.join(', ')}`,
      );
    }
    throw new SottoError(
      'invalid-argument',
      `callbacks[${i}] is ${show(callback)}; it must be an object of hooks such as onEpochEnd`,
    );
  });
}

type Hook = Exclude<keyof TrainingCallbacks, 'setParams' | 'setModel' | 'onTrainFailed'>;

/** Calls hooks of several callbacks in their order. */
export class CallbackList {
  readonly #callbacks: readonly TrainingCallbacks[];
  #begun = false;

  constructor(callbacks: readonly TrainingCallbacks[]) {
    this.#callbacks = callbacks;
  }

  begin(model: Stoppable, params: Readonly<Record<string, number>>): void {
    for (const callback of this.#callbacks) {
      callback.setParams?.(params);
      callback.setModel?.(model);
    }
  }

  async call<H extends Hook>(hook: H, ...args: Parameters<NonNullable<TrainingCallbacks[H]>>): Promise<void> {
    if (hook === 'onTrainBegin') this.#begun = true;
    for (const callback of this.#callbacks) {
      const method = callback[hook] as ((...args: unknown[]) => void | Promise<void>) | undefined;
      await method?.apply(callback, args);
    }
    if (hook === 'onTrainEnd') this.#begun = false;
  }

  /** Lets every callback end its work after an error, if the training had begun. What they throw in turn is dropped: the first error is told. */
  async failed(): Promise<void> {
    if (!this.#begun) return;
    for (const callback of this.#callbacks) {
      try {
        await callback.onTrainFailed?.();
      } catch {
        // See above.
      }
    }
  }
}

/** Collects the logs of epochs. */
export class HistoryRecorder {
  readonly #epochs: number[] = [];
  readonly #history: Record<string, number[]> = {};

  add(epoch: number, logs: Logs): void {
    this.#epochs.push(epoch);
    for (const [name, value] of Object.entries(logs)) (this.#history[name] ??= []).push(value);
  }

  history(): History {
    return { epoch: this.#epochs, history: this.#history };
  }
}
