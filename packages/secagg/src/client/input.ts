/**
 * Round 2 at the client: U1 is checked and the boxes opened; then, once the shell has reserved budget and trained, the
 * input is masked. The two are apart, so that no noise is drawn for a round that cannot take it.
 *
 * @module
 */
import { equalBytes, wipe } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { RoundAbort } from '../abort.ts';
import { contributedKey } from '../context.ts';
import { channelKey, maskCoins, maskKemSeed, maskSecret, pairConfirmation, pairKey, selfKey } from '../keys.ts';
import { maskStream, runMaskJob } from '../masks.ts';
import type { MaskJob } from '../masks.ts';
import { encodeComplaint, signComplaint } from '../messages/complaint.ts';
import { encodeMaskedInput, inputHash, signInput } from '../messages/input.ts';
import { boxAad, decodeDelivery, u1Root } from '../messages/share.ts';
import type { ShareBox } from '../messages/share.ts';
import { pack } from '../packing.ts';
import { agreeWith, ZERO_NONCE } from './share.ts';
import { inputLimit } from './state.ts';
import type { ClientSession, ClientSetup, ClientStateOf, ClientStep, HeldShares } from './state.ts';

/** Takes U1 and the boxes addressed to this client. */
export function openDelivery(setup: ClientSetup, state: ClientStateOf<'awaiting-delivery'>, message: Uint8Array): ClientStep {
  const { crypto, context } = setup;
  const { session, secrets } = state;
  const delivery = decodeDelivery(session.sid, { nMax: context.cohort.nMax, suite: context.suite }, message);
  const u1 = checkU1(session, delivery.u1);
  const boxes = boxesOf(session, u1, delivery.boxes);
  const held: HeldShares[] = [{ dealer: session.self, r: new Uint8Array(0), b: state.ownShare }];
  const pairs: { readonly peer: number; readonly key: Uint8Array }[] = [];
  const missing: string[] = [];
  const mask = maskSecret(crypto, secrets.r);
  const kemSeed = context.suite === 'x25519' ? undefined : maskKemSeed(crypto, secrets.r);
  const holders = new Set(session.holders);
  const peers = u1.filter((peer) => peer !== session.self && holders.has(peer));
  const agreed = agreeWith(
    setup,
    mask,
    peers.map((peer) => session.roster[peer]!.maskKey),
  );
  let complaint: string | undefined;
  for (const [i, peer] of peers.entries()) {
    const box = boxes.get(peer);
    const opened = box === undefined ? undefined : openBox(setup, state, peer, box);
    const key = derivePair(setup, state, peer, agreed[i]!, kemSeed, box);
    pairs.push({ peer, key });
    if (opened === undefined) {
      missing.push(session.roster[peer]!.id);
      // Its box held the confirmation of the mask key: without it nothing tells whether the sum would come out.
      if (kemSeed !== undefined && peer < session.self) complaint ??= session.roster[peer]!.id;
      continue;
    }
    held.push({ dealer: peer, r: opened.subarray(0, 32), b: opened.subarray(32, 64) });
    if (opened.length > 64 && !equalBytes(opened.subarray(64), pairConfirmation(crypto, key)))
      complaint ??= session.roster[peer]!.id;
  }
  wipe(mask, kemSeed);
  const consumed = [secrets.r, secrets.channelSecret, ...state.channels.filter((channel) => channel !== undefined)];
  if (secrets.channelKemSeed !== undefined) consumed.push(secrets.channelKemSeed);
  const seen = { ...state.seen, delivery: crypto.sha256(message) };
  if (complaint !== undefined) return complain(setup, state, complaint, [...consumed, secrets.b, ...secretsOf(held, pairs)]);
  if (held.length < session.threshold) {
    // The state that is given up knows nothing of what was opened here.
    wipe(...secretsOf(held, pairs));
    throw new RoundAbort('shares-too-few', `${held.length - 1} shares open here; ${session.threshold - 1} are needed`);
  }
  return {
    state: {
      phase: 'ready-for-input',
      id: state.id,
      seen,
      sent: undefined,
      session,
      u1,
      rootU1: u1Root(crypto, delivery.u1),
      b: secrets.b,
      pairs,
      held,
      missing,
    },
    outgoing: [],
    effects: [],
    consumed,
  };
}

function secretsOf(held: readonly HeldShares[], pairs: readonly { readonly key: Uint8Array }[]): Uint8Array[] {
  return [...held.flatMap((share) => [share.r, share.b]), ...pairs.map((pair) => pair.key)];
}

/** Leaves before y, with a signed statement of whose mask key was another one. */
function complain(
  setup: ClientSetup,
  state: ClientStateOf<'awaiting-delivery'>,
  about: string,
  consumed: readonly Uint8Array[],
): ClientStep {
  const { sid } = state.session;
  const message = encodeComplaint(sid, signComplaint(setup.crypto, setup.signingSeed, sid, state.id, about));
  const abort = {
    code: 'mask-key-mismatch',
    message: `${about} does not confirm the mask key that is derived here`,
    parties: [about],
  } as const;
  return {
    state: { phase: 'aborted', id: state.id, seen: state.seen, sent: message, abort },
    outgoing: [message],
    effects: [],
    consumed,
  };
}

/** The places of U1, or an abort. */
function checkU1(session: ClientSession, ids: readonly string[]): readonly number[] {
  const { F } = session.parameters;
  const places = new Map(session.roster.map((advert, place) => [advert.id, place]));
  const u1 = ids.map((id) => {
    const place = places.get(id);
    if (place === undefined) throw new RoundAbort('survivors-not-subset', `U1 names ${id}, who is not in the roster`);
    return place;
  });
  if (!u1.includes(session.self)) throw new RoundAbort('own-input', 'U1 leaves this client out');
  if (u1.length < F) throw new RoundAbort('survivors-too-few', `U1 has ${u1.length} members; the round needs ${F}`);
  const holders = session.holders.filter((holder) => u1.includes(holder)).length;
  if (holders < session.threshold) {
    throw new RoundAbort('survivors-too-few', `${holders} holders of this client are in U1; ${session.threshold} are needed`);
  }
  return u1;
}

/** Boxes by the place of their sender. */
function boxesOf(session: ClientSession, u1: readonly number[], boxes: readonly ShareBox[]): ReadonlyMap<number, ShareBox> {
  const places = new Map(u1.map((place) => [session.roster[place]!.id, place]));
  return new Map(
    boxes.map((box) => {
      const place = places.get(box.peer);
      if (place === undefined || place === session.self) {
        throw new RoundAbort('survivors-not-subset', `a box comes from ${box.peer}, who is no other member of U1`);
      }
      return [place, box];
    }),
  );
}

/** The plaintext of a box, or `undefined` where it does not open: that is a missing share, not an abort. */
function openBox(
  setup: ClientSetup,
  state: ClientStateOf<'awaiting-delivery'>,
  peer: number,
  box: ShareBox,
): Uint8Array | undefined {
  const { crypto, context } = setup;
  const { session, secrets } = state;
  const hybrid = context.suite === 'x25519-mlkem768';
  const lower = peer < session.self;
  if (box.kemCiphertexts.length !== (hybrid ? (lower ? 2 : 1) : 0)) return undefined;
  const kemSecret = hybrid ? crypto.mlKem768Decapsulate(secrets.channelKemSeed!, box.kemCiphertexts[0]!) : undefined;
  const key = channelKey(crypto, session.sid, state.channels[peer]!, kemSecret, session.roster[peer]!.id, state.id);
  const x = session.points[session.holders.indexOf(peer)]!;
  const aad = boxAad(session.sid, session.roster[peer]!.id, state.id, x, box.kemCiphertexts);
  const plaintext = crypto.aes256GcmOpen(key, ZERO_NONCE, aad, box.sealed);
  wipe(key, kemSecret);
  if (plaintext?.length === (hybrid && lower ? 96 : 64)) return plaintext;
  wipe(plaintext);
  return undefined;
}

/** The mask key with a peer; wipes what was agreed. */
function derivePair(
  setup: ClientSetup,
  state: ClientStateOf<'awaiting-delivery'>,
  peer: number,
  agreed: Uint8Array,
  kemSeed: Uint8Array | undefined,
  box: ShareBox | undefined,
): Uint8Array {
  const { crypto } = setup;
  const { session, secrets } = state;
  const other = session.roster[peer]!;
  const [low, high] = peer < session.self ? [other.id, state.id] : [state.id, other.id];
  if (kemSeed === undefined) {
    const key = pairKey(crypto, session.sid, agreed, low, high);
    wipe(agreed);
    return key;
  }
  const kem = peer < session.self ? received() : sent();
  const key = pairKey(crypto, session.sid, agreed, low, high, kem);
  wipe(agreed, kem.secret);
  return key;

  function sent(): { readonly secret: Uint8Array; readonly ciphertext: Uint8Array } {
    const coins = maskCoins(crypto, secrets.r, session.sid, other.id);
    const made = crypto.mlKem768Encapsulate(other.kemKeys[1]!, coins);
    wipe(coins);
    if (made === undefined) throw new RoundAbort('bad-key', `the encapsulation key of ${other.id} is not usable`, [other.id]);
    return { secret: made.sharedSecret, ciphertext: made.ciphertext };
  }
  function received(): { readonly secret: Uint8Array; readonly ciphertext: Uint8Array } {
    const ciphertext = box?.kemCiphertexts[1] ?? new Uint8Array(1088);
    return { secret: crypto.mlKem768Decapsulate(kemSeed!, ciphertext), ciphertext };
  }
}

/** Takes the private vectors. They are copied; the caller's arrays stay as they are. */
export function maskInput(
  setup: ClientSetup,
  state: ClientStateOf<'ready-for-input'>,
  vectors: readonly Uint32Array[],
): ClientStep {
  const { crypto, context } = setup;
  checkInput(setup, vectors);
  const { session } = state;
  const self = selfKey(crypto, session.sid, state.b, state.id);
  const streams = [maskStream(crypto, self, context.vectors, 1)];
  // The lower id adds, the higher subtracts; the roster is sorted, so places compare as ids do.
  for (const pair of state.pairs) streams.push(maskStream(crypto, pair.key, context.vectors, session.self < pair.peer ? 1 : -1));
  wipe(self);
  const job: MaskJob = { vectors: context.vectors, targets: vectors.map((vector) => vector.slice()), streams };
  const consumed = [state.b, ...state.pairs.map((pair) => pair.key)];
  const masking: ClientStateOf<'masking'> = {
    phase: 'masking',
    id: state.id,
    seen: state.seen,
    sent: undefined,
    session,
    u1: state.u1,
    rootU1: state.rootU1,
    job,
    held: state.held,
    missing: state.missing,
  };
  if (setup.masking === 'deferred') return { state: masking, outgoing: [], effects: [{ type: 'mask', job }], consumed };
  runMaskJob(crypto, job);
  const step = sendMasked(setup, masking);
  return { ...step, consumed: [...consumed, ...step.consumed] };
}

function checkInput({ context }: ClientSetup, vectors: readonly Uint32Array[]): void {
  if (vectors.length !== context.vectors.length) {
    throw new SottoError('invalid-argument', `${vectors.length} vectors were given; the round has ${context.vectors.length}`);
  }
  for (const [i, spec] of context.vectors.entries()) {
    const vector = vectors[i]!;
    if (vector.length !== spec.length) {
      throw new SottoError(
        'invalid-argument',
        `vector ${spec.name} has ${vector.length} elements; the round says ${spec.length}`,
      );
    }
    const limit = inputLimit(context, spec);
    let above = 0;
    for (let e = 0; e < vector.length; e++) above += vector[e]! > limit ? 1 : 0;
    if (above > 0) {
      throw new SottoError('invalid-argument', `${above} elements of vector ${spec.name} are above ${limit}; the sum could wrap`);
    }
  }
}

/** After the masks are on: packs, signs, and asks for the durable record that must exist before the first byte leaves. */
export function sendMasked(setup: ClientSetup, state: ClientStateOf<'masking'>): ClientStep {
  const { crypto, context } = setup;
  const { session, job } = state;
  const packed = job.targets.map((target, i) => pack(target, context.vectors[i]!.bits));
  const digest = inputHash(crypto, packed);
  const signature = signInput(crypto, setup.signingSeed, session.sid, state.rootU1, digest);
  const message = encodeMaskedInput(session.sid, { id: state.id, missing: state.missing, signature, vectors: packed });
  return {
    state: {
      phase: 'awaiting-survivors',
      id: state.id,
      seen: state.seen,
      sent: message,
      session,
      u1: state.u1,
      rootU1: state.rootU1,
      entry: { id: state.id, inputHash: digest, signature },
      held: state.held,
    },
    outgoing: [message],
    effects: [{ type: 'record', record: 'contributed', key: contributedKey(context) }],
    consumed: job.streams.flatMap((stream) => stream.keys),
  };
}
