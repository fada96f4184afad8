/**
 * How convolutions and their gradients are written as ONNX operators.
 *
 * @module
 */
import type { Conv2dOptions, Shape, Window2d } from '../ops/ops.ts';
import type { OnnxAttribute } from '../ops/primitive.ts';
import type { Emitter, Node } from './emit.ts';

/** An image and a kernel, by the names of their tensors and their shapes. */
export interface ConvOperands {
  readonly x: string;
  readonly kernel: string;
  readonly xShape: Shape;
  readonly kernelShape: Shape;
  /** `[Co]`, added to each channel. */
  readonly bias?: string;
  /** Whether max(·, 0) follows. */
  readonly relu?: boolean;
}

/** Writes a convolution. */
export type ConvWriter = (emit: Emitter, operands: ConvOperands, options: Conv2dOptions) => string;

/** A window as attributes. */
export function windowAttributes({ strides, pads, dilations }: Window2d): Record<string, OnnxAttribute> {
  return { strides: { ints: strides }, pads: { ints: pads }, dilations: { ints: dilations } };
}

/** By the standard operator. */
export const standardConv: ConvWriter = (emit, { x, kernel, bias, relu }, options) => {
  const attributes = { ...windowAttributes(options), group: { int: options.groups } };
  const product = emit.op('Conv', bias === undefined ? [x, kernel] : [x, kernel, bias], attributes);
  return relu === true ? emit.op('Relu', [product]) : product;
};

/** The gradient of a convolution for its input: with stride 1 a convolution with the turned kernel, which is faster than ConvTranspose, else that. */
export function emitInputGradient(
  emit: Emitter,
  node: Node<'conv2dInputGradient'>,
  [gradient, kernel]: readonly [string, string],
  conv: ConvWriter,
): string {
  const { options } = node.attributes;
  const [g, k] = node.inputs.map((operand) => operand.shape) as [Shape, Shape];
  const isUnit = [...options.strides, ...options.dilations, options.groups].every((count) => count === 1);
  const [top, left] = [k[2]! - 1 - options.pads[0], k[3]! - 1 - options.pads[1]];
  const [bottom, right] = [node.shape[2]! - g[2]! - top + k[2]! - 1, node.shape[3]! - g[3]! - left + k[3]! - 1];
  if (isUnit && [top, left, bottom, right].every((pad) => pad >= 0)) {
    const back = emit.integers([-1, -1]);
    const turned = emit.op('Slice', [kernel, back, emit.integers([-(2 ** 31), -(2 ** 31)]), emit.integers([2, 3]), back]);
    const swapped = emit.op('Transpose', [turned], { perm: { ints: [1, 0, 2, 3] } });
    const kernelShape = [k[1]!, k[0]!, k[2]!, k[3]!];
    return conv(emit, { x: gradient, kernel: swapped, xShape: g, kernelShape }, { ...options, pads: [top, left, bottom, right] });
  }
  // What the stride left over at the bottom and right belongs to the output as well.
  const rest = [0, 1].map((i) => {
    const covered = (g[2 + i]! - 1) * options.strides[i]! + (k[2 + i]! - 1) * options.dilations[i]! + 1;
    return node.shape[2 + i]! - (covered - options.pads[i]! - options.pads[2 + i]!);
  });
  return emit.op('ConvTranspose', [gradient, kernel], {
    ...windowAttributes(options),
    group: { int: options.groups },
    output_padding: { ints: rest },
  });
}

/** im2col. A depth-wise convolution with one-hot kernels is the fastest of those measured. */
export function emitPatches(emit: Emitter, node: Node<'patches'>, x: string): string {
  const { size, window } = node.attributes;
  const [, channels] = node.inputs[0]!.shape as [number, number, number, number];
  const cells = size[0] * size[1];
  if (cells === 1 && window.strides.every((s) => s === 1) && window.pads.every((p) => p === 0))
    return emit.reshape(x, node.shape);
  const kernel = new Float32Array(channels * cells * cells);
  for (let c = 0; c < channels; c++) for (let k = 0; k < cells; k++) kernel[(c * cells + k) * cells + k] = 1;
  const columns = emit.op('Conv', [x, emit.floats(kernel, [channels * cells, 1, size[0], size[1]])], {
    ...windowAttributes(window),
    group: { int: channels },
  });
  return emit.reshape(columns, node.shape);
}
