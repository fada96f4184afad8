/**
 * Recovery of a dealer's secret from opened shares, with every check: b must open its commitment, r must give the
 * advertised mask keys. Shares that disagree are found by decoding and blamed on "dealer or holder", with evidence.
 *
 * @module
 */
import { equalBytes, wipe } from '@sotto/core/bytes';
import { RoundAbort } from '../abort.ts';
import { fieldFor } from '../field.ts';
import type { Field } from '../field.ts';
import { commitment, maskCoins, maskKemSeed, maskSecret, pairKey } from '../keys.ts';
import { decodeShares } from '../messages/share.ts';
import { conclusiveAgreement } from './blame.ts';
import { dualMultipliers, findWrongShares, sharesAgree } from '../reed-solomon.ts';
import { combineShares, lagrangeAtZero } from '../shamir.ts';
import type { ServerSession, ServerSetup, ServerState, Wanted } from './state.ts';

interface Opened {
  readonly holder: string;
  readonly point: number;
  readonly share: Uint8Array;
}

/** Recovers secrets of one session; Lagrange coefficients are shared by dealers with the same holders. */
export class Recovery {
  readonly #setup: ServerSetup;
  readonly #state: ServerState;
  readonly #session: ServerSession;
  readonly #coefficients = new Map<string, readonly number[]>();
  readonly #multipliers = new Map<string, readonly number[]>();
  readonly #opened: ReadonlyMap<string, readonly Opened[]>;

  constructor(setup: ServerSetup, state: ServerState) {
    this.#setup = setup;
    this.#state = state;
    this.#session = state.session!;
    this.#opened = byDealer(state);
  }

  /** The secret (32 bytes), checked; throws `recovery-failed` where too few shares are there or too many are wrong. */
  recover(wanted: Wanted): Uint8Array {
    const session = this.#session;
    const id = session.roster[wanted.dealer]!.id;
    const opened = this.#opened.get(id) ?? [];
    const t = session.threshold;
    const field = fieldFor(session.holders[wanted.dealer]!.length);
    if (opened.length < t) {
      throw new RoundAbort('recovery-failed', `${opened.length} shares of ${id} were opened; ${t} are needed`);
    }
    const first = this.#combine(field, opened.slice(0, t));
    const good = this.#isRight(wanted, first);
    const wrong = this.#disagreeing(field, opened, t, good);
    const holders = opened.map((share) => share.holder).filter((holder) => holder !== id);
    const shares = `the shares of ${wanted.kind} of ${id}`;
    if (wrong === undefined && good) {
      this.#blame(
        id,
        'bad-share',
        holders,
        `${shares} do not fit together, and too many differ to tell which: the dealer or holders lied`,
      );
    } else if (wrong !== undefined && wrong.length > 0) {
      const out = wrong.map((place) => opened[place]!.holder);
      this.#blame(
        id,
        'bad-share',
        out,
        `${shares} that ${out.join(', ')} opened do not fit the others: ${this.#who(opened.length - out.length)}`,
      );
    }
    if (good) return first;
    wipe(first); // not the secret, but made of shares of it
    const right = wrong === undefined ? [] : opened.filter((_, place) => !wrong.includes(place));
    if (right.length >= t) {
      const second = this.#combine(field, right.slice(0, t));
      if (this.#isRight(wanted, second)) return second;
      wipe(second);
    }
    const message = `${shares} do not give what it advertised: the dealer lied, or some of those who opened them`;
    this.#blame(id, 'unrecoverable', holders, message);
    throw new RoundAbort('recovery-failed', `the opened shares of ${id} do not give what it advertised`, [id, ...holders]);
  }

  #combine(field: Field, opened: readonly Opened[]): Uint8Array {
    const points = opened.map((share) => share.point);
    const name = `${field.bits} ${points.join(' ')}`;
    let factors = this.#coefficients.get(name);
    if (factors === undefined) {
      factors = lagrangeAtZero(field, points);
      this.#coefficients.set(name, factors);
    }
    return combineShares(
      field,
      opened.map((share) => share.share),
      factors,
    );
  }

  #multipliersOf(field: Field, points: readonly number[]): readonly number[] {
    const name = `${field.bits} ${points.join(' ')}`;
    let multipliers = this.#multipliers.get(name);
    if (multipliers === undefined) {
      multipliers = dualMultipliers(field, points);
      this.#multipliers.set(name, multipliers);
    }
    return multipliers;
  }

  #isRight({ dealer, kind }: Wanted, secret: Uint8Array): boolean {
    const { crypto } = this.#setup;
    const advert = this.#session.roster[dealer]!;
    if (kind === 'b') return equalBytes(commitment(crypto, this.#state.ctx, advert.id, secret), advert.commitment);
    const mask = maskSecret(crypto, secret);
    const sameKey = equalBytes(crypto.x25519PublicKey(mask), advert.maskKey);
    wipe(mask);
    if (!sameKey || this.#setup.context.suite === 'x25519') return sameKey;
    const seed = maskKemSeed(crypto, secret);
    const sameKemKey = equalBytes(crypto.mlKem768PublicKey(seed), advert.kemKeys[1]!);
    wipe(seed);
    return sameKemKey;
  }

  /** Places of the shares that disagree with the rest; `undefined` where there are too many to tell. */
  #disagreeing(field: Field, opened: readonly Opened[], t: number, good: boolean): readonly number[] | undefined {
    if (good && opened.length === t) return [];
    const points = opened.map((share) => share.point);
    const shares = opened.map((share) => share.share);
    if (good && sharesAgree(field, points, this.#multipliersOf(field, points), shares, t)) return [];
    return findWrongShares(field, points, shares, t);
  }

  /** Who lied where `agreeing` answers fit together and others do not. */
  #who(agreeing: number): string {
    const needed = conclusiveAgreement(this.#session.threshold, this.#session.parameters.c);
    if (agreeing >= needed) return 'the dealer or the holder lied';
    return `the dealer, the holder, or others who collude lied; ${agreeing} answers agree, and ${needed} would have to for these to be wrong whoever colludes`;
  }

  /** Blames the dealer and holders, never a holder alone: those whose shares stand out, or where none can be told all who opened one. */
  #blame(dealer: string, kind: 'bad-share' | 'unrecoverable', holders: readonly string[], message: string): void {
    const state = this.#state;
    const evidence = [state.outcomes.get('advertise'), state.shares.get(dealer)].filter((item) => item instanceof Uint8Array);
    evidence.push(...[...state.answers.values()].map((answer) => answer.message));
    const incident = { kind, parties: [dealer, ...holders], message, evidence } as const;
    state.incidents.push({ type: 'incident', incident });
  }
}

/** Opened shares by dealer, in the order of the holders' places, with the holder's evaluation point at that dealer. */
function byDealer(state: ServerState): ReadonlyMap<string, readonly Opened[]> {
  const session = state.session!;
  const opened = new Map<string, Opened[]>();
  for (const entry of state.u2) {
    const place = session.places.get(entry.id)!;
    for (const { dealer, share } of state.answers.get(entry.id)?.shares ?? []) {
      const point = session.holders[session.places.get(dealer)!]!.indexOf(place) + 1;
      const list = opened.get(dealer);
      if (list === undefined) opened.set(dealer, [{ holder: entry.id, point, share }]);
      else list.push({ holder: entry.id, point, share });
    }
  }
  return opened;
}

/** The mask keys that a dropped member shared with each survivor among its neighbours. They, and what they come from, are added to `secrets`. */
export function pairKeysOf(
  setup: ServerSetup,
  state: ServerState,
  dealer: number,
  r: Uint8Array,
  secrets: Uint8Array[],
): readonly { readonly peer: number; readonly key: Uint8Array }[] {
  const { crypto, context } = setup;
  const session = state.session!;
  const dropped = session.roster[dealer]!;
  const mask = maskSecret(crypto, r);
  const pairs: { readonly peer: number; readonly key: Uint8Array }[] = [];
  const peers = session.holders[dealer]!.filter((peer) => peer !== dealer && state.inputs.has(session.roster[peer]!.id));
  const agreements = crypto.x25519Each(
    mask,
    peers.map((peer) => session.roster[peer]!.maskKey),
  );
  secrets.push(mask, ...agreements.filter((agreed) => agreed !== undefined));
  for (const [i, peer] of peers.entries()) {
    const other = session.roster[peer]!;
    const agreed = agreements[i];
    if (agreed === undefined) throw new RoundAbort('bad-key', `the mask keys of ${dropped.id} and ${other.id} give no secret`);
    const [low, high] = peer < dealer ? [other, dropped] : [dropped, other];
    const kem = context.suite === 'x25519' ? undefined : recoverKem(setup, state, r, dropped.id, low.id, high.id, secrets);
    const key = pairKey(crypto, session.sid, agreed, low.id, high.id, kem);
    secrets.push(key);
    pairs.push({ peer, key });
  }
  return pairs;
}

/**
 * The mask's ML-KEM secret of a pair. Where the higher id dropped, its r has the decapsulation key; where the lower one
 * did, its r has the coins, and the ciphertext that it sent must be the one that they give.
 */
function recoverKem(
  { crypto, context }: ServerSetup,
  state: ServerState,
  r: Uint8Array,
  dropped: string,
  low: string,
  high: string,
  secrets: Uint8Array[],
): { readonly secret: Uint8Array; readonly ciphertext: Uint8Array } {
  const session = state.session!;
  const dealt = decodeShares(session.sid, { nMax: context.cohort.nMax, suite: context.suite }, state.shares.get(low)!);
  const box = dealt.boxes.find((candidate) => candidate.peer === high);
  const ciphertext = box?.kemCiphertexts[1];
  if (ciphertext === undefined) throw new RoundAbort('recovery-failed', `${low} sent no mask ciphertext for ${high}`, [low]);
  if (dropped === high) {
    const seed = maskKemSeed(crypto, r);
    const secret = crypto.mlKem768Decapsulate(seed, ciphertext);
    secrets.push(seed, secret);
    return { secret, ciphertext };
  }
  const coins = maskCoins(crypto, r, session.sid, high);
  const made = crypto.mlKem768Encapsulate(session.roster[session.places.get(high)!]!.kemKeys[1]!, coins);
  secrets.push(coins);
  if (made !== undefined) secrets.push(made.sharedSecret);
  if (made === undefined || !equalBytes(made.ciphertext, ciphertext)) {
    throw new RoundAbort('recovery-failed', `the mask ciphertext that ${low} sent to ${high} is not the one of its r`, [low]);
  }
  return { secret: made.sharedSecret, ciphertext };
}
