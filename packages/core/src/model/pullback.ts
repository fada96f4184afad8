/**
 * Reverse-mode differentiation of a function that is written against `Ops`: the function is run once on recording tensors, then its gradient is pulled back
 * through every operation. Losses are differentiated with it; layers have rules of their own, which are faster, and are tested against it.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { Conv2dOptions, Ops, Shape } from '../ops/ops.ts';
import type { Primitive } from '../ops/primitive.ts';
import { primitiveMethods } from '../ops/primitives/index.ts';
import { sizeOf } from '../ops/shapes.ts';
import { Tape, unbroadcast } from './tape.ts';
import type { Traced } from './tape.ts';

function unsupported(operation: string): never {
  throw new SottoError(
    'unsupported',
    `${operation} has no derivative here; write the loss with element-wise operations, sums and products`,
  );
}

/** The gradient of a convolution for its kernels `[Co, Ci/groups, Kh, Kw]`, summed over the examples. */
function kernelGradient<T>(ops: Ops<T>, x: T, g: T, kernel: Shape, options: Conv2dOptions): T {
  const [co, , kh, kw] = kernel as [number, number, number, number];
  const { groups } = options;
  const columns = ops.patches(x, [kh, kw], options);
  const [n, rows, positions] = ops.shapeOf(columns) as [number, number, number];
  const byGroup = (t: T, size: number): T => ops.reshape(t, [n, groups, size / groups, positions]);
  const products = ops.matMul(byGroup(g, co), byGroup(columns, rows), false, true);
  return ops.reshape(ops.sum(products, [0]), kernel);
}

function tracedOps<T>(ops: Ops<T>, tape: Tape<T>): Ops<Traced<T>> {
  type U = Traced<T>;
  const c = (value: number): T => ops.constant([value], []);
  const shape = (x: U): Shape => ops.shapeOf(x.value);
  const unary =
    (f: (x: T) => T, back: (g: T, x: T, y: T) => T) =>
    (x: U): U => {
      const y = f(x.value);
      return tape.result(y, [x], (g) => [back(g, x.value, y)]);
    };
  const binary =
    (f: (a: T, b: T) => T, backA: (g: T, a: T, b: T, y: T) => T, backB: (g: T, a: T, b: T, y: T) => T) =>
    (a: U, b: U): U => {
      const y = f(a.value, b.value);
      return tape.result(y, [a, b], (g) => [
        a.from && unbroadcast(ops, backA(g, a.value, b.value, y), shape(a)),
        b.from && unbroadcast(ops, backB(g, a.value, b.value, y), shape(b)),
      ]);
    };
  /** Piecewise constant: its derivative is zero. */
  const step =
    (f: (a: T, b: T) => T) =>
    (a: U, b: U): U =>
      tape.fixed(f(a.value, b.value));
  const softmaxBack = (g: T, y: T): T => {
    const last = ops.shapeOf(y).length - 1;
    return ops.mul(y, ops.sub(g, ops.sum(ops.mul(g, y), [last])));
  };
  const apply = <A extends object>(primitive: Primitive<A>, inputs: readonly U[], attributes: A): U => {
    const values = inputs.map((input) => input.value);
    const output = ops.apply(primitive, values, attributes);
    const { derivative } = primitive;
    if (derivative === 'zero') return tape.fixed(output);
    return tape.result(output, inputs, (gradient) => {
      if (derivative === 'none') return unsupported(primitive.name);
      const parts = derivative(ops, { inputs: values, output, gradient, attributes });
      return inputs.map((input, i) => {
        const part = parts[i];
        return input.from && part && unbroadcast(ops, part, shape(input));
      });
    });
  };
  return {
    ...primitiveMethods<U>(apply),
    apply,
    shapeOf: shape,
    constant: (values, size) => tape.fixed(ops.constant(values, size)),
    add: binary(
      (a, b) => ops.add(a, b),
      (g) => g,
      (g) => g,
    ),
    sub: binary(
      (a, b) => ops.sub(a, b),
      (g) => g,
      (g) => ops.neg(g),
    ),
    mul: binary(
      (a, b) => ops.mul(a, b),
      (g, _, b) => ops.mul(g, b),
      (g, a) => ops.mul(g, a),
    ),
    div: binary(
      (a, b) => ops.div(a, b),
      (g, _, b) => ops.div(g, b),
      (g, _, b, y) => ops.neg(ops.div(ops.mul(g, y), b)),
    ),
    // Of equal operands the first takes the gradient, as in tfjs.
    maximum: binary(
      (a, b) => ops.maximum(a, b),
      (g, a, b) => ops.mul(g, ops.greaterEqual(a, b)),
      (g, a, b) => ops.mul(g, ops.greater(b, a)),
    ),
    minimum: binary(
      (a, b) => ops.minimum(a, b),
      (g, a, b) => ops.mul(g, ops.greaterEqual(b, a)),
      (g, a, b) => ops.mul(g, ops.greater(a, b)),
    ),
    neg: unary(
      (x) => ops.neg(x),
      (g) => ops.neg(g),
    ),
    abs: unary(
      (x) => ops.abs(x),
      (g, x) => ops.mul(g, ops.sub(ops.greater(x, c(0)), ops.greater(c(0), x))),
    ),
    exp: unary(
      (x) => ops.exp(x),
      (g, _, y) => ops.mul(g, y),
    ),
    log: unary(
      (x) => ops.log(x),
      (g, x) => ops.div(g, x),
    ),
    sqrt: unary(
      (x) => ops.sqrt(x),
      (g, _, y) => ops.div(ops.mul(g, c(0.5)), y),
    ),
    tanh: unary(
      (x) => ops.tanh(x),
      (g, _, y) => ops.mul(g, ops.sub(c(1), ops.mul(y, y))),
    ),
    sigmoid: unary(
      (x) => ops.sigmoid(x),
      (g, _, y) => ops.mul(g, ops.mul(y, ops.sub(c(1), y))),
    ),
    relu: unary(
      (x) => ops.relu(x),
      (g, x) => ops.mul(g, ops.greater(x, c(0))),
    ),
    softplus: unary(
      (x) => ops.softplus(x),
      (g, x) => ops.mul(g, ops.sigmoid(x)),
    ),
    greater: step((a, b) => ops.greater(a, b)),
    greaterEqual: step((a, b) => ops.greaterEqual(a, b)),
    equal: step((a, b) => ops.equal(a, b)),
    where(condition, a, b) {
      const y = ops.where(condition.value, a.value, b.value);
      return tape.result(y, [a, b], (g) => [
        a.from && unbroadcast(ops, ops.where(condition.value, g, c(0)), shape(a)),
        b.from && unbroadcast(ops, ops.where(condition.value, c(0), g), shape(b)),
      ]);
    },
    sum: (x, axes) => tape.result(ops.sum(x.value, axes), [x], (g) => [ops.broadcastTo(g, shape(x))]),
    max(x, axes) {
      const y = ops.max(x.value, axes);
      // Equal maxima share the gradient. Were each to take all of it, as in tfjs, then where one value stands at two places its derivative would double.
      return tape.result(y, [x], (g) => {
        const hits = ops.equal(x.value, y);
        return [ops.mul(hits, ops.div(g, ops.sum(hits, axes)))];
      });
    },
    softmax: unary(
      (x) => ops.softmax(x),
      (g, _, y) => softmaxBack(g, y),
    ),
    matMul(a, b, transposeA = false, transposeB = false) {
      const y = ops.matMul(a.value, b.value, transposeA, transposeB);
      return tape.result(y, [a, b], (g) => [
        a.from &&
          unbroadcast(
            ops,
            transposeA ? ops.matMul(b.value, g, transposeB, true) : ops.matMul(g, b.value, false, !transposeB),
            shape(a),
          ),
        b.from &&
          unbroadcast(
            ops,
            transposeB ? ops.matMul(g, a.value, true, transposeA) : ops.matMul(a.value, g, !transposeA, false),
            shape(b),
          ),
      ]);
    },
    reshape: (x, to) => tape.result(ops.reshape(x.value, to), [x], (g) => [ops.reshape(g, shape(x))]),
    transpose: (x, permutation) =>
      tape.result(ops.transpose(x.value, permutation), [x], (g) => [
        ops.transpose(
          g,
          permutation.map((_, axis) => permutation.indexOf(axis)),
        ),
      ]),
    slice: (x, begin, size) =>
      tape.result(ops.slice(x.value, begin, size), [x], (g) => [
        ops.pad(
          g,
          begin,
          shape(x).map((total, axis) => total - begin[axis]! - size[axis]!),
        ),
      ]),
    concat: (parts, axis) =>
      tape.result(
        ops.concat(
          parts.map((part) => part.value),
          axis,
        ),
        parts,
        (g) => {
          let at = 0;
          return parts.map((part) => {
            const begin = shape(part).map((_, k) => (k === axis ? at : 0));
            at += shape(part)[axis]!;
            return ops.slice(g, begin, shape(part));
          });
        },
      ),
    pad: (x, before, after) => tape.result(ops.pad(x.value, before, after), [x], (g) => [ops.slice(g, before, shape(x))]),
    broadcastTo: (x, to) => tape.result(ops.broadcastTo(x.value, to), [x], (g) => [unbroadcast(ops, g, shape(x))]),
    gather: (table, ids) =>
      tape.result(ops.gather(table.value, ids.value), [table], (g) => {
        const [rows, ...rest] = shape(table) as [number, ...number[]];
        const count = sizeOf(shape(ids));
        const hot = ops.reshape(ops.oneHot(ids.value, rows), [count, rows]);
        const sums = ops.matMul(hot, ops.reshape(g, [count, sizeOf(rest)]), true);
        return [ops.reshape(sums, shape(table))];
      }),
    conv2d: (x, kernel, options) =>
      tape.result(ops.conv2d(x.value, kernel.value, options), [x, kernel], (g) => [
        x.from && ops.conv2dInputGradient(g, kernel.value, shape(x), options),
        kernel.from && kernelGradient(ops, x.value, g, shape(kernel), options),
      ]),
    conv2dInputGradient: (g, kernel, inputShape, options) => {
      if (g.from !== undefined || kernel.from !== undefined) unsupported('conv2dInputGradient');
      return tape.fixed(ops.conv2dInputGradient(g.value, kernel.value, inputShape, options));
    },
    patches: (x, size, window) =>
      x.from === undefined ? tape.fixed(ops.patches(x.value, size, window)) : unsupported('patches'),
  };
}

/** A value, and what pulls its gradient back to the inputs. */
export interface Pullback<T> {
  readonly value: T;
  /** Gradients of the inputs, given that of the value; undefined for inputs that the value does not depend on. */
  readonly pull: (gradient: T) => readonly (T | undefined)[];
}

/**
 * Runs a function and prepares its gradient.
 *
 * Comparisons, `oneHot`, ids and `roundAdd` count as constants. At kinks the gradient is that of tfjs, except for |x| at 0, which has 0, and for
 * equal maxima of {@link Ops.max}, which share it.
 *
 * @param constants Further arguments, after the inputs, that are not differentiated.
 * @throws SottoError `unsupported` for an operation whose derivative is not implemented.
 */
export function pullback<T>(
  ops: Ops<T>,
  inputs: readonly T[],
  constants: readonly T[],
  f: <U>(ops: Ops<U>, inputs: readonly U[], constants: readonly U[]) => U,
): Pullback<T> {
  const tape = new Tape(ops);
  const variables = inputs.map((input) => tape.variable(input));
  const output = f(
    tracedOps(ops, tape),
    variables,
    constants.map((constant) => tape.fixed(constant)),
  );
  return { value: output.value, pull: (gradient) => tape.gradients(output, gradient, variables) };
}
