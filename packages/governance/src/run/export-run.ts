/**
 * Puts a finished run together: ledgers, model, trust, report and the signed manifest, as files in memory.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import type { TrustBundle } from '@sotto/core/identity';
import { type Accountant, rememberAnswers } from '../ledger/accounting.ts';
import { logOrigin } from '../log/checkpoint.ts';
import { TransparencyLog } from '../log/transparency-log.ts';
import type { ModelData } from '../model-files.ts';
import { buildReport, encodeReport } from '../report/build-report.ts';
import { renderReportHtml } from '../report/html.ts';
import { coordinatorRun } from '../verify/cross-check.ts';
import { Findings, formatFinding } from '../verify/findings.ts';
import { readRun } from '../verify/read-run.ts';
import { exportPaths, ledgerFolder } from './files.ts';
import { signManifest } from './manifest.ts';
import { modelFiles } from './model.ts';
import { encodeTrustFile } from './trust-file.ts';

/** One party's ledger as it is handed over. */
export interface ExportedLedger {
  /** The leaves in order. */
  readonly leaves: readonly Uint8Array[];
  /** The party's signed checkpoint of exactly these leaves. */
  readonly checkpoint: Uint8Array;
}

/** Everything that an export is made of. */
export interface ExportRunInput {
  readonly crypto: CryptoProvider;
  readonly accountant: Accountant;
  readonly runId: string;
  readonly bundle: TrustBundle;
  /** Identity certificates in wire form, by party: the coordinator's and every plan party's. */
  readonly certificates: ReadonlyMap<string, Uint8Array>;
  /** By party: the coordinator's and every plan party's. */
  readonly ledgers: ReadonlyMap<string, ExportedLedger>;
  readonly coordinator: string;
  /** The coordinator's ledger key (secret), which signs the manifest. */
  readonly ledgerSeed: Uint8Array;
  /** The final model. */
  readonly model: ModelData;
}

/** The files of one ledger, with their paths in the export. */
export function ledgerFiles(
  crypto: Pick<CryptoProvider, 'sha256'>,
  origin: string,
  party: string,
  ledger: ExportedLedger,
): Map<string, Uint8Array> {
  const folder = ledgerFolder(party);
  const files = new Map([[`${folder}checkpoint`, ledger.checkpoint]]);
  for (const [path, bytes] of new TransparencyLog(crypto, origin, ledger.leaves).tiles()) files.set(folder + path, bytes);
  return files;
}

/**
 * The files of an export by path.
 *
 * @throws SottoError `integrity` if a ledger is not whole, so that no report could be made. Contradictions *between* whole
 *   ledgers do not stop an export: `verifyRun` names them.
 */
export function exportRun(input: ExportRunInput): Map<string, Uint8Array> {
  const { crypto, runId, bundle } = input;
  const files = new Map([[exportPaths.trust as string, encodeTrustFile(crypto, bundle, input.certificates)]]);
  for (const [party, ledger] of input.ledgers) {
    const origin = logOrigin(bundle.trustDomain, party);
    for (const [path, bytes] of ledgerFiles(crypto, origin, party, ledger)) files.set(path, bytes);
  }
  const findings = new Findings();
  const { evidence } = readRun(crypto, files, runId, findings);
  const [first] = findings.list;
  if (evidence === undefined || first !== undefined) {
    const reason = first === undefined ? 'a ledger is missing' : formatFinding(first);
    throw new SottoError('integrity', `the run ${runId} cannot be exported: ${reason}`, { details: { findings: findings.list } });
  }
  const { planHash } = coordinatorRun(evidence).plan.entry;
  for (const [path, bytes] of modelFiles(input.model, { runId, planHash })) files.set(path, bytes);
  const report = buildReport(evidence, rememberAnswers(input.accountant));
  files.set(exportPaths.reportJson, encodeReport(report));
  files.set(exportPaths.reportHtml, renderReportHtml(report));
  const origin = logOrigin(bundle.trustDomain, input.coordinator);
  files.set(exportPaths.manifest, signManifest(crypto, { origin, runId, files }, input.ledgerSeed));
  return files;
}
