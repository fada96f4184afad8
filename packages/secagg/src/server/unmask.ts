/**
 * Round 4 at the coordinator: shares are collected, every secret is recovered and checked, the masks come off, the
 * receipt goes out. There is an exact sum or a named abort, never a wrong sum.
 *
 * @module
 */
import { wipe } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { RoundAbort } from '../abort.ts';
import { selfKey } from '../keys.ts';
import { maskStream, runMaskJob } from '../masks.ts';
import type { MaskStream } from '../masks.ts';
import { decodeUnmask, encodeReceipt, signReceipt, sumHash, verifyUnmask } from '../messages/unmask.ts';
import { EVENT_BYTES } from '../messages/wire.ts';
import { pack } from '../packing.ts';
import type { Closed } from './machine.ts';
import { pairKeysOf, Recovery } from './recovery.ts';
import { memberPlace } from './share.ts';
import type { ServerEffect, ServerSetup, ServerState } from './state.ts';

export function takeUnmask(setup: ServerSetup, state: ServerState, from: string, message: Uint8Array): readonly ServerEffect[] {
  const { crypto, context } = setup;
  const session = state.session!;
  const answer = decodeUnmask(session.sid, { nMax: context.cohort.nMax, suite: context.suite }, message);
  const place = memberPlace(session, from, answer.id);
  if (!state.inputs.has(from)) throw new RoundAbort('unexpected-message', `${from} opens shares, but is not in U2`, [from]);
  for (const { dealer, kind } of answer.shares) {
    const dealerPlace = session.places.get(dealer);
    const due = state.inputs.has(dealer) ? 'b' : 'r';
    const holds = dealerPlace !== undefined && state.shares.has(dealer) && session.holders[dealerPlace]!.includes(place);
    if (!holds || kind !== due) {
      throw new RoundAbort('malformed', `${from} opens a share of ${dealer} that was not asked for`, [from]);
    }
  }
  if (!verifyUnmask(crypto, session.signingKeys[place]!, session.sid, answer)) {
    throw new RoundAbort('bad-signature', `the answer of ${from} is not signed by its key`, [from]);
  }
  state.answers.set(from, { shares: answer.shares, message });
  return [];
}

export function closeUnmask(setup: ServerSetup, state: ServerState, event: Uint8Array): Closed {
  const { crypto, context } = setup;
  if (event.length > EVENT_BYTES) {
    throw new SottoError('invalid-argument', `the privacy event has ${event.length} bytes; the limit is ${EVENT_BYTES}`);
  }
  const secrets: Uint8Array[] = [];
  const streams: MaskStream[] = [];
  try {
    recoverStreams(setup, state, streams, secrets);
  } catch (reason) {
    // What was recovered before the round failed.
    wipe(...secrets, ...streams.flatMap((stream) => stream.keys));
    throw reason;
  }
  const consumed = [...secrets, ...[...state.answers.values()].flatMap((answer) => answer.shares.map((opened) => opened.share))];
  state.event = event;
  state.job = { vectors: context.vectors, targets: state.sums, streams };
  state.stage = 'removing-masks';
  if (setup.masking === 'deferred') {
    return {
      recipients: [],
      outcome: undefined,
      effects: [...state.incidents.splice(0), { type: 'unmask', job: state.job }],
      consumed,
    };
  }
  runMaskJob(crypto, state.job);
  const closed = masksRemoved(setup, state);
  return {
    ...closed,
    effects: [...state.incidents.splice(0), ...closed.effects],
    consumed: [...consumed, ...(closed.consumed ?? [])],
  };
}

/** Adds the masks to take off to `streams`, and all that is secret on the way to `secrets`: the caller has both even where this throws. */
function recoverStreams(setup: ServerSetup, state: ServerState, streams: MaskStream[], secrets: Uint8Array[]): void {
  const { crypto, context } = setup;
  const session = state.session!;
  const recovery = new Recovery(setup, state);
  for (const id of state.u1) {
    const dealer = session.places.get(id)!;
    if (state.inputs.has(id)) {
      const b = recovery.recover({ dealer, kind: 'b' });
      const key = selfKey(crypto, session.sid, b, id);
      secrets.push(b, key);
      streams.push(maskStream(crypto, key, context.vectors, -1));
    } else {
      const r = recovery.recover({ dealer, kind: 'r' });
      secrets.push(r);
      for (const { peer, key } of pairKeysOf(setup, state, dealer, r, secrets)) {
        // The survivor added where it is the lower of the two; taking its mask off is the opposite.
        streams.push(maskStream(crypto, key, context.vectors, peer < dealer ? -1 : 1));
      }
    }
  }
}

export function masksRemoved(setup: ServerSetup, state: ServerState): Closed {
  const { crypto, context } = setup;
  const session = state.session!;
  const packed = state.sums.map((sum, i) => pack(sum, context.vectors[i]!.bits));
  const receipt = signReceipt(crypto, setup.coordinatorSeed, session.sid, {
    rootU2: state.rootU2,
    survivors: state.u2.length,
    sumHash: sumHash(crypto, packed),
    confirmations: state.certificate,
    event: state.event,
  });
  const members = state.u2.map((entry) => entry.id);
  state.result = { members, sums: state.sums, receipt };
  state.outcomes.set('unmask', encodeReceipt(session.sid, receipt));
  state.stage = 'done';
  const consumed = state.job?.streams.flatMap((stream) => stream.keys) ?? [];
  state.job = undefined;
  return { recipients: members, outcome: 'unmask', effects: [{ type: 'result', result: state.result }], consumed };
}
