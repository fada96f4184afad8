/**
 * Attacks that are carried through to their end: no name of a refusal is looked at. With the check in place nothing comes out; without it
 * the attacker holds an input, or a sum over fewer honest inputs than were promised.
 */
import assert from 'node:assert/strict';
import { compareIds } from '../../../packages/core/src/bytes.ts';
import type { ClientSetup } from '../../../packages/secagg/src/client/state.ts';
import { sessionId } from '../../../packages/secagg/src/context.ts';
import { gf256 } from '../../../packages/secagg/src/field.ts';
import { channelKey, commitment, maskSecret, pairKey, selfKey } from '../../../packages/secagg/src/keys.ts';
import { maskStream, runMaskJob } from '../../../packages/secagg/src/masks.ts';
import { decodeAdvert, encodeRoster, rosterRoot, signAdvert } from '../../../packages/secagg/src/messages/advertise.ts';
import type { Advert } from '../../../packages/secagg/src/messages/advertise.ts';
import { decodeMaskedInput } from '../../../packages/secagg/src/messages/input.ts';
import { boxAad, decodeShares, encodeDelivery } from '../../../packages/secagg/src/messages/share.ts';
import { messageName } from '../../../packages/secagg/src/messages/wire.ts';
import { unpack } from '../../../packages/secagg/src/packing.ts';
import { defaultSitePolicy } from '../../../packages/secagg/src/policy.ts';
import { combineShares, lagrangeAtZero } from '../../../packages/secagg/src/shamir.ts';
import { Adversary } from '../adversary.ts';
import { contextOf, crypto, identityOf, inputFor, NOW, TestClient, TestServer } from '../network.ts';
import type { Identity } from '../network.ts';
import { assertHidden } from './attack.ts';
import type { Attack } from './attack.ts';

const HONEST = ['anna', 'bert', 'carl'];
const ALL = [...HONEST, 'dora'];
const WIRE = { nMax: 10, suite: 'x25519' as const };
const NONCE = new Uint8Array(12);

/** Something that the attacker can say it is: an id with a certificate, and the key that it signs with. */
type Guise = Pick<Identity, 'certificate' | 'signingSeed'> & { readonly id: string };

/**
 * All other members of the roster are the attacker's. Their shares open r and b of anna at once; what is left is to have it send its
 * masked input. Returns what it then reads.
 */
function surround(guises: readonly Guise[], setup: Partial<ClientSetup> = {}): void {
  const context = contextOf();
  const anna = new TestClient(identityOf('anna'), context, setup);
  if (anna.state.phase !== 'awaiting-roster') throw new Error(anna.state.phase);
  const { ctx } = anna.state;
  const secretsOf = (id: string) => {
    const [r, b, channel] = ['r', 'b', 'channel'].map((name) => crypto.sha256(new TextEncoder().encode(`${name} of ${id}`)));
    return { r: r!, b: b!, channel: channel! };
  };
  const own = decodeAdvert(ctx, WIRE, anna.outbox[0]!);
  const fakes = guises.map(({ id, certificate, signingSeed }): Advert => {
    const { r, b, channel } = secretsOf(id);
    return signAdvert(crypto, signingSeed, ctx, {
      id,
      certificate,
      channelKey: crypto.x25519PublicKey(channel),
      maskKey: crypto.x25519PublicKey(maskSecret(crypto, r)),
      kemKeys: [],
      commitment: commitment(crypto, ctx, id, b),
    });
  });
  const roster = [own, ...fakes].sort((a, z) => compareIds(a.id, z.id));
  const sid = sessionId(crypto, ctx, roster.length, rosterRoot(crypto, roster));
  const [shares] = anna.receive(encodeRoster(ctx, roster));
  if (shares === undefined || messageName(shares) !== 'shares') return;
  const points: number[] = [];
  const opened: Uint8Array[] = [];
  for (const { peer, sealed } of decodeShares(sid, WIRE, shares).boxes) {
    const x = roster.findIndex((advert) => advert.id === peer) + 1;
    const key = channelKey(crypto, sid, crypto.x25519(secretsOf(peer).channel, own.channelKey)!, undefined, 'anna', peer);
    points.push(x);
    opened.push(crypto.aes256GcmOpen(key, NONCE, boxAad(sid, 'anna', peer, x, []), sealed)!);
  }
  const secret = combineShares(gf256, opened, lagrangeAtZero(gf256, points));
  const place = roster.indexOf(own) + 1;
  const boxes = fakes
    .map(({ id }) => {
      const key = channelKey(crypto, sid, crypto.x25519(secretsOf(id).channel, own.channelKey)!, undefined, id, 'anna');
      const sealed = crypto.aes256GcmSeal(key, NONCE, boxAad(sid, id, 'anna', place, []), new Uint8Array(64));
      return { peer: id, kemCiphertexts: [], sealed };
    })
    .sort((a, z) => compareIds(a.peer, z.peer));
  anna.receive(encodeDelivery(sid, { u1: roster.map((advert) => advert.id), boxes }));
  anna.input = inputFor(context, 'anna');
  const [y] = anna.step({ type: 'input', vectors: anna.input });
  const { vectors } = decodeMaskedInput(sid, WIRE, context.vectors, y!);
  const targets = context.vectors.map((spec, v) => unpack(vectors[v]!, spec.bits, spec.length));
  const streams = [maskStream(crypto, selfKey(crypto, sid, secret.slice(32), 'anna'), context.vectors, -1)];
  for (const { id, maskKey } of fakes) {
    const [low, high] = compareIds('anna', id) < 0 ? ['anna', id] : [id, 'anna'];
    const agreed = crypto.x25519(maskSecret(crypto, secret.slice(0, 32)), maskKey)!;
    streams.push(maskStream(crypto, pairKey(crypto, sid, agreed, low, high), context.vectors, low === 'anna' ? -1 : 1));
  }
  runMaskJob(crypto, { vectors: context.vectors, targets, streams });
  assert.notDeepEqual(targets, anna.input, 'the input of anna is read');
}

const peers = { policy: { ...defaultSitePolicy, peers: ALL } };
const dora: Guise = identityOf('dora');
const as = (id: string, guise: Identity): Guise => ({ ...guise, id });

/** One attempt with an honest coordinator; durable records outlive it. */
function attempt(
  ids: readonly string[],
  number: number,
  records: ReadonlyMap<string, Set<string>>,
): readonly Uint32Array[] | undefined {
  const context = contextOf({ attempt: number });
  const server = new TestServer(context);
  const clients = new Map(
    ids.map((id) => [id, new TestClient(identityOf(id), context, { seed: `attempt ${number}`, records: records.get(id)! })]),
  );
  for (const [id, client] of clients) server.receive(id, client.outbox[0]!);
  for (let stage = 0; stage < 5 && server.state.stage !== 'aborted'; stage++) {
    for (const [id, message] of server.close()) {
      const client = clients.get(id)!;
      let answers = client.receive(message);
      if (client.state.phase === 'ready-for-input') answers = client.step({ type: 'input', vectors: inputFor(context, id) });
      for (const answer of answers) server.receive(id, answer);
    }
  }
  return server.result?.sums;
}

export const consequenceAttacks: readonly Attack[] = [
  {
    name: 'surrounded by adverts that nobody signed: the input comes out',
    run: () => surround([...['bert', 'carl'].map((id) => ({ ...identityOf(id), signingSeed: dora.signingSeed })), dora]),
  },
  {
    name: 'surrounded by keys whose certificates have expired: the input comes out',
    run: () => surround([...['bert', 'carl'].map((id) => identityOf(id, { notAfterMs: NOW - 1 })), dora]),
  },
  {
    name: 'surrounded by keys that were revoked: the input comes out',
    run: () =>
      surround(
        ALL.slice(1).map((id) => identityOf(id)),
        {
          revokedSerials: ['bert', 'carl'].map((id) => crypto.sha256(new TextEncoder().encode(`serial ${id}`)).slice(0, 16)),
        },
      ),
  },
  {
    name: 'surrounded by coordinators in the guise of clients: the input comes out',
    run: () => surround([...['bert', 'carl'].map((id) => identityOf(id, { role: 'coordinator' })), dora]),
  },
  {
    name: 'surrounded by others under the names of peers: the input comes out',
    run: () => surround([as('bert', identityOf('eve')), as('carl', identityOf('mallory')), dora], peers),
  },
  {
    name: 'surrounded by enrolled clients that are no peers: the input comes out',
    run: () => surround([dora, identityOf('eve'), identityOf('mallory')], peers),
  },
  {
    name: 'a U2 below F: a sum over fewer than F − c honest inputs comes out',
    run() {
      // hMin = 3: F = 4 although T = 3 sign.
      const adversary = new Adversary(HONEST, ['dora'], { context: { cohort: { hMin: 3 } } }).advertise().deliverAll();
      const u2 = ['anna', 'bert', 'dora'];
      for (const id of ['anna', 'bert']) adversary.freeze(id, u2);
      if (adversary.confirmations.length === 2) {
        for (const id of ['anna', 'bert']) adversary.certify(id, adversary.certificateOf(ALL, u2, u2));
      }
      // carl is lost and must have its r opened, for which two honest answers and dora's do: its own share of r is not needed.
      assertHidden(adversary);
    },
  },
  {
    name: 'two survivor sets, each certified by half of the honest members: the input between them comes out',
    run() {
      const adversary = new Adversary(HONEST, ['dora']).advertise().deliverAll();
      const [one, two] = [
        ['anna', 'bert', 'dora'],
        ['bert', 'carl', 'dora'],
      ];
      adversary.freeze('bert', one!);
      adversary.freeze('carl', two!);
      if (adversary.confirmations.length === 2) {
        adversary.certify('bert', adversary.certificateOf(ALL, one!, ['bert', 'dora']));
        adversary.certify('carl', adversary.certificateOf(ALL, two!, ['carl', 'dora']));
      }
      assertHidden(adversary);
    },
  },
  {
    name: 'processes restored to before U2 and asked again for another: both secrets of a member come out',
    run() {
      const adversary = new Adversary(HONEST, ['dora']).advertise().deliverAll();
      const before = new Map(['bert', 'carl'].map((id) => [id, adversary.client(id).state]));
      const kept = new Map(
        [...before].map(([id, state]) => {
          if (state.phase !== 'awaiting-survivors') throw new Error(state.phase);
          // A restored image of the memory has the shares that were wiped since.
          return [id, { ...state, held: state.held.map(({ dealer, r, b }) => ({ dealer, r: r.slice(), b: b.slice() })) }];
        }),
      );
      const ask = (ids: readonly string[], u2: readonly string[]): void => {
        adversary.confirmations.length = 0;
        for (const id of ids) adversary.freeze(id, u2);
        const confirmations = adversary.certificateOf(ALL, u2, [...ids.slice(0, 2), 'dora']);
        for (const id of ids) adversary.certify(id, confirmations);
      };
      ask(HONEST, ALL);
      for (const [id, state] of kept) adversary.client(id).state = state;
      ask(['bert', 'carl'], ['bert', 'carl', 'dora']);
      assertHidden(adversary);
    },
  },
  {
    name: 'the round again without one member: the difference of the sums is its input',
    run() {
      const records = new Map(ALL.map((id) => [id, new Set<string>()]));
      const whole = attempt(ALL, 0, records)!;
      const without = attempt(ALL.slice(1), 1, records);
      if (without === undefined) return;
      const context = contextOf();
      const difference = whole.map((sum, v) =>
        sum.map((value, e) => (value - without[v]![e]!) & (2 ** context.vectors[v]!.bits - 1)),
      );
      assert.notDeepEqual(difference, inputFor(context, 'anna'), 'the input of anna is read');
    },
  },
];
