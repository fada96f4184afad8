/**
 * Waiting for a peer at the start of a service: not for ever, so that a wrong address or a dead peer becomes a clear
 * error. Once the service has reached its peer, later outages are waited out.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { type LogRecord, type LogSink, standardOutputSink } from '@sotto/federation';

export interface PatienceOptions {
  /** 0 waits for ever. */
  readonly seconds: number;
  /** The log event after which outages no longer end the service. */
  readonly reachedBy: string;
  /** What to check when the peer does not answer. */
  readonly cure: string;
  readonly sink?: LogSink;
}

/** Watches a service's log for a peer that does not answer. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #sink: LogSink;
  readonly #expired = Promise.withResolvers<never>();
  #reached = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PatienceOptions) {
    this.#options = options;
    this.#sink = options.sink ?? standardOutputSink;
    this.#expired.promise.catch(() => undefined);
  }

  /** Rejects with `unavailable` when the patience is at its end. */
  get expired(): Promise<never> {
    return this.#expired.promise;
  }

  /** The service's log: passes every record on. */
  readonly log: LogSink = (record) => {
    this.#sink(record);
    if (record.event === 'peer.unreachable') this.#arm(record);
    else if (record.event === 'client.enrolled' || record.event === this.#options.reachedBy) this.#disarm();
    if (record.event === this.#options.reachedBy) this.#reached = true;
  };

  close(): void {
    this.#disarm();
  }

  #arm({ peer, reason }: LogRecord): void {
    const { seconds, cure } = this.#options;
    if (this.#reached || this.#timer !== undefined || seconds === 0) return;
    this.#timer = setTimeout(() => {
      const who = typeof peer === 'string' ? peer : 'the peer';
      const why =
        typeof reason === 'string'
          ? ` (${reason.replace(/^.*Last error: (?:Error: )?/, '').replace(/\.? Resolution note:.*$/, '')})`
          : '';
      this.#expired.reject(new SottoError('unavailable', `${who} has not answered for ${seconds} s${why}; ${cure}`));
    }, seconds * 1000);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
