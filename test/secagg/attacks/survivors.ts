/** Attacks in rounds 1 to 4: what the coordinator can do with boxes, U1, U2, certificates and repetitions. */
import assert from 'node:assert/strict';
import { Adversary } from '../adversary.ts';
import { encodeRoster } from '../../../packages/secagg/src/messages/advertise.ts';
import { signConfirmation, encodeConfirmations } from '../../../packages/secagg/src/messages/confirm.ts';
import { encodeSurvivors } from '../../../packages/secagg/src/messages/input.ts';
import { crypto, identityOf, inputFor } from '../network.ts';
import { assertAborted, assertHidden } from './attack.ts';
import type { Attack } from './attack.ts';

const HONEST = ['anna', 'bert', 'carl'];
const four = (): Adversary => new Adversary(HONEST, ['dora']);
const ALL = ['anna', 'bert', 'carl', 'dora'];

/** n = 7 with two colluding, so c = 2, t = T = F = 5. */
const SEVEN = ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7'];
const seven = (): Adversary => new Adversary(SEVEN.slice(0, 5), SEVEN.slice(5));

export const survivorAttacks: readonly Attack[] = [
  {
    name: 'an honest round reveals nothing but its sum',
    run() {
      const adversary = four().runAll();
      assert.equal(adversary.opened.length, 16);
      assertHidden(adversary);
      assertHidden(seven().runAll(SEVEN, SEVEN.slice(1)));
    },
  },
  {
    name: 'both share kinds asked for one peer (FLOWER: listed as active and as dead)',
    run() {
      const adversary = four().advertise().deliverAll();
      // dora's view says that anna dropped out, the others' that it did not; a second question follows.
      for (const id of ['anna', 'bert', 'carl']) adversary.freeze(id, ALL);
      for (const id of ['anna', 'bert', 'carl'])
        adversary.certify(id, adversary.certificateOf(ALL, ALL, ['anna', 'bert', 'dora']));
      assert.equal(adversary.opened.length, 12);
      const u2 = ['bert', 'carl', 'dora'];
      for (const id of ['bert', 'carl']) adversary.freeze(id, u2);
      assertAborted(adversary, ['bert', 'carl'], 'equivocation');
      assertHidden(adversary);
    },
  },
  {
    name: 'one client opens one kind for each dealer',
    run() {
      const adversary = four().runAll(ALL, ['anna', 'bert', 'carl']);
      const kinds = adversary.opened.filter((share) => share.holder === 'bert').map((share) => `${share.dealer} ${share.kind}`);
      assert.deepEqual(kinds, ['anna b', 'bert b', 'carl b', 'dora r']);
      assertHidden(adversary);
    },
  },
  {
    name: 'different U2 shown to different clients',
    run() {
      const adversary = four().advertise().deliverAll();
      for (const id of ['anna', 'bert']) adversary.freeze(id, ALL);
      const without = ['bert', 'carl', 'dora'];
      adversary.freeze('carl', without);
      for (const id of ['anna', 'bert']) adversary.certify(id, adversary.certificateOf(ALL, ALL, ['anna', 'bert', 'dora']));
      adversary.certify('carl', adversary.certificateOf(ALL, without, ['carl', 'dora']));
      assertAborted(adversary, ['carl'], 'confirmations-too-few');
      assertHidden(adversary);
    },
  },
  {
    name: 'confirmations of another U2 passed on',
    run() {
      const adversary = four().advertise().deliverAll();
      for (const id of ['anna', 'bert']) adversary.freeze(id, ALL);
      const without = ['bert', 'carl', 'dora'];
      adversary.freeze('carl', without);
      adversary.certify('carl', adversary.certificateOf(ALL, without, ['bert', 'carl', 'dora']));
      assertAborted(adversary, ['carl'], 'bad-signature');
      assertHidden(adversary);
    },
  },
  {
    name: 'different U1 shown to different clients',
    run() {
      const adversary = four().advertise();
      const without = ['anna', 'bert', 'dora'];
      adversary.deliver('anna', without);
      adversary.deliver('bert', without);
      adversary.deliver('carl', ALL);
      adversary.deliver('dora', ALL);
      adversary.freeze('carl', ALL);
      assertAborted(adversary, ['carl'], 'bad-signature');
      assertHidden(adversary);
    },
  },
  {
    name: 'U1 split around one victim of seven',
    run() {
      const adversary = seven().advertise();
      const [victim, ...others] = SEVEN;
      // The victim masks with two honest peers only; these are then declared lost, so that their r opens.
      adversary.deliver(victim!, ['a1', 'b2', 'c3', 'f6', 'g7']);
      for (const id of others) adversary.deliver(id, SEVEN);
      const u2 = ['a1', 'c3', 'd4', 'e5', 'f6', 'g7'];
      for (const id of ['c3', 'd4', 'e5']) adversary.freeze(id, u2);
      assertAborted(adversary, ['c3', 'd4', 'e5'], 'bad-signature');
      assertHidden(adversary);
    },
  },
  {
    name: 'a U2 that keeps only the victim of its U1',
    run() {
      const adversary = seven().advertise();
      adversary.deliver('a1', ['a1', 'b2', 'c3', 'f6', 'g7']);
      for (const id of SEVEN.slice(1)) adversary.deliver(id, SEVEN);
      const u2 = ['a1', 'd4', 'e5', 'f6', 'g7'];
      for (const id of ['d4', 'e5', 'a1']) adversary.freeze(id, u2);
      for (const id of ['d4', 'e5']) adversary.certify(id, adversary.certificateOf(SEVEN, u2, ['f6', 'g7']));
      assertAborted(adversary, ['a1'], 'survivors-not-subset');
      assertHidden(adversary);
    },
  },
  {
    name: 'n claimed by the coordinator differs from the roster',
    run() {
      const adversary = four();
      const message = encodeRoster(
        adversary.ctx,
        ALL.map((id) => adversary.adverts.get(id)!),
      );
      message[41] = 9; // the count of the list: 2 bytes, 4 + 32 of ctx, then u32
      adversary.tell('anna', message);
      assertAborted(adversary, ['anna'], 'malformed');
    },
  },
  {
    name: 'U1 below F, without the client, or with a stranger',
    run() {
      const few = four().advertise();
      few.deliver('anna', ['anna', 'bert']);
      assertAborted(few, ['anna'], 'survivors-too-few');
      const honest = new Adversary(HONEST, ['dora'], { context: { cohort: { hMin: 3 } } }).advertise(); // F = 4 above t = 3
      honest.deliver('anna', ['anna', 'bert', 'carl']);
      assertAborted(honest, ['anna'], 'survivors-too-few');
      const out = four().advertise();
      out.deliver('anna', ['bert', 'carl', 'dora']);
      assertAborted(out, ['anna'], 'own-input');
      const stranger = four().advertise();
      stranger.deliver('anna', [...ALL, 'zoe']);
      assertAborted(stranger, ['anna'], 'survivors-not-subset');
    },
  },
  {
    name: 'U2 below F, without the client, with its entry changed, or with a stranger to U1',
    run() {
      const start = (u1: readonly string[] = ALL): Adversary => four().advertise().deliverAll(u1);
      const few = start();
      few.freeze('anna', ['anna', 'bert']);
      assertAborted(few, ['anna'], 'survivors-too-few');
      const out = start();
      out.freeze('anna', ['bert', 'carl', 'dora']);
      assertAborted(out, ['anna'], 'own-input');
      const changed = start();
      const entries = ALL.map((id) => changed.entry(id));
      changed.tell(
        'anna',
        encodeSurvivors(changed.sid, [{ ...entries[0]!, inputHash: entries[1]!.inputHash }, ...entries.slice(1)]),
      );
      assertAborted(changed, ['anna'], 'own-input');
      const outside = new Adversary([...HONEST, 'emil'], ['dora']).advertise();
      for (const id of ALL) outside.deliver(id, ALL);
      outside.deliver('emil', [...ALL, 'emil']);
      outside.freeze('anna', [...ALL, 'emil']);
      assertAborted(outside, ['anna'], 'survivors-not-subset');
    },
  },
  {
    name: 'an input of U2 that its member did not sign',
    run() {
      const adversary = four().advertise().deliverAll();
      const entries = ALL.map((id) => adversary.entry(id));
      entries[1] = { ...entries[1]!, inputHash: entries[2]!.inputHash };
      adversary.tell('anna', encodeSurvivors(adversary.sid, entries));
      assertAborted(adversary, ['anna'], 'bad-signature');
    },
  },
  {
    name: 'a reflected box: the own ciphertext as if it came from a peer',
    run() {
      const adversary = four().advertise();
      const mine = adversary.shares.get('anna')!.boxes;
      adversary.deliver('anna', ALL, mine);
      assertAborted(adversary, ['anna'], 'shares-too-few');
    },
  },
  {
    name: 'cross-wired boxes',
    run() {
      const adversary = four().advertise();
      const [first, second, third] = adversary.boxesFor('anna', ALL);
      adversary.deliver('anna', ALL, [
        { ...first!, sealed: second!.sealed },
        { ...second!, sealed: third!.sealed },
        { ...third!, sealed: first!.sealed },
      ]);
      assertAborted(adversary, ['anna'], 'shares-too-few');
    },
  },
  {
    name: 'one bad box is a missing share, named, and the round goes on',
    run() {
      const adversary = four().advertise();
      const boxes = adversary
        .boxesFor('anna', ALL)
        .map((box) => (box.peer === 'carl' ? { ...box, sealed: box.sealed.map((byte) => byte ^ 1) } : box));
      adversary.deliver('anna', ALL, boxes);
      assert.deepEqual(adversary.inputs.get('anna')?.missing, ['carl']);
      const none = four().advertise();
      none.deliver('anna', ALL, none.boxesFor('anna', ['bert']));
      assertAborted(none, ['anna'], 'shares-too-few');
    },
  },
  {
    name: 'a certificate signed by clients outside U2, by T − 1, by one client twice, or not at all',
    run() {
      const u2 = ['anna', 'bert', 'carl'];
      const start = (): Adversary => {
        const adversary = four().advertise().deliverAll();
        for (const id of u2) adversary.freeze(id, u2);
        return adversary;
      };
      const outside = start();
      outside.certify('anna', outside.certificateOf(ALL, u2, ['anna', 'bert', 'dora']));
      assertAborted(outside, ['anna'], 'confirmations-not-survivors');
      const short = start();
      short.certify('anna', short.certificateOf(ALL, u2, ['anna', 'bert']));
      assertAborted(short, ['anna'], 'confirmations-too-few');
      const twice = start();
      twice.certify('anna', twice.certificateOf(ALL, u2, ['anna', 'bert', 'bert']));
      assertAborted(twice, ['anna'], 'malformed');
      const forged = start();
      const signature = signConfirmation(crypto, identityOf('dora').signingSeed, forged.statement(ALL, u2));
      const [anna, bert] = forged.certificateOf(ALL, u2, ['anna', 'bert']);
      forged.tell('anna', encodeConfirmations(forged.sid, [anna!, bert!, { id: 'carl', signature }]));
      assertAborted(forged, ['anna'], 'bad-signature');
      for (const adversary of [outside, short, twice, forged]) assertHidden(adversary);
    },
  },
  {
    name: 'a certificate without the confirmation round',
    run() {
      const adversary = four().advertise().deliverAll();
      adversary.certify('anna', adversary.certificateOf(ALL, ALL, ['dora']));
      assertAborted(adversary, ['anna'], 'unexpected-message');
      assert.equal(adversary.opened.length, 0);
    },
  },
  {
    name: 'a repeated unmask after a restart',
    run() {
      const adversary = four().advertise().deliverAll();
      for (const id of HONEST) adversary.freeze(id, ALL);
      const mid = adversary.client('bert').state;
      const certificate = adversary.certificateOf(ALL, ALL, ['anna', 'bert', 'carl']);
      for (const id of HONEST) adversary.certify(id, certificate);
      const opened = adversary.opened.length;
      // Snapshots stand in for a process that was restored from its memory; the record outlives it.
      adversary.client('bert').state = mid;
      adversary.certify('bert', certificate);
      assertAborted(adversary, ['bert'], 'already-done');
      assert.equal(adversary.opened.length, opened);
    },
  },
  {
    name: 'a repeated unmask gets the same bytes while the process lives, and nothing after the end',
    run() {
      const adversary = four().advertise().deliverAll();
      for (const id of HONEST) adversary.freeze(id, ALL);
      const message = encodeConfirmations(adversary.sid, adversary.certificateOf(ALL, ALL, ['anna', 'bert', 'carl']));
      const [first] = adversary.tell('anna', message);
      const [second] = adversary.tell('anna', message);
      assert.deepEqual(second, first);
      assert.ok(first !== undefined);
      assert.equal(adversary.client('anna').journal.filter((line) => line === 'record answered').length, 1);
    },
  },
  {
    name: 'a second attempt of a round after y, with and without one client (differencing)',
    run() {
      for (const ids of [ALL, ['anna', 'bert', 'dora']]) {
        const records = new Map(ALL.map((id) => [id, new Set<string>()]));
        const first = new Adversary(HONEST, ['dora'], { records }).runAll();
        assert.equal(first.inputs.size, 4);
        const second = new Adversary(HONEST, ['dora'], { records, context: { attempt: 1 }, seed: 'second' }).advertise(ids);
        for (const id of ids) second.deliver(id, ids);
        assertAborted(
          second,
          ids.filter((id) => id !== 'dora'),
          'already-done',
        );
        assert.equal(second.inputs.size, 0);
      }
    },
  },
  {
    name: 'another process of the same identity in the same round',
    run() {
      const records = new Map([['anna', new Set<string>()]]);
      const one = new Adversary(HONEST, ['dora'], { records, seed: 'one' }).advertise();
      const two = new Adversary(HONEST, ['dora'], { records, seed: 'two' }).advertise();
      one.deliver('anna');
      two.deliver('anna');
      assert.equal(one.inputs.size + two.inputs.size, 1);
      assertAborted(two, ['anna'], 'already-done');
    },
  },
  {
    name: 'a resend of y is byte-identical: no noise and no mask is drawn again',
    run() {
      const adversary = four().advertise().deliverAll();
      const first = adversary.client('anna').outbox.at(-1)!;
      const [again] = adversary.tell('anna', adversary.deliveryOf('anna'));
      assert.deepEqual(again, first);
      assert.throws(
        () => adversary.client('anna').step({ type: 'input', vectors: inputFor(adversary.context, 'anna') }),
        /ready-for-input/,
      );
    },
  },
  {
    name: 'messages of an old session replayed',
    run() {
      const old = four().runAll();
      const fresh = new Adversary(HONEST, ['dora'], { seed: 'fresh' }).advertise();
      fresh.tell('anna', old.deliveryOf('anna'));
      assertAborted(fresh, ['anna'], 'wrong-session');
      const later = new Adversary(HONEST, ['dora'], { seed: 'fresh' }).advertise().deliverAll();
      later.tell('anna', old.survivorsOf(ALL));
      assertAborted(later, ['anna'], 'wrong-session');
    },
  },
  {
    name: 'a second U1 or U2 after the first',
    run() {
      const u1 = four().advertise().deliverAll();
      u1.tell('anna', u1.deliveryOf('anna', ['anna', 'bert', 'carl']));
      assertAborted(u1, ['anna'], 'equivocation');
      const u2 = four().advertise().deliverAll();
      u2.freeze('anna', ALL);
      u2.freeze('anna', ['anna', 'bert', 'carl']);
      assertAborted(u2, ['anna'], 'equivocation');
      assert.equal(u2.confirmations.length, 1);
    },
  },
  {
    name: 'a later message early',
    run() {
      const adversary = four().advertise().deliverAll();
      const early = new Adversary(HONEST, ['dora']).advertise();
      early.tell('anna', adversary.survivorsOf(ALL));
      assertAborted(early, ['anna'], 'unexpected-message');
    },
  },
  {
    name: 'a late y after its r was opened stays hidden behind b',
    run() {
      const adversary = four().advertise().deliverAll();
      const u2 = ['bert', 'carl', 'dora'];
      for (const id of ['bert', 'carl']) adversary.freeze(id, u2);
      for (const id of ['bert', 'carl']) adversary.certify(id, adversary.certificateOf(ALL, u2, ['bert', 'carl', 'dora']));
      // anna's y came too late, and the attacker has it and, with dora's, all shares of anna's r
      assert.ok(adversary.inputs.has('anna'));
      assert.equal(adversary.opened.filter((share) => share.dealer === 'anna' && share.kind === 'r').length, 2);
      assertHidden(adversary);
    },
  },
  {
    name: 'elements above the limit are refused before anything is masked',
    run() {
      const adversary = four().advertise();
      adversary.tell('anna', adversary.deliveryOf('anna'));
      const vectors = inputFor(adversary.context, 'anna');
      vectors[0]![3] = 2 ** 20 - 1;
      assert.throws(() => adversary.client('anna').step({ type: 'input', vectors }), /could wrap/);
    },
  },
];
