/**
 * Kinds that only move elements of one example: flatten, reshape, permute, repeat, zero padding.
 *
 * @module
 */
import type { Json } from '../../json.ts';
import type { Ops, Shape } from '../../ops/ops.ts';
import { sizeOf } from '../../ops/shapes.ts';
import { positiveInteger, refuse } from '../config.ts';
import type { BuiltLayer, LayerConfig, LayerKind } from '../types.ts';
import { requireChannelsLast, requireImage } from './windows.ts';

/** A layer that maps a tensor by a linear rearrangement and its gradient by the transposed one. */
function rearrangement(
  outputShape: Shape,
  there: <T>(ops: Ops<T>, x: T, n: number) => T,
  back: <T>(ops: Ops<T>, g: T, n: number) => T,
): BuiltLayer {
  return {
    outputShape,
    weights: [],
    forward(ops, [x]) {
      const n = ops.shapeOf(x!)[0]!;
      return { output: there(ops, x!, n), backward: (g) => ({ inputs: [back(ops, g, n)], weights: [] }) };
    },
  };
}

function reshaped(from: Shape, to: Shape): BuiltLayer {
  return rearrangement(
    to,
    (ops, x, n) => ops.reshape(x, [n, ...to]),
    (ops, g, n) => ops.reshape(g, [n, ...from]),
  );
}

const flatten: LayerKind = {
  className: 'Flatten',
  build(config, [input]) {
    requireChannelsLast(config);
    return reshaped(input!, [sizeOf(input!)]);
  },
};

function wholeNumbers(config: LayerConfig, key: string): number[] {
  const raw: Json | undefined = config.values[key];
  // tfjs writes the size that is to be found out as null.
  const list = Array.isArray(raw) ? (raw as readonly Json[]).map((item) => item ?? -1) : raw;
  if (!Array.isArray(list) || list.some((item) => typeof item !== 'number' || !Number.isSafeInteger(item))) {
    throw refuse(config, `${key} is not a list of whole numbers`, 'set it');
  }
  return list as number[];
}

const reshape: LayerKind = {
  className: 'Reshape',
  build(config, [input]) {
    const target = wholeNumbers(config, 'target_shape');
    const size = sizeOf(input!);
    const known = target.reduce((product, count) => (count < 0 ? product : product * count), 1);
    const shape = target.map((count) => (count < 0 ? size / known : count));
    if (sizeOf(shape) !== size || shape.some((count) => !Number.isSafeInteger(count))) {
      throw refuse(config, `its ${size} elements per example do not fit [${target.join(', ')}]`, 'change target_shape');
    }
    return reshaped(input!, shape);
  },
};

const permute: LayerKind = {
  className: 'Permute',
  build(config, [input]) {
    // Counted from 1: axis 0 is the batch, which a permutation must leave where it is.
    const order = wholeNumbers(config, 'dims');
    if (order.length !== input!.length || [...order].sort((a, b) => a - b).some((axis, i) => axis !== i + 1)) {
      throw refuse(
        config,
        `dims [${order.join(', ')}] is not an order of axes 1 to ${input!.length}`,
        'keep axis 0, the batch, out of it',
      );
    }
    const inverse = order.map((_, i) => order.indexOf(i + 1) + 1);
    return rearrangement(
      order.map((axis) => input![axis - 1]!),
      (ops, x) => ops.transpose(x, [0, ...order]),
      (ops, g) => ops.transpose(g, [0, ...inverse]),
    );
  },
};

const repeatVector: LayerKind = {
  className: 'RepeatVector',
  build(config, [input]) {
    const count = positiveInteger(config, 'n');
    const width = input!.at(-1)!;
    if (input!.length !== 1) throw refuse(config, 'its input is not a vector', 'flatten it first');
    return rearrangement(
      [count, width],
      (ops, x, n) => ops.broadcastTo(ops.reshape(x, [n, 1, width]), [n, count, width]),
      (ops, g, n) => ops.reshape(ops.sum(g, [1]), [n, width]),
    );
  },
};

const zeroPadding2d: LayerKind = {
  className: 'ZeroPadding2D',
  layout: 'first',
  build(config, [image]) {
    requireChannelsLast(config);
    const [c, h, w] = requireImage(config, image) as [number, number, number];
    const raw = config.values['padding'] ?? [1, 1];
    const pairs = Array.isArray(raw) ? (raw as readonly Json[]) : [raw, raw];
    const [[top, bottom], [left, right]] = pairs.map((pair) =>
      Array.isArray(pair) ? (pair as readonly Json[]) : [pair, pair],
    ) as [[number, number], [number, number]];
    if ([top, bottom, left, right].some((count) => !Number.isSafeInteger(count) || count < 0)) {
      throw refuse(config, `padding is ${JSON.stringify(raw)}`, 'use [[top, bottom], [left, right]]');
    }
    return rearrangement(
      [c, h + top + bottom, w + left + right],
      (ops, x) => ops.pad(x, [0, 0, top, left], [0, 0, bottom, right]),
      (ops, g, n) => ops.slice(g, [0, 0, top, left], [n, c, h, w]),
    );
  },
};

export const shapingKinds: readonly LayerKind[] = [flatten, reshape, permute, repeatVector, zeroPadding2d];
