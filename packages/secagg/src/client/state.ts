/**
 * The client's side of a round as data: what it is given, which state it is in, what a step returns.
 *
 * A step never does I/O. The shell sends `outgoing` only after every effect named in the same step is durable, takes no further
 * step until then (a repeated message would be answered with the same bytes and no effect), and wipes
 * `consumed` when it has let go of the old state. No state is ever written to disk: a session does not survive its
 * process.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import type { TrustBundle } from '@sotto/core/identity';
import type { RandomSource } from '@sotto/core/random';
import type { Abort } from '../abort.ts';
import type { RoundContext, VectorSpec } from '../context.ts';
import type { MaskJob } from '../masks.ts';
import type { Advert } from '../messages/advertise.ts';
import type { Certified, Confirmation } from '../messages/confirm.ts';
import type { Survivor } from '../messages/input.ts';
import type { Receipt } from '../messages/unmask.ts';
import type { RoundParameters } from '../parameters.ts';
import type { SitePolicy } from '../policy.ts';

/** What the client brings to a round; the same object goes into every step. */
export interface ClientSetup {
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  /** The client's own view of the round, from the plan that it verified itself. */
  readonly context: RoundContext;
  /** Own identity certificate in wire form; its id is this client's id. */
  readonly certificate: Uint8Array;
  /** Ed25519 seed (32) of the certificate's signing key. */
  readonly signingSeed: Uint8Array;
  readonly trust: TrustBundle;
  readonly revokedSerials?: readonly Uint8Array[];
  readonly policy: SitePolicy;
  /** `deferred` hands mask expansion to the shell as an effect, for worker threads; default `inline`. */
  readonly masking?: 'inline' | 'deferred';
}

/** A record to create before `outgoing` is sent. Creating it MUST fail where it exists already, in any process of this identity. */
export type ClientEffect =
  /** At most one masked input per (runId, round): the privacy budget of the round is spent from here on. */
  | { readonly type: 'record'; readonly record: 'contributed'; readonly key: string }
  /** At most one answer per session. */
  | { readonly type: 'record'; readonly record: 'answered'; readonly key: string }
  /** Only with deferred masking: run the job ({@link runMaskJob} or a worker pool), then step with `masked`. */
  | { readonly type: 'mask'; readonly job: MaskJob }
  /** The end of a completed round. */
  | { readonly type: 'receipt'; readonly receipt: Receipt; readonly members: readonly string[] };

/** What happens to a client. Messages are the coordinator's answers, as bytes. */
export type ClientInput =
  /** Any message of the coordinator. `nowMs` is read from the clock by the shell; it only matters for the roster. */
  | { readonly type: 'message'; readonly message: Uint8Array; readonly nowMs: number }
  /** The private vectors, in the order of the context, each element below {@link inputLimit}; asked for by phase `ready-for-input`. */
  | { readonly type: 'input'; readonly vectors: readonly Uint32Array[] }
  /** The deferred mask job is done. */
  | { readonly type: 'masked' }
  /** A record of the last step exists already, or could not be written: nothing of that step was sent. */
  | { readonly type: 'record-refused' }
  /** The operator, a deadline or the coordinator gave the round up. */
  | { readonly type: 'cancel'; readonly reason: string };

/** Everything known once the roster is accepted. */
export interface ClientSession {
  readonly ctx: Uint8Array;
  readonly sid: Uint8Array;
  readonly roster: readonly Advert[];
  /** Ed25519 keys of the roster's certificates, in its order. */
  readonly signingKeys: readonly Uint8Array[];
  /** Own place in the roster. */
  readonly self: number;
  readonly parameters: RoundParameters;
  /** Places of this client's holders, itself included, ascending; they are also the members whose shares it holds. */
  readonly holders: readonly number[];
  /** This client's own x at each of those members, in the same order: its place among that member's holders plus 1. */
  readonly points: readonly number[];
  /** Shares that open one of this client's secrets. */
  readonly threshold: number;
}

/** Secrets of an advertisement. */
export interface AdvertSecrets {
  readonly r: Uint8Array;
  readonly b: Uint8Array;
  readonly channelSecret: Uint8Array;
  /** Hybrid suite: seed d ‖ z (64) of the channel's encapsulation key. */
  readonly channelKemSeed: Uint8Array | undefined;
}

/** A share of one of a dealer's secrets, held by this client. */
export interface HeldShares {
  /** Place of the dealer in the roster. */
  readonly dealer: number;
  readonly r: Uint8Array;
  readonly b: Uint8Array;
}

/** Digests of the coordinator's messages that were taken, so that a repetition is told from an equivocation. */
export interface Seen {
  readonly roster?: Uint8Array;
  readonly delivery?: Uint8Array;
  readonly survivors?: Uint8Array;
  readonly confirmations?: Uint8Array;
}

interface Base {
  readonly id: string;
  readonly seen: Seen;
  /** What was sent last, for a byte-identical resend. */
  readonly sent: Uint8Array | undefined;
}

/** One state per step of the protocol. */
export type ClientState =
  | (Base & {
      readonly phase: 'awaiting-roster';
      readonly ctx: Uint8Array;
      readonly advert: Advert;
      readonly secrets: AdvertSecrets;
    })
  | (Base & {
      readonly phase: 'awaiting-delivery';
      readonly session: ClientSession;
      readonly secrets: AdvertSecrets;
      /** Own share of own b. */
      readonly ownShare: Uint8Array;
      /** X25519 channel secrets with each member, by place; this client's own place is empty. */
      readonly channels: readonly (Uint8Array | undefined)[];
    })
  | (Base & {
      /** U1 passed: reserve budget, train, add noise, then step with `input`. Nothing masked has left yet. */
      readonly phase: 'ready-for-input';
      readonly session: ClientSession;
      readonly u1: readonly number[];
      readonly rootU1: Uint8Array;
      readonly b: Uint8Array;
      /** Pair keys with the other mask neighbours in U1, ascending by place. */
      readonly pairs: readonly { readonly peer: number; readonly key: Uint8Array }[];
      readonly held: readonly HeldShares[];
      readonly missing: readonly string[];
    })
  | (Base & {
      readonly phase: 'masking';
      readonly session: ClientSession;
      readonly u1: readonly number[];
      readonly rootU1: Uint8Array;
      readonly job: MaskJob;
      readonly held: readonly HeldShares[];
      readonly missing: readonly string[];
    })
  | (Base & {
      readonly phase: 'awaiting-survivors';
      readonly session: ClientSession;
      readonly u1: readonly number[];
      readonly rootU1: Uint8Array;
      readonly entry: Survivor;
      readonly held: readonly HeldShares[];
    })
  | (Base & {
      readonly phase: 'awaiting-confirmations';
      readonly session: ClientSession;
      readonly u1: readonly number[];
      readonly statement: Certified;
      readonly u2: readonly Survivor[];
      readonly held: readonly HeldShares[];
    })
  | (Base & {
      readonly phase: 'awaiting-receipt';
      readonly session: ClientSession;
      readonly statement: Certified;
      readonly u2: readonly Survivor[];
      /** The confirmations that were verified before the shares left; none in a semi-honest round. */
      readonly certificate: readonly Confirmation[];
    })
  | (Base & { readonly phase: 'done'; readonly receipt: Receipt; readonly members: readonly string[] })
  | (Base & { readonly phase: 'aborted'; readonly abort: Abort });

/** The name of a client's state. */
export type ClientPhase = ClientState['phase'];

/** The state of one phase. */
export type ClientStateOf<P extends ClientPhase> = Extract<ClientState, { readonly phase: P }>;

/** What a step gives back. */
export interface ClientStep {
  readonly state: ClientState;
  /** Messages to the coordinator: to be sent after the effects are durable. At most one. */
  readonly outgoing: readonly Uint8Array[];
  readonly effects: readonly ClientEffect[];
  /** Secrets that the new state no longer needs: `wipe(...step.consumed)` once the old state is dropped. */
  readonly consumed: readonly Uint8Array[];
}

/**
 * The largest element that a client may feed into a vector: ⌊(2^bits − 1)/nMax⌋, so that no sum wraps. The vector that carries noise is added modulo 2^bits, and may
 * hold anything.
 */
export function inputLimit(context: Pick<RoundContext, 'cohort' | 'noise'>, vector: VectorSpec): number {
  const top = 2 ** vector.bits - 1;
  const { mechanism, vector: noisy } = context.noise;
  return mechanism !== 'none' && vector.name === noisy ? top : Math.floor(top / context.cohort.nMax);
}
