import { SottoError } from '@sotto/core/errors';
import type { CollectingStage, ServerInput, ServerSetup, ServerState, ServerStep } from './state.ts';

/** Starts a round on the coordinator's side, in stage `advertise`. */
export function startServer(setup: ServerSetup): ServerState {
  throw new SottoError('unsupported', `not built yet ${setup.context.runId}`);
}

/** One step of the coordinator's side. */
export function stepServer(setup: ServerSetup, state: ServerState, input: ServerInput): ServerStep {
  throw new SottoError('unsupported', `not built yet ${setup.context.runId} ${state.stage} ${input.type}`);
}

/** The frozen answer of a closed stage to one member, or `undefined` while the stage is open or where the member gets none. */
export function frozenOutcome(state: ServerState, stage: CollectingStage, id: string): Uint8Array | undefined {
  const outcome = state.outcomes.get(stage);
  return outcome instanceof Uint8Array ? outcome : outcome?.get(id);
}

/** Where the present stage stands: who has delivered, who may still, how many are needed. */
export function stageStatus(
  setup: ServerSetup,
  state: ServerState,
): {
  readonly stage: ServerState['stage'];
  readonly received: readonly string[];
  /** Members that may still deliver; `undefined` in `advertise`, where anybody enrolled may. */
  readonly expected: readonly string[] | undefined;
  /** Least number of messages with which the stage can close without an abort. */
  readonly minimum: number;
} {
  throw new SottoError('unsupported', `not built yet ${setup.context.runId} ${state.stage}`);
}
