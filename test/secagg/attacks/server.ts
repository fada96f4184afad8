/** What bad clients, bad luck and bad shares can do to an honest coordinator: a named refusal or abort, never a wrong sum. */
import assert from 'node:assert/strict';
import { equalBytes, toHex } from '../../../packages/core/src/bytes.ts';
import type { CryptoProvider } from '../../../packages/core/src/crypto.ts';
import { gf256, invert, multiply } from '../../../packages/secagg/src/field.ts';
import type { ClientSetup } from '../../../packages/secagg/src/client/state.ts';
import { maskStream, runMaskJob } from '../../../packages/secagg/src/masks.ts';
import { decodeAdvert, encodeAdvert, encodeRoster, signAdvert } from '../../../packages/secagg/src/messages/advertise.ts';
import { decodeMaskedInput, encodeMaskedInput, inputHash, signInput } from '../../../packages/secagg/src/messages/input.ts';
import { decodeShares, encodeShares, signShares } from '../../../packages/secagg/src/messages/share.ts';
import type { ShareBox } from '../../../packages/secagg/src/messages/share.ts';
import { decodeUnmask, encodeUnmask, signUnmask } from '../../../packages/secagg/src/messages/unmask.ts';
import type { OpenedShare } from '../../../packages/secagg/src/messages/unmask.ts';
import { takeUnmask } from '../../../packages/secagg/src/server/unmask.ts';
import { checkBlame } from '../../../packages/secagg/src/server/blame.ts';
import type { Blame } from '../../../packages/secagg/src/server/blame.ts';
import { pack, unpack } from '../../../packages/secagg/src/packing.ts';
import { selfKey } from '../../../packages/secagg/src/keys.ts';
import { COMPLETE_GRAPH_MAX, parametersOf } from '../../../packages/secagg/src/parameters.ts';
import { Adversary } from '../adversary.ts';
import { contextOf, crypto, identityOf, inputFor, plainSum, runRound, TestClient, TestServer, trust } from '../network.ts';
import type { ContextChanges } from '../network.ts';
import type { Attack } from './attack.ts';

type Stage = 'advertise' | 'share' | 'masked' | 'confirm' | 'unmask';
type Tamper = Partial<
  Record<Stage, (id: string, message: Uint8Array, server: TestServer, client: TestClient) => Uint8Array | undefined>
>;

interface Run {
  readonly server: TestServer;
  readonly clients: ReadonlyMap<string, TestClient>;
  readonly context: ReturnType<typeof contextOf>;
  /** Codes of refused messages, as `stage id code`. */
  readonly refused: string[];
}

const FIVE = ['anna', 'bert', 'carl', 'dora', 'emil'];
const WIRE = { nMax: 10, suite: 'x25519' as const };

const HYBRID: ContextChanges = { suite: 'x25519-mlkem768' };

/** A round with an honest coordinator in which some messages are changed on the way (by whoever holds the client's key). */
export function tampered(
  ids: readonly string[],
  tamper: Tamper,
  changes: ContextChanges = {},
  setups: Readonly<Record<string, Partial<ClientSetup>>> = {},
): Run {
  const context = contextOf(changes);
  const server = new TestServer(context);
  const clients = new Map(ids.map((id) => [id, new TestClient(identityOf(id), context, setups[id])]));
  const refused: string[] = [];
  const send = (stage: Stage, id: string, message: Uint8Array | undefined): void => {
    const changed =
      message === undefined ? undefined : (tamper[stage] ?? ((_, same) => same))(id, message, server, clients.get(id)!);
    if (changed === undefined) return;
    const verdict = server.receive(id, changed);
    if (verdict.type === 'refused') refused.push(`${stage} ${id} ${verdict.abort.code}`);
  };
  for (const [id, client] of clients) send('advertise', id, client.outbox[0]);
  for (const stage of ['share', 'masked', 'confirm', 'unmask'] as const) {
    const outgoing = server.close();
    if (server.state.stage === 'aborted') return { server, clients, context, refused };
    for (const [id, message] of outgoing) {
      const client = clients.get(id)!;
      let answers = client.receive(message);
      if (client.state.phase === 'ready-for-input') {
        client.input = inputFor(context, id);
        answers = client.step({ type: 'input', vectors: client.input });
      }
      send(stage, id, answers[0]);
    }
  }
  server.close();
  return { server, clients, context, refused };
}

function assertExact(run: Run, members: readonly string[]): void {
  assert.equal(run.server.state.abort?.code, undefined);
  assert.deepEqual(run.server.result?.members, members);
  assert.deepEqual(run.server.result?.sums, plainSum(run, members));
}

function assertNoSum(run: Run, code: string): void {
  assert.equal(run.server.state.abort?.code, code);
  assert.equal(run.server.result, undefined);
}

/** Rewrites one member's round-4 answer, properly signed. */
function answering(id: string, change: (shares: readonly OpenedShare[]) => readonly OpenedShare[]): Tamper {
  return {
    unmask: (from, message, server) => {
      if (from !== id) return message;
      const { sid } = server.state.session!;
      const shares = change(decodeUnmask(sid, WIRE, message).shares);
      return encodeUnmask(sid, signUnmask(crypto, identityOf(id).signingSeed, sid, { id, shares }));
    },
  };
}

function sharing(id: string, change: (boxes: readonly ShareBox[]) => readonly ShareBox[]): Tamper {
  return {
    share: (from, message, server) => {
      if (from !== id) return message;
      const { sid } = server.state.session!;
      const boxes = change(decodeShares(sid, WIRE, message).boxes);
      return encodeShares(sid, signShares(crypto, identityOf(id).signingSeed, sid, { id, boxes }));
    },
  };
}

const flip = (bytes: Uint8Array, at = 0): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
const wrongShareOf =
  (dealer: string) =>
  (shares: readonly OpenedShare[]): readonly OpenedShare[] =>
    shares.map((opened) => (opened.dealer === dealer ? { ...opened, share: flip(opened.share, 7) } : opened));

/** A provider whose second encapsulation, which is that to the first peer's mask key, gives another ciphertext than its secret belongs to. */
function anotherCiphertext(replaced: Set<string> = new Set()): CryptoProvider {
  let calls = 0;
  return {
    ...crypto,
    mlKem768Encapsulate(key, coins) {
      const made = crypto.mlKem768Encapsulate(key, coins);
      calls++;
      if (made === undefined || calls !== 2) return made;
      const ciphertext = flip(made.ciphertext);
      replaced.add(toHex(ciphertext));
      return { ...made, ciphertext };
    },
  };
}

/** One member's box for another, with a mask ciphertext that its encryption does not fit, properly signed. */
function changedOnTheWay(from: string, to: string): Tamper {
  return {
    share: (id, message, server) => {
      if (id !== from) return message;
      const { sid } = server.state.session!;
      const boxes = decodeShares(sid, { nMax: 10, suite: 'x25519-mlkem768' }, message).boxes.map((box) =>
        box.peer === to ? { ...box, kemCiphertexts: [box.kemCiphertexts[0]!, flip(box.kemCiphertexts[1]!)] } : box,
      );
      return encodeShares(sid, signShares(crypto, identityOf(id).signingSeed, sid, { id, boxes }));
    },
  };
}

/** Evaluates at `x` the polynomials through the given shares, byte by byte. */
function interpolate(points: readonly { readonly x: number; readonly share: Uint8Array }[], x: number): Uint8Array {
  const out = new Uint8Array(32);
  for (const [i, { x: own, share }] of points.entries()) {
    let factor = 1;
    for (const [j, other] of points.entries()) {
      if (i !== j) factor = multiply(gf256, factor, multiply(gf256, x ^ other.x, invert(gf256, own ^ other.x)));
    }
    for (let e = 0; e < 32; e++) out[e]! ^= multiply(gf256, factor, share[e]!);
  }
  return out;
}

/**
 * The last c of n members answer on another polynomial, which goes through t − 1 honest shares (t − 2 with the right secret at 0), and the
 * coordinator shows only the answers that fit, and one more: that of an honest holder of an honest dealer, who now stands out.
 */
function frameHonestHolder(n: number, c: number, secretKept: boolean): void {
  const ids = Array.from({ length: n }, (_, i) => `m${String.fromCharCode(97 + i)}`);
  const honest = ids.slice(0, n - c);
  const colluding = ids.slice(n - c);
  const adversary = new Adversary(honest, colluding, { context: { cohort: { nMax: 20 } } }).runAll();
  const { t } = parametersOf(n, adversary.context.cohort);
  const dealer = honest[0]!;
  const pointOf = (id: string): number => ids.indexOf(id) + 1;
  const shareOf = (holder: string): { readonly x: number; readonly share: Uint8Array } => {
    const { share } = adversary.opened.find((opened) => opened.holder === holder && opened.dealer === dealer)!;
    return { x: pointOf(holder), share };
  };
  const fitting = honest.slice(0, secretKept ? t - 2 : t - 1);
  const victim = honest[fitting.length]!;
  const kept = secretKept ? [{ x: 0, share: interpolate(honest.slice(0, t).map(shareOf), 0) }] : [];
  const forged = [...fitting.map(shareOf), ...kept, { x: pointOf(colluding[0]!), share: crypto.sha256(new Uint8Array(1)) }];
  const answers = [...fitting, victim].map((id) => adversary.client(id).outbox.at(-1)!);
  for (const id of colluding) {
    const shares = adversary.opened
      .filter((opened) => opened.holder === id)
      .map(({ dealer: of, kind, share }) => ({
        dealer: of,
        kind,
        share: of === dealer ? interpolate(forged, pointOf(id)) : share,
      }));
    answers.push(encodeUnmask(adversary.sid, signUnmask(crypto, identityOf(id).signingSeed, adversary.sid, { id, shares })));
  }
  const evidence = [encodeRoster(adversary.ctx, adversary.roster), encodeShares(adversary.sid, adversary.shares.get(dealer)!)];
  const blame = checkBlame({ crypto, trust }, adversary.context, { dealer, evidence: [...evidence, ...answers] });
  assert.deepEqual(blame, { holders: [victim], conclusive: false });
}

/** Semi-honest rounds of 36 members with losses at three stages; sparse where the limit of the complete graph is lowered. */
function sparseRound(): void {
  const graph = { kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 10 } as const;
  const context = contextOf({ mode: 'semi-honest', graph, cohort: { nMax: 36, gammaNumerator: 1, gammaDenominator: 20 } });
  const ids = Array.from({ length: 36 }, (_, i) => `p${i}`).sort();
  const losses = { p3: 'masked', p11: 'share', p20: 'unmask' } as const;
  const run = runRound({ ids, context, losses });
  assert.equal(run.server.state.abort?.code, undefined);
  const members = ids.filter((id) => id !== 'p3' && id !== 'p11');
  assert.deepEqual(run.server.result?.members, members);
  assert.deepEqual(run.server.result?.sums, plainSum(run, members));
  const { holders, threshold } = run.server.state.session!;
  for (const [place, list] of holders.entries()) {
    assert.ok(list.includes(place) && list.length >= threshold);
    for (const holder of list) assert.ok(holders[holder]!.includes(place));
  }
  if (COMPLETE_GRAPH_MAX >= 36) return;
  assert.ok(holders[0]!.length < 36);
  // Somebody who is no holder of p0 opens a share of it.
  const [dealer, from] = ['p0', ids.find((id, place) => members.includes(id) && !holders[ids.indexOf('p0')]!.includes(place))!];
  const { sid } = run.server.state.session!;
  const answer = { id: from, shares: [{ dealer, kind: 'b' as const, share: new Uint8Array(32) }] };
  const message = encodeUnmask(sid, signUnmask(crypto, identityOf(from).signingSeed, sid, answer));
  assert.throws(() => takeUnmask(run.server.setup, run.server.state, from, message), /not asked for/);
}

export const serverAttacks: readonly Attack[] = [
  { name: 'a semi-honest round of many is exact', run: sparseRound },
  {
    name: 'the coordinator never holds an unmasked update',
    run() {
      const run = tampered(
        FIVE,
        {},
        {
          vectors: [
            { name: 'update', length: 3000, bits: 20 },
            { name: 'metrics', length: 2, bits: 13 },
          ],
        },
      );
      assertExact(run, FIVE);
      const { sid, places } = run.server.state.session!;
      const received = run.server.received.map(toHex);
      for (const [id, client] of run.clients) {
        const update = client.input[0]!;
        // Any 12 elements in a row, at any width they might be stored in, at any byte offset of anything received.
        for (const bits of [20, 24, 32]) {
          for (const start of [0, 1, 17, 100]) {
            const piece = toHex(pack(update.slice(start * 8, start * 8 + 16), bits));
            assert.ok(
              received.every((text) => !text.includes(piece)),
              `${id} at ${bits} bits`,
            );
          }
        }
        // The masked vector is uniform in its 16 highest values, by χ² with 15 degrees of freedom (10^-6 quantile 58.7) …
        const message = run.server.received.find(
          (data) => data[1] === 5 && toHex(data).includes(toHex(new TextEncoder().encode(id))),
        )!;
        const masked = unpack(decodeMaskedInput(sid, WIRE, run.context.vectors, message).vectors[0]!, 20, 3000);
        const opened = [...masked];
        const counts = new Array<number>(16).fill(0);
        for (const value of opened) counts[value >>> 16]!++;
        const expected = 3000 / 16;
        assert.ok(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) < 58.7, `${id} is not uniform`);
        assert.equal(places.has(id), true);
      }
      // … and taking off the self mask, which round 4 opens, still leaves the pairwise ones on.
      const first = run.server.received.find((data) => data[1] === 5)!;
      const target = unpack(decodeMaskedInput(sid, WIRE, run.context.vectors, first).vectors[0]!, 20, 3000);
      const state = run.clients.get('anna')!;
      const b = knownSelfMask('anna', run);
      const streams = [maskStream(crypto, selfKey(crypto, sid, b, 'anna'), run.context.vectors, -1)];
      const targets = [target, new Uint32Array(2)];
      runMaskJob(crypto, { vectors: run.context.vectors, targets, streams });
      assert.notDeepEqual(target, state.input[0]);
    },
  },
  {
    name: 'an advertisement of another, unsigned, twice different, or with a used key is refused',
    run() {
      const other = tampered(FIVE, {
        advertise: (id, message, _, client) => (id === 'emil' ? clientOf(client, 'dora') : message),
      });
      assert.deepEqual(other.refused, ['advertise emil unexpected-message']);
      assertExact(other, FIVE.slice(0, 4));
      const unsigned = tampered(FIVE, {
        advertise: (id, message) => (id === 'emil' ? flip(message, message.length - 70) : message),
      });
      assert.deepEqual(unsigned.refused, ['advertise emil bad-signature']);
      const copied = tampered(FIVE, {
        advertise: (id, message, server) => {
          if (id !== 'emil') return message;
          const { ctx } = server.state;
          const { signature: _, ...body } = decodeAdvert(ctx, WIRE, message);
          const maskKey = server.state.adverts.get('anna')!.advert.maskKey;
          return encodeAdvert(ctx, signAdvert(crypto, identityOf('emil').signingSeed, ctx, { ...body, maskKey }));
        },
      });
      assert.deepEqual(copied.refused, ['advertise emil duplicate-key']);
      assertExact(copied, FIVE.slice(0, 4));
    },
  },
  {
    name: 'boxes that are missing, for strangers, or not signed are refused',
    run() {
      const short = tampered(
        FIVE,
        sharing('emil', (boxes) => boxes.slice(1)),
      );
      assert.deepEqual(short.refused, ['share emil malformed']);
      assertExact(short, FIVE.slice(0, 4));
      const last = tampered(
        FIVE,
        sharing('emil', (boxes) => boxes.slice(0, -1)),
      );
      assert.deepEqual(last.refused, ['share emil malformed']);
      const renamed = tampered(
        FIVE,
        sharing('emil', (boxes) => boxes.map((box, i) => (i === 3 ? { ...box, peer: 'doris' } : box))),
      );
      assert.deepEqual(renamed.refused, ['share emil malformed']);
      const unsigned = tampered(FIVE, { share: (id, message) => (id === 'emil' ? flip(message, message.length - 1) : message) });
      assert.deepEqual(unsigned.refused, ['share emil bad-signature']);
      assertExact(unsigned, FIVE.slice(0, 4));
    },
  },
  {
    name: 'a y of the wrong size, with spare bits, or with another signature is no y',
    run() {
      const change = (edit: (vectors: readonly Uint8Array[]) => readonly Uint8Array[], sign = true): Tamper => ({
        masked: (id, message, server) => {
          if (id !== 'emil') return message;
          const { session, rootU1 } = server.state;
          const input = decodeMaskedInput(session!.sid, WIRE, server.setup.context.vectors, message);
          const vectors = edit(input.vectors);
          const digest = inputHash(crypto, vectors);
          const signature = sign
            ? signInput(crypto, identityOf('emil').signingSeed, session!.sid, rootU1, digest)
            : input.signature;
          return encodeMaskedInput(session!.sid, { ...input, vectors, signature });
        },
      });
      const longer = tampered(
        FIVE,
        change(([a, b]) => [new Uint8Array(a!.length + 1), b!]),
      );
      assert.deepEqual(longer.refused, ['masked emil malformed']);
      const shorter = tampered(
        FIVE,
        change(([a, b]) => [a!.subarray(1), b!]),
      );
      assert.deepEqual(shorter.refused, ['masked emil malformed']);
      const fewer = tampered(
        FIVE,
        change(([a]) => [a!]),
      );
      assert.deepEqual(fewer.refused, ['masked emil malformed']);
      const spare = tampered(
        FIVE,
        change(([a, b]) => [a!, b!.map((byte, i) => (i === b!.length - 1 ? byte | 0x80 : byte))]),
      );
      assert.deepEqual(spare.refused, ['masked emil malformed']);
      const forged = tampered(
        FIVE,
        change(([a, b]) => [flip(a!), b!], false),
      );
      assert.deepEqual(forged.refused, ['masked emil bad-signature']);
      for (const run of [longer, shorter, fewer, spare, forged]) assertExact(run, FIVE.slice(0, 4));
    },
  },
  {
    name: 'a truncated y is no y',
    run() {
      const run = tampered(FIVE, {
        masked: (id, message) => (id === 'emil' ? message.subarray(0, message.length - 3) : message),
      });
      assert.deepEqual(run.refused, ['masked emil malformed']);
      assertExact(run, FIVE.slice(0, 4));
    },
  },
  {
    name: 'one wrong share is corrected and blamed on dealer or holder, never on a holder alone',
    run() {
      // Six members: t = 4, so six answers carry one error.
      const six = [...FIVE, 'fred'];
      const run = tampered(six, answering('bert', wrongShareOf('carl')));
      assertExact(run, six);
      const blamed = run.server.incidents.filter((incident) => incident.kind === 'bad-share');
      assert.deepEqual(
        blamed.map((incident) => incident.parties),
        [['carl', 'bert']],
      );
      assert.match(blamed[0]!.message, /: the dealer or the holder lied$/);
      // Seven: t = 5 and c = 2, and six who agree are too few for the last word.
      const seven = tampered([...six, 'gina'], answering('bert', wrongShareOf('carl')));
      assert.match(
        seven.server.incidents.find((incident) => incident.kind === 'bad-share')!.message,
        /6 answers agree, and 7 would have to/,
      );
      // A third party finds the same from the signed messages, and not from changed ones.
      const { evidence } = blamed[0]!;
      const check = (messages: readonly Uint8Array[]): Blame =>
        checkBlame({ crypto, trust }, run.context, { dealer: 'carl', evidence: messages });
      // c = 1 and t = 4: five answers that agree hold four honest ones.
      assert.deepEqual(check(evidence), { holders: ['bert'], conclusive: true });
      // With one of them held back, the one colluder might be among those who agree: too few are left to decode at all.
      assert.throws(() => check(evidence.toSpliced(2, 1)), /disagree/);
      assert.throws(
        () => check(evidence.map((message, i) => (i === 3 ? flip(message, message.length - 80) : message))),
        /not signed/,
      );
      assert.throws(() => check([evidence[0]!, ...evidence.slice(2)]), /shares|unmask/);
    },
  },
  {
    name: 'evidence of a blame that is forged, incomplete, repeated or mixed',
    run() {
      const six = [...FIVE, 'fred'];
      const run = tampered(six, answering('bert', wrongShareOf('carl')));
      const { evidence } = run.server.incidents.find((incident) => incident.kind === 'bad-share')!;
      const [roster, shares, ...answers] = evidence as [Uint8Array, Uint8Array, ...Uint8Array[]];
      const refused = (messages: readonly Uint8Array[], why: RegExp): void =>
        assert.throws(() => checkBlame({ crypto, trust }, run.context, { dealer: 'carl', evidence: messages }), why);
      refused([], /the roster or the shares are missing/);
      refused([roster], /the roster or the shares are missing/);
      // Boxes that carl did not sign.
      const { sid } = run.server.state.session!;
      const { boxes } = decodeShares(sid, WIRE, shares);
      const forged = signShares(crypto, identityOf('bert').signingSeed, sid, { id: 'carl', boxes: boxes.slice(1) });
      refused([roster, encodeShares(sid, forged), ...answers], /not signed by carl/);
      const renamed = signShares(crypto, identityOf('carl').signingSeed, sid, { id: 'bert', boxes });
      refused([roster, encodeShares(sid, renamed), ...answers], /not signed by carl/);
      refused([roster, shares, ...answers, answers[0]!], /there twice/);
      // Boxes and an answer of somebody who is not in the roster.
      const seed = identityOf('zoe').signingSeed;
      const stranger = encodeShares(sid, signShares(crypto, seed, sid, { id: 'zoe', boxes }));
      assert.throws(
        () => checkBlame({ crypto, trust }, run.context, { dealer: 'zoe', evidence: [roster, stranger, ...answers] }),
        /not signed by zoe/,
      );
      const opened = decodeUnmask(sid, WIRE, answers[0]!).shares;
      refused(
        [roster, shares, ...answers, encodeUnmask(sid, signUnmask(crypto, seed, sid, { id: 'zoe', shares: opened }))],
        /not signed by zoe/,
      );
      // bert opens r where the others open b, properly signed.
      const mixed = answers.map((message) => {
        const answer = decodeUnmask(sid, WIRE, message);
        if (answer.id !== 'bert') return message;
        const other = answer.shares.map((share) => (share.dealer === 'carl' ? { ...share, kind: 'r' as const } : share));
        return encodeUnmask(sid, signUnmask(crypto, identityOf('bert').signingSeed, sid, { id: 'bert', shares: other }));
      });
      refused([roster, shares, ...mixed], /both kinds/);
      // An answer without a share of carl's says nothing of it.
      const silent = answers.map((message) => {
        const answer = decodeUnmask(sid, WIRE, message);
        if (answer.id !== 'bert') return message;
        const rest = answer.shares.filter((share) => share.dealer !== 'carl');
        return encodeUnmask(sid, signUnmask(crypto, identityOf('bert').signingSeed, sid, { id: 'bert', shares: rest }));
      });
      assert.deepEqual(checkBlame({ crypto, trust }, run.context, { dealer: 'carl', evidence: [roster, shares, ...silent] }), {
        holders: [],
        conclusive: true,
      });
      // One answer fewer, and the one wrong share cannot be told any more.
      refused([roster, shares, ...answers.slice(1)], /too many of the shares/);
    },
  },
  {
    name: 'colluding holders who make an honest one stand out: the evidence is not conclusive',
    run() {
      frameHonestHolder(7, 2, false);
      frameHonestHolder(10, 3, false);
      // Even where the secret at 0 stays right, so that the dealer's commitment opens.
      frameHonestHolder(10, 3, true);
    },
  },
  {
    name: 'a bad share dealt to one honest holder does not name the holder alone',
    run() {
      const six = [...FIVE, 'fred'];
      // A dishonest dealer cannot be told from a dishonest holder: what the coordinator sees is the same.
      const run = tampered(six, answering('emil', wrongShareOf('anna')));
      assertExact(run, six);
      for (const incident of run.server.incidents) assert.ok(incident.kind !== 'bad-share' || incident.parties.includes('anna'));
    },
  },
  {
    name: 'more wrong shares than can be told end the round with a name',
    run() {
      const run = tampered(FIVE, answering('bert', wrongShareOf('carl')), {});
      // n = 5: t = 4, five answers carry no error; the first four shares include the wrong one.
      assertNoSum(run, 'recovery-failed');
      assert.ok(run.server.incidents.some((incident) => incident.kind === 'unrecoverable' && incident.parties.includes('carl')));
      assert.equal(run.server.incidents.length, 1);
    },
  },
  {
    name: 'a wrong share of a lost member ends the round with a name',
    run() {
      const lost = { masked: (id: string, message: Uint8Array) => (id === 'emil' ? undefined : message) };
      const run = tampered(FIVE, { ...lost, ...answering('anna', wrongShareOf('emil')) });
      assertNoSum(run, 'recovery-failed');
    },
  },
  {
    name: 'an answer of the wrong kind, unsigned, or for a stranger is refused',
    run() {
      const kind = tampered(
        [...FIVE, 'fred'],
        answering('bert', (shares) => shares.map((opened) => (opened.dealer === 'carl' ? { ...opened, kind: 'r' } : opened))),
      );
      assert.deepEqual(kind.refused, ['unmask bert malformed']);
      assertExact(kind, [...FIVE, 'fred']);
      // emil has advertised and shared nothing: there is no share of its own to open. Nor is there one of a stranger.
      for (const dealer of ['emil', 'zoe']) {
        const more = answering(
          'bert',
          (shares) =>
            [...shares, { dealer, kind: 'r', share: new Uint8Array(32) }].sort((a, z) =>
              a.dealer < z.dealer ? -1 : 1,
            ) as OpenedShare[],
        );
        const run = tampered(FIVE, { ...more, share: (id, message) => (id === 'emil' ? undefined : message) });
        assert.deepEqual(run.refused, ['unmask bert malformed']);
      }
      const unsigned = tampered([...FIVE, 'fred'], {
        unmask: (id, message) => (id === 'bert' ? flip(message, message.length - 1) : message),
      });
      assert.deepEqual(unsigned.refused, ['unmask bert bad-signature']);
    },
  },
  {
    name: 'shares of the wrong length are refused',
    run() {
      const run = tampered(
        [...FIVE, 'fred'],
        answering('bert', (shares) => shares.map((opened) => ({ ...opened, share: opened.share.subarray(1) }))),
      );
      assert.deepEqual(run.refused, ['unmask bert malformed']);
      assertExact(run, [...FIVE, 'fred']);
    },
  },
  {
    name: 'a bad KEM ciphertext: the peer complains, signed, and leaves before its input',
    run() {
      const run = tampered(FIVE, {}, HYBRID, { anna: { crypto: anotherCiphertext() } });
      const { state } = run.clients.get('bert')!;
      assert.equal(state.phase === 'aborted' ? state.abort.code : state.phase, 'mask-key-mismatch');
      const complaint = run.server.incidents.find((incident) => incident.kind === 'complaint');
      assert.deepEqual(complaint?.parties, ['anna', 'bert']);
      assert.equal(complaint.evidence.length, 1);
      assert.equal(run.server.state.inputs.has('bert'), false);
      // anna's input came first: nobody can tell any more which key it was masked with.
      assertNoSum(run, 'mask-key-mismatch');
    },
  },
  {
    name: 'a complaint that comes before the input of whom it is about: both are left out, and the sum is exact',
    run() {
      let late: Uint8Array | undefined;
      const run = tampered(
        [...FIVE, 'fred', 'gina'],
        {
          // The input of anna waits until bert has complained.
          masked(id, message, server) {
            if (id === 'anna') late = message;
            if (id !== 'carl') return id === 'anna' ? undefined : message;
            const verdict = server.receive('anna', late!);
            assert.equal(verdict.type === 'refused' && verdict.abort.code, 'unexpected-message');
            return message;
          },
        },
        HYBRID,
        { anna: { crypto: anotherCiphertext() } },
      );
      assertExact(run, ['carl', 'dora', 'emil', 'fred', 'gina']);
    },
  },
  {
    name: 'hybrid: a lost member whose encapsulation key is not the one of its r',
    run() {
      // gina advertises the key of another seed and is lost, so that its r opens: what it decapsulates is not what the others masked with.
      let calls = 0;
      const other: CryptoProvider = {
        ...crypto,
        mlKem768PublicKey(seed) {
          calls++;
          return crypto.mlKem768PublicKey(calls === 2 ? seed.map((byte) => byte ^ 1) : seed);
        },
      };
      const lost: Tamper = { masked: (id, message) => (id === 'gina' ? undefined : message) };
      const run = tampered([...FIVE, 'fred', 'gina'], lost, HYBRID, { gina: { crypto: other } });
      assertNoSum(run, 'recovery-failed');
      assert.match(run.server.state.abort!.message, /do not give what it advertised/);
    },
  },
  {
    name: 'hybrid: a box of a lower id that does not open holds no confirmation, so the peer complains',
    run() {
      const run = tampered([...FIVE, 'fred'], changedOnTheWay('anna', 'bert'), HYBRID);
      const { state } = run.clients.get('bert')!;
      assert.equal(state.phase === 'aborted' ? state.abort.code : state.phase, 'mask-key-mismatch');
      assertNoSum(run, 'mask-key-mismatch');
    },
  },
  {
    name: 'a bad KEM ciphertext of a lost member is not the one of its r',
    run() {
      // bert colludes: told what the ciphertext should have been, it derives the same mask key and does not complain.
      const told: CryptoProvider = {
        ...crypto,
        mlKem768Decapsulate: (seed, ciphertext) =>
          crypto.mlKem768Decapsulate(seed, replaced.has(toHex(ciphertext)) ? flip(ciphertext) : ciphertext),
      };
      const replaced = new Set<string>();
      const run = tampered([...FIVE, 'fred'], { masked: (id, message) => (id === 'anna' ? undefined : message) }, HYBRID, {
        anna: { crypto: anotherCiphertext(replaced) },
        bert: { crypto: told },
      });
      assert.deepEqual(
        run.server.incidents.filter((incident) => incident.kind === 'complaint'),
        [],
      );
      assertNoSum(run, 'recovery-failed');
      assert.match(run.server.state.abort!.message, /mask ciphertext/);
    },
  },
  {
    name: 'what comes late is answered with the frozen set and changes nothing',
    run() {
      const context = contextOf();
      const server = new TestServer(context);
      const clients = FIVE.map((id) => new TestClient(identityOf(id), context));
      for (const client of clients.slice(0, 4)) server.receive(client.id, client.outbox[0]!);
      server.close();
      const late = server.receive('emil', clients[4]!.outbox[0]!);
      assert.equal(late.type, 'late');
      assert.equal(server.state.session!.roster.length, 4);
      const again = server.receive('anna', clients[0]!.outbox[0]!);
      assert.equal(again.type, 'repeated');
    },
  },
  {
    name: 'a repeated input is added once',
    run() {
      const run = tampered(FIVE, {
        masked: (id, message, server) => {
          if (id === 'anna') assert.equal(server.receive(id, message).type, 'accepted');
          return message;
        },
      });
      assertExact(run, FIVE);
    },
  },
];

function clientOf(client: TestClient, id: string): Uint8Array {
  return new TestClient(identityOf(id), client.setup.context).outbox[0]!;
}

/** b of a member, as a test may know it: the same seed gives the same secrets. */
function knownSelfMask(id: string, run: Run): Uint8Array {
  const twin = new TestClient(identityOf(id), run.context);
  assert.ok(equalBytes(twin.outbox[0]!, run.clients.get(id)!.outbox[0]!));
  assert.ok(twin.state.phase === 'awaiting-roster');
  return twin.state.secrets.b;
}
