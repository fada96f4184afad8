/**
 * Random small models: directed acyclic graphs of all layer kinds with merges, several inputs and several outputs with weighted losses, checked
 * as every layer is.
 */
import '@tensorflow/tfjs-backend-cpu';
import { GroupNormalization, MultiHeadAttention, PositionEmbedding, RmsNormalization } from '@sotto/core/tfjs';
import * as tf from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerKinds } from '../../../packages/core/src/model/kinds.ts';
import { lossNames } from '../../../packages/dp/src/training/losses.ts';
import type { LossName } from '../../../packages/dp/src/training/losses.ts';
import { checkDerivatives, checkEngines, checkFiniteDifferences, checkForward, checkPerExample } from './support/gradients.ts';
import type { GradientCase } from './support/gradients.ts';

const { input, layers, model } = tf;
type Value = tf.SymbolicTensor;

/** Images of 4×4 in two channels, sequences of 4 steps in 4 channels, vectors of 4: each state a value can be in. */
type State = 'image' | 'sequence' | 'vector';
const SHAPES: Readonly<Record<State, number[]>> = { image: [4, 4, 2], sequence: [4, 4], vector: [4] };

/** A step from a state to one: one layer, or a few that fit together. */
interface Step {
  readonly from: State;
  readonly to: State;
  /** `mask` adds an input `[4]` of ones and zeros to the model. */
  readonly apply: (x: Value, mask: () => Value) => Value;
}

const chain =
  (...parts: readonly (() => tf.layers.Layer)[]) =>
  (x: Value): Value =>
    parts.reduce((value, part) => part().apply(value) as Value, x);

const same = (state: State, ...parts: readonly (() => tf.layers.Layer)[]): Step => ({
  from: state,
  to: state,
  apply: chain(...parts),
});
/** From 10×10 to 4×4 by windows of 3 at a stride of 2. */
const pooled = (part: () => tf.layers.Layer): Step[] => [same('image', () => layers.zeroPadding2d({ padding: 3 }), part)];
const states: readonly State[] = ['image', 'sequence', 'vector'];
/** Layers that keep any shape. */
const anywhere = (part: () => tf.layers.Layer): Step[] => states.map((state) => same(state, part));

const activations = [
  'linear', 'relu', 'relu6', 'elu', 'selu', 'sigmoid', 'hardSigmoid', 'tanh', 'softplus', 'softsign', 'swish', 'mish', 'gelu', 'gelu_new', 'softmax',
  'logSoftmax',
] as const; // prettier-ignore

const steps: readonly Step[] = [
  ...activations.flatMap((name) => anywhere(() => layers.activation({ activation: name as 'relu' }))),
  ...anywhere(() => layers.reLU({ maxValue: 0.7 })),
  ...anywhere(() => layers.leakyReLU({ alpha: 0.2 })),
  ...anywhere(() => layers.elu()),
  ...anywhere(() => layers.thresholdedReLU({ theta: 0.1 })),
  ...anywhere(() => layers.prelu()),
  ...anywhere(() => layers.layerNormalization()),
  ...anywhere(() => new RmsNormalization({ epsilon: 0.1 })),
  ...anywhere(() => layers.layerNormalization({ center: false, epsilon: 0.01 })),
  ...anywhere(() => layers.layerNormalization({ trainable: false })),
  ...anywhere(() => new GroupNormalization({ groups: 1, epsilon: 0.1 })),
  ...anywhere(() => new GroupNormalization({ groups: 2, epsilon: 0.1 })),
  ...anywhere(() => layers.dropout({ rate: 0.3 })),
  ...anywhere(() => layers.gaussianNoise({ stddev: 0.2 })),
  ...anywhere(() => layers.gaussianDropout({ rate: 0.2 })),
  ...anywhere(() => layers.alphaDropout({ rate: 0.2 })),
  ...anywhere(() => layers.batchNormalization({ trainable: false })),
  ...anywhere(() => layers.batchNormalization({ trainable: false, scale: false, epsilon: 0.1 })),
  same('image', () => layers.layerNormalization({ axis: [2, 3], epsilon: 0.1 })),
  same('image', () => layers.prelu({ sharedAxes: [1, 2] })),
  same('sequence', () => layers.spatialDropout1d({ rate: 0.3 })),
  ...states.map((state) => same(state, () => layers.dense({ units: SHAPES[state].at(-1)!, activation: 'tanh' }))),
  ...states.map((state) => same(state, () => layers.dense({ units: SHAPES[state].at(-1)!, trainable: false }))),
  // The axis that tfjs takes by default is the last one of vectors only.
  ...anywhere(() => layers.softmax({ axis: -1 })),
  same('image', () => layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh' })),
  same('image', () => layers.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, padding: 'same', useBias: false })),
  same('image', () => layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'relu', trainable: false })),
  ...pooled(() => layers.conv2d({ filters: 2, kernelSize: 3, strides: 2 })),
  ...pooled(() => layers.depthwiseConv2d({ kernelSize: 3, strides: 2 })),
  ...pooled(() => layers.separableConv2d({ filters: 2, kernelSize: 3, strides: 2, useBias: false })),
  ...pooled(() => layers.maxPooling2d({ poolSize: 3, strides: 2 })),
  ...pooled(() => layers.averagePooling2d({ poolSize: 3, strides: 2 })),
  same('image', () => layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' })),
  same(
    'image',
    () => layers.depthwiseConv2d({ kernelSize: [1, 3], depthMultiplier: 2, padding: 'same', useBias: false }),
    () => layers.conv2d({ filters: 2, kernelSize: 1 }),
  ),
  same('image', () => layers.depthwiseConv2d({ kernelSize: 2, padding: 'same' })),
  same('image', () => layers.separableConv2d({ filters: 2, kernelSize: 3, padding: 'same' })),
  same('image', () => layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' })),
  same('image', () => layers.permute({ dims: [2, 1, 3] })),
  same(
    'image',
    () => layers.zeroPadding2d({ padding: 1 }),
    () => layers.conv2d({ filters: 2, kernelSize: 3 }),
  ),
  same('sequence', () => layers.conv1d({ filters: 4, kernelSize: 2, padding: 'same', activation: 'sigmoid' })),
  ...(['valid', 'same'] as const).map((padding) =>
    same(
      'sequence',
      () => layers.reshape({ targetShape: [8, 2] }),
      () =>
        layers.conv1d({
          filters: 4,
          kernelSize: 2,
          padding,
          dilationRate: padding === 'same' ? 1 : 2,
          useBias: padding !== 'valid',
        }),
      () => layers.flatten(),
      () => layers.dense({ units: 16, useBias: false }),
      () => layers.reshape({ targetShape: [4, 4] }),
    ),
  ),
  same(
    'sequence',
    () => layers.conv1d({ filters: 8, kernelSize: 3, strides: 2, padding: 'same' }),
    () => layers.reshape({ targetShape: [4, 4] }),
  ),
  same('sequence', () => layers.maxPooling1d({ poolSize: 2, strides: 1, padding: 'same' })),
  same('sequence', () => layers.averagePooling1d({ poolSize: 3, strides: 1, padding: 'same' })),
  same('sequence', () => layers.permute({ dims: [2, 1] })),
  same('sequence', () => new PositionEmbedding({})),
  same('sequence', () => new MultiHeadAttention({ numHeads: 2, keyDim: 2, causal: true })),
  same('sequence', () => new MultiHeadAttention({ numHeads: 1, keyDim: 3, useBias: false })),
  same('sequence', () => new MultiHeadAttention({ numHeads: 2, keyDim: 1, trainable: false })),
  ...[false, true].map((causal): Step => ({
    from: 'sequence',
    to: 'sequence',
    apply: (x, mask) => new MultiHeadAttention({ numHeads: 2, keyDim: 2, causal }).apply([x, mask()]) as Value,
  })),
  {
    from: 'image',
    to: 'vector',
    apply: chain(
      () => layers.globalAveragePooling2d({}),
      () => layers.dense({ units: 4 }),
    ),
  },
  {
    from: 'image',
    to: 'vector',
    apply: chain(
      () => layers.flatten(),
      () => layers.dense({ units: 4, useBias: false }),
    ),
  },
  {
    from: 'image',
    to: 'vector',
    apply: chain(
      () => layers.globalMaxPooling2d({}),
      () => layers.dense({ units: 4 }),
    ),
  },
  { from: 'sequence', to: 'vector', apply: chain(() => layers.globalAveragePooling1d()) },
  { from: 'sequence', to: 'vector', apply: chain(() => layers.globalMaxPooling1d()) },
  { from: 'vector', to: 'sequence', apply: chain(() => layers.repeatVector({ n: 4 })) },
  {
    from: 'image',
    to: 'sequence',
    apply: chain(
      () => layers.reshape({ targetShape: [4, 8] }),
      () => layers.dense({ units: 4 }),
    ),
  },
  {
    from: 'sequence',
    to: 'image',
    apply: chain(
      () => layers.reshape({ targetShape: [4, 2, 2] }),
      () => layers.conv2d({ filters: 2, kernelSize: [1, 3], padding: 'same' }),
      () => layers.reshape({ targetShape: [2, 2, 4] }),
      () => layers.zeroPadding2d({ padding: 1 }),
      () => layers.dense({ units: 2 }),
    ),
  },
  {
    from: 'vector',
    to: 'image',
    apply: chain(
      () => layers.dense({ units: 32 }),
      () => layers.reshape({ targetShape: [4, 4, 2] }),
    ),
  },
];

interface Plan {
  /** `ids` go through an embedding, which makes a sequence of them. */
  readonly inputs: readonly (State | 'ids')[];
  /** Each takes one of the values so far, by number modulo their count, through a step that fits it; or the last value that a given step fits. */
  readonly moves: readonly (readonly [value: number, step: number] | Step)[];
  /** Each joins two values of one state by a merge. */
  readonly joins: readonly (readonly [value: number, kind: number])[];
  readonly outputs: readonly (readonly [value: number, loss: number, weight: number])[];
}

const joiners: readonly ((state: State) => (pair: [Value, Value]) => Value)[] = [
  () => (pair) => layers.add().apply(pair) as Value,
  () => (pair) => layers.multiply().apply(pair) as Value,
  () => (pair) => layers.average().apply(pair) as Value,
  () => (pair) => layers.maximum().apply(pair) as Value,
  () => (pair) => layers.minimum().apply(pair) as Value,
  (state) => (pair) => layers.dense({ units: SHAPES[state].at(-1)! }).apply(layers.concatenate().apply(pair)) as Value,
];

/** What an output needs so that its loss is defined. */
const headOf = (loss: LossName): 'softmax' | 'sigmoid' | 'softplus' | 'linear' => {
  if (/ategoricalCrossentropy|kullback/.test(loss)) return 'softmax';
  if (loss === 'binaryCrossentropy') return 'sigmoid';
  return loss === 'poisson' || loss === 'meanSquaredLogarithmicError' ? 'softplus' : 'linear';
};

const ROWS = 6;

/** The model, and what its inputs hold. */
function build(plan: Plan): { readonly model: tf.LayersModel; readonly kinds: readonly (State | 'ids' | 'mask')[] } {
  const kinds: (State | 'ids' | 'mask')[] = [...plan.inputs];
  const inputs = plan.inputs.map((kind) => input({ shape: kind === 'ids' ? [4] : SHAPES[kind] }));
  const mask = (): Value => {
    kinds.push('mask');
    inputs.push(input({ shape: [4] }));
    // tfjs would take a second input that comes straight from the model's for a state.
    return layers.activation({ activation: 'linear' }).apply(inputs.at(-1)!) as Value;
  };
  // A trainable layer first, so that everything has a path to something that is trained.
  const values = plan.inputs.map((kind, i): { state: State; value: Value } => {
    if (kind !== 'ids') return { state: kind, value: layers.dense({ units: SHAPES[kind].at(-1)! }).apply(inputs[i]!) as Value };
    return { state: 'sequence', value: layers.embedding({ inputDim: ROWS, outputDim: 4 }).apply(inputs[i]!) as Value };
  });
  const pick = (k: number) => values[k % values.length]!;
  for (const move of plan.moves) {
    const { state, value } = 'apply' in move ? values.findLast(({ state }) => state === move.from)! : pick(move[0]);
    const fitting = steps.filter((step) => step.from === state);
    const step = 'apply' in move ? move : fitting[move[1] % fitting.length]!;
    values.push({ state: step.to, value: step.apply(value, mask) });
  }
  for (const [from, kind] of plan.joins) {
    const a = pick(from);
    const b = values.findLast(({ state }) => state === a.state)!;
    // tfjs loses track of a tensor that one layer reads twice, so the second operand is a copy.
    const copy = layers.activation({ activation: 'linear' }).apply(b.value) as Value;
    values.push({ state: a.state, value: joiners[kind % joiners.length]!(a.state)([a.value, copy]) });
  }
  // All that nothing reads yet goes into the outputs, so that every input counts.
  const rest = values.map(({ state, value }) =>
    layers.dense({ units: 2 }).apply(state === 'vector' ? value : layers.flatten().apply(value)),
  ) as Value[];
  const sum = rest.length === 1 ? rest[0]! : (layers.average().apply(rest) as Value);
  const outputs = plan.outputs.map(([from, loss]) => {
    const { state, value } = pick(from);
    const flat = state === 'vector' ? value : (layers.flatten().apply(value) as Value);
    const joined = layers.concatenate().apply([flat, sum]) as Value;
    return layers.dense({ units: 3, activation: headOf(lossNames[loss]!) as 'relu' }).apply(joined) as Value;
  });
  return { model: model({ inputs, outputs }), kinds };
}

/** What the checks need of a plan. */
function caseOf(plan: Plan, name: string): GradientCase {
  let kinds: ReturnType<typeof build>['kinds'] = [];
  return {
    name,
    model: () => {
      const built = build(plan);
      ({ kinds } = built);
      return built.model;
    },
    loss: plan.outputs.map(([, loss]) => lossNames[loss]!),
    lossWeights: plan.outputs.map(([, , weight]) => weight),
    input(x, i) {
      if (kinds[i] === 'ids') return Math.floor(((x + 1) / 2) * ROWS);
      return kinds[i] === 'mask' ? Number(x > -0.4) : x;
    },
    tolerance: 1e-4,
    differences: 1e-4,
    kinks: true,
    // Every operation's derivative has its own differences, and `checkDerivatives` compares all coordinates.
    coordinates: 2,
  };
}

async function checkEverything(example: GradientCase): Promise<void> {
  await checkForward(example);
  await checkFiniteDifferences(example);
  await checkDerivatives(example);
  await checkPerExample(example);
  await checkEngines(example);
}

const outputsOf = (max: number): fc.Arbitrary<Plan['outputs'][number]> =>
  fc.tuple(fc.nat({ max: 100 }), fc.nat({ max }), fc.constantFrom(0.5, 1, 2));

const plans: fc.Arbitrary<Plan> = fc.record({
  inputs: fc.array(fc.constantFrom(...states, 'ids' as const), { minLength: 1, maxLength: 3 }),
  moves: fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 1000 })), { maxLength: 5 }),
  joins: fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 100 })), { maxLength: 2 }),
  outputs: fc.array(outputsOf(lossNames.length - 1), { minLength: 1, maxLength: 3 }),
});

/** Steps, merges and losses dealt out to models of eight steps each, so that each occurs. */
const MODELS = Math.ceil(steps.length / 8);
const dealt: readonly Plan[] = Array.from({ length: MODELS }, (_, i): Plan => ({
  inputs: ['image', 'vector', i % 2 === 0 ? 'ids' : 'sequence'],
  moves: steps.filter((__, k) => k % MODELS === i),
  joins: [
    [3 * i, i],
    [3 * i + 1, i + 3],
  ],
  outputs: [0, 1].map((k) => [i + 5 * k, (2 * i + k) % lossNames.length, 1 + k] as const),
}));

describe('random models', () => {
  it('can hold every layer kind', () => {
    const held = new Set<string>();
    const hold = (net: tf.LayersModel): void => net.layers.forEach((layer) => held.add(layer.getClassName()));
    for (const step of steps) {
      const x = input({ shape: SHAPES[step.from] });
      const masks: Value[] = [];
      const output = step.apply(x, () => {
        masks.push(input({ shape: [4] }));
        return layers.activation({ activation: 'linear' }).apply(masks.at(-1)!) as Value;
      });
      const net = model({ inputs: [x, ...masks], outputs: output });
      hold(net);
      expect(net.outputs[0]!.shape.slice(1)).toEqual(SHAPES[step.to]);
    }
    for (const plan of dealt) hold(build(plan).model);
    expect([...layerKinds.keys()].filter((kind) => !held.has(kind))).toEqual([]);
    expect(new Set(dealt.flatMap(({ moves }) => moves)).size).toBe(steps.length);
    expect(new Set(dealt.flatMap(({ outputs }) => outputs.map(([, loss]) => loss))).size).toBe(lossNames.length);
  });

  it.each(dealt.map((plan, i) => ({ name: `model ${i + 1} of ${dealt.length}`, plan })))(
    'which hold every step, merge and loss together have gradients that agree by every method: $name',
    async ({ name, plan }) => checkEverything(caseOf(plan, name)),
  );

  it('have the outputs of tfjs and gradients that agree by every method', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => checkEverything(caseOf(plan, JSON.stringify(plan)))),
      { numRuns: 8, seed: 20261123 },
    );
  });
});
