/** Losses that cross to another thread compute what they computed here, for every batch size; those that can't are told apart. */
import { referenceEngine } from '@sotto/core/ops';
import type { Ops, Shape } from '@sotto/core/ops';
import { makePrivate } from '@sotto/dp';
import type { LossFunction, Losses } from '@sotto/dp';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { describe, expect, it } from 'vitest';
import { lossFunctions } from '../../../packages/dp/src/training/loss-functions.ts';
import { packLosses, unpackLosses } from '../../../packages/dp/src/training/portable-loss.ts';
import { playBack, recordFunction } from '../../../packages/dp/src/training/recorded-loss.ts';
import type { BatchFunction } from '../../../packages/dp/src/training/recorded-loss.ts';
import { options, smallModel, weightsOf, x, y } from './support/two-moons.ts';

/** What a function gives on made-up numbers in (0, 1). */
async function run(f: BatchFunction, shapes: readonly Shape[], n: number): Promise<number[]> {
  const program = await referenceEngine.compile({
    name: 'loss',
    inputs: shapes.map((shape, i) => ({ name: `i${i}`, shape: [n, ...shape] })),
    build: <T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>) => ({
      out: f(
        ops,
        shapes.map((_, i) => inputs[`i${i}`]!),
      ),
    }),
  });
  const values = (shape: Shape, from: number): Float64Array =>
    Float64Array.from({ length: n * shape.reduce((a, b) => a * b, 1) }, (_, j) => 0.5 + 0.45 * Math.sin(1.7 * j + from));
  const { out } = await program.run(Object.fromEntries(shapes.map((shape, i) => [`i${i}`, values(shape, i)])));
  return [...out!];
}

/** Over a copy as another thread gets it. */
const sent = (f: BatchFunction, shapes: readonly Shape[]): BatchFunction => playBack(structuredClone(recordFunction(f, shapes)));

const own: Readonly<Record<string, { f: BatchFunction; shapes: readonly Shape[] }>> = {
  'shapes, slices and constants that follow the batch size': {
    shapes: [
      [4, 3],
      [4, 3],
    ],
    f(ops, [p, y]) {
      const n = ops.shapeOf(p!)[0]!;
      const weights = ops.constant(
        Float32Array.from({ length: n * 4 }, (_, i) => 1 + (i % 4)),
        [n, 4, 1],
      );
      const squares = ops.mul(ops.sub(p!, y!), ops.sub(p!, y!));
      const flat = ops.reshape(ops.mul(squares, weights), [n * 4, 3]);
      const joined = ops.concat([ops.slice(flat, [0, 0], [n * 4, 2]), ops.slice(flat, [0, 1], [n * 4, 2])], 1);
      return ops.sum(ops.reshape(joined, [n, 16]), [1]);
    },
  },
  'attributes of operations': {
    shapes: [[2, 6, 6], [1]],
    f(ops, [p, y]) {
      const n = ops.shapeOf(p!)[0]!;
      const window = { strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1] } as const;
      const pooled = ops.maxPool2d(p!, { ...window, size: [2, 2] });
      return ops.mul(ops.sum(ops.reshape(pooled, [n, 18]), [1]), y!);
    },
  },
};

describe('a recorded function', () => {
  it.each(Object.entries(lossFunctions))('computes what the loss computes: %s', async (_, loss) => {
    const shapes = [[3], [3]];
    const f: BatchFunction = (ops, [p, y]) => loss(ops, p!, y!);
    for (const n of [1, 3, 64]) expect(await run(sent(f, shapes), shapes, n)).toEqual(await run(f, shapes, n));
  });

  it.each(Object.entries(own))('follows the batch size through %s', async (_, { f, shapes }) => {
    for (const n of [1, 2, 4, 9, 130]) expect(await run(sent(f, shapes), shapes, n)).toEqual(await run(f, shapes, n));
  });

  const scaled =
    (factor: (n: number) => number): BatchFunction =>
    (ops, [p]) =>
      ops.mul(p!, ops.constant([factor(ops.shapeOf(p!)[0]!)], []));
  const primitive = { name: 'own', shape: () => [1] } as never;

  it.each<[string, BatchFunction, RegExp]>([
    ['random numbers', scaled(() => Math.random()), /a number in constant is none that follows from the batch size/],
    ['a mean over the batch', scaled((n) => 1 / n), /a number in constant is none that follows/],
    [
      'other operations for other batches',
      (ops, [p]) => (ops.shapeOf(p!)[0]! > 100 ? ops.neg(p!) : p!),
      /its calls change with the batch size/,
    ],
    [
      'a constant that tells examples apart',
      (ops, [p]) => {
        const n = ops.shapeOf(p!)[0]!;
        return ops.mul(
          p!,
          ops.constant(
            Array.from({ length: n }, (_, i) => i),
            [n, 1],
          ),
        );
      },
      /a constant differs from example to example/,
    ],
    ['an operation of its own', (ops, [p]) => ops.apply(primitive, [p!], {}), /a function is among the arguments/],
    ['no tensor', (() => 5) as never, /does not return a tensor/],
  ])('is refused where a function has %s', (_, f, message) => {
    expect(() => recordFunction(f, [[2], [2]])).toThrow(message);
  });
});

describe('losses as data', () => {
  const absolute: LossFunction = (ops, p, t) => ops.abs(ops.sub(p, t));

  it.each<[string, Losses]>([
    ['a function', absolute],
    ['a function with the shape of its targets', { loss: absolute, targetShape: [1] }],
    ['a list', [absolute]],
    ['a joint loss', { joint: (ops, [p], [t]) => ops.abs(ops.sub(p!, t!)) }],
  ])('train the same weights: %s', async (_, loss) => {
    const train = async (given: Losses): Promise<number[]> => {
      const model = smallModel();
      await makePrivate(model, options({ loss: given, random: unsafeDeterministicRandom('losses') })).fit(x, y, { steps: 3 });
      return weightsOf(model);
    };
    const { graph } = makePrivate(smallModel(), options());
    expect(await train(unpackLosses(structuredClone(packLosses(graph, loss))))).toEqual(await train(loss));
  });
});
