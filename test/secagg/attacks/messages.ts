/** The checks of single messages, at clients, at the coordinator and in the decoders: one change, one refusal with a name. */
import assert from 'node:assert/strict';
import { stepClient } from '../../../packages/secagg/src/client/machine.ts';
import { stepServer } from '../../../packages/secagg/src/server/machine.ts';
import { checkContext } from '../../../packages/secagg/src/context.ts';
import { sharingGraph } from '../../../packages/secagg/src/graph.ts';
import { commitment } from '../../../packages/secagg/src/keys.ts';
import { decodeAdvert, encodeAdvert, encodeRoster, signAdvert } from '../../../packages/secagg/src/messages/advertise.ts';
import { encodeComplaint, signComplaint } from '../../../packages/secagg/src/messages/complaint.ts';
import { decodeConfirm, encodeConfirm, signConfirmation } from '../../../packages/secagg/src/messages/confirm.ts';
import type { Confirmation } from '../../../packages/secagg/src/messages/confirm.ts';
import { decodeMaskedInput, encodeMaskedInput, inputHash, signInput } from '../../../packages/secagg/src/messages/input.ts';
import { decodeShares, encodeShares, signShares } from '../../../packages/secagg/src/messages/share.ts';
import {
  decodeUnmask,
  encodeReceipt,
  encodeUnmask,
  signReceipt,
  signUnmask,
} from '../../../packages/secagg/src/messages/unmask.ts';
import type { Receipt } from '../../../packages/secagg/src/messages/unmask.ts';
import { parametersOf, roundParameters } from '../../../packages/secagg/src/parameters.ts';
import { checkPolicyForContext, defaultSitePolicy } from '../../../packages/secagg/src/policy.ts';
import { certified } from '../../../packages/secagg/src/server/confirm.ts';
import { Adversary } from '../adversary.ts';
import { contextOf, coordinatorSeed, crypto, identityOf, inputFor, NOW, runRound, TestClient, TestServer } from '../network.ts';
import type { ContextChanges } from '../network.ts';
import { assertAborted } from './attack.ts';
import type { Attack } from './attack.ts';

const ALL = ['anna', 'bert', 'carl', 'dora'];
const HYBRID: ContextChanges = { suite: 'x25519-mlkem768' };
const seedOf = (id: string): Uint8Array => identityOf(id).signingSeed;

/** A coordinator and its members, stage by stage; `skip` members stay silent from then on. */
class Stages {
  readonly server: TestServer;
  readonly clients: ReadonlyMap<string, TestClient>;
  readonly sent = new Map<string, Uint8Array>();
  #outgoing: ReadonlyMap<string, Uint8Array> = new Map();

  constructor(changes: ContextChanges = {}, ids: readonly string[] = ALL) {
    const context = contextOf(changes);
    this.server = new TestServer(context);
    this.clients = new Map(ids.map((id) => [id, new TestClient(identityOf(id), context)]));
    for (const [id, client] of this.clients) this.sent.set(id, client.outbox[0]!);
  }

  get sid(): Uint8Array {
    return this.server.state.session!.sid;
  }

  /** Hands the present messages in, closes the stage and has the clients make their next ones. */
  next(skip: readonly string[] = []): this {
    for (const [id, message] of this.sent) if (!skip.includes(id)) this.server.receive(id, message);
    this.#outgoing = this.server.close();
    this.sent.clear();
    for (const [id, message] of this.#outgoing) {
      const client = this.clients.get(id)!;
      let answers = client.receive(message);
      if (client.state.phase === 'ready-for-input') {
        client.input = inputFor(this.server.setup.context, id);
        answers = client.step({ type: 'input', vectors: client.input });
      }
      if (answers[0] !== undefined) this.sent.set(id, answers[0]);
    }
    return this;
  }

  refused(from: string, message: Uint8Array, code: string, text: RegExp): void {
    const verdict = this.server.receive(from, message);
    assert.equal(verdict.type === 'refused' ? verdict.abort.code : verdict.type, code);
    if (verdict.type === 'refused') assert.match(verdict.abort.message, text);
  }

  closes(code: string, text: RegExp): void {
    this.server.close();
    assert.equal(this.server.state.abort?.code ?? this.server.state.stage, code);
    assert.match(this.server.state.abort!.message, text);
  }

  input(id: string, missing: readonly string[] = []): Uint8Array {
    const { context } = this.server.setup;
    const vectors = context.vectors.map((vector) => new Uint8Array(Math.ceil((vector.length * vector.bits) / 8)));
    const signature = signInput(crypto, seedOf(id), this.sid, this.server.state.rootU1, inputHash(crypto, vectors));
    return encodeMaskedInput(this.sid, { id, missing, signature, vectors });
  }
}

/** A receipt as the coordinator would sign it, changed. */
function receiptFor(adversary: Adversary, changes: Partial<Receipt>, seed: Uint8Array = coordinatorSeed): Uint8Array {
  const statement = adversary.statement(ALL, ALL);
  const body = {
    rootU2: statement.rootU2,
    survivors: statement.survivors,
    sumHash: new Uint8Array(32),
    confirmations: adversary.certificateOf(ALL, ALL, ['anna', 'bert', 'carl']),
    event: new Uint8Array(0),
    ...changes,
  };
  return encodeReceipt(adversary.sid, signReceipt(crypto, seed, adversary.sid, body));
}

const answered = (): Adversary => new Adversary(['anna', 'bert', 'carl'], ['dora']).runAll();
const LIMITS = { nMax: 10, suite: 'x25519' } as const;
const SESSION = new Uint8Array(32);
const SIGNATURE = new Uint8Array(64);

export const messageAttacks: readonly Attack[] = [
  {
    name: 'a receipt about other survivors, of another signer, or with a worthless certificate',
    run() {
      const good = answered();
      good.tell('anna', receiptFor(good, {}));
      assert.equal(good.client('anna').state.phase, 'done');
      const root = answered();
      root.tell('anna', receiptFor(root, { rootU2: new Uint8Array(32) }));
      assertAborted(root, ['anna'], 'bad-receipt');
      const count = answered();
      count.tell('anna', receiptFor(count, { survivors: 3 }));
      assertAborted(count, ['anna'], 'bad-receipt');
      const signer = answered();
      signer.tell('anna', receiptFor(signer, {}, seedOf('dora')));
      assertAborted(signer, ['anna'], 'bad-receipt');
      const short = answered();
      short.tell('anna', receiptFor(short, { confirmations: short.certificateOf(ALL, ALL, ['anna', 'bert']) }));
      assertAborted(short, ['anna'], 'confirmations-too-few');
      // carl's confirmation was verified before; another signature in its place was not
      const forged = answered();
      const confirmations: Confirmation[] = [
        ...forged.certificateOf(ALL, ALL, ['anna', 'bert']),
        { id: 'carl', signature: signConfirmation(crypto, seedOf('dora'), forged.statement(ALL, ALL)) },
      ];
      forged.tell('anna', receiptFor(forged, { confirmations }));
      assertAborted(forged, ['anna'], 'bad-signature');
    },
  },
  {
    name: 'a U1 that leaves a client too few holders',
    run() {
      const graph = { kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 10 } as const;
      const cohort = { nMax: 36, gammaNumerator: 1, gammaDenominator: 20 };
      const ids = Array.from({ length: 36 }, (_, i) => `p${i}`).sort();
      const stages = new Stages({ mode: 'semi-honest', graph, cohort }, ids).next();
      const victim = stages.clients.get('p0')!;
      if (victim.state.phase !== 'awaiting-delivery') throw new Error(victim.state.phase);
      const { session } = victim.state;
      const holders = session.holders.map((place) => ids[place]!);
      const away = holders.filter((id) => id !== 'p0').slice(0, 36 - session.parameters.F);
      const left = holders.length - away.length;
      stages.next(away);
      // A coordinator that is not honest would send this U1 to the victim; an honest one does too, where they are lost.
      if (left < session.threshold) {
        const { state } = stages.clients.get('p0')!;
        assert.equal(state.phase === 'aborted' ? state.abort.code : state.phase, 'survivors-too-few');
        assert.match(state.phase === 'aborted' ? state.abort.message : '', /holders of this client/);
      }
    },
  },
  {
    name: 'shares that come after U1 was frozen are answered with it, and their sender leaves',
    run() {
      const stages = new Stages().next();
      const late = stages.sent.get('dora')!;
      stages.next(['dora']);
      const { setup, state } = stages.server;
      const { verdict, outgoing } = stepServer(setup, state, { type: 'message', from: 'dora', message: late, nowMs: NOW });
      assert.equal(verdict?.type, 'late');
      const dora = stages.clients.get('dora')!;
      dora.receive(outgoing[0]!.message);
      assert.equal(dora.state.phase === 'aborted' ? dora.state.abort.code : dora.state.phase, 'own-input');
      assert.equal(state.shares.has('dora'), false);
    },
  },
  {
    name: 'a box from the client itself or from outside U1',
    run() {
      for (const peer of ['anna', 'dora']) {
        const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora']).advertise();
        const u1 = ['anna', 'bert', 'carl'];
        const [box] = adversary.boxesFor('anna', ['bert']);
        const boxes = [box!, { ...box!, peer }].sort((a, z) => (a.peer < z.peer ? -1 : 1));
        adversary.deliver('anna', u1, boxes);
        assertAborted(adversary, ['anna'], 'survivors-not-subset');
      }
    },
  },
  {
    name: 'bytes that are no message of this version',
    run() {
      const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora']);
      adversary.tell('anna', Uint8Array.of(2, 2, 0));
      assertAborted(adversary, ['anna'], 'malformed');
      const step = stepClient(adversary.client('bert').setup, adversary.client('bert').state, {
        type: 'message',
        message: new Uint8Array(0),
        nowMs: NOW,
      });
      assert.equal(step.state.phase === 'aborted' ? step.state.abort.code : step.state.phase, 'malformed');
      const confirm = encodeConfirm(SESSION, { id: 'anna', signature: SIGNATURE });
      assert.throws(() => decodeConfirm(SESSION, Uint8Array.of(2, ...confirm.subarray(1))), /wire version/);
      const complaint = encodeComplaint(SESSION, { id: 'a', about: 'b', signature: SIGNATURE });
      assert.throws(() => decodeConfirm(SESSION, complaint), /message type 11/);
    },
  },
  {
    name: 'fields of the wrong number, length or kind',
    run() {
      const vectors = [
        { name: 'a', length: 4, bits: 8 },
        { name: 'b', length: 2, bits: 8 },
      ];
      const input = (packed: readonly Uint8Array[]): Uint8Array =>
        encodeMaskedInput(SESSION, { id: 'anna', missing: [], signature: SIGNATURE, vectors: packed });
      assert.throws(() => decodeMaskedInput(SESSION, LIMITS, vectors, input([new Uint8Array(4)])), /has 1 vectors/);
      const short = input([new Uint8Array(3), new Uint8Array(2)]);
      assert.throws(() => decodeMaskedInput(SESSION, LIMITS, vectors, short), /must have 4/);
      const shares = (sealed: number): Uint8Array =>
        encodeShares(SESSION, {
          id: 'anna',
          boxes: [{ peer: 'bert', kemCiphertexts: [], sealed: new Uint8Array(sealed) }],
          signature: SIGNATURE,
        });
      decodeShares(SESSION, LIMITS, shares(80));
      assert.throws(() => decodeShares(SESSION, LIMITS, shares(81)), /a sealed share has 81 bytes/);
      assert.throws(() => decodeConfirm(SESSION, encodeConfirm(SESSION, { id: '', signature: SIGNATURE })), /an id is empty/);
      const opened = { id: 'anna', shares: [{ dealer: 'bert', kind: 'r', share: new Uint8Array(32) }] as const };
      const unmask = encodeUnmask(SESSION, { ...opened, signature: SIGNATURE });
      const kind = 38 + 8 + 4 + 8; // header, id, count, dealer
      assert.equal(unmask[kind], 1);
      unmask[kind] = 2;
      assert.throws(() => decodeUnmask(SESSION, LIMITS, unmask), /unknown kind/);
      const advert = {
        id: 'anna',
        certificate: new Uint8Array(200),
        channelKey: new Uint8Array(32),
        maskKey: new Uint8Array(32),
        kemKeys: [new Uint8Array(1184)],
        commitment: new Uint8Array(32),
        signature: SIGNATURE,
      };
      const hybrid = { nMax: 10, suite: 'x25519-mlkem768' } as const;
      assert.throws(() => decodeAdvert(SESSION, hybrid, encodeAdvert(SESSION, advert)), /has 1 encapsulation keys/);
    },
  },
  {
    name: 'an encapsulation key that fails the modulus check',
    run() {
      const adversary = new Adversary(['anna', 'bert', 'carl'], ['dora'], { context: HYBRID });
      const dora = adversary.adverts.get('dora')!;
      const bad = { ...dora, kemKeys: [new Uint8Array(1184).fill(0xff), dora.kemKeys[1]!] };
      adversary.adverts.set('dora', signAdvert(crypto, seedOf('dora'), adversary.ctx, bad));
      adversary.rosterOf();
      adversary.tell('anna', encodeRoster(adversary.ctx, adversary.roster));
      assertAborted(adversary, ['anna'], 'bad-key');
      const { state } = adversary.client('anna');
      assert.match(state.phase === 'aborted' ? state.abort.message : '', /modulus check/);
    },
  },
  {
    name: 'cohorts and graphs that no round may have',
    run() {
      const harary = { kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 20 } as const;
      const rule = contextOf().cohort;
      assert.throws(() => roundParameters(11, rule), /takes at most 10/);
      assert.throws(() => checkContext(contextOf({ graph: harary })), /no bound covers/);
      assert.throws(() => checkContext(contextOf({ cohort: { nMax: 513 } })), /complete graph goes to 512/);
      const ids = Array.from({ length: 600 }, (_, i) => `p${String(i).padStart(3, '0')}`);
      const cohort = { nMax: 600, gammaNumerator: 1, gammaDenominator: 20 };
      const graph = (changes: ContextChanges): unknown => {
        const context = contextOf({ ...changes, cohort: { ...cohort, ...changes.cohort } });
        return sharingGraph(crypto, context, parametersOf(600, context.cohort), SESSION, ids).holdersOf(0);
      };
      graph({ mode: 'semi-honest', graph: harary });
      assert.throws(() => graph({ mode: 'malicious', graph: harary }), /needs a sparse graph/);
      assert.throws(() => graph({ mode: 'semi-honest' }), /needs a sparse graph/);
      const rates = { mode: 'semi-honest', graph: { ...harary, dropoutNumerator: 12 }, cohort: { gammaNumerator: 8 } } as const;
      assert.throws(() => graph(rates), /stands these rates/);
      assert.throws(() => checkPolicyForContext({ ...defaultSitePolicy, minHonest: 1 }, contextOf()), /no round may undercut/);
      const suites = ['x25519-mlkem768'] as const;
      assert.throws(() => checkPolicyForContext({ ...defaultSitePolicy, suites }, contextOf()), /suite x25519/);
    },
  },
  {
    name: 'members beyond nMax, senders outside the roster or under another name',
    run() {
      const full = new Stages({ cohort: { nMax: 4 } }, [...ALL, 'emil']);
      for (const id of ALL) full.server.receive(id, full.sent.get(id)!);
      full.refused('emil', full.sent.get('emil')!, 'roster-size', /full/);
      const stages = new Stages().next();
      stages.refused('zoe', stages.sent.get('anna')!, 'unexpected-message', /not in the roster/);
      stages.refused('bert', stages.sent.get('anna')!, 'unexpected-message', /sent a message of anna/);
    },
  },
  {
    name: 'boxes of another form than the suite has',
    run() {
      const stages = new Stages().next();
      const { boxes } = decodeShares(stages.sid, LIMITS, stages.sent.get('anna')!);
      const longer = boxes.map((box) => ({ ...box, sealed: new Uint8Array(112) }));
      const shares = signShares(crypto, seedOf('anna'), stages.sid, { id: 'anna', boxes: longer });
      stages.refused('anna', encodeShares(stages.sid, shares), 'malformed', /form of this suite/);
      const hybrid = new Stages(HYBRID).next();
      const dealt = decodeShares(hybrid.sid, { ...LIMITS, suite: 'x25519-mlkem768' }, hybrid.sent.get('anna')!).boxes;
      const bare = dealt.map((box) => ({ ...box, kemCiphertexts: box.kemCiphertexts.slice(1) }));
      const signed = signShares(crypto, seedOf('anna'), hybrid.sid, { id: 'anna', boxes: bare });
      hybrid.refused('anna', encodeShares(hybrid.sid, signed), 'malformed', /form of this suite/);
    },
  },
  {
    name: 'an input from outside U1, after leaving, or with an impossible list of missing shares',
    run() {
      const outside = new Stages().next().next(['dora']);
      outside.refused('dora', outside.input('dora'), 'unexpected-message', /not in U1/);
      const missing = new Stages().next().next();
      missing.refused('anna', missing.input('anna', ['anna']), 'malformed', /outside U1/);
      missing.refused('anna', missing.input('anna', ['zoe']), 'malformed', /outside U1/);
      const left = new Stages(HYBRID).next().next();
      const complaint = signComplaint(crypto, seedOf('dora'), left.sid, 'dora', 'anna');
      assert.equal(left.server.receive('dora', encodeComplaint(left.sid, complaint)).type, 'accepted');
      left.refused('dora', left.input('dora'), 'unexpected-message', /has left/);
    },
  },
  {
    name: 'a complaint after the input, about nobody, or not signed',
    run() {
      const stages = new Stages(HYBRID).next().next();
      const complain = (id: string, about: string, signer = id): Uint8Array =>
        encodeComplaint(stages.sid, { ...signComplaint(crypto, seedOf(signer), stages.sid, id, about) });
      stages.server.receive('dora', stages.sent.get('dora')!);
      stages.refused('dora', complain('dora', 'anna'), 'unexpected-message', /after its input/);
      stages.refused('carl', complain('carl', 'zoe'), 'malformed', /nobody in U1/);
      stages.refused('carl', complain('carl', 'anna', 'bert'), 'bad-signature', /not signed/);
      stages.refused('bert', complain('bert', 'carl'), 'malformed', /confirms no key/);
      stages.refused('bert', complain('bert', 'bert'), 'malformed', /confirms no key/);
      const classical = new Stages().next().next();
      const message = signComplaint(crypto, seedOf('carl'), classical.sid, 'carl', 'anna');
      classical.refused('carl', encodeComplaint(classical.sid, message), 'unexpected-message', /no key is confirmed/);
    },
  },
  {
    name: 'a confirmation or an answer from outside U2, or of other survivors',
    run() {
      const confirm = new Stages().next().next().next(['dora']);
      const statement = certified(confirm.server.state);
      const signed = (id: string, what = statement): Uint8Array =>
        encodeConfirm(confirm.sid, { id, signature: signConfirmation(crypto, seedOf(id), what) });
      confirm.refused('dora', signed('dora'), 'unexpected-message', /not in U2/);
      const other = { ...statement, survivors: 4 };
      confirm.refused('anna', signed('anna', other), 'bad-signature', /other survivors/);
      confirm.next();
      const answer = signUnmask(crypto, seedOf('dora'), confirm.sid, { id: 'dora', shares: [] });
      confirm.refused('dora', encodeUnmask(confirm.sid, answer), 'unexpected-message', /not in U2/);
    },
  },
  {
    name: 'too few members at the end of a stage',
    run() {
      const u1 = new Stages().next();
      for (const id of ['anna', 'bert']) u1.server.receive(id, u1.sent.get(id)!);
      u1.closes('survivors-too-few', /shared their keys/);
      const u2 = new Stages().next().next();
      for (const id of ['anna', 'bert']) u2.server.receive(id, u2.sent.get(id)!);
      u2.closes('survivors-too-few', /sent an input/);
      const confirmations = new Stages().next().next().next();
      for (const id of ['anna', 'bert']) confirmations.server.receive(id, confirmations.sent.get(id)!);
      confirmations.closes('confirmations-too-few', /confirmed/);
      const answers = new Stages().next().next().next().next();
      for (const id of ['anna', 'bert']) answers.server.receive(id, answers.sent.get(id)!);
      answers.closes('recovery-failed', /were opened/);
    },
  },
  {
    name: 'a dealer whose shares agree on another b than it advertised',
    run() {
      const context = contextOf();
      const server = new TestServer(context);
      const clients = new Map(ALL.map((id) => [id, new TestClient(identityOf(id), context)]));
      for (const [id, client] of clients) {
        if (id !== 'dora') {
          server.receive(id, client.outbox[0]!);
          continue;
        }
        // dora deals the shares of the b that it has, and commits to another one; its own entry must follow
        const { ctx } = server.state;
        const advert = decodeAdvert(ctx, LIMITS, client.outbox[0]!);
        const other = signAdvert(crypto, seedOf(id), ctx, {
          ...advert,
          commitment: commitment(crypto, ctx, id, new Uint8Array(32)),
        });
        client.state = { ...(client.state as Extract<typeof client.state, { phase: 'awaiting-roster' }>), advert: other };
        server.receive(id, encodeAdvert(ctx, other));
      }
      for (let stage = 0; stage < 4; stage++) {
        for (const [id, message] of server.close()) {
          const client = clients.get(id)!;
          let answers = client.receive(message);
          if (client.state.phase === 'ready-for-input') answers = client.step({ type: 'input', vectors: inputFor(context, id) });
          for (const answer of answers) server.receive(id, answer);
        }
      }
      server.close();
      assert.equal(server.state.abort?.code, 'recovery-failed');
      assert.equal(server.result, undefined);
    },
  },
  {
    name: 'a semi-honest round has no certificate, and says so in its receipt',
    run() {
      const run = runRound({ ids: ALL, context: contextOf({ mode: 'semi-honest' }) });
      assert.deepEqual(run.server.result?.receipt.confirmations, []);
    },
  },
];
