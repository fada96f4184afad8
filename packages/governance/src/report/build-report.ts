/**
 * From the ledgers of a run to its report: pure and deterministic, with the accountant as a parameter.
 *
 * @module
 */
import { compareIds, toHex } from '@sotto/core/bytes';
import { encodeEvent } from '@sotto/core/event';
import { canonicalJson, canonicalJsonBytes, type Json } from '@sotto/core/json';
import { type Accountant, accountSpending, gatherEvents, NANO } from '../ledger/accounting.ts';
import { cohortThresholds } from '../ledger/cohort.ts';
import type { PlanTerms } from '../ledger/entry.ts';
import { type AccountState, type ReservationState, type RunState, spentEvents } from '../ledger/state.ts';
import { logOrigin } from '../log/checkpoint.ts';
import { elementCount } from '../model-files.ts';
import { coordinatorRun, type RunEvidence } from '../verify/cross-check.ts';
import type { VerifiedLedger } from '../verify/ledger-files.ts';
import { describeEvent, epsilonAt, reportDeltas, roundNearest } from './figures.ts';
import type {
  CohortReport,
  EpsilonAtDelta,
  MechanismUse,
  PartyReport,
  PrivacyReport,
  ReportNumber,
  RoundReport,
  RoundSpending,
} from './report.ts';
import { outsideStatements, protectionStatements, summarySentence, verificationStatements } from './statements.ts';

/** Who is in the published sum of each round. */
function summedRounds(run: RunState): ReadonlyMap<number, ReadonlySet<string>> {
  const summed = new Map<number, ReadonlySet<string>>();
  for (const { entry } of run.rounds) {
    if (entry.kind === 'publish') summed.set(entry.round, new Set(entry.survivors.map(({ party }) => party)));
  }
  return summed;
}

interface AccountQuestion {
  readonly runId: string;
  readonly party: string;
  readonly account: AccountState;
  readonly rounds: number;
  readonly summed: ReadonlyMap<number, ReadonlySet<string>>;
  readonly accountant: Accountant;
}

/** ε of the account after each round: of all that was reserved up to that round's reservation and not released. */
function spendingByRound({ runId, party, account, rounds, summed, accountant }: AccountQuestion): RoundSpending[] {
  const { adjacency, budget } = account.opened.entry;
  const own = new Map<number, ReservationState>();
  for (const reservation of account.reservations) {
    if (reservation.reserve.entry.runId === runId) own.set(reservation.reserve.entry.round, reservation);
  }
  const byRound: RoundSpending[] = [];
  let upTo = -1;
  let events = -1;
  let epsilon: ReportNumber = 0;
  for (let round = 1; round <= rounds; round++) {
    const reservation = own.get(round);
    upTo = Math.max(upTo, reservation?.reserve.index ?? -1);
    const spent = account.reservations
      .filter(({ reserve, status }) => reserve.index <= upTo && status !== 'released')
      .map(({ reserve }) => reserve.entry.event);
    if (spent.length !== events) {
      events = spent.length;
      epsilon = events === 0 ? 0 : epsilonAt(spent, { delta: budget.delta, adjacency }, accountant).epsilon;
    }
    const status =
      reservation === undefined
        ? 'absent'
        : reservation.status === 'released'
          ? 'released'
          : summed.get(round)?.has(party) === true
            ? 'summed'
            : 'spent';
    byRound.push({ round, epsilon, status });
  }
  return byRound;
}

function mechanismsOf(reservations: readonly ReservationState[]): MechanismUse[] {
  const uses = new Map<string, MechanismUse>();
  for (const { reserve } of reservations) {
    const { event, mechanism: words } = reserve.entry;
    const encoded = encodeEvent(event);
    const key = canonicalJson([words, encoded]);
    const rounds = (uses.get(key)?.rounds ?? 0) + 1;
    uses.set(key, { words, summary: describeEvent(event), event: encoded, rounds });
  }
  return [...uses.values()];
}

function partyReport(question: AccountQuestion, constants: PlanTerms['parties'][number]): PartyReport {
  const { account, accountant, runId, party } = question;
  const entry = account.opened.entry;
  const ofRun = account.reservations.filter(({ reserve }) => reserve.entry.runId === runId);
  const events = gatherEvents(spentEvents(account));
  const at = (delta: number): EpsilonAtDelta & { readonly method: string } =>
    epsilonAt(events, { delta, adjacency: entry.adjacency }, accountant);
  const { withinBudget } = accountSpending(account, accountant);
  const deltas = [...new Set([...reportDeltas, entry.budget.delta])].toSorted((a, b) => b - a);
  return {
    party,
    account: entry.account,
    dataset: entry.dataset,
    steward: entry.steward,
    purpose: entry.purpose,
    legalBasis: entry.legalBasis,
    unit: entry.unit,
    adjacency: entry.adjacency,
    contributionBound: entry.contributionBound,
    publicConstants: {
      weight: constants.weight,
      sampleRate: constants.sampleRate,
      expectedBatchSize: constants.expectedBatchSize,
    },
    budget: { epsilon: entry.budget.epsilonNano / NANO, delta: entry.budget.delta },
    spent: { ...at(entry.budget.delta), withinBudget },
    epsilonAtDeltas: deltas.map((delta) => {
      const { epsilon, bestGuess } = at(delta);
      return { delta, epsilon, bestGuess };
    }),
    reservations: {
      reserved: ofRun.length,
      contributed: ofRun.filter(({ status }) => status === 'contributed').length,
      released: ofRun.filter(({ status }) => status === 'released').length,
      otherRuns: account.reservations.length - ofRun.length,
    },
    mechanisms: mechanismsOf(ofRun.filter(({ status }) => status !== 'released')),
    byRound: spendingByRound(question),
  };
}

function roundReports(run: RunState): RoundReport[] {
  return run.rounds.map(({ entry }): RoundReport => {
    if (entry.kind === 'abort') {
      const { round, timeMs, stage, reason, spent } = entry;
      return { round, outcome: 'aborted', timeMs, stage, reason, spent };
    }
    const { round, timeMs, roster, heldOut } = entry;
    return {
      round,
      outcome: 'published',
      timeMs,
      roster,
      survivors: entry.survivors.map(({ party }) => party),
      heldOut,
      ...(heldOut.total > 0 ? { accuracy: roundNearest(heldOut.correct / heldOut.total, 6) } : {}),
    };
  });
}

function cohortReports(terms: PlanTerms, rounds: readonly RoundReport[]): CohortReport[] {
  const sizes = new Map<number, number>();
  for (const round of rounds) {
    if (round.outcome === 'published') sizes.set(round.roster.length, (sizes.get(round.roster.length) ?? 0) + 1);
  }
  return [...sizes]
    .toSorted(([a], [b]) => b - a)
    .map(([size, used]) => {
      const { colluders, threshold, floor } = cohortThresholds(terms.secagg, size);
      return { size, rounds: used, colluders, threshold, floor, honestInSum: floor - colluders };
    });
}

/** Accounts of a party that the run touched; all of its accounts if it touched none. */
function accountsOf(ledger: VerifiedLedger, runId: string): AccountState[] {
  const all = [...ledger.state.accounts.values()];
  const used = all.filter(({ reservations }) => reservations.some(({ reserve }) => reserve.entry.runId === runId));
  return used.length > 0 ? used : all;
}

/**
 * The report of a run.
 *
 * @param evidence ledgers that are whole, with the run in the coordinator's; they may contradict each other
 */
export function buildReport(evidence: RunEvidence, accountant: Accountant): PrivacyReport {
  const { coordinator, clients, runId, trust } = evidence;
  const run = coordinatorRun(evidence);
  const plan = run.plan.entry;
  const { terms } = plan;
  const summed = summedRounds(run);
  const rounds = roundReports(run);
  const cohorts = cohortReports(terms, rounds);
  const parties = terms.parties.flatMap((constants) => {
    const ledger = clients.get(constants.id);
    if (ledger === undefined) return [];
    return accountsOf(ledger, runId).map((account) =>
      partyReport({ runId, party: constants.id, account, rounds: terms.rounds, summed, accountant }, constants),
    );
  });
  const measured = rounds.findLast((round) => round.outcome === 'published' && round.accuracy !== undefined);
  const origin = (party: string): string => logOrigin(trust.bundle.trustDomain, party);
  const ledgers = [coordinator, ...[...clients.values()].toSorted((a, b) => compareIds(a.party, b.party))].map((ledger) => ({
    party: ledger.party,
    role: ledger === coordinator ? ('coordinator' as const) : ('client' as const),
    origin: origin(ledger.party),
    size: ledger.checkpoint.size,
    root: toHex(ledger.checkpoint.root),
  }));
  const runReport: PrivacyReport['run'] = {
    id: runId,
    trustDomain: trust.bundle.trustDomain,
    trustFingerprint: trust.fingerprint,
    coordinator: coordinator.party,
    planHash: plan.planHash,
    rounds: { planned: terms.rounds, published: run.published, aborted: run.aborted },
    plannedMs: plan.timeMs,
    completedMs: run.complete?.entry.timeMs ?? coordinator.entries.at(-1)!.timeMs,
  };
  const body: Omit<PrivacyReport, 'summary'> = {
    kind: 'sotto privacy report',
    version: 1,
    run: runReport,
    model: {
      name: terms.model.name,
      parameters: terms.model.weights.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      weights: terms.model.weights,
      topologyHash: terms.model.topologyHash,
      initialHash: terms.model.initialHash,
      finalHash: run.modelHash,
    },
    training: { ...terms.training, quantiser: terms.quantiser, vectors: terms.vectors },
    secureAggregation: { ...terms.secagg, cohorts },
    parties,
    withoutAccount: terms.parties.map(({ id }) => id).filter((id) => !parties.some(({ party }) => party === id)),
    rounds,
    ...(measured?.outcome === 'published' && measured.accuracy !== undefined
      ? { accuracy: { round: measured.round, ...measured.heldOut, value: measured.accuracy } }
      : {}),
    ledgers,
    protects: protectionStatements(terms, cohorts, parties),
    outside: outsideStatements(terms, parties),
    verification: verificationStatements(runReport),
  };
  return { ...body, summary: summarySentence(body) };
}

/** The bytes of `report.json`: canonical JSON. */
export function encodeReport(report: PrivacyReport): Uint8Array {
  return canonicalJsonBytes(report as unknown as Json);
}
