/**
 * Verifies an export folder.
 *
 * @module
 */
import { fromBase64 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { decodeTrustBundle } from '@sotto/core/identity';
import { accountant } from '@sotto/federation';
import { formatFinding, type PrivacyReport, type RunVerification, verifyRun } from '@sotto/governance';
import { nodeCrypto } from '@sotto/secagg/node';
import { readFile } from 'node:fs/promises';
import { fileError } from '../accounting/cases.ts';
import { readExport } from './read-export.ts';

/** What the verification found out about one data owner's account. */
export interface AccountSummary {
  readonly party: string;
  readonly epsilon: number;
  readonly budget: number;
  readonly delta: number;
  readonly contributed: number;
}

export interface RunSummary {
  readonly runId: string;
  readonly planned: number;
  readonly published: number;
  readonly aborted: number;
  /** Of the last measurement on held-out records. */
  readonly accuracy: number | undefined;
  readonly total: number | undefined;
  readonly accounts: readonly AccountSummary[];
}

export interface Verification {
  readonly ok: boolean;
  /** The finding in one line. */
  readonly line: string;
  /** Each fault with the file, and the entry where it is a leaf. */
  readonly faults: readonly string[];
  /** Of the authority that the folder names. */
  readonly fingerprint: string | undefined;
  /** Whether the fingerprint was compared with one that the reader gave. */
  readonly trusted: boolean;
  readonly summary: RunSummary | undefined;
  readonly report: PrivacyReport | undefined;
}

/** A fingerprint as people type it, or the trust bundle of a trust file. */
async function trustOf(given: string): Promise<string | Uint8Array> {
  if (/^(?:sha256:)?[0-9a-f]{64}$/i.test(given.trim())) return given;
  let text: string;
  try {
    text = await readFile(given, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new SottoError(
        'not-found',
        `--trust is "${given}", which is neither a file nor a fingerprint of 64 hexadecimal digits`,
      );
    }
    throw fileError(given, error);
  }
  if (/^(?:sha256:)?[0-9a-f]{64}$/i.test(text.trim())) return text;
  try {
    // The bundle counts, not the fingerprint that stands beside it.
    const { bundle } = JSON.parse(text) as { bundle: string };
    const wire = fromBase64(bundle);
    decodeTrustBundle(wire);
    return wire;
  } catch (cause) {
    throw new SottoError(
      'invalid-encoding',
      `${given} is no trust file: it has no trust bundle; take the file that the authority writes (trustFile)`,
      { cause },
    );
  }
}

function summarise(report: PrivacyReport): RunSummary {
  return {
    runId: report.run.id,
    ...report.run.rounds,
    accuracy: report.accuracy?.value,
    total: report.accuracy?.total,
    accounts: report.parties.map(({ party, spent, budget, reservations }) => ({
      party,
      epsilon: spent.epsilon === 'Infinity' ? Infinity : spent.epsilon,
      budget: budget.epsilon,
      delta: budget.delta,
      contributed: reservations.contributed,
    })),
  };
}

/**
 * Reads and verifies an export.
 *
 * @param trust a fingerprint, or the path of a trust file; without it the fingerprint is reported, not compared
 * @throws SottoError if the folder or the trust file cannot be read; faults of the export are findings, not errors
 */
export async function verifyDirectory(directory: string, trust: string | undefined): Promise<Verification> {
  const wanted = trust === undefined ? undefined : await trustOf(trust);
  const files = await readExport(directory);
  const result: RunVerification = verifyRun(files, {
    crypto: nodeCrypto,
    accountant,
    ...(wanted === undefined ? {} : { trust: wanted }),
  });
  return {
    ok: result.ok,
    line: result.summary,
    faults: result.findings.map(formatFinding),
    fingerprint: result.fingerprint,
    trusted: result.trusted,
    summary: result.report === undefined ? undefined : summarise(result.report),
    report: result.report,
  };
}
