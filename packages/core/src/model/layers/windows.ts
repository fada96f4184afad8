/**
 * Window arithmetic that convolutions and poolings share: tfjs's `same` and `valid` padding.
 *
 * @module
 */
import type { Shape, Window2d } from '../../ops/ops.ts';
import { windowCount } from '../../ops/shapes.ts';
import { choice, integers, refuse } from '../config.ts';
import type { LayerConfig } from '../types.ts';

/** Zeros before and after an axis so that ⌈size/stride⌉ windows fit; the odd one goes to the end. */
export function samePadding(size: number, window: number, stride: number, dilation: number): [number, number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + (window - 1) * dilation + 1 - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Reads strides, padding and dilation of a two-dimensional window over a `[channels, height, width]` input. */
export function readWindow(
  config: LayerConfig,
  input: Shape,
  size: readonly [number, number],
  defaultStrides: readonly [number, number],
): Window2d {
  const strides = integers(config, 'strides', 2, 1, defaultStrides) as [number, number];
  const dilations = integers(config, 'dilation_rate', 2, 1, [1, 1]) as [number, number];
  const padding = choice(config, 'padding', ['valid', 'same'], 'valid');
  if (padding === 'valid') return { strides, dilations, pads: [0, 0, 0, 0] };
  const [top, bottom] = samePadding(input[1]!, size[0], strides[0], dilations[0]);
  const [left, right] = samePadding(input[2]!, size[1], strides[1], dilations[1]);
  return { strides, dilations, pads: [top, left, bottom, right] };
}

/** Height and width after sliding. */
export function slide(operation: string, input: Shape, size: readonly [number, number], window: Window2d): [number, number] {
  const [top, left, bottom, right] = window.pads;
  return [
    windowCount(operation, input[1]!, size[0], window.strides[0], top + bottom, window.dilations[0]),
    windowCount(operation, input[2]!, size[1], window.strides[1], left + right, window.dilations[1]),
  ];
}

/** Refuses channels-first models, whose weights and shapes mean other things. */
export function requireChannelsLast(config: LayerConfig): void {
  const format = config.values['data_format'];
  if (format !== undefined && format !== null && format !== 'channels_last') {
    throw refuse(config, `data_format is ${JSON.stringify(format)}`, 'build the model with channelsLast, the default');
  }
}

/** A `[height, width, channels]` or rank-checked image input in channels-first order. */
export function requireImage(config: LayerConfig, input: Shape | undefined): Shape {
  if (input === undefined || input.length !== 3)
    throw refuse(config, 'its input is not an image', 'give it inputs [height, width, channels]');
  return input;
}
