/** One example more moves all that come after it by a place: no gradient may change with it. */
import { onnxEngine } from '@sotto/core/onnx';
import { compileModel } from '@sotto/core/model';
import { referenceEngine } from '@sotto/core/ops';
import type { CompiledProgram, Engine, NumericArray, Ops } from '@sotto/core/ops';
import { clippedGradient, createMechanismPlan, createRecordTrainer } from '@sotto/dp';
import type { LayersModelLike } from '@sotto/core/model';
import '@tensorflow/tfjs-backend-cpu';
import { tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { unsafeDeterministicRandom } from '../../../packages/core/src/unsafe-deterministic-random.ts';
import { predictionProgram } from '../../../packages/dp/src/training/gradient-programs.ts';
import { Evaluator } from '../../../packages/dp/src/training/evaluator.ts';
import { createObjective } from '../../../packages/dp/src/training/objective.ts';
import { tableOf } from '../../../packages/dp/src/training/examples.ts';
import { uniform } from '../../core/ops/places.ts';

const { layers, sequential } = tf;
const random = unsafeDeterministicRandom('places');

/** A factor that makes one unit in the last place of a number near 1 a number. */
const STEEP = 2 ** 24;

/** A feature that an engine may round otherwise in another place, before a kink that lies exactly at one of its values. */
interface Kinked {
  readonly name: string;
  readonly width: readonly number[];
  readonly feature: () => tf.layers.Layer;
  /** The weights of the feature's layer. */
  readonly weights: readonly { readonly values: readonly number[]; readonly shape: number[] }[];
  /** Far below the kink. */
  readonly low: number;
  readonly scale: number;
}

const kinked: readonly Kinked[] = [
  {
    name: 'a mean of 25 numbers',
    width: [5, 5, 1],
    feature: () => layers.globalAveragePooling2d({ inputShape: [5, 5, 1] } as never),
    weights: [],
    low: 0,
    scale: 1,
  },
  {
    name: 'softplus',
    width: [1],
    feature: () => layers.dense({ units: 1, activation: 'softplus', inputShape: [1] }),
    weights: [
      { values: [1], shape: [1, 1] },
      { values: [0], shape: [1] },
    ],
    low: -10,
    scale: 4,
  },
  {
    name: 'a product with one column',
    width: [25],
    feature: () => layers.dense({ units: 1, useBias: false, inputShape: [25] }),
    weights: [{ values: [...uniform(25, 3)].map(Math.abs), shape: [25, 1] }],
    low: 0,
    scale: 0.1,
  },
];

const engine = onnxEngine();

describe.each(kinked)('a relu behind $name', ({ width, feature, weights, low, scale }) => {
  const size = width.reduce((a, b) => a * b, 1);
  const features = sequential({ layers: [feature()] });
  const own = weights.map(({ values, shape }) => tensor([...values], shape));
  features.setWeights(own);

  it.each([5, 25, 32])('has the claimed sensitivity in runs of %i', async (n) => {
    const graph = compileModel(features as unknown as LayersModelLike);
    const compiled = await engine.compile(predictionProgram(graph, n));
    const parameters = Float32Array.from(weights.flatMap(({ values }) => [...values]));
    // Where places give different numbers, such examples are looked for; where they do not, any are.
    let tried = 0;
    for (let seed = 1; seed <= 100 && tried < 3; seed++) {
      const row = uniform(size, seed).map((x) => scale * Math.abs(x));
      const rows = Float32Array.from({ length: n * size }, (_, i) => row[i % size]!);
      const { o0 } = await compiled.run({ x0: rows, parameters });
      const kink = Math.min(...o0!);
      if (seed <= 97 && o0!.every((value) => value === kink)) continue;
      tried++;
      const model = sequential({ layers: [feature(), layers.dense({ units: 1, activation: 'relu' })] });
      model.setWeights([...own, tensor([[STEEP]]), tensor([-STEEP * kink])]);
      const f = clippedGradient(model as unknown as LayersModelLike, {
        loss: 'meanAbsoluteError',
        clipping: { kind: 'flat', norm: 1 },
        engine,
        physicalBatchSize: n,
      });
      const nothing = new Float32Array(size).fill(low);
      // Those at the kink stand where a run gives the larger number, if any does, and one example more moves them on.
      const isHigh = Array.from(o0!, (value) => value > kink);
      const isChosen = (place: number): boolean => (isHigh.includes(true) ? isHigh[place]! : place % 2 === 0);
      const examples = Array.from({ length: 4 * n }, (_, i) => (isChosen(i % n) ? row : nothing));
      const sumOf = async (list: readonly Float32Array[]): Promise<Float64Array> => {
        const x = Float32Array.from(list.flatMap((values) => [...values]));
        const y = tensor(new Float32Array(list.length).fill(-1), [list.length, 1]);
        return (await f(tensor(x, [list.length, ...width]), y)).sum;
      };
      const [without, withOne] = [await sumOf(examples), await sumOf([nothing, ...examples])];
      expect(Math.hypot(...without.map((value, j) => value - withOne[j]!))).toBeLessThanOrEqual(1);
      await f.close();
    }
    expect(tried).toBe(3);
    await compiled.dispose();
  });
});

describe('a loss that weighs examples by their rows', () => {
  it('is refused, because one example more changes the weights of all that come after it', () => {
    const model = sequential({ layers: [layers.dense({ units: 1, useBias: false, inputShape: [1] })] });
    const loss = <T>(ops: Ops<T>, predictions: T, targets: T): T => {
      const [n] = ops.shapeOf(predictions) as [number];
      const signs = Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1));
      return ops.mul(ops.constant(signs, [n, 1]), ops.abs(ops.sub(predictions, targets)));
    };
    const given = { loss, clipping: { kind: 'flat', norm: 1 }, engine: referenceEngine } as const;
    expect(() => clippedGradient(model as unknown as LayersModelLike, given)).toThrow(
      /the loss function mixes examples: mul: it combines examples with a value that differs from place to place in the batch/,
    );
  });
});

describe('an engine whose last row is computed otherwise', () => {
  /** The float64 loops, but the last row of every output with one row per example is one unit in its last place larger. */
  const unsteady = (n: number): Engine => ({
    ...referenceEngine,
    name: 'unsteady',
    async compile(program): Promise<CompiledProgram> {
      const compiled = await referenceEngine.compile(program);
      return {
        outputs: compiled.outputs,
        dispose: () => compiled.dispose(),
        async run(inputs) {
          const outputs = await compiled.run(inputs);
          return Object.fromEntries(
            Object.entries(outputs).map(([name, values]): [string, NumericArray] => {
              if (compiled.outputs[name]![0] !== n || name === 'ok') return [name, values];
              const changed = Float32Array.from(values);
              const from = (n - 1) * (values.length / n);
              for (let i = from; i < values.length; i++) changed[i] = changed[i]! * (1 + 2 ** -23);
              return [name, changed];
            }),
          );
        },
      };
    },
  });
  const model = (): LayersModelLike => {
    const built = sequential({
      layers: [
        layers.dense({ units: 3, activation: 'tanh', inputShape: [4] }),
        layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });
    return built as unknown as LayersModelLike;
  };
  const message = /the engine unsteady computes other numbers .* in another place of a run of 16.*physicalBatchSize to 1/;
  const mechanism = (mode: 'secure' | 'fast') =>
    createMechanismPlan({
      sampleRate: 0.5,
      expectedBatchSize: 16,
      clipping: { kind: 'flat', norm: 1 },
      noiseMultiplier: 1,
      mode,
      ...(mode === 'fast' ? { maxBatchSize: 64 } : {}),
    });
  const train = (mode: 'secure' | 'fast', n: number) =>
    createRecordTrainer({
      model: model(),
      loss: 'categoricalCrossentropy',
      features: uniform(32 * 4, 1),
      labels: Float32Array.from({ length: 64 }, (_, i) => i % 2),
      plan: mechanism(mode),
      engine: unsteady(n),
      random,
      physicalBatchSize: n,
    });

  it.each(['secure', 'fast'] as const)('is refused in %s mode before any step', async (mode) => {
    await expect(train(mode, 16)).rejects.toThrow(message);
  });

  it.each(['secure', 'fast'] as const)('trains one example at a time in %s mode', async (mode) => {
    const trainer = await train(mode, 1);
    await trainer.close();
  });

  it('is refused by clippedGradient', async () => {
    const f = clippedGradient(model(), {
      loss: 'categoricalCrossentropy',
      clipping: { kind: 'flat', norm: 1 },
      engine: unsteady(16),
      physicalBatchSize: 16,
    });
    const [x, y] = [tensor(uniform(8, 1), [2, 4]), tensor([1, 0, 0, 1], [2, 2])];
    await expect(f(x, y)).rejects.toThrow(message);
    await expect(f(x, y)).rejects.toThrow(message);
  });

  it('is refused where noisy figures are computed, and not where plain ones are', async () => {
    const graph = compileModel(model());
    const objective = createObjective(graph, 'categoricalCrossentropy');
    const shared = { graph, objective, physicalBatchSize: 16, frozen: new Float32Array(0) };
    const evaluator = new Evaluator({ ...shared, engine: unsteady(16) });
    const table = tableOf(
      [
        { name: 'x0', argument: 'x', shape: [4], width: 4 },
        { name: 'y0', argument: 'y', shape: [2], width: 2 },
      ],
      [uniform(8, 1), Float32Array.of(1, 0, 0, 1)],
    );
    const weights = Float64Array.from(uniform(graph.parameterCount, 2));
    await evaluator.visit(table, weights, () => undefined);
    await expect(evaluator.visit(table, weights, () => undefined, true)).rejects.toThrow(message);
    await evaluator.close();
  });
});
