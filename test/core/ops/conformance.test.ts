/**
 * Every operation on every engine: the ONNX engine and the tfjs engine, whose kernels others wrote, must agree with the reference loops.
 */
import { definePrimitive, recordProgram, referenceOps } from '@sotto/core/ops';
import type { Ops, Program, Shape } from '@sotto/core/ops';
import { describe, expect, it } from 'vitest';
import { conformsToOps } from './conformance.ts';
import { operationsKeepPlaces } from './places.ts';
import { float32Engines } from './support.ts';

describe.each(float32Engines)('$name', (engine) => {
  conformsToOps(engine, 1e-5);
  // That of the CPU provider has a file of its own.
  if (engine.name.startsWith('tfjs')) operationsKeepPlaces(() => engine, [5, 25]);
});

describe('recorder', () => {
  const shape: Shape = [2, 2];
  const program = (build: Program['build']): Program => ({ name: 'p', inputs: [{ name: 'x', shape }], build });

  it('records the same computation once and leaves out what no output needs', () => {
    const graph = recordProgram(
      program((ops, { x }) => {
        ops.exp(x!);
        return { y: ops.mul(ops.add(x!, x!), ops.add(x!, x!)) };
      }),
    );
    expect(graph.nodes.map((node) => node.operation)).toEqual(['input', 'add', 'mul']);
  });

  it('tells constants and attributes apart that only look alike', () => {
    const scaled = definePrimitive<{ readonly by: number; readonly how?: unknown }>({
      name: 'scaled',
      shape: ([operand]) => operand!,
      reference: ([operand], { by }) => operand!.data.map((value) => by * value),
      onnx: (emit, [operand], { attributes: { by } }) => emit.op('Mul', [operand!, emit.scalar(by)]),
      tfjs: (tfjs, [operand], { by }) => tfjs.mul(operand!, by),
      place: 'elementwise',
      derivative: 'none',
      cases: [{ shapes: [[2]], attributes: { by: 2 } }],
    });
    const count = (...attributes: readonly { readonly by: number; readonly how?: unknown }[]): number =>
      recordProgram(
        program((ops, { x }) => Object.fromEntries(attributes.map((each, i) => [`y${i}`, ops.apply(scaled, [x!], each)]))),
      ).nodes.length - 1;
    expect(count({ by: NaN }, { by: Infinity }, { by: -Infinity }, { by: 0 }, { by: -0 })).toBe(5);
    expect(count({ by: 1, how: [1, 2] }, { how: [1, 2], by: 1 }, { by: 1, how: '1,2' }, { by: 1, how: { a: null } })).toBe(3);
    expect(() => count({ by: 1, how: () => 1 })).toThrow(/attributes hold a function/);
    expect(() => count({ by: 1, how: new Map() })).toThrow(/attributes hold an object of a class/);
    const zeros = recordProgram(
      program((ops) => ({ a: ops.constant([0], []), b: ops.constant([-0], []), c: ops.constant([0], []) })),
    );
    expect(zeros.nodes.length - 1).toBe(2);
  });

  it('refuses a primitive whose loops give another number of elements than its shape has', () => {
    const wrong = definePrimitive({
      name: 'halved',
      shape: ([operand]) => operand!,
      reference: ([operand]) => operand!.data.slice(1),
      onnx: (emit, [operand]) => emit.op('Identity', [operand!]),
      tfjs: (_, [operand]) => operand!,
      place: 'elementwise',
      derivative: 'none',
      cases: [{ shapes: [[2]], attributes: {} }],
    });
    const two = referenceOps.constant([1, 2], [2]);
    expect(() => referenceOps.apply(wrong, [two], {})).toThrow(/halved: its reference gives 1 numbers for shape \[2\]/);
    expect(() => definePrimitive({ ...wrong, name: '' })).toThrow(/primitive.name is empty/);
  });

  it.each([
    ['matMul', (ops: Ops<unknown>, x: unknown) => ops.matMul(x, ops.constant([1, 2, 3], [3, 1])), /inner sizes 2 and 3/],
    ['add', (ops: Ops<unknown>, x: unknown) => ops.add(x, ops.constant([1, 2, 3], [3])), /do not broadcast/],
    ['reshape', (ops: Ops<unknown>, x: unknown) => ops.reshape(x, [3]), /different numbers of elements/],
    ['sum', (ops: Ops<unknown>, x: unknown) => ops.sum(x, [2]), /not distinct axes/],
    ['slice', (ops: Ops<unknown>, x: unknown) => ops.slice(x, [0, 1], [2, 2]), /leave \[2, 2\]/],
    ['constant', (ops: Ops<unknown>) => ops.constant([1], [2]), /1 values for shape/],
  ] as const)('refuses wrong shapes in %s', (_, build, message) => {
    expect(() => recordProgram(program((ops, { x }) => ({ y: build(ops as Ops<unknown>, x) as never })))).toThrow(message);
  });
});
