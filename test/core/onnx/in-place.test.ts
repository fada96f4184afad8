import { onnxEngine } from '@sotto/core/onnx';
import type { Ops, Program } from '@sotto/core/ops';
import { describe, expect, it } from 'vitest';
import { isComputed } from '../../../packages/core/src/onnx/in-place.ts';
import { emitGraph } from '../../../packages/core/src/onnx/emit.ts';
import { OrtSession } from '../../../packages/core/src/onnx/ort-session.ts';
import { recordProgram } from '../../../packages/core/src/ops/graph.ts';
import { numbers } from '../ops/support.ts';

const SIZE = 2 ** 20;

/** y = x + x, of 4 MB, and its sum. */
const program: Program = {
  name: 'large',
  inputs: [{ name: 'x', shape: [SIZE] }],
  build<T>(ops: Ops<T>, { x }: Readonly<Record<string, T>>): Record<string, T> {
    const y = ops.add(x!, x!);
    return { y, sum: ops.sum(y, [0]) };
  },
};

describe('results of ONNX sessions', () => {
  it('are computed into the arrays of the caller and copied nowhere', async () => {
    const compiled = await onnxEngine().compile(program);
    const x = numbers(SIZE, 1);
    const y = new Float32Array(SIZE);
    const first = await compiled.run({ x }, { y });
    expect(first['y']).toBe(y);
    expect(y).toEqual(x.map((value) => value + value));
    const before = process.memoryUsage().arrayBuffers;
    await compiled.run({ x: x.fill(0.25) }, { y });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * SIZE);
    expect(y.every((value) => value === 0.5)).toBe(true);
    await compiled.dispose();
  });

  it('are new arrays where the caller has none', async () => {
    const compiled = await onnxEngine().compile(program);
    const ones = await compiled.run({ x: new Float32Array(SIZE).fill(1) });
    const twos = await compiled.run({ x: new Float32Array(SIZE).fill(2) });
    expect([ones['y']!.at(-1), twos['y']!.at(-1), ones['sum']![0], twos['sum']![0]]).toEqual([2, 4, 2 * SIZE, 4 * SIZE]);
    await compiled.dispose();
  });

  it('are not taken for computed when a run has failed', async () => {
    const { outputs } = recordProgram(program);
    const session = await OrtSession.create(
      {
        bytes: emitGraph(recordProgram(program), {}, undefined, true),
        // Half of what the model takes.
        views: [{ name: 'x', input: 'x', begin: 0, shape: [SIZE / 2] }],
        outputs: { y: outputs['y']!.shape, sum: outputs['sum']!.shape },
      },
      { provider: 'cpu', threads: 1 },
    );
    await expect(session.run({ x: new Float32Array(SIZE) })).rejects.toThrow(/invalid dimensions/i);
    await session.release();
    expect(isComputed(new Error('Got invalid dimensions for input'))).toBe(false);
    expect(isComputed('Non tensor type')).toBe(false);
  });
});
