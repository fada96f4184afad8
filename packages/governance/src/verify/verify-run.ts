/**
 * The offline verification of an export: everything that can be recomputed is, and compared byte for byte.
 *
 * @module
 */
import { compareIds, equalBytes } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { decodeTrustBundle, trustFingerprint } from '@sotto/core/identity';
import { type Accountant, accountSpending, rememberAnswers } from '../ledger/accounting.ts';
import { logOrigin } from '../log/checkpoint.ts';
import { buildReport, encodeReport } from '../report/build-report.ts';
import { renderReportHtml } from '../report/html.ts';
import type { PrivacyReport } from '../report/report.ts';
import { plural } from '../report/format.ts';
import { exportPaths } from '../run/files.ts';
import { hashFiles, type Manifest, openManifest, parseManifest } from '../run/manifest.ts';
import { coordinatorRun, crossCheck, type RunEvidence } from './cross-check.ts';
import { type Finding, Findings, formatFinding } from './findings.ts';
import { entryFile } from './ledger-files.ts';
import { verifyModelFiles } from './model.ts';
import { readRun, readTrust, type RunReading } from './read-run.ts';

/** What verification needs. */
export interface VerifyRunOptions {
  readonly crypto: CryptoProvider;
  /** Recomputes every ε; the same as wrote the report, or the figures will differ. */
  readonly accountant: Accountant;
  /** The authority that the reader trusts: its fingerprint (64 hexadecimal digits) or the bytes of its trust bundle. */
  readonly trust?: string | Uint8Array;
}

/** What a verification found. */
export interface RunVerification {
  /** No findings. Without `trust` this says nothing about *whose* run it is: compare {@link fingerprint}. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** One line for people. */
  readonly summary: string;
  /** The fingerprint of the export's authority, if it could be read. */
  readonly fingerprint?: string;
  /** Whether {@link fingerprint} was compared with one that the reader gave, and is the same. */
  readonly trusted: boolean;
  /** The report as recomputed, if all ledgers are whole. */
  readonly report?: PrivacyReport;
}

function expectedFingerprint(crypto: CryptoProvider, trust: string | Uint8Array): string {
  if (typeof trust !== 'string') return trustFingerprint(crypto, decodeTrustBundle(trust));
  const text = trust
    .trim()
    .toLowerCase()
    .replace(/^sha256:/, '');
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new SottoError(
      'invalid-argument',
      `trust is ${check.show(trust)}; it must be a fingerprint of 64 hexadecimal digits or a trust bundle`,
    );
  }
  return text;
}

/** The manifest, its signature, and the hash of every file. */
function verifyManifest(
  crypto: CryptoProvider,
  files: ReadonlyMap<string, Uint8Array>,
  findings: Findings,
): { readonly manifest?: Manifest; readonly changed: ReadonlySet<string> } {
  const file = exportPaths.manifest;
  const changed = new Set<string>();
  const note = files.get(file);
  if (note === undefined) {
    findings.add('missing-file', 'the manifest is missing', { file });
    return { changed };
  }
  const manifest = findings.attempt('malformed', { file }, () => parseManifest(note));
  if (manifest === undefined) return { changed };
  for (const [path, hash] of hashFiles(crypto, files)) {
    const listed = manifest.hashes.get(path);
    if (listed === undefined) findings.add('unknown-file', 'the file is not in the manifest', { file: path });
    else if (listed !== hash) changed.add(path);
  }
  for (const path of manifest.hashes.keys()) {
    if (!files.has(path)) findings.add('missing-file', 'the file is listed in the manifest and missing', { file: path });
  }
  return { manifest, changed };
}

function verifyManifestSignature(
  crypto: CryptoProvider,
  files: ReadonlyMap<string, Uint8Array>,
  reading: Required<Pick<RunReading, 'trust' | 'coordinator'>>,
  findings: Findings,
): boolean {
  const note = files.get(exportPaths.manifest);
  const { trust, coordinator } = reading;
  const ledgerKey = trust.parties.get(coordinator)?.certificate.ledgerKey;
  if (note === undefined || ledgerKey === undefined) return false;
  const key = { origin: logOrigin(trust.bundle.trustDomain, coordinator), publicKey: ledgerKey };
  return findings.attempt('signature', { file: exportPaths.manifest }, () => openManifest(crypto, note, key)) !== undefined;
}

/** Files that the layout asks for, and no others. */
function verifyLayout(files: ReadonlyMap<string, Uint8Array>, reading: RunReading, findings: Findings): void {
  const fixed = new Set<string>(Object.values(exportPaths));
  for (const path of fixed) {
    const named = findings.list.some((finding) => finding.code === 'missing-file' && finding.file === path);
    if (!files.has(path) && !named) findings.add('missing-file', 'the file is missing', { file: path });
  }
  if (reading.evidence === undefined) return;
  for (const path of files.keys()) {
    if (!fixed.has(path) && !reading.ledgerPaths.has(path)) {
      findings.add('unknown-file', 'the file does not belong to an export', { file: path });
    }
  }
}

function verifyBudgets(evidence: RunEvidence, accountant: Accountant, findings: Findings): void {
  for (const client of evidence.clients.values()) {
    for (const account of client.state.accounts.values()) {
      const { index, entry } = account.opened;
      const place = { file: entryFile(client.party, index, client.log.size), party: client.party, entry: index };
      const spending = findings.attempt('over-budget', place, () => accountSpending(account, accountant));
      if (spending?.withinBudget === false) {
        const message = `account ${entry.account} has spent ε = ${spending.epsilon} of ${spending.epsilonBudget} at δ = ${spending.delta}`;
        findings.add('over-budget', message, place);
      }
    }
  }
}

function verifyReport(
  files: ReadonlyMap<string, Uint8Array>,
  evidence: RunEvidence,
  accountant: Accountant,
  findings: Findings,
): PrivacyReport | undefined {
  const report = findings.attempt('report-mismatch', { file: exportPaths.reportJson }, () => buildReport(evidence, accountant));
  if (report === undefined) return undefined;
  const expected = [
    [exportPaths.reportJson, encodeReport(report)],
    [exportPaths.reportHtml, renderReportHtml(report)],
  ] as const;
  for (const [file, bytes] of expected) {
    const given = files.get(file);
    if (given !== undefined && !equalBytes(given, bytes)) {
      findings.add('report-mismatch', 'the report is not the one that follows from the ledgers', { file });
    }
  }
  return report;
}

/**
 * Findings in the order of what explains most: files that the manifest disowns, with the entry where there is one, then
 * the rest; each once. A changed file about which nothing more is known is named too.
 */
function arrange(findings: Findings, changed: ReadonlySet<string>): Finding[] {
  for (const file of changed) {
    if (!findings.list.some((finding) => finding.file === file)) {
      findings.add('changed-file', 'the file is not the one that the manifest lists', { file });
    }
  }
  const seen = new Set<string>();
  const rank = (finding: Finding): number =>
    (finding.file !== undefined && changed.has(finding.file) ? 0 : 2) + (finding.entry === undefined ? 1 : 0);
  return findings.list
    .filter((finding) => {
      const key = formatFinding(finding);
      return seen.has(key) ? false : seen.add(key);
    })
    .toSorted((a, b) => rank(a) - rank(b) || compareIds(a.file ?? '', b.file ?? '') || (a.entry ?? 0) - (b.entry ?? 0));
}

function summarise(
  findings: readonly Finding[],
  evidence: RunEvidence | undefined,
  fingerprint: string | undefined,
  trusted: boolean,
): string {
  const [first] = findings;
  if (first !== undefined || evidence === undefined) {
    const others = findings.length > 1 ? ` (and ${plural(findings.length - 1, 'further finding')})` : '';
    return `FAILED: ${first === undefined ? 'the run could not be read' : formatFinding(first)}${others}`;
  }
  const run = coordinatorRun(evidence);
  const ledgers = [evidence.coordinator, ...evidence.clients.values()];
  const entries = ledgers.reduce((sum, { log }) => sum + log.size, 0);
  const whose = trusted
    ? `the authority is the one you trust (${fingerprint})`
    : `compare the authority's fingerprint with ${fingerprint}`;
  return (
    `VERIFIED: run ${evidence.runId}, ${run.published} rounds published and ${run.aborted} aborted of ${run.plan.entry.terms.rounds} planned, ` +
    `${ledgers.length} ledgers with ${entries} entries; every hash, root, signature and ε recomputed; ${whose}`
  );
}

/**
 * Verifies an export. Never throws on what the files hold: every fault is a finding that names the file, and the entry
 * where it is a leaf.
 *
 * @param files every file of the folder by its path with forward slashes
 * @throws SottoError `invalid-argument` or `invalid-encoding` for a malformed `trust`
 */
export function verifyRun(files: ReadonlyMap<string, Uint8Array>, options: VerifyRunOptions): RunVerification {
  const { crypto } = options;
  const accountant = rememberAnswers(options.accountant);
  const wanted = options.trust === undefined ? undefined : expectedFingerprint(crypto, options.trust);
  const findings = new Findings();
  const { manifest, changed } = verifyManifest(crypto, files, findings);
  const reading: RunReading =
    manifest === undefined
      ? { ...readTrust(crypto, files, findings), ledgerPaths: new Set() }
      : readRun(crypto, files, manifest.runId, findings);
  const { trust, coordinator, evidence } = reading;
  const fingerprint = trust?.fingerprint;
  if (wanted !== undefined && fingerprint !== undefined && fingerprint !== wanted) {
    const message = `the authority has the fingerprint ${fingerprint}, not the one that you trust (${wanted})`;
    findings.add('trust', message, { file: exportPaths.trust });
  }
  // Under a manifest that nobody signed, its list blames nobody but itself.
  const listed =
    trust !== undefined && coordinator !== undefined && verifyManifestSignature(crypto, files, { trust, coordinator }, findings);
  const suspects = listed || trust === undefined ? changed : new Set([exportPaths.manifest]);
  verifyLayout(files, reading, findings);
  let report: PrivacyReport | undefined;
  if (evidence !== undefined) {
    crossCheck(crypto, evidence, findings);
    verifyBudgets(evidence, accountant, findings);
    verifyModelFiles(crypto, files, evidence, findings);
    report = verifyReport(files, evidence, accountant, findings);
  }
  const list = arrange(findings, suspects);
  const trusted = wanted !== undefined && fingerprint === wanted;
  return {
    ok: list.length === 0 && evidence !== undefined,
    findings: list,
    summary: summarise(list, evidence, fingerprint, trusted),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    trusted,
    ...(report === undefined ? {} : { report }),
  };
}
