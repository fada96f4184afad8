/** The clipped gradient function: equal to a plain loop, and its stated sensitivity holds for every neighbouring pair that can be made. */
import { onnxEngine } from '@sotto/core/onnx';
import { referenceEngine } from '@sotto/core/ops';
import '@tensorflow/tfjs-backend-cpu';
import * as core from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clipping } from '../../../packages/dp/src/clip/clipping.ts';
import { clippedGradient } from '../../../packages/dp/src/training/clipped-gradient.ts';
import { expectClose, numbers } from '../../core/ops/support.ts';

const { layers, sequential } = tf;

const net = sequential({
  layers: [layers.dense({ units: 3, activation: 'tanh', inputShape: [4], name: 'one' }), layers.dense({ units: 2, name: 'two' })],
});
net.weights.forEach((weight, i) =>
  weight.write(
    core.tensor(
      numbers(
        (weight.shape as number[]).reduce((a, b) => a * b, 1),
        i + 3,
      ),
      weight.shape as number[],
    ),
  ),
);

const rules: readonly Clipping[] = [
  { kind: 'flat', norm: 0.7 },
  { kind: 'perLayer', norm: 0.7 },
  { kind: 'automatic', norm: 0.7 },
  { kind: 'normalised', norm: 0.7 },
];

const options = { loss: 'meanSquaredError', engine: referenceEngine } as const;
const rows = (values: ArrayLike<number>, width: number): core.Tensor =>
  core.tensor(Float32Array.from(values), [values.length / width, width]);
const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));

describe('clippedGradient', () => {
  it('is the sum of clipped gradients of tfjs, example by example', async () => {
    const clipping = { kind: 'flat', norm: 0.7 } as const;
    const f = clippedGradient(net, { ...options, clipping, physicalBatchSize: 4 });
    const [x, y] = [numbers(9 * 4, 5).map((v) => 2 * v), numbers(9 * 2, 6)];
    const result = await f(rows(x, 4), rows(y, 2));
    const variables = net.trainableWeights.map((weight) => (weight as unknown as { val: core.Variable }).val);
    const sum = new Float64Array(f.graph.parameterCount);
    for (let i = 0; i < 9; i++) {
      const [xi, yi] = [rows(x.subarray(4 * i, 4 * i + 4), 4), rows(y.subarray(2 * i, 2 * i + 2), 2)];
      const { value, grads } = core.variableGrads(
        () => core.mean(core.square(core.sub(net.apply(xi) as core.Tensor, yi))),
        variables,
      );
      const gradient = variables.flatMap((variable) => [...grads[variable.name]!.dataSync()]);
      const length = norm(gradient);
      gradient.forEach((g, j) => (sum[j]! += g * Math.min(1, 0.7 / length)));
      expectClose([result.losses[i]!, result.squaredNorms[i]!], [value.dataSync()[0]!, length * length], 1e-5, `example ${i}`);
    }
    expectClose(result.sum, sum, 1e-5, 'sum');
    expect(result.nonFiniteExamples).toBe(0);
    await f.close();
  });

  it('states the sensitivity of each adjacency', async () => {
    const f = clippedGradient(net, { ...options, clipping: { kind: 'flat', norm: 0.7 } });
    const { sensitivity } = await f(rows(numbers(4, 1), 4), rows(numbers(2, 1), 2));
    expect([
      sensitivity('addOrRemoveOne'),
      sensitivity('zeroOut'),
      sensitivity('replaceSpecial'),
      sensitivity('replaceOne'),
    ]).toEqual([0.7, 0.7, 0.7, 1.4]);
    expect(() => sensitivity('substitute' as never)).toThrow(/adjacency/);
  });

  it.each(rules.map((rule) => [rule.kind, rule] as const))(
    'moves by at most the sensitivity when an example is removed or replaced: %s',
    async (_, clipping) => {
      const f = clippedGradient(net, { ...options, clipping, physicalBatchSize: 3 });
      // Ordinary values, huge ones, tiny ones, and what is no number.
      const value = fc.oneof(
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.constantFrom(0, 1e-30, -1e-20, 1e18, -1e30, NaN, Infinity, -Infinity),
      );
      const example = fc.tuple(fc.array(value, { minLength: 4, maxLength: 4 }), fc.array(value, { minLength: 2, maxLength: 2 }));
      type Example = [number[], number[]];
      const sumOf = async (examples: readonly Example[]): Promise<Float64Array> =>
        (
          await f(
            rows(
              examples.flatMap(([x]) => x),
              4,
            ),
            rows(
              examples.flatMap(([, y]) => y),
              2,
            ),
          )
        ).sum;
      await fc.assert(
        fc.asyncProperty(fc.array(example, { minLength: 2, maxLength: 7 }), example, fc.nat(), async (examples, other, at) => {
          const i = at % examples.length;
          const all = await sumOf(examples);
          expect(all.every(Number.isFinite)).toBe(true);
          const without = await sumOf(examples.filter((_, k) => k !== i));
          expect(norm(all.map((v, j) => v - without[j]!))).toBeLessThanOrEqual(0.7);
          const replaced = await sumOf(examples.map((one, k) => (k === i ? other : one)));
          expect(norm(all.map((v, j) => v - replaced[j]!))).toBeLessThanOrEqual(1.4);
        }),
        { numRuns: 30, seed: 20261123 },
      );
    },
  );

  it('counts examples that are not finite, which contribute nothing', async () => {
    const f = clippedGradient(net, { ...options, clipping: rules[0]! });
    const x = numbers(12, 4);
    const clean = await f(rows([...x.subarray(0, 4), ...x.subarray(8)], 4), rows(numbers(4, 7), 2));
    x[5] = NaN;
    const y = numbers(4, 7);
    const dirty = await f(rows(x, 4), rows([...y.subarray(0, 2), 0, 0, ...y.subarray(2)], 2));
    expect(dirty.nonFiniteExamples).toBe(1);
    expect(dirty.sum).toEqual(clean.sum);
    expect(dirty.squaredNorms[1]).toBeNaN();
  });

  it('does not depend on how the engine is fed, and agrees between engines', async () => {
    const [x, y] = [rows(numbers(7 * 4, 2), 4), rows(numbers(7 * 2, 3), 2)];
    const sums = [];
    for (const physicalBatchSize of [1, 3, 16]) {
      sums.push((await clippedGradient(net, { ...options, clipping: rules[1]!, physicalBatchSize })(x, y)).sum);
    }
    expect(sums[1]).toEqual(sums[0]);
    expect(sums[2]).toEqual(sums[0]);
    const f = clippedGradient(net, { ...options, clipping: rules[1]!, engine: onnxEngine() });
    expectClose((await f(x, y)).sum, sums[0]!, 1e-5, 'onnx');
    await f.close();
  });

  it('takes weights of the moment, or those it is given', async () => {
    const f = clippedGradient(net, { ...options, clipping: rules[0]! });
    const [x, y] = [rows(numbers(8, 2), 4), rows(numbers(4, 3), 2)];
    const given = Float64Array.from(net.weights.flatMap((weight) => [...weight.read().dataSync()]));
    const before = (await f(x, y)).sum;
    expect((await f(x, y, given)).sum).toEqual(before);
    expect(
      (
        await f(
          x,
          y,
          given.map((v) => v / 2),
        )
      ).sum,
    ).not.toEqual(before);
    await expect(f(x, y, given.subarray(1))).rejects.toThrow(/parameters has 22 numbers; the model has 23/);
    const topology = net.toJSON(null, false) as unknown as { class_name: string; config: unknown };
    await expect(clippedGradient(topology, { ...options, clipping: rules[0]! })(x, y)).rejects.toThrow(
      /a topology holds no weights; pass parameters/,
    );
  });

  it('refuses what has no per-example gradient or no fixed sensitivity', () => {
    expect(() => clippedGradient(net, { ...options, clipping: { kind: 'adaptive', norm: 1 } })).toThrow(
      /clipping.kind is adaptive/,
    );
    expect(() => clippedGradient(net, { ...options, clipping: { kind: 'flat', norm: -1 } })).toThrow(/clipping.norm/);
    const made = (model: unknown, given: unknown) => (): unknown => clippedGradient(model as never, given as never);
    const whole = { ...options, clipping: rules[0]! };
    expect(made(undefined, whole)).toThrow(/model is undefined; it must be a tf.LayersModel/);
    expect(made(net, undefined)).toThrow(/options is undefined; it must be an object with loss, clipping and engine/);
    expect(made(net, { ...whole, loss: undefined })).toThrow(/loss is undefined; it must be the name of one/);
    expect(made(net, { ...whole, clipping: undefined })).toThrow(/clipping is undefined; it must be an object with a kind/);
    expect(made(net, { ...whole, engine: undefined })).toThrow(/engine is missing/);
    expect(made(net, { ...whole, engine: 'onnx-cpu' })).toThrow(/engine is missing/);
    expect(() =>
      clippedGradient(net, { ...options, loss: (ops, p) => ops.sub(p, ops.sum(p, [0])), clipping: rules[0]! }),
    ).toThrow(/the loss function mixes examples/);
    const frozen = sequential({ layers: [layers.dense({ units: 1, inputShape: [2], trainable: false })] });
    expect(() => clippedGradient(frozen, { ...options, clipping: rules[0]! })).toThrow(/no trainable parameters/);
  });

  it('names the argument whose data do not fit', async () => {
    const f = clippedGradient(net, { ...options, clipping: rules[0]! });
    await expect(f(rows(numbers(6, 1), 3), rows(numbers(4, 1), 2))).rejects.toThrow(/x has shape \[2, 3\]/);
    await expect(f(rows(numbers(8, 1), 4), rows(numbers(6, 1), 2))).rejects.toThrow(/y has 6 numbers; 2 examples need 4/);
  });
});
