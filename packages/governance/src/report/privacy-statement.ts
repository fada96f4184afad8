/**
 * The report as an in-toto Statement (v1) about the model file: supply-chain tools carry, sign and look it up beside other
 * attestations. The statement is not signed here.
 *
 * @module
 */
import { toHex } from '@sotto/core/bytes';
import { canonicalJsonBytes, type Json } from '@sotto/core/json';
import type { Sha256 } from '../merkle/hash.ts';
import { exportPaths } from '../run/files.ts';
import { encodeReport } from './build-report.ts';
import type { PrivacyReport } from './report.ts';

/** Type of the predicate. */
export const privacyStatementType = 'urn:sotto:privacy-statement:1';

/** The canonical JSON of the statement. Its subject is `weights.bin`, whose SHA-256 is the ledger's model hash. */
export function encodePrivacyStatement(crypto: Sha256, report: PrivacyReport): Uint8Array {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: exportPaths.modelWeights, digest: { sha256: report.model.finalHash } }],
    predicateType: privacyStatementType,
    predicate: {
      run: report.run,
      training: report.training,
      guarantees: report.parties.map((party) => ({
        party: party.party,
        dataset: party.dataset,
        unit: party.unit,
        adjacency: party.adjacency,
        budget: party.budget,
        spent: party.spent,
        mechanisms: party.mechanisms,
      })),
      secureAggregation: report.secureAggregation,
      ledgers: report.ledgers,
      report: { name: exportPaths.reportJson, digest: { sha256: toHex(crypto.sha256(encodeReport(report))) } },
    },
  };
  return canonicalJsonBytes(statement as unknown as Json);
}
