/**
 * How many requests a thread has under way, where both sides see it: so that a process that exits can wait for the one in hand.
 *
 * A thread that is torn down in the middle of a native call can take the process with it: what the call then throws ends in `abort`. Exiting waits for the end of
 * the call instead, for at most {@link MOST_WAIT_MS}.
 *
 * @module
 */

/** The longest that the exit of a process is held up. */
const MOST_WAIT_MS = 5000;

/** The count, in memory that threads share. */
export type PendingWork = Int32Array<SharedArrayBuffer>;

export function pendingWork(): PendingWork {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** Counts a request, before it is sent. */
export function begin(pending: PendingWork): void {
  Atomics.add(pending, 0, 1);
}

/** Counts a request as answered, in the thread that answered it. */
export function end(pending: PendingWork): void {
  Atomics.sub(pending, 0, 1);
  Atomics.notify(pending, 0);
}

/** Blocks this thread until nothing is under way. */
export function waitForWork(pending: PendingWork): void {
  const until = performance.now() + MOST_WAIT_MS;
  for (;;) {
    const count = Atomics.load(pending, 0);
    const left = until - performance.now();
    if (count <= 0 || left <= 0) return;
    Atomics.wait(pending, 0, count, left);
  }
}
