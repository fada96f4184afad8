/**
 * Rules of a data owner's ledger: accounts, reservations, what becomes of them, and what the owner witnessed.
 *
 * @module
 */
import { equalBytes, utf8 } from '@sotto/core/bytes';
import { type Checkpoint, decodeCheckpoint } from '../log/checkpoint.ts';
import { parseNote } from '../log/note.ts';
import type { AccountEntry, ContributeEntry, ObserveEntry, ReleaseEntry, ReserveEntry } from './entry.ts';
import { ledgerFault } from './faults.ts';
import { checkRound, openRun } from './fold-run.ts';
import type { Commit, MutableLedgerState, MutableReservation } from './mutable-state.ts';

export function foldAccount(state: MutableLedgerState, entry: AccountEntry, index: number): Commit {
  if (state.accounts.has(entry.account))
    throw ledgerFault('duplicate-account', index, `account ${entry.account} is open already`);
  return () => {
    state.accounts.set(entry.account, { opened: { index, entry }, reservations: [] });
  };
}

export function foldReserve(state: MutableLedgerState, entry: ReserveEntry, index: number): Commit {
  const run = openRun(state, entry.runId, index);
  checkRound(run, entry.round, index);
  const plan = run.plan.entry;
  if (plan.planHash !== entry.planHash) throw ledgerFault('plan-mismatch', index, 'the reservation is for another plan');
  const account = state.accounts.get(entry.account);
  if (account === undefined) throw ledgerFault('unknown-account', index, `account ${entry.account} is not open`);
  const { unit, adjacency } = plan.terms.training;
  if (account.opened.entry.unit !== unit || account.opened.entry.adjacency !== adjacency) {
    throw ledgerFault('unit-mismatch', index, `the plan's unit (${unit}, ${adjacency}) is not that of account ${entry.account}`);
  }
  const before = state.reservation(entry.runId, entry.round);
  if (before !== undefined) {
    throw ledgerFault(
      'already-reserved',
      index,
      `round ${entry.round} of run ${entry.runId} was reserved at entry ${before.reserve.index}; there is one reservation per round, ever`,
    );
  }
  return () => state.addReservation(account, { reserve: { index, entry }, status: 'live' });
}

/** The live reservation that an entry refers to. */
function liveReservation(state: MutableLedgerState, entry: ReleaseEntry | ContributeEntry, index: number): MutableReservation {
  const reservation = state.reservationsByIndex.get(entry.reservation);
  const reserve = reservation?.reserve.entry;
  if (reservation === undefined || reserve?.runId !== entry.runId || reserve.round !== entry.round) {
    throw ledgerFault(
      'no-reservation',
      index,
      `entry ${entry.reservation} reserves nothing for round ${entry.round} of run ${entry.runId}`,
    );
  }
  if (reservation.status === 'released')
    throw ledgerFault('already-released', index, `the reservation ${entry.reservation} was released`);
  if (reservation.status === 'contributed') {
    throw ledgerFault('already-contributed', index, `the reservation ${entry.reservation} was spent`);
  }
  return reservation;
}

export function foldRelease(state: MutableLedgerState, entry: ReleaseEntry, index: number): Commit {
  const reservation = liveReservation(state, entry, index);
  return () => {
    reservation.status = 'released';
    reservation.release = { index, entry };
  };
}

export function foldContribute(state: MutableLedgerState, entry: ContributeEntry, index: number): Commit {
  openRun(state, entry.runId, index);
  const reservation = liveReservation(state, entry, index);
  return () => {
    reservation.status = 'contributed';
    reservation.contribution = { index, entry };
  };
}

export function foldObserve(state: MutableLedgerState, entry: ObserveEntry, index: number): Commit {
  const run = state.runs.get(entry.runId);
  if (run === undefined) throw ledgerFault('unknown-plan', index, `run ${entry.runId} has no plan in this ledger`);
  if (entry.round !== undefined) checkRound(run, entry.round, index);
  let seen: Checkpoint;
  try {
    seen = decodeCheckpoint(parseNote(utf8(entry.checkpoint)).text);
  } catch {
    throw ledgerFault('rewound', index, 'the observed checkpoint does not decode');
  }
  const last = state.lastSeen;
  if (last !== undefined) {
    if (seen.origin !== last.origin)
      throw ledgerFault('rewound', index, `the checkpoint is of ${seen.origin}, not of ${last.origin}`);
    if (seen.size < last.size || (seen.size === last.size && !equalBytes(seen.root, last.root))) {
      throw ledgerFault(
        'rewound',
        index,
        `the checkpoint of ${seen.size} entries does not follow the one of ${last.size} that was seen before`,
      );
    }
  }
  const contrary = run.observations.find((other) => other.entry.round === entry.round && other.entry.outcome !== entry.outcome);
  if (entry.round !== undefined && contrary !== undefined) {
    throw ledgerFault(
      'contradicting-outcome',
      index,
      `round ${entry.round} was seen as ${contrary.entry.outcome} at entry ${contrary.index}`,
    );
  }
  return () => {
    state.lastSeen = seen;
    run.observations.push({ index, entry });
  };
}
