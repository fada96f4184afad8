/**
 * Round 3 at the coordinator: confirmations of (U1, U2) are collected until there are T.
 *
 * @module
 */
import { RoundAbort } from '../abort.ts';
import { decodeConfirm, encodeConfirmations, verifyConfirmation } from '../messages/confirm.ts';
import type { Certified } from '../messages/confirm.ts';
import type { Closed } from './machine.ts';
import { memberPlace } from './share.ts';
import type { ServerEffect, ServerSetup, ServerState } from './state.ts';

/** The statement that the survivors confirm. */
export function certified(state: ServerState): Certified {
  return { sid: state.session!.sid, rootU1: state.rootU1, rootU2: state.rootU2, survivors: state.u2.length };
}

export function takeConfirm(setup: ServerSetup, state: ServerState, from: string, message: Uint8Array): readonly ServerEffect[] {
  const session = state.session!;
  const confirmation = decodeConfirm(session.sid, message);
  const place = memberPlace(session, from, confirmation.id);
  if (!state.inputs.has(from)) throw new RoundAbort('unexpected-message', `${from} confirms, but is not in U2`, [from]);
  if (!verifyConfirmation(setup.crypto, session.signingKeys[place]!, certified(state), confirmation.signature)) {
    throw new RoundAbort('bad-signature', `${from} confirms other survivors, or not with its key`, [from]);
  }
  state.confirmations.set(from, confirmation);
  return [];
}

export function closeConfirm(_setup: ServerSetup, state: ServerState): Closed {
  const session = state.session!;
  const { T } = session.parameters;
  const confirmations = state.u2.flatMap((entry) => state.confirmations.get(entry.id) ?? []);
  if (confirmations.length < T) {
    throw new RoundAbort('confirmations-too-few', `${confirmations.length} members confirmed; the round needs ${T}`);
  }
  state.certificate = confirmations.slice(0, T);
  state.outcomes.set('confirm', encodeConfirmations(session.sid, state.certificate));
  state.stage = 'unmask';
  return { recipients: state.u2.map((entry) => entry.id), outcome: 'confirm', effects: [] };
}
