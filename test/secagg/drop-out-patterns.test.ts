/**
 * Random drop-outs in large cohorts, before and after each message, some of them only late: the sum is the exact one of the
 * agreed survivors, or the round ends with the abort that the counts demand. Members are played at message level (see
 * bench/secagg/population.ts); small cohorts with whole clients are in round.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { LightMember, authority, NOW } from '../../bench/secagg/population.ts';
import type { Cast, Member } from '../../bench/secagg/population.ts';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';
import { contextHash } from '../../packages/secagg/src/context.ts';
import { nodeCrypto as crypto, runMaskJobFast } from '../../packages/secagg/src/node/index.ts';
import { startServer, stepServer } from '../../packages/secagg/src/server/machine.ts';
import type { ServerState } from '../../packages/secagg/src/server/state.ts';
import golden from './golden/secagg-params.json' with { type: 'json' };
import { contextOf, plainSum, runRound, STAGES } from './network.ts';

type Stage = (typeof STAGES)[number];
/** What becomes of a member: the stage whose message is its first that does not arrive, and whether that one comes late. */
interface Fate {
  readonly lostAt: number;
  readonly late: boolean;
}

const VALUE = 3;
/** A cohort of a thousand takes seconds on a free core, and minutes on one that many share. */
const LARGE_TIMEOUT_MS = 300_000;

/** Uniform numbers in [0, 1). */
function uniforms(seed: string): () => number {
  const random = unsafeDeterministicRandom(seed);
  const word = new Uint32Array(1);
  return () => {
    random.fill(new Uint8Array(word.buffer));
    return word[0]! / 2 ** 32;
  };
}

interface Shape {
  readonly mode: 'malicious' | 'semi-honest';
  readonly n: number;
  /** Chance of being lost at each stage. */
  readonly rates: Readonly<Record<Stage, number>>;
  readonly seed: string;
}

interface Outcome {
  readonly state: ServerState;
  readonly predicted: readonly string[] | string;
  readonly losses: number;
}

function play({ mode, n, rates, seed }: Shape): Outcome {
  const graph =
    n > 512 ? ({ kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 10 } as const) : ({ kind: 'complete' } as const);
  const context = contextOf({
    mode,
    graph,
    vectors: [{ name: 'update', length: 5, bits: 20 }],
    cohort: { nMax: n, gammaNumerator: 1, gammaDenominator: 20 },
  });
  const signer = authority();
  const cast: Cast = { context, ctx: contextHash(crypto, context), authority: signer };
  const next = uniforms(seed);
  const fates = Array.from({ length: n }, (): Fate => {
    const lostAt = STAGES.findIndex((stage) => next() < rates[stage]);
    return { lostAt: lostAt < 0 ? STAGES.length : lostAt, late: next() < 0.3 };
  });
  const reaches = (place: number, stage: Stage): boolean => fates[place]!.lostAt > STAGES.indexOf(stage);
  const comesLate = (place: number, stage: Stage): boolean =>
    fates[place]!.lostAt === STAGES.indexOf(stage) && fates[place]!.late;
  const everybody = Array.from({ length: n }, (_, i): Member => {
    const id = `p${String(i).padStart(5, '0')}`;
    const light = new LightMember(cast, id);
    return { id, advert: light.encodedAdvert, whole: undefined, light };
  });
  const place = new Map(everybody.map((member, i) => [member.id, i]));

  const coordinatorSeed = crypto.sha256(new TextEncoder().encode('coordinator'));
  const setup = { crypto, context, trust: signer.trust, coordinatorSeed, masking: 'deferred' } as const;
  const state = startServer(setup);
  const losses = fates.filter((fate) => fate.lostAt < STAGES.length).length;
  /** Sends the message of a stage for those that it reaches; freezes; then those that are late. */
  const stage = (name: Stage, senders: readonly Member[], message: (member: Member) => Uint8Array): readonly Member[] => {
    const arrived: Member[] = [];
    const late: [string, Uint8Array][] = [];
    for (const member of senders) {
      const at = place.get(member.id)!;
      if (!reaches(at, name) && !comesLate(at, name)) continue;
      const bytes = message(member);
      if (comesLate(at, name)) {
        late.push([member.id, bytes]);
        continue;
      }
      const step = stepServer(setup, state, { type: 'message', from: member.id, message: bytes, nowMs: NOW });
      expect(step.verdict?.type).toBe('accepted');
      arrived.push(member);
    }
    const step = stepServer(setup, state, { type: 'closeStage' });
    for (const effect of step.effects) {
      if (effect.type !== 'unmask') continue;
      runMaskJobFast(effect.job);
      stepServer(setup, state, { type: 'masksRemoved' });
    }
    for (const [from, bytes] of late) {
      const { verdict } = stepServer(setup, state, { type: 'message', from, message: bytes, nowMs: NOW });
      expect(['late', 'refused']).toContain(verdict?.type);
    }
    return arrived;
  };

  const roster = stage('advertise', everybody, (member) => member.advert);
  if (state.stage === 'aborted') return { state, predicted: 'roster-size', losses };
  const session = state.session!;
  const F = session.parameters.F;
  const u1 = stage('share', roster, (member) => member.light!.shares(session, session.places.get(member.id)!, roster));
  if (u1.length < F) return { state, predicted: 'survivors-too-few', losses };
  const u1Ids = new Set(u1.map((member) => member.id));
  const willStay = new Set(u1.filter((member) => reaches(place.get(member.id)!, 'masked')).map((member) => member.id));
  // Masks between two that stay cancel unseen; those with a member that is lost between its shares and its input do not.
  const visible = new Set(u1.filter((member) => !willStay.has(member.id)).map((member) => session.places.get(member.id)!));
  const u2 = stage('masked', u1, (member) => member.light!.input(session, state.rootU1, visible, VALUE));
  if (u2.length < F) return { state, predicted: 'survivors-too-few', losses };
  const u2Ids = new Set(u2.map((member) => member.id));
  if (mode === 'malicious') {
    const statement = { sid: session.sid, rootU1: state.rootU1, rootU2: state.rootU2, survivors: u2.length };
    const confirmed = stage('confirm', u2, (member) => member.light!.confirm(statement));
    if (confirmed.length < session.parameters.T) return { state, predicted: 'confirmations-too-few', losses };
  }
  const answered = stage('unmask', u2, (member) => member.light!.answer(session, roster, u1Ids, u2Ids));
  const answering = new Set(answered.map((member) => session.places.get(member.id)!));
  const enough = u1.every((member) => {
    const holders = session.holders[session.places.get(member.id)!]!;
    return holders.filter((holder) => answering.has(holder)).length >= session.threshold;
  });
  return { state, predicted: enough ? u2.map((member) => member.id) : 'recovery-failed', losses };
}

function check(shape: Shape): Outcome {
  const outcome = play(shape);
  const { state, predicted } = outcome;
  if (typeof predicted === 'string') {
    expect(state.abort?.code, shape.seed).toBe(predicted);
    expect(state.result).toBeUndefined();
  } else {
    expect(state.abort, shape.seed).toBeUndefined();
    expect(state.result!.members).toEqual(predicted);
    expect([...state.result!.sums[0]!]).toEqual(new Array(5).fill((VALUE * predicted.length) % 2 ** 20));
  }
  return outcome;
}

const even = (rate: number): Readonly<Record<Stage, number>> => ({
  advertise: rate,
  share: rate,
  masked: rate,
  confirm: rate,
  unmask: rate,
});

describe('random drop-outs of large cohorts', () => {
  it(
    'over the complete graph, malicious: exact or a named abort',
    () => {
      const seen = new Set<string>();
      for (let k = 0; k < 14; k++) {
        const next = uniforms(`complete ${k}`);
        const n = 16 + Math.floor(next() * 30);
        const rates = {
          advertise: next() * 0.3,
          share: next() * 0.3,
          masked: next() * 0.4,
          confirm: next() * 0.3,
          unmask: next() * 0.4,
        };
        const { predicted } = check({ mode: 'malicious', n, rates, seed: `complete ${k} fates` });
        seen.add(typeof predicted === 'string' ? predicted : 'exact');
      }
      // The rates are such that every end occurs.
      expect([...seen].sort()).toEqual(['confirmations-too-few', 'exact', 'recovery-failed', 'survivors-too-few']);
    },
    LARGE_TIMEOUT_MS,
  );

  it(
    'over the sparse graph with 1,000 members, semi-honest: exact',
    () => {
      const { state, predicted, losses } = check({ mode: 'semi-honest', n: 1000, rates: even(0.02), seed: 'sparse' });
      expect(losses).toBeGreaterThan(60);
      expect(typeof predicted).not.toBe('string');
      expect(state.session!.holders[0]!.length).toBeLessThan(60);
    },
    LARGE_TIMEOUT_MS,
  );

  it(
    'over the sparse graph with 640 members, semi-honest: a named abort where one dealer has too few answers',
    () => {
      const rates = { ...even(0.02), unmask: 0.5 };
      const { state, predicted } = check({ mode: 'semi-honest', n: 640, rates, seed: 'sparse lost' });
      expect(predicted).toBe('recovery-failed');
      expect(state.session!.holders[0]!.length).toBeLessThan(60);
    },
    LARGE_TIMEOUT_MS,
  );
});

describe('losses after the roster of 3 to 6 members', () => {
  const rows = golden.rows.filter((row) => row.gamma === '1/3' && row.nMin === 3 && row.hMin === 2 && row.n <= 6);

  it.each(rows)('are borne as the table says: $n members', ({ n, lossesBeforeFreeze, lossesInAll, honestInTheSum, c }) => {
    const ids = Array.from({ length: n }, (_, i) => `p${i}`);
    const context = contextOf({ cohort: { nMax: n } });
    for (let before = 0; before <= n; before++) {
      for (let after = 0; after <= n - before; after++) {
        for (const [early, late] of [
          ['share', 'unmask'],
          ['masked', 'confirm'],
        ] as const) {
          const losses = Object.fromEntries(
            ids.map((id, i) => [id, i < before ? early : i < before + after ? late : undefined] as const),
          );
          const run = runRound({ ids, context, losses });
          const borne = before <= lossesBeforeFreeze && before + after <= lossesInAll;
          expect(run.server.result !== undefined, `${before} ${early}, ${after} ${late}`).toBe(borne);
          if (!borne) {
            expect(run.server.state.abort?.code).toMatch(/^(survivors-too-few|confirmations-too-few|recovery-failed)$/);
            continue;
          }
          const members = ids.slice(before);
          expect(run.server.result!.members).toEqual(members);
          expect(run.server.result!.sums).toEqual(plainSum(run, members));
          expect(members.length - c).toBeGreaterThanOrEqual(honestInTheSum);
        }
      }
    }
  });
});
