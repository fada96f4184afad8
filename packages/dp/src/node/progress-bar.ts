/**
 * A progress bar for `fit`: steps, figures, privacy spent, speed and time left. On a terminal one line that is drawn again; elsewhere a line per tenth of the way.
 *
 * @module
 */
import { epsilonOf } from '../accounting/answer.ts';
import type { Logs, TrainingCallbacks } from '../training/callbacks.ts';
import type { PrivateModel } from '../training/private-model.ts';

/** A stream of text, such as `process.stderr`. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Options of {@link progressBar}. */
export interface ProgressBarOptions {
  /** Default `process.stderr`. */
  readonly stream?: ProgressStream;
  /** The model under training, for the privacy spent so far. */
  readonly training?: Pick<PrivateModel, 'event' | 'plan' | 'target'>;
  /** δ of the privacy shown. Default: that of the training's target; without either none is shown. */
  readonly delta?: number;
  /** Milliseconds, from any start. For tests. */
  readonly now?: () => number;
}

const REDRAW_MS = 100;
/** Between two looks at the privacy spent. */
const PRIVACY_MS = 1000;
/** Looking takes at most this share of the time: with schedules there are many events to add up. */
const PRIVACY_SHARE = 0.05;
const BAR = 24;
const SHORT_BAR = 10;
const LINES = 10;

/** Callbacks that draw progress. Everything that they show is public or released already. */
export function progressBar(options: ProgressBarOptions = {}): TrainingCallbacks {
  return new Bar(options);
}

class Bar implements TrainingCallbacks {
  readonly #stream: ProgressStream;
  readonly #training: ProgressBarOptions['training'];
  readonly #delta: number | undefined;
  readonly #now: () => number;
  #total = 0;
  #epochs = 1;
  #epoch = 0;
  #done = 0;
  /** When the training under way began. */
  #begun: number | undefined;
  #drawn = -Infinity;
  #lines = 0;
  #figures = '';
  #privacy = '';
  #privacyFrom = 0;

  constructor({ stream, training, delta, now }: ProgressBarOptions) {
    this.#stream = stream ?? process.stderr;
    this.#training = training;
    this.#delta = delta ?? training?.target?.delta;
    this.#now = now ?? (() => performance.now());
  }

  setParams(params: Readonly<Record<string, number>>): void {
    this.#total = params['totalSteps'] ?? 0;
    this.#epochs = params['epochs'] ?? 1;
  }

  onTrainBegin(): void {
    this.#done = 0;
    this.#lines = 0;
    this.#figures = '';
    this.#privacy = '';
    this.#begun = this.#now();
    this.#privacyFrom = this.#begun + PRIVACY_MS;
    if (this.#stream.isTTY === true) this.#draw();
  }

  onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
  }

  onBatchEnd(): void {
    this.#done++;
    const now = this.#now();
    if (this.#stream.isTTY === true) {
      if (now - this.#drawn < REDRAW_MS) return;
      if (now >= this.#privacyFrom) this.#lookAtPrivacy();
      this.#draw();
    } else if (this.#done < this.#total && Math.floor((this.#done * LINES) / this.#total) > this.#lines) this.#line();
  }

  onEpochEnd(_epoch: number, logs: Logs = {}): void {
    this.#figures = Object.entries(logs)
      .map(([name, value]) => `${name} ${shortNumber(value)}`)
      .join('  ');
    if (this.#stream.isTTY === true) {
      this.#lookAtPrivacy();
      this.#draw();
    }
  }

  onTrainEnd(): void {
    this.#end('trained');
  }

  onTrainFailed(): void {
    this.#end('stopped');
  }

  #end(how: string): void {
    if (this.#stream.isTTY === true) {
      this.#lookAtPrivacy();
      this.#draw();
      this.#stream.write('\n');
    } else this.#line(`${how}: `);
    this.#begun = undefined;
  }

  #lookAtPrivacy(): void {
    const begun = this.#now();
    this.#privacy = this.#privacySoFar();
    const end = this.#now();
    this.#privacyFrom = end + Math.max(PRIVACY_MS, (end - begun) / PRIVACY_SHARE);
  }

  /**
   * The total of the steps so far, and what the whole plan may cost. The total is an upper bound that is found in a millisecond or two, so that the event loop stays live;
   * `privacySpent` tells the least, and what holds where training ends early.
   */
  #privacySoFar(): string {
    if (this.#training === undefined || this.#delta === undefined) return '';
    const { target, plan } = this.#training;
    const limit = target !== undefined && target.delta === this.#delta ? target.epsilon : Infinity;
    try {
      const { upper } = epsilonOf(this.#training.event(), { delta: this.#delta, ...plan.relation, accountant: 'rdp' });
      // No step goes beyond the target, whatever a quicker bound says.
      const soFar = `ε ${shortEpsilon(Math.min(upper, limit))}`;
      return Number.isFinite(limit) ? `${soFar} of ${shortEpsilon(limit)}` : soFar;
    } catch {
      // Steps that the Rényi accountant does not know: no figure is better than a slow one.
      return '';
    }
  }

  #parts(): string[] {
    const now = this.#now();
    const seconds = (now - (this.#begun ?? now)) / 1000;
    const rate = this.#done > 0 && seconds > 0 ? this.#done / seconds : undefined;
    const left = this.#total - this.#done;
    const time =
      rate === undefined
        ? ''
        : left > 0
          ? `${shortRate(rate)}, ${duration(left / rate)} left`
          : `${shortRate(rate)}, ${duration(seconds)}`;
    return [
      `epoch ${this.#epoch + 1}/${this.#epochs}`,
      `step ${this.#done}/${this.#total}`,
      this.#figures,
      this.#privacy,
      time,
    ].filter((part) => part !== '');
  }

  #draw(): void {
    this.#drawn = this.#now();
    const share = this.#total === 0 ? 0 : this.#done / this.#total;
    const width = this.#stream.columns ?? 80;
    let cells = BAR;
    let parts = this.#parts();
    const text = (): string => `${meter(share, cells)} ${parts.join('  ')}`;
    // A line that wrapped could not be drawn again: the bar shrinks first, then the figures go, then the others from the end.
    if (text().length >= width) cells = SHORT_BAR;
    if (text().length >= width) parts = parts.filter((part) => part !== this.#figures);
    while (parts.length > 1 && text().length >= width) parts = parts.slice(0, -1);
    this.#stream.write(`\r\x1b[K${text().slice(0, Math.max(1, width - 1))}`);
  }

  #line(how: string = ''): void {
    this.#lines = Math.floor((this.#done * LINES) / Math.max(1, this.#total));
    this.#privacy = this.#privacySoFar();
    this.#stream.write(`${how}${this.#parts().join(', ')}\n`);
  }
}

/** Three digits: 0.0123, 1.23, 12.3, 123. */
function shortEpsilon(epsilon: number): string {
  return epsilon >= 1000 ? epsilon.toFixed(0) : epsilon.toPrecision(3);
}

/** Eighths of a cell, so that the bar moves smoothly. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function meter(share: number, cells: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * cells * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
  return `▕${full.padEnd(cells)}▏`;
}

function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 3);
}

function shortRate(stepsPerSecond: number): string {
  return stepsPerSecond >= 1 ? `${stepsPerSecond.toFixed(1)} steps/s` : `${(1 / stepsPerSecond).toFixed(1)} s/step`;
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
