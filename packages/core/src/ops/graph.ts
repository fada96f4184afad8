/**
 * The recorder: `Ops` whose tensors are nodes of a static graph. The same computation recorded twice is one node, and
 * nodes that no output needs are left out when the graph is read.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Program } from './engine.ts';
import type { Conv2dOptions, Ops, Shape, Window2d } from './ops.ts';
import { attributeKey } from './primitive.ts';
import type { AnyPrimitive, Primitive } from './primitive.ts';
import { primitiveMethods } from './primitives/index.ts';
import * as shapes from './shapes.ts';
import { sizeOf } from './shapes.ts';

type None = Readonly<Record<string, never>>;

/** Every operation that a graph may hold, with its attributes. Emitters map over it, so that a missing rule does not compile. */
export interface GraphAttributes {
  readonly input: { readonly name: string };
  readonly constant: { readonly values: Float64Array };
  readonly add: None;
  readonly sub: None;
  readonly mul: None;
  readonly div: None;
  readonly maximum: None;
  readonly minimum: None;
  readonly neg: None;
  readonly abs: None;
  readonly exp: None;
  readonly log: None;
  readonly sqrt: None;
  readonly tanh: None;
  readonly sigmoid: None;
  readonly relu: None;
  readonly softplus: None;
  readonly greater: None;
  readonly greaterEqual: None;
  readonly equal: None;
  readonly where: None;
  readonly sum: { readonly axes: readonly number[] };
  readonly max: { readonly axes: readonly number[] };
  readonly softmax: None;
  readonly matMul: { readonly transposeA: boolean; readonly transposeB: boolean };
  readonly reshape: None;
  readonly transpose: { readonly permutation: readonly number[] };
  readonly slice: { readonly begin: readonly number[] };
  readonly concat: { readonly axis: number };
  readonly pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly broadcastTo: None;
  readonly gather: None;
  readonly conv2d: { readonly options: Conv2dOptions };
  readonly conv2dInputGradient: { readonly options: Conv2dOptions };
  readonly patches: { readonly size: readonly [number, number]; readonly window: Window2d };
  /** An operation that brings its own rules, with its own attributes. */
  readonly apply: { readonly primitive: AnyPrimitive; readonly attributes: object };
}

/** The name of an operation. */
export type GraphOperation = keyof GraphAttributes;

/** A node: the operation, its operands and its result's shape. */
export type GraphNode = {
  readonly [K in GraphOperation]: {
    readonly operation: K;
    readonly inputs: readonly GraphNode[];
    readonly attributes: GraphAttributes[K];
    readonly shape: Shape;
    readonly id: number;
  };
}[GraphOperation];

/** A recorded program. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphNode[];
  readonly outputs: Readonly<Record<string, GraphNode>>;
  /** All nodes that the outputs need, operands before users. Program inputs are always among them. */
  readonly nodes: readonly GraphNode[];
}

/** Numbers of a constant that are compared with those of others. */
const MOST_COMPARED = 1000;

class Recorder {
  readonly #known = new Map<string, GraphNode>();
  /** Numbers of the primitives that were met: two of one name are not one. */
  readonly #primitives = new Map<AnyPrimitive, number>();
  #count = 0;

  record<K extends GraphOperation>(
    operation: K,
    inputs: readonly GraphNode[],
    attributes: GraphAttributes[K],
    shape: Shape,
  ): GraphNode {
    const described = this.#describe({ operation, attributes } as unknown as GraphNode);
    const key =
      described === undefined
        ? undefined
        : `${operation} ${inputs.map((node) => node.id).join(',')} ${described} ${shape.join('x')}`;
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const node = { operation, inputs, attributes, shape, id: this.#count++ } as unknown as GraphNode;
    if (key !== undefined) this.#known.set(key, node);
    return node;
  }

  /** Equal for equal attributes; undefined for large constants, which are not worth a long key. */
  #describe({ operation, attributes }: Pick<GraphNode, 'operation' | 'attributes'>): string | undefined {
    // The operation determines the attributes' type.
    if (operation === 'constant') {
      const { values } = attributes as GraphAttributes['constant'];
      return values.length > MOST_COMPARED ? undefined : Array.from(values, attributeKey).join();
    }
    if (operation !== 'apply') return attributeKey(attributes);
    const { primitive, attributes: own } = attributes as GraphAttributes['apply'];
    const number = this.#primitives.get(primitive) ?? this.#primitives.size;
    this.#primitives.set(primitive, number);
    return `${number} ${attributeKey(own)}`;
  }
}

const none: None = Object.freeze({});

function recorderOps(recorder: Recorder): Ops<GraphNode> {
  type T = GraphNode;
  const binary =
    (operation: 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum' | 'greater' | 'greaterEqual' | 'equal') => (a: T, b: T) =>
      recorder.record(operation, [a, b], none, shapes.broadcastShape(operation, a.shape, b.shape));
  const unary = (operation: 'neg' | 'abs' | 'exp' | 'log' | 'sqrt' | 'tanh' | 'sigmoid' | 'relu' | 'softplus') => (x: T) =>
    recorder.record(operation, [x], none, x.shape);
  const apply = <A extends object>(primitive: Primitive<A>, inputs: readonly T[], attributes: A): T => {
    const shape = primitive.shape(
      inputs.map((input) => input.shape),
      attributes,
    );
    return recorder.record('apply', inputs, { primitive, attributes }, shapes.checkShape(primitive.name, shape));
  };
  return {
    ...primitiveMethods<T>(apply),
    apply,
    shapeOf: (x) => x.shape,
    constant(values, shape) {
      shapes.checkShape('constant', shape);
      if (values.length !== sizeOf(shape))
        throw new SottoError('invalid-argument', `constant: ${values.length} values for shape [${shape.join(', ')}]`);
      return recorder.record('constant', [], { values: Float64Array.from(values) }, shape);
    },
    add: binary('add'),
    sub: binary('sub'),
    mul: binary('mul'),
    div: binary('div'),
    maximum: binary('maximum'),
    minimum: binary('minimum'),
    neg: unary('neg'),
    abs: unary('abs'),
    exp: unary('exp'),
    log: unary('log'),
    sqrt: unary('sqrt'),
    tanh: unary('tanh'),
    sigmoid: unary('sigmoid'),
    relu: unary('relu'),
    softplus: unary('softplus'),
    greater: binary('greater'),
    greaterEqual: binary('greaterEqual'),
    equal: binary('equal'),
    where(condition, a, b) {
      const shape = shapes.broadcastShape('where', condition.shape, shapes.broadcastShape('where', a.shape, b.shape));
      return recorder.record('where', [condition, a, b], none, shape);
    },
    sum: (x, axes) => recorder.record('sum', [x], { axes }, shapes.reducedShape('sum', x.shape, axes)),
    max: (x, axes) => recorder.record('max', [x], { axes }, shapes.reducedShape('max', x.shape, axes)),
    softmax: (x) => recorder.record('softmax', [x], none, shapes.lastAxisShape('softmax', x.shape)),
    matMul: (a, b, transposeA = false, transposeB = false) =>
      recorder.record('matMul', [a, b], { transposeA, transposeB }, shapes.matMulShape(a.shape, b.shape, transposeA, transposeB)),
    reshape: (x, shape) =>
      x.shape.join() === shape.join() ? x : recorder.record('reshape', [x], none, shapes.reshapeShape(x.shape, shape)),
    transpose(x, permutation) {
      const shape = shapes.transposeShape(x.shape, permutation);
      return permutation.every((axis, i) => axis === i) ? x : recorder.record('transpose', [x], { permutation }, shape);
    },
    slice: (x, begin, size) => recorder.record('slice', [x], { begin }, shapes.sliceShape(x.shape, begin, size)),
    concat(parts, axis) {
      const shape = shapes.concatShape(
        parts.map((part) => part.shape),
        axis,
      );
      return parts.length === 1 ? parts[0]! : recorder.record('concat', parts, { axis }, shape);
    },
    pad(x, before, after) {
      const shape = shapes.padShape(x.shape, before, after);
      return [...before, ...after].every((count) => count === 0) ? x : recorder.record('pad', [x], { before, after }, shape);
    },
    broadcastTo(x, shape) {
      shapes.broadcastToShape(x.shape, shape);
      return x.shape.join() === shape.join() ? x : recorder.record('broadcastTo', [x], none, shape);
    },
    gather: (table, ids) => recorder.record('gather', [table, ids], none, [...ids.shape, ...table.shape.slice(1)]),
    conv2d: (x, kernel, options) =>
      recorder.record('conv2d', [x, kernel], { options }, shapes.conv2dShape(x.shape, kernel.shape, options)),
    conv2dInputGradient(gradient, kernel, inputShape, options) {
      shapes.sameShape('conv2dInputGradient', gradient.shape, shapes.conv2dShape(inputShape, kernel.shape, options));
      return recorder.record('conv2dInputGradient', [gradient, kernel], { options }, inputShape);
    },
    patches: (x, size, window) => recorder.record('patches', [x], { size, window }, shapes.patchesShape(x.shape, size, window)),
  };
}

/** What a node computes, for messages. */
export function nameOf(node: GraphNode): string {
  return node.operation === 'apply' ? node.attributes.primitive.name : node.operation;
}

/** Records a program as a static graph. */
export function recordProgram(program: Program): Graph {
  const recorder = new Recorder();
  const inputs: Record<string, GraphNode> = {};
  for (const { name, shape } of program.inputs) {
    inputs[name] = recorder.record('input', [], { name }, shapes.checkShape(`input ${name}`, shape));
  }
  const outputs = program.build(recorderOps(recorder), inputs);
  const nodes: GraphNode[] = [];
  const seen = new Set<GraphNode>();
  const visit = (node: GraphNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    node.inputs.forEach(visit);
    nodes.push(node);
  };
  Object.values(inputs).forEach(visit);
  Object.values(outputs).forEach(visit);
  nodes.sort((a, b) => a.id - b.id);
  return { name: program.name, inputs: Object.values(inputs), outputs, nodes };
}
