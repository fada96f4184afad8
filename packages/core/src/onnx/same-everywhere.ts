/**
 * Forms of operations whose results are the same wherever a row stands. The CPU provider's kernels work on vectors of several numbers and do what is left over otherwise, with
 * other roundings; so the last rows of a tensor, or every row whose width is no multiple of a vector, would get other bits than their equals elsewhere. Privacy needs an
 * example's numbers to be a function of the example.
 *
 * @module
 */
import type { Shape } from '../ops/ops.ts';
import { sizeOf } from '../ops/shapes.ts';
import { emitProduct } from './emit.ts';
import type { Emitter, Node, ProductOperands } from './emit.ts';

/** A multiple of the numbers in a vector, on all processors. */
const VECTORS = 16;

/** A function of single numbers whose kernel computes what does not fill a vector otherwise: a tensor that does not is filled up with ones. */
export function inWholeVectors(emit: Emitter, opType: string, x: string, shape: Shape): string {
  const size = sizeOf(shape);
  const rest = size % VECTORS;
  if (rest === 0) return emit.op(opType, [x]);
  const flat = emit.op('Pad', [emit.reshape(x, [size]), emit.integers([0, VECTORS - rest]), emit.scalar(1)]);
  const zero = emit.integers([0]);
  const kept = emit.op('Slice', [emit.op(opType, [flat]), zero, emit.integers([size]), zero]);
  return emit.reshape(kept, shape);
}

/** Axes beside each other that are summed over, and those around them. */
interface Run {
  readonly before: number;
  readonly summed: number;
  readonly after: number;
}

/** The runs of axes that are summed over, the last one first, each for the shape that the ones before it leave. */
function runsOf(shape: Shape, axes: readonly number[]): Run[] {
  const sizes = [...shape];
  const runs: Run[] = [];
  for (let end = shape.length; end > 0; end--) {
    if (!axes.includes(end - 1)) continue;
    let begin = end - 1;
    while (axes.includes(begin - 1)) begin--;
    const summed = sizeOf(sizes.slice(begin, end));
    if (summed > 1) runs.push({ before: sizeOf(sizes.slice(0, begin)), summed, after: sizeOf(sizes.slice(end)) });
    sizes.fill(1, begin, end);
    end = begin + 1;
  }
  return runs;
}

/** Sums as products with ones. Not slower than `ReduceSum`, which reads each row from the next whole vector in memory on. */
export function emitSum(emit: Emitter, { inputs, attributes, shape }: Node<'sum'>, x: string): string {
  const runs = runsOf(inputs[0]!.shape, attributes.axes);
  const as = (t: string, from: Shape | undefined, to: Shape): string => (from?.join() === to.join() ? t : emit.reshape(t, to));
  const sum = runs.reduce((t, { before, summed, after }, i) => {
    const from = i === 0 ? inputs[0]!.shape : undefined;
    const ones = (of: Shape): string => emit.once(`ones ${of.join()}`, () => emit.floats(new Float32Array(summed).fill(1), of));
    if (after === 1) {
      const [aShape, bShape] = [
        [before, summed],
        // With a third axis, because the runtime rearranges constant matrices for wide products.
        [1, summed, 1],
      ];
      return emitSteadyProduct(emit, {
        a: as(t, from, aShape!),
        b: ones(bShape!),
        aShape: aShape!,
        bShape: bShape!,
        ...asTheyAre,
      });
    }
    const [aShape, bShape] = [
      [1, summed],
      [before, summed, after],
    ];
    return emitSteadyProduct(emit, {
      a: ones(aShape!),
      b: as(t, from, bShape!),
      aShape: aShape!,
      bShape: bShape!,
      ...asTheyAre,
    });
  }, x);
  return emit.reshape(sum, shape);
}

const asTheyAre = { transposeA: false, transposeB: false } as const;

/** The same elements of a vector as a row or as a column. */
const turned = (shape: Shape): Shape => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

/**
 * A matrix product. The kernels for the product of a matrix with a vector compute what fills no vector otherwise, so there a column is multiplied as a transposed row, and of a
 * row there are two: those go to the kernels for matrices.
 */
export function emitSteadyProduct(emit: Emitter, operands: ProductOperands): string {
  const { a, b, aShape, bShape, transposeA, transposeB } = operands;
  const width = bShape.at(transposeB ? -2 : -1)!;
  const isOneMatrix = !transposeA && bShape.slice(0, -2).every((size) => size === 1);
  const rows = isOneMatrix ? sizeOf(aShape.slice(0, -1)) : aShape.at(transposeA ? -1 : -2)!;
  if (width === 1 && !transposeB && rows % VECTORS !== 0) {
    const row = turned(bShape);
    return emitProduct(emit, { ...operands, b: emit.reshape(b, row), bShape: row, transposeB: true });
  }
  if (rows === 1 && width > 1 && width % VECTORS !== 0) {
    const axis = aShape.length - (transposeA ? 1 : 2);
    const twice = emit.op('Concat', [a, a], { axis: { int: axis } });
    const product = emitProduct(emit, { ...operands, a: twice, aShape: aShape.map((size, i) => (i === axis ? 2 : size)) });
    const [from, to, along] = [[0], [1], [-2]].map((values) => emit.integers(values)) as [string, string, string];
    return emit.op('Slice', [product, from, to, along]);
  }
  return emitProduct(emit, operands);
}
