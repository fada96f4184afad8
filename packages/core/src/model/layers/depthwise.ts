/**
 * DepthwiseConv2D and SeparableConv2D.
 *
 * @module
 */
import type { Ops, Window2d } from '../../ops/ops.ts';
import { flag, integers, positiveInteger, refuseWeightTerms } from '../config.ts';
import type { Forward, GradientRecord, LayerKind } from '../types.ts';
import { channelSums, convForward } from './conv2d.ts';
import { readWindow, requireChannelsLast, requireImage, slide } from './windows.ts';

/** Each channel of x `[n, C, H, W]` by its own kernels, `[Kh, Kw, C, multiplier]` as in tfjs; output channel c·multiplier + m. */
export function depthwiseForward<T>(ops: Ops<T>, x: T, kernel: T, bias: T | undefined, window: Window2d): Forward<T> {
  const [kh, kw, c, multiplier] = ops.shapeOf(kernel) as [number, number, number, number];
  const cells = kh * kw;
  const options = { ...window, groups: c };
  const turned = ops.reshape(ops.transpose(kernel, [2, 3, 0, 1]), [c * multiplier, 1, kh, kw]);
  const product = ops.conv2d(x, turned, options);
  return {
    output: bias === undefined ? product : ops.add(product, ops.reshape(bias, [c * multiplier, 1, 1])),
    backward(g, needed) {
      const [n, , oh, ow] = ops.shapeOf(g) as [number, number, number, number];
      const columns = ops.reshape(ops.patches(x, [kh, kw], window), [n, c, cells, oh * ow]);
      // [n, C, cells, multiplier]: materialised, for it is as small as the kernel.
      const gradient = ops.matMul(columns, ops.reshape(g, [n, c, multiplier, oh * ow]), false, true);
      const record: GradientRecord<T> = { kind: 'direct', g: ops.transpose(gradient, [0, 2, 1, 3]) };
      const weights: GradientRecord<T>[] = [record];
      if (bias !== undefined) weights.push({ kind: 'direct', g: channelSums(ops, g) });
      return { inputs: [needed[0] ? ops.conv2dInputGradient(g, turned, ops.shapeOf(x), options) : undefined], weights };
    },
  };
}

export const depthwiseConv2d: LayerKind = {
  className: 'DepthwiseConv2D',
  layout: 'first',
  build(config, [image]) {
    refuseWeightTerms(config);
    requireChannelsLast(config);
    const input = requireImage(config, image);
    const multiplier = positiveInteger({ ...config, values: { depth_multiplier: 1, ...config.values } }, 'depth_multiplier');
    const size = integers(config, 'kernel_size', 2, 1, []) as [number, number];
    const window = readWindow(config, input, size, [1, 1]);
    const bias = flag(config, 'use_bias', true);
    const channels = input[0]! * multiplier;
    return {
      outputShape: [channels, ...slide('DepthwiseConv2D', input, size, window)],
      weights: [
        { name: 'depthwise_kernel', shape: [...size, input[0]!, multiplier] },
        ...(bias ? [{ name: 'bias', shape: [channels] }] : []),
      ],
      forward: (ops, [x], [kernel, b]) => depthwiseForward(ops, x!, kernel!, b, window),
    };
  },
};

const POINT: Window2d = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };

export const separableConv2d: LayerKind = {
  className: 'SeparableConv2D',
  layout: 'first',
  build(config, [image]) {
    refuseWeightTerms(config);
    requireChannelsLast(config);
    const input = requireImage(config, image);
    const filters = positiveInteger(config, 'filters');
    const multiplier = positiveInteger({ ...config, values: { depth_multiplier: 1, ...config.values } }, 'depth_multiplier');
    const size = integers(config, 'kernel_size', 2, 1, []) as [number, number];
    const window = readWindow(config, input, size, [1, 1]);
    const bias = flag(config, 'use_bias', true);
    const channels = input[0]! * multiplier;
    return {
      outputShape: [filters, ...slide('SeparableConv2D', input, size, window)],
      weights: [
        { name: 'depthwise_kernel', shape: [...size, input[0]!, multiplier] },
        { name: 'pointwise_kernel', shape: [1, 1, channels, filters] },
        ...(bias ? [{ name: 'bias', shape: [filters] }] : []),
      ],
      forward(ops, [x], [depthwise, pointwise, b]) {
        const inner = depthwiseForward(ops, x!, depthwise!, undefined, window);
        const outer = convForward(ops, inner.output, pointwise!, b, POINT);
        return {
          output: outer.output,
          backward(g, needed) {
            const second = outer.backward(g, [true]);
            const first = inner.backward(second.inputs[0]!, needed);
            return { inputs: first.inputs, weights: [...first.weights, ...second.weights] };
          },
        };
      },
    };
  },
};
