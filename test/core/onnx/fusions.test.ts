import { onnxEngine } from '@sotto/core/onnx';
import { recordProgram, referenceEngine } from '@sotto/core/ops';
import type { Conv2dOptions, Ops, Program, Shape } from '@sotto/core/ops';
import { describe, expect, it } from 'vitest';
import { cpuRules } from '../../../packages/core/src/onnx/emit-cpu.ts';
import { emitGraph } from '../../../packages/core/src/onnx/emit.ts';
import { cpuFusions } from '../../../packages/core/src/onnx/fusions.ts';
import { findBlock } from '../../../packages/core/src/onnx/nchwc-block.ts';
import { expectClose, numbers, runOnce } from '../ops/support.ts';

const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** How often each operator occurs in the ONNX model of a program, by its name in the bytes. */
function operators(program: Program, block: number): (name: string) => number {
  const text = Buffer.from(emitGraph(recordProgram(program), cpuRules(block), cpuFusions(block))).toString('latin1');
  // Field 4 of a node: a tag, a length and the operator's name.
  return (name) => text.split(`"${String.fromCharCode(name.length)}${name}`).length - 1;
}

async function agree(program: Program, phase: number = 1): Promise<void> {
  const inputs = Object.fromEntries(program.inputs.map(({ name, shape }, i) => [name, numbers(sizeOf(shape), phase + i)]));
  const expected = await runOnce(referenceEngine, program, inputs);
  const actual = await runOnce(onnxEngine(), program, inputs);
  for (const [name, values] of Object.entries(expected)) expectClose(actual[name]!, values, 1e-5, name);
}

function convProgram(x: Shape, kernel: Shape, options: Conv2dOptions, relu: boolean): Program {
  return {
    name: 'conv',
    inputs: [
      { name: 'x', shape: x },
      { name: 'kernel', shape: kernel },
      { name: 'bias', shape: [kernel[0]!] },
      { name: 'g', shape: [1] },
    ],
    build<T>(ops: Ops<T>, { x: image, kernel: weights, bias, g }: Readonly<Record<string, T>>): Record<string, T> {
      const sum = ops.add(ops.conv2d(image!, weights!, options), ops.reshape(bias!, [kernel[0]!, 1, 1]));
      const shape = ops.shapeOf(sum);
      const gradient = ops.mul(g!, ops.constant(numbers(sizeOf(shape), 3), shape));
      return {
        y: relu ? ops.relu(sum) : sum,
        dx: ops.conv2dInputGradient(gradient, weights!, x, options),
      };
    },
  };
}

const plain: Conv2dOptions = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 };

describe('convolutions in blocks', () => {
  const cases: [string, Shape, Shape, Conv2dOptions][] = [
    ['as many channels as a block has', [2, 8, 5, 6], [16, 8, 3, 3], plain],
    ['several blocks', [1, 32, 4, 4], [32, 32, 3, 3], plain],
    ['few input channels', [2, 3, 7, 5], [16, 3, 3, 3], plain],
    ['one input channel and a large window', [2, 1, 9, 9], [32, 1, 8, 8], { ...plain, strides: [2, 2], pads: [3, 3, 3, 3] }],
    ['uneven pads and strides', [2, 16, 6, 7], [16, 16, 3, 2], { ...plain, strides: [2, 1], pads: [0, 1, 1, 0] }],
    ['dilation', [1, 16, 9, 9], [16, 16, 3, 3], { ...plain, pads: [2, 2, 2, 2], dilations: [2, 2] }],
    ['one by one', [2, 16, 5, 5], [32, 16, 1, 1], { ...plain, strides: [2, 2], pads: [0, 0, 0, 0] }],
    ['channels that fill no block', [2, 6, 5, 5], [10, 6, 3, 3], plain],
    ['groups', [2, 16, 5, 5], [32, 8, 3, 3], { ...plain, groups: 2 }],
  ];
  it.each(cases)('agree with float64: %s', async (_, x, kernel, options) => {
    await agree(convProgram(x, kernel, options, false));
    await agree(convProgram(x, kernel, options, true), 2);
  });

  it('are used where the processor has them, with bias and max in the same node', async () => {
    const block = await findBlock();
    expect([0, 8, 16]).toContain(block);
    const count = operators(convProgram([1, 32, 4, 4], [32, 32, 3, 3], plain, true), 8);
    // The one Relu is the convolution's activation.
    expect(['ReorderInput', 'Conv', 'ReorderOutput', 'Relu', 'Add'].map(count)).toEqual([2, 2, 2, 1, 0]);
    const without = operators(convProgram([1, 32, 4, 4], [32, 32, 3, 3], plain, true), 0);
    expect(['ReorderInput', 'Conv', 'ReorderOutput', 'Relu', 'Add'].map(without)).toEqual([0, 2, 0, 1, 0]);
  });
});

describe('fusions', () => {
  it('give normalised rows and their inverse deviations by one kernel', async () => {
    const program: Program = {
      name: 'normalise',
      inputs: [{ name: 'x', shape: [2, 3, 5] }],
      build<T>(ops: Ops<T>, { x }: Readonly<Record<string, T>>): Record<string, T> {
        const mean = (t: T): T => ops.mul(ops.sum(t, [2]), ops.constant([1 / 5], []));
        const shifted = ops.sub(x!, mean(x!));
        const deviation = ops.sqrt(ops.add(mean(ops.mul(shifted, shifted)), ops.constant([1e-3], [])));
        const r = ops.div(ops.constant([1], []), deviation);
        return { y: ops.mul(shifted, r), r };
      },
    };
    await agree(program);
    const count = operators(program, 0);
    expect(['LayerNormalization', 'ReduceSum', 'Sqrt', 'Mul'].map(count)).toEqual([1, 0, 0, 0]);
  });

  it('shift rows in one pass, and keep a part that others use', async () => {
    const program: Program = {
      name: 'shifted',
      inputs: [{ name: 'x', shape: [2, 4, 3] }],
      build<T>(ops: Ops<T>, { x }: Readonly<Record<string, T>>): Record<string, T> {
        const top = ops.slice(x!, [0, 0, 1], [2, 3, 2]);
        return {
          up: ops.pad(ops.slice(x!, [0, 1, 0], [2, 3, 3]), [0, 0, 1], [0, 2, 0]),
          // Cut and filled on one side, which is not a shift.
          filled: ops.pad(ops.slice(x!, [0, 1, 0], [2, 2, 3]), [0, 0, 0], [0, 2, 0]),
          down: ops.pad(top, [0, 1, 0], [0, 0, 1]),
          top,
        };
      },
    };
    await agree(program);
    expect(['Pad', 'Slice'].map(operators(program, 0))).toEqual([3, 2]);
  });

  it('scale a product within it, and keep a product that others use', async () => {
    const program: Program = {
      name: 'scaled',
      inputs: [
        { name: 'a', shape: [2, 3, 4] },
        { name: 'b', shape: [2, 3, 4] },
      ],
      build<T>(ops: Ops<T>, { a, b }: Readonly<Record<string, T>>): Record<string, T> {
        const half = ops.constant([0.5], []);
        const shared = ops.matMul(a!, b!, true);
        return { alone: ops.mul(ops.matMul(a!, b!, false, true), half), shared, scaled: ops.mul(half, shared) };
      },
    };
    await agree(program);
    expect(operators(program, 0)('Mul')).toBe(1);
  });
});
