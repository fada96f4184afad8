/**
 * Client streams under way: one of a kind for each party, so that nobody can pile up half-sent uploads. The newest wins,
 * since it may be the same party after its line broke.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { orAborted } from '../service/abort.ts';

/** The open streams of one server. */
export class Uploads {
  readonly #open: Map<string, AbortController> = new Map();

  /**
   * Passes the parts on; throws `conflict` once a newer stream of that kind and party begins, and the signal's reason when
   * the call has ended.
   */
  async *parts<T>(kind: string, id: string, parts: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
    const key = `${kind} ${id}`;
    const control = new AbortController();
    this.#open.get(key)?.abort(new SottoError('conflict', `a newer ${kind} of ${id} took the place of this one`));
    this.#open.set(key, control);
    const ended = AbortSignal.any([control.signal, signal]);
    const iterator = parts[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await orAborted(iterator.next(), ended);
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      if (this.#open.get(key) === control) this.#open.delete(key);
      // Not awaited: a part that never comes would hold it.
      iterator.return?.().catch(() => undefined);
    }
  }
}
