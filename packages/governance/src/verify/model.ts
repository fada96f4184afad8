/**
 * The model files against the ledger.
 *
 * @module
 */
import { equalBytes, fromUtf8, toHex } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { parseCanonicalJson } from '@sotto/core/json';
import { topologyHash } from '../ledger/hashes.ts';
import { bytesToFloats } from '../model-files.ts';
import { exportPaths } from '../run/files.ts';
import { modelFiles, topologyOf } from '../run/model.ts';
import { coordinatorRun, type RunEvidence } from './cross-check.ts';
import type { Findings } from './findings.ts';

/** Checks that the files hold exactly the published model. */
export function verifyModelFiles(
  crypto: CryptoProvider,
  files: ReadonlyMap<string, Uint8Array>,
  evidence: RunEvidence,
  findings: Findings,
): void {
  const run = coordinatorRun(evidence);
  const { terms, planHash } = run.plan.entry;
  const json = files.get(exportPaths.modelJson);
  const weights = files.get(exportPaths.modelWeights);
  if (json === undefined || weights === undefined) return; // named as missing already
  if (toHex(crypto.sha256(weights)) !== run.modelHash) {
    findings.add('model-mismatch', 'the weights are not those of the last published round', { file: exportPaths.modelWeights });
    return;
  }
  const topology = findings.attempt('model-mismatch', { file: exportPaths.modelJson }, () => {
    const found = topologyOf(parseCanonicalJson(fromUtf8(json), 'model.json'));
    if (found === undefined || topologyHash(crypto, found) !== terms.model.topologyHash) {
      throw new SottoError('integrity', 'the topology is not that of the plan');
    }
    return found;
  });
  if (topology === undefined) return;
  const model = { topology, weights: terms.model.weights, values: bytesToFloats(weights) };
  const expected = findings.attempt('model-mismatch', { file: exportPaths.modelWeights }, () =>
    modelFiles(model, { runId: evidence.runId, planHash }),
  );
  for (const [path, bytes] of expected ?? []) {
    const given = files.get(path);
    if (given !== undefined && !equalBytes(given, bytes)) {
      findings.add('model-mismatch', 'the file does not follow from the weights and the plan', { file: path });
    }
  }
}
