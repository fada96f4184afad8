/**
 * The coordinator's side of a round as a state machine: which stage takes which message, what freezing a stage gives,
 * what comes too late.
 *
 * @module
 */
import { equalBytes } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { abortOf } from '../abort.ts';
import type { Abort } from '../abort.ts';
import { checkContext, contextHash } from '../context.ts';
import { messageName } from '../messages/wire.ts';
import type { MessageName } from '../messages/wire.ts';
import { DistinctKeys } from '../roster.ts';
import { closeAdvertise, takeAdvert } from './advertise.ts';
import { closeConfirm, takeConfirm } from './confirm.ts';
import { closeMasked, takeComplaint, takeInput } from './input.ts';
import { closeShare, takeShares } from './share.ts';
import type { CollectingStage, ServerEffect, ServerInput, ServerSetup, ServerState, ServerStep, Verdict } from './state.ts';
import { closeUnmask, masksRemoved, takeUnmask } from './unmask.ts';

/** Starts a round on the coordinator's side, in stage `advertise`. Throws as `checkContext` does. */
export function startServer(setup: ServerSetup): ServerState {
  checkContext(setup.context);
  check.bytes('coordinatorSeed', setup.coordinatorSeed, 32);
  if (!equalBytes(setup.crypto.ed25519PublicKey(setup.coordinatorSeed), setup.context.coordinatorKey)) {
    throw new SottoError('invalid-argument', 'coordinatorSeed is not that of the coordinator key in the context');
  }
  return {
    stage: 'advertise',
    ctx: contextHash(setup.crypto, setup.context),
    digests: new Map(),
    adverts: new Map(),
    keys: new DistinctKeys(),
    session: undefined,
    shares: new Map(),
    u1: [],
    rootU1: new Uint8Array(0),
    sums: [],
    inputs: new Map(),
    left: new Set(),
    u2: [],
    rootU2: new Uint8Array(0),
    confirmations: new Map(),
    certificate: [],
    answers: new Map(),
    event: new Uint8Array(0),
    incidents: [],
    job: undefined,
    result: undefined,
    abort: undefined,
    outcomes: new Map(),
  };
}

/** Takes one message of one stage; throws a `RoundAbort` or an encoding error to refuse it. */
type Take = (setup: ServerSetup, state: ServerState, from: string, message: Uint8Array, nowMs: number) => readonly ServerEffect[];

const TAKES: { readonly [stage in CollectingStage]: { readonly name: MessageName; readonly take: Take } } = {
  advertise: { name: 'advert', take: takeAdvert },
  share: { name: 'shares', take: takeShares },
  masked: { name: 'maskedInput', take: takeInput },
  confirm: { name: 'confirm', take: takeConfirm },
  unmask: { name: 'unmask', take: takeUnmask },
};

const STAGE_OF: { readonly [name in MessageName]?: CollectingStage } = {
  advert: 'advertise',
  shares: 'share',
  maskedInput: 'masked',
  confirm: 'confirm',
  unmask: 'unmask',
};

/**
 * One step. A bad message of a member is refused (see `verdict`) and changes nothing; what ends the round gives the stage
 * `aborted` with a name. Throws `conflict` where the caller closes a stage that collects nothing.
 */
export function stepServer(setup: ServerSetup, state: ServerState, input: ServerInput): ServerStep {
  switch (input.type) {
    case 'message':
      return takeMessage(setup, state, input.from, input.message, input.nowMs);
    case 'closeStage':
      return closeStage(setup, state, input.event);
    case 'masksRemoved':
      if (state.stage !== 'removing-masks') throw new SottoError('conflict', `masksRemoved came in stage ${state.stage}`);
      return finish(state, masksRemoved(setup, state));
    case 'cancel':
      if (state.stage === 'done' || state.stage === 'aborted') return step(state);
      return giveUp(state, { code: 'cancelled', message: input.reason });
  }
}

function takeMessage(setup: ServerSetup, state: ServerState, from: string, message: Uint8Array, nowMs: number): ServerStep {
  const name = messageName(message);
  if (name === 'complaint' && state.stage === 'masked') return attempt(setup, state, from, message, nowMs, name, takeComplaint);
  const stage = name === undefined ? undefined : STAGE_OF[name];
  if (stage === undefined) {
    return refused(state, { code: 'malformed', message: `${from} sent no message that the coordinator takes`, parties: [from] });
  }
  const known = state.digests.get(`${stage} ${from}`);
  if (stage !== state.stage) return otherStage(setup, state, stage, from, message, known);
  return attempt(setup, state, from, message, nowMs, stage, TAKES[stage].take);
}

function attempt(
  setup: ServerSetup,
  state: ServerState,
  from: string,
  message: Uint8Array,
  nowMs: number,
  slot: string,
  take: Take,
): ServerStep {
  const known = state.digests.get(`${slot} ${from}`);
  const digest = setup.crypto.sha256(message);
  if (known !== undefined) {
    if (equalBytes(known, digest)) return { ...step(state), verdict: { type: 'repeated' } };
    return refused(state, {
      code: 'equivocation',
      message: `${from} sent a second, different message of this stage`,
      parties: [from],
    });
  }
  try {
    const effects = take(setup, state, from, message, nowMs);
    state.digests.set(`${slot} ${from}`, digest);
    return { ...step(state, effects), verdict: { type: 'accepted' } };
  } catch (reason) {
    return refused(state, abortOf(reason));
  }
}

/** A message of a stage that is closed, or not open yet. What was taken in time may be repeated for its answer. */
function otherStage(
  setup: ServerSetup,
  state: ServerState,
  stage: CollectingStage,
  from: string,
  message: Uint8Array,
  known: Uint8Array | undefined,
): ServerStep {
  const outcome = frozenOutcome(state, stage, from);
  if (outcome === undefined) {
    return refused(state, {
      code: 'unexpected-message',
      message: `${from} sent a message of stage ${stage} in stage ${state.stage}`,
    });
  }
  const repeat = known !== undefined && equalBytes(known, setup.crypto.sha256(message));
  const verdict: Verdict = repeat ? { type: 'repeated' } : { type: 'late' };
  return { ...step(state), outgoing: [{ to: from, message: outcome }], verdict };
}

/** The frozen answer of a closed stage to one member, or `undefined` while the stage is open or where the member gets none. */
export function frozenOutcome(state: ServerState, stage: CollectingStage, id: string): Uint8Array | undefined {
  const outcome = state.outcomes.get(stage);
  return outcome instanceof Uint8Array ? outcome : outcome?.get(id);
}

function closeStage(setup: ServerSetup, state: ServerState, event: Uint8Array | undefined): ServerStep {
  try {
    switch (state.stage) {
      case 'advertise':
        return finish(state, closeAdvertise(setup, state));
      case 'share':
        return finish(state, closeShare(setup, state));
      case 'masked':
        return finish(state, closeMasked(setup, state));
      case 'confirm':
        return finish(state, closeConfirm(setup, state));
      case 'unmask':
        return finish(state, closeUnmask(setup, state, event ?? new Uint8Array(0)));
      default:
        throw new SottoError('conflict', `stage ${state.stage} collects nothing that could be closed`);
    }
  } catch (reason) {
    return giveUp(state, abortOf(reason));
  }
}

/** What closing a stage gives: recipients of its outcome, and effects. */
export interface Closed {
  readonly recipients: readonly string[];
  readonly outcome: CollectingStage | undefined;
  readonly effects: readonly ServerEffect[];
  readonly consumed?: readonly Uint8Array[];
}

function finish(state: ServerState, closed: Closed): ServerStep {
  const { outcome } = closed;
  const outgoing =
    outcome === undefined
      ? []
      : closed.recipients.map((to) => ({
          to,
          get message(): Uint8Array {
            return frozenOutcome(state, outcome, to)!; // every recipient has one
          },
        }));
  return { state, outgoing, effects: closed.effects, consumed: closed.consumed ?? [] };
}

function step(state: ServerState, effects: readonly ServerEffect[] = []): ServerStep {
  return { state, outgoing: [], effects, consumed: [] };
}

function refused(state: ServerState, abort: Abort): ServerStep {
  const incident = { kind: 'refused-message', parties: abort.parties ?? [], message: abort.message, evidence: [] } as const;
  return { ...step(state, [{ type: 'incident', incident }]), verdict: { type: 'refused', abort } };
}

function giveUp(state: ServerState, abort: Abort): ServerStep {
  state.stage = 'aborted';
  state.abort = abort;
  const consumed = [...state.answers.values()].flatMap((answer) => answer.shares.map((opened) => opened.share));
  // Only where it was cancelled while the masks came off; the shell lets go of the job before it wipes.
  consumed.push(...(state.job?.streams ?? []).flatMap((stream) => stream.keys));
  state.job = undefined;
  return { ...step(state, state.incidents.splice(0)), consumed };
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
  const parameters = state.session?.parameters;
  const { stage } = state;
  const without = (members: readonly string[], taken: ReadonlyMap<string, unknown>): readonly string[] =>
    members.filter((id) => !taken.has(id) && !state.left.has(id));
  switch (stage) {
    case 'advertise':
      return { stage, received: [...state.adverts.keys()], expected: undefined, minimum: setup.context.cohort.nMin };
    case 'share': {
      const members = state.session!.roster.map((advert) => advert.id);
      return { stage, received: [...state.shares.keys()], expected: without(members, state.shares), minimum: parameters!.F };
    }
    case 'masked':
      return { stage, received: [...state.inputs.keys()], expected: without(state.u1, state.inputs), minimum: parameters!.F };
    case 'confirm': {
      const members = state.u2.map((entry) => entry.id);
      return {
        stage,
        received: [...state.confirmations.keys()],
        expected: without(members, state.confirmations),
        minimum: parameters!.T,
      };
    }
    case 'unmask': {
      const members = state.u2.map((entry) => entry.id);
      return {
        stage,
        received: [...state.answers.keys()],
        expected: without(members, state.answers),
        minimum: state.session!.threshold,
      };
    }
    default:
      return { stage, received: [], expected: [], minimum: 0 };
  }
}
