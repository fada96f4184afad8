/**
 * Reads the ledgers of an export, each verified by itself under the keys of `trust.json`.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { logOrigin } from '../log/checkpoint.ts';
import { exportPaths } from '../run/files.ts';
import { decodeTrustFile, type RunTrust } from '../run/trust-file.ts';
import type { RunEvidence } from './cross-check.ts';
import type { Findings } from './findings.ts';
import { ledgerPaths, type VerifiedLedger, verifyLedgerFiles } from './ledger-files.ts';

/** What could be read. */
export interface RunReading {
  readonly trust?: RunTrust;
  /** The coordinator's id, from its certificate. */
  readonly coordinator?: string;
  /** Present if every ledger is whole. */
  readonly evidence?: RunEvidence;
  /** Paths of all ledgers that were read. */
  readonly ledgerPaths: ReadonlySet<string>;
}

/** `trust.json` with exactly one coordinator. */
export function readTrust(
  crypto: CryptoProvider,
  files: ReadonlyMap<string, Uint8Array>,
  findings: Findings,
): { readonly trust: RunTrust; readonly coordinator: string } | undefined {
  const file = exportPaths.trust;
  const bytes = files.get(file);
  if (bytes === undefined) {
    findings.add('missing-file', 'the file with the trust bundle and certificates is missing', { file });
    return undefined;
  }
  const trust = findings.attempt('trust', { file }, () => decodeTrustFile(crypto, bytes));
  if (trust === undefined) return undefined;
  const coordinators = [...trust.parties.values()].filter(({ certificate }) => certificate.role === 'coordinator');
  const [first] = coordinators;
  if (first === undefined || coordinators.length > 1) {
    findings.add('trust', `there are ${coordinators.length} certificates of coordinators; there must be one`, { file });
    return undefined;
  }
  return { trust, coordinator: first.certificate.id };
}

function readLedger(
  crypto: CryptoProvider,
  files: ReadonlyMap<string, Uint8Array>,
  trust: RunTrust,
  party: string,
  role: 'coordinator' | 'client',
  findings: Findings,
): VerifiedLedger | undefined {
  const certificate = trust.parties.get(party)?.certificate;
  if (certificate?.role !== role) {
    findings.add('trust', `there is no certificate of ${role} ${party}`, { file: exportPaths.trust, party });
    return undefined;
  }
  const key = { origin: logOrigin(trust.bundle.trustDomain, party), publicKey: certificate.ledgerKey };
  const ledger = verifyLedgerFiles(crypto, files, party, key, findings);
  const self = ledger?.state.self?.entry;
  if (ledger !== undefined && (self?.party !== party || self.role !== role)) {
    const place = { file: `ledger/${party}/checkpoint`, party };
    findings.add(
      'ledger-rule',
      `the ledger is not that of ${role} ${party}: it begins with the enrolment of ${self?.party ?? 'nobody'}`,
      place,
    );
    return undefined;
  }
  return ledger;
}

/** Reads a run: the coordinator's ledger, and that of every party of its plan. */
export function readRun(
  crypto: CryptoProvider,
  files: ReadonlyMap<string, Uint8Array>,
  runId: string,
  findings: Findings,
): RunReading {
  const paths = new Set<string>();
  const known = readTrust(crypto, files, findings);
  if (known === undefined) return { ledgerPaths: paths };
  const { trust } = known;
  const note = (ledger: VerifiedLedger | undefined): void => {
    if (ledger !== undefined) for (const path of ledgerPaths(ledger.party, ledger.log.size)) paths.add(path);
  };
  const reading = { trust, coordinator: known.coordinator, ledgerPaths: paths };
  const coordinator = readLedger(crypto, files, trust, known.coordinator, 'coordinator', findings);
  note(coordinator);
  if (coordinator === undefined) return reading;
  const run = coordinator.state.runs.get(runId);
  if (run === undefined) {
    findings.add('ledger-rule', `the coordinator’s ledger has no plan of run ${runId}`, { party: coordinator.party });
    return reading;
  }
  const clients = new Map<string, VerifiedLedger>();
  for (const { id } of run.plan.entry.terms.parties) {
    const client = readLedger(crypto, files, trust, id, 'client', findings);
    note(client);
    if (client !== undefined) clients.set(id, client);
  }
  const whole = clients.size === run.plan.entry.terms.parties.length;
  return whole ? { ...reading, evidence: { trust, runId, coordinator, clients } } : reading;
}
