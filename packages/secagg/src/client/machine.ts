import { SottoError } from '@sotto/core/errors';
import type { ClientInput, ClientSetup, ClientState, ClientStep } from './state.ts';

/** Starts a round: checks the site policy against the context and advertises fresh keys. Throws `permission-denied` or `invalid-argument`. */
export function startClient(setup: ClientSetup): ClientStep {
  throw new SottoError('unsupported', `not built yet ${setup.context.runId}`);
}

/** One step of the client's side. */
export function stepClient(setup: ClientSetup, state: ClientState, input: ClientInput): ClientStep {
  throw new SottoError('unsupported', `not built yet ${setup.context.runId} ${state.phase} ${input.type}`);
}
