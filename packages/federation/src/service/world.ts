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
import { type Masking, nodeMasking, portableMasking } from './masking.ts';
import type { ServiceOptions } from './service.ts';

/** What a service uses of the world outside. */
export interface World {
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly random: RandomSource;
  readonly crypto: CryptoProvider;
  readonly masking: Masking;
  /** Ends what was made here for this service alone. */
  close(): Promise<void>;
}

/** Fills in the defaults. */
export function worldOf(party: string, options: ServiceOptions): World {
  const nowMs = options.nowMs ?? Date.now;
  const crypto = options.crypto ?? nodeCrypto;
  const own = crypto === nodeCrypto ? nodeMasking() : portableMasking(crypto);
  return {
    nowMs,
    log: new Logger(party, options.log ?? standardOutputSink, nowMs),
    random: options.random ?? systemRandom,
    crypto,
    masking: options.masking ?? own,
    close: () => own.close(),
  };
}
