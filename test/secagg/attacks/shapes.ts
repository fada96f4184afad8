/** Every field out of its range, one at a time: contexts, keys, messages and steps that no honest party makes. */
import assert from 'node:assert/strict';
import { ByteWriter } from '../../../packages/core/src/encoding.ts';
import { SottoError } from '../../../packages/core/src/errors.ts';
import { stepClient } from '../../../packages/secagg/src/client/machine.ts';
import { inputLimit } from '../../../packages/secagg/src/client/state.ts';
import type { ClientInput } from '../../../packages/secagg/src/client/state.ts';
import { checkContext, contextHash, modelHash } from '../../../packages/secagg/src/context.ts';
import type { RoundContext } from '../../../packages/secagg/src/context.ts';
import { channelKey, isGoodKemKey, isGoodX25519Key } from '../../../packages/secagg/src/keys.ts';
import { runMaskJob } from '../../../packages/secagg/src/masks.ts';
import { decodeAdvert, decodeRoster } from '../../../packages/secagg/src/messages/advertise.ts';
import { decodeComplaint } from '../../../packages/secagg/src/messages/complaint.ts';
import { decodeConfirm, decodeConfirmations, encodeConfirmations } from '../../../packages/secagg/src/messages/confirm.ts';
import { decodeMaskedInput, decodeSurvivors, encodeSurvivors } from '../../../packages/secagg/src/messages/input.ts';
import { boxAad, decodeDelivery, decodeShares, encodeDelivery } from '../../../packages/secagg/src/messages/share.ts';
import type { ShareBox } from '../../../packages/secagg/src/messages/share.ts';
import { decodeReceipt, decodeUnmask, encodeReceipt } from '../../../packages/secagg/src/messages/unmask.ts';
import { MESSAGE_TYPES } from '../../../packages/secagg/src/messages/wire.ts';
import type { MessageName } from '../../../packages/secagg/src/messages/wire.ts';
import { roundParameters } from '../../../packages/secagg/src/parameters.ts';
import { defaultSitePolicy } from '../../../packages/secagg/src/policy.ts';
import { abortOf } from '../../../packages/secagg/src/abort.ts';
import { sharingGraph } from '../../../packages/secagg/src/graph.ts';
import { frozenOutcome, stepServer } from '../../../packages/secagg/src/server/machine.ts';
import { Adversary } from '../adversary.ts';
import { contextOf, crypto, identityOf, inputFor, NOW, runRound, TestClient, TestServer } from '../network.ts';
import type { ContextChanges } from '../network.ts';
import type { Attack } from './attack.ts';

const HONEST = ['anna', 'bert', 'carl'];
const ALL = [...HONEST, 'dora'];
const four = (): Adversary => new Adversary(HONEST, ['dora']);
const SESSION = new Uint8Array(32);
/** Room for three: the messages below have up to two of everything. */
const LIMITS = { nMax: 3, suite: 'x25519-mlkem768' } as const;
const VECTORS = [
  { name: 'a', length: 4, bits: 8 },
  { name: 'b', length: 2, bits: 8 },
];

/** A field of a message. Bytes have an exact length, or one up to `most`. */
type Field =
  | { readonly id: string }
  | { readonly u8: number }
  | { readonly u32: number }
  | { readonly bytes: number; readonly most?: number }
  | { readonly count: number; readonly of: number }
  /** Items of a list, of which there may be as many as the limits say, or `most`. */
  | {
      readonly list: readonly (readonly Field[])[];
      readonly most?: number;
      readonly sorted?: boolean;
      readonly framed?: boolean;
    };

const id = (name: string): Field => ({ id: name });
const bytes = (length: number): Field => ({ bytes: length });
const two = (item: (name: string) => readonly Field[], more: { readonly framed?: boolean } = {}): Field => ({
  list: ['a', 'b'].map(item),
  sorted: true,
  ...more,
});
const kem = (length: number): Field => ({ list: [[bytes(length)], [bytes(length)]], most: 2 });
const advert = (name: string): readonly Field[] => [
  id(name),
  { bytes: 200, most: 2048 },
  bytes(32),
  bytes(32),
  kem(1184),
  bytes(32),
  bytes(64),
];
const box = (name: string): readonly Field[] => [id(name), kem(1088), bytes(112)];
const confirmation = (name: string): readonly Field[] => [id(name), bytes(64)];

const MESSAGES: {
  readonly [name in MessageName]: { readonly fields: readonly Field[]; readonly decode: (data: Uint8Array) => unknown };
} = {
  advert: { fields: advert('a'), decode: (data) => decodeAdvert(SESSION, LIMITS, data) },
  roster: { fields: [two(advert, { framed: true })], decode: (data) => decodeRoster(SESSION, LIMITS, data) },
  shares: { fields: [id('a'), two(box), bytes(64)], decode: (data) => decodeShares(SESSION, LIMITS, data) },
  delivery: { fields: [two((name) => [id(name)]), two(box)], decode: (data) => decodeDelivery(SESSION, LIMITS, data) },
  maskedInput: {
    fields: [id('a'), two((name) => [id(name)]), bytes(64), { u32: 2 }, bytes(4), bytes(2)],
    decode: (data) => decodeMaskedInput(SESSION, LIMITS, VECTORS, data),
  },
  survivors: {
    fields: [two((name) => [id(name), bytes(32), bytes(64)])],
    decode: (data) => decodeSurvivors(SESSION, LIMITS, data),
  },
  confirm: { fields: confirmation('a'), decode: (data) => decodeConfirm(SESSION, data) },
  confirmations: { fields: [two(confirmation)], decode: (data) => decodeConfirmations(SESSION, LIMITS, data) },
  unmask: {
    fields: [id('a'), two((name) => [id(name), { u8: 1 }, bytes(32)]), bytes(64)],
    decode: (data) => decodeUnmask(SESSION, LIMITS, data),
  },
  receipt: {
    fields: [bytes(32), { u32: 2 }, bytes(32), two(confirmation), { bytes: 10, most: 65536 }, bytes(64)],
    decode: (data) => decodeReceipt(SESSION, LIMITS, data),
  },
  complaint: { fields: [id('a'), id('b'), bytes(64)], decode: (data) => decodeComplaint(SESSION, data) },
};

function write(writer: ByteWriter, fields: readonly Field[]): ByteWriter {
  for (const field of fields) {
    if ('id' in field) writer.text(field.id);
    else if ('u8' in field) writer.u8(field.u8);
    else if ('u32' in field) writer.u32(field.u32);
    else if ('bytes' in field) writer.bytes(new Uint8Array(field.bytes));
    else if ('count' in field) writer.u32(field.count);
    else {
      writer.list(field.list, (w, item) => {
        if (field.framed === true) w.bytes(write(new ByteWriter(), item).finish());
        else write(w, item);
      });
    }
  }
  return writer;
}

const message = (name: MessageName, fields: readonly Field[]): Uint8Array =>
  write(new ByteWriter().u8(1).u8(MESSAGE_TYPES[name]).bytes(SESSION), fields).finish();

/** Every message with one field that is wrong, and what must be said of it. */
function* wrong(fields: readonly Field[], ends: boolean = true): Generator<readonly [readonly Field[], RegExp]> {
  for (const [i, field] of fields.entries()) {
    const put = (other: readonly Field[]): readonly Field[] => [...fields.slice(0, i), ...other, ...fields.slice(i + 1)];
    if ('id' in field) {
      yield [put([id('')]), /empty|fit/];
      yield [put([id('x'.repeat(65))]), /longer than 64/];
    } else if ('bytes' in field) {
      const { most } = field;
      if (most === undefined) {
        yield [put([bytes(field.bytes + 1)]), /must have|longer than/];
        yield [put([bytes(field.bytes - 1)]), /must have|fit/];
      } else yield [put([bytes(most + 1)]), /longer than/];
    } else if ('list' in field) {
      const { list, most = LIMITS.nMax } = field;
      // An absurd count is refused by itself, and one that the rest cannot hold before anything is read.
      yield [[...fields.slice(0, i), { count: most + 1, of: 0 }, bytes(60_000)], new RegExp(`longer than ${most}`)];
      yield [[...fields.slice(0, i), { count: most, of: 0 }], /does not fit what is left/];
      if (field.sorted === true) {
        yield [put([{ ...field, list: [...list].reverse() }]), /ascending/];
        yield [put([{ ...field, list: [list[0]!, list[0]!] }]), /ascending/];
      }
      for (const [other, why] of wrong(list[0]!, field.framed === true)) {
        // Cut short, an item ends the message; framed, only itself.
        const cut = other.some((part) => 'count' in part);
        if (cut && field.framed !== true) yield [[...fields.slice(0, i), { u32: 1 }, ...other], why];
        else yield [put([{ ...field, list: [other] }]), why];
      }
    }
  }
  if (ends) yield [[...fields, { u8: 0 }], /trailing/];
}

const harary = (dropoutNumerator: number, dropoutDenominator: number): ContextChanges => ({
  mode: 'semi-honest',
  graph: { kind: 'harary', dropoutNumerator, dropoutDenominator },
});
const noise = { mechanism: 'skellam', localVariance: 1, honestMinimum: 2, vector: 'update' } as const;
const update = { name: 'update', length: 14, bits: 20 };

/** Contexts with one field out of range, and the name that is told. */
const WRONG_CONTEXTS: readonly (readonly [ContextChanges | Record<string, unknown>, RegExp])[] = [
  [{ suite: 'none' }, /suite/],
  [{ mode: 'honest' }, /mode/],
  [{ runId: '' }, /runId/],
  [{ round: -1 }, /round/],
  [{ attempt: -1 }, /attempt/],
  [{ attempt: 2 ** 32 }, /attempt/],
  [{ modelHash: new Uint8Array(31) }, /modelHash/],
  [{ planHash: new Uint8Array(31) }, /planHash/],
  [{ coordinatorKey: new Uint8Array(31) }, /coordinatorKey/],
  [{ deadlineMs: -1 }, /deadlineMs/],
  [{ quantiser: { clip: 0, scale: 1, bits: 8 } }, /clip/],
  [{ quantiser: { clip: 1, scale: 0, bits: 8 } }, /scale/],
  [{ quantiser: { clip: 1, scale: 1, bits: 33 } }, /bits/],
  [{ noise: { ...noise, mechanism: 'laplace' } }, /mechanism/],
  [{ noise: { ...noise, localVariance: -1 } }, /localVariance/],
  [{ noise: { ...noise, honestMinimum: 11 } }, /honestMinimum/],
  [{ noise: { ...noise, vector: 'other' } }, /noise\.vector/],
  [{ graph: { kind: 'ring' } }, /graph\.kind/],
  [harary(1, 0), /dropoutDenominator/],
  [harary(2, 1), /dropoutNumerator/],
  [{ vectors: [] }, /number of vectors/],
  [{ vectors: Array.from({ length: 65 }, (_, i) => ({ ...update, name: `v${i}` })) }, /number of vectors/],
  [{ vectors: [{ ...update, name: '' }] }, /vector name/],
  [{ vectors: [{ ...update, name: 'x'.repeat(65) }] }, /vector name/],
  [{ vectors: [{ ...update, length: 0 }] }, /length of vector/],
  [{ vectors: [{ ...update, bits: 0 }] }, /bits of vector/],
  [{ vectors: [{ ...update, bits: 33 }] }, /bits of vector/],
  [{ vectors: [{ ...update, length: 2 ** 32 - 1, bits: 32 }] }, /all packed vectors/],
  [{ cohort: { gammaDenominator: 0 } }, /gammaDenominator/],
  [{ cohort: { gammaNumerator: 4 } }, /gammaNumerator/],
  [{ cohort: { gammaNumerator: -1 } }, /gammaNumerator/],
  [{ cohort: { nMin: 2 } }, /nMin/],
  [{ cohort: { nMax: 2 } }, /nMax/],
  [{ cohort: { nMax: 65_536 } }, /nMax/],
  [{ cohort: { cMin: -1 } }, /cMin/],
  [{ cohort: { cMin: 11 } }, /cMin/],
  [{ cohort: { hMin: 1 } }, /hMin/],
  [{ cohort: { hMin: 11 } }, /hMin/],
];

/** Contexts that differ from one another in one field each. */
const DIFFERENT: readonly ContextChanges[] = [
  {},
  { suite: 'x25519-mlkem768' },
  { mode: 'semi-honest' },
  { runId: 'other' },
  { round: 2 },
  { attempt: 1 },
  { modelHash: SESSION },
  { planHash: SESSION },
  { vectors: [{ ...update, name: 'other' }] },
  { vectors: [{ ...update, length: 15 }] },
  { vectors: [{ ...update, bits: 21 }] },
  { quantiser: { clip: 3, scale: 1000, bits: 16 } },
  { quantiser: { clip: 4, scale: 999, bits: 16 } },
  { quantiser: { clip: 4, scale: 1000, bits: 15 } },
  { noise },
  { noise: { ...noise, localVariance: 2 } },
  { noise: { ...noise, honestMinimum: 3 } },
  { noise: { ...noise, vector: 'metrics' } },
  { noise: { ...noise, mechanism: 'discreteGaussian' } },
  { cohort: { gammaNumerator: 0 } },
  { cohort: { gammaDenominator: 4 } },
  { cohort: { cMin: 1 } },
  { cohort: { nMin: 4 } },
  { cohort: { nMax: 11 } },
  { cohort: { hMin: 3 } },
  harary(1, 10),
  harary(2, 10),
  harary(1, 11),
  { deadlineMs: NOW },
  { coordinatorKey: SESSION },
];

export const shapeAttacks: readonly Attack[] = [
  {
    name: 'a context with a field out of range',
    run() {
      checkContext(contextOf({ ...harary(1, 1) }));
      checkContext(contextOf({ ...harary(0, 1_000_000), cohort: { nMax: 65_535 } }));
      checkContext(contextOf({ cohort: { nMax: 512 } }));
      for (const [changes, name] of WRONG_CONTEXTS) {
        const context = contextOf(changes as ContextChanges);
        assert.throws(() => checkContext(context), name);
        assert.throws(() => contextHash(crypto, context), name);
        assert.throws(() => new TestClient(identityOf('anna'), context), name);
      }
      assert.throws(() => new TestClient(identityOf('anna'), contextOf(), { signingSeed: new Uint8Array(31) }), /signingSeed/);
    },
  },
  {
    name: 'two contexts that differ in one field and have one hash',
    run() {
      const hashes = DIFFERENT.map((changes) => {
        const made: RoundContext = contextOf(changes);
        return Buffer.from(contextHash(crypto, made)).toString('hex');
      });
      assert.equal(new Set(hashes).size, DIFFERENT.length);
      const models = [[1, 2], [2, 1], [1], [1, 2, 3]].map((weights) =>
        Buffer.from(modelHash(crypto, [Float32Array.from(weights)])).toString('hex'),
      );
      assert.equal(new Set(models).size, 4);
      // The order of the bytes is fixed.
      assert.deepEqual(
        modelHash(crypto, [Float32Array.of(1), Float32Array.of(-2)]),
        crypto.sha256(
          new ByteWriter()
            .text('sotto-secagg/1 model')
            .bytes(Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0))
            .finish(),
        ),
      );
    },
  },
  {
    name: 'every field of every message too long, too short, repeated, unsorted or followed by more',
    run() {
      let tried = 0;
      for (const [name, { fields, decode }] of Object.entries(MESSAGES) as [MessageName, (typeof MESSAGES)[MessageName]][]) {
        decode(message(name, fields));
        for (const [other, why] of wrong(fields)) {
          tried++;
          assert.throws(() => decode(message(name, other)), why, `${name} ${JSON.stringify(other)}`);
        }
      }
      assert.ok(tried > 120);
    },
  },
  {
    name: 'keys of another length, and coefficients at the modulus',
    run() {
      const good = crypto.x25519PublicKey(new Uint8Array(32).fill(9));
      assert.equal(isGoodX25519Key(good), true);
      assert.equal(isGoodX25519Key(good.subarray(1)), false);
      assert.equal(isGoodX25519Key(new Uint8Array([...good, 0])), false);
      // p − 1 is of low order, p − 2 is not; p and above are no encodings.
      const at = (low: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? low : i === 31 ? 0x7f : 0xff));
      assert.deepEqual(
        [0xeb, 0xec, 0xed, 0xee, 0xff].map((low) => isGoodX25519Key(at(low))),
        [true, false, false, false, false],
      );
      assert.equal(isGoodX25519Key(Uint8Array.from({ length: 32 }, (_, i) => (i === 1 ? 1 : 0))), true);
      const coefficients = (first: number, second: number): Uint8Array => {
        const key = new Uint8Array(1184);
        key.set([first & 0xff, (first >> 8) | ((second & 15) << 4), second >> 4], 1149);
        return key;
      };
      assert.equal(isGoodKemKey(coefficients(3328, 3328)), true);
      assert.equal(isGoodKemKey(coefficients(3329, 0)), false);
      assert.equal(isGoodKemKey(coefficients(0, 3329)), false);
      assert.equal(isGoodKemKey(new Uint8Array(1183)), false);
      assert.equal(isGoodKemKey(new Uint8Array(1185)), false);
    },
  },
  {
    name: 'steps that come at the wrong time or after the end',
    run() {
      const adversary = four().advertise();
      const anna = adversary.client('anna');
      const step = (input: ClientInput): unknown => stepClient(anna.setup, anna.state, input);
      assert.throws(() => step({ type: 'masked' }), /not masking/);
      assert.throws(() => step({ type: 'input', vectors: [] }), /not ready-for-input/);
      adversary.tell('anna', adversary.deliveryOf('anna'));
      const [update, metrics] = inputFor(adversary.context, 'anna') as [Uint32Array, Uint32Array];
      assert.throws(() => step({ type: 'input', vectors: [update] }), /1 vectors were given/);
      assert.throws(() => step({ type: 'input', vectors: [update, metrics, metrics] }), /3 vectors were given/);
      assert.throws(() => step({ type: 'input', vectors: [update, metrics.subarray(1)] }), /has 1 elements; the round says 2/);
      const done = four().runAll();
      const receipt = encodeReceipt(done.sid, {
        rootU2: SESSION,
        survivors: 4,
        sumHash: SESSION,
        confirmations: [],
        event: new Uint8Array(0),
        signature: new Uint8Array(64),
      });
      // A receipt that comes before the shares are open.
      for (const early of [four().advertise(), four().advertise().deliverAll()]) {
        const text = receipt.slice();
        text.set(early.sid, 6);
        early.tell('anna', text);
        assert.equal(early.code('anna'), 'unexpected-message');
      }
      const finished = runRound({ ids: ALL }).clients.get('anna')!;
      assert.equal(finished.state.phase, 'done');
      const cancelled = four().client('anna');
      cancelled.step({ type: 'cancel', reason: 'over' });
      for (const client of [finished, cancelled]) {
        const { state } = client;
        for (const input of [
          { type: 'message', message: receipt, nowMs: NOW },
          { type: 'input', vectors: [] },
          { type: 'masked' },
          { type: 'record-refused' },
          { type: 'cancel', reason: 'again' },
        ] as const) {
          assert.deepEqual(stepClient(client.setup, client.state, input), { state, outgoing: [], effects: [], consumed: [] });
        }
      }
    },
  },
  {
    name: 'answers are given again only while they are the last, in either mode',
    run() {
      const adversary = four().advertise();
      const [roster] = [adversary.rosterOf()];
      assert.equal(adversary.tell('anna', roster).length, 1); // the shares again
      adversary.deliverAll();
      assert.equal(adversary.tell('anna', roster).length, 0);
      assert.equal(adversary.client('anna').state.phase, 'awaiting-survivors');
      const ready = four().advertise();
      ready.tell('anna', ready.deliveryOf('anna'));
      assert.equal(ready.tell('anna', ready.deliveryOf('anna')).length, 0);
      const curious = new Adversary(HONEST, ['dora'], { context: { mode: 'semi-honest' } }).advertise().deliverAll();
      const survivors = curious.survivorsOf(ALL);
      const [first] = curious.tell('anna', survivors);
      const [second] = curious.tell('anna', survivors);
      assert.ok(first !== undefined);
      assert.deepEqual(second, first);
    },
  },
  {
    name: 'the own entry of U2 with another signature, and a confirmation by a name outside the roster',
    run() {
      const adversary = four().advertise().deliverAll();
      const entries = ALL.map((name) => adversary.entry(name));
      entries[0] = { ...entries[0]!, signature: entries[1]!.signature };
      adversary.tell('anna', encodeSurvivors(adversary.sid, entries));
      assert.equal(adversary.code('anna'), 'own-input');
      const stranger = four().advertise().deliverAll();
      stranger.freeze('anna', ALL);
      const confirmations = [...stranger.confirmations, { id: 'zoe', signature: new Uint8Array(64) }];
      stranger.tell('anna', encodeConfirmations(stranger.sid, confirmations));
      assert.equal(stranger.code('anna'), 'confirmations-not-survivors');
    },
  },
  {
    name: 'parties are named in a refusal, and a defect is not taken for one',
    run() {
      const adversary = four();
      const { signature: _, ...body } = adversary.adverts.get('dora')!;
      adversary.adverts.set('dora', { ...body, signature: new Uint8Array(64) });
      adversary.tell('anna', adversary.rosterOf());
      const { state } = adversary.client('anna');
      assert.deepEqual(state.phase === 'aborted' ? state.abort.parties : [], ['dora']);
      const out = four();
      out.tell('anna', out.rosterOf(['bert', 'carl', 'dora']));
      assert.equal(
        out.client('anna').state.phase === 'aborted' && 'parties' in (out.client('anna').state as { abort: object }).abort,
        false,
      );
      const broken = four();
      const client = broken.client('anna');
      for (const defect of [new TypeError('a defect'), new SottoError('internal', 'a defect')]) {
        const provider = {
          ...crypto,
          ed25519Verify: () => {
            throw defect;
          },
        };
        const input = { type: 'message', message: broken.rosterOf(), nowMs: NOW } as const;
        assert.throws(() => stepClient({ ...client.setup, crypto: provider }, client.state, input), /a defect/);
      }
    },
  },
  {
    name: 'boxes without their ciphertexts, of higher ids that do not open, or of another length',
    run() {
      // Hybrid: anna is the lowest, so no box that comes to it holds a confirmation. One that lacks its ciphertext is a missing share.
      const context = contextOf({ suite: 'x25519-mlkem768' });
      const server = new TestServer(context);
      const clients = ALL.map((name) => new TestClient(identityOf(name), context));
      for (const client of clients) server.receive(client.id, client.outbox[0]!);
      const rosters = server.close();
      for (const client of clients)
        for (const answer of client.receive(rosters.get(client.id)!)) server.receive(client.id, answer);
      const deliveries = server.close();
      const { sid } = server.state.session!;
      const limits = { nMax: 10, suite: 'x25519-mlkem768' } as const;
      for (const spoil of [
        (box: ShareBox): ShareBox => ({ ...box, kemCiphertexts: [] }),
        (box: ShareBox): ShareBox => ({ ...box, sealed: box.sealed.map((byte) => byte ^ 1) }),
      ]) {
        const { u1, boxes } = decodeDelivery(sid, limits, deliveries.get('anna')!);
        const anna = new TestClient(identityOf('anna'), context);
        anna.receive(rosters.get('anna')!);
        anna.receive(encodeDelivery(sid, { u1, boxes: boxes.map((box) => (box.peer === 'dora' ? spoil(box) : box)) }));
        assert.deepEqual(anna.state.phase === 'ready-for-input' ? anna.state.missing : anna.state.phase, ['dora']);
      }
      // A colluding dealer seals more than the suite has; the coordinator lets it pass.
      const adversary = four().advertise();
      const { channelSecret } = adversary.corrupt.get('dora')!;
      const key = channelKey(
        crypto,
        adversary.sid,
        crypto.x25519(channelSecret, adversary.adverts.get('anna')!.channelKey)!,
        undefined,
        'dora',
        'anna',
      );
      const aad = boxAad(adversary.sid, 'dora', 'anna', 1, []);
      const sealed = crypto.aes256GcmSeal(key, new Uint8Array(12), aad, new Uint8Array(96));
      adversary.deliver(
        'anna',
        ALL,
        adversary.boxesFor('anna', ALL).map((box) => (box.peer === 'dora' ? { ...box, sealed } : box)),
      );
      assert.deepEqual(adversary.inputs.get('anna')?.missing, ['dora']);
    },
  },
  {
    name: 'limits of a vector where noise is named but none is drawn, and receipts of semi-honest rounds',
    run() {
      const context = contextOf({ noise: { mechanism: 'none', localVariance: 0, honestMinimum: 0, vector: 'update' } });
      assert.equal(inputLimit(context, context.vectors[0]!), Math.floor((2 ** 20 - 1) / 10));
      const { clients } = runRound({ ids: ALL, context: contextOf({ mode: 'semi-honest' }) });
      for (const client of clients.values()) assert.equal(client.state.phase, 'done');
    },
  },
  {
    name: 'a coordinator with another seed, and messages, closes and cancels that are none or come too late',
    run() {
      const context = contextOf();
      assert.throws(() => new TestServer(context, { coordinatorSeed: new Uint8Array(32) }), /not that of the coordinator key/);
      assert.throws(() => new TestServer(context, { coordinatorSeed: new Uint8Array(31) }), /coordinatorSeed/);
      assert.throws(() => new TestServer(contextOf({ cohort: { hMin: 1 } })), /hMin/);
      const server = new TestServer(context);
      const refused = (data: Uint8Array): void => {
        const verdict = server.receive('anna', data);
        assert.equal(verdict.type === 'refused' ? verdict.abort.code : verdict.type, 'malformed');
      };
      refused(new Uint8Array(0));
      refused(Uint8Array.of(1, 99));
      refused(message('receipt', MESSAGES.receipt.fields));
      refused(message('complaint', MESSAGES.complaint.fields)); // not while inputs come in
      const advert = message('advert', MESSAGES.advert.fields);
      advert[0] = 2;
      refused(advert);
      const { setup, state } = runRound({ ids: ALL }).server;
      assert.throws(() => stepServer(setup, state, { type: 'masksRemoved' }), /stage done/);
      assert.throws(() => stepServer(setup, state, { type: 'closeStage' }), /stage done/);
      assert.equal(stepServer(setup, state, { type: 'cancel', reason: 'late' }).state.stage, 'done');
      const { setup: other, state: over } = new TestServer(context);
      stepServer(other, over, { type: 'cancel', reason: 'first' });
      assert.equal(stepServer(other, over, { type: 'cancel', reason: 'second' }).state.abort?.message, 'first');
    },
  },
  {
    name: 'messages to a coordinator twice, changed, early or late, and an event that is too long',
    run() {
      const context = contextOf();
      const server = new TestServer(context);
      const clients = new Map(ALL.map((name) => [name, new TestClient(identityOf(name), context)]));
      const advert = clients.get('anna')!.outbox[0]!;
      const verdict = (from: string, data: Uint8Array): string => {
        const told = server.receive(from, data);
        return told.type === 'refused' ? told.abort.code : told.type;
      };
      const other = new TestClient(identityOf('anna'), context, { seed: 'other' }).outbox[0]!;
      assert.equal(verdict('anna', advert), 'accepted');
      assert.equal(verdict('anna', advert), 'repeated');
      assert.equal(verdict('anna', other), 'equivocation');
      assert.equal(verdict('anna', message('shares', MESSAGES.shares.fields)), 'unexpected-message');
      for (const name of ALL.slice(1)) server.receive(name, clients.get(name)!.outbox[0]!);
      const rosters = server.close();
      assert.equal(verdict('anna', advert), 'repeated');
      assert.equal(verdict('anna', other), 'late');
      for (const [name, client] of clients) for (const answer of client.receive(rosters.get(name)!)) server.receive(name, answer);
      server.close();
      assert.equal(frozenOutcome(server.state, 'share', 'zoe'), undefined);
      // The round of these members, to its end.
      const whole = runRound({ ids: ALL, losses: { anna: 'unmask', bert: 'unmask' } }).server;
      assert.equal(whole.state.abort?.code, 'recovery-failed');
      const event = (length: number): TestServer => {
        const made = new Adversary(HONEST, ['dora']).runAll();
        const coordinator = new TestServer(made.context);
        for (const stage of [0, 1, 2, 3, 4]) {
          for (const name of ALL) {
            const sent = made.client(name).outbox[stage];
            if (sent !== undefined) coordinator.receive(name, sent);
          }
          if (stage < 4) coordinator.close();
        }
        coordinator.close(new Uint8Array(length));
        return coordinator;
      };
      assert.equal(event(65_536).state.stage, 'done');
      assert.throws(() => event(65_537), /the limit is 65536/);
    },
  },
  {
    name: 'sizes, suites and peers that a policy and a graph allow are allowed',
    run() {
      const policy = { ...defaultSitePolicy, peers: ALL, suites: ['x25519'] as const };
      const run = runRound({ ids: ALL, client: { policy } });
      for (const client of run.clients.values()) assert.equal(client.state.phase, 'done');
      const context = contextOf({ cohort: { nMax: 512 } });
      const names = Array.from({ length: 512 }, (_, i) => `p${i}`);
      const graph = sharingGraph(crypto, context, roundParameters(512, context.cohort), SESSION, names);
      assert.equal(graph.holdersOf(0).length, 512);
      // At the coordinator, too, a size without a degree ends the round by name.
      assert.deepEqual(abortOf(new SottoError('unsupported', 'no degree')), { code: 'roster-size', message: 'no degree' });
    },
  },
  {
    name: 'a rule or a size that no parameters come from, and ciphertexts where the suite has none',
    run() {
      const rule = contextOf().cohort;
      checkContext(contextOf({ cohort: { gammaNumerator: 0, gammaDenominator: 1 } }));
      assert.throws(() => roundParameters(4, { ...rule, hMin: 1 }), /hMin/);
      assert.throws(() => roundParameters(4.5, rule), /n is 4.5/);
      const { fields, decode } = MESSAGES.shares;
      decode(message('shares', fields));
      assert.throws(() => decodeShares(SESSION, { nMax: 3, suite: 'x25519' }, message('shares', fields)), /longer than 0/);
    },
  },
  {
    name: 'a mask job that is cancelled, or whose target is too short',
    run() {
      const job = (length: number) => ({
        vectors: [{ name: 'a', length: 20_000, bits: 8 }],
        targets: [new Uint32Array(length)],
        streams: [{ keys: [SESSION], sign: 1 as const }],
      });
      const seen: number[] = [];
      runMaskJob(crypto, job(20_000), { progress: (done) => seen.push(done) });
      assert.deepEqual(seen, [16_384, 20_000]);
      assert.throws(() => runMaskJob(crypto, job(20_000), { signal: { aborted: true } as never }), /cancelled/);
      assert.throws(() => runMaskJob(crypto, job(19_999)), /has 19999 elements/);
    },
  },
];
