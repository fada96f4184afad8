/**
 * The client's side of a round as a state machine: which message each state takes, what a repetition gets, and how a
 * fault of the coordinator ends the round.
 *
 * @module
 */
import { equalBytes } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { abortOf, RoundAbort } from '../abort.ts';
import type { Abort } from '../abort.ts';
import { messageName } from '../messages/wire.ts';
import type { MessageName } from '../messages/wire.ts';
import { confirmSurvivors } from './confirm.ts';
import { maskInput, openDelivery, sendMasked } from './input.ts';
import { shareSecrets } from './share.ts';
import type { ClientInput, ClientSetup, ClientState, ClientStep, Seen } from './state.ts';
import { acceptReceipt, answerCertificate } from './unmask.ts';

export { startClient } from './advertise.ts';

/**
 * One step. A fault of the coordinator's gives a state `aborted` with a name, never an exception; a fault of the caller's
 * (an input in the wrong phase, a vector of the wrong length) throws `invalid-argument` or `conflict` and changes nothing.
 *
 * A repeated message gets the same bytes again, and no effect a second time. After `done` and `aborted` nothing is
 * answered.
 */
export function stepClient(setup: ClientSetup, state: ClientState, input: ClientInput): ClientStep {
  if (state.phase === 'done' || state.phase === 'aborted') return still(state);
  switch (input.type) {
    case 'message':
      try {
        return takeMessage(setup, state, input.message, input.nowMs);
      } catch (reason) {
        return giveUp(state, abortOf(reason));
      }
    case 'input':
      if (state.phase !== 'ready-for-input')
        throw new SottoError('conflict', `the input came in phase ${state.phase}, not ready-for-input`);
      return maskInput(setup, state, input.vectors);
    case 'masked':
      if (state.phase !== 'masking') throw new SottoError('conflict', `masked came in phase ${state.phase}, not masking`);
      return sendMasked(setup, state);
    case 'record-refused':
      return giveUp(state, { code: 'already-done', message: 'this identity has done this step before; nothing was sent' });
    case 'cancel':
      return giveUp(state, { code: 'cancelled', message: input.reason });
  }
}

type Running = Exclude<ClientState, { readonly phase: 'done' | 'aborted' }>;

function takeMessage(setup: ClientSetup, state: Running, message: Uint8Array, nowMs: number): ClientStep {
  const name = messageName(message);
  if (name === undefined) throw new RoundAbort('malformed', 'the coordinator sent no message of this version');
  const digest = seenDigest(state.seen, name);
  if (digest !== undefined) return repeated(setup, state, name, digest, message);
  if (name === 'roster' && state.phase === 'awaiting-roster') return shareSecrets(setup, state, message, nowMs);
  if (name === 'delivery' && state.phase === 'awaiting-delivery') return openDelivery(setup, state, message);
  if (name === 'survivors' && state.phase === 'awaiting-survivors') return confirmSurvivors(setup, state, message);
  if (name === 'confirmations' && state.phase === 'awaiting-confirmations') return answerCertificate(setup, state, message);
  if (name === 'receipt' && state.phase === 'awaiting-receipt') return acceptReceipt(setup, state, message);
  throw new RoundAbort('unexpected-message', `${name} came in phase ${state.phase}`);
}

function seenDigest(seen: Seen, name: MessageName): Uint8Array | undefined {
  if (name === 'roster' || name === 'delivery' || name === 'survivors' || name === 'confirmations') return seen[name];
  return undefined;
}

/** The message that a state's last answer answered. */
function answered(setup: ClientSetup, state: Running): MessageName | undefined {
  switch (state.phase) {
    case 'awaiting-delivery':
      return 'roster';
    case 'awaiting-survivors':
      return 'delivery';
    case 'awaiting-confirmations':
      return 'survivors';
    case 'awaiting-receipt':
      return setup.context.mode === 'semi-honest' ? 'survivors' : 'confirmations';
    default:
      return undefined;
  }
}

/** A second message of one kind: with the same bytes a resend, with others an equivocation. */
function repeated(setup: ClientSetup, state: Running, name: MessageName, digest: Uint8Array, message: Uint8Array): ClientStep {
  if (!equalBytes(setup.crypto.sha256(message), digest)) {
    throw new RoundAbort('equivocation', `the coordinator sent a second, different ${name}`);
  }
  const resend = answered(setup, state) === name && state.sent !== undefined;
  return { ...still(state), outgoing: resend ? [state.sent] : [] };
}

function still(state: ClientState): ClientStep {
  return { state, outgoing: [], effects: [], consumed: [] };
}

function giveUp(state: Running, abort: Abort): ClientStep {
  return {
    state: { phase: 'aborted', id: state.id, seen: state.seen, sent: undefined, abort },
    outgoing: [],
    effects: [],
    consumed: secretsOf(state),
  };
}

/** Everything secret in a state. */
function secretsOf(state: Running): Uint8Array[] {
  const secrets: (Uint8Array | undefined)[] = [];
  if ('secrets' in state)
    secrets.push(state.secrets.r, state.secrets.b, state.secrets.channelSecret, state.secrets.channelKemSeed);
  if ('channels' in state) secrets.push(...state.channels, state.ownShare);
  if ('pairs' in state) secrets.push(state.b, ...state.pairs.map((pair) => pair.key));
  if ('job' in state) secrets.push(...state.job.streams.flatMap((stream) => stream.keys));
  if ('job' in state) secrets.push(...state.job.targets.map((t) => new Uint8Array(t.buffer, t.byteOffset, t.byteLength)));
  if ('held' in state) secrets.push(...state.held.flatMap((held) => [held.r, held.b]));
  // The answer holds shares in the clear; where its record was refused it never left.
  if (state.phase === 'awaiting-receipt') secrets.push(state.sent);
  return secrets.filter((secret) => secret !== undefined);
}
