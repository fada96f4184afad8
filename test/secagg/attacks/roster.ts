/** Attacks in round 0: what the coordinator can do with the roster, and what differs for one client. */
import assert from 'node:assert/strict';
import { Adversary } from '../adversary.ts';
import { ByteWriter } from '../../../packages/core/src/encoding.ts';
import { issueCertificate } from '../../../packages/core/src/identity.ts';
import { contextHash } from '../../../packages/secagg/src/context.ts';
import { decodeAdvert, encodeAdvert, encodeRoster, signAdvert } from '../../../packages/secagg/src/messages/advertise.ts';
import { inputLimit } from '../../../packages/secagg/src/client/state.ts';
import type { ClientState } from '../../../packages/secagg/src/client/state.ts';
import type { Advert } from '../../../packages/secagg/src/messages/advertise.ts';
import { defaultSitePolicy } from '../../../packages/secagg/src/policy.ts';
import { contextOf, crypto, identityOf, NOW, runRound, TestClient, TestServer, trust } from '../network.ts';
import { assertAborted } from './attack.ts';
import type { Attack } from './attack.ts';

const PEERS = ['anna', 'bert', 'carl', 'dora'];
const small = (): Adversary => new Adversary(['anna', 'bert', 'carl'], ['dora']);

/** Sends anna a roster in which one entry is replaced, signed again where the forger can. */
function swapped(change: (advert: Advert, adversary: Adversary) => Advert, id = 'dora', resign = true): Adversary {
  const adversary = small();
  const { signature: _, ...body } = change(adversary.adverts.get(id)!, adversary);
  const entry = resign ? signAdvert(crypto, identityOf(id).signingSeed, adversary.ctx, body) : { ...body, signature: _ };
  adversary.adverts.set(id, entry);
  adversary.tell('anna', adversary.rosterOf());
  return adversary;
}

const lowOrder = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
const nonCanonical = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0xf6 : i === 31 ? 0x7f : 0xff)); // p + 9

export const rosterAttacks: readonly Attack[] = [
  {
    name: 'another model for one client',
    run() {
      const other = { modelHash: new Uint8Array(32).fill(7) };
      const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora'], { perClient: { anna: { context: other } } });
      adversary.tell('anna', adversary.rosterOf());
      assertAborted(adversary, ['anna'], 'wrong-session');
      adversary.tell('bert', adversary.rosterOf());
      assertAborted(adversary, ['bert'], 'bad-signature'); // anna's advertisement is signed for another ctx
    },
  },
  {
    name: 'weights beside a noised vector may not wrap',
    run() {
      const noise = { mechanism: 'skellam', localVariance: 1, honestMinimum: 2, vector: 'update' } as const;
      const context = contextOf({
        noise,
        vectors: [
          { name: 'update', length: 4, bits: 16 },
          { name: 'weight', length: 1, bits: 10 },
        ],
      });
      const given = (weight: number): readonly Uint32Array[] => [new Uint32Array(4).fill(65_535), new Uint32Array([weight])];
      const limit = inputLimit(context, context.vectors[1]!);
      assert.equal(limit, Math.floor(1023 / context.cohort.nMax));
      const round = (weight: number): unknown =>
        runRound({ ids: PEERS, context, inputs: Object.fromEntries(PEERS.map((id) => [id, given(weight)])) }).server.result
          ?.sums[1]![0];
      assert.equal(round(limit), 4 * limit);
      assert.throws(() => round(limit + 1), /vector weight .* the sum could wrap/);
      assert.throws(() => contextHash(crypto, { ...context, noise: { ...noise, vector: 'other' } }), /noise\.vector/);
    },
  },
  {
    name: 'a certificate whose id is none',
    run() {
      const certificate = new ByteWriter()
        .text('sotto identity certificate/1')
        .text('test.sotto')
        .text('NOT AN ID')
        .u8(2)
        .raw(new Uint8Array(80))
        .u64(0)
        .u64(1)
        .raw(new Uint8Array(64))
        .finish();
      const adversary = swapped((advert) => ({ ...advert, certificate }));
      assertAborted(adversary, ['anna'], 'malformed');
      // The coordinator refuses the advertisement and goes on.
      const server = new TestServer(adversary.context);
      const verdict = server.receive('dora', encodeAdvert(adversary.ctx, adversary.adverts.get('dora')!));
      assert.equal(verdict.type === 'refused' ? verdict.abort.code : verdict.type, 'malformed');
    },
  },
  {
    name: 'a sparse roster of a size for which there is no degree',
    run() {
      const graph = { kind: 'harary', dropoutNumerator: 9, dropoutDenominator: 10 } as const;
      const cohort = { nMax: 600, nMin: 3, gammaNumerator: 1, gammaDenominator: 20 };
      const context = contextOf({ mode: 'semi-honest', graph, cohort });
      const ctx = contextHash(crypto, context);
      const client = new TestClient(identityOf('p000'), context);
      const own = decodeAdvert(ctx, { nMax: 600, suite: 'x25519' }, client.outbox[0]!);
      // The graph comes before any signature, so that copies will do.
      const adverts = Array.from({ length: 513 }, (_, i) => ({ ...own, id: `p${String(i).padStart(3, '0')}` }));
      client.receive(encodeRoster(ctx, adverts));
      const state: ClientState = client.state;
      assert.equal(state.phase === 'aborted' ? state.abort.code : state.phase, 'roster-size');
    },
  },
  {
    name: 'another plan, cohort rule, mode, attempt or vectors for one client',
    run() {
      for (const context of [
        { planHash: new Uint8Array(32) },
        { cohort: { gammaNumerator: 0 } },
        { cohort: { nMin: 4 } },
        { cohort: { hMin: 3 } },
        { cohort: { cMin: 1 } },
        { mode: 'semi-honest' as const },
        { attempt: 1 },
        { round: 2 },
        { deadlineMs: NOW },
        { noise: { mechanism: 'skellam' as const, localVariance: 1, honestMinimum: 2, vector: 'update' } },
        { vectors: [{ name: 'update', length: 14, bits: 21 }, contextOf().vectors[1]!] },
      ]) {
        const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora'], { perClient: { anna: { context } } });
        adversary.tell('anna', adversary.rosterOf());
        assertAborted(adversary, ['anna'], 'wrong-session');
      }
      const noise = { mechanism: 'skellam', localVariance: 1, honestMinimum: 2, vector: 'update' } as const;
      const perClient = { anna: { context: { noise: { ...noise, vector: 'metrics' } } } };
      const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora'], { context: { noise }, perClient });
      adversary.tell('anna', adversary.rosterOf());
      assertAborted(adversary, ['anna'], 'wrong-session');
    },
  },
  {
    name: 'two rosters for one advertisement',
    run() {
      const adversary = small().advertise();
      const first = adversary.shares.get('anna');
      adversary.tell('anna', adversary.rosterOf(['anna', 'bert', 'carl']));
      assertAborted(adversary, ['anna'], 'equivocation');
      assert.equal(adversary.shares.get('anna'), first);
    },
  },
  {
    name: 'the roster leaves the client out',
    run() {
      const adversary = small();
      adversary.tell('anna', adversary.rosterOf(['bert', 'carl', 'dora']));
      assertAborted(adversary, ['anna'], 'own-entry');
    },
  },
  {
    name: 'the own entry is changed',
    run() {
      const adversary = swapped(
        (advert) => ({ ...advert, channelKey: crypto.x25519PublicKey(new Uint8Array(32).fill(5)) }),
        'anna',
      );
      assertAborted(adversary, ['anna'], 'own-entry');
    },
  },
  {
    name: 'an entry of another member is swapped without its key (FLOWER: keys are not signed)',
    run() {
      const mine = crypto.x25519PublicKey(new Uint8Array(32).fill(5));
      assertAborted(
        swapped((advert) => ({ ...advert, maskKey: mine }), 'bert', false),
        ['anna'],
        'bad-signature',
      );
      assertAborted(
        swapped((advert) => ({ ...advert, channelKey: mine }), 'bert', false),
        ['anna'],
        'bad-signature',
      );
      assertAborted(
        swapped((advert) => ({ ...advert, commitment: mine }), 'bert', false),
        ['anna'],
        'bad-signature',
      );
    },
  },
  {
    name: 'a member is there twice',
    run() {
      const adversary = small();
      const list = ['anna', 'bert', 'bert', 'carl'].map((id) => adversary.adverts.get(id)!);
      adversary.tell('anna', encodeRoster(adversary.ctx, list));
      assertAborted(adversary, ['anna'], 'malformed');
    },
  },
  {
    name: 'a key of another member is advertised again',
    run() {
      assertAborted(
        swapped((advert, { adverts }) => ({ ...advert, maskKey: adverts.get('bert')!.maskKey })),
        ['anna'],
        'duplicate-key',
      );
      assertAborted(
        swapped((advert, { adverts }) => ({ ...advert, channelKey: adverts.get('bert')!.maskKey })),
        ['anna'],
        'duplicate-key',
      );
    },
  },
  {
    name: 'the own key comes back in the entry of another',
    run() {
      assertAborted(
        swapped((advert, { adverts }) => ({ ...advert, maskKey: adverts.get('anna')!.maskKey })),
        ['anna'],
        'duplicate-key',
      );
      assertAborted(
        swapped((advert) => ({ ...advert, maskKey: advert.channelKey })),
        ['anna'],
        'duplicate-key',
      );
    },
  },
  {
    name: 'two members share one identity key',
    run() {
      const twin = identityOf('dora', { signingKey: crypto.ed25519PublicKey(identityOf('bert').signingSeed) });
      const adversary = small();
      const { signature: _, ...body } = adversary.adverts.get('dora')!;
      const entry = signAdvert(crypto, identityOf('bert').signingSeed, adversary.ctx, { ...body, certificate: twin.certificate });
      adversary.adverts.set('dora', entry);
      adversary.tell('anna', adversary.rosterOf());
      assertAborted(adversary, ['anna'], 'duplicate-key');
    },
  },
  {
    name: 'zero, low-order and non-canonical keys',
    run() {
      for (const key of [new Uint8Array(32), lowOrder, nonCanonical, Uint8Array.from(lowOrder).fill(0x80, 31)]) {
        assertAborted(
          swapped((advert) => ({ ...advert, maskKey: key })),
          ['anna'],
          'bad-key',
        );
        assertAborted(
          swapped((advert) => ({ ...advert, channelKey: key })),
          ['anna'],
          'bad-key',
        );
      }
    },
  },
  {
    name: 'a certificate that is expired, early, forged, of another role, domain or id',
    run() {
      const wrong = [
        identityOf('dora', { notAfterMs: NOW - 1 }).certificate,
        identityOf('dora', { notBeforeMs: NOW + 1 }).certificate,
        identityOf('dora', { role: 'coordinator' }).certificate,
        identityOf('dora', { trustDomain: 'other.sotto' }).certificate,
        identityOf('dora', { id: 'eve' }).certificate,
        issueCertificate(crypto, new Uint8Array(32).fill(3), {
          trustDomain: trust.trustDomain,
          id: 'dora',
          role: 'client',
          signingKey: crypto.ed25519PublicKey(identityOf('dora').signingSeed),
          ledgerKey: new Uint8Array(32),
          serial: new Uint8Array(16),
          notBeforeMs: NOW - 1,
          notAfterMs: NOW + 1,
        }),
      ];
      for (const certificate of wrong)
        assertAborted(
          swapped((advert) => ({ ...advert, certificate })),
          ['anna'],
          'bad-certificate',
        );
    },
  },
  {
    name: 'a revoked member',
    run() {
      const revokedSerials = [crypto.sha256(new TextEncoder().encode('serial dora')).slice(0, 16)];
      const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora'], { client: { revokedSerials } });
      adversary.tell('anna', adversary.rosterOf());
      assertAborted(adversary, ['anna'], 'bad-certificate');
    },
  },
  {
    name: 'a roster below nMin, above nMax or too small for its own floor',
    run() {
      const few = small();
      few.tell('anna', few.rosterOf(['anna', 'bert']));
      assertAborted(few, ['anna'], 'roster-size');
      const many = new Adversary(['anna', 'bert', 'carl', 'emil'], ['dora'], { context: { cohort: { nMax: 4 } } });
      many.tell('anna', many.rosterOf());
      assertAborted(many, ['anna'], 'malformed'); // refused by the decoder's bound already
      const floor = new Adversary(['anna', 'bert', 'carl'], [], { context: { cohort: { hMin: 5 } } });
      floor.tell('anna', floor.rosterOf());
      assertAborted(floor, ['anna'], 'roster-size');
    },
  },
  {
    name: 'nMin, hMin, c or t below the floors of the site (FLOWER: no client-side minimum)',
    run() {
      const floors = [
        { minCohort: 5 },
        { minCollusion: 2 },
        { minHonest: 3 },
        { minThreshold: 4 },
        { peers: ['anna', 'bert', 'carl'] },
      ];
      for (const floor of floors) {
        const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora'], {
          client: { policy: { ...defaultSitePolicy, ...floor } },
        });
        adversary.tell('anna', adversary.rosterOf());
        assertAborted(adversary, ['anna'], 'policy');
      }
      assert.throws(
        () => new TestClient(identityOf('anna'), contextOf({ mode: 'semi-honest' }), { policy: defaultSitePolicy }),
        /mode semi-honest is not allowed/,
      );
      assert.throws(
        () => contextOf({ cohort: { hMin: 1 } }) && new TestClient(identityOf('anna'), contextOf({ cohort: { hMin: 1 } })),
        /hMin/,
      );
    },
  },
  {
    name: 'noise that relies on more honest members than the roster promises',
    run() {
      const context = { noise: { mechanism: 'skellam' as const, localVariance: 4, honestMinimum: 3, vector: 'update' } };
      const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora'], { context });
      adversary.tell('anna', adversary.rosterOf());
      assertAborted(adversary, ['anna'], 'policy');
    },
  },
  {
    name: 'a roster of another session replayed',
    run() {
      const old = small();
      const message = old.rosterOf();
      const fresh = new Adversary(['anna', 'bert', 'carl'], ['dora'], { seed: 'fresh' });
      fresh.tell('anna', message);
      assertAborted(fresh, ['anna'], 'own-entry');
    },
  },
  {
    name: 'a vector name twice, and names whose unframed labels collide',
    run() {
      const spec = (name: string) => ({ name, length: 4, bits: 16 });
      assert.throws(() => new TestClient(identityOf('anna'), contextOf({ vectors: [spec('w'), spec('w')] })), /two vectors/);
      const keys = PEERS.slice(0, 3);
      const one = new Adversary(keys, [], { context: { vectors: [spec('ab'), spec('c')] } });
      const two = new Adversary(keys, [], { context: { vectors: [spec('a'), spec('bc')] } });
      assert.notDeepEqual(one.ctx, two.ctx);
    },
  },
];
