/**
 * Trying again: only where the other side cannot be reached, with growing, randomly shortened pauses.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { randomBytes } from '@sotto/core/random';
import { errorFields } from '../service/log.ts';
import type { World } from '../service/world.ts';

const firstPauseMs = 100;
const longestPauseMs = 3_000;

/** Waits, or throws the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(SottoError.from(signal.reason, 'cancelled'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The pause before try `attempt` (from 0): doubled each time, between half and all of it. */
export function pauseMs(attempt: number, world: Pick<World, 'random'>): number {
  const whole = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10));
  const [byte = 0] = randomBytes(world.random, 1);
  return whole * (0.5 + byte / 510);
}

/** Repeats `work` while it fails with `unavailable`, logging the first failure of each streak. */
export async function retrying<T>(
  work: () => Promise<T>,
  options: { readonly what: string; readonly world: World; readonly signal: AbortSignal },
): Promise<T> {
  const { what, world, signal } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (reason) {
      if (signal.aborted) throw SottoError.from(signal.reason, 'cancelled');
      if (!(reason instanceof SottoError) || reason.code !== 'unavailable') throw reason;
      if (attempt === 0) world.log.warn('peer.unreachable', { peer: what, ...errorFields(reason) });
      await pause(pauseMs(attempt, world), signal);
    }
  }
}
