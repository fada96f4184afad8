/**
 * The state of a ledger while it is folded. A rule checks an entry against it and returns the change to make, so that a
 * refused entry changes nothing.
 *
 * @module
 */
import type { EnrolEntry } from './entry.ts';
import type { AccountState, LedgerState, Placed, ReservationState, RunState, SeenCheckpoint } from './state.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

export type MutableReservation = Mutable<ReservationState>;
export type MutableRun = Mutable<RunState>;
export interface MutableAccount extends AccountState {
  readonly reservations: MutableReservation[];
}

/** A change that a rule has allowed. */
export type Commit = () => void;

/** The state with everything that rules look up. */
export class MutableLedgerState implements LedgerState {
  size = 0;
  declare self?: Placed<EnrolEntry>;
  declare lastSeen?: SeenCheckpoint;
  readonly parties: Map<string, Placed<EnrolEntry>> = new Map();
  readonly accounts: Map<string, MutableAccount> = new Map();
  readonly runs: Map<string, MutableRun> = new Map();
  readonly reservationsByIndex: Map<number, MutableReservation> = new Map();
  readonly #reservations = new Map<string, MutableReservation>();

  reservation(runId: string, round: number): MutableReservation | undefined {
    return this.#reservations.get(`${round} ${runId}`);
  }

  addReservation(account: MutableAccount, reservation: MutableReservation): void {
    const { index, entry } = reservation.reserve;
    this.#reservations.set(`${entry.round} ${entry.runId}`, reservation);
    this.reservationsByIndex.set(index, reservation);
    account.reservations.push(reservation);
  }
}
