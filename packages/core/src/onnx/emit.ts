/**
 * How each recorded operation is written as ONNX operators (opset 18). The forms were chosen by measurement: see
 * `docs/engines.md`.
 *
 * @module
 */
import type { Graph, GraphNode, GraphOperation } from '../ops/graph.ts';
import type { Shape } from '../ops/ops.ts';
import type { OnnxAttribute, OnnxBuilder, OnnxProvider } from '../ops/primitive.ts';
import { emitInputGradient, emitPatches, standardConv } from './convolution.ts';
import { SEQUENCE, sequenceNode } from './in-place.ts';
import { encodeModel } from './proto.ts';
import type { OnnxNode, OnnxTensor } from './proto.ts';

/** The domain of the runtime's own operators. */
export const MICROSOFT = 'com.microsoft';

/** The operator sets that models are written in. */
export const OPSETS: Readonly<Record<string, number>> = { '': 18, [MICROSOFT]: 1, 'com.microsoft.nchwc': 1 };

/** Collects nodes and constants, and names them. */
export class Emitter implements OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #integers = new Map<string, string>();
  readonly #once = new Map<string, unknown>();
  #count = 0;

  name(): string {
    return `t${this.#count++}`;
  }

  /** Emits an operator with one output and returns the output's name. */
  op(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain?: string,
  ): string {
    const output = this.name();
    this.nodes.push({ opType, inputs, outputs: [output], attributes, ...(domain === undefined ? {} : { domain }) });
    return output;
  }

  /** Emits an operator with several outputs and returns their names. */
  many(
    opType: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): readonly string[] {
    const outputs = Array.from({ length: count }, () => this.name());
    this.nodes.push({ opType, inputs, outputs, attributes });
    return outputs;
  }

  /** What was emitted under this key before, or what `make` emits now: for what several nodes need of one tensor. */
  once<V>(key: string, make: () => V): V {
    // The caller's key determines the type.
    const known = (this.#once.get(key) as V | undefined) ?? make();
    this.#once.set(key, known);
    return known;
  }

  /** A list of integers as a constant. */
  integers(values: readonly number[]): string {
    const key = values.join();
    let name = this.#integers.get(key);
    if (name === undefined) {
      name = this.name();
      this.#integers.set(key, name);
      this.initializers.push({ name, shape: [values.length], values: BigInt64Array.from(values, BigInt) });
    }
    return name;
  }

  /** A float constant. */
  floats(values: Float32Array, shape: Shape): string {
    const name = this.name();
    this.initializers.push({ name, shape, values });
    return name;
  }

  scalar(value: number): string {
    return this.floats(Float32Array.of(value), []);
  }

  asFloat(x: string): string {
    return this.op('Cast', [x], { to: { int: 1 } });
  }

  reshape(x: string, shape: Shape): string {
    return this.op('Reshape', [x, this.integers(shape)]);
  }
}

/** A recorded node of one operation. */
export type Node<K extends GraphOperation> = Extract<GraphNode, { operation: K }>;
type Rule<K extends GraphOperation> = (emit: Emitter, node: Node<K>, inputs: readonly [string, string, string]) => string;

type AnyRule = (emit: Emitter, node: GraphNode, inputs: readonly [string, string, string]) => string;

const direct =
  (opType: string): AnyRule =>
  (emit, node, inputs) =>
    emit.op(opType, inputs.slice(0, node.inputs.length));

const comparison =
  (opType: string): AnyRule =>
  (emit, _, [a, b]) =>
    emit.asFloat(emit.op(opType, [a, b]));

/** Operands of a matrix product, by the names of their tensors. */
export interface ProductOperands {
  readonly a: string;
  readonly b: string;
  readonly aShape: Shape;
  readonly bShape: Shape;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** The operands of a recorded product. */
export function productOperands(
  { inputs, attributes }: Node<'matMul'>,
  [a, b]: readonly [string, string, string],
): ProductOperands {
  return { a, b, aShape: inputs[0]!.shape, bShape: inputs[1]!.shape, ...attributes };
}

/** A matrix product over the last two axes. */
export function emitProduct(emit: Emitter, { a, b, aShape, bShape, transposeA, transposeB }: ProductOperands): string {
  if (!transposeA && !transposeB) return emit.op('MatMul', [a, b]);
  const attributes = { transA: { int: Number(transposeA) }, transB: { int: Number(transposeB) } };
  if (aShape.length === 2 && bShape.length === 2) return emit.op('Gemm', [a, b], attributes);
  return emit.op('FusedMatMul', [a, b], attributes, MICROSOFT);
}

const INT_TYPE: OnnxAttribute = { int: 7 };

/** Writes primitives by their own rules, by those for an execution provider where there are such. */
export function applyOn(provider: OnnxProvider | undefined): Rule<'apply'> {
  return (emit, { attributes: { primitive, attributes }, inputs, shape }, names) => {
    const rule = (provider && primitive.onnxOn?.[provider]) ?? primitive.onnx;
    const inputShapes = inputs.map((operand) => operand.shape);
    return rule(emit, names.slice(0, inputs.length), { shape, inputShapes, attributes });
  };
}

/** A rule for every operation, or for those that an execution provider needs written otherwise. */
export type Rules = { readonly [K in Exclude<GraphOperation, 'input'>]: Rule<K> };

const rules: Rules = {
  constant: (emit, node) => emit.floats(Float32Array.from(node.attributes.values), node.shape),
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  maximum: direct('Max'),
  minimum: direct('Min'),
  neg: direct('Neg'),
  abs: direct('Abs'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  tanh: direct('Tanh'),
  sigmoid: direct('Sigmoid'),
  relu: direct('Relu'),
  softplus: (emit, _, [x]) => emit.op('Softplus', [x]),
  greater: comparison('Greater'),
  greaterEqual: comparison('GreaterOrEqual'),
  equal: comparison('Equal'),
  where: (emit, _, [condition, a, b]) => emit.op('Where', [emit.op('Cast', [condition], { to: { int: 9 } }), a, b]),
  sum: (emit, node, [x]) => emit.op('ReduceSum', [x, emit.integers(node.attributes.axes)], { keepdims: { int: 1 } }),
  max: (emit, node, [x]) => emit.op('ReduceMax', [x, emit.integers(node.attributes.axes)], { keepdims: { int: 1 } }),
  softmax: (emit, _, [x]) => emit.op('Softmax', [x], { axis: { int: -1 } }),
  matMul: (emit, node, names) => emitProduct(emit, productOperands(node, names)),
  reshape: (emit, node, [x]) => emit.reshape(x, node.shape),
  transpose: (emit, node, [x]) => emit.op('Transpose', [x], { perm: { ints: node.attributes.permutation } }),
  slice(emit, node, [x]) {
    const { begin } = node.attributes;
    const axes = begin.map((_, axis) => axis).filter((axis) => node.shape[axis] !== node.inputs[0]!.shape[axis]);
    if (axes.length === 0) return emit.op('Identity', [x]);
    const starts = emit.integers(axes.map((axis) => begin[axis]!));
    return emit.op('Slice', [
      x,
      starts,
      emit.integers(axes.map((axis) => begin[axis]! + node.shape[axis]!)),
      emit.integers(axes),
    ]);
  },
  concat: (emit, node, inputs) => emit.op('Concat', inputs, { axis: { int: node.attributes.axis } }),
  pad: (emit, node, [x]) => emit.op('Pad', [x, emit.integers([...node.attributes.before, ...node.attributes.after])]),
  broadcastTo: (emit, node, [x]) => emit.op('Expand', [x, emit.integers(node.shape)]),
  gather: (emit, _, [table, ids]) => emit.op('Gather', [table, emit.op('Cast', [ids], { to: INT_TYPE })], { axis: { int: 0 } }),
  conv2d(emit, node, [x, kernel]) {
    const [xShape, kernelShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
    return standardConv(emit, { x, kernel, xShape, kernelShape }, node.attributes.options);
  },
  conv2dInputGradient: (emit, node, [gradient, kernel]) => emitInputGradient(emit, node, [gradient, kernel], standardConv),
  patches: (emit, node, [x]) => emitPatches(emit, node, x),
  apply: applyOn(undefined),
};

/** Several nodes written as one: what they read, and how the last of them is written. */
export interface Fusion {
  readonly operands: readonly GraphNode[];
  write(emit: Emitter, names: readonly string[]): string;
}

/**
 * Recognises the last node of a group that has a form of its own. `isOnlyHere` tells whether a node has no other use, so that it need not be written for itself; where
 * others need a node of the group, it is written as well.
 */
export type Fuse = (node: GraphNode, isOnlyHere: (node: GraphNode) => boolean) => Fusion | undefined;

/**
 * The ONNX model of a recorded program. Inputs and outputs keep their names, prefixed by `in_` and `out_`.
 *
 * @param special Rules of an execution provider, which go before the general ones.
 * @param fuse Groups of nodes that it has a form for.
 * @param isInPlace Whether runs have arrays for all outputs, which then need not be copied.
 */
export function emitGraph(
  graph: Graph,
  special: Partial<Rules> = {},
  fuse: Fuse = () => undefined,
  isInPlace = false,
): Uint8Array {
  const outputs = new Set(Object.values(graph.outputs));
  const uses = new Map<GraphNode, number>();
  for (const node of graph.nodes) for (const operand of node.inputs) uses.set(operand, (uses.get(operand) ?? 0) + 1);
  const isOnlyHere = (node: GraphNode): boolean => uses.get(node) === 1 && !outputs.has(node);
  // Users before operands, so that what only a fusion replaced is not needed.
  const needed = new Set<GraphNode>(outputs);
  const fusions = new Map<GraphNode, Fusion>();
  for (const node of graph.nodes.toReversed()) {
    if (!needed.has(node)) continue;
    const fusion = fuse(node, isOnlyHere);
    if (fusion !== undefined) fusions.set(node, fusion);
    for (const operand of fusion?.operands ?? node.inputs) needed.add(operand);
  }
  const emit = new Emitter();
  const names = new Map<GraphNode, string>();
  for (const node of graph.nodes) {
    if (node.operation === 'input') {
      names.set(node, `in_${node.attributes.name}`);
      continue;
    }
    if (!needed.has(node)) continue;
    const fusion = fusions.get(node);
    if (fusion !== undefined) {
      names.set(
        node,
        fusion.write(
          emit,
          fusion.operands.map((operand) => names.get(operand)!),
        ),
      );
      continue;
    }
    const inputs = node.inputs.map((operand) => names.get(operand)!) as unknown as readonly [string, string, string];
    // The table is exhaustive and keyed by the node's own operation; TypeScript cannot follow that correlation.
    const rule = (special[node.operation] ?? rules[node.operation]) as AnyRule;
    names.set(node, rule(emit, node, inputs));
  }
  // Identity, because one node may be several outputs, or an input.
  for (const [name, node] of Object.entries(graph.outputs)) {
    emit.nodes.push({ opType: 'Identity', inputs: [names.get(node)!], outputs: [`out_${name}`] });
  }
  return encodeModel({
    name: graph.name,
    nodes: isInPlace ? [...emit.nodes, sequenceNode] : emit.nodes,
    initializers: emit.initializers,
    inputs: graph.inputs.map((node) => ({ name: names.get(node)!, shape: node.shape })),
    outputs: [
      ...(isInPlace ? [SEQUENCE] : []),
      ...Object.entries(graph.outputs).map(([name, node]) => ({ name: `out_${name}`, shape: node.shape })),
    ],
    opsets: OPSETS,
  });
}
