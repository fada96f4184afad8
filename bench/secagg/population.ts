/**
 * Rounds of many members in one process. Some members are whole clients, the state machines that a site runs; the rest
 * are played at message level: their advertisements, shares, masked inputs and answers are valid in the protocol, byte for byte,
 * but made by somebody who knows all their secrets. What such a member need not do: check anybody's messages; seal a
 * share that nobody will open; expand the mask of a pair whose two ends both survive at message level, since it cancels.
 *
 * @module
 */
import { randomFillSync } from 'node:crypto';
import { concat } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { issueCertificate } from '@sotto/core/identity';
import type { TrustBundle } from '@sotto/core/identity';
import { randomBytes } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { defaultSitePolicy, pack, quantise, startClient, stepClient } from '@sotto/secagg';
import type { ClientSetup, ClientState, ClientStep, RoundContext } from '@sotto/secagg';
import { nodeCrypto, runMaskJobFast } from '@sotto/secagg/node';
import { channelKey, commitment, maskSecret, pairKey, selfKey } from '../../packages/secagg/src/keys.ts';
import { maskStream } from '../../packages/secagg/src/masks.ts';
import type { MaskStream } from '../../packages/secagg/src/masks.ts';
import { encodeAdvert, signAdvert } from '../../packages/secagg/src/messages/advertise.ts';
import type { Advert } from '../../packages/secagg/src/messages/advertise.ts';
import { encodeConfirm, signConfirmation } from '../../packages/secagg/src/messages/confirm.ts';
import type { Certified } from '../../packages/secagg/src/messages/confirm.ts';
import { encodeMaskedInput, inputHash, signInput } from '../../packages/secagg/src/messages/input.ts';
import { boxAad, decodeShares, encodeShares, signShares } from '../../packages/secagg/src/messages/share.ts';
import type { ShareBox } from '../../packages/secagg/src/messages/share.ts';
import { encodeUnmask, signUnmask } from '../../packages/secagg/src/messages/unmask.ts';
import type { OpenedShare } from '../../packages/secagg/src/messages/unmask.ts';
import type { ServerSession } from '../../packages/secagg/src/server/state.ts';
import { splitSecret } from '../../packages/secagg/src/shamir.ts';
import { cpuOf } from './measure.ts';

export const NOW = 1_800_000_000_000;
const NONCE = new Uint8Array(12);

/** Who signs certificates. */
export interface Authority {
  readonly seed: Uint8Array;
  readonly trust: TrustBundle;
}

export function authority(): Authority {
  const seed = randomBytes(systemRandom, 32);
  const rootKey = nodeCrypto.ed25519PublicKey(seed);
  return { seed, trust: { trustDomain: 'bench', rootKey, tlsCaCertificate: new Uint8Array(0) } };
}

/** What all members of a round share. */
export interface Cast {
  readonly context: RoundContext;
  readonly ctx: Uint8Array;
  readonly authority: Authority;
}

/** A member as the round's loop sees it: a message goes in, messages come out. */
export interface Member {
  readonly id: string;
  readonly advert: Uint8Array;
  /** Of a whole client only. */
  readonly whole: WholeClient | undefined;
  readonly light: LightMember | undefined;
}

interface Identity {
  readonly id: string;
  readonly signingSeed: Uint8Array;
  readonly certificate: Uint8Array;
}

function identity({ authority: { seed } }: Cast, id: string): Identity {
  const signingSeed = randomBytes(systemRandom, 32);
  const signingKey = nodeCrypto.ed25519PublicKey(signingSeed);
  const certificate = issueCertificate(nodeCrypto, seed, {
    trustDomain: 'bench',
    id,
    role: 'client',
    signingKey,
    ledgerKey: signingKey,
    serial: randomBytes(systemRandom, 16),
    notBeforeMs: NOW,
    notAfterMs: NOW,
  });
  return { id, signingSeed, certificate };
}

/** The state machine of a site, with the CPU time that it takes. */
export class WholeClient {
  readonly id: string;
  readonly setup: ClientSetup;
  state: ClientState;
  /** CPU milliseconds of everything but quantising and masking. */
  setupMs = 0;
  /** Of those, what the vector takes: checks, its copy, packing, hash, signature and message. */
  vectorMs = 0;
  /** CPU milliseconds of bringing reals on the grid. */
  quantiseMs = 0;
  maskMs = 0;
  readonly #real: number;
  #outgoing: readonly Uint8Array[] = [];

  /** Every element of the client's update is `real`. */
  constructor(cast: Cast, id: string, real: number, crypto: CryptoProvider = nodeCrypto) {
    const { signingSeed, certificate } = identity(cast, id);
    this.id = id;
    this.#real = real;
    const {
      context,
      authority: { trust },
    } = cast;
    const policy = { ...defaultSitePolicy, modes: [context.mode] };
    this.setup = {
      crypto,
      random: systemRandom,
      context,
      certificate,
      signingSeed,
      trust,
      policy,
      masking: 'deferred',
    };
    let first: ClientStep | undefined;
    this.setupMs += cpuOf(() => (first = startClient(this.setup)));
    this.state = first!.state;
    this.#outgoing = first!.outgoing;
  }

  get outgoing(): readonly Uint8Array[] {
    return this.#outgoing;
  }

  receive(message: Uint8Array): readonly Uint8Array[] {
    this.#step({ type: 'message', message, nowMs: NOW });
    if (this.state.phase === 'ready-for-input') {
      const { quantiser, vectors } = this.setup.context;
      const reals = vectors.map((vector) => new Float32Array(vector.length).fill(this.#real));
      let levels: readonly Uint32Array[] = [];
      this.quantiseMs += cpuOf(() => (levels = reals.map((values) => quantise(values, quantiser).levels)));
      const before = this.setupMs;
      const effect = this.#step({ type: 'input', vectors: levels }).find((candidate) => candidate.type === 'mask');
      if (effect?.type === 'mask') this.maskMs += cpuOf(() => runMaskJobFast(effect.job));
      this.#step({ type: 'masked' });
      this.vectorMs += this.setupMs - before;
    }
    if (this.state.phase === 'aborted') throw new Error(`${this.id}: ${this.state.abort.message}`);
    return this.#outgoing;
  }

  #step(input: Parameters<typeof stepClient>[2]): ClientStep['effects'] {
    let step: ClientStep | undefined;
    this.setupMs += cpuOf(() => (step = stepClient(this.setup, this.state, input)));
    this.state = step!.state;
    this.#outgoing = step!.outgoing;
    return step!.effects;
  }
}

/** A member at message level. */
export class LightMember {
  readonly id: string;
  readonly maskSecret: Uint8Array;
  readonly advert: Advert;
  readonly encodedAdvert: Uint8Array;
  readonly #cast: Cast;
  readonly #signingSeed: Uint8Array;
  readonly #r: Uint8Array = randomBytes(systemRandom, 32);
  readonly #b: Uint8Array = randomBytes(systemRandom, 32);
  readonly #channelSecret: Uint8Array = randomBytes(systemRandom, 32);
  /** Shares by the holder's index among this member's holders. */
  #dealt: readonly Uint8Array[] = [];
  /** Shares of whole clients, opened from their boxes, by dealer. */
  readonly #held = new Map<string, Uint8Array>();

  constructor(cast: Cast, id: string) {
    const own = identity(cast, id);
    this.id = id;
    this.#cast = cast;
    this.#signingSeed = own.signingSeed;
    this.maskSecret = maskSecret(nodeCrypto, this.#r);
    this.advert = signAdvert(nodeCrypto, own.signingSeed, cast.ctx, {
      id,
      certificate: own.certificate,
      channelKey: nodeCrypto.x25519PublicKey(this.#channelSecret),
      maskKey: nodeCrypto.x25519PublicKey(this.maskSecret),
      kemKeys: [],
      commitment: commitment(nodeCrypto, cast.ctx, id, this.#b),
    });
    this.encodedAdvert = encodeAdvert(cast.ctx, this.advert);
  }

  /** The share that the holder at this index has. */
  dealt(index: number, kind: 'b' | 'r'): Uint8Array {
    return kind === 'r' ? this.#dealt[index]!.subarray(0, 32) : this.#dealt[index]!.subarray(32, 64);
  }

  shares(session: ServerSession, place: number, members: readonly Member[]): Uint8Array {
    const holders = session.holders[place]!;
    this.#dealt = splitSecret(concat(this.#r, this.#b), session.threshold, holders.length, systemRandom);
    const boxes = holders.flatMap((holder, k): ShareBox[] => {
      const peer = session.roster[holder]!;
      if (holder === place) return [];
      if (members[holder]!.whole === undefined) {
        return [{ peer: peer.id, kemCiphertexts: [], sealed: randomFillSync(new Uint8Array(80)) }];
      }
      const agreed = nodeCrypto.x25519(this.#channelSecret, peer.channelKey)!;
      const key = channelKey(nodeCrypto, session.sid, agreed, undefined, this.id, peer.id);
      const aad = boxAad(session.sid, this.id, peer.id, k + 1, []);
      return [{ peer: peer.id, kemCiphertexts: [], sealed: nodeCrypto.aes256GcmSeal(key, NONCE, aad, this.#dealt[k]!) }];
    });
    return encodeShares(session.sid, signShares(nodeCrypto, this.#signingSeed, session.sid, { id: this.id, boxes }));
  }

  /** Opens what a whole client dealt to this member. */
  open(session: ServerSession, dealer: number, sealed: Uint8Array): void {
    const { id, channelKey: theirs } = session.roster[dealer]!;
    const agreed = nodeCrypto.x25519(this.#channelSecret, theirs)!;
    const key = channelKey(nodeCrypto, session.sid, agreed, undefined, id, this.id);
    const x = session.holders[dealer]!.indexOf(session.places.get(this.id)!) + 1;
    const plaintext = nodeCrypto.aes256GcmOpen(key, NONCE, boxAad(session.sid, id, this.id, x, []), sealed);
    if (plaintext === undefined) throw new Error(`the box of ${id} for ${this.id} does not open`);
    this.#held.set(id, plaintext);
  }

  /** The masked input; `visible` are the places whose pair masks do not cancel unseen. */
  input(session: ServerSession, rootU1: Uint8Array, visible: ReadonlySet<number>, value: number): Uint8Array {
    const { vectors } = this.#cast.context;
    const own = session.places.get(this.id)!;
    const streams: MaskStream[] = [maskStream(nodeCrypto, selfKey(nodeCrypto, session.sid, this.#b, this.id), vectors, 1)];
    const peers = session.holders[own]!.filter((peer) => peer !== own && visible.has(peer));
    const agreed = nodeCrypto.x25519Each(
      this.maskSecret,
      peers.map((peer) => session.roster[peer]!.maskKey),
    );
    for (const [i, peer] of peers.entries()) {
      const other = session.roster[peer]!.id;
      const [low, high] = own < peer ? [this.id, other] : [other, this.id];
      const key = pairKey(nodeCrypto, session.sid, agreed[i]!, low, high);
      streams.push(maskStream(nodeCrypto, key, vectors, own < peer ? 1 : -1));
    }
    const targets = vectors.map((vector) => new Uint32Array(vector.length).fill(value));
    runMaskJobFast({ vectors, targets, streams });
    const packed = targets.map((target, v) => pack(target, vectors[v]!.bits));
    const signature = signInput(nodeCrypto, this.#signingSeed, session.sid, rootU1, inputHash(nodeCrypto, packed));
    return encodeMaskedInput(session.sid, { id: this.id, missing: [], signature, vectors: packed });
  }

  confirm(statement: Certified): Uint8Array {
    return encodeConfirm(statement.sid, {
      id: this.id,
      signature: signConfirmation(nodeCrypto, this.#signingSeed, statement),
    });
  }

  answer(session: ServerSession, members: readonly Member[], u1: ReadonlySet<string>, u2: ReadonlySet<string>): Uint8Array {
    const own = session.places.get(this.id)!;
    const shares = session.holders[own]!.flatMap((dealer): OpenedShare[] => {
      const { id, light } = members[dealer]!;
      if (!u1.has(id)) return [];
      const kind = u2.has(id) ? 'b' : 'r';
      const held = this.#held.get(id);
      const share =
        light === undefined
          ? held!.subarray(kind === 'r' ? 0 : 32, kind === 'r' ? 32 : 64)
          : light.dealt(session.holders[dealer]!.indexOf(own), kind);
      return [{ dealer: id, kind, share }];
    });
    return encodeUnmask(session.sid, signUnmask(nodeCrypto, this.#signingSeed, session.sid, { id: this.id, shares }));
  }
}

/** Has the members at message level open what a whole client sent them; they read nothing else of round 1. */
export function openBoxes(session: ServerSession, members: readonly Member[], dealer: number, shares: Uint8Array): void {
  const limits = { nMax: members.length, suite: 'x25519' } as const;
  for (const box of decodeShares(session.sid, limits, shares).boxes) {
    members[session.places.get(box.peer)!]!.light?.open(session, dealer, box.sealed);
  }
}
