/**
 * Which clients can still answer: those that are connected, and those whose line broke so recently that they may be back.
 *
 * @module
 */

/** Who is connected, as the transport tells. */
export class Presence {
  readonly #graceMs: number;
  readonly #changed: () => void;
  readonly #goneAtMs: Map<string, number> = new Map();
  readonly #present: Set<string> = new Set();

  /** `changed` is called when the grace of somebody who is gone has passed. */
  constructor(graceMs: number, changed: () => void) {
    this.#graceMs = graceMs;
    this.#changed = changed;
  }

  /** A client's connection came up or was lost. */
  set(id: string, present: boolean): void {
    if (present) {
      this.#present.add(id);
      return;
    }
    this.#present.delete(id);
    this.#goneAtMs.set(id, performance.now());
    setTimeout(this.#changed, this.#graceMs + 5).unref();
  }

  /** Whether the client is connected, or was a grace ago; one that never came may still come. */
  canAnswer(id: string): boolean {
    if (this.#present.has(id)) return true;
    const goneAt = this.#goneAtMs.get(id);
    return goneAt === undefined || performance.now() - goneAt < this.#graceMs;
  }
}
