/**
 * Random small models: directed acyclic graphs of all layer kinds with merges, several inputs and several outputs with weighted losses, checked
 * as every layer is.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerKinds } from '../../../packages/core/src/model/kinds.ts';
import { lossNames } from '../../../packages/dp/src/training/losses.ts';
import type { LossName } from '../../../packages/dp/src/training/losses.ts';
import {
  checkDerivatives,
  checkEngines,
  checkFiniteDifferences,
  checkForward,
  checkOneExample,
  checkPerExample,
} from './support/gradients.ts';
import type { GradientCase } from './support/gradients.ts';
import { SHAPES, states, steps } from './support/random-steps.ts';
import type { State, Step, Value } from './support/random-steps.ts';

const { input, layers, model } = tf;

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
  if (loss === 'binaryCrossentropy' || loss === 'logLoss') return 'sigmoid';
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
  await checkOneExample(example);
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
