/**
 * Round 0 at the coordinator: advertisements are checked as they come, the roster is frozen from them.
 *
 * @module
 */
import { compareIds } from '@sotto/core/bytes';
import { RoundAbort } from '../abort.ts';
import { sessionId } from '../context.ts';
import { sharingGraph } from '../graph.ts';
import { decodeAdvert, encodeRoster, rosterRoot } from '../messages/advertise.ts';
import { roundParameters } from '../parameters.ts';
import { checkAdvert } from '../roster.ts';
import type { Closed } from './machine.ts';
import type { ServerEffect, ServerSetup, ServerState } from './state.ts';

export function takeAdvert(
  setup: ServerSetup,
  state: ServerState,
  from: string,
  message: Uint8Array,
  nowMs: number,
): readonly ServerEffect[] {
  const { suite, cohort } = setup.context;
  const advert = decodeAdvert(state.ctx, { nMax: cohort.nMax, suite }, message);
  if (advert.id !== from) throw new RoundAbort('unexpected-message', `${from} sent an advertisement of ${advert.id}`, [from]);
  if (state.adverts.size >= cohort.nMax) throw new RoundAbort('roster-size', `the round is full: ${cohort.nMax} members`);
  const signingKey = checkAdvert(setup, state.ctx, suite, advert, nowMs);
  state.keys.add(advert, signingKey);
  state.adverts.set(from, { advert, signingKey });
  return [];
}

export function closeAdvertise(setup: ServerSetup, state: ServerState): Closed {
  const { crypto, context } = setup;
  const entries = [...state.adverts.values()].sort((a, b) => compareIds(a.advert.id, b.advert.id));
  const roster = entries.map((entry) => entry.advert);
  const parameters = roundParameters(roster.length, context.cohort);
  const sid = sessionId(crypto, state.ctx, roster.length, rosterRoot(crypto, roster));
  const ids = roster.map((advert) => advert.id);
  const graph = sharingGraph(crypto, context, parameters, sid, ids);
  state.session = {
    sid,
    roster,
    signingKeys: entries.map((entry) => entry.signingKey),
    places: new Map(roster.map((advert, place) => [advert.id, place])),
    parameters,
    holders: roster.map((_, place) => graph.holdersOf(place)),
    threshold: graph.threshold,
  };
  state.outcomes.set('advertise', encodeRoster(state.ctx, roster));
  state.stage = 'share';
  return { recipients: ids, outcome: 'advertise', effects: [] };
}
