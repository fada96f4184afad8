/**
 * The defaults of {@link ServiceOptions}: the real clock, the platform's generator, the fast crypto provider.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import type { RandomSource } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { nodeCrypto } from '@sotto/secagg/node';
import { Logger, standardOutputSink } from './log.ts';
import type { ServiceOptions } from './service.ts';

/** What a service uses of the world outside. */
export interface World {
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly random: RandomSource;
  readonly crypto: CryptoProvider;
}

/** Fills in the defaults. */
export function worldOf(party: string, options: ServiceOptions): World {
  const nowMs = options.nowMs ?? Date.now;
  return {
    nowMs,
    log: new Logger(party, options.log ?? standardOutputSink, nowMs),
    random: options.random ?? systemRandom,
    crypto: options.crypto ?? nodeCrypto,
  };
}
