/**
 * What a verification found wrong, each with the file and, where it is a leaf, the entry.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** The kinds of findings. */
export type FindingCode =
  | 'missing-file'
  | 'unknown-file'
  /** A file is not the one that the manifest lists. */
  | 'changed-file'
  /** A file or entry does not decode, or not in its one canonical form. */
  | 'malformed'
  | 'signature'
  /** An entry is not the one under the signed root. */
  | 'changed-entry'
  /** A tile or root does not follow from the entries. */
  | 'root-mismatch'
  /** A ledger breaks one of its own rules. */
  | 'ledger-rule'
  /** Two ledgers contradict each other, or one shows two faces. */
  | 'contradiction'
  /** Evidence in a ledger does not verify. */
  | 'evidence'
  /** More was spent than the budget allows. */
  | 'over-budget'
  /** A model file is not the published model. */
  | 'model-mismatch'
  /** A report does not follow from the ledgers. */
  | 'report-mismatch'
  /** The authority is not the one that the reader trusts, or certificates do not fit. */
  | 'trust';

/** One thing that is wrong. */
export interface Finding {
  readonly code: FindingCode;
  readonly message: string;
  /** Path within the export. */
  readonly file?: string;
  /** Whose ledger. */
  readonly party?: string;
  /** Index of the entry in that ledger. */
  readonly entry?: number;
}

/** Where a finding is. */
export type FindingPlace = Omit<Finding, 'code' | 'message'>;

/** Collects findings. */
export class Findings {
  readonly list: Finding[] = [];

  add(code: FindingCode, message: string, place: FindingPlace = {}): void {
    this.list.push({ code, message, ...place });
  }

  /** Runs a check; what it throws becomes a finding. Returns `undefined` then. */
  attempt<T>(code: FindingCode, place: FindingPlace, check: () => T): T | undefined {
    try {
      return check();
    } catch (cause) {
      const error = SottoError.from(cause);
      this.add(error.code === 'invalid-encoding' ? 'malformed' : code, error.message, place);
      return undefined;
    }
  }
}

/** One line: place and message. */
export function formatFinding(finding: Finding): string {
  const place = [finding.file ?? finding.party, finding.entry === undefined ? undefined : `entry ${finding.entry}`].filter(
    (part) => part !== undefined,
  );
  return place.length === 0 ? finding.message : `${place.join(', ')}: ${finding.message}`;
}
