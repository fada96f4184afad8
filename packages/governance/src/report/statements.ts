/**
 * What a report says in words: what the run's evidence supports, what lies outside it, how to check it.
 *
 * @module
 */
import { adjacencies } from '@sotto/core/event';
import type { Adjacency } from '@sotto/core/event';
import type { PlanTerms } from '../ledger/entry.ts';
import { listOf, plural } from './format.ts';
import type { CohortReport, PartyReport, PrivacyReport, Statement } from './report.ts';

const adjacencyWords: { readonly [K in Adjacency]: string } = {
  addOrRemoveOne: 'two data sets are neighbours if one has one unit more than the other',
  replaceOne: 'two data sets are neighbours if one unit has other data; their sizes are equal',
  replaceSpecial: 'two data sets are neighbours if one unit is replaced by an empty one; their sizes are equal',
  zeroOut: 'two data sets are neighbours if one unit’s contribution is set to zero; their sizes are equal',
};

/** What an adjacency means. */
export function adjacencyMeaning(adjacency: string): string {
  const known = adjacencies.find((name) => name === adjacency);
  return known === undefined ? adjacency : adjacencyWords[known];
}

function cohortSentence({ size, colluders, threshold, honestInSum }: CohortReport): string {
  const allies = colluders === 0 ? 'the coordinator alone' : `the coordinator together with ${plural(colluders, 'data owner')}`;
  return (
    `With ${size} participants this holds against ${allies}: a sum holds the inputs of at least ${honestInSum} honest participants, ` +
    `and ${threshold} of ${size} must sign the set of those whose inputs are in it.`
  );
}

/** What protects the data, and against whom. */
export function protectionStatements(
  terms: PlanTerms,
  cohorts: readonly CohortReport[],
  parties: readonly PartyReport[],
): Statement[] {
  const { unit, adjacency } = terms.training;
  const within = parties.every(({ spent }) => spent.withinBudget);
  return [
    {
      title: `Differential privacy for every training ${unit}`,
      text:
        `Each data owner clips the contribution of every ${unit} and adds its own noise before anything leaves it. Whoever sees the ` +
        `published models, or even that owner’s own noisy updates, sees nothing whose probability the presence of one ${unit} changes by more than a factor e^ε, ` +
        `apart from δ. This holds against the coordinator, the other data owners and every reader of the model, together, whatever else they know. ` +
        `Here ${adjacencyMeaning(adjacency)}.`,
    },
    {
      title: within ? 'Budgets were kept' : 'A budget was exceeded',
      text: within
        ? 'Each owner set its own budget for the whole run and reserved every round’s cost in its ledger before noise was drawn. A reservation that was not given back counts as spent, even where its round failed. No account is over its budget. The budget is what holds where somebody decided in view of earlier models to stop or to leave a round out. ε spent is the total of what was reserved: it holds by itself if the rounds were fixed beforehand.'
        : 'At least one account has spent more than its budget; the table names it.',
    },
    {
      title: 'Secure aggregation hides each owner’s update',
      text:
        `The coordinator receives masked updates and learns their sum. ${cohorts.map(cohortSentence).join(' ')} ` +
        (terms.secagg.mode === 'malicious'
          ? 'The protocol withstands a coordinator that deviates from it; it has no published proof of its own yet. '
          : 'It ran in semi-honest mode: it assumes a coordinator that follows the protocol, and is meant for simulation. ') +
        'The enrolment authority, which certifies who takes part, is assumed honest. Differential privacy does not depend on any of this.',
    },
  ];
}

/** What the guarantee does not cover. */
export function outsideStatements(terms: PlanTerms, parties: readonly PartyReport[]): Statement[] {
  const { unit } = terms.training;
  const most = Math.max(1, ...parties.map(({ contributionBound }) => contributionBound.recordsPerUnit));
  return [
    {
      title: 'Held-out records',
      text: 'Accuracy was measured on records that were kept out of training. How many of them the model got right travels inside the secure sum, without noise: these records have no differential privacy, only the protection of the sum. That protection ends where two sums can be compared: if two rounds begin with the same weights and differ by one owner, the difference of their counts is that owner’s own count. A coordinator can bring this about by offering equal weights twice and leaving an owner out once. With different weights, rounds with different survivors still give differences that come close to it, and an owner’s number of held-out records follows from the totals exactly.',
    },
    {
      title: 'Participation and timing',
      text: 'Which owner took part in which round, who dropped out and when, and when each round ended are visible to the coordinator and stand in this report.',
    },
    {
      title: 'Figures declared public',
      text: 'The plan is public, and with it weights, sampling rates and expected batch sizes, from which the number of training records follows. So are the constants used for scaling, the model’s shape and all settings of training. How they were chosen is not accounted for.',
    },
    {
      title: 'What is true without you',
      text: `Differential privacy hides whether a ${unit} was used. It does not hide what the data say about people in general, nor facts that many ${unit}s share, such as those of a family.`,
    },
    {
      title: 'Several records of one person',
      text:
        unit === 'record'
          ? `The unit is one record. Owners state at most ${plural(most, 'record')} per person; whoever has more is protected less, by the group’s ε.`
          : `The unit is one ${unit}, with at most ${plural(most, 'record')} as the owners state.`,
    },
    {
      title: 'Other uses of the same data',
      text: 'Accounts hold what was spent through these ledgers. A release of the same data by other means is not in them.',
    },
    {
      title: 'What signatures cannot show',
      text: 'The ledgers show what each party recorded and signed, in which order, and that nothing was changed since. They do not prove that an owner used the data set it committed to, that its software drew the noise it logged, or that the coordinator published the right sum; the receipts attest it.',
    },
    {
      title: 'The owners’ own premises',
      text: 'Whoever controls an owner’s machine sees its data. Side channels there, such as timing, were not examined.',
    },
  ];
}

/** How to check the report. */
export function verificationStatements(run: PrivacyReport['run']): Statement[] {
  return [
    {
      title: 'Compare the fingerprint',
      text: `Ask the enrolment authority of ${run.trustDomain} for its fingerprint, by a way that the coordinator does not control, and compare it with ${run.trustFingerprint}. All identities in this folder hang on it.`,
    },
    {
      title: 'Run the verification',
      text: `sotto verify DIR --trust ${run.trustFingerprint} recomputes, offline, every ε from the logged events, every Merkle root, every signature and this report itself, and names the file and the entry if one byte differs.`,
    },
    {
      title: 'Check it with other tools',
      text: 'The ledgers are RFC 6962 Merkle trees in the C2SP formats signed-note, tlog-checkpoint and tlog-tiles; entries are canonical JSON (RFC 8785). The events are plain parameters, so that any accountant can redo the figures at any δ.',
    },
  ];
}

/** The report in three sentences. */
export function summarySentence(report: Omit<PrivacyReport, 'summary'>): string {
  const { run, parties, training, model } = report;
  const owners = parties.map(({ party }) => party);
  const largest = parties.reduce(
    (most, { spent }) => (spent.epsilon === 'Infinity' ? Infinity : Math.max(most, spent.epsilon)),
    0,
  );
  const deltas = [...new Set(parties.map(({ budget }) => String(budget.delta)))];
  const spent = largest === Infinity ? 'without a finite ε' : `with ε spent of at most ${largest} at δ = ${listOf(deltas)}`;
  const accuracy =
    report.accuracy === undefined
      ? ''
      : ` The last model that was measured, the one with which round ${report.accuracy.round} began, classified ${report.accuracy.correct} of ${report.accuracy.total} held-out records correctly.`;
  return (
    `${listOf(owners)} trained the model “${model.name}” (${plural(model.parameters, 'parameter')}) together in ${plural(run.rounds.planned, 'round')}, ` +
    `of which ${run.rounds.published} were published and ${run.rounds.aborted} given up, under ${training.unit}-level differential privacy, ${spent} for each owner. ` +
    `The coordinator received masked updates and learned their sums.${accuracy}`
  );
}
