/**
 * The loops that reference implementations are made of: over broadcast operands, over strided views, over rows.
 *
 * @module
 */
import type { Shape } from './ops.ts';
import { sizeOf } from './shapes.ts';

/** A tensor of the reference implementation. */
export interface ReferenceTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Steps in the flat data along each axis of a shape. */
export const denseStrides = (shape: Shape): number[] => shape.map((_, i) => sizeOf(shape.slice(i + 1)));

/** Steps in the flat data for each axis of `shape` when it is read as `target`; 0 along broadcast axes. */
export function stridesFor(shape: Shape, target: Shape): number[] {
  const strides: number[] = Array.from({ length: target.length }, () => 0);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[target.length - shape.length + i] = shape[i] === 1 ? 0 : step;
    step *= shape[i]!;
  }
  return strides;
}

/** Calls `visit(o, offsets)` for each element of `shape` in row-major order; offsets follow the given strides. */
export function walk(
  shape: Shape,
  strides: readonly (readonly number[])[],
  visit: (o: number, offsets: readonly number[]) => void,
): void {
  const total = sizeOf(shape);
  const index = shape.map(() => 0);
  const offsets = strides.map(() => 0);
  for (let o = 0; o < total; o++) {
    visit(o, offsets);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      const wraps = index[axis] === shape[axis];
      for (let s = 0; s < strides.length; s++)
        offsets[s]! += wraps ? -strides[s]![axis]! * (shape[axis]! - 1) : strides[s]![axis]!;
      if (!wraps) break;
      index[axis] = 0;
    }
  }
}

/** Reads an element of the result at `offset` plus its indices times `strides` in the data of x. */
export function readStrided(x: ReferenceTensor, shape: Shape, offset: number, strides: readonly number[]): Float64Array {
  const data = new Float64Array(sizeOf(shape));
  walk(shape, [strides], (o, at) => {
    data[o] = x.data[offset + at[0]!]!;
  });
  return data;
}

/** Two operands element by element, broadcast to a shape. */
export function zip(a: ReferenceTensor, b: ReferenceTensor, shape: Shape, f: (a: number, b: number) => number): Float64Array {
  const data = new Float64Array(sizeOf(shape));
  walk(shape, [stridesFor(a.shape, shape), stridesFor(b.shape, shape)], (o, at) => {
    data[o] = f(a.data[at[0]!]!, b.data[at[1]!]!);
  });
  return data;
}

/** A copy of the data, changed in place by a function of each row along the last axis. */
export function byRow(x: ReferenceTensor, f: (row: Float64Array) => void): Float64Array {
  const width = x.shape.at(-1) ?? 1;
  const data = x.data.slice();
  for (let begin = 0; begin < data.length; begin += width) f(data.subarray(begin, begin + width));
  return data;
}
