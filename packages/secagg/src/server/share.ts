/**
 * Round 1 at the coordinator: sealed shares are taken and passed on; U1 is frozen.
 *
 * @module
 */
import { concat } from '@sotto/core/bytes';
import { RoundAbort } from '../abort.ts';
import { decodeShares, encodeBoxes, encodeDeliveryHead, u1Root, verifyShares } from '../messages/share.ts';
import type { ShareBox } from '../messages/share.ts';
import { SEALED_BYTES } from '../messages/wire.ts';
import type { Closed } from './machine.ts';
import type { ServerEffect, ServerSession, ServerSetup, ServerState } from './state.ts';

export function takeShares(setup: ServerSetup, state: ServerState, from: string, message: Uint8Array): readonly ServerEffect[] {
  const { crypto, context } = setup;
  const session = state.session!;
  const shares = decodeShares(session.sid, { nMax: context.cohort.nMax, suite: context.suite }, message);
  const place = memberPlace(session, from, shares.id);
  const holders = session.holders[place]!.filter((holder) => holder !== place).map((holder) => session.roster[holder]!.id);
  if (shares.boxes.length !== holders.length || shares.boxes.some((box, i) => box.peer !== holders[i])) {
    throw new RoundAbort('malformed', `${from} has not sent exactly one box for each of its holders`, [from]);
  }
  const hybrid = context.suite === 'x25519-mlkem768';
  for (const box of shares.boxes) {
    const lower = hybrid && session.places.get(box.peer)! > place; // the lower id of a pair also sends the mask's ciphertext
    if (box.kemCiphertexts.length !== (hybrid ? (lower ? 2 : 1) : 0) || box.sealed.length !== SEALED_BYTES[lower ? 1 : 0]) {
      throw new RoundAbort('malformed', `the box of ${from} for ${box.peer} does not have the form of this suite`, [from]);
    }
  }
  if (!verifyShares(crypto, session.signingKeys[place]!, session.sid, shares)) {
    throw new RoundAbort('bad-signature', `the shares of ${from} are not signed by its key`, [from]);
  }
  state.shares.set(from, message);
  return [];
}

/** The place of the sender; its message must name itself. */
export function memberPlace(session: ServerSession, from: string, claimed: string): number {
  const place = session.places.get(from);
  if (place === undefined) throw new RoundAbort('unexpected-message', `${from} is not in the roster`, [from]);
  if (claimed !== from) throw new RoundAbort('unexpected-message', `${from} sent a message of ${claimed}`, [from]);
  return place;
}

export function closeShare(setup: ServerSetup, state: ServerState): Closed {
  const session = state.session!;
  const u1 = session.roster.map((advert) => advert.id).filter((id) => state.shares.has(id));
  if (u1.length < session.parameters.F) {
    throw new RoundAbort('survivors-too-few', `${u1.length} members shared their keys; the round needs ${session.parameters.F}`);
  }
  state.u1 = u1;
  state.rootU1 = u1Root(setup.crypto, u1);
  const inbox = new Map<string, ShareBox[]>(u1.map((id) => [id, []]));
  for (const from of u1) {
    const limits = { nMax: setup.context.cohort.nMax, suite: setup.context.suite };
    for (const { peer, kemCiphertexts, sealed } of decodeShares(session.sid, limits, state.shares.get(from)!).boxes) {
      inbox.get(peer)?.push({ peer: from, kemCiphertexts, sealed });
    }
  }
  // U1 is in every delivery: put together once for all members they would be n² ids.
  const head = encodeDeliveryHead(session.sid, u1);
  const own = new Map([...inbox].map(([id, boxes]) => [id, encodeBoxes(boxes)]));
  const none = encodeBoxes([]);
  state.outcomes.set('share', {
    get: (id) => {
      // A member whose shares came too late learns of U1, which leaves it out, and leaves.
      const boxes = own.get(id) ?? (session.places.has(id) ? none : undefined);
      return boxes === undefined ? undefined : concat(head, boxes);
    },
  });
  state.sums = setup.context.vectors.map((vector) => new Uint32Array(vector.length));
  state.stage = 'masked';
  return { recipients: u1, outcome: 'share', effects: [] };
}
