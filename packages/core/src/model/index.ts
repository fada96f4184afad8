/**
 * Models: from a `tf.LayersModel` to a graph with per-example gradients.
 *
 * @module
 */
export { compileModel, forwardModel, topologyOf, unpackParameters } from './graph.ts';
export type { ModelForward, ModelGraph, ModelNode } from './graph.ts';
export type { BuiltLayer, GradientRecord, LayersModelLike, LayerKind, ParameterSpec, Topology } from './types.ts';
