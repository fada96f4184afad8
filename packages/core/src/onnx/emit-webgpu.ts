/**
 * What is written otherwise for the WebGPU provider, which has fewer kernels than the CPU's: with these rules every operation runs on the device, and no
 * tensor goes down and up again in the middle of a program.
 *
 * @module
 */
import { applyOn } from './emit.ts';
import type { Rules } from './emit.ts';

/**
 * The provider with its options. It would rather compute convolutions channels last, but its kernel for grouped ones mixes groups up there when their channels do
 * not fill whole vectors (seen in ONNX Runtime 1.30, two groups of six channels); channels first it is right, and needs no transposes around each convolution.
 */
export const webGpuProvider: { readonly name: 'webgpu'; readonly preferredLayout: 'NCHW' } = {
  name: 'webgpu',
  preferredLayout: 'NCHW',
};

const swapLast = (rank: number): readonly number[] => [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2];

/** The WebGPU provider's own rules. */
export const webGpuRules: Partial<Rules> = {
  apply: applyOn('webgpu'),
  // What a shader gives for a negative number is not specified, and was seen to be that of its magnitude.
  log(emit, _, [x]) {
    const isDefined = emit.op('GreaterOrEqual', [x, emit.scalar(0)]);
    return emit.op('Where', [isDefined, emit.op('Log', [x]), emit.scalar(NaN)]);
  },
  // No FusedMatMul kernel.
  matMul(emit, node, [a, b]) {
    const { transposeA, transposeB } = node.attributes;
    const [left, right] = node.inputs.map((operand) => operand.shape.length) as [number, number];
    if (left === 2 && right === 2 && (transposeA || transposeB)) {
      return emit.op('Gemm', [a, b], { transA: { int: Number(transposeA) }, transB: { int: Number(transposeB) } });
    }
    const turned = (t: string, rank: number): string => emit.op('Transpose', [t], { perm: { ints: swapLast(rank) } });
    return emit.op('MatMul', [transposeA ? turned(a, left) : a, transposeB ? turned(b, right) : b]);
  },
};
