/** Checks of a model's forward pass and per-example gradients, by independent methods. */
import { assertPerExample, compileModel, forwardModel, pullback, unpackParameters } from '@sotto/core/model';
import type { LayerKind, ModelGraph } from '@sotto/core/model';
import { referenceEngine, sizeOf } from '@sotto/core/ops';
import type { Engine, NumericArray, Ops, Program } from '@sotto/core/ops';
import { tensor } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import { perExampleGradients, squaredNorms, weightedSum } from '../../../../packages/dp/src/clip/records.ts';
import {
  differentiate,
  perExampleProgram,
  predictionProgram,
  trainingInputs,
} from '../../../../packages/dp/src/training/gradient-programs.ts';
import { drawInputs } from '../../../../packages/dp/src/training/draws.ts';
import type { JointLoss, Loss } from '../../../../packages/dp/src/training/losses.ts';
import { createObjective } from '../../../../packages/dp/src/training/objective.ts';
import type { LossWeights, Losses, Objective } from '../../../../packages/dp/src/training/objective.ts';
import { unsafeDeterministicRandom } from '../../../../packages/core/src/unsafe-deterministic-random.ts';
import { expectClose, float32Engines, numbers, runOnce } from '../../../core/ops/support.ts';

/** A model with data that fit it. */
export interface GradientCase {
  readonly name: string;
  readonly model: () => LayersModel;
  readonly loss?: Losses;
  readonly lossWeights?: LossWeights;
  readonly kinds?: readonly LayerKind[];
  /** Maps pseudo-random numbers in (−1, 1) into the domain of input `i`. */
  readonly input?: (x: number, i: number) => number;
  readonly tolerance?: number;
  /** Allowed relative error of central differences; larger where a model is strongly curved. */
  readonly differences?: number;
  /** Of how many coordinates of each parameter differences are taken. Default 12. */
  readonly coordinates?: number;
  /** Whether the model has kinks: a difference across one, whose two sides disagree, says nothing about the gradient. */
  readonly kinks?: boolean;
}

const N = 3;

/** A model with an objective and the inputs of a training program. */
export interface Setup {
  readonly graph: ModelGraph;
  readonly loss: Objective;
  readonly inputs: Readonly<Record<string, NumericArray>>;
}

function targets(name: Loss | JointLoss, shape: readonly number[], classes: number, n: number): Float64Array {
  const size = n * sizeOf(shape);
  if (name === 'sparseCategoricalCrossentropy') return Float64Array.from({ length: size }, (_, i) => (3 * i + 1) % classes);
  if (name === 'categoricalCrossentropy')
    return Float64Array.from({ length: size }, (_, i) => (i % classes === Math.floor(i / classes) % classes ? 1 : 0));
  if (name === 'binaryCrossentropy') return Float64Array.from({ length: size }, (_, i) => i % 2);
  return Float64Array.from(numbers(size, 11));
}

/** Every weight of a model by its own name, with values that are neither zero nor symmetric. */
function randomiseWeights(model: LayersModel): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  model.weights.forEach((weight, i) => {
    const shape = weight.shape as number[];
    // Moving variances and the like must stay positive.
    const data = numbers(sizeOf(shape), i + 2).map((x) => (/variance|gamma/.test(weight.name) ? 1 + 0.5 * Math.abs(x) : 0.6 * x));
    weight.write(tensor(data, shape));
    values.set(weight.name.replace(/_\d+$/, ''), data);
    values.set(weight.name, data);
  });
  return values;
}

/** A batch of n examples for a case. */
export function setUp(example: GradientCase, model: LayersModel, n: number = N): Setup {
  const weights = randomiseWeights(model);
  const graph = compileModel(model, { kinds: example.kinds });
  const loss = createObjective(graph, example.loss ?? 'meanSquaredError', example.lossWeights);
  const flat = (specs: ModelGraph['trainable'], total: number): Float64Array => {
    const out = new Float64Array(total);
    for (const spec of specs) {
      const data = weights.get(spec.name);
      if (data === undefined) throw new Error(`no weight ${spec.name} among ${[...weights.keys()].join(', ')}`);
      expect(data.length).toBe(spec.size);
      out.set(data, spec.offset);
    }
    return out;
  };
  const inputs: Record<string, NumericArray> = {
    parameters: flat(graph.trainable, graph.parameterCount),
    frozen: flat(graph.frozen, graph.frozenCount),
    ...drawInputs(graph, n, unsafeDeterministicRandom('draws')),
  };
  for (const target of loss.targets)
    inputs[target.name] = targets(target.loss, target.shape, graph.outputShapes[target.outputIndex]!.at(-1) ?? 1, n);
  graph.inputShapes.forEach((shape, i) => {
    inputs[`x${i}`] = Float64Array.from(numbers(n * sizeOf(shape), 5 + i), (x) => example.input?.(x, i) ?? x);
  });
  return { graph, loss, inputs };
}

/** The engine's forward pass against tfjs's own `predict`. */
export async function checkForward(example: GradientCase): Promise<void> {
  const model = example.model();
  const { graph, inputs } = setUp(example, model);
  const features = graph.inputShapes.map((shape, i) => tensor(Float32Array.from(inputs[`x${i}`]!), [N, ...shape]));
  const predicted = model.predict(features.length === 1 ? features[0]! : features) as Tensor | Tensor[];
  const outputs = await runOnce(referenceEngine, predictionProgram(graph, N), inputs);
  (Array.isArray(predicted) ? predicted : [predicted]).forEach((expected, i) => {
    expectClose(outputs[`o${i}`]!, expected.dataSync(), example.tolerance ?? 1e-5, `${example.name}: output ${i}`);
    expect(expected.shape.slice(1)).toEqual(graph.outputShapes[i]);
  });
}

/** Reference gradients against central differences of each example's own loss. */
export async function checkFiniteDifferences(example: GradientCase): Promise<void> {
  const { graph, loss, inputs } = setUp(example, example.model());
  const compiled = await referenceEngine.compile(perExampleProgram(graph, loss, N));
  const outputs = await compiled.run(inputs);
  const h = 1e-5;
  for (const [p, spec] of graph.trainable.entries()) {
    const gradient = outputs[`g${p}`]!;
    // A few coordinates of each parameter are enough; all of small ones.
    const step = Math.max(1, Math.floor(spec.size / (example.coordinates ?? 12)));
    for (let j = 0; j < spec.size; j += step) {
      const losses = [];
      for (const sign of [1, -1]) {
        const parameters = inputs['parameters']!.slice();
        parameters[spec.offset + j]! += sign * h;
        losses.push((await compiled.run({ ...inputs, parameters }))['losses']!);
      }
      for (let i = 0; i < N; i++) {
        const [up, down] = [losses[0]![i]!, losses[1]![i]!];
        const slope = (up - down) / (2 * h);
        const scale = Math.max(1, Math.abs(slope));
        const error = Math.abs(slope - gradient[i * spec.size + j]!);
        const middle = outputs['losses']![i]!;
        const sidesDisagree = Math.abs(up - 2 * middle + down) / h > 1e-3 * scale;
        if (example.kinks === true && sidesDisagree) continue;
        expect(error, `${example.name}: ${spec.name}[${j}] of example ${i}`).toBeLessThan((example.differences ?? 2e-6) * scale);
      }
    }
  }
}

/**
 * Reference gradients against the loss of each example by itself, differentiated operation by operation in float64: nothing of the layers' own backward
 * passes takes part in that.
 */
export async function checkDerivatives(example: GradientCase): Promise<void> {
  const { graph, loss, inputs } = setUp(example, example.model());
  const batch = await runOnce(referenceEngine, perExampleProgram(graph, loss, N), inputs);
  const one = trainingInputs(graph, loss, 1);
  const program: Program = {
    name: 'derivative',
    inputs: one,
    build<T>(ops: Ops<T>, given: Readonly<Record<string, T>>): Record<string, T> {
      const others = one.filter(({ name }) => name !== 'parameters').map(({ name }) => name);
      const { value, pull } = pullback(
        ops,
        [given['parameters']!],
        others.map((name) => given[name]!),
        (o, [parameters], constants) => {
          const named = Object.fromEntries(others.map((name, i) => [name, constants[i]!]));
          const forward = forwardModel(
            o,
            graph,
            graph.inputShapes.map((_, i) => named[`x${i}`]!),
            unpackParameters(o, parameters!, graph.trainable),
            graph.frozenCount === 0 ? [] : unpackParameters(o, named['frozen']!, graph.frozen),
            graph.draws.map(({ name }) => named[name]!),
          );
          return loss.apply(
            o,
            forward,
            loss.targets.map(({ name }) => named[name]!),
          ).losses;
        },
      );
      return { loss: value, gradient: pull(ops.constant([1], [1, 1]))[0]! };
    },
  };
  const compiled = await referenceEngine.compile(program);
  for (let i = 0; i < N; i++) {
    const single: Record<string, NumericArray> = {};
    for (const { name } of one) {
      const values = inputs[name]!;
      const width = values.length / N;
      single[name] = name === 'parameters' || name === 'frozen' ? values : values.slice(i * width, (i + 1) * width);
    }
    const alone = await compiled.run(single);
    expectClose([batch['losses']![i]!], alone['loss']!, 1e-10, `${example.name}: loss of example ${i}`);
    graph.trainable.forEach(({ name, size, offset }, p) => {
      expectClose(
        batch[`g${p}`]!.slice(i * size, (i + 1) * size),
        alone['gradient']!.slice(offset, offset + size),
        1e-10,
        `${example.name}: ${name} of example ${i}`,
      );
    });
  }
}

/** Each example alone gives the gradient that it has within the batch, to the last bits: rows do not mix. */
export async function checkPerExample(example: GradientCase): Promise<void> {
  const { graph, loss, inputs } = setUp(example, example.model());
  const batch = await runOnce(referenceEngine, perExampleProgram(graph, loss, N), inputs);
  const alone = perExampleProgram(graph, loss, 1);
  // The same by structure, for the program as a whole and batches that have divisors.
  for (const batchSize of [N, 4, 6]) {
    const program = perExampleProgram(graph, loss, batchSize);
    const rows = program.inputs.map(({ name }) => name).filter((name) => name !== 'parameters' && name !== 'frozen');
    assertPerExample(program, { batchSize, inputs: rows, what: example.name, cure: 'mend it' });
  }
  for (let i = 0; i < N; i++) {
    const row = (name: string): NumericArray =>
      inputs[name]!.slice((i * inputs[name]!.length) / N, ((i + 1) * inputs[name]!.length) / N);
    const single: Record<string, NumericArray> = {};
    for (const name of Object.keys(inputs)) single[name] = name === 'parameters' || name === 'frozen' ? inputs[name]! : row(name);
    const outputs = await runOnce(referenceEngine, alone, single);
    graph.trainable.forEach((spec, p) => {
      expectClose(
        batch[`g${p}`]!.slice(i * spec.size, (i + 1) * spec.size),
        outputs[`g${p}`]!,
        1e-10,
        `${example.name}: ${spec.name} of example ${i}`,
      );
    });
  }
}

/** Book-keeping against materialised gradients on an engine: squared norms and weighted sums. */
function formsProgram({ graph, loss }: Setup): Program {
  return {
    name: 'forms',
    inputs: trainingInputs(graph, loss, N),
    build(ops, inputs) {
      const { losses, records } = differentiate(ops, graph, loss, inputs);
      const factors = ops.constant([0.3, -1.1, 0.7], [N, 1]);
      return {
        losses,
        ...Object.fromEntries(
          records.flatMap((record, i) => {
            const rows = perExampleGradients(ops, record);
            return [
              [`g${i}`, rows],
              [`norms${i}`, squaredNorms(ops, record)],
              [`materialisedNorms${i}`, ops.sum(ops.mul(rows, rows), [1])],
              [`sum${i}`, weightedSum(ops, record, factors)],
              [`materialisedSum${i}`, ops.matMul(ops.reshape(factors, [1, N]), rows)],
            ];
          }),
        ),
      };
    },
  };
}

/** Both forms agree on the reference engine to 1e-10, and the float32 engines agree with it. */
export async function checkEngines(example: GradientCase, engines: readonly Engine[] = float32Engines): Promise<void> {
  const setup = setUp(example, example.model());
  const program = formsProgram(setup);
  const expected = await runOnce(referenceEngine, program, setup.inputs);
  setup.graph.trainable.forEach((spec, i) => {
    expectClose(expected[`norms${i}`]!, expected[`materialisedNorms${i}`]!, 1e-10, `${spec.name}: norms`);
    expectClose(expected[`sum${i}`]!, expected[`materialisedSum${i}`]!, 1e-10, `${spec.name}: sums`);
  });
  await Promise.all(
    engines.map(async (engine) => {
      const actual = await runOnce(engine, program, setup.inputs);
      for (const [name, values] of Object.entries(expected))
        expectClose(actual[name]!, values, example.tolerance ?? 1e-4, `${engine.name}: ${name}`);
    }),
  );
}

/** A batch of one example, which other kernels may compute, on engines against the reference. */
export async function checkOneExample(example: GradientCase, engines: readonly Engine[] = float32Engines): Promise<void> {
  const { graph, loss, inputs } = setUp(example, example.model());
  const program = perExampleProgram(graph, loss, 1);
  const one: Record<string, NumericArray> = {};
  for (const [name, values] of Object.entries(inputs))
    one[name] = name === 'parameters' || name === 'frozen' ? values : values.slice(0, values.length / N);
  const expected = await runOnce(referenceEngine, program, one);
  for (const engine of engines) {
    const actual = await runOnce(engine, program, one);
    for (const [name, values] of Object.entries(expected))
      expectClose(actual[name]!, values, example.tolerance ?? 1e-4, `${engine.name}, one example: ${name}`);
  }
}
