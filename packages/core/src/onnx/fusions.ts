/**
 * Groups of recorded operations that the CPU provider has one kernel for.
 *
 * @module
 */
import type { GraphNode, GraphOperation } from '../ops/graph.ts';
import { cpuConv } from './emit-cpu.ts';
import { MICROSOFT } from './emit.ts';
import type { Emitter, Fuse, Fusion, Node } from './emit.ts';

const is = <K extends GraphOperation>(node: GraphNode | undefined, operation: K): node is Node<K> =>
  node?.operation === operation;

/** The operands of a commutative node, the one of the given kind first. */
function pick<K extends GraphOperation>(node: GraphNode, operation: K): [Node<K>, GraphNode] | undefined {
  const [a, b] = node.inputs;
  if (is(a, operation) && b !== undefined) return [a, b];
  if (is(b, operation) && a !== undefined) return [b, a];
  return undefined;
}

/** The value of a constant of one element. */
function scalarOf(node: GraphNode | undefined): number | undefined {
  return is(node, 'constant') && node.attributes.values.length === 1 ? node.attributes.values[0] : undefined;
}

/** conv2d + bias, with or without max(·, 0) after it. */
function convolution(block: number, node: GraphNode, isOnlyHere: (node: GraphNode) => boolean): Fusion | undefined {
  const relu = node.operation === 'relu';
  const sum = relu ? node.inputs[0] : node;
  if (!is(sum, 'add') || (relu && !isOnlyHere(sum))) return undefined;
  const [conv, bias] = pick(sum, 'conv2d') ?? [];
  if (conv === undefined || bias === undefined || !isOnlyHere(conv)) return undefined;
  const co = conv.shape[1]!;
  if (!is(bias, 'reshape') || bias.shape.join() !== `${co},1,1` || bias.inputs[0]!.shape.join() !== `${co}`) return undefined;
  const [x, kernel] = conv.inputs as readonly [GraphNode, GraphNode];
  const write = cpuConv(block);
  return {
    operands: [x, kernel, bias.inputs[0]!],
    write: (emit, [xName, kernelName, biasName]) =>
      write(
        emit,
        { x: xName!, kernel: kernelName!, xShape: x.shape, kernelShape: kernel.shape, bias: biasName!, relu },
        conv.attributes.options,
      ),
  };
}

/** matMul times a number: the kernel scales for nothing. */
function scaledProduct(node: GraphNode, isOnlyHere: (node: GraphNode) => boolean): Fusion | undefined {
  if (!is(node, 'mul')) return undefined;
  const [product, factor] = pick(node, 'matMul') ?? [];
  const alpha = scalarOf(factor);
  // A factor of 1 would choose the kernels for vectors: see `same-everywhere.ts`.
  if (product === undefined || alpha === undefined || alpha === 1 || !isOnlyHere(product)) return undefined;
  const { transposeA, transposeB } = product.attributes;
  return {
    operands: product.inputs,
    write: (emit, [a, b]) =>
      emit.op(
        'FusedMatMul',
        [a!, b!],
        { transA: { int: Number(transposeA) }, transB: { int: Number(transposeB) }, alpha: { float: alpha } },
        MICROSOFT,
      ),
  };
}

/** Zeros around a part of a tensor: padding by less than nothing cuts, in the same pass. */
function shift(node: GraphNode, isOnlyHere: (node: GraphNode) => boolean): Fusion | undefined {
  if (!is(node, 'pad')) return undefined;
  const [part] = node.inputs;
  if (!is(part, 'slice') || !isOnlyHere(part)) return undefined;
  const [whole] = part.inputs as readonly [GraphNode];
  const { before: zeros, after: zerosAfter } = node.attributes;
  const { begin } = part.attributes;
  const cutAfter = begin.map((start, axis) => whole.shape[axis]! - start - part.shape[axis]!);
  // What is cut off at a side where zeros are added is not what padding would leave.
  const isCut = begin.some((start, axis) => (start > 0 && zeros[axis]! > 0) || (cutAfter[axis]! > 0 && zerosAfter[axis]! > 0));
  if (isCut) return undefined;
  const before = zeros.map((count, axis) => count - begin[axis]!);
  const after = zerosAfter.map((count, axis) => count - cutAfter[axis]!);
  return { operands: [whole], write: (emit, [x]) => emit.op('Pad', [x!, emit.integers([...before, ...after])]) };
}

interface Normalisation {
  readonly x: GraphNode;
  readonly epsilon: number;
}

/** r = 1/√(mean((x − mean x)²) + ε) over the last axis. */
function inverseDeviation(node: GraphNode | undefined): Normalisation | undefined {
  if (!is(node, 'div') || scalarOf(node.inputs[0]) !== 1 || !is(node.inputs[1], 'sqrt')) return undefined;
  const sum = node.inputs[1].inputs[0]!;
  if (!is(sum, 'add')) return undefined;
  const epsilon = scalarOf(sum.inputs[1]);
  const shifted = squared(meanOf(sum.inputs[0]!));
  const x = shifted === undefined ? undefined : centred(shifted);
  return epsilon === undefined || x === undefined ? undefined : { x, epsilon };
}

/** What a mean over the last axis is of: sum(x) · 1/d. */
function meanOf(node: GraphNode): GraphNode | undefined {
  if (!is(node, 'mul')) return undefined;
  const [sum, factor] = pick(node, 'sum') ?? [];
  const x = sum?.inputs[0];
  if (sum === undefined || x === undefined) return undefined;
  const last = x.shape.length - 1;
  return sum.attributes.axes.join() === `${last}` && scalarOf(factor) === 1 / x.shape[last]! ? x : undefined;
}

const squared = (node: GraphNode | undefined): GraphNode | undefined =>
  is(node, 'mul') && node.inputs[0] === node.inputs[1] ? node.inputs[0] : undefined;

/** x of x − mean x. */
function centred(node: GraphNode): GraphNode | undefined {
  if (!is(node, 'sub')) return undefined;
  const [x, mean] = node.inputs;
  return meanOf(mean!) === x ? x : undefined;
}

/** Normalised rows, and their inverse deviations, by one kernel that gives both. */
function normalisation(node: GraphNode): Fusion | undefined {
  const here = inverseDeviation(node);
  if (here !== undefined) return { operands: [here.x], write: (emit, [x]) => writeNormalisation(emit, x!, here)[2]! };
  if (!is(node, 'mul')) return undefined;
  const [shifted, r] = node.inputs as readonly [GraphNode, GraphNode];
  const found = inverseDeviation(r);
  if (found === undefined || centred(shifted) !== found.x) return undefined;
  return { operands: [found.x], write: (emit, [x]) => writeNormalisation(emit, x!, found)[0]! };
}

/** Normalised x, mean and inverse deviation. */
function writeNormalisation(emit: Emitter, x: string, { x: node, epsilon }: Normalisation): readonly string[] {
  return emit.once(`normalise ${x} ${epsilon}`, () => {
    const width = node.shape.at(-1)!;
    const ones = emit.once(`ones ${width}`, () => emit.floats(new Float32Array(width).fill(1), [width]));
    return emit.many('LayerNormalization', [x, ones], 3, { axis: { int: -1 }, epsilon: { float: epsilon } });
  });
}

/**
 * The CPU provider's fusions.
 *
 * @param block As in `cpuRules`.
 */
export function cpuFusions(block: number): Fuse {
  return (node, isOnlyHere) =>
    convolution(block, node, isOnlyHere) ?? scaledProduct(node, isOnlyHere) ?? shift(node, isOnlyHere) ?? normalisation(node);
}
