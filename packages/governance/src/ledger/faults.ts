/**
 * Why a ledger is not acceptable, as a closed set.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** Every invariant of a ledger, by the name of its breach. */
export type LedgerFaultCode =
  /** The ledger does not begin with the enrolment of its own party. */
  | 'not-enrolled'
  /** A certificate does not decode, or names another party, role or trust domain than the entry. */
  | 'certificate-mismatch'
  /** A party was enrolled again under another ledger key, role or authority. */
  | 'identity-changed'
  /** An entry that only the other role writes. */
  | 'wrong-role'
  | 'duplicate-account'
  | 'unknown-account'
  /** The plan's unit or adjacency is not that of the account. */
  | 'unit-mismatch'
  | 'duplicate-plan'
  | 'unknown-plan'
  /** The plan's hash, run or terms are not those of its document, or contradict themselves. */
  | 'plan-mismatch'
  | 'not-in-plan'
  | 'round-out-of-range'
  /** A second reservation for one (runId, round). */
  | 'already-reserved'
  /** The index does not name a reservation of that run and round. */
  | 'no-reservation'
  | 'already-released'
  | 'already-contributed'
  /** An observed checkpoint is of another log, or smaller than one seen before, or of equal size with another root. */
  | 'rewound'
  /** Contradicting observations of one round. */
  | 'contradicting-outcome'
  /** Rounds do not follow each other, or one ended twice. */
  | 'round-order'
  /** Roster, sharers, survivors or confirmations contradict each other or the thresholds of the plan. */
  | 'cohort-mismatch'
  /** The evidence of a survivor is not of this run, round, plan or party. */
  | 'evidence-mismatch'
  /** A model hash does not follow from the one before. */
  | 'model-chain'
  /** published + aborted is not planned, or the numbers are not those of the ledger. */
  | 'incomplete'
  /** An entry of a run after its end. */
  | 'run-complete';

/** Raises a fault. The entry's index is in the message and in `details.entry`. */
export function ledgerFault(fault: LedgerFaultCode, entry: number, message: string): SottoError {
  return new SottoError('conflict', `ledger entry ${entry}: ${message}`, { details: { fault, entry } });
}

/** The fault that an error carries, if it is one of a ledger. */
export function ledgerFaultOf(error: unknown): { readonly fault: LedgerFaultCode; readonly entry: number } | undefined {
  if (!(error instanceof SottoError)) return undefined;
  const { fault, entry } = error.details;
  return typeof fault === 'string' && typeof entry === 'number' ? { fault: fault as LedgerFaultCode, entry } : undefined;
}
