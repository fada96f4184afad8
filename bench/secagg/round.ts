/**
 * A whole round of a {@link Cast} in one process, stage by stage, with what it costs the coordinator and the whole clients.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { randomBytes } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { contextHash, quantise, quantiserFor, startServer, stepServer } from '@sotto/secagg';
import type { MaskJob, Mode, RoundContext, ServerSetup, ServerState } from '@sotto/secagg';
import { nodeCrypto, runMaskJobFast } from '@sotto/secagg/node';
import { cpuOf } from './measure.ts';
import { authority, LightMember, NOW, openBoxes, WholeClient } from './population.ts';
import type { Cast, Member } from './population.ts';

export interface RoundShape {
  readonly mode: Mode;
  readonly n: number;
  /** Length of the one vector of 32 bits. */
  readonly length: number;
  /** Members that send their shares and no input. */
  readonly lost: number;
  /** Members that send their input and then nothing more. */
  readonly mute?: number;
  /** Whole clients; none of them is lost or mute. */
  readonly whole: number;
  readonly graph: RoundContext['graph'];
  /** Provider of the first whole client, where it is watched. */
  readonly watched?: CryptoProvider;
}

export interface RoundCost {
  readonly neighbours: number;
  readonly threshold: number;
  /** CPU milliseconds of each whole client but for quantising and masking; of those, what the vector takes; and of the two. */
  readonly clientMs: readonly number[];
  readonly clientVectorMs: readonly number[];
  readonly clientQuantiseMs: readonly number[];
  readonly clientMaskMs: readonly number[];
  /** CPU milliseconds of the coordinator by stage. */
  readonly serverMs: Readonly<Record<string, number>>;
  /** Bytes of the first whole client. */
  readonly uploadBytes: Readonly<Record<string, number>>;
  readonly downloadBytes: Readonly<Record<string, number>>;
  readonly members: number;
  readonly exact: boolean;
}

function castOf({ mode, n, length, graph }: RoundShape, coordinatorSeed: Uint8Array): Cast {
  const context: RoundContext = {
    suite: 'x25519',
    mode,
    runId: 'bench',
    round: 1,
    attempt: 0,
    modelHash: new Uint8Array(32),
    planHash: new Uint8Array(32),
    vectors: [{ name: 'update', length, bits: 32 }],
    quantiser: quantiserFor(1, 16),
    noise: { mechanism: 'none', localVariance: 0, honestMinimum: 0 },
    cohort: { gammaNumerator: 1, gammaDenominator: graph.kind === 'complete' ? 3 : 20, cMin: 0, nMin: 3, nMax: n, hMin: 3 },
    graph,
    deadlineMs: NOW,
    coordinatorKey: nodeCrypto.ed25519PublicKey(coordinatorSeed),
  };
  return { context, ctx: contextHash(nodeCrypto, context), authority: authority() };
}

/** Members sorted by id; `whole` of them spread over the roster, `lost` of the others too. */
function membersOf(
  cast: Cast,
  shape: RoundShape,
  real: number,
): { readonly members: readonly Member[]; readonly lost: ReadonlySet<number> } {
  const { n } = shape;
  const whole = new Set(Array.from({ length: shape.whole }, (_, i) => Math.floor((i * n) / shape.whole)));
  const light = Array.from({ length: n }, (_, i) => i).filter((i) => !whole.has(i));
  const pool = shape.whole === n ? Array.from({ length: n - 1 }, (_, i) => i + 1) : light;
  const lost = new Set(Array.from({ length: shape.lost }, (_, i) => pool[Math.floor((i * pool.length) / shape.lost)]!));
  const members = Array.from({ length: n }, (_, i): Member => {
    const id = `p${String(i).padStart(5, '0')}`;
    if (whole.has(i)) {
      const client = new WholeClient(cast, id, real, i === 0 ? shape.watched : undefined);
      return { id, advert: client.outgoing[0]!, whole: client, light: undefined };
    }
    const member = new LightMember(cast, id);
    return { id, advert: member.encodedAdvert, whole: undefined, light: member };
  });
  return { members, lost };
}

/** Runs the round. Throws where anything is refused. */
export function runRound(shape: RoundShape): RoundCost {
  const coordinatorSeed = randomBytes(systemRandom, 32);
  const cast = castOf(shape, coordinatorSeed);
  const real = 0.25;
  const value = quantise([real], cast.context.quantiser).levels[0]!;
  const { members, lost } = membersOf(cast, shape, real);
  const first = members.find((member) => member.whole !== undefined);
  const setup: ServerSetup = {
    crypto: nodeCrypto,
    context: cast.context,
    trust: cast.authority.trust,
    coordinatorSeed,
    masking: 'deferred',
  };
  let state: ServerState = startServer(setup);
  const serverMs: Record<string, number> = {};
  const uploadBytes: Record<string, number> = {};
  const downloadBytes: Record<string, number> = {};
  const onServer = (name: string, call: () => void): void => {
    serverMs[name] = (serverMs[name] ?? 0) + cpuOf(call);
  };
  const upload = (member: Member, message: Uint8Array): void => {
    if (member === first) uploadBytes[state.stage] = message.length;
    onServer(`${state.stage}: take`, () => {
      const { verdict } = stepServer(setup, state, { type: 'message', from: member.id, message, nowMs: NOW });
      if (verdict?.type !== 'accepted') throw new Error(JSON.stringify(verdict));
    });
  };
  let job: MaskJob | undefined;
  const close = (): ((member: Member) => Uint8Array) => {
    const name = state.stage;
    let messages: ReadonlyMap<string, { readonly message: Uint8Array }> = new Map();
    onServer(`${name}: close`, () => {
      const step = stepServer(setup, state, { type: 'closeStage' });
      ({ state } = step);
      messages = new Map(step.outgoing.map((entry) => [entry.to, entry]));
      for (const effect of step.effects) if (effect.type === 'unmask') job = effect.job;
    });
    if (state.abort !== undefined) throw new Error(state.abort.message);
    if (first !== undefined) downloadBytes[name] = messages.get(first.id)?.message.length ?? 0;
    return (member) => {
      let message: Uint8Array | undefined;
      onServer(`${name}: close`, () => (message = messages.get(member.id)!.message));
      return message!;
    };
  };

  for (const member of members) upload(member, member.advert);
  const rosters = close();
  const session = state.session!;
  for (const [place, member] of members.entries()) {
    const own = member.whole?.receive(rosters(member)) ?? [member.light!.shares(session, place, members)];
    for (const message of own) {
      upload(member, message);
      if (member.whole !== undefined) openBoxes(session, members, place, message);
    }
  }
  const deliveries = close();
  const u1 = new Set(members.map((member) => member.id));
  // Pair masks with a whole client or a lost member stay in the sum unless the other end puts its own on.
  const visible = new Set([...lost, ...members.flatMap((member, place) => (member.whole === undefined ? [] : [place]))]);
  for (const [place, member] of members.entries()) {
    if (lost.has(place)) continue;
    const own = member.whole?.receive(deliveries(member)) ?? [member.light!.input(session, state.rootU1, visible, value)];
    for (const message of own) upload(member, message);
  }
  let frozen = close();
  const alive = members.filter((_, place) => !lost.has(place));
  const mute = new Set(alive.filter((member) => member.light !== undefined).slice(0, shape.mute ?? 0));
  const talking = alive.filter((member) => !mute.has(member));
  const u2 = new Set(alive.map((member) => member.id));
  if (shape.mode === 'malicious') {
    const statement = { sid: session.sid, rootU1: state.rootU1, rootU2: state.rootU2, survivors: alive.length };
    for (const member of talking) {
      const own = member.whole?.receive(frozen(member)) ?? [member.light!.confirm(statement)];
      for (const message of own) upload(member, message);
    }
    frozen = close();
  }
  for (const member of talking) {
    const own = member.whole?.receive(frozen(member)) ?? [member.light!.answer(session, members, u1, u2)];
    for (const message of own) upload(member, message);
  }
  close();
  onServer('removing masks', () => runMaskJobFast(job!));
  let receipts: ReadonlyMap<string, Uint8Array> = new Map();
  onServer('unmask: close', () => {
    const step = stepServer(setup, state, { type: 'masksRemoved' });
    ({ state } = step);
    receipts = new Map(step.outgoing.map(({ to, message }) => [to, message]));
  });
  for (const member of alive) member.whole?.receive(receipts.get(member.id)!);
  const whole = alive.flatMap((member) => member.whole ?? []);
  return {
    neighbours: session.holders[0]!.length - 1,
    threshold: session.threshold,
    clientMs: whole.map((client) => client.setupMs),
    clientVectorMs: whole.map((client) => client.vectorMs),
    clientQuantiseMs: whole.map((client) => client.quantiseMs),
    clientMaskMs: whole.map((client) => client.maskMs),
    serverMs,
    uploadBytes,
    downloadBytes,
    members: alive.length,
    exact:
      state.result!.sums[0]!.every((element) => element === alive.length * value) &&
      whole.every((client) => client.state.phase === 'done'),
  };
}
