/**
 * Rules of enrolment: a ledger belongs to the party that it begins with, and a party keeps its ledger key.
 *
 * @module
 */
import { equalBytes, fromBase64 } from '@sotto/core/bytes';
import { decodeCertificate, type IdentityCertificate } from '@sotto/core/identity';
import type { EnrolEntry } from './entry.ts';
import { ledgerFault } from './faults.ts';
import type { Commit, MutableLedgerState } from './mutable-state.ts';

function certificateOf(entry: EnrolEntry, index: number): IdentityCertificate {
  let certificate: IdentityCertificate;
  try {
    certificate = decodeCertificate(fromBase64(entry.certificate)).certificate;
  } catch {
    throw ledgerFault('certificate-mismatch', index, `the certificate of ${entry.party} does not decode`);
  }
  if (certificate.id !== entry.party || certificate.role !== entry.role || certificate.trustDomain !== entry.trustDomain) {
    throw ledgerFault(
      'certificate-mismatch',
      index,
      `the certificate is not that of ${entry.role} ${entry.party} in ${entry.trustDomain}`,
    );
  }
  return certificate;
}

export function foldEnrol(state: MutableLedgerState, entry: EnrolEntry, index: number): Commit {
  const certificate = certificateOf(entry, index);
  const self = state.self?.entry ?? entry;
  if (entry.trustDomain !== self.trustDomain || entry.trustFingerprint !== self.trustFingerprint) {
    throw ledgerFault('identity-changed', index, `${entry.party} is enrolled under another authority than ${self.party}`);
  }
  const before = state.parties.get(entry.party);
  if (before !== undefined) {
    const known = certificateOf(before.entry, before.index);
    if (known.role !== certificate.role || !equalBytes(known.ledgerKey, certificate.ledgerKey)) {
      throw ledgerFault('identity-changed', index, `${entry.party} is enrolled again with another role or ledger key`);
    }
  }
  return () => {
    state.self ??= { index, entry };
    state.parties.set(entry.party, { index, entry });
  };
}
