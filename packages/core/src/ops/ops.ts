/**
 * The tensor operations that everything numeric is written against, once.
 *
 * A value of `T` is an immutable tensor of real numbers with a static shape (row-major). There are no booleans and no
 * integers: comparisons give 1 or 0, ids are whole numbers. Shapes are checked when an operation is called, by
 * {@link ./shapes.ts}, so that all implementations refuse the same calls with the same words.
 *
 * Implementations differ in precision only: `reference` computes in float64, the others in float32, some without subnormal numbers, and with errors of the
 * order of 10⁻⁷ beside the largest value that a function takes (so not in each of its small values).
 *
 * NaN and infinities: what is said below holds everywhere. Beyond that, functions of a NaN are NaN on processors, but graphics processors may make a number of it
 * (a sigmoid or a relu of 0, say); so mask with {@link Ops.isFinite} what must not count.
 *
 * @module
 */

import type { Primitive } from './primitive.ts';

/** Sizes of the axes, outermost first. A scalar has the shape `[]`. */
export type Shape = readonly number[];

/** How a two-dimensional window slides: `[vertical, horizontal]` for strides and dilations, `[top, left, bottom, right]` for pads. */
export interface Window2d {
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
}

/** Options of {@link Ops.conv2d}. */
export interface Conv2dOptions extends Window2d {
  /** Channel groups; input and output channels are split into this many independent parts. */
  readonly groups: number;
}

/** Options of the pooling operations. */
export interface Pool2dOptions extends Window2d {
  readonly size: readonly [number, number];
}

/** The operations. Element-wise ones broadcast as NumPy does; `n` in shapes below stands for any size. */
export interface Ops<T> {
  /** The static shape of a tensor. */
  shapeOf(x: T): Shape;
  /** A constant. `values` has as many entries as the shape has elements, in row-major order. */
  constant(values: ArrayLike<number>, shape: Shape): T;

  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  /** a / b by IEEE rules: x/0 is ±∞, 0/0 is NaN. */
  div(a: T, b: T): T;
  /** The greater of the two. What a NaN operand gives is not specified; mask it first. */
  maximum(a: T, b: T): T;
  /** The lesser of the two. What a NaN operand gives is not specified; mask it first. */
  minimum(a: T, b: T): T;

  neg(x: T): T;
  abs(x: T): T;
  exp(x: T): T;
  /** The natural logarithm: NaN below 0; at 0 it is −∞, or on a graphics processor a number about −88. */
  log(x: T): T;
  /** The square root: NaN below 0. */
  sqrt(x: T): T;
  tanh(x: T): T;
  /** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
  erf(x: T): T;
  /** 1 / (1 + e^(−x)), without overflow. */
  sigmoid(x: T): T;
  /** max(x, 0). */
  relu(x: T): T;
  /** log(1 + eˣ), without overflow. */
  softplus(x: T): T;

  /** 1 where a > b, else 0; a NaN operand gives 0. */
  greater(a: T, b: T): T;
  /** 1 where a ≥ b, else 0; a NaN operand gives 0. */
  greaterEqual(a: T, b: T): T;
  /** 1 where a = b, else 0; a NaN operand gives 0. */
  equal(a: T, b: T): T;
  /** 1 where x is neither NaN nor infinite, else 0. */
  isFinite(x: T): T;
  /**
   * x rounded to the nearest whole number, plus a whole number. The sum is taken in integers, exactly, for magnitudes below 2³⁰; only then is it rounded
   * to the engine's precision, so that the result is a function of the exact sum and tells nothing else about x.
   */
  roundAdd(x: T, whole: T): T;
  /** `a` where the condition is not 0, else `b`. A NaN in the branch that is not taken has no effect. */
  where(condition: T, a: T, b: T): T;

  /** Sum over the axes, which keep size 1. */
  sum(x: T, axes: readonly number[]): T;
  /** Maximum over the axes, which keep size 1. What a NaN gives is not specified. */
  max(x: T, axes: readonly number[]): T;
  /** Softmax over the last axis. */
  softmax(x: T): T;
  /** Logarithm of the softmax over the last axis, without overflow. */
  logSoftmax(x: T): T;

  /** Matrix product over the last two axes; leading axes broadcast. `transposeA` and `transposeB` swap an operand's last two axes first. */
  matMul(a: T, b: T, transposeA?: boolean, transposeB?: boolean): T;

  /** The same elements in the same order under another shape of equal size. */
  reshape(x: T, shape: Shape): T;
  /** Axis i of the result is axis `permutation[i]` of `x`. */
  transpose(x: T, permutation: readonly number[]): T;
  /** `size[i]` elements of axis i from `begin[i]` on. */
  slice(x: T, begin: readonly number[], size: readonly number[]): T;
  /** Joins along an axis. */
  concat(parts: readonly T[], axis: number): T;
  /** Zeros before and after each axis. */
  pad(x: T, before: readonly number[], after: readonly number[]): T;
  /** Repeats axes of size 1 until the shape is reached. */
  broadcastTo(x: T, shape: Shape): T;
  /** Reverses the order along the axes. */
  reverse(x: T, axes: readonly number[]): T;

  /** Rows of a table `[rows, …rest]` by whole-numbered ids of any shape: `[…ids, …rest]`. Ids outside the table are an error or NaN rows; what a fraction gives is not specified. */
  gather(table: T, ids: T): T;
  /** Ids of shape s → s + [depth]: 1 at the id, else 0. Ids outside [0, depth) give zeros. */
  oneHot(ids: T, depth: number): T;

  /** Cross-correlation of x `[n, Ci, H, W]` with kernels `[Co, Ci/groups, Kh, Kw]` → `[n, Co, Oh, Ow]`. */
  conv2d(x: T, kernel: T, options: Conv2dOptions): T;
  /** The gradient of {@link conv2d} for its input of shape `[n, Ci, H, W]`, given that for its output. */
  conv2dInputGradient(gradient: T, kernel: T, inputShape: Shape, options: Conv2dOptions): T;
  /** Sliding windows of x `[n, C, H, W]` → `[n, C·Kh·Kw, Oh·Ow]`; channel-major, then kernel row, then kernel column. */
  patches(x: T, size: readonly [number, number], window: Window2d): T;
  /** Maximum over windows of x `[n, C, H, W]`; padding never wins. What a NaN in a window gives is not specified. */
  maxPool2d(x: T, options: Pool2dOptions): T;
  /** The gradient of {@link maxPool2d}: each window's gradient goes to its first maximum in row-major order. */
  maxPool2dGradient(x: T, y: T, gradient: T, options: Pool2dOptions): T;

  /** An operation that is none of these: see `definePrimitive`. */
  apply<A extends object>(primitive: Primitive<A>, inputs: readonly T[], attributes: A): T;
}
