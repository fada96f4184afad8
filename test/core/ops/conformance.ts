/** What every engine must do: agree with the reference loops on each operation, treat NaN as specified, refuse what it cannot run. */
import { referenceEngine } from '@sotto/core/ops';
import type { Engine, Program } from '@sotto/core/ops';
import { expect, it } from 'vitest';
import { cases, inputsOf, programOf } from './cases.ts';
import type { Case } from './cases.ts';
import { expectClose, runOnce } from './support.ts';

/** Runs operations on an engine and compares them with the reference loops. */
export function conformsToCases(engine: Engine, tolerance: number, examples: readonly Case[]): void {
  it.each(examples)('computes $name as the reference does', async (example) => {
    const inputs = inputsOf(example);
    const program = programOf(example);
    const [expected, actual] = [await runOnce(referenceEngine, program, inputs), await runOnce(engine, program, inputs)];
    expectClose(actual['y']!, expected['y']!, tolerance, example.name);
  });
}

/** Runs every operation on an engine and compares it with the reference loops. */
export function conformsToOps(engine: Engine, tolerance: number): void {
  conformsToCases(engine, tolerance, cases);

  it('treats NaN and infinities as specified', async () => {
    const program: Program = {
      name: 'not finite',
      inputs: [{ name: 'x', shape: [4] }],
      build: (ops, { x }) => {
        const zero = ops.constant([0], []);
        return {
          finite: ops.isFinite(x!),
          masked: ops.where(ops.isFinite(x!), x!, zero),
          greater: ops.greater(x!, zero),
          equal: ops.equal(x!, x!),
          log: ops.isFinite(ops.log(ops.sub(x!, ops.constant([4], [])))),
          root: ops.isFinite(ops.sqrt(ops.sub(x!, ops.constant([4], [])))),
          inverse: ops.isFinite(ops.div(ops.constant([1], []), ops.mul(x!, ops.constant([1, 1, 1, 0], [4])))),
        };
      },
    };
    const outputs = await runOnce(engine, program, { x: Float32Array.of(NaN, Infinity, -Infinity, 2) });
    expect([...outputs['finite']!]).toEqual([0, 0, 0, 1]);
    expect([...outputs['masked']!]).toEqual([0, 0, 0, 2]);
    expect([...outputs['greater']!]).toEqual([0, 1, 0, 1]);
    expect([...outputs['equal']!]).toEqual([0, 1, 1, 1]);
    // Logarithms and roots of −∞ and −2; 1/0 and 1/∞.
    expect([...outputs['log']!.slice(2)]).toEqual([0, 0]);
    expect([...outputs['root']!.slice(2)]).toEqual([0, 0]);
    expect([...outputs['inverse']!.slice(1)]).toEqual([1, 1, 0]);
  });

  it('refuses inputs that are missing or of the wrong size, and runs after disposal', async () => {
    const program: Program = {
      name: 'twice',
      inputs: [{ name: 'x', shape: [2] }],
      build: (ops, { x }) => ({ y: ops.add(x!, x!) }),
    };
    const compiled = await engine.compile(program);
    expect(compiled.outputs).toEqual({ y: [2] });
    await expect(compiled.run({})).rejects.toThrow(/needs the input x/);
    await expect(compiled.run({ x: new Float32Array(3) })).rejects.toThrow(/input x has 3 numbers.*needs 2/);
    await compiled.dispose();
    await expect(compiled.run({ x: new Float32Array(2) })).rejects.toThrow(/disposed of/);
  });
}
