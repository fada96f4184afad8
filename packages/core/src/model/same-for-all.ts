/**
 * Whether a value that depends on no example is the same for each of them. One that is not, such as a list of weights by row, would make an example's numbers depend on its
 * place in the batch: then one example more changes those of all that come after it.
 *
 * @module
 */
import type { GraphNode } from '../ops/graph.ts';
import { sizeOf } from '../ops/shapes.ts';

/**
 * Whether a value says the same for n examples along an axis of n·inner elements. Values that are computed from weights must have been repeated for that; what is not known to be the
 * same is taken to differ.
 */
export function isSameForAll(node: GraphNode, axis: number, n: number): boolean {
  const inner = node.shape[axis]! / n;
  return Number.isInteger(inner) && isRepeated(node, n, inner * sizeOf(node.shape.slice(axis + 1)));
}

/** Whether the elements in row-major order are blocks of n equal parts of the given length. */
function isRepeated(node: GraphNode, n: number, length: number): boolean {
  switch (node.operation) {
    case 'constant':
      return node.attributes.values.every(
        (value, i, all) => Math.floor(i / length) % n === 0 || Object.is(value, all[i - length]),
      );
    case 'reshape':
      // The order of the elements stays.
      return isRepeated(node.inputs[0]!, n, length);
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'maximum':
    case 'minimum':
    case 'neg':
    case 'abs':
    case 'exp':
    case 'log':
    case 'sqrt':
    case 'tanh':
    case 'sigmoid':
    case 'relu':
    case 'softplus':
    case 'greater':
    case 'greaterEqual':
    case 'equal':
    case 'where':
    case 'broadcastTo':
      return isRepeatedByOperands(node, n, length);
    case 'apply':
      return node.attributes.primitive.place === 'elementwise' && isRepeatedByOperands(node, n, length);
    default:
      return false;
  }
}

/** Each operand is broadcast along the axis of the examples, or repeated itself. */
function isRepeatedByOperands({ shape, inputs }: GraphNode, n: number, length: number): boolean {
  const axis = shape.findIndex((size, i) => {
    const after = sizeOf(shape.slice(i + 1));
    return length % after === 0 && size * after === n * length;
  });
  if (axis < 0) return false;
  return inputs.every((operand) => {
    const own = axis - (shape.length - operand.shape.length);
    return own < 0 || operand.shape[own] === 1 || isSameForAll(operand, own, n);
  });
}
