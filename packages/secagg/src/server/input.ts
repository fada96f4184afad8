/**
 * Round 2 at the coordinator: each masked input is checked, added to the one running sum and forgotten; U2 is frozen.
 *
 * @module
 */
import { RoundAbort } from '../abort.ts';
import { decodeComplaint, verifyComplaint } from '../messages/complaint.ts';
import { decodeMaskedInput, encodeSurvivors, inputHash, u2Root, verifyInput } from '../messages/input.ts';
import { addPacked } from '../packing.ts';
import type { Closed } from './machine.ts';
import { memberPlace } from './share.ts';
import type { ServerEffect, ServerSetup, ServerState } from './state.ts';

export function takeInput(setup: ServerSetup, state: ServerState, from: string, message: Uint8Array): readonly ServerEffect[] {
  const { crypto, context } = setup;
  const session = state.session!;
  const limits = { nMax: context.cohort.nMax, suite: context.suite };
  // U1 is who shared: no shares are taken once it is frozen.
  if (!state.shares.has(from)) throw new RoundAbort('unexpected-message', `${from} is not in U1`, [from]);
  if (state.left.has(from)) throw new RoundAbort('unexpected-message', `${from} has left this round`);
  const input = decodeMaskedInput(session.sid, limits, context.vectors, message);
  const place = memberPlace(session, from, input.id);
  if (input.missing.some((id) => id === from || !state.shares.has(id))) {
    throw new RoundAbort('malformed', `${from} misses a share of somebody outside U1`, [from]);
  }
  const entry = { id: from, inputHash: inputHash(crypto, input.vectors), signature: input.signature };
  if (!verifyInput(crypto, session.signingKeys[place]!, session.sid, state.rootU1, entry)) {
    throw new RoundAbort('bad-signature', `the input of ${from} is not signed over this U1 by its key`, [from]);
  }
  for (const [i, packed] of input.vectors.entries()) addPacked(state.sums[i]!, packed, context.vectors[i]!.bits, 1);
  state.inputs.set(from, entry);
  return input.missing.map((dealer): ServerEffect => {
    const text = `the share of ${dealer} for ${from} did not open`;
    return { type: 'incident', incident: { kind: 'missing-share', parties: [dealer, from], message: text, evidence: [] } };
  });
}

/**
 * Hybrid suite: a member that found another mask key leaves, and so must the one it complains about. With r of both open, the coins of the lower
 * id tell what it should have sent. Had its input gone into the sum already, nothing could tell which key it masked with: the round ends.
 */
export function takeComplaint(
  setup: ServerSetup,
  state: ServerState,
  from: string,
  message: Uint8Array,
): readonly ServerEffect[] {
  const session = state.session!;
  if (setup.context.suite === 'x25519')
    throw new RoundAbort('unexpected-message', `${from} complains where no key is confirmed`, [from]);
  const complaint = decodeComplaint(session.sid, message);
  const place = memberPlace(session, from, complaint.id);
  if (state.inputs.has(from)) throw new RoundAbort('unexpected-message', `${from} complains after its input`, [from]);
  if (!state.shares.has(complaint.about)) throw new RoundAbort('malformed', `${from} complains about nobody in U1`, [from]);
  if (!verifyComplaint(setup.crypto, session.signingKeys[place]!, session.sid, complaint)) {
    throw new RoundAbort('bad-signature', `the complaint of ${from} is not signed by its key`, [from]);
  }
  if (session.places.get(complaint.about)! >= place) {
    throw new RoundAbort('malformed', `${from} complains about ${complaint.about}, who confirms no key to it`, [from]);
  }
  state.left.add(from);
  state.left.add(complaint.about);
  const text = `${from} derived another mask key than ${complaint.about} confirmed`;
  return [
    {
      type: 'incident',
      incident: { kind: 'complaint', parties: [complaint.about, from], message: text, evidence: [message] },
    },
  ];
}

export function closeMasked(setup: ServerSetup, state: ServerState): Closed {
  const session = state.session!;
  // Only of somebody complained about can there be an input: who complains sends none.
  const spoilt = [...state.left].filter((id) => state.inputs.has(id));
  if (spoilt.length > 0) {
    throw new RoundAbort(
      'mask-key-mismatch',
      `a peer of ${spoilt.join(', ')} derived another mask key after the input was in, so the masks would not cancel`,
      [...state.left], // whoever complained as well: either of the two may have lied
    );
  }
  const u2 = state.u1.flatMap((id) => state.inputs.get(id) ?? []);
  if (u2.length < session.parameters.F) {
    throw new RoundAbort('survivors-too-few', `${u2.length} members sent an input; the round needs ${session.parameters.F}`);
  }
  state.u2 = u2;
  state.rootU2 = u2Root(setup.crypto, u2);
  state.outcomes.set('masked', encodeSurvivors(session.sid, u2));
  state.stage = setup.context.mode === 'semi-honest' ? 'unmask' : 'confirm';
  return { recipients: u2.map((entry) => entry.id), outcome: 'masked', effects: [] };
}
