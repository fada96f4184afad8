/**
 * The programs that an engine runs for a private step, written once against `Ops`.
 *
 * Inputs are named `parameters` and, where there are any, `frozen` (flat vectors), `x0`… (the model's inputs), `y0`… (the targets of the outputs with a
 * loss) and `draw0`… (random numbers of dropout, see {@link ./draws.ts}); `mask` is 1 for examples and 0 for padding.
 *
 * @module
 */
import { forwardModel, unpackParameters } from '@sotto/core/model';
import type { GradientRecord, ModelForward, ModelGraph } from '@sotto/core/model';
import type { Ops, Program, ProgramInput, Shape } from '@sotto/core/ops';
import { clipFactors, clipGroups } from '../clip/clipping.ts';
import type { Clipping } from '../clip/clipping.ts';
import { inRange, lowerBounded } from '../clip/float-range.ts';
import { finishSum, materialise, outerSquaredNorms, perExampleGradients, sumPerExample, weightedSum } from '../clip/records.ts';
import type { MetricRule } from './metrics.ts';
import type { Objective } from './objective.ts';

const withBatch = (n: number, shape: Shape): Shape => [n, ...shape];

/** Parameters and features. */
function modelInputs(graph: ModelGraph, n: number): ProgramInput[] {
  return [
    ...(graph.parameterCount > 0 ? [{ name: 'parameters', shape: [graph.parameterCount] }] : []),
    ...(graph.frozenCount > 0 ? [{ name: 'frozen', shape: [graph.frozenCount] }] : []),
    ...graph.inputShapes.map((shape, i) => ({ name: `x${i}`, shape: withBatch(n, shape) })),
  ];
}

const targetInputs = (objective: Objective, n: number): ProgramInput[] =>
  objective.targetShapes.map((shape, i) => ({ name: `y${i}`, shape: withBatch(n, shape) }));

/** The inputs that all training programs share: parameters, frozen parameters, features, targets and draws. */
export function trainingInputs(graph: ModelGraph, objective: Objective, n: number): ProgramInput[] {
  return [
    ...modelInputs(graph, n),
    ...targetInputs(objective, n),
    ...graph.draws.map(({ name, shape }) => ({ name, shape: withBatch(n, shape) })),
  ];
}

/** The model's forward pass from a program's inputs, in training or applied only. */
function forwardFrom<T>(ops: Ops<T>, graph: ModelGraph, inputs: Readonly<Record<string, T>>, training: boolean): ModelForward<T> {
  const { parameters, frozen } = inputs;
  return forwardModel(
    ops,
    graph,
    graph.inputShapes.map((_, i) => inputs[`x${i}`]!),
    parameters === undefined ? [] : unpackParameters(ops, parameters, graph.trainable),
    frozen === undefined ? [] : unpackParameters(ops, frozen, graph.frozen),
    training ? graph.draws.map(({ name }) => inputs[name]!) : undefined,
  );
}

const targetsFrom = <T>(objective: Objective, inputs: Readonly<Record<string, T>>): T[] =>
  objective.targetShapes.map((_, i) => inputs[`y${i}`]!);

/** Losses `[n, 1]`, weighted and added over the outputs, and the gradient records of the trainable parameters. */
export interface Differentiated<T> {
  readonly losses: T;
  readonly records: readonly GradientRecord<T>[];
}

/** Forward pass, losses and gradient records from the shared inputs. */
export function differentiate<T>(
  ops: Ops<T>,
  graph: ModelGraph,
  objective: Objective,
  inputs: Readonly<Record<string, T>>,
): Differentiated<T> {
  const forward = forwardFrom(ops, graph, inputs, true);
  const { losses, gradients } = objective.apply(ops, forward, targetsFrom(objective, inputs));
  return { losses, records: forward.backward(gradients) };
}

/** Per-example gradients of a batch of n: output `g<i>` is `[n, size]` for trainable parameter i; `losses` is `[n, 1]`. */
export function perExampleProgram(graph: ModelGraph, objective: Objective, n: number): Program {
  return {
    name: 'per-example-gradients',
    inputs: trainingInputs(graph, objective, n),
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const { losses, records } = differentiate(ops, graph, objective, inputs);
      return { losses, ...Object.fromEntries(records.map((record, i) => [`g${i}`, perExampleGradients(ops, record)])) };
    },
  };
}

/**
 * The clipped sum of a batch of n: output `s<i>` is Σⱼ mⱼ·cⱼ·gⱼ for trainable parameter i, `[1, size]`, where the input `mask` `[n, 1]` is 1 for examples and 0
 * for padding. `losses`, `squaredNorms` and `ok` are `[n, 1]`.
 *
 * Clipping is total: `ok` is 1 where the gradient's squared norm, in every group, is a number up to HI, and 0 elsewhere; rows that are not ok have the factor 0, and
 * norms are upper bounds (`clip/float-range.ts`). So a row contributes at most C whatever it holds, except that 0·∞ and 0·NaN spoil the sum. Then the
 * rows that are not ok must be replaced and the same program run again ({@link ./replace-rows.ts}): another way of adding the others would change what they contribute.
 *
 * Dense layers on vectors use book-keeping; every other gradient is materialised once, for its norm and its sum, which is
 * faster than its ghost norm (`docs/engines.md`).
 *
 * @param norm `input` where the clip norm changes from step to step: it is the input `clipNorm`, `[1]`, instead of `clipping.norm`.
 */
export function clippedSumProgram(
  graph: ModelGraph,
  objective: Objective,
  n: number,
  clipping: Clipping,
  norm: 'constant' | 'input' = 'constant',
): Program {
  return {
    name: 'clipped-sum',
    inputs: [
      ...trainingInputs(graph, objective, n),
      { name: 'mask', shape: [n, 1] },
      ...(norm === 'input' ? [{ name: 'clipNorm', shape: [1] }] : []),
    ],
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const { losses, records } = differentiate(ops, graph, objective, inputs);
      const forms = records.map((record) => {
        if (record.kind === 'outer') return { outer: record, sum: (f: T) => weightedSum(ops, record, f) };
        const rows = materialise(ops, record);
        return {
          norms: sumPerExample(ops, ops.mul(rows, rows)),
          sum: (f: T) => finishSum(ops, record, ops.matMul(ops.reshape(f, [1, n]), rows)),
        };
      });
      const groups = clipGroups(clipping, graph.trainable);
      const share = 1 / Math.sqrt(groups.length);
      const limit =
        norm === 'input'
          ? { tensor: groups.length === 1 ? inputs['clipNorm']! : ops.mul(inputs['clipNorm']!, ops.constant([share], [])) }
          : clipping.norm * share;
      const totals = groups.map((group) => {
        const outer = group.flatMap((i) => forms[i]!.outer ?? []);
        const others = group.flatMap((i) => forms[i]!.norms ?? []);
        const parts = outer.length === 0 ? others : [outerSquaredNorms(ops, outer), ...others];
        return lowerBounded(ops, parts.length === 1 ? sumPerExample(ops, parts[0]!) : ops.sum(ops.concat(parts, 1), [1]));
      });
      // Of the whole row: a layer's gradient is not added where another layer's is not a number.
      const ok = totals.map((total) => inRange(ops, total)).reduce((a, b) => ops.mul(a, b));
      const counted = ops.mul(ok, inputs['mask']!);
      const one = ops.constant([1], []);
      const sums: Record<string, T> = {};
      groups.forEach((group, k) => {
        // No NaN reaches a minimum or a product, where engines do not agree or it would stay.
        const factors = ops.mul(clipFactors(ops, clipping, ops.where(ok, totals[k]!, one), limit), counted);
        for (const i of group) sums[`s${i}`] = forms[i]!.sum(factors);
      });
      return { losses, squaredNorms: totals.reduce((a, b) => ops.add(a, b)), ok, ...sums };
    },
  };
}

/** The sum of a batch's gradients without clipping, and so without privacy: output `s<i>` is Σⱼ mⱼ·gⱼ. For benchmarks and comparisons. */
export function plainSumProgram(graph: ModelGraph, objective: Objective, n: number): Program {
  return {
    name: 'plain-sum',
    inputs: [...trainingInputs(graph, objective, n), { name: 'mask', shape: [n, 1] }],
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const { losses, records } = differentiate(ops, graph, objective, inputs);
      return { losses, ...Object.fromEntries(records.map((record, i) => [`s${i}`, weightedSum(ops, record, inputs['mask']!)])) };
    },
  };
}

/** The model's outputs on a batch of n, dropout inactive: output `o<i>` is `[n, …output shape]`. */
export function predictionProgram(graph: ModelGraph, n: number): Program {
  return {
    name: 'prediction',
    inputs: modelInputs(graph, n),
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const { outputs } = forwardFrom(ops, graph, inputs, false);
      return Object.fromEntries(outputs.map((output, i) => [`o${i}`, output]));
    },
  };
}

/**
 * Losses and metrics of a batch of n, dropout inactive: outputs `losses` `[n, 1]`, `value<i>` and `weight<i>` `[n, 1]` of metric i, and the model's outputs `o<i>`. Rows
 * of padding are computed like any other and are the caller's to leave out.
 */
export function evaluationProgram(
  graph: ModelGraph,
  objective: Objective,
  n: number,
  metrics: readonly MetricRule[] = [],
): Program {
  return {
    name: 'evaluation',
    inputs: [...modelInputs(graph, n), ...targetInputs(objective, n)],
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const forward = forwardFrom(ops, graph, inputs, false);
      const { losses } = objective.apply(ops, forward, targetsFrom(objective, inputs));
      const outputs: Record<string, T> = { losses };
      forward.outputs.forEach((output, i) => (outputs[`o${i}`] = output));
      metrics.forEach(({ target, apply }, i) => {
        const { value, weight } = apply(ops, forward.outputs[target.outputIndex]!, inputs[target.name]!);
        outputs[`value${i}`] = value;
        outputs[`weight${i}`] = weight;
      });
      return outputs;
    },
  };
}
