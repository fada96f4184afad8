/**
 * Models: from a `tf.LayersModel` to a graph with per-example gradients.
 *
 * @module
 */
export { compileModel } from './compile.ts';
export type { CompileOptions } from './compile.ts';
export { forwardModel, unpackParameters } from './graph.ts';
export type { ModelForward, ModelGraph, ModelNode } from './graph.ts';
export { topologyOf } from './topology.ts';
export { fixTopology, validateModel } from './validate.ts';
export type { LayerReport, LayerStatus, ModelChange, ModelReport } from './validate.ts';
export { idInputs } from './id-inputs.ts';
export type { IdInput } from './id-inputs.ts';
export { readWeights, weightByName } from './weights.ts';
export { assertPerExample } from './batch-axis.ts';
export type { PerExampleOptions } from './batch-axis.ts';
export type {
  BuiltLayer,
  DrawDeclaration,
  DrawLaw,
  DrawSpec,
  Forward,
  GradientRecord,
  LayerConfig,
  LayersModelLike,
  LayerKind,
  ParameterSpec,
  Topology,
  WeightDeclaration,
} from './types.ts';
export { pullback } from './pullback.ts';
export type { Pullback } from './pullback.ts';
