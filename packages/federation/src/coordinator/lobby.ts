/**
 * Clients that wait for a round: who is there, and when there are enough of them to begin.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** How a wait ends. */
export type LobbyAnswer<Offer> =
  { readonly type: 'nothing' } | { readonly type: 'offer'; readonly offer: Offer } | { readonly type: 'finished' };

/** How long a client whose wait ended without an offer is still there: it asks again at once. */
const betweenWaitsMs = 5_000;

/** The waiting clients, each once. */
export class Lobby<Offer> {
  readonly #waiting: Map<string, (answer: LobbyAnswer<Offer>) => void> = new Map();
  /** Clients whose last wait ended by its own time, and that have not asked again yet. */
  readonly #between: Map<string, NodeJS.Timeout> = new Map();
  #changed: () => void = () => undefined;
  #finished = false;

  get ids(): string[] {
    return [...new Set([...this.#waiting.keys(), ...this.#between.keys()])];
  }

  /** Waits for an offer, at most `forMs`. A second wait of the same client ends its first. */
  async wait(id: string, forMs: number, signal: AbortSignal): Promise<LobbyAnswer<Offer>> {
    if (this.#finished) return { type: 'finished' };
    this.#waiting.get(id)?.({ type: 'nothing' });
    this.#returned(id);
    return await new Promise((resolve) => {
      const answer = (value: LobbyAnswer<Offer>): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
        if (this.#waiting.get(id) === answer) this.#waiting.delete(id);
        resolve(value);
        this.#changed();
      };
      const leave = (): void => answer({ type: 'nothing' });
      const timer = setTimeout(() => {
        this.#expectBack(id);
        leave();
      }, forMs);
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.set(id, answer);
      this.#changed();
    });
  }

  /**
   * Resolves when all `expected` are waiting, or `windowMs` after there were enough of them, if there still are.
   *
   * @throws the signal's reason
   */
  async quorum(expected: number, enough: (count: number) => boolean, windowMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#changed = () => undefined;
        end();
      };
      const abort = (): void => settle(() => reject(SottoError.from(signal.reason, 'cancelled')));
      this.#changed = () => {
        const count = this.ids.length;
        if (count >= expected) return settle(resolve);
        if (!enough(count)) {
          clearTimeout(timer);
          timer = undefined;
        } else timer ??= setTimeout(() => settle(resolve), windowMs);
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      this.#changed();
    });
  }

  /** Without this, a window longer than a wait would begin anew whenever somebody's wait ends. */
  #expectBack(id: string): void {
    this.#returned(id);
    const timer = setTimeout(() => {
      this.#between.delete(id);
      this.#changed();
    }, betweenWaitsMs);
    timer.unref();
    this.#between.set(id, timer);
  }

  #returned(id: string): void {
    clearTimeout(this.#between.get(id));
    this.#between.delete(id);
  }

  /** Answers everybody who waits. */
  offer(offer: Offer): void {
    for (const answer of [...this.#waiting.values()]) answer({ type: 'offer', offer });
  }

  /** From now on every wait ends at once: the run is over. */
  finish(): void {
    this.#finished = true;
    for (const answer of [...this.#waiting.values()]) answer({ type: 'finished' });
  }
}
