/**
 * What a ledger holds: the entries, version 1.
 *
 * Every party keeps one append-only ledger. A data owner's ledger says which data set it answers for, under which budget,
 * and what each round spent; the coordinator's says what was planned, published and given up, with the owners' own signed
 * evidence. An entry records the *event* that was spent and never an ε: ε is computed from events, by whoever reads.
 *
 * Entries are plain data as they stand in the leaf (canonical JSON): hashes and signatures are texts, times are given by
 * the caller in milliseconds since 1970. The list of kinds and fields may grow; what is here never changes its meaning.
 *
 * @module
 */
import type { Adjacency, DpEvent, PrivacyUnit } from '@sotto/core/event';
import type { Json } from '@sotto/core/json';

/** SHA-256 in lower-case hexadecimal, 64 characters. */
export type HashText = string;
/** Canonical padded standard base64. */
export type Base64Text = string;

/** Stages of a round at which it can be given up, in order. */
export type RoundStage = 'select' | 'advertise' | 'share' | 'masked' | 'confirm' | 'unmask' | 'publish';

interface EntryBase {
  readonly version: 1;
  /** Milliseconds since 1970 by the writer's clock; nothing is proved by it. */
  readonly timeMs: number;
}

/** A party's identity, under the certificate of the enrolment authority. A ledger begins with that of its own party. */
export interface EnrolEntry extends EntryBase {
  readonly kind: 'enrol';
  readonly party: string;
  readonly role: 'coordinator' | 'client';
  readonly trustDomain: string;
  /** Wire form of the identity certificate (`@sotto/core/identity`). */
  readonly certificate: Base64Text;
  /** The fingerprint of the trust bundle that the writer pinned. */
  readonly trustFingerprint: HashText;
}

/** Opens the account of one data set. One unit, one adjacency and one budget, for good. */
export interface AccountEntry extends EntryBase {
  readonly kind: 'account';
  /** Name of the account, a party id in form. */
  readonly account: string;
  readonly dataset: {
    readonly name: string;
    /** SHA-256(salt ‖ bytes); the salt stays with the owner, so that nobody can test guesses ({@link datasetCommitment}). */
    readonly commitment: HashText;
  };
  /** Who answers for the data. */
  readonly steward: string;
  readonly purpose: string;
  readonly legalBasis: string;
  readonly unit: PrivacyUnit;
  readonly adjacency: Adjacency;
  readonly contributionBound: {
    /** The most records that one unit has in the data set. */
    readonly recordsPerUnit: number;
    /** The most rounds of one run in which one unit can take part. */
    readonly roundsPerRun: number;
  };
  readonly budget: {
    /** ε in nano-units: 1,000,000,000 is ε = 1. */
    readonly epsilonNano: number;
    readonly delta: number;
  };
}

/** One data owner's public constants in a plan. */
export interface PlanParty {
  readonly id: string;
  /** Weight of its update in the sum. */
  readonly weight: number;
  /** Probability with which a record enters a step. */
  readonly sampleRate: number;
  /** The constant by which the noisy sum is divided. */
  readonly expectedBatchSize: number;
}

/** What the plan binds everyone to, in the words that a report needs. */
export interface PlanTerms {
  /** Number of planned rounds; they are numbered from 1. */
  readonly rounds: number;
  readonly model: {
    readonly name: string;
    /** SHA-256 of the canonical JSON of the TensorFlow.js topology. */
    readonly topologyHash: HashText;
    /** Weights in model order. */
    readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
    /** {@link modelHash} of the initial weights. */
    readonly initialHash: HashText;
  };
  readonly training: {
    readonly unit: PrivacyUnit;
    readonly adjacency: Adjacency;
    readonly clipNorm: number;
    readonly learningRate: number;
    readonly localSteps: number;
    /** The δ at which budgets of this run are stated. */
    readonly delta: number;
  };
  readonly parties: readonly PlanParty[];
  /** Vectors of the secure sum, by name, with their lengths. */
  readonly vectors: readonly { readonly name: string; readonly length: number }[];
  readonly quantiser: { readonly clip: number; readonly bits: number };
  readonly secagg: {
    readonly mode: 'malicious' | 'semi-honest';
    /** γ = numerator / denominator: the share of a roster that may collude with the coordinator. */
    readonly gammaNumerator: number;
    readonly gammaDenominator: number;
    readonly cMin: number;
    readonly nMin: number;
    readonly nMax: number;
    readonly hMin: number;
  };
}

/** Accepts a plan. The whole plan may stand beside the terms; a long one is bound by its hash alone. */
export interface PlanEntry extends EntryBase {
  readonly kind: 'plan';
  readonly runId: string;
  /** SHA-256 of the canonical JSON of the plan ({@link planHash}). */
  readonly planHash: HashText;
  readonly terms: PlanTerms;
  readonly document?: Json;
}

/** Takes a round's worst case out of the account, before any noise is drawn. Once per (runId, round), for good. */
export interface ReserveEntry extends EntryBase {
  readonly kind: 'reserve';
  readonly runId: string;
  readonly round: number;
  readonly planHash: HashText;
  readonly account: string;
  readonly event: DpEvent;
  /** The mechanism in words: sampling, clipping, noise and where each is done. */
  readonly mechanism: string;
}

/** Gives a reservation back: no noise was drawn and nothing left the owner. */
export interface ReleaseEntry extends EntryBase {
  readonly kind: 'release';
  readonly runId: string;
  readonly round: number;
  /** Index of the reserve entry in this ledger. */
  readonly reservation: number;
  readonly reason: string;
}

/** The masked input of a round is about to leave; the reservation is spent, with the event that it states. */
export interface ContributeEntry extends EntryBase {
  readonly kind: 'contribute';
  readonly runId: string;
  readonly round: number;
  /** Session id of the secure aggregation (hex). */
  readonly sid: HashText;
  /** Index of the reserve entry in this ledger. */
  readonly reservation: number;
  /** H("y", …): the commitment to the masked input (hex). */
  readonly inputHash: HashText;
}

/** The owner as witness: a checkpoint of the coordinator's ledger that it verified and remembers. */
export interface ObserveEntry extends EntryBase {
  readonly kind: 'observe';
  readonly runId: string;
  /** How the round ended, or `seen` for a checkpoint outside any round. */
  readonly outcome: 'published' | 'aborted' | 'seen';
  /** The round; absent for `seen`. */
  readonly round?: number;
  /** The coordinator's signed checkpoint. */
  readonly checkpoint: string;
}

/** A reservation as its owner's ledger proves it. */
export interface ReservationEvidence {
  readonly reserve: ReserveEntry;
  /** Index of the reserve entry in the owner's ledger. */
  readonly index: number;
  /** RFC 6962 inclusion proof under the checkpoint. */
  readonly proof: readonly Base64Text[];
  /** The owner's signed checkpoint. */
  readonly checkpoint: string;
}

/** One member of the survivor set U2. */
export interface SurvivorRecord {
  readonly party: string;
  /** H("y", …) of the masked input that was summed (hex). */
  readonly inputHash: HashText;
  /** The party's signature over sid, root(U1) and the hash (Sig "input"). */
  readonly signature: Base64Text;
  readonly evidence: ReservationEvidence;
}

/** A round that ended with a sum. Coordinator only. */
export interface PublishEntry extends EntryBase {
  readonly kind: 'publish';
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly planHash: HashText;
  /** Hash of the round's context (`ctx`), from which with the roster the sid follows. */
  readonly context: HashText;
  readonly sid: HashText;
  /** Who advertised keys, by id; n is its length. */
  readonly roster: readonly string[];
  readonly rosterRoot: HashText;
  /** U1: who shared keys, by id. */
  readonly sharers: readonly string[];
  readonly sharersRoot: HashText;
  /** U2: whose inputs are in the sum, by id. */
  readonly survivors: readonly SurvivorRecord[];
  readonly survivorsRoot: HashText;
  /** Signatures of members of U2 over the survivor set (Sig "confirm"), by id. */
  readonly confirmations: readonly { readonly party: string; readonly signature: Base64Text }[];
  /** H("sum", packed sum). */
  readonly sumHash: HashText;
  /** The coordinator's receipt: the survivors' reserved events by party (canonical JSON), and Sig "receipt" over all of it. */
  readonly receipt: { readonly event: Base64Text; readonly signature: Base64Text };
  readonly modelBefore: HashText;
  readonly modelAfter: HashText;
  /**
   * Held-out records of the survivors that the model with which the round *began* classifies correctly, from the secure
   * sum. Outside the guarantee.
   */
  readonly heldOut: { readonly correct: number; readonly total: number };
}

/** A round that ended without a sum. Coordinator only. */
export interface AbortEntry extends EntryBase {
  readonly kind: 'abort';
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly stage: RoundStage;
  readonly reason: string;
  /**
   * Who may have spent, as far as the coordinator can know: U1 from stage `masked` on, nobody before. The owners' ledgers
   * decide; a live reservation of an owner that is not named here is a contradiction.
   */
  readonly spent: readonly string[];
}

/** The end of a run: published + aborted = planned. */
export interface CompleteEntry extends EntryBase {
  readonly kind: 'complete';
  readonly runId: string;
  readonly published: number;
  readonly aborted: number;
  /** {@link modelHash} of the final weights. */
  readonly modelHash: HashText;
}

/** Any entry of a ledger, told apart by `kind`. */
export type LedgerEntry =
  | EnrolEntry
  | AccountEntry
  | PlanEntry
  | ReserveEntry
  | ReleaseEntry
  | ContributeEntry
  | ObserveEntry
  | PublishEntry
  | AbortEntry
  | CompleteEntry;

/** The kinds of entries. */
export type LedgerEntryKind = LedgerEntry['kind'];
