/**
 * Waiting that a signal can end.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** The promise's outcome, or the signal's reason as a `SottoError` if it aborts first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(SottoError.from(signal.reason, 'cancelled'));
  });
  // Whichever loses has nobody to tell.
  promise.catch(() => undefined);
  aborted.catch(() => undefined);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
