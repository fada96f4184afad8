/**
 * `Ops` on TensorFlow.js tensors, eagerly, on whatever backend the host program has set.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { SottoError } from '../errors.ts';
import type { Conv2dOptions, Ops, Shape, Window2d } from '../ops/ops.ts';
import type { Primitive } from '../ops/primitive.ts';
import { primitiveMethods } from '../ops/primitives/index.ts';
import { cellOf, padImage, spread } from '../ops/primitives/tfjs-windows.ts';
import * as shapes from '../ops/shapes.ts';

const NHWC = [0, 2, 3, 1];
const NCHW = [0, 3, 1, 2];

/**
 * Booleans or integers as floats. WebGPU's cast to a wider type is a mere relabelling, which its transpose does not compile with; adding zero makes a float of it.
 */
function asFloat(x: Tensor): Tensor {
  const cast = tf.cast(x, 'float32');
  return tf.getBackend() === 'webgpu' ? tf.add(cast, 0) : cast;
}

/** One group's convolution, for a padded input. tfjs backends take channels last. */
function convolve(x: Tensor, kernel: Tensor, { strides, dilations }: Conv2dOptions): Tensor {
  const filter = tf.transpose(kernel, [2, 3, 1, 0]) as Tensor4D;
  const image = tf.transpose(x, NHWC) as Tensor4D;
  const [sy, sx] = strides;
  if (Math.max(...dilations) === 1 || Math.max(sy, sx) === 1)
    return tf.transpose(tf.conv2d(image, filter, [sy, sx], 'valid', 'NHWC', [...dilations]), NCHW);
  // tfjs refuses strides and dilations at once: every position, of which some are kept.
  const all = tf.conv2d(image, filter, 1, 'valid', 'NHWC', [...dilations]);
  return tf.transpose(tf.stridedSlice(all, [0, 0, 0, 0], all.shape, [1, sy, sx, 1]), NCHW);
}

/**
 * Element by element. Beyond four axes, operands of other shapes are repeated and all is done on vectors: WebGPU's shader for a vector beside five axes does not compile, its
 * choice has four axes at most, and TensorFlow's broadcasting stops at six.
 */
function elementwise(f: (...operands: Tensor[]) => Tensor, ...operands: Tensor[]): Tensor {
  if (operands.every((x) => x.rank <= 4)) return f(...operands);
  const shape = operands.map((x) => x.shape).reduce((a, b) => [...shapes.broadcastShape('broadcast', a, b)]);
  const same = operands.map((x) => {
    if (x.size === 1) return tf.reshape(x, []);
    return tf.reshape(x.shape.join() === shape.join() ? x : tf.broadcastTo(x, shape), [-1]);
  });
  return tf.reshape(f(...same), shape);
}

const pairwise = (f: (a: Tensor, b: Tensor) => Tensor, a: Tensor, b: Tensor): Tensor => elementwise((x, y) => f(x!, y!), a, b);

/**
 * An operand of a matrix product whose batch axes are `batch`. Kernels broadcast one matrix to all of a batch, but give garbage or nothing where both operands have some of
 * the batch's axes only; then what is missing is repeated.
 */
function batched(x: Tensor, batch: Shape): Tensor {
  const own = [...Array.from({ length: batch.length + 2 - x.rank }, () => 1), ...x.shape];
  const lifted = x.rank === own.length ? x : tf.reshape(x, own);
  const count = shapes.sizeOf(own.slice(0, -2));
  return count === 1 || count === shapes.sizeOf(batch) ? lifted : tf.broadcastTo(lifted, [...batch, ...own.slice(-2)]);
}

/**
 * Zeros before and after axes, in kernels of at most four axes, because WebGPU's pad kernel has no more: axes without padding join their neighbours, and what
 * is left over is joined with zeros axis by axis.
 */
function padZeros(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  if (x.rank <= 4) return tf.pad(x, pairs(before, after));
  const sizes: number[] = [];
  const pads: [number, number][] = [];
  x.shape.forEach((size, axis) => {
    const pair: [number, number] = [before[axis]!, after[axis]!];
    const plain = pair[0] + pair[1] === 0;
    const last = pads.at(-1);
    if (plain && last !== undefined && last[0] + last[1] === 0) sizes[sizes.length - 1]! *= size;
    else {
      sizes.push(size);
      pads.push(pair);
    }
  });
  const shape = x.shape.map((size, axis) => before[axis]! + size + after[axis]!);
  const joined = tf.reshape(x, sizes);
  if (sizes.length <= 4) return tf.reshape(tf.pad(joined, pads), shape);
  const whole = pads.reduce((y, pair, axis) => {
    const zeros = (count: number): Tensor[] =>
      count === 0 ? [] : [tf.zeros(y.shape.map((size, i) => (i === axis ? count : size)))];
    return tf.concat([...zeros(pair[0]), y, ...zeros(pair[1])], axis);
  }, joined);
  return tf.reshape(whole, shape);
}

const pairs = (before: readonly number[], after: readonly number[]): [number, number][] =>
  before.map((count, i) => [count, after[i]!]);

/** Zeros after the last two axes up to a size, or a cut where they are longer. */
function fit(x: Tensor, height: number, width: number, top: number, left: number): Tensor {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const padded = tf.pad(x, [
    [0, 0],
    [0, 0],
    [0, Math.max(0, height + top - h)],
    [0, Math.max(0, width + left - w)],
  ]);
  return tf.slice(padded, [0, 0, top, left], [n, c, height, width]);
}

function groupsOf(x: Tensor, axis: number, groups: number): Tensor[] {
  return groups === 1 ? [x] : tf.split(x, groups, axis);
}

/** A primitive by its own kernels. */
function apply<A extends object>(primitive: Primitive<A>, inputs: readonly Tensor[], attributes: A): Tensor {
  const shape = shapes.checkShape(
    primitive.name,
    primitive.shape(
      inputs.map((input) => input.shape),
      attributes,
    ),
  );
  const y = primitive.tfjs(tf, inputs, attributes, shape);
  return y.dtype === 'float32' ? y : asFloat(y);
}

/** The operations on tfjs tensors. Call inside `tf.tidy`, which frees what the operations leave behind. */
export const tfjsOps: Ops<Tensor> = Object.freeze({
  ...primitiveMethods<Tensor>(apply),
  apply,
  shapeOf: (x: Tensor) => x.shape,
  constant(values: ArrayLike<number>, shape: Shape): Tensor {
    shapes.checkShape('constant', shape);
    if (values.length !== shapes.sizeOf(shape)) {
      throw new SottoError('invalid-argument', `constant: ${values.length} values for shape [${shape.join(', ')}]`);
    }
    return tf.tensor(Float32Array.from(values), [...shape], 'float32');
  },
  add: (a: Tensor, b: Tensor) => pairwise(tf.add, a, b),
  sub: (a: Tensor, b: Tensor) => pairwise(tf.sub, a, b),
  mul: (a: Tensor, b: Tensor) => pairwise(tf.mul, a, b),
  div: (a: Tensor, b: Tensor) => pairwise(tf.div, a, b),
  maximum: (a: Tensor, b: Tensor) => pairwise(tf.maximum, a, b),
  minimum: (a: Tensor, b: Tensor) => pairwise(tf.minimum, a, b),
  neg: (x: Tensor) => tf.neg(x),
  abs: (x: Tensor) => tf.abs(x),
  exp: (x: Tensor) => tf.exp(x),
  log: (x: Tensor) => tf.log(x),
  sqrt: (x: Tensor) => tf.sqrt(x),
  tanh: (x: Tensor) => tf.tanh(x),
  sigmoid: (x: Tensor) => tf.sigmoid(x),
  relu: (x: Tensor) => tf.relu(x),
  softplus: (x: Tensor) => tf.softplus(x),
  greater: (a: Tensor, b: Tensor) => asFloat(pairwise(tf.greater, a, b)),
  greaterEqual: (a: Tensor, b: Tensor) => asFloat(pairwise(tf.greaterEqual, a, b)),
  equal: (a: Tensor, b: Tensor) => asFloat(pairwise(tf.equal, a, b)),
  where: (condition: Tensor, a: Tensor, b: Tensor) =>
    elementwise((c, x, y) => tf.where(tf.notEqual(c!, 0), x!, y!), condition, a, b),
  sum(x: Tensor, axes: readonly number[]): Tensor {
    shapes.reducedShape('sum', x.shape, axes);
    return tf.sum(x, [...axes], true);
  },
  max(x: Tensor, axes: readonly number[]): Tensor {
    shapes.reducedShape('max', x.shape, axes);
    return tf.max(x, [...axes], true);
  },
  softmax(x: Tensor): Tensor {
    shapes.lastAxisShape('softmax', x.shape);
    return tf.softmax(x);
  },
  matMul(a: Tensor, b: Tensor, transposeA: boolean = false, transposeB: boolean = false): Tensor {
    const shape = shapes.matMulShape(a.shape, b.shape, transposeA, transposeB);
    const batch = shape.slice(0, -2);
    return tf.matMul(batched(a, batch), batched(b, batch), transposeA, transposeB);
  },
  reshape: (x: Tensor, shape: Shape) => tf.reshape(x, [...shapes.reshapeShape(x.shape, shape)]),
  transpose(x: Tensor, permutation: readonly number[]): Tensor {
    shapes.transposeShape(x.shape, permutation);
    return tf.transpose(x, [...permutation]);
  },
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
    shapes.sliceShape(x.shape, begin, size);
    return tf.slice(x, [...begin], [...size]);
  },
  concat(parts: readonly Tensor[], axis: number): Tensor {
    shapes.concatShape(
      parts.map((part) => part.shape),
      axis,
    );
    return tf.concat([...parts], axis);
  },
  pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
    shapes.padShape(x.shape, before, after);
    return padZeros(x, before, after);
  },
  broadcastTo: (x: Tensor, shape: Shape) => tf.broadcastTo(x, [...shapes.broadcastToShape(x.shape, shape)]),
  gather: (table: Tensor, ids: Tensor) => tf.gather(table, tf.cast(ids, 'int32')),
  conv2d(x: Tensor, kernel: Tensor, options: Conv2dOptions): Tensor {
    shapes.conv2dShape(x.shape, kernel.shape, options);
    const kernels = groupsOf(kernel, 0, options.groups);
    return tf.concat(
      groupsOf(padImage(tf, x, options), 1, options.groups).map((part, g) => convolve(part, kernels[g]!, options)),
      1,
    );
  },
  conv2dInputGradient(gradient: Tensor, kernel: Tensor, inputShape: Shape, options: Conv2dOptions): Tensor {
    shapes.sameShape('conv2dInputGradient', gradient.shape, shapes.conv2dShape(inputShape, kernel.shape, options));
    const [, , kh, kw] = kernel.shape as [number, number, number, number];
    const [top, left] = options.pads;
    const reach = [(kh - 1) * options.dilations[0], (kw - 1) * options.dilations[1]] as const;
    // The transposed convolution as a convolution: spread the gradient by the strides, surround it, turn the kernel around.
    const spaced = padImage(tf, spread(tf, gradient, options.strides), {
      ...options,
      pads: [reach[0], reach[1], reach[0], reach[1]],
    });
    const kernels = groupsOf(kernel, 0, options.groups);
    const parts = groupsOf(spaced, 1, options.groups).map((part, g) => {
      const turned = tf.transpose(tf.reverse(kernels[g]!, [2, 3]), [1, 0, 2, 3]);
      return convolve(part, turned, { ...options, strides: [1, 1] });
    });
    return fit(tf.concat(parts, 1), inputShape[2]!, inputShape[3]!, top, left);
  },
  patches(x: Tensor, size: readonly [number, number], window: Window2d): Tensor {
    const shape = shapes.patchesShape(x.shape, size, window);
    const [oh, ow] = shapes.windowShape('patches', x.shape, size, window);
    const padded = padImage(tf, x, window);
    const cells: Tensor[] = [];
    for (let ky = 0; ky < size[0]; ky++)
      for (let kx = 0; kx < size[1]; kx++) cells.push(cellOf(tf, padded, [ky, kx], [oh, ow], window));
    return tf.reshape(tf.stack(cells, 2), [...shape]);
  },
} satisfies Ops<Tensor>);
