/**
 * Maximum pooling and its gradient.
 *
 * ONNX Runtime's inference build has no MaxPoolGrad, and asking its MaxPool for indices makes it many times slower; so the gradient is written with other operators.
 *
 * @module
 */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { aligned, along } from '../batch-place.ts';
import type { Pool2dOptions, Shape, Window2d } from '../ops.ts';
import { definePrimitive } from '../primitive.ts';
import type { OnnxBuilder, PlaceRule, Primitive, PrimitiveCase, PrimitiveNode } from '../primitive.ts';
import { slide } from '../reference-images.ts';
import type { ReferenceTensor } from '../reference-loops.ts';
import { poolShape, sameShape, sizeOf } from '../shapes.ts';
import { cellOf, padImage, spread } from './tfjs-windows.ts';

/** Stands for −∞ in padding. */
const LOWEST = -3.4028234663852886e38;

const plain: Window2d = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
const windows: readonly { readonly name: string; readonly attributes: Pool2dOptions }[] = [
  { name: 'overlapping', attributes: { ...plain, size: [2, 2] } },
  { name: 'separate', attributes: { ...plain, strides: [2, 2], size: [2, 2] } },
  { name: 'strided and padded', attributes: { ...plain, strides: [2, 1], pads: [1, 0, 0, 1], size: [3, 2] } },
  { name: 'dilated and padded', attributes: { strides: [2, 1], pads: [1, 1, 0, 1], dilations: [2, 2], size: [2, 3] } },
  { name: 'with gaps', attributes: { ...plain, strides: [3, 3], size: [2, 2] } },
];
const IMAGES: Shape = [2, 3, 6, 6];

/** Images keep their axes; only those of the window mix. */
const place: PlaceRule<Pool2dOptions> = (node, places) => along([2, 3], aligned(node, places), 'slides a window');

/** The input position of each window's first maximum. */
function argMax(x: ReferenceTensor, out: Shape, options: Pool2dOptions): Int32Array {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const [oh, ow] = [out[2]!, out[3]!];
  const winners = new Int32Array(sizeOf(out)).fill(-1);
  for (let plane = 0; plane < n * c; plane++) {
    slide(height, width, oh, ow, options.size, options, (o, _, i) => {
      const at = plane * oh * ow + o;
      const candidate = plane * height * width + i;
      const winner = winners[at]!;
      if (winner < 0 || x.data[candidate]! > x.data[winner]!) winners[at] = candidate;
    });
  }
  return winners;
}

/** The cells of a window in row-major order. */
const cellsOf = ([height, width]: readonly [number, number]): (readonly [number, number])[] =>
  Array.from({ length: height * width }, (_, i) => [Math.floor(i / width), i % width] as const);

/** See {@link Ops.maxPool2d}. */
export const maxPool2d: Primitive<Pool2dOptions> = definePrimitive({
  name: 'maxPool2d',
  shape: ([x], options) => poolShape(x!, options),
  reference: ([x], options, shape) => Float64Array.from(argMax(x!, shape, options), (i) => x!.data[i] ?? -Infinity),
  onnx: (emit, [x], { attributes: { size, strides, pads, dilations } }) =>
    emit.op('MaxPool', [x!], {
      kernel_shape: { ints: size },
      strides: { ints: strides },
      pads: { ints: pads },
      dilations: { ints: dilations },
    }),
  tfjs(tfjs, [x], options, [, , oh, ow]) {
    const padded = padImage(tfjs, x!, options, -Infinity);
    return cellsOf(options.size)
      .map((cell) => cellOf(tfjs, padded, cell, [oh!, ow!], options))
      .reduce((a, b) => tfjs.maximum(a, b));
  },
  place,
  derivative: (ops, { inputs: [x], output, gradient, attributes }) => [ops.maxPool2dGradient(x!, output, gradient, attributes)],
  cases: [
    { shapes: [IMAGES], attributes: { ...plain, size: [3, 3] } },
    ...windows.map(({ name, attributes }) => ({ name, attributes, shapes: [IMAGES] })),
  ],
});

/** See {@link Ops.maxPool2dGradient}. */
export const maxPool2dGradient: Primitive<Pool2dOptions> = definePrimitive({
  name: 'maxPool2dGradient',
  shape([x, y, gradient], options) {
    sameShape('maxPool2dGradient', y!, poolShape(x!, options));
    sameShape('maxPool2dGradient', y!, gradient!);
    return x!;
  },
  reference([x, y, gradient], options) {
    const data = new Float64Array(x!.data.length);
    argMax(x!, y!.shape, options).forEach((winner, o) => {
      if (winner >= 0) data[winner]! += gradient!.data[o]!;
    });
    return data;
  },
  onnx(emit, inputs, node) {
    const { size, strides, dilations, pads } = node.attributes;
    const operands = inputs as readonly [string, string, string];
    const isFlat = [...size, ...strides, ...dilations].join() === '2,2,1,1,1,1' && pads.every((pad) => pad === 0);
    return isFlat ? emitFlat(emit, operands, node.shape) : emitByCell(emit, operands, node);
  },
  tfjs(tfjs, [x, y, gradient], options, [n, c, h, w]) {
    const [, , oh, ow] = y!.shape as [number, number, number, number];
    const [top, left, bottom, right] = options.pads;
    const [hp, wp] = [h! + top + bottom, w! + left + right];
    const padded = padImage(tfjs, x!, options, -Infinity);
    let free: Tensor = tfjs.onesLike(y!);
    let sum: Tensor = tfjs.zeros([n!, c!, hp, wp]);
    for (const cell of cellsOf(options.size)) {
      const isGreatest = tfjs.equal(cellOf(tfjs, padded, cell, [oh, ow], options), y!);
      const wins = tfjs.where(isGreatest, free, tfjs.zerosLike(free));
      free = tfjs.sub(free, wins);
      const share = spread(tfjs, tfjs.mul(wins, gradient!), options.strides) as Tensor4D;
      const [y0, x0] = [cell[0] * options.dilations[0], cell[1] * options.dilations[1]];
      const [, , sh, sw] = share.shape;
      const inPlace = tfjs.pad(share, [
        [0, 0],
        [0, 0],
        [y0, hp - y0 - sh],
        [x0, wp - x0 - sw],
      ]);
      sum = tfjs.add(sum, inPlace);
    }
    return tfjs.slice(sum, [0, 0, top, left], [n!, c!, h!, w!]);
  },
  place,
  derivative: 'none',
  cases: [
    gradientCase('of threes', { ...plain, size: [3, 3] }),
    ...windows.map(({ name, attributes }) => gradientCase(name, attributes)),
  ],
});

/** Of coarse values, so that ties occur: the first maximum takes the gradient. */
function gradientCase(name: string, attributes: Pool2dOptions): PrimitiveCase<Pool2dOptions> {
  return {
    name: `${name}, with ties`,
    shapes: [IMAGES, poolShape(IMAGES, attributes)],
    attributes,
    map: (x, i) => (i === 0 ? Math.round(x * 2) : x),
    operands: (ops, [x, gradient]) => [x!, ops.maxPool2d(x!, attributes), gradient!],
  };
}

/**
 * 2×2 windows of stride 1 as shifts of the flattened tensor: short inner axes make four-dimensional slices slow. Maxima of neighbours in
 * a row, then of neighbouring rows; ≥ gives ties to the first. Positions that wrap from one row or image to the next have zero gradient.
 */
function emitFlat(emit: OnnxBuilder, [x, , gradient]: readonly [string, string, string], shape: Shape): string {
  const [n, c, h, w] = shape as [number, number, number, number];
  const total = n * c * h * w;
  const cut = (t: string, begin: number, end: number): string =>
    emit.op('Slice', [t, emit.integers([begin]), emit.integers([end]), emit.integers([0])]);
  const padded = (t: string, before: number, after: number): string => emit.op('Pad', [t, emit.integers([before, after])]);
  const split = (g: string, first: string, second: string): [string, string] => {
    const toFirst = emit.op('Mul', [g, emit.asFloat(emit.op('GreaterOrEqual', [first, second]))]);
    return [toFirst, emit.op('Sub', [g, toFirst])];
  };
  const flat = emit.reshape(x, [total]);
  const [a, b] = [cut(flat, 0, total - 1), cut(flat, 1, total)];
  const rows = emit.op('Max', [a, b]);
  const [t, u] = [cut(rows, 0, total - 1 - w), cut(rows, w, total - 1)];
  const wide = emit.reshape(emit.op('Pad', [gradient, emit.integers([0, 0, 0, 0, 0, 0, 1, 1])]), [total]);
  const [top, bottom] = split(cut(wide, 0, total - 1 - w), t, u);
  const q = emit.op('Add', [padded(top, 0, w), padded(bottom, w, 0)]);
  const [left, right] = split(q, a, b);
  return emit.reshape(emit.op('Add', [padded(left, 0, 1), padded(right, 1, 0)]), shape);
}

/** Through the values of each window, position by position. Exact for every window. */
function emitByCell(
  emit: OnnxBuilder,
  [x, y, gradient]: readonly [string, string, string],
  { shape, inputShapes, attributes: options }: PrimitiveNode<Pool2dOptions>,
): string {
  const [n, c, h, w] = shape as [number, number, number, number];
  const [, , oh, ow] = inputShapes[1] as [number, number, number, number];
  const [padTop, padLeft, padBottom, padRight] = options.pads;
  const [hp, wp] = [h + padTop + padBottom, w + padLeft + padRight];
  const lowest = emit.scalar(LOWEST);
  const padded =
    hp === h && wp === w ? x : emit.op('Pad', [x, emit.integers([0, 0, padTop, padLeft, 0, 0, padBottom, padRight]), lowest]);
  let free: string | undefined; // 1 for windows whose maximum was not met yet
  const parts: string[] = [];
  for (let ky = 0; ky < options.size[0]; ky++) {
    for (let kx = 0; kx < options.size[1]; kx++) {
      const [y0, x0] = [ky * options.dilations[0], kx * options.dilations[1]];
      const [sy, sx] = options.strides;
      const [yEnd, xEnd] = [y0 + (oh - 1) * sy + 1, x0 + (ow - 1) * sx + 1];
      const at = emit.op('Slice', [
        padded,
        emit.integers([y0, x0]),
        emit.integers([yEnd, xEnd]),
        emit.integers([2, 3]),
        emit.integers([sy, sx]),
      ]);
      const equal = emit.asFloat(emit.op('Equal', [at, y]));
      const wins = free === undefined ? equal : emit.op('Mul', [equal, free]);
      const remaining: string = emit.op('Sub', [free ?? emit.scalar(1), wins]);
      free = remaining;
      let share = emit.op('Mul', [wins, gradient]);
      if (sy > 1 || sx > 1) {
        // Spread to the input's spacing: zeros after each element, then cut to the covered extent.
        const spaced = emit.op('Pad', [
          emit.reshape(share, [n * c * oh, 1, ow, 1]),
          emit.integers([0, 0, 0, 0, 0, sy - 1, 0, sx - 1]),
        ]);
        const flat = emit.reshape(spaced, [n, c, oh * sy, ow * sx]);
        share = emit.op('Slice', [flat, emit.integers([0, 0]), emit.integers([yEnd - y0, xEnd - x0]), emit.integers([2, 3])]);
      }
      parts.push(emit.op('Pad', [share, emit.integers([0, 0, y0, x0, 0, 0, hp - yEnd, wp - xEnd])]));
    }
  }
  // Not Sum, which the WebGPU provider lacks.
  const sum = parts.reduce((a, b) => emit.op('Add', [a, b]));
  if (hp === h && wp === w) return sum;
  return emit.op('Slice', [
    sum,
    emit.integers([padTop, padLeft]),
    emit.integers([padTop + h, padLeft + w]),
    emit.integers([2, 3]),
  ]);
}
