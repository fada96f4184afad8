/**
 * Why a sparse graph is refused against a malicious coordinator, and what would have to hold for one: an attack on the ring of
 * the semi-honest graph, carried out on real messages, and the bound of docs/secagg.md for holders that clients draw
 * themselves, with an adversary that chooses who is lost after it has seen the whole graph.
 */
import { describe, expect, it } from 'vitest';
import { LightMember, authority, NOW } from '../../bench/secagg/population.ts';
import type { Cast, Member } from '../../bench/secagg/population.ts';
import { toHex } from '../../packages/core/src/bytes.ts';
import type { RandomSource } from '../../packages/core/src/random.ts';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';
import { contextHash } from '../../packages/secagg/src/context.ts';
import { gf256 } from '../../packages/secagg/src/field.ts';
import { commitment, maskSecret, pairKey, selfKey } from '../../packages/secagg/src/keys.ts';
import { maskStream } from '../../packages/secagg/src/masks.ts';
import type { MaskStream } from '../../packages/secagg/src/masks.ts';
import { decodeMaskedInput } from '../../packages/secagg/src/messages/input.ts';
import { decodeUnmask } from '../../packages/secagg/src/messages/unmask.ts';
import { nodeCrypto as crypto, runMaskJobFast } from '../../packages/secagg/src/node/index.ts';
import { addPacked } from '../../packages/secagg/src/packing.ts';
import { hash } from '../../packages/secagg/src/primitives.ts';
import { startServer, stepServer } from '../../packages/secagg/src/server/machine.ts';
import { combineShares, lagrangeAtZero } from '../../packages/secagg/src/shamir.ts';
import { contextOf } from './network.ts';

/** A number below `limit`, even enough for a simulation. */
function below(random: RandomSource, limit: number): number {
  const word = new Uint32Array(1);
  random.fill(new Uint8Array(word.buffer));
  return Math.floor((word[0]! / 2 ** 32) * limit);
}

describe('a coordinator that chooses who is lost after it has seen the semi-honest graph', () => {
  it('learns the sum of sixteen neighbours of 520, where F − c honest members were promised', () => {
    const n = 520;
    const graph = { kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 20 } as const;
    const context = contextOf({
      mode: 'semi-honest',
      graph,
      vectors: [{ name: 'update', length: 4, bits: 24 }],
      cohort: { nMax: n, gammaNumerator: 1, gammaDenominator: 20 },
    });
    const signer = authority();
    const cast: Cast = { context, ctx: contextHash(crypto, context), authority: signer };
    const members = Array.from({ length: n }, (_, i): Member => {
      const id = `p${String(i).padStart(5, '0')}`;
      const light = new LightMember(cast, id);
      return { id, advert: light.encodedAdvert, whole: undefined, light };
    });
    const coordinatorSeed = crypto.sha256(new TextEncoder().encode('coordinator'));
    const setup = { crypto, context, trust: signer.trust, coordinatorSeed, masking: 'deferred' } as const;
    const state = startServer(setup);
    const send = (from: string, message: Uint8Array): void => {
      expect(stepServer(setup, state, { type: 'message', from, message, nowMs: NOW }).verdict?.type).toBe('accepted');
    };
    for (const member of members) send(member.id, member.advert);
    stepServer(setup, state, { type: 'closeStage' });
    const session = state.session!;
    for (const [place, member] of members.entries()) send(member.id, member.light!.shares(session, place, members));
    stepServer(setup, state, { type: 'closeStage' });

    // 5 % collude; who does was settled before there was a graph.
    const random = unsafeDeterministicRandom('colluders');
    const colluders = new Set<number>();
    while (colluders.size < session.parameters.c) colluders.add(below(random, n));
    const half = (session.holders[0]!.length - 1) / 2;
    const rank = (place: number): string => toHex(hash(crypto, 'graph', (w) => w.bytes(session.sid).text(members[place]!.id)));
    const ring = members.map((_, place) => place).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    const stretch = (from: number, length: number): number[] =>
      Array.from({ length }, (_, i) => ring[(((from + i) % n) + n) % n]!);

    // A stretch of victims between two stretches of `half` that are declared lost: no survivor elsewhere is their neighbour.
    const LENGTH = 16;
    const t = session.threshold;
    const opens = (place: number, answering: ReadonlySet<number>): boolean =>
      session.holders[place]!.filter((holder) => answering.has(holder) || colluders.has(holder)).length >= t;
    const found = ring.findIndex((_, from) => {
      const victims = stretch(from, LENGTH);
      const lost = [...stretch(from - half, half), ...stretch(from + LENGTH, half)];
      const answering = new Set(ring.filter((place) => !lost.includes(place)));
      return [...victims, ...lost].every((place) => opens(place, answering));
    });
    expect(found).toBeGreaterThanOrEqual(0);
    const victims = stretch(found, LENGTH);
    const lost = new Set([...stretch(found - half, half), ...stretch(found + LENGTH, half)]);
    expect(n - lost.size).toBeGreaterThanOrEqual(session.parameters.F); // every client accepts this U2
    expect(session.parameters.F - session.parameters.c).toBe(248);

    const value = (place: number): number => 100 + place;
    const total = new Uint32Array(4);
    const u1 = new Set(members.map((member) => member.id));
    const u2 = new Set(members.filter((_, place) => !lost.has(place)).map((member) => member.id));
    for (const place of victims) {
      const message = members[place]!.light!.input(session, state.rootU1, lost, value(place));
      const limits = { nMax: n, suite: context.suite };
      const [packed] = decodeMaskedInput(session.sid, limits, context.vectors, message).vectors;
      addPacked(total, packed!, 24, 1);
    }
    // What honest survivors answer to this U2, and what colluders know besides.
    const opened = new Map<number, { readonly point: number; readonly share: Uint8Array }[]>();
    for (const [place, member] of members.entries()) {
      if (lost.has(place) && !colluders.has(place)) continue;
      const answer = decodeUnmask(session.sid, { nMax: n, suite: context.suite }, member.light!.answer(session, members, u1, u2));
      for (const { dealer, share } of answer.shares) {
        const from = session.places.get(dealer)!;
        const point = session.holders[from]!.indexOf(place) + 1;
        opened.set(from, [...(opened.get(from) ?? []), { point, share }]);
      }
    }
    const recover = (place: number): Uint8Array => {
      const shares = opened.get(place)!.slice(0, t);
      expect(shares.length).toBe(t);
      const points = shares.map(({ point }) => point);
      return combineShares(gf256, shares.map(({ share }) => share), lagrangeAtZero(gf256, points)); // prettier-ignore
    };
    const streams: MaskStream[] = [];
    for (const place of victims) {
      const b = recover(place);
      const { id, commitment: committed } = session.roster[place]!;
      expect(commitment(crypto, cast.ctx, id, b)).toEqual(committed);
      streams.push(maskStream(crypto, selfKey(crypto, session.sid, b, id), context.vectors, -1));
      for (const other of session.holders[place]!) {
        if (!lost.has(other)) continue;
        const peer = session.roster[other]!;
        const agreed = crypto.x25519(maskSecret(crypto, recover(other)), session.roster[place]!.maskKey)!;
        const [low, high] = place < other ? [id, peer.id] : [peer.id, id];
        const sign = place < other ? -1 : 1; // the lower id had added
        streams.push(maskStream(crypto, pairKey(crypto, session.sid, agreed, low, high), context.vectors, sign));
      }
    }
    runMaskJobFast({ vectors: context.vectors, targets: [total], streams });
    const sum = victims.reduce((all, place) => all + value(place), 0);
    expect([...total]).toEqual([sum, sum, sum, sum]);
  }, 120_000);
});

/** ln of binomial coefficients. */
const logFactorial = [0];
for (let i = 1; i <= 10_000; i++) logFactorial.push(logFactorial[i - 1]! + Math.log(i));
const choose = (a: number, b: number): number =>
  b < 0 || b > a ? -Infinity : logFactorial[a]! - logFactorial[b]! - logFactorial[a - b]!;
const logSum = (a: number, b: number): number => (a === -Infinity ? b : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))));

/** ln Pr[at least x of k drawn from n are among `marked`]. */
function logTail(n: number, marked: number, k: number, x: number): number {
  let sum = -Infinity;
  for (let i = x; i <= Math.min(marked, k); i++) {
    const term = choose(marked, i) + choose(n - marked, k - i) - choose(n, k);
    if (term > -Infinity) sum = logSum(sum, term);
  }
  return Math.min(0, sum);
}

/**
 * The largest s such that, but for a chance of 2^−bits, no set of at most s honest members can be opened apart: the union over
 * all sets S of the chance that each member of S drew at least t − 1 of its k holders from S and the colluders.
 */
function separatorBound(n: number, k: number, t: number, c: number, bits: number): number {
  let sum = -Infinity;
  for (let s = 1; s < n - c; s++) {
    const each = logTail(n - 1, s - 1 + c, k, t - 1);
    if (each === -Infinity) continue;
    sum = logSum(sum, choose(n - c, s) + s * each);
    if (sum >= -bits * Math.LN2) return s - 1;
  }
  return n - c;
}

describe('the bound on what can be opened apart, with holders drawn by the clients', () => {
  // k and t of the specification for γ = drop-outs = 0.10; σ = 40 + log2(16 attempts) + 2 = 46
  const rows = [
    { n: 600, k: 106, t: 73, bound: 333 },
    { n: 1000, k: 120, t: 83, bound: 562 },
    { n: 2000, k: 132, t: 91, bound: 1123 },
    { n: 10_000, k: 154, t: 106, bound: 5634 },
  ];

  it.each(rows)('is above F − c and above half of the honest members: n = $n', ({ n, k, t, bound }) => {
    const c = Math.floor((n - 1) / 10);
    const F = Math.floor((n + c) / 2) + 1;
    const found = separatorBound(n, k, t, c, 46);
    expect(found).toBe(bound);
    expect(found).toBeGreaterThanOrEqual(F - c); // a sum that comes apart has more honest members than are promised
    expect(2 * found).toBeGreaterThan(n - c); // and there is no second one
  });

  it('is not undercut by an adversary that peels the graph down to its densest part', () => {
    const { n, k, t } = rows[0]!;
    const c = Math.floor((n - 1) / 10);
    const bound = separatorBound(n, k, t, c, 46);
    const random = unsafeDeterministicRandom('graphs');
    for (let trial = 0; trial < 4; trial++) {
      // members 0 … c − 1 collude; each honest one draws k holders among the others
      const drawn = Array.from({ length: n }, (_, i) => {
        const others = Array.from({ length: n }, (__, j) => j).filter((j) => j !== i);
        for (let j = 0; j < k; j++) {
          const swap = j + below(random, others.length - j);
          [others[j], others[swap]] = [others[swap]!, others[j]!];
        }
        return others.slice(0, k);
      });
      const drawnBy = Array.from({ length: n }, (): number[] => []);
      for (let i = c; i < n; i++) for (const j of drawn[i]!) drawnBy[j]!.push(i);
      const inside = new Set(Array.from({ length: n - c }, (_, i) => c + i));
      const answers = drawn.map((list) => list.length); // of its holders: in the set, or colluding
      let smallest = n;
      while (inside.size > 0) {
        // Whoever cannot be opened leaves; of a set that stands, the least connected leaves.
        let worst = -1;
        for (const i of inside) if (worst < 0 || answers[i]! < answers[worst]!) worst = i;
        if (answers[worst]! >= t - 1) smallest = Math.min(smallest, inside.size);
        inside.delete(worst);
        for (const i of drawnBy[worst]!) answers[i]!--;
      }
      expect(smallest).toBeLessThan(n - c); // it does find sets that stand
      expect(smallest).toBeGreaterThan(bound);
    }
  });
});
