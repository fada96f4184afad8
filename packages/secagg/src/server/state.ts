/**
 * The coordinator's side of a round as data. It holds one running sum, never an input: memory is O(d) plus small state
 * for each pair of members.
 *
 * A step mutates what it is given and returns it: a state that was handed in is spent. Nothing of a round is resumed
 * after a crash; the round is given up and the next one has fresh keys.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import type { TrustBundle } from '@sotto/core/identity';
import type { Abort } from '../abort.ts';
import type { RoundContext } from '../context.ts';
import type { MaskJob } from '../masks.ts';
import type { Advert } from '../messages/advertise.ts';
import type { Confirmation } from '../messages/confirm.ts';
import type { Survivor } from '../messages/input.ts';
import type { OpenedShare, Receipt, SecretKind } from '../messages/unmask.ts';
import type { RoundParameters } from '../parameters.ts';
import type { DistinctKeys } from '../roster.ts';

/** What the coordinator brings to a round; the same object goes into every step. */
export interface ServerSetup {
  readonly crypto: CryptoProvider;
  readonly context: RoundContext;
  readonly trust: TrustBundle;
  readonly revokedSerials?: readonly Uint8Array[];
  /** Ed25519 seed (32) of the context's coordinator key; signs the receipt. */
  readonly coordinatorSeed: Uint8Array;
  /** `deferred` hands mask removal to the shell as an effect, for worker threads; default `inline`. */
  readonly masking?: 'inline' | 'deferred';
}

/** The stage that collects messages, or what comes after. Semi-honest rounds go from `masked` to `unmask`. */
export type ServerStage = 'advertise' | 'share' | 'masked' | 'confirm' | 'unmask' | 'removing-masks' | 'done' | 'aborted';

/** Stages that {@link ServerInput} `closeStage` ends. */
export type CollectingStage = 'advertise' | 'share' | 'masked' | 'confirm' | 'unmask';

export type ServerInput =
  /** A message of a member. `from` is the id that the transport authenticated. */
  | { readonly type: 'message'; readonly from: string; readonly message: Uint8Array; readonly nowMs: number }
  /** Freezes the present stage. With `unmask`, `event` is the encoded privacy event of the release, for the receipt. */
  | { readonly type: 'closeStage'; readonly event?: Uint8Array }
  /** The deferred mask job is done. */
  | { readonly type: 'masksRemoved' }
  | { readonly type: 'cancel'; readonly reason: string };

/** Something that a member did wrong or that went wrong about it; for the log and for blame. */
export interface Incident {
  readonly kind: 'refused-message' | 'bad-share' | 'unrecoverable' | 'complaint' | 'missing-share';
  /** Parties that the evidence points to: "dealer or holder" names both. */
  readonly parties: readonly string[];
  readonly message: string;
  /** Encoded, signed messages that a third party can check. */
  readonly evidence: readonly Uint8Array[];
}

/** The sum over U2, modulo 2^bits per vector. */
export interface SumResult {
  readonly members: readonly string[];
  /** One array per vector of the context; with noise, residues to be centre-lifted. */
  readonly sums: readonly Uint32Array[];
  readonly receipt: Receipt;
}

export type ServerEffect =
  | { readonly type: 'incident'; readonly incident: Incident }
  /** Only with deferred masking: run the job, then step with `masksRemoved`. */
  | { readonly type: 'unmask'; readonly job: MaskJob }
  | { readonly type: 'result'; readonly result: SumResult };

/** Everything known once the roster is frozen. */
export interface ServerSession {
  readonly sid: Uint8Array;
  readonly roster: readonly Advert[];
  readonly signingKeys: readonly Uint8Array[];
  /** Place in the roster by id. */
  readonly places: ReadonlyMap<string, number>;
  readonly parameters: RoundParameters;
  /** Places of each member's holders, itself included, ascending. */
  readonly holders: readonly (readonly number[])[];
  readonly threshold: number;
}

/** Opened shares of one member's answer. */
export interface Answer {
  readonly shares: readonly OpenedShare[];
  readonly message: Uint8Array;
}

/** A secret to recover: whose, and which of the two. */
export interface Wanted {
  readonly dealer: number;
  readonly kind: SecretKind;
}

/** The coordinator's state. Its collections belong to the state and are mutated by steps. */
export interface ServerState {
  stage: ServerStage;
  readonly ctx: Uint8Array;
  /** SHA-256 of each accepted message by stage and id, to tell a repetition from a contradiction. */
  readonly digests: Map<string, Uint8Array>;
  readonly adverts: Map<string, { readonly advert: Advert; readonly signingKey: Uint8Array }>;
  /** Keys of the adverts so far, to refuse one that comes twice. */
  readonly keys: DistinctKeys;
  session: ServerSession | undefined;
  /** The messages of round 1, encoded: n·k boxes, which are only read again to be passed on or to blame. */
  readonly shares: Map<string, Uint8Array>;
  u1: readonly string[];
  rootU1: Uint8Array;
  /** Running sum, one array per vector. */
  sums: Uint32Array[];
  readonly inputs: Map<string, Survivor>;
  readonly left: Set<string>;
  u2: readonly Survivor[];
  rootU2: Uint8Array;
  readonly confirmations: Map<string, Confirmation>;
  certificate: readonly Confirmation[];
  readonly answers: Map<string, Answer>;
  event: Uint8Array;
  /** Incidents of the recovery, which are told even where it fails. */
  readonly incidents: ServerEffect[];
  job: MaskJob | undefined;
  result: SumResult | undefined;
  abort: Abort | undefined;
  /** Frozen outcome of each closed stage: one message for all, or one per member, put together when it is asked for. */
  readonly outcomes: Map<CollectingStage, Uint8Array | { get(id: string): Uint8Array | undefined }>;
}

/** What a step gives back. */
export interface ServerStep {
  readonly state: ServerState;
  /**
   * Messages to members. A broadcast is one entry for each recipient, with the same bytes; a message of one member alone is
   * put together each time `message` is read.
   */
  readonly outgoing: readonly { readonly to: string; readonly message: Uint8Array }[];
  readonly effects: readonly ServerEffect[];
  readonly consumed: readonly Uint8Array[];
  /** For a `message` input: whether it was taken, taken before with the same bytes, too late, or refused and why. */
  readonly verdict?: Verdict;
}

/** What became of one message. `late` is answered with the frozen outcome. */
export type Verdict =
  | { readonly type: 'accepted' }
  | { readonly type: 'repeated' }
  | { readonly type: 'late' }
  | { readonly type: 'refused'; readonly abort: Abort };
