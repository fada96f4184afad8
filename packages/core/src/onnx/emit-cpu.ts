/**
 * What is written otherwise for the CPU provider: convolutions in the runtime's own blocked layout (NCHWc), which it uses by itself only for constant weights, and
 * what would not be the same for equal examples in different places (see {@link ./same-everywhere.ts}).
 *
 * @module
 */
import type { Conv2dOptions } from '../ops/ops.ts';
import { emitInputGradient, standardConv, windowAttributes } from './convolution.ts';
import type { ConvOperands, ConvWriter } from './convolution.ts';
import { applyOn, productOperands } from './emit.ts';
import type { Emitter, Rules } from './emit.ts';
import { emitSteadyProduct, emitSum, inWholeVectors } from './same-everywhere.ts';

/** The domain of the runtime's blocked operators. */
export const NCHWC = 'com.microsoft.nchwc';

/** Fewer than B input channels are read as they are; more must fill whole blocks, and so must the output's. */
function isBlocked(block: number, { kernelShape }: ConvOperands, { groups }: Conv2dOptions): boolean {
  const [co, ci] = kernelShape as [number, number];
  return block > 1 && groups === 1 && co % block === 0 && (ci < block || ci % block === 0);
}

/** A convolution in the blocked layout. The kernel `[Co, Ci, Kh, Kw]` becomes blocks of output channels, within them of input channels. */
export function emitBlockedConv(emit: Emitter, block: number, operands: ConvOperands, options: Conv2dOptions): string {
  const { x, kernel, kernelShape, bias, relu } = operands;
  const [co, ci, kh, kw] = kernelShape as [number, number, number, number];
  const few = ci < block;
  const weights = emit.once(`blocked kernel ${kernel}`, () => {
    const split = few ? [co / block, block, ci, kh, kw] : [co / block, block, ci / block, block, kh, kw];
    const order = few ? [0, 2, 3, 4, 1] : [0, 2, 4, 5, 3, 1];
    const turned = emit.op('Transpose', [emit.reshape(kernel, split)], { perm: { ints: order } });
    return emit.reshape(turned, kernelShape);
  });
  const image = few ? x : emit.once(`blocked image ${x}`, () => emit.op('ReorderInput', [x], {}, NCHWC));
  const blocks = emit.op(
    'Conv',
    bias === undefined ? [image, weights] : [image, weights, bias],
    {
      ...windowAttributes(options),
      kernel_shape: { ints: [kh, kw] },
      group: { int: 1 },
      ...(relu === true ? { activation: { text: 'Relu' } } : {}),
    },
    NCHWC,
  );
  return emit.op('ReorderOutput', [blocks], { channels: { int: co } }, NCHWC);
}

/** Writes convolutions in blocks where that is possible. */
export const cpuConv =
  (block: number): ConvWriter =>
  (emit, operands, options) =>
    isBlocked(block, operands, options) ? emitBlockedConv(emit, block, operands, options) : standardConv(emit, operands, options);

/**
 * The CPU provider's own rules.
 *
 * @param block Channels per block, which is a property of the processor: see `findBlock`. 0 where the layout cannot be used.
 */
export function cpuRules(block: number): Partial<Rules> {
  const conv = cpuConv(block);
  return {
    apply: applyOn('cpu'),
    log: (emit, { shape }, [x]) => inWholeVectors(emit, 'Log', x, shape),
    softplus: (emit, { shape }, [x]) => inWholeVectors(emit, 'Softplus', x, shape),
    sum: (emit, node, [x]) => emitSum(emit, node, x),
    matMul: (emit, node, names) => emitSteadyProduct(emit, productOperands(node, names)),
    conv2d(emit, node, [x, kernel]) {
      const [xShape, kernelShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
      return conv(emit, { x, kernel, xShape, kernelShape }, node.attributes.options);
    },
    conv2dInputGradient: (emit, node, [gradient, kernel]) => emitInputGradient(emit, node, [gradient, kernel], conv),
  };
}
