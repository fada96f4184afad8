/**
 * The structural check that examples stay apart: follows the batch axis through every operation of a recorded program and refuses the first
 * that lets one example touch another, or that makes an example's numbers depend on its place. It reads shapes, operations and constants, never values, so that what passes it
 * holds for all data.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Program } from '../ops/engine.ts';
import { aligned, along, mixes, mustBeSame } from '../ops/batch-place.ts';
import type { BatchPlace, PlacedNode } from '../ops/batch-place.ts';
import { nameOf, recordProgram } from '../ops/graph.ts';
import type { GraphAttributes, GraphNode, GraphOperation } from '../ops/graph.ts';
import { placeOf } from '../ops/primitive.ts';
import { sizeOf } from '../ops/shapes.ts';
import { isSameForAll } from './same-for-all.ts';

type Rule<K extends GraphOperation> = (
  node: PlacedNode<GraphAttributes[K]>,
  places: readonly BatchPlace[],
  n: number,
) => BatchPlace;

const elementwise: Rule<GraphOperation> = aligned;

const rules: { readonly [K in GraphOperation]: Rule<K> } = {
  input: () => undefined,
  constant: () => undefined,
  add: elementwise,
  sub: elementwise,
  mul: elementwise,
  div: elementwise,
  maximum: elementwise,
  minimum: elementwise,
  neg: elementwise,
  abs: elementwise,
  exp: elementwise,
  log: elementwise,
  sqrt: elementwise,
  tanh: elementwise,
  sigmoid: elementwise,
  relu: elementwise,
  softplus: elementwise,
  greater: elementwise,
  greaterEqual: elementwise,
  equal: elementwise,
  where: elementwise,
  sum: ({ attributes: { axes } }, [place]) => along(axes, place, 'adds'),
  max: ({ attributes: { axes } }, [place]) => along(axes, place, 'takes the maximum'),
  softmax: ({ shape }, [place]) => along([shape.length - 1], place, 'normalises'),
  matMul(node, [a, b]) {
    const { shape, inputShapes, attributes } = node;
    const { transposeA, transposeB } = attributes;
    const [rank, rankA, rankB] = [shape.length, inputShapes[0]!.length, inputShapes[1]!.length];
    /** Where an operand's examples lie in the product: −1 for the axis that is summed over. */
    const inProduct = (place: BatchPlace, own: number, transposed: boolean, kept: 0 | 1): BatchPlace => {
      if (place === undefined || place.axis < own - 2) return place && { ...place, axis: place.axis + rank - own };
      const position = (place.axis - (own - 2)) ^ (transposed ? 1 : 0);
      if (position !== kept) mixes('its product sums along the batch axis');
      return { ...place, axis: rank - 2 + kept };
    };
    const left = inProduct(a, rankA, transposeA, 0);
    const right = inProduct(b, rankB, transposeB, 1);
    if (left !== undefined && right !== undefined && (left.axis !== right.axis || left.inner !== right.inner))
      mixes('its product pairs every example with every other');
    const found = left ?? right;
    if (found !== undefined && found.axis < rank - 2) {
      if (left === undefined) mustBeSame(node, 0, found.axis - (rank - rankA));
      if (right === undefined) mustBeSame(node, 1, found.axis - (rank - rankB));
    }
    return found;
  },
  reshape({ shape, inputShapes }, [place], n) {
    if (place === undefined) return undefined;
    const before = sizeOf(inputShapes[0]!.slice(0, place.axis));
    let product = 1;
    for (const [axis, size] of shape.entries()) {
      // The examples begin where as many elements lie before them, on an axis that holds all of them.
      if (product === before && size % n === 0) return { axis, inner: size / n };
      product *= size;
    }
    return mixes(`it folds the batch axis of [${inputShapes[0]!.join(', ')}] into [${shape.join(', ')}]`);
  },
  transpose: ({ attributes: { permutation } }, [place]) => place && { ...place, axis: permutation.indexOf(place.axis) },
  slice({ shape, inputShapes }, [place]) {
    if (place !== undefined && shape[place.axis] !== inputShapes[0]![place.axis]) mixes('it cuts the batch axis');
    return place;
  },
  concat: (node, places) => along([node.attributes.axis], aligned(node, places), 'joins'),
  pad({ attributes: { before, after } }, [place]) {
    if (place !== undefined && before[place.axis]! + after[place.axis]! > 0) mixes('it pads the batch axis');
    return place;
  },
  broadcastTo: elementwise,
  gather({ inputShapes }, [table, ids]) {
    if (table === undefined) return ids;
    // A row's own elements may be looked up with ids that depend on no example, but rows are examples here.
    if (table.axis === 0 || ids !== undefined) mixes('it looks rows up in other examples');
    return { ...table, axis: table.axis + inputShapes[1]!.length - 1 };
  },
  conv2d(node, [x, kernel], n) {
    const { attributes, shape } = node;
    const { options } = attributes;
    if (kernel === undefined && (x === undefined || x.axis === 0)) return x;
    // Examples as channel groups: each group's kernels see its own channels only.
    const channels = (x === undefined || x.axis === 1) && (kernel === undefined || kernel.axis === 0);
    if (!channels || options.groups % n !== 0) mixes('its convolution sums over examples');
    if (x === undefined) mustBeSame(node, 0, 1);
    if (kernel === undefined) mustBeSame(node, 1, 0);
    return { axis: 1, inner: shape[1]! / n };
  },
  conv2dInputGradient(node, [gradient, kernel], n) {
    const { attributes, shape } = node;
    const { options } = attributes;
    if (kernel === undefined && (gradient === undefined || gradient.axis === 0)) return gradient;
    const channels = (gradient === undefined || gradient.axis === 1) && (kernel === undefined || kernel.axis === 0);
    if (!channels || options.groups % n !== 0) mixes('its convolution sums over examples');
    if (gradient === undefined) mustBeSame(node, 0, 1);
    if (kernel === undefined) mustBeSame(node, 1, 0);
    return { axis: 1, inner: shape[1]! / n };
  },
  patches: (_, [place]) => along([1, 2, 3], place, 'slides a window'),
  apply: ({ attributes: { primitive, attributes }, ...node }, places, n) =>
    placeOf(primitive, { ...node, attributes }, places, n),
};

/** What {@link assertPerExample} needs to know about a program. */
export interface PerExampleOptions {
  /** n: the number of examples. A prime number finds more than one with divisors. */
  readonly batchSize: number;
  /** Inputs whose first axis, of size n, is the examples. All others are the same for every example. */
  readonly inputs: readonly string[];
  /** What is checked, for the message. */
  readonly what: string;
  /** What to do about it, for the message. */
  readonly cure: string;
}

/**
 * Checks that row i of every output depends on row i of the per-example inputs only.
 *
 * @throws SottoError `unsupported`, naming what is checked and the operation that mixes examples.
 */
export function assertPerExample(program: Program, { batchSize, inputs, what, cure }: PerExampleOptions): void {
  const graph = recordProgram(program);
  const perExample = new Set(inputs);
  const places = new Map<GraphNode, BatchPlace>();
  const fault = (operation: string, why: string): SottoError =>
    new SottoError('unsupported', `${what} mixes examples: ${operation}: ${why}; ${cure}`);
  for (const node of graph.nodes) {
    if (node.operation === 'input') {
      places.set(node, perExample.has(node.attributes.name) ? { axis: 0, inner: 1 } : undefined);
      continue;
    }
    try {
      const rule = rules[node.operation] as Rule<GraphOperation>;
      places.set(
        node,
        rule(
          {
            shape: node.shape,
            inputShapes: node.inputs.map((input) => input.shape),
            attributes: node.attributes,
            isSameForAll: (input, axis) => isSameForAll(node.inputs[input]!, axis, batchSize),
          },
          node.inputs.map((input) => places.get(input)),
          batchSize,
        ),
      );
    } catch (error) {
      throw fault(nameOf(node), SottoError.from(error).message);
    }
  }
  for (const [name, node] of Object.entries(graph.outputs)) {
    const place = places.get(node);
    if (place === undefined && node.shape[0] === batchSize && !isSameForAll(node, 0, batchSize))
      throw fault(name, 'it depends on no example and differs from place to place in the batch');
    if (place !== undefined && (place.axis !== 0 || place.inner !== 1))
      throw fault(name, `its examples are not along its first axis, of size ${batchSize}`);
  }
}
