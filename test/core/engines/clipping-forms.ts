/**
 * Every clipping rule on an engine, in both forms: the sums that its program of a step gives (book-keeping where a layer allows it), and per-example gradients of the same engine that are
 * clipped in float64, both against clipped gradients of the float64 loops.
 */
import { compileModel } from '@sotto/core/model';
import type { ModelGraph } from '@sotto/core/model';
import { GroupNormalization } from '@sotto/core/tfjs';
import { referenceEngine, sizeOf } from '@sotto/core/ops';
import type { Engine, NumericArray, Program } from '@sotto/core/ops';
import type { Clipping } from '@sotto/dp';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { clippedSumProgram, perExampleProgram } from '../../../packages/dp/src/training/gradient-programs.ts';
import { createObjective } from '../../../packages/dp/src/training/objective.ts';
import type { Objective } from '../../../packages/dp/src/training/objective.ts';
import { expectClose, numbers, runOnce } from '../ops/support.ts';

const N = 7;
/** The last row is padding. */
const EXAMPLES = N - 1;
const VOCABULARY = 5;

const models = {
  dense: () =>
    sequential({ layers: [layers.dense({ units: 4, activation: 'tanh', inputShape: [3] }), layers.dense({ units: 2 })] }),
  image: () =>
    sequential({
      layers: [
        layers.conv2d({ filters: 4, kernelSize: 2, padding: 'same', inputShape: [4, 4, 2] }),
        new GroupNormalization({ groups: 2 }),
        layers.depthwiseConv2d({ kernelSize: 2, strides: 2 }),
        layers.flatten(),
        layers.dense({ units: 2, activation: 'softmax' }),
      ],
    }),
  sequence: () =>
    sequential({
      layers: [
        layers.embedding({ inputDim: VOCABULARY, outputDim: 3, inputLength: 4 }),
        layers.dense({ units: 3, activation: 'tanh' }),
        layers.layerNormalization(),
        layers.flatten(),
        layers.dense({ units: 2 }),
      ],
    }),
} satisfies Record<string, () => LayersModel>;
type Name = keyof typeof models;

interface Setup {
  readonly graph: ModelGraph;
  readonly objective: Objective;
  readonly inputs: Readonly<Record<string, NumericArray>>;
}

function setUp(name: Name): Setup {
  const graph = compileModel(models[name]());
  const objective = createObjective(graph, name === 'image' ? 'categoricalCrossentropy' : 'meanSquaredError');
  const shape = graph.inputShapes[0]!;
  const features = numbers(N * sizeOf(shape), 3);
  const targets = numbers(N * 2, 8);
  return {
    graph,
    objective,
    inputs: {
      parameters: Float64Array.from(numbers(graph.parameterCount, 5), (value) => 0.8 * value),
      // Examples of unequal length, so that norms differ.
      x0: features.map((value, i) =>
        name === 'sequence' ? Math.floor(Math.abs(value) * VOCABULARY) : value * (0.3 + Math.floor(i / sizeOf(shape))),
      ),
      y0: name === 'image' ? targets.map((_, i) => (Math.floor(i / 2) % 2 === i % 2 ? 1 : 0)) : targets,
      mask: Float64Array.from({ length: N }, (_, i) => (i < EXAMPLES ? 1 : 0)),
    },
  };
}

const square = (values: NumericArray): number => Float64Array.from(values).reduce((sum, value) => sum + value * value, 0);

/** Each example's gradient of each parameter. */
function rowsOf({ graph }: Setup, outputs: Readonly<Record<string, NumericArray>>): NumericArray[][] {
  return Array.from({ length: EXAMPLES }, (_, row) =>
    graph.trainable.map(({ size }, i) => outputs[`g${i}`]!.slice(row * size, (row + 1) * size)),
  );
}

/** What a rule makes of gradients, written apart from `clip/clipping.ts`: factors by the definitions of the papers, and their sum for each parameter. */
function clipped({ graph }: Setup, rows: readonly NumericArray[][], rule: Clipping, norm: number): number[] {
  const sums = graph.trainable.map(({ size }) => new Float64Array(size));
  const layerOf = graph.trainable.map(({ name }) => name.split('/').slice(0, -1).join('/'));
  const names = rule.kind === 'perLayer' ? [...new Set(layerOf)] : ['all'];
  for (const row of rows) {
    for (const name of names) {
      const members = graph.trainable.map((_, i) => i).filter((i) => name === 'all' || layerOf[i] === name);
      const length = Math.sqrt(members.reduce((sum, i) => sum + square(row[i]!), 0));
      const limit = norm / Math.sqrt(names.length);
      const factor =
        rule.kind === 'automatic'
          ? limit / (length + (rule.gamma ?? 0.01))
          : rule.kind === 'normalised'
            ? limit / length
            : Math.min(1, limit / length);
      for (const i of members) row[i]!.forEach((value, j) => (sums[i]![j]! += factor * value));
    }
  }
  return sums.flatMap((sum) => [...sum]);
}

const kinds: readonly Clipping['kind'][] = ['flat', 'perLayer', 'automatic', 'normalised', 'adaptive'];

/** What a graphics processor in software computes in seconds: all rules on vectors, and those with parts of their own on gradients that are materialised. */
const FEW: readonly (readonly [Name, readonly Clipping['kind'][]])[] = [
  ['dense', kinds],
  ['sequence', ['perLayer', 'automatic']],
];

/**
 * Checks the rules on an engine, with errors relative to the greatest coordinate of a sum.
 *
 * @param betweenForms Of one form against the other on the engine
 * @param tolerance Of either against the float64 loops
 * @param few Some of the cases where each takes seconds, unless `SOTTO_ALL_LAYERS` is set
 */
export function clipsInBothForms(engine: () => Engine, betweenForms: number, tolerance: number, few: boolean = false): void {
  const isFew = few && process.env['SOTTO_ALL_LAYERS'] === undefined;
  const cases = isFew ? FEW : (Object.keys(models) as Name[]).map((name) => [name, kinds] as const);
  it.each(cases)(
    'clips as float64 does, in both forms: %s by %s',
    async (name, rules) => {
      const setup = setUp(name);
      const { graph, objective, inputs } = setup;
      const own = (program: Program): Record<string, NumericArray> =>
        Object.fromEntries(
          program.inputs.filter(({ name: input }) => input !== 'clipNorm').map(({ name: input }) => [input, inputs[input]!]),
        );
      const materialised = perExampleProgram(graph, objective, N);
      const exact = rowsOf(setup, await runOnce(referenceEngine, materialised, own(materialised)));
      const rows = rowsOf(setup, await runOnce(engine(), materialised, own(materialised)));
      const lengths = exact.map((row) => Math.sqrt(row.reduce((sum, part) => sum + square(part), 0)));
      const [, , below, above] = lengths.toSorted((a, b) => a - b);
      // Half of the rows are clipped.
      const norm = Math.fround(0.5 * (below! + above!));
      for (const kind of rules) {
        const rule: Clipping = { kind, norm };
        const expected = clipped(setup, exact, rule, norm);
        const materialisedSum = clipped(setup, rows, rule, norm);
        // A norm that changes from step to step is an input, as that of adaptive clipping; the one of the options must not matter then.
        const program =
          kind === 'adaptive'
            ? clippedSumProgram(graph, objective, N, { kind, norm: 1e3 }, 'input')
            : clippedSumProgram(graph, objective, N, rule);
        const sums = await runOnce(engine(), program, {
          ...own(program),
          ...(kind === 'adaptive' ? { clipNorm: Float32Array.of(norm) } : {}),
        });
        const sum = graph.trainable.flatMap((_, i) => [...sums[`s${i}`]!]);
        const what = `${engine().name}, ${kind}`;
        expectClose(sum, materialisedSum, betweenForms, `${what}: form against form`);
        expectClose(materialisedSum, expected, tolerance, `${what}: materialised`);
        expectClose(sum, expected, tolerance, `${what}: sums`);
        expect([...sums['ok']!.slice(0, EXAMPLES)]).toEqual(lengths.map(() => 1));
        expectClose(
          sums['squaredNorms']!.slice(0, EXAMPLES),
          lengths.map((length) => length * length),
          tolerance,
          `${what}: squared norms`,
        );
      }
    },
    240_000,
  );
}
