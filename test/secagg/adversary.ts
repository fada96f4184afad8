/**
 * The attacker of the tests: it plays the coordinator towards every honest client, builds each message by hand, and has
 * everything that the colluding clients have. At the end it tries to get an input, or a sum over too few honest inputs,
 * out of what it collected.
 */
import { compareIds, concat } from '../../packages/core/src/bytes.ts';
import type { ClientSetup, HeldShares } from '../../packages/secagg/src/client/state.ts';
import { contextHash, sessionId } from '../../packages/secagg/src/context.ts';
import type { RoundContext } from '../../packages/secagg/src/context.ts';
import { fieldFor } from '../../packages/secagg/src/field.ts';
import { maskSecret, pairKey, selfKey } from '../../packages/secagg/src/keys.ts';
import { maskStream, reduce, runMaskJob } from '../../packages/secagg/src/masks.ts';
import { decodeAdvert, encodeRoster, rosterRoot } from '../../packages/secagg/src/messages/advertise.ts';
import type { Advert } from '../../packages/secagg/src/messages/advertise.ts';
import { decodeConfirm, encodeConfirmations, signConfirmation } from '../../packages/secagg/src/messages/confirm.ts';
import type { Certified, Confirmation } from '../../packages/secagg/src/messages/confirm.ts';
import { decodeMaskedInput, encodeSurvivors, inputHash, u2Root } from '../../packages/secagg/src/messages/input.ts';
import type { MaskedInput, Survivor } from '../../packages/secagg/src/messages/input.ts';
import { decodeShares, encodeDelivery, u1Root } from '../../packages/secagg/src/messages/share.ts';
import type { ShareBox, Shares } from '../../packages/secagg/src/messages/share.ts';
import { decodeUnmask } from '../../packages/secagg/src/messages/unmask.ts';
import type { OpenedShare } from '../../packages/secagg/src/messages/unmask.ts';
import { messageName } from '../../packages/secagg/src/messages/wire.ts';
import { unpack } from '../../packages/secagg/src/packing.ts';
import { parametersOf } from '../../packages/secagg/src/parameters.ts';
import { combineShares, lagrangeAtZero } from '../../packages/secagg/src/shamir.ts';
import { contextOf, crypto, identityOf, inputFor, TestClient } from './network.ts';
import type { ContextChanges } from './network.ts';

export interface AdversaryOptions {
  readonly context?: ContextChanges;
  readonly client?: Partial<ClientSetup>;
  /** Changes for one client, by id. */
  readonly perClient?: Readonly<Record<string, { readonly context?: ContextChanges; readonly setup?: Partial<ClientSetup> }>>;
  readonly records?: ReadonlyMap<string, Set<string>>;
  readonly seed?: string;
}

interface Corrupt {
  readonly r: Uint8Array;
  readonly b: Uint8Array;
  readonly channelSecret: Uint8Array;
  held: readonly HeldShares[];
}

export class Adversary {
  readonly context: RoundContext;
  readonly ctx: Uint8Array;
  readonly honest: readonly string[];
  readonly corrupt: ReadonlyMap<string, Corrupt>;
  readonly clients: ReadonlyMap<string, TestClient>;
  readonly adverts: Map<string, Advert>;
  readonly wire: { readonly nMax: number; readonly suite: RoundContext['suite'] };
  roster: readonly Advert[] = [];
  sid: Uint8Array = new Uint8Array(32);
  readonly shares = new Map<string, Shares>();
  readonly inputs = new Map<string, MaskedInput>();
  /** The U1 that each client was shown. */
  readonly u1 = new Map<string, readonly string[]>();
  readonly confirmations: Confirmation[] = [];
  /** Shares opened by honest clients, with the holder. */
  readonly opened: (OpenedShare & { readonly holder: string })[] = [];

  constructor(honest: readonly string[], corrupt: readonly string[], options: AdversaryOptions = {}) {
    this.context = contextOf(options.context);
    this.wire = { nMax: 1000, suite: this.context.suite };
    this.ctx = contextHash(crypto, this.context);
    this.honest = honest;
    const all = [...honest, ...corrupt].sort(compareIds);
    this.clients = new Map(
      all.map((id) => {
        const own = options.perClient?.[id];
        const context = own?.context === undefined ? this.context : contextOf({ ...options.context, ...own.context });
        const records = options.records?.get(id);
        const setup = {
          ...options.client,
          ...own?.setup,
          seed: options.seed ?? 'attack',
          ...(records === undefined ? {} : { records }),
        };
        return [id, new TestClient(identityOf(id), context, setup)];
      }),
    );
    this.adverts = new Map(
      all.map((id) => {
        const client = this.clients.get(id)!;
        return [id, decodeAdvert(contextHash(crypto, client.setup.context), this.wire, client.outbox[0]!)];
      }),
    );
    this.corrupt = new Map(
      corrupt.map((id) => {
        const { state } = this.clients.get(id)!;
        if (state.phase !== 'awaiting-roster') throw new Error('not fresh');
        const { r, b, channelSecret } = state.secrets;
        return [id, { r: r.slice(), b: b.slice(), channelSecret: channelSecret.slice(), held: [] }];
      }),
    );
  }

  get all(): readonly string[] {
    return [...this.clients.keys()];
  }

  client(id: string): TestClient {
    return this.clients.get(id)!;
  }

  code(id: string): string | undefined {
    const { state } = this.client(id);
    return state.phase === 'aborted' ? state.abort.code : undefined;
  }

  /** Sends a message and files what comes back. */
  tell(id: string, message: Uint8Array, nowMs?: number): readonly Uint8Array[] {
    const answers = this.client(id).receive(message, nowMs);
    for (const answer of answers) this.#file(id, answer);
    return answers;
  }

  #file(id: string, answer: Uint8Array): void {
    switch (messageName(answer)) {
      case 'shares':
        this.shares.set(id, decodeShares(this.sid, this.wire, answer));
        break;
      case 'maskedInput':
        this.inputs.set(id, decodeMaskedInput(this.sid, this.wire, this.context.vectors, answer));
        break;
      case 'confirm':
        this.confirmations.push(decodeConfirm(this.sid, answer));
        break;
      case 'unmask':
        for (const share of decodeUnmask(this.sid, this.wire, answer).shares) this.opened.push({ ...share, holder: id });
        break;
      default:
        break;
    }
  }

  rosterOf(ids: readonly string[] = this.all): Uint8Array {
    this.roster = ids.map((id) => this.adverts.get(id)!);
    this.sid = sessionId(crypto, this.ctx, this.roster.length, rosterRoot(crypto, this.roster));
    return encodeRoster(this.ctx, this.roster);
  }

  /** Round 0: the same roster to all. */
  advertise(ids: readonly string[] = this.all): this {
    const message = this.rosterOf(ids);
    for (const id of ids) this.tell(id, message);
    return this;
  }

  boxesFor(to: string, u1: readonly string[]): readonly ShareBox[] {
    return u1.flatMap((from) => {
      const box = this.shares.get(from)?.boxes.find((candidate) => candidate.peer === to);
      return box === undefined ? [] : [{ ...box, peer: from }];
    });
  }

  deliveryOf(to: string, u1: readonly string[] = this.all, boxes: readonly ShareBox[] = this.boxesFor(to, u1)): Uint8Array {
    return encodeDelivery(this.sid, { u1, boxes });
  }

  /** Round 1 for one client; it masks its input if it goes on. */
  deliver(to: string, u1: readonly string[] = this.all, boxes?: readonly ShareBox[]): void {
    this.u1.set(to, u1);
    const client = this.client(to);
    this.tell(to, this.deliveryOf(to, u1, boxes));
    if (client.state.phase !== 'ready-for-input') return;
    const corrupt = this.corrupt.get(to);
    if (corrupt !== undefined)
      corrupt.held = client.state.held.map(({ dealer, r, b }) => ({ dealer, r: r.slice(), b: b.slice() }));
    client.input = inputFor(this.context, to);
    for (const answer of client.step({ type: 'input', vectors: client.input })) this.#file(to, answer);
  }

  deliverAll(u1: readonly string[] = this.all): this {
    for (const id of u1) this.deliver(id, u1);
    return this;
  }

  entry(id: string): Survivor {
    const input = this.inputs.get(id)!;
    return { id, inputHash: inputHash(crypto, input.vectors), signature: input.signature };
  }

  survivorsOf(ids: readonly string[]): Uint8Array {
    return encodeSurvivors(
      this.sid,
      ids.map((id) => this.entry(id)),
    );
  }

  /** Round 2's answer to one client. */
  freeze(to: string, u2: readonly string[]): void {
    this.tell(to, this.survivorsOf(u2));
  }

  statement(u1: readonly string[], u2: readonly string[]): Certified {
    return {
      sid: this.sid,
      rootU1: u1Root(crypto, u1),
      rootU2: u2Root(
        crypto,
        u2.map((id) => this.entry(id)),
      ),
      survivors: u2.length,
    };
  }

  /** The confirmations collected from `signers` and those that the colluding ones sign for whatever is wanted. */
  certificateOf(u1: readonly string[], u2: readonly string[], signers: readonly string[]): readonly Confirmation[] {
    return signers.map((id) => {
      if (!this.corrupt.has(id)) return this.confirmations.find((confirmation) => confirmation.id === id)!;
      return { id, signature: signConfirmation(crypto, identityOf(id).signingSeed, this.statement(u1, u2)) };
    });
  }

  certify(to: string, confirmations: readonly Confirmation[]): void {
    this.tell(to, encodeConfirmations(this.sid, confirmations));
  }

  /** Runs rounds 0 to 4 honestly. */
  runAll(u1: readonly string[] = this.all, u2: readonly string[] = u1): this {
    this.advertise().deliverAll(u1);
    for (const id of u2) this.freeze(id, u2);
    const { T } = parametersOf(this.roster.length, this.context.cohort);
    const confirmations = this.confirmations.filter((confirmation) => u2.includes(confirmation.id)).slice(0, T);
    for (const id of u2) this.certify(id, confirmations);
    return this;
  }

  #secret(dealer: string, kind: 'b' | 'r'): Uint8Array | undefined {
    const own = this.corrupt.get(dealer);
    if (own !== undefined) return own[kind];
    const { t } = parametersOf(this.roster.length, this.context.cohort);
    const place = (id: string): number => this.roster.findIndex((advert) => advert.id === id);
    const shares = new Map<number, Uint8Array>();
    for (const share of this.opened) {
      if (share.dealer === dealer && share.kind === kind) shares.set(place(share.holder) + 1, share.share);
    }
    for (const [id, { held }] of this.corrupt) {
      const mine = held.find((candidate) => candidate.dealer === place(dealer));
      if (mine !== undefined) shares.set(place(id) + 1, mine[kind]);
    }
    const points = [...shares.keys()].slice(0, t);
    if (points.length < t) return undefined;
    const field = fieldFor(this.roster.length);
    return combineShares(
      field,
      points.map((point) => shares.get(point)!),
      lagrangeAtZero(field, points),
    );
  }

  /** The mask key of a pair, if either side's r is known. */
  #pair(a: string, z: string): Uint8Array | undefined {
    const [low, high] = compareIds(a, z) < 0 ? [a, z] : [z, a];
    for (const [mine, other] of [
      [low, high],
      [high, low],
    ]) {
      const r = this.#secret(mine!, 'r');
      if (r === undefined) continue;
      const agreed = crypto.x25519(maskSecret(crypto, r), this.adverts.get(other!)!.maskKey);
      if (agreed !== undefined) return pairKey(crypto, this.sid, agreed, low, high);
    }
    return undefined;
  }

  /**
   * The sets of honest clients, smaller than F − c, whose sum of inputs the attacker knows: for each set it takes off all
   * masks that it can compute, lets the unknown ones inside the set cancel, and compares with the truth.
   */
  broken(): readonly (readonly string[])[] {
    const { F, c } = parametersOf(this.roster.length, this.context.cohort);
    const known = this.honest.filter((id) => this.inputs.has(id));
    const bare = new Map(known.map((id) => [id, this.#peel(id)]));
    const found: (readonly string[])[] = [];
    for (let pick = 1; pick < 1 << known.length; pick++) {
      const set = known.filter((_, i) => (pick >> i) & 1);
      if (set.length >= F - c) continue;
      const right = this.context.vectors.every((vector, v) => {
        const sum = new Uint32Array(vector.length);
        const truth = new Uint32Array(vector.length);
        for (const id of set) {
          for (let e = 0; e < vector.length; e++) {
            sum[e]! += bare.get(id)![v]![e]!;
            truth[e]! += this.client(id).input[v]![e]!;
          }
        }
        reduce(sum, vector.bits);
        reduce(truth, vector.bits);
        return concat(new Uint8Array(sum.buffer)).every((byte, i) => byte === new Uint8Array(truth.buffer)[i]);
      });
      if (right) found.push(set);
    }
    return found;
  }

  #peel(id: string): readonly Uint32Array[] {
    const { vectors } = this.context;
    const targets = vectors.map((vector, v) => unpack(this.inputs.get(id)!.vectors[v]!, vector.bits, vector.length));
    const streams = [];
    const b = this.#secret(id, 'b');
    if (b !== undefined) streams.push(maskStream(crypto, selfKey(crypto, this.sid, b, id), vectors, -1));
    for (const peer of this.u1.get(id) ?? []) {
      const key = peer === id ? undefined : this.#pair(id, peer);
      if (key !== undefined) streams.push(maskStream(crypto, key, vectors, compareIds(id, peer) < 0 ? -1 : 1));
    }
    runMaskJob(crypto, { vectors, targets, streams });
    return targets;
  }

  /** Honest dealers of which honest clients opened shares of both kinds. */
  bothKinds(): readonly string[] {
    const kinds = new Map<string, Set<string>>();
    for (const { dealer, kind } of this.opened) kinds.set(dealer, (kinds.get(dealer) ?? new Set()).add(kind));
    return this.honest.filter((id) => kinds.get(id)?.size === 2);
  }
}
