/**
 * What training minimises: a weighted sum of losses of the model's outputs, for each example by itself.
 *
 * @module
 */
import { finite } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { assertPerExample, pullback } from '@sotto/core/model';
import type { ModelForward, ModelGraph } from '@sotto/core/model';
import type { Ops, Shape } from '@sotto/core/ops';
import { lossRule, ownWork, perExample } from './losses.ts';
import type { JointLoss, Loss, LossRule } from './losses.ts';

/** Losses as tfjs takes them: one for all outputs, a list with one for each output, or a map by output name (outputs that it leaves out are not
 * trained on), or one function of all outputs. */
export type Losses = Loss | readonly Loss[] | (Readonly<Record<string, Loss>> & { readonly joint?: never }) | JointLoss;

/** A factor for each output's loss, in the order of the outputs or by name; 1 where none is given. Public constants. */
export type LossWeights = readonly number[] | Readonly<Record<string, number>>;

/** One target of an objective. */
export interface ObjectiveTarget {
  /** The program input: `y0`, `y1` … */
  readonly name: string;
  /** The name of the output that it is for, as tfjs names it. */
  readonly output: string;
  /** The number of that output among the model's outputs. */
  readonly outputIndex: number;
  /** The shape of one example. */
  readonly shape: Shape;
  readonly loss: Loss | JointLoss;
}

/** An objective of a compiled model. */
export interface Objective {
  /** Targets, one for each output that has a loss, in the order of the outputs. */
  readonly targets: readonly ObjectiveTarget[];
  /** Their shapes. */
  readonly targetShapes: readonly Shape[];
  /** Weighted and added losses `[n, 1]`, each output's own before weighting, and the gradient of each example's loss for values of the model. */
  apply<T>(
    ops: Ops<T>,
    forward: ModelForward<T>,
    targets: readonly T[],
  ): { readonly losses: T; readonly outputLosses: readonly T[]; readonly gradients: ReadonlyMap<number, T> };
}

export const isJoint = (losses: Losses): losses is JointLoss => typeof (losses as Partial<JointLoss>).joint === 'function';

export const isOne = (losses: Losses): losses is Loss =>
  typeof losses === 'string' ||
  typeof losses === 'function' ||
  typeof (losses as { readonly loss?: unknown }).loss === 'function';

/** The loss of each output, undefined for outputs that are not trained on. */
function lossOfEach(graph: ModelGraph, losses: Exclude<Losses, JointLoss>): (Loss | undefined)[] {
  const names = graph.outputNames;
  if (isOne(losses)) return names.map(() => losses);
  if (Array.isArray(losses)) {
    const list = losses as readonly Loss[];
    if (list.length !== names.length)
      throw new SottoError(
        'invalid-argument',
        `loss has ${list.length} entries; the model has ${names.length} outputs (${names.join(', ')})`,
      );
    return [...list];
  }
  const map = losses as Readonly<Record<string, Loss>>;
  checkNames('loss', Object.keys(map), names);
  return names.map((name) => map[name]);
}

function weightOfEach(graph: ModelGraph, weights: LossWeights | undefined): number[] {
  const names = graph.outputNames;
  if (weights === undefined) return names.map(() => 1);
  if (Array.isArray(weights)) {
    const list = weights as readonly number[];
    if (list.length !== names.length) {
      throw new SottoError(
        'invalid-argument',
        `lossWeights has ${list.length} entries; the model has ${names.length} outputs (${names.join(', ')})`,
      );
    }
    return list.map((weight, i) => finite(`lossWeights[${i}]`, weight));
  }
  const map = weights as Readonly<Record<string, number>>;
  checkNames('lossWeights', Object.keys(map), names);
  return names.map((name) => finite(`lossWeights.${name}`, map[name] ?? 1));
}

function checkNames(argument: string, given: readonly string[], names: readonly string[]): void {
  const unknown = given.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new SottoError(
      'invalid-argument',
      `${argument} has ${unknown}, which is no output of the model; its outputs are ${names.join(', ')}`,
    );
}

interface Part {
  readonly rule: LossRule;
  readonly weight: number;
}

/** Builds the objective of a model. Throws `invalid-argument` for a name that no output has, and `unsupported` for a loss function that mixes examples. */
export function createObjective(graph: ModelGraph, losses: Losses, lossWeights?: LossWeights): Objective {
  if (isJoint(losses)) return jointObjective(graph, losses, lossWeights);
  const weights = weightOfEach(graph, lossWeights);
  const parts: Part[] = [];
  const targets: ObjectiveTarget[] = [];
  lossOfEach(graph, losses).forEach((loss, outputIndex) => {
    if (loss === undefined) return;
    const rule = lossRule(graph, loss, outputIndex);
    const output = graph.outputNames[outputIndex]!;
    targets.push({ name: `y${parts.length}`, output, outputIndex, shape: rule.targetShape, loss });
    parts.push({ rule, weight: weights[outputIndex]! });
  });
  if (parts.length === 0) throw new SottoError('invalid-argument', 'loss names no output; give at least one output a loss');
  return {
    targets,
    targetShapes: targets.map(({ shape }) => shape),
    apply<T>(ops: Ops<T>, forward: ModelForward<T>, given: readonly T[]) {
      const scaled = (x: T, weight: number): T => (weight === 1 ? x : ops.mul(x, ops.constant([weight], [])));
      const gradients = new Map<number, T>();
      const outputLosses: T[] = [];
      let total: T | undefined;
      parts.forEach(({ rule, weight }, i) => {
        const { losses: own, value, gradient } = rule.apply(ops, forward, given[i]!);
        outputLosses.push(own);
        const share = scaled(own, weight);
        total = total === undefined ? share : ops.add(total, share);
        const sum = gradients.get(value);
        const part = scaled(gradient, weight);
        gradients.set(value, sum === undefined ? part : ops.add(sum, part));
      });
      return { losses: total!, outputLosses, gradients };
    },
  };
}

/** A prime, so that no axis can be split into parts that happen to be as long as the batch. */
const EXAMPLES = 5;

function jointObjective(graph: ModelGraph, loss: JointLoss, lossWeights: LossWeights | undefined): Objective {
  if (lossWeights !== undefined)
    throw new SottoError(
      'invalid-argument',
      'lossWeights has no meaning for one loss of all outputs; weigh its parts in the function',
    );
  const shapes = loss.targetShapes ?? graph.outputShapes;
  if (shapes.length !== graph.outputs.length) {
    throw new SottoError(
      'invalid-argument',
      `loss.targetShapes has ${shapes.length} entries; the model has ${graph.outputs.length} outputs (${graph.outputNames.join(', ')})`,
    );
  }
  const differentiate = <T>(ops: Ops<T>, predictions: readonly T[], targets: readonly T[]) => {
    const n = ops.shapeOf(predictions[0]!)[0]!;
    const { value, pull } = pullback(ops, predictions, targets, (o, p, y) => perExample(o, loss.joint(o, p, y), n));
    return { losses: value, gradients: pull(ops.constant(new Float64Array(n).fill(1), [n, 1])) };
  };
  const named = (prefix: string, list: readonly Shape[]) =>
    list.map((shape, i) => ({ name: `${prefix}${i}`, shape: [EXAMPLES, ...shape] }));
  const [outputs, targets] = [named('output', graph.outputShapes), named('target', shapes)];
  assertPerExample(
    {
      name: 'loss',
      inputs: [...outputs, ...targets],
      build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
        const of = (list: readonly { readonly name: string }[]): T[] => list.map(({ name }) => inputs[name]!);
        const { losses, gradients } = ownWork('loss.joint', () => differentiate(ops, of(outputs), of(targets)));
        if (gradients.every((gradient) => gradient === undefined))
          throw new SottoError('invalid-argument', 'the loss function does not depend on the predictions');
        return {
          losses,
          ...Object.fromEntries(gradients.flatMap((gradient, i) => (gradient === undefined ? [] : [[`gradient${i}`, gradient]]))),
        };
      },
    },
    {
      batchSize: EXAMPLES,
      inputs: [...outputs, ...targets].map(({ name }) => name),
      what: 'the loss function',
      cure: 'compute each example’s loss from its own predictions and targets; reduce along other axes than 0',
    },
  );
  return {
    targets: shapes.map((shape, i) => ({ name: `y${i}`, output: graph.outputNames[i]!, outputIndex: i, shape, loss })),
    targetShapes: shapes,
    apply<T>(ops: Ops<T>, forward: ModelForward<T>, given: readonly T[]) {
      const { losses, gradients } = differentiate(ops, forward.outputs, given);
      const byValue = new Map<number, T>();
      gradients.forEach((gradient, i) => {
        if (gradient === undefined) return;
        const value = graph.outputs[i]!;
        const sum = byValue.get(value);
        byValue.set(value, sum === undefined ? gradient : ops.add(sum, gradient));
      });
      return { losses, outputLosses: [losses], gradients: byValue };
    },
  };
}
