/** Losses: values and gradients of tfjs, finite differences, weights of several outputs, and functions of one's own. */
import { compileModel, forwardModel } from '@sotto/core/model';
import { referenceEngine, sizeOf } from '@sotto/core/ops';
import type { Ops, Program } from '@sotto/core/ops';
import '@tensorflow/tfjs-backend-cpu';
import * as core from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { lossNames, lossRule } from '../../../packages/dp/src/training/losses.ts';
import type { Loss, LossName } from '../../../packages/dp/src/training/losses.ts';
import { createObjective } from '../../../packages/dp/src/training/objective.ts';
import { expectClose, numbers, runOnce } from '../../core/ops/support.ts';
import { checkDerivatives, checkEngines, checkFiniteDifferences, checkPerExample } from './support/gradients.ts';
import type { GradientCase } from './support/gradients.ts';

const { layers, sequential } = tf;
const N = 4;

/** A model that hands its input on. */
const identity = (shape: number[], activation: 'linear' | 'sigmoid' | 'softmax' = 'linear'): tf.Sequential =>
  sequential({ layers: [layers.activation({ activation, inputShape: shape })] });

type LossOfTfjs = (truth: Tensor, prediction: Tensor) => Tensor;

/** The function that tfjs itself compiles a name to. */
function tfjsLoss(name: LossName): LossOfTfjs {
  const { losses, Reduction } = core;
  if (name === 'huberLoss') return (y, p) => losses.huberLoss(y, p, undefined, 1, Reduction.NONE);
  if (name === 'cosineDistance') return (y, p) => losses.cosineDistance(y, p, p.rank - 1, undefined, Reduction.NONE);
  if (name === 'logLoss') return (y, p) => losses.logLoss(y, p, undefined, undefined, Reduction.NONE);
  if (name === 'sigmoidCrossEntropy' || name === 'softmaxCrossEntropy')
    return (y, p) => losses[name](y, p, undefined, undefined, Reduction.NONE);
  if (name === 'absoluteDifference' || name === 'hingeLoss') return (y, p) => losses[name](y, p, undefined, Reduction.NONE);
  const x = tf.input({ shape: [2] });
  const model = tf.model({ inputs: x, outputs: layers.activation({ activation: 'linear' }).apply(x) as tf.SymbolicTensor });
  model.compile({ loss: name, optimizer: 'sgd' });
  return (model as unknown as { lossFunctions: LossOfTfjs[] }).lossFunctions[0]!;
}

/** Our loss and gradient of predictions on the reference engine. */
async function ours(loss: Loss, shape: number[], p: Float32Array, y: Float32Array) {
  const graph = compileModel(identity(shape));
  const rule = lossRule(graph, loss);
  const program: Program = {
    name: 'loss',
    inputs: [
      { name: 'p', shape: [N, ...shape] },
      { name: 'y', shape: [N, ...rule.targetShape] },
    ],
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const forward = forwardModel(ops, graph, [inputs['p']!], []);
      const { losses, gradient } = rule.apply(ops, forward, inputs['y']!);
      return { losses, gradient };
    },
  };
  return runOnce(referenceEngine, program, { p, y });
}

const probabilities = new Set<LossName>([
  'categoricalCrossentropy',
  'binaryCrossentropy',
  'kullbackLeiblerDivergence',
  'poisson',
  'meanSquaredLogarithmicError',
  'sparseCategoricalCrossentropy',
  'logLoss',
]);

function data(name: LossName, shape: number[]): { p: Float32Array; y: Float32Array; target: number[] } {
  const size = N * sizeOf(shape);
  const classes = shape.at(-1)!;
  const p = probabilities.has(name) ? numbers(size, 3).map((x) => 0.5 + 0.45 * x) : numbers(size, 3).map((x) => 2.5 * x);
  if (name === 'sparseCategoricalCrossentropy') {
    const y = Float32Array.from({ length: size / classes }, (_, i) => (2 * i + 1) % classes);
    return { p, y, target: [...shape.slice(0, -1), 1] };
  }
  // The gradient that tfjs gives holds for shares that add up to 1.
  if (name === 'softmaxCrossEntropy')
    return {
      p,
      y: Float32Array.from({ length: size }, (_, i) => (i % classes === Math.floor(i / classes) % classes ? 1 : 0)),
      target: shape,
    };
  if (name === 'hingeLoss') return { p, y: Float32Array.from({ length: size }, (_, i) => (i % 3 === 0 ? 1 : 0)), target: shape };
  if (/[hH]inge/.test(name))
    return { p, y: Float32Array.from({ length: size }, (_, i) => (i % 3 === 0 ? 1 : -1)), target: shape };
  const y = numbers(size, 8).map((x) => (probabilities.has(name) ? 0.5 + 0.4 * x : 2 * x));
  return { p, y, target: shape };
}

describe.each(lossNames)('%s', (name) => {
  it.each([[[3]], [[2, 4]]])('has the values and gradients of tfjs on examples of shape %j', async (shape) => {
    const { p, y, target } = data(name, shape);
    const loss = tfjsLoss(name);
    const truth = core.tensor(y, [N, ...target]);
    const prediction = core.tensor(p, [N, ...shape]);
    const perExample = (x: Tensor): Tensor => core.mean(core.reshape(loss(truth, x), [N, -1]), 1);
    const { losses, gradient } = await ours(name, shape, p, y);
    expectClose(losses!, await perExample(prediction).data(), 2e-5, 'losses');
    const expected = core.grad((x: Tensor) => core.sum(perExample(x)))(prediction);
    expectClose(gradient!, await expected.data(), 2e-5, 'gradient');
  });
});

describe('crossentropies of logits', () => {
  it.each([
    ['binaryCrossentropy', 'sigmoid'],
    ['categoricalCrossentropy', 'softmax'],
  ] as const)('%s of %s equals the same loss of the probabilities', async (name, activation) => {
    const graph = compileModel(identity([3], activation));
    const rule = lossRule(graph, name);
    const z = numbers(N * 3, 2).map((x) => 3 * x);
    const y = Float32Array.from({ length: N * 3 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0));
    const program: Program = {
      name: 'loss',
      inputs: [
        { name: 'z', shape: [N, 3] },
        { name: 'y', shape: [N, 3] },
      ],
      build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
        const forward = forwardModel(ops, graph, [inputs['z']!], []);
        const { losses, gradient } = rule.apply(ops, forward, inputs['y']!);
        return { losses, gradient };
      },
    };
    const { losses, gradient } = await runOnce(referenceEngine, program, { z, y });
    const loss = tfjsLoss(name);
    const squash = (x: Tensor): Tensor => (activation === 'sigmoid' ? core.sigmoid(x) : core.softmax(x));
    const perExample = (x: Tensor): Tensor => loss(core.tensor(y, [N, 3]), squash(x));
    expectClose(losses!, await perExample(core.tensor(z, [N, 3])).data(), 2e-5, 'losses');
    const expected = core.grad((x: Tensor) => core.sum(perExample(x)))(core.tensor(z, [N, 3]));
    expectClose(gradient!, await expected.data(), 2e-5, 'gradient');
  });

  it('stay finite where probabilities round to 0 and 1', async () => {
    const graph = compileModel(identity([2], 'softmax'));
    const rule = lossRule(graph, 'categoricalCrossentropy');
    const program: Program = {
      name: 'loss',
      inputs: [
        { name: 'z', shape: [1, 2] },
        { name: 'y', shape: [1, 2] },
      ],
      build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
        return { losses: rule.apply(ops, forwardModel(ops, graph, [inputs['z']!], []), inputs['y']!).losses };
      },
    };
    const { losses } = await runOnce(referenceEngine, program, { z: Float32Array.of(500, -500), y: Float32Array.of(0, 1) });
    expect(losses![0]).toBe(1000);
  });
});

const model =
  (activation: 'linear' | 'sigmoid' | 'softmax', shape: number[] = [3]) =>
  () =>
    sequential({
      layers: [layers.dense({ units: 4, activation: 'tanh', inputShape: shape }), layers.dense({ units: 3, activation })],
    });

/** Two inputs and two outputs that share their first layers. */
function twoHeads(): tf.LayersModel {
  const a = tf.input({ shape: [3], name: 'a' });
  const b = tf.input({ shape: [2], name: 'b' });
  const left = layers.dense({ units: 4, activation: 'tanh', name: 'left' }).apply(a) as tf.SymbolicTensor;
  const right = layers.dense({ units: 4, name: 'right' }).apply(b) as tf.SymbolicTensor;
  const both = layers.add({ name: 'both' }).apply([left, right]) as tf.SymbolicTensor;
  const kind = layers.dense({ units: 3, activation: 'softmax', name: 'kind' }).apply(both) as tf.SymbolicTensor;
  const size = layers.dense({ units: 1, name: 'size' }).apply([both]) as tf.SymbolicTensor;
  return tf.model({ inputs: [a, b], outputs: [kind, size] });
}

const cases: readonly GradientCase[] = [
  { name: 'mean squared error', loss: 'meanSquaredError', model: model('linear') },
  { name: 'binary crossentropy from logits', loss: 'binaryCrossentropy', model: model('sigmoid') },
  { name: 'binary crossentropy of probabilities', loss: 'binaryCrossentropy', model: model('softmax') },
  { name: 'categorical crossentropy from logits', loss: 'categoricalCrossentropy', model: model('softmax') },
  { name: 'categorical crossentropy of probabilities', loss: 'categoricalCrossentropy', model: model('sigmoid') },
  { name: 'sparse categorical crossentropy', loss: 'sparseCategoricalCrossentropy', model: model('softmax') },
  { name: 'sparse categorical crossentropy of probabilities', loss: 'sparseCategoricalCrossentropy', model: model('sigmoid') },
  {
    name: 'sparse categorical crossentropy over a sequence',
    loss: 'sparseCategoricalCrossentropy',
    model: model('softmax', [5, 2]),
  },
  ...(['logcosh', 'cosineProximity', 'huberLoss', 'squaredHinge', 'sigmoidCrossEntropy', 'softmaxCrossEntropy'] as const).map(
    (loss): GradientCase => ({
      name: loss,
      loss,
      model: model('linear'),
    }),
  ),
  ...(['poisson', 'kullbackLeiblerDivergence', 'meanSquaredLogarithmicError', 'logLoss'] as const).map((loss): GradientCase => ({
    name: loss,
    loss,
    model: model('sigmoid'),
  })),
  {
    name: 'weighted losses of two outputs',
    loss: { kind: 'sparseCategoricalCrossentropy', size: 'meanAbsoluteError' },
    lossWeights: [0.3, 1.7],
    model: twoHeads,
  },
  {
    name: 'one of two outputs',
    loss: { kind: 'sparseCategoricalCrossentropy' },
    model: () => {
      const heads = twoHeads();
      heads.getLayer('size').trainable = false;
      return heads;
    },
  },
  {
    name: 'a loss of two outputs at once',
    // The second output weighs how much the first one counts, as in heteroscedastic regression.
    loss: {
      joint: (ops, [kind, size], [truth]) => {
        const n = ops.shapeOf(kind!)[0]!;
        const squares = ops.mul(ops.sub(kind!, truth!), ops.sub(kind!, truth!));
        return ops.add(ops.mul(ops.exp(ops.neg(size!)), ops.reshape(ops.sum(squares, [1]), [n, 1])), size!);
      },
    },
    model: twoHeads,
  },
  {
    name: 'a loss of one’s own',
    // Quantile loss, by hand.
    loss: (ops, prediction, target) => {
      const error = ops.sub(target, prediction);
      return ops.maximum(ops.mul(error, ops.constant([0.9], [])), ops.mul(error, ops.constant([-0.1], [])));
    },
    model: model('linear'),
  },
  {
    name: 'a loss of one’s own with products, slices and softmax',
    loss: (ops, prediction, target) => {
      const n = ops.shapeOf(prediction)[0]!;
      const rows = ops.matMul(ops.reshape(prediction, [n, 3, 1]), ops.reshape(ops.softmax(prediction), [n, 1, 3]));
      const mixed = ops.add(ops.transpose(rows, [0, 2, 1]), ops.reshape(target, [n, 1, 3]));
      const part = ops.slice(ops.concat([mixed, rows], 1), [0, 1, 0], [n, 4, 3]);
      return ops.sum(ops.mul(ops.exp(part), ops.tanh(ops.reverse(part, [2]))), [1, 2]);
    },
    model: model('linear'),
  },
];

describe.each(cases)('$name', (example) => {
  it('has the gradients of finite differences', () => checkFiniteDifferences(example));
  it('has the derivatives of its own operations, to 1e-10', () => checkDerivatives(example));
  it('keeps examples apart', () => checkPerExample(example));
  it('agrees between engines', () => checkEngines(example));
});

describe('objectives', () => {
  const graph = compileModel(twoHeads());

  it('give each output its loss, by list or by name', () => {
    const byName = createObjective(graph, { size: 'meanSquaredError', kind: 'sparseCategoricalCrossentropy' });
    expect(byName.targets.map(({ name, output, shape }) => [name, output, shape])).toEqual([
      ['y0', 'kind', []],
      ['y1', 'size', [1]],
    ]);
    expect(createObjective(graph, ['categoricalCrossentropy', 'meanSquaredError']).targetShapes).toEqual([[3], [1]]);
    expect(createObjective(graph, { size: 'meanSquaredError' }).targets.map(({ name, output }) => [name, output])).toEqual([
      ['y0', 'size'],
    ]);
  });

  it.each([
    [() => createObjective(graph, { sise: 'meanSquaredError' } as never), /loss has sise, which is no output.*kind, size/],
    [() => createObjective(graph, {}), /loss names no output/],
    [() => createObjective(graph, ['meanSquaredError']), /loss has 1 entries; the model has 2 outputs/],
    [() => createObjective(graph, 'meanSquaredError', [1]), /lossWeights has 1 entries; the model has 2 outputs/],
    [() => createObjective(graph, 'meanSquaredError', { kind: NaN }), /lossWeights.kind/],
    [() => createObjective(graph, 'crossEntropy' as never), /loss is "?crossEntropy"?/],
  ])('refuse what does not fit the model', (build, message) => {
    expect(build).toThrow(message);
  });
});

describe('loss functions that mix examples', () => {
  const graph = compileModel(identity([3]));
  it.each<[string, Loss]>([
    ['sum over the batch', (ops, p, y) => ops.sub(p, ops.sum(y, [0]))],
    ['centre the predictions', (ops, p) => ops.sub(p, ops.mul(ops.sum(p, [0]), ops.constant([1 / ops.shapeOf(p)[0]!], [])))],
    ['compare every example with every other', (ops, p) => ops.matMul(p, p, false, true)],
    ['reverse the batch', (ops, p, y) => ops.sub(p, ops.reverse(y, [0]))],
    [
      'reshape the batch away',
      (ops, p) => {
        const n = ops.shapeOf(p)[0]!;
        return ops.mul(p, ops.reshape(ops.reshape(p, [3, n]), [n, 3]));
      },
    ],
    [
      'turn the batch',
      (ops, p, y) => {
        const n = ops.shapeOf(p)[0]!;
        return ops.add(
          ops.sum(ops.mul(p, y), [1]),
          ops.slice(ops.transpose(ops.softmax(ops.transpose(p, [1, 0])), [1, 0]), [0, 0], [n, 1]),
        );
      },
    ],
    [
      'look other examples up',
      (ops, p, y) => ops.add(p, ops.reshape(ops.gather(y, ops.slice(y, [0, 0], [ops.shapeOf(p)[0]!, 1])), ops.shapeOf(p))),
    ],
  ])('are refused: %s', (_, loss) => {
    expect(() => lossRule(graph, loss)).toThrow(/the loss function mixes examples: \w+: .*reduce along other axes than 0/);
  });

  it('are refused by the shape of what they give', () => {
    expect(() => lossRule(graph, (ops, p) => ops.slice(p, [0, 0], [1, 3]))).toThrow(
      /loss function gives \[1, 3\] for 5 examples/,
    );
    expect(() => lossRule(graph, (_, __, y) => y)).toThrow(/does not depend on the predictions/);
  });

  it('are refused among losses of all outputs at once', () => {
    const heads = compileModel(twoHeads());
    expect(() => createObjective(heads, { joint: (ops, [a, b]) => ops.sub(ops.sum(a!, [1]), ops.max(b!, [0])) })).toThrow(
      /the loss function mixes examples: max: it takes the maximum along the batch axis/,
    );
    expect(() => createObjective(heads, { joint: (_, __, [y]) => y! })).toThrow(/does not depend on the predictions/);
    expect(() => createObjective(heads, { joint: (_, [a]) => a!, targetShapes: [[3]] })).toThrow(
      /targetShapes has 1 entries; the model has 2/,
    );
    expect(() => createObjective(heads, { joint: (_, [a]) => a! }, [1, 2])).toThrow(/lossWeights has no meaning/);
  });

  it('may have targets of another shape', () => {
    const rule = lossRule(graph, {
      targetShape: [2, 3],
      loss: (ops, p, y) => {
        const n = ops.shapeOf(p)[0]!;
        return ops.mul(ops.reshape(p, [n, 1, 3]), y);
      },
    });
    expect(rule.targetShape).toEqual([2, 3]);
  });
});
