/**
 * Verifies an export folder.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** What the verification found out about one hospital's account. */
export interface AccountSummary {
  readonly party: string;
  readonly epsilon: number;
  readonly budget: number;
  readonly delta: number;
  readonly contributed: number;
}

export interface RunSummary {
  readonly planned: number;
  readonly published: number;
  readonly aborted: number;
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
  /** Fingerprint of the trust bundle in the folder. */
  readonly fingerprint: string | undefined;
  readonly summary: RunSummary | undefined;
}

export async function verifyDirectory(directory: string, trust: string | undefined): Promise<Verification> {
  await Promise.resolve();
  throw new SottoError('unsupported', `under construction ${directory} ${trust}`);
}
