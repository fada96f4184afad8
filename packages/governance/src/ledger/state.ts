/**
 * The state that follows from a ledger: its party, its accounts with their reservations, its runs. Data only; the rules
 * are in `fold.ts`.
 *
 * @module
 */
import type { DpEvent } from '@sotto/core/event';
import type {
  AbortEntry,
  AccountEntry,
  CompleteEntry,
  ContributeEntry,
  EnrolEntry,
  ObserveEntry,
  PlanEntry,
  PublishEntry,
  ReleaseEntry,
  ReserveEntry,
} from './entry.ts';

/** An entry with its index. */
export interface Placed<T> {
  readonly index: number;
  readonly entry: T;
}

/** One reservation and what became of it. */
export interface ReservationState {
  readonly reserve: Placed<ReserveEntry>;
  /** `live`: reserved, nothing more is known; it counts as spent. */
  readonly status: 'live' | 'released' | 'contributed';
  readonly release?: Placed<ReleaseEntry>;
  readonly contribution?: Placed<ContributeEntry>;
}

/** One account. */
export interface AccountState {
  readonly opened: Placed<AccountEntry>;
  /** In the order of the ledger. */
  readonly reservations: readonly ReservationState[];
}

/** One run, as this ledger knows it. */
export interface RunState {
  readonly plan: Placed<PlanEntry>;
  /** Coordinator: ended rounds in order. Client: none. */
  readonly rounds: readonly (Placed<PublishEntry> | Placed<AbortEntry>)[];
  readonly published: number;
  readonly aborted: number;
  /** Client: what it saw, in order. */
  readonly observations: readonly Placed<ObserveEntry>[];
  /** Coordinator: hash of the model after the last published round. */
  readonly modelHash: string;
  readonly complete?: Placed<CompleteEntry>;
}

/** A checkpoint that this party accepted from the coordinator. */
export interface SeenCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** Everything that a ledger says. A live view: it changes with the ledger that it belongs to. */
export interface LedgerState {
  /** Number of entries. */
  readonly size: number;
  /** The ledger's own first enrolment; absent only in an empty ledger. */
  readonly self?: Placed<EnrolEntry>;
  /** The latest enrolment of every party that this ledger knows, its own included, by id. */
  readonly parties: ReadonlyMap<string, Placed<EnrolEntry>>;
  readonly accounts: ReadonlyMap<string, AccountState>;
  readonly runs: ReadonlyMap<string, RunState>;
  /** The reservation of a (runId, round), released or not. */
  reservation(runId: string, round: number): ReservationState | undefined;
  /** The last coordinator checkpoint that this party accepted. */
  readonly lastSeen?: SeenCheckpoint;
}

/**
 * The events that an account has spent, in order: what was reserved by every reservation that was not released. What was
 * shown to the coordinator as evidence is therefore what counts, and nothing that the owner writes later makes it less.
 */
export function spentEvents(account: AccountState): DpEvent[] {
  return account.reservations.filter(({ status }) => status !== 'released').map(({ reserve }) => reserve.entry.event);
}
