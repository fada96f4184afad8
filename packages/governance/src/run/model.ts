/**
 * The model files of an export, bound to the ledger: topology by the plan's hash, weights by the last round's.
 *
 * @module
 */
import type { Json } from '@sotto/core/json';
import { type ModelData, splitWeights, writeSafetensors, writeTfjsModel } from '../model-files.ts';
import { exportPaths } from './files.ts';

/** The model files by path. Safetensors metadata name the run, so that a file on its own leads back to its ledger. */
export function modelFiles(
  model: ModelData,
  about: { readonly runId: string; readonly planHash: string },
): Map<string, Uint8Array> {
  const { modelJson, weightsBin } = writeTfjsModel(model);
  const safetensors = writeSafetensors(splitWeights(model.weights, model.values), {
    'sotto.planHash': about.planHash,
    'sotto.runId': about.runId,
  });
  return new Map([
    [exportPaths.modelJson, modelJson],
    [exportPaths.modelWeights, weightsBin],
    [exportPaths.modelSafetensors, safetensors],
  ]);
}

/** The topology in a `model.json`, or `undefined`. */
export function topologyOf(modelJson: Json): Json | undefined {
  if (typeof modelJson !== 'object' || modelJson === null || Array.isArray(modelJson)) return undefined;
  return (modelJson as { readonly [key: string]: Json | undefined })['modelTopology'];
}
