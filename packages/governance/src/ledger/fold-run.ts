/**
 * Rules of plans and of the end of a run, in either role.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { canonicalJson, type Json } from '@sotto/core/json';
import type { CompleteEntry, PlanEntry, PlanTerms } from './entry.ts';
import { ledgerFault } from './faults.ts';
import { planHash } from './hashes.ts';
import type { Commit, MutableLedgerState, MutableRun } from './mutable-state.ts';

/** The run of an entry, still open. */
export function openRun(state: MutableLedgerState, runId: string, index: number): MutableRun {
  const run = state.runs.get(runId);
  if (run === undefined) throw ledgerFault('unknown-plan', index, `run ${runId} has no plan in this ledger`);
  if (run.complete !== undefined)
    throw ledgerFault('run-complete', index, `run ${runId} has ended at entry ${run.complete.index}`);
  return run;
}

/** A round number of the plan. */
export function checkRound(run: MutableRun, round: number, index: number): void {
  const { rounds } = run.plan.entry.terms;
  if (round > rounds) throw ledgerFault('round-out-of-range', index, `round ${round} is not one of the ${rounds} planned`);
}

/** Members that a plan's document shares with its terms must say the same. */
const sharedMembers = ['rounds', 'training', 'parties', 'vectors', 'quantiser', 'secagg'] as const satisfies (keyof PlanTerms)[];

function checkDocument(entry: PlanEntry, document: Json, index: number): void {
  const members = (typeof document === 'object' && document !== null && !Array.isArray(document) ? document : {}) as {
    readonly [key: string]: Json | undefined;
  };
  if (members['runId'] !== undefined && members['runId'] !== entry.runId) {
    throw ledgerFault('plan-mismatch', index, 'the plan document is of another run');
  }
  for (const name of sharedMembers) {
    const stated = members[name];
    if (stated !== undefined && canonicalJson(stated) !== canonicalJson(entry.terms[name] as unknown as Json)) {
      throw ledgerFault('plan-mismatch', index, `terms.${name} is not what the plan document says`);
    }
  }
}

export function foldPlan(
  state: MutableLedgerState,
  entry: PlanEntry,
  index: number,
  crypto: Pick<CryptoProvider, 'sha256'>,
): Commit {
  if (state.runs.has(entry.runId)) throw ledgerFault('duplicate-plan', index, `run ${entry.runId} has a plan already`);
  const { terms } = entry;
  const self = state.self!.entry;
  if (terms.secagg.nMin > terms.secagg.nMax || terms.secagg.gammaNumerator >= terms.secagg.gammaDenominator) {
    throw ledgerFault('plan-mismatch', index, 'the cohort limits contradict each other');
  }
  if (self.role === 'client' && !terms.parties.some(({ id }) => id === self.party)) {
    throw ledgerFault('not-in-plan', index, `${self.party} is not a party of run ${entry.runId}`);
  }
  const leader = terms.parties.find(({ id }) => state.parties.get(id)?.entry.role === 'coordinator');
  if (leader !== undefined) {
    const reason = `${leader.id} is enrolled as the coordinator; give the data owner in the plan another id`;
    throw ledgerFault('plan-mismatch', index, reason);
  }
  if (entry.document !== undefined) {
    if (planHash(crypto, entry.document) !== entry.planHash) {
      throw ledgerFault('plan-mismatch', index, 'the plan document does not have the stated hash');
    }
    checkDocument(entry, entry.document, index);
  }
  return () => {
    state.runs.set(entry.runId, {
      plan: { index, entry },
      rounds: [],
      published: 0,
      aborted: 0,
      observations: [],
      modelHash: terms.model.initialHash,
    });
  };
}

export function foldComplete(state: MutableLedgerState, entry: CompleteEntry, index: number): Commit {
  const run = openRun(state, entry.runId, index);
  const { rounds } = run.plan.entry.terms;
  if (entry.published + entry.aborted !== rounds) {
    throw ledgerFault(
      'incomplete',
      index,
      `${entry.published} published + ${entry.aborted} aborted rounds are not the ${rounds} planned`,
    );
  }
  if (state.self!.entry.role === 'coordinator') {
    if (entry.published !== run.published || entry.aborted !== run.aborted) {
      throw ledgerFault('incomplete', index, `the ledger holds ${run.published} published and ${run.aborted} aborted rounds`);
    }
    if (entry.modelHash !== run.modelHash) {
      throw ledgerFault('model-chain', index, 'the final model is not that of the last published round');
    }
  }
  return () => {
    run.complete = { index, entry };
  };
}
