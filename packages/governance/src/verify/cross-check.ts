/**
 * The ledgers of one run against each other: certificates, plans, evidence, what the owners wrote against what the
 * coordinator published, and what they witnessed against what it shows now.
 *
 * @module
 */
import { equalBytes, fromBase64, toHex, utf8 } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import type { DpEvent } from '@sotto/core/event';
import { type IdentityCertificate, verifyCertificate } from '@sotto/core/identity';
import { canonicalJson, type Json } from '@sotto/core/json';
import type { PlanEntry, PublishEntry, SurvivorRecord } from '../ledger/entry.ts';
import { verifyEvidence } from '../ledger/evidence.ts';
import { encodeEntry } from '../ledger/codec.ts';
import type { Placed, RunState } from '../ledger/state.ts';
import { logOrigin, openCheckpoint } from '../log/checkpoint.ts';
import type { RunTrust } from '../run/trust-file.ts';
import type { Findings } from './findings.ts';
import { entryFile, type VerifiedLedger } from './ledger-files.ts';
import { checkRoundSignatures, type SigningKeys } from './secagg.ts';

/** A run with all its ledgers. */
export interface RunEvidence {
  readonly trust: RunTrust;
  readonly runId: string;
  readonly coordinator: VerifiedLedger;
  /** By party id: one for every party of the plan. */
  readonly clients: ReadonlyMap<string, VerifiedLedger>;
}

/** The run in the coordinator's ledger; the caller has made sure that it is there. */
export function coordinatorRun(evidence: RunEvidence): RunState {
  return evidence.coordinator.state.runs.get(evidence.runId)!;
}

function placeOf(
  ledger: VerifiedLedger,
  entry: number,
): { readonly file: string; readonly party: string; readonly entry: number } {
  return { file: entryFile(ledger.party, entry, ledger.log.size), party: ledger.party, entry };
}

/** Verifies every certificate in a ledger and collects them by party. */
function checkEnrolments(
  crypto: CryptoProvider,
  trust: RunTrust,
  ledger: VerifiedLedger,
  certificates: Map<string, IdentityCertificate[]>,
  findings: Findings,
): void {
  for (const [index, entry] of ledger.entries.entries()) {
    if (entry.kind !== 'enrol') continue;
    const place = placeOf(ledger, index);
    if (entry.trustFingerprint !== trust.fingerprint) {
      findings.add('trust', `${entry.party} was enrolled under an authority with another fingerprint`, place);
    }
    const certificate = findings.attempt('trust', place, () =>
      verifyCertificate(crypto, fromBase64(entry.certificate), { bundle: trust.bundle, id: entry.party, role: entry.role }),
    );
    if (certificate === undefined) continue;
    const pinned = trust.parties.get(entry.party)?.certificate;
    if (pinned !== undefined && !equalBytes(pinned.ledgerKey, certificate.ledgerKey)) {
      findings.add('trust', `${entry.party} is enrolled with another ledger key than in trust.json`, place);
    }
    const known = certificates.get(entry.party) ?? [];
    certificates.set(entry.party, [...known, certificate]);
  }
}

function signingKeysOf(certificates: ReadonlyMap<string, readonly IdentityCertificate[]>): SigningKeys {
  return (party) => {
    const distinct = new Map((certificates.get(party) ?? []).map(({ signingKey }) => [toHex(signingKey), signingKey]));
    return [...distinct.values()];
  };
}

/** A survivor's evidence by itself, and against the survivor's own ledger. */
function checkSurvivor(
  crypto: CryptoProvider,
  evidence: RunEvidence,
  published: Placed<PublishEntry>,
  survivor: SurvivorRecord,
  findings: Findings,
): void {
  const { party } = survivor;
  const place = placeOf(evidence.coordinator, published.index);
  const client = evidence.clients.get(party);
  const ledgerKey = evidence.trust.parties.get(party)?.certificate.ledgerKey;
  if (client === undefined || ledgerKey === undefined) {
    findings.add('evidence', `${party} has no ledger or no certificate here`, place);
    return;
  }
  const key = { origin: logOrigin(evidence.trust.bundle.trustDomain, party), publicKey: ledgerKey };
  const checkpoint = findings.attempt('evidence', place, () => verifyEvidence(crypto, survivor.evidence, key, published.entry));
  if (checkpoint === undefined) return;
  const { index, reserve } = survivor.evidence;
  if (checkpoint.size > client.log.size || !equalBytes(client.log.root(checkpoint.size), checkpoint.root)) {
    const message = `the ledger of ${party} is not the one that it showed for round ${published.entry.round}: it was rewound or forked`;
    findings.add('contradiction', message, { file: `ledger/${party}/checkpoint`, party });
    return;
  }
  if (!equalBytes(client.log.entry(index), encodeEntry(reserve))) {
    findings.add('contradiction', `the reservation that was shown to the coordinator is another one`, placeOf(client, index));
  }
  const contribution = client.state.reservation(published.entry.runId, published.entry.round)?.contribution;
  if (contribution === undefined) {
    findings.add(
      'contradiction',
      `round ${published.entry.round} sums an input of ${party} that its ledger does not know`,
      place,
    );
  } else if (
    contribution.entry.sid !== published.entry.sid ||
    contribution.entry.inputHash !== survivor.inputHash ||
    contribution.entry.reservation !== index
  ) {
    const message = `the contribution to round ${published.entry.round} is not the one that the coordinator published`;
    findings.add('contradiction', message, placeOf(client, contribution.index));
  }
}

/** Sampling rates that an event states, at any depth. */
function sampleRates(event: DpEvent): number[] {
  switch (event.type) {
    case 'poissonSampled':
    case 'truncatedPoissonSampled':
      return [event.sampleRate, ...sampleRates(event.event)];
    case 'selfComposed':
      return sampleRates(event.event);
    case 'composed':
      return event.events.flatMap(sampleRates);
    default:
      return [];
  }
}

/**
 * What an owner reserved against the sets of the rounds. An owner reserves only after it was shown U1, and the coordinator
 * shows U1 only when it is on record; from there on the round has no other attempt and no other session. So whoever has a
 * live reservation is in U1 of the round, which an aborted round names as `spent`, and has contributed to no other session
 * than the published one. The reverse does not hold: a member of U1 may have ended before it reserved.
 */
function checkReservations(evidence: RunEvidence, client: VerifiedLedger, findings: Findings): void {
  const { party, state } = client;
  for (const { entry } of coordinatorRun(evidence).rounds) {
    const { round } = entry;
    const reservation = state.reservation(evidence.runId, round);
    if (reservation === undefined || reservation.status === 'released') continue;
    const { reserve, contribution } = reservation;
    if (entry.kind === 'abort') {
      if (entry.spent.includes(party)) continue;
      const message = `${party} spent on round ${round}; the coordinator’s ledger gives the round up without naming it as spent`;
      findings.add('contradiction', message, placeOf(client, reserve.index));
      continue;
    }
    if (!entry.sharers.includes(party)) {
      const message = `${party} spent on round ${round}; the coordinator’s ledger does not have it among the sharers`;
      findings.add('contradiction', message, placeOf(client, reserve.index));
    }
    // A survivor's contribution is compared as a whole elsewhere.
    const survived = entry.survivors.some((survivor) => survivor.party === party);
    if (!survived && contribution !== undefined && contribution.entry.sid !== entry.sid) {
      const message = `the contribution to round ${round} went to another session than the published one`;
      findings.add('contradiction', message, placeOf(client, contribution.index));
    }
  }
}

/** An owner's view of the run against the coordinator's. */
function checkClientRun(
  crypto: CryptoProvider,
  evidence: RunEvidence,
  plan: PlanEntry,
  client: VerifiedLedger,
  findings: Findings,
): void {
  const run = client.state.runs.get(evidence.runId);
  if (run === undefined) return; // it never took part: nothing is reserved, and no survivor can be it
  const own = run.plan;
  if (
    own.entry.planHash !== plan.planHash ||
    canonicalJson(own.entry.terms as unknown as Json) !== canonicalJson(plan.terms as unknown as Json)
  ) {
    findings.add('contradiction', 'the owner accepted another plan than the coordinator published', placeOf(client, own.index));
  }
  const rate = plan.terms.parties.find(({ id }) => id === client.party)?.sampleRate;
  for (const account of client.state.accounts.values()) {
    for (const { reserve } of account.reservations) {
      if (reserve.entry.runId === evidence.runId && sampleRates(reserve.entry.event).some((stated) => stated !== rate)) {
        findings.add(
          'contradiction',
          `the reservation samples at another rate than the plan (${rate})`,
          placeOf(client, reserve.index),
        );
      }
    }
  }
  checkReservations(evidence, client, findings);
  checkWitness(crypto, evidence, client, run, findings);
  const complete = coordinatorRun(evidence).complete?.entry;
  if (run.complete !== undefined && complete !== undefined) {
    const { published, aborted, modelHash } = run.complete.entry;
    if (published !== complete.published || aborted !== complete.aborted || modelHash !== complete.modelHash) {
      findings.add(
        'contradiction',
        'the owner saw another end of the run than the coordinator published',
        placeOf(client, run.complete.index),
      );
    }
  }
}

/** What an owner witnessed must still be in the coordinator's ledger. */
function checkWitness(
  crypto: CryptoProvider,
  evidence: RunEvidence,
  client: VerifiedLedger,
  run: RunState,
  findings: Findings,
): void {
  const { coordinator, trust } = evidence;
  const origin = logOrigin(trust.bundle.trustDomain, coordinator.party);
  const publicKey = trust.parties.get(coordinator.party)!.certificate.ledgerKey;
  const ended = new Map(coordinatorRun(evidence).rounds.map((round) => [round.entry.round, round]));
  for (const { index, entry } of run.observations) {
    const place = placeOf(client, index);
    const seen = findings.attempt('evidence', place, () => openCheckpoint(crypto, utf8(entry.checkpoint), { origin, publicKey }));
    if (seen === undefined) continue;
    if (seen.size > coordinator.log.size || !equalBytes(coordinator.log.root(seen.size), seen.root)) {
      const message = `the coordinator’s ledger is not the one that ${client.party} witnessed at ${seen.size} entries: it was rewound or forked`;
      findings.add('contradiction', message, { file: `ledger/${coordinator.party}/checkpoint`, party: coordinator.party });
      continue;
    }
    if (entry.round === undefined) continue;
    const round = ended.get(entry.round);
    const outcome = round?.entry.kind === 'publish' ? 'published' : 'aborted';
    if (round === undefined || outcome !== entry.outcome || round.index >= seen.size) {
      findings.add(
        'contradiction',
        `round ${entry.round} was seen as ${entry.outcome}; the coordinator’s ledger says otherwise`,
        place,
      );
    }
  }
}

/** Checks a run whose ledgers are whole each by itself. */
export function crossCheck(crypto: CryptoProvider, evidence: RunEvidence, findings: Findings): void {
  const { coordinator, clients, trust } = evidence;
  const run = coordinatorRun(evidence);
  const certificates = new Map<string, IdentityCertificate[]>();
  for (const [party, { certificate }] of trust.parties) certificates.set(party, [certificate]);
  for (const ledger of [coordinator, ...clients.values()]) checkEnrolments(crypto, trust, ledger, certificates, findings);
  if (run.complete === undefined) {
    findings.add('ledger-rule', 'the run has no end in the coordinator’s ledger', placeOf(coordinator, coordinator.log.size - 1));
  }
  const signingKeys = signingKeysOf(certificates);
  for (const round of run.rounds) {
    if (round.entry.kind !== 'publish') continue;
    const published = { index: round.index, entry: round.entry };
    for (const fault of checkRoundSignatures(crypto, published.entry, signingKeys, coordinator.party)) {
      findings.add('evidence', `round ${published.entry.round}: ${fault}`, placeOf(coordinator, published.index));
    }
    for (const survivor of published.entry.survivors) checkSurvivor(crypto, evidence, published, survivor, findings);
  }
  for (const client of clients.values()) checkClientRun(crypto, evidence, run.plan.entry, client, findings);
}
