/**
 * Shape rules of the operations, shared by all implementations.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Conv2dOptions, Pool2dOptions, Shape, Window2d } from './ops.ts';

function fail(operation: string, why: string): never {
  throw new SottoError('invalid-argument', `${operation}: ${why}`);
}

const text = (shape: Shape): string => `[${shape.join(', ')}]`;

/** The number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Checks the sizes of a shape: whole numbers of at least 1, for empty tensors have no use here. */
export function checkShape(operation: string, shape: Shape): Shape {
  for (const size of shape)
    if (!Number.isSafeInteger(size) || size < 1)
      fail(operation, `shape ${text(shape)} has a size that is not a whole number ≥ 1`);
  return shape;
}

/** The shape of an element-wise result. */
export function broadcastShape(operation: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) fail(operation, `shapes ${text(a)} and ${text(b)} do not broadcast`);
    out.push(Math.max(x, y));
  }
  return out;
}

/** Checks that axes are distinct axes of a shape. */
export function checkAxes(operation: string, shape: Shape, axes: readonly number[]): void {
  if (
    axes.length === 0 ||
    new Set(axes).size !== axes.length ||
    axes.some((axis) => !Number.isInteger(axis) || axis < 0 || axis >= shape.length)
  ) {
    fail(operation, `axes ${text(axes)} are not distinct axes of shape ${text(shape)}`);
  }
}

/** The shape of what works along the last axis, of which there must be one. */
export function lastAxisShape(operation: string, shape: Shape): Shape {
  if (shape.length === 0) fail(operation, 'it needs an axis; reshape the scalar to [1]');
  return shape;
}

/** The shape after a reduction that keeps its axes with size 1. */
export function reducedShape(operation: string, shape: Shape, axes: readonly number[]): Shape {
  checkAxes(operation, shape, axes);
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** The shape of a matrix product. */
export function matMulShape(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): Shape {
  if (a.length < 2 || b.length < 2) fail('matMul', `operands ${text(a)} and ${text(b)} need two axes each`);
  const [rows, inner] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [innerB, columns] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (inner !== innerB) fail('matMul', `inner sizes ${inner} and ${innerB} of ${text(a)} and ${text(b)} differ`);
  return [...broadcastShape('matMul', a.slice(0, -2), b.slice(0, -2)), rows, columns];
}

/** Checks that a reshape keeps the number of elements. */
export function reshapeShape(from: Shape, to: Shape): Shape {
  checkShape('reshape', to);
  if (sizeOf(from) !== sizeOf(to)) fail('reshape', `${text(from)} and ${text(to)} have different numbers of elements`);
  return to;
}

/** The shape of a transpose. */
export function transposeShape(shape: Shape, permutation: readonly number[]): Shape {
  if (permutation.length !== shape.length)
    fail('transpose', `permutation ${text(permutation)} does not fit shape ${text(shape)}`);
  if (shape.length > 0) checkAxes('transpose', shape, permutation);
  return permutation.map((axis) => shape[axis]!);
}

/** The shape of a slice. */
export function sliceShape(shape: Shape, begin: readonly number[], size: readonly number[]): Shape {
  if (begin.length !== shape.length || size.length !== shape.length)
    fail('slice', `begin ${text(begin)} and size ${text(size)} do not fit ${text(shape)}`);
  for (let i = 0; i < shape.length; i++) {
    if (begin[i]! < 0 || begin[i]! + size[i]! > shape[i]!)
      fail('slice', `begin ${text(begin)} and size ${text(size)} leave ${text(shape)}`);
  }
  return checkShape('slice', size);
}

/** The shape of a concatenation. */
export function concatShape(shapes: readonly Shape[], axis: number): Shape {
  const first = shapes[0];
  if (first === undefined) return fail('concat', 'there is nothing to join');
  checkAxes('concat', first, [axis]);
  for (const shape of shapes) {
    if (shape.length !== first.length || shape.some((size, i) => i !== axis && size !== first[i])) {
      fail('concat', `shapes ${text(first)} and ${text(shape)} differ off axis ${axis}`);
    }
  }
  return first.map((size, i) => (i === axis ? shapes.reduce((sum, shape) => sum + shape[axis]!, 0) : size));
}

/** The shape after zero padding. */
export function padShape(shape: Shape, before: readonly number[], after: readonly number[]): Shape {
  if (before.length !== shape.length || after.length !== shape.length || [...before, ...after].some((count) => count < 0)) {
    fail('pad', `pads ${text(before)} and ${text(after)} do not fit ${text(shape)}`);
  }
  return shape.map((size, i) => before[i]! + size + after[i]!);
}

/** Checks that a shape broadcasts to another. */
export function broadcastToShape(from: Shape, to: Shape): Shape {
  const shape = broadcastShape('broadcastTo', from, to);
  if (text(shape) !== text(to)) fail('broadcastTo', `${text(from)} does not broadcast to ${text(to)}`);
  return to;
}

/** The positions of a window along one axis. */
export function windowCount(
  operation: string,
  size: number,
  window: number,
  stride: number,
  padding: number,
  dilation: number,
): number {
  const count = Math.floor((size + padding - ((window - 1) * dilation + 1)) / stride) + 1;
  if (count < 1) fail(operation, `a window of ${window} (dilation ${dilation}) does not fit ${size} with padding ${padding}`);
  return count;
}

/** Height and width of the output of a sliding window over an image of shape `[n, C, H, W]`. */
export function windowShape(
  operation: string,
  image: Shape,
  size: readonly [number, number],
  window: Window2d,
): [number, number] {
  if (image.length !== 4) fail(operation, `${text(image)} is not an image batch [n, channels, height, width]`);
  const [top, left, bottom, right] = window.pads;
  return [
    windowCount(operation, image[2]!, size[0], window.strides[0], top + bottom, window.dilations[0]),
    windowCount(operation, image[3]!, size[1], window.strides[1], left + right, window.dilations[1]),
  ];
}

/** The shape of a convolution. */
export function conv2dShape(x: Shape, kernel: Shape, options: Conv2dOptions): Shape {
  if (kernel.length !== 4 || x.length !== 4) fail('conv2d', `${text(x)} and ${text(kernel)} are not an image batch and a kernel`);
  const { groups } = options;
  if (kernel[1]! * groups !== x[1]! || kernel[0]! % groups !== 0) {
    fail('conv2d', `kernel ${text(kernel)} in ${groups} groups does not fit ${x[1]} channels`);
  }
  return [x[0]!, kernel[0]!, ...windowShape('conv2d', x, [kernel[2]!, kernel[3]!], options)];
}

/** The shape of {@link Ops.patches}. */
export function patchesShape(x: Shape, size: readonly [number, number], window: Window2d): Shape {
  const [height, width] = windowShape('patches', x, size, window);
  return [x[0]!, x[1]! * size[0] * size[1], height * width];
}

/** The shape of a pooling. */
export function poolShape(x: Shape, options: Pool2dOptions): Shape {
  return [x[0]!, x[1]!, ...windowShape('maxPool2d', x, options.size, options)];
}

/** Checks that two shapes are equal. */
export function sameShape(operation: string, a: Shape, b: Shape): void {
  if (text(a) !== text(b)) fail(operation, `shapes ${text(a)} and ${text(b)} differ`);
}
