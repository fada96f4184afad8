/**
 * The programs that an engine runs for a private step, written once against `Ops`.
 *
 * @module
 */
import { forwardModel, unpackParameters } from '@sotto/core/model';
import type { GradientRecord, ModelGraph } from '@sotto/core/model';
import type { Ops, Program, ProgramInput, Shape } from '@sotto/core/ops';
import { perExampleGradients } from '../clip/records.ts';
import type { LossRule } from './losses.ts';

const withBatch = (n: number, shape: Shape): Shape => [n, ...shape];

/** The inputs that all training programs share: parameters, frozen parameters, features and targets. */
export function trainingInputs(graph: ModelGraph, loss: LossRule, n: number): ProgramInput[] {
  return [
    { name: 'parameters', shape: [graph.parameterCount] },
    ...(graph.frozenCount > 0 ? [{ name: 'frozen', shape: [graph.frozenCount] }] : []),
    ...graph.inputShapes.map((shape, i) => ({ name: `x${i}`, shape: withBatch(n, shape) })),
    { name: 'y', shape: withBatch(n, loss.targetShape) },
  ];
}

/** Losses `[n, 1]` and the gradient records of the trainable parameters. */
export interface Differentiated<T> {
  readonly losses: T;
  readonly records: readonly GradientRecord<T>[];
}

/** Forward pass, losses and gradient records from the shared inputs. */
export function differentiate<T>(
  ops: Ops<T>,
  graph: ModelGraph,
  loss: LossRule,
  inputs: Readonly<Record<string, T>>,
): Differentiated<T> {
  const frozen = inputs['frozen'];
  const forward = forwardModel(
    ops,
    graph,
    graph.inputShapes.map((_, i) => inputs[`x${i}`]!),
    unpackParameters(ops, inputs['parameters']!, graph.trainable),
    frozen === undefined ? [] : unpackParameters(ops, frozen, graph.frozen),
  );
  const { losses, value, gradient } = loss.apply(ops, forward, inputs['y']!);
  return { losses, records: forward.backward(new Map([[value, gradient]])) };
}

/** Per-example gradients of a batch of n: output `g<i>` is `[n, size]` for trainable parameter i; `losses` is `[n, 1]`. */
export function perExampleProgram(graph: ModelGraph, loss: LossRule, n: number): Program {
  return {
    name: 'per-example-gradients',
    inputs: trainingInputs(graph, loss, n),
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const { losses, records } = differentiate(ops, graph, loss, inputs);
      return { losses, ...Object.fromEntries(records.map((record, i) => [`g${i}`, perExampleGradients(ops, record)])) };
    },
  };
}

/** The model's outputs on a batch of n: output `o<i>` is `[n, …output shape]`. */
export function predictionProgram(graph: ModelGraph, n: number): Program {
  return {
    name: 'prediction',
    inputs: [
      ...(graph.parameterCount > 0 ? [{ name: 'parameters', shape: [graph.parameterCount] }] : []),
      ...(graph.frozenCount > 0 ? [{ name: 'frozen', shape: [graph.frozenCount] }] : []),
      ...graph.inputShapes.map((shape, i) => ({ name: `x${i}`, shape: withBatch(n, shape) })),
    ],
    build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
      const frozen = inputs['frozen'];
      const { outputs } = forwardModel(
        ops,
        graph,
        graph.inputShapes.map((_, i) => inputs[`x${i}`]!),
        unpackParameters(ops, inputs['parameters']!, graph.trainable),
        frozen === undefined ? [] : unpackParameters(ops, frozen, graph.frozen),
      );
      return Object.fromEntries(outputs.map((output, i) => [`o${i}`, output]));
    },
  };
}
