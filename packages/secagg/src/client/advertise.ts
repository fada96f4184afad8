/**
 * Round 0 at the client: fresh secrets, a signed advertisement; then the roster, checked in full.
 *
 * @module
 */
import { compareBytes, wipe } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { decodeCertificate } from '@sotto/core/identity';
import { randomBytes } from '@sotto/core/random';
import { RoundAbort } from '../abort.ts';
import { checkContext, contextHash, sessionId } from '../context.ts';
import { sharingGraph } from '../graph.ts';
import { commitment, maskKemSeed, maskSecret } from '../keys.ts';
import { advertLeaf, decodeRoster, encodeAdvert, rosterRoot, signAdvert } from '../messages/advertise.ts';
import type { Advert } from '../messages/advertise.ts';
import { honestOthers } from '../noise/overhead.ts';
import { roundParameters } from '../parameters.ts';
import { checkPolicyForContext, checkPolicyForRoster } from '../policy.ts';
import { checkAdvert, DistinctKeys } from '../roster.ts';
import type { AdvertSecrets, ClientSession, ClientSetup, ClientStateOf, ClientStep } from './state.ts';

/**
 * Starts a round: checks the site policy against the context and advertises fresh keys.
 *
 * Throws `permission-denied` where the site policy refuses the context, `invalid-argument` or `unsupported` where the
 * context is none.
 */
export function startClient(setup: ClientSetup): ClientStep {
  const { crypto, random, context } = setup;
  checkContext(context);
  checkPolicyForContext(setup.policy, context);
  check.bytes('signingSeed', setup.signingSeed, 32);
  const id = decodeCertificate(setup.certificate).certificate.id;
  const ctx = contextHash(crypto, context);
  const hybrid = context.suite === 'x25519-mlkem768';
  const secrets: AdvertSecrets = {
    r: randomBytes(random, 32),
    b: randomBytes(random, 32),
    channelSecret: randomBytes(random, 32),
    channelKemSeed: hybrid ? randomBytes(random, 64) : undefined,
  };
  const mask = maskSecret(crypto, secrets.r);
  const advert = signAdvert(crypto, setup.signingSeed, ctx, {
    id,
    certificate: setup.certificate,
    channelKey: crypto.x25519PublicKey(secrets.channelSecret),
    maskKey: crypto.x25519PublicKey(mask),
    kemKeys: secrets.channelKemSeed === undefined ? [] : kemKeysOf(setup, secrets.channelKemSeed, secrets.r),
    commitment: commitment(crypto, ctx, id, secrets.b),
  });
  wipe(mask);
  const message = encodeAdvert(ctx, advert);
  return {
    state: { phase: 'awaiting-roster', id, seen: {}, sent: message, ctx, advert, secrets },
    outgoing: [message],
    effects: [],
    consumed: [],
  };
}

function kemKeysOf({ crypto }: ClientSetup, channelKemSeed: Uint8Array, r: Uint8Array): readonly Uint8Array[] {
  const maskSeed = maskKemSeed(crypto, r);
  const keys = [crypto.mlKem768PublicKey(channelKemSeed), crypto.mlKem768PublicKey(maskSeed)];
  wipe(maskSeed);
  return keys;
}

/** Checks a roster; everything the later rounds need follows from it alone. */
export function acceptRoster(
  setup: ClientSetup,
  state: ClientStateOf<'awaiting-roster'>,
  message: Uint8Array,
  nowMs: number,
): ClientSession {
  const { crypto, context } = setup;
  const roster = decodeRoster(state.ctx, { nMax: context.cohort.nMax, suite: context.suite }, message);
  const parameters = roundParameters(roster.length, context.cohort);
  const self = ownPlace(state, roster);
  checkPolicyForRoster(
    setup.policy,
    parameters,
    roster.map((advert) => advert.id),
  );
  if (context.noise.honestMinimum > honestOthers(parameters)) {
    throw new RoundAbort(
      'policy',
      `the noise relies on ${context.noise.honestMinimum} honest members; this roster promises ${honestOthers(parameters)}`,
    );
  }
  const ids = roster.map((advert) => advert.id);
  const sid = sessionId(crypto, state.ctx, roster.length, rosterRoot(crypto, roster));
  const graph = sharingGraph(crypto, context, parameters, sid, ids);
  const holders = graph.holdersOf(self);
  // In a sparse, semi-honest graph a client deals with its neighbours only; the complete graph makes that everybody.
  const known = holders.length === roster.length ? undefined : new Set(holders);
  const keys = new DistinctKeys();
  const signingKeys = roster.map((advert, place) => {
    if (known?.has(place) === false) return UNCHECKED;
    const signingKey = checkAdvert(setup, state.ctx, context.suite, advert, nowMs);
    keys.add(advert, signingKey);
    return signingKey;
  });
  const points = holders.map((holder) => graph.holdersOf(holder).indexOf(self) + 1);
  return { ctx: state.ctx, sid, roster, signingKeys, self, parameters, holders, points, threshold: graph.threshold };
}

/** The signing key of a member that is no neighbour in a sparse graph: its signatures are not looked at. */
export const UNCHECKED: Uint8Array = new Uint8Array(0);

/** The own entry must be there, byte for byte. The roster is sorted without repetition, so it is there once. */
function ownPlace(state: ClientStateOf<'awaiting-roster'>, roster: readonly Advert[]): number {
  const place = roster.findIndex((advert) => advert.id === state.id);
  const entry = roster[place];
  if (entry === undefined) throw new RoundAbort('own-entry', 'the roster leaves this client out');
  if (compareBytes(advertLeaf(entry), advertLeaf(state.advert)) !== 0) {
    throw new RoundAbort('own-entry', 'the roster changes the entry of this client');
  }
  return place;
}
