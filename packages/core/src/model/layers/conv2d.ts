/**
 * Conv2D and Conv1D: y = x ⋆ W + b.
 *
 * @module
 */
import type { Conv2dOptions, Ops, Shape, Window2d } from '../../ops/ops.ts';
import { choice, flag, integers, positiveInteger, refuse, refuseWeightTerms } from '../config.ts';
import type { Forward, GradientRecord, LayerKind } from '../types.ts';
import { readWindow, requireChannelsLast, requireImage, samePadding, slide } from './windows.ts';

/** Σ over the positions of g `[n, C, H, W]` for each example and channel. */
export function channelSums<T>(ops: Ops<T>, g: T): T {
  const [n, c, h, w] = ops.shapeOf(g) as [number, number, number, number];
  return ops.reshape(ops.sum(ops.reshape(g, [n, c, h * w]), [2]), [n, c]);
}

/** Rows `[m, Ci·Kh·Kw·Co]`, channel-major, in the order of a tfjs kernel, which has the channels after the window. */
const windowFirst =
  (ci: number, cells: number, co: number) =>
  <T>(ops: Ops<T>, rows: T): T => {
    const m = ops.shapeOf(rows)[0]!;
    return ops.reshape(ops.transpose(ops.reshape(rows, [m, ci, cells, co]), [0, 2, 1, 3]), [m, cells * ci * co]);
  };

/**
 * The per-example kernel gradients of a convolution of one channel as one grouped convolution of the images with their own output gradients,
 * without columns; undefined where windows leave a rest at the end.
 */
function oneChannelGradient<T>(
  ops: Ops<T>,
  x: T,
  g: T,
  [kh, kw]: readonly [number, number],
  window: Window2d,
): GradientRecord<T> | undefined {
  const [n, , h, w] = ops.shapeOf(x) as [number, number, number, number];
  const [, co, oh, ow] = ops.shapeOf(g) as [number, number, number, number];
  const [top, left] = window.pads;
  const bottom = (kh - 1) * window.dilations[0] + (oh - 1) * window.strides[0] + 1 - h - top;
  const right = (kw - 1) * window.dilations[1] + (ow - 1) * window.strides[1] + 1 - w - left;
  if (bottom < 0 || right < 0) return undefined;
  const options: Conv2dOptions = {
    strides: window.dilations,
    dilations: window.strides,
    pads: [top, left, bottom, right],
    groups: n,
  };
  const gradients = ops.conv2d(ops.reshape(x, [1, n, h, w]), ops.reshape(g, [n * co, 1, oh, ow]), options);
  return {
    kind: 'direct',
    g: ops.reshape(gradients, [n, co * kh * kw]),
    finishRows(o, rows) {
      const m = o.shapeOf(rows)[0]!;
      return o.reshape(o.transpose(o.reshape(rows, [m, co, kh * kw]), [0, 2, 1]), [m, kh * kw * co]);
    },
  };
}

/**
 * The per-example kernel gradients of a convolution of stride 1 as products of images that are shifted along their rows only with output gradients that are shifted along
 * their columns only: kh·Co and kw·Ci channels instead of kh·kw·Ci. Undefined where that is not less to write and read, or much more to multiply.
 */
function shiftedGradient<T>(
  ops: Ops<T>,
  x: T,
  g: T,
  [kh, kw]: readonly [number, number],
  { strides, pads, dilations }: Window2d,
): GradientRecord<T> | undefined {
  const [n, ci, h] = ops.shapeOf(x) as [number, number, number];
  const [, co, oh, ow] = ops.shapeOf(g) as [number, number, number, number];
  const isWorthIt = h <= MOST_MORE_ROWS * oh && (kw * ci + kh * co) * h <= MOST_OF_PATCHES * kh * kw * ci * oh;
  if (strides.some((stride) => stride !== 1) || !isWorthIt) return undefined;
  const [top, left, , right] = pads;
  const down = Array.from({ length: kh }, (_, i) => {
    // Row r of the image met row r + shift of the output under row i of the kernel.
    const shift = top - i * dilations[0];
    const before = Math.min(h, Math.max(0, -shift));
    const begin = Math.min(oh, Math.max(0, shift));
    const count = Math.max(0, Math.min(oh - begin, h - before));
    if (count === 0) return undefined;
    const rows = ops.slice(g, [0, 0, begin, 0], [n, co, count, ow]);
    return ops.reshape(ops.pad(rows, [0, 0, before, 0], [0, 0, h - before - count, 0]), [n, co, h * ow]);
  });
  if (!down.every((rows) => rows !== undefined)) return undefined;
  return {
    kind: 'product',
    a: ops.patches(x, [1, kw], { strides: [1, 1], pads: [0, left, 0, right], dilations: [1, dilations[1]] }),
    g: ops.concat(down, 1),
    positionsLast: true,
    finishRows(o, rows) {
      const m = o.shapeOf(rows)[0]!;
      return o.reshape(o.transpose(o.reshape(rows, [m, ci, kw, kh, co]), [0, 3, 2, 1, 4]), [m, kh * kw * ci * co]);
    },
  };
}

/** Rows of the image per row of the output, by which the products grow. */
const MOST_MORE_ROWS = 1.15;
/** What is written and read, of what columns of all windows would take. */
const MOST_OF_PATCHES = 0.75;

/** A convolution of x `[n, Ci, H, W]` with a tfjs kernel `[Kh, Kw, Ci, Co]`. */
export function convForward<T>(ops: Ops<T>, x: T, kernel: T, bias: T | undefined, window: Window2d): Forward<T> {
  const options: Conv2dOptions = { ...window, groups: 1 };
  const [kh, kw, ci, co] = ops.shapeOf(kernel) as [number, number, number, number];
  const turned = ops.transpose(kernel, [3, 2, 0, 1]);
  const product = ops.conv2d(x, turned, options);
  return {
    output: bias === undefined ? product : ops.add(product, ops.reshape(bias, [co, 1, 1])),
    backward(g, needed) {
      const [n, , oh, ow] = ops.shapeOf(g) as [number, number, number, number];
      const special = ci === 1 ? oneChannelGradient(ops, x, g, [kh, kw], window) : shiftedGradient(ops, x, g, [kh, kw], window);
      const record: GradientRecord<T> = special ?? {
        kind: 'product',
        a: ops.patches(x, [kh, kw], window),
        g: ops.reshape(g, [n, co, oh * ow]),
        positionsLast: true,
        finishRows: windowFirst(ci, kh * kw, co),
      };
      const weights: GradientRecord<T>[] = [record];
      if (bias !== undefined) weights.push({ kind: 'direct', g: channelSums(ops, g) });
      return { inputs: [needed[0] ? ops.conv2dInputGradient(g, turned, ops.shapeOf(x), options) : undefined], weights };
    },
  };
}

export const conv2d: LayerKind = {
  className: 'Conv2D',
  layout: 'first',
  build(config, [image]) {
    refuseWeightTerms(config);
    requireChannelsLast(config);
    const input = requireImage(config, image);
    const filters = positiveInteger(config, 'filters');
    const size = integers(config, 'kernel_size', 2, 1, []) as [number, number];
    const window = readWindow(config, input, size, [1, 1]);
    const bias = flag(config, 'use_bias', true);
    return {
      outputShape: [filters, ...slide('Conv2D', input, size, window)],
      weights: [{ name: 'kernel', shape: [...size, input[0]!, filters] }, ...(bias ? [{ name: 'bias', shape: [filters] }] : [])],
      forward: (ops, [x], [kernel, b]) => convForward(ops, x!, kernel!, b, window),
    };
  },
};

export const conv1d: LayerKind = {
  className: 'Conv1D',
  build(config, [input]) {
    refuseWeightTerms(config);
    requireChannelsLast(config);
    if (input?.length !== 2) throw refuse(config, 'its input is not a sequence', 'give it inputs [steps, channels]');
    const [steps, channels] = input as [number, number];
    const filters = positiveInteger(config, 'filters');
    const [size] = integers(config, 'kernel_size', 1, 1, []) as [number];
    const [stride] = integers(config, 'strides', 1, 1, [1]) as [number];
    const [dilation] = integers(config, 'dilation_rate', 1, 1, [1]) as [number];
    if (config.values['padding'] === 'causal')
      throw refuse(config, 'tfjs cannot compute causal padding', 'set padding to valid and pad the sequence at its beginning');
    const padding = choice(config, 'padding', ['valid', 'same'], 'valid');
    const [left, right] = padding === 'same' ? samePadding(steps, size, stride, dilation) : [0, 0];
    const window: Window2d = { strides: [1, stride], dilations: [1, dilation], pads: [0, left, 0, right] };
    const bias = flag(config, 'use_bias', true);
    const [, count] = slide('Conv1D', [channels, 1, steps], [1, size], window);
    const outputShape: Shape = [count, filters];
    return {
      outputShape,
      weights: [{ name: 'kernel', shape: [size, channels, filters] }, ...(bias ? [{ name: 'bias', shape: [filters] }] : [])],
      forward<T>(ops: Ops<T>, [x]: readonly T[], [kernel, b]: readonly T[]): Forward<T> {
        const n = ops.shapeOf(x!)[0]!;
        // A sequence is an image of one row.
        const toImage = (t: T, length: number, width: number) => ops.reshape(ops.transpose(t, [0, 2, 1]), [n, width, 1, length]);
        const toSequence = (t: T, length: number, width: number) => ops.transpose(ops.reshape(t, [n, width, length]), [0, 2, 1]);
        const inner = convForward(
          ops,
          toImage(x!, steps, channels),
          ops.reshape(kernel!, [1, size, channels, filters]),
          b,
          window,
        );
        return {
          output: toSequence(inner.output, count, filters),
          backward(g, needed) {
            const { inputs, weights } = inner.backward(toImage(g, count, filters), needed);
            return { inputs: inputs.map((t) => (t === undefined ? undefined : toSequence(t, steps, channels))), weights };
          },
        };
      },
    };
  },
};
