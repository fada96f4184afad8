/**
 * The clients' ledgers after the last round: waits until every party has handed its own over and knows that it arrived.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** What the collection asks of its surroundings. */
export interface LedgerCollectionHost {
  /** Ids of all parties of the plan. */
  readonly parties: readonly string[];
  /** Ids of those whose ledgers are in the store. */
  readonly mirrored: () => readonly string[];
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/** Waits for ledgers. */
export class LedgerCollection {
  readonly #host: LedgerCollectionHost;
  /** Clients that know, from this process, that their ledgers are here. */
  readonly #told: Set<string> = new Set();
  #arrived: () => void = () => undefined;

  constructor(host: LedgerCollectionHost) {
    this.#host = host;
  }

  /** A client's ledger was taken over, and the client was told. */
  taken(id: string): void {
    this.#told.add(id);
    this.#arrived();
  }

  /** Waits until every client was told that its ledger is here, at most `forMs`: a killed process may have told nobody. */
  async untilTold(forMs: number): Promise<void> {
    const all = (): boolean => this.#host.parties.every((id) => this.#told.has(id));
    const { signal } = this.#host;
    if (all() || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, forMs);
      signal.addEventListener('abort', done, { once: true });
      this.#arrived = () => all() && done();
    });
  }

  /**
   * Waits until every party has handed its ledger over; calls `late` once with those that are missing after `warnMs`.
   *
   * @throws the signal's reason
   */
  async untilComplete(warnMs: number, late: (missing: readonly string[]) => void): Promise<void> {
    const { parties, mirrored, signal } = this.#host;
    const missing = (): string[] => {
      const here = new Set(mirrored());
      return parties.filter((id) => !here.has(id));
    };
    if (missing().length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const warn = setTimeout(() => late(missing()), warnMs);
      const settle = (end: () => void): void => {
        clearTimeout(warn);
        signal.removeEventListener('abort', abort);
        end();
      };
      const abort = (): void => settle(() => reject(SottoError.from(signal.reason, 'cancelled')));
      this.#arrived = () => {
        if (missing().length === 0) settle(resolve);
      };
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }
}
