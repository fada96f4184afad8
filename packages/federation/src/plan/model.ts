/**
 * The model of a plan: its parameters, and weights as tensors and as bytes.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { Json } from '@sotto/core/json';
import { type Topology, compileModel } from '@sotto/core/model';
import type { FederationPlan } from './plan.ts';
import { featureCount } from './tabular-spec.ts';

/** One weight tensor, in model order. */
export interface WeightShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
}

/** What the federation needs to know of a model. */
export interface PlanModel {
  readonly name: string;
  readonly topology: Topology;
  readonly weights: readonly WeightShape[];
  /** D: all weights together. */
  readonly parameterCount: number;
}

/** Compiles the plan's topology; throws `invalid-config` for one that cannot be trained privately. */
export function planModel(plan: FederationPlan): PlanModel {
  const topology = plan.model as unknown as Topology;
  let graph: ReturnType<typeof compileModel>;
  try {
    graph = compileModel(topology);
  } catch (cause) {
    throw new SottoError('invalid-config', `the plan's ${SottoError.from(cause).message}`, { cause });
  }
  if (graph.frozenCount > 0) {
    throw new SottoError(
      'invalid-config',
      `the plan's model has ${graph.frozenCount} frozen weights; set trainable of its layers to true`,
    );
  }
  const inputs = featureCount(plan.data);
  const [input, output] = [graph.inputShapes, graph.outputShapes].map((shapes) => JSON.stringify(shapes));
  if (input !== `[[${inputs}]]` || output !== '[[1]]') {
    throw new SottoError(
      'invalid-config',
      `the plan's model maps ${input} to ${output}; its data section gives [[${inputs}]], and a binary label takes [[1]]`,
    );
  }
  const config = topology.config as { readonly name?: Json } | null;
  return {
    name: typeof config?.name === 'string' ? config.name : topology.class_name,
    topology,
    weights: graph.trainable.map(({ name, shape, size }) => ({ name, shape: [...shape], size })),
    parameterCount: graph.parameterCount,
  };
}

/** Flat weights as little-endian float32. */
export function encodeWeights(weights: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * weights.length);
  const view = new DataView(bytes.buffer);
  weights.forEach((value, i) => view.setFloat32(4 * i, value, true));
  return bytes;
}

/** The inverse of {@link encodeWeights}; throws `invalid-encoding` for another length or a value that is not finite. */
export function decodeWeights(bytes: Uint8Array, parameterCount: number): Float32Array {
  if (bytes.length !== 4 * parameterCount) {
    throw new SottoError('invalid-encoding', `weights of ${bytes.length} bytes; the model has ${parameterCount} of 4 bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const weights = Float32Array.from({ length: parameterCount }, (_, i) => view.getFloat32(4 * i, true));
  if (!weights.every(Number.isFinite)) throw new SottoError('invalid-encoding', 'a weight is not a finite number');
  return weights;
}

/** Flat weights cut into tensors, as views. */
export function splitTensors(model: PlanModel, flat: Float32Array): Float32Array[] {
  let offset = 0;
  return model.weights.map(({ size }) => flat.subarray(offset, (offset += size)));
}
