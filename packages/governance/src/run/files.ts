/**
 * The folder that a finished run is handed over as: names and limits.
 *
 * @module
 */

/** Paths of the files of an export that are not under `ledger/`. */
export const exportPaths = {
  reportHtml: 'report.html',
  reportJson: 'report.json',
  modelJson: 'model/model.json',
  modelWeights: 'model/weights.bin',
  modelSafetensors: 'model/model.safetensors',
  trust: 'trust.json',
  manifest: 'manifest',
} as const;

/** The folder of a party's ledger, with a slash at its end. */
export function ledgerFolder(party: string): string {
  return `ledger/${party}/`;
}
