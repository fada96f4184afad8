/**
 * Tensor operations: the interface, the float64 reference, the graph recorder, and what an engine is.
 *
 * @module
 */
export type { Conv2dOptions, Ops, Pool2dOptions, Shape, Window2d } from './ops.ts';
export type { CompiledProgram, Engine, NumericArray, Program, ProgramInput } from './engine.ts';
export type { DeviceMemory, DeviceProgram, DeviceTraffic, Placement } from './device.ts';
export { referenceEngine, referenceOps } from './reference.ts';
export type { ReferenceTensor } from './reference-loops.ts';
export { byRow, denseStrides, readStrided, stridesFor, walk, zip } from './reference-loops.ts';
export { recordProgram } from './graph.ts';
export type { Graph, GraphNode, GraphOperation } from './graph.ts';
export { definePrimitive } from './primitive.ts';
export type {
  DerivativePoint,
  DerivativeRule,
  OnnxAttribute,
  OnnxBuilder,
  OnnxProvider,
  OnnxRule,
  PlaceRule,
  Primitive,
  PrimitiveCase,
  PrimitiveNode,
  Tfjs,
} from './primitive.ts';
export { aligned, along, mixes } from './batch-place.ts';
export type { BatchPlace, PlacedNode } from './batch-place.ts';
export { broadcastShape, checkAxes, sizeOf } from './shapes.ts';
export { isShared, sharedFloats } from './shared-floats.ts';
