/**
 * Rules of the coordinator's ledger: rounds end in order, each once, with a cohort that the plan allows, with evidence
 * that is about this round, and with a chain of model hashes.
 *
 * @module
 */
import { utf8 } from '@sotto/core/bytes';
import { decodeCheckpoint, logOrigin } from '../log/checkpoint.ts';
import { parseNote } from '../log/note.ts';
import { cohortThresholds } from './cohort.ts';
import type { AbortEntry, PublishEntry, RoundStage } from './entry.ts';
import { ledgerFault } from './faults.ts';
import { checkRound, openRun } from './fold-run.ts';
import type { Commit, MutableLedgerState, MutableRun } from './mutable-state.ts';

/** Stages of a round in which U1 was shown to nobody, so that nobody could reserve. */
const beforeReservations: ReadonlySet<RoundStage> = new Set<RoundStage>(['select', 'advertise', 'share']);

function checkOrder(run: MutableRun, round: number, index: number): void {
  checkRound(run, round, index);
  const next = run.rounds.length + 1;
  if (round !== next) throw ledgerFault('round-order', index, `round ${round} ends where round ${next} must`);
}

function isSubset(inner: readonly string[], outer: readonly string[]): boolean {
  const all = new Set(outer);
  return inner.every((id) => all.has(id));
}

function checkCohort(run: MutableRun, entry: PublishEntry, index: number): void {
  const refuse = (reason: string): never => {
    throw ledgerFault('cohort-mismatch', index, `round ${entry.round}: ${reason}`);
  };
  const { secagg, parties } = run.plan.entry.terms;
  const survivors = entry.survivors.map(({ party }) => party);
  const confirmers = entry.confirmations.map(({ party }) => party);
  const planned = parties.map(({ id }) => id);
  if (!isSubset(entry.roster, planned)) refuse('the roster names a party that is not in the plan');
  if (!isSubset(entry.sharers, entry.roster)) refuse('a sharer is not in the roster');
  if (!isSubset(survivors, entry.sharers)) refuse('a survivor is not a sharer');
  if (!isSubset(confirmers, survivors)) refuse('a confirmation is not by a survivor');
  const n = entry.roster.length;
  if (n < secagg.nMin || n > secagg.nMax) refuse(`the roster has ${n} members; the plan allows ${secagg.nMin} to ${secagg.nMax}`);
  const { floor, threshold } = cohortThresholds(secagg, n);
  if (survivors.length < floor) refuse(`${survivors.length} survivors are fewer than ${floor}`);
  if (secagg.mode === 'malicious' && confirmers.length < threshold)
    refuse(`${confirmers.length} confirmations are fewer than ${threshold}`);
  if (entry.heldOut.correct > entry.heldOut.total) refuse('more held-out records are correct than there are');
}

function checkEvidence(run: MutableRun, entry: PublishEntry, trustDomain: string, index: number): void {
  for (const { party, evidence } of entry.survivors) {
    const refuse = (reason: string): never => {
      throw ledgerFault('evidence-mismatch', index, `the evidence of ${party} ${reason}`);
    };
    const { reserve } = evidence;
    if (reserve.runId !== entry.runId || reserve.round !== entry.round) refuse('reserves another round');
    if (reserve.planHash !== run.plan.entry.planHash) refuse('reserves for another plan');
    let size = 0;
    try {
      const checkpoint = decodeCheckpoint(parseNote(utf8(evidence.checkpoint)).text);
      if (checkpoint.origin !== logOrigin(trustDomain, party)) refuse('is of another ledger');
      size = checkpoint.size;
    } catch {
      refuse('has a checkpoint that is not one of its ledger');
    }
    if (evidence.index >= size) refuse('has an index beyond its checkpoint');
  }
}

export function foldPublish(state: MutableLedgerState, entry: PublishEntry, index: number): Commit {
  const run = openRun(state, entry.runId, index);
  checkOrder(run, entry.round, index);
  if (entry.planHash !== run.plan.entry.planHash) throw ledgerFault('plan-mismatch', index, 'the round is of another plan');
  checkCohort(run, entry, index);
  checkEvidence(run, entry, state.self!.entry.trustDomain, index);
  if (entry.modelBefore !== run.modelHash) {
    throw ledgerFault('model-chain', index, `round ${entry.round} begins with another model than the last one published`);
  }
  return () => {
    run.rounds.push({ index, entry });
    run.published++;
    run.modelHash = entry.modelAfter;
  };
}

export function foldAbort(state: MutableLedgerState, entry: AbortEntry, index: number): Commit {
  const run = openRun(state, entry.runId, index);
  checkOrder(run, entry.round, index);
  const planned = run.plan.entry.terms.parties.map(({ id }) => id);
  if (!isSubset(entry.spent, planned))
    throw ledgerFault('cohort-mismatch', index, 'a party that is not in the plan is said to have spent');
  if (beforeReservations.has(entry.stage) && entry.spent.length > 0) {
    throw ledgerFault('cohort-mismatch', index, `nobody can have spent on a round that ended at stage ${entry.stage}`);
  }
  return () => {
    run.rounds.push({ index, entry });
    run.aborted++;
  };
}
