/**
 * Per-example losses and their gradients. The loss of an example is the mean over its own positions, never over the batch.
 *
 * Crossentropies of a sigmoid or softmax output are computed from the logits, so nothing is clipped or lost to rounding.
 *
 * @module
 */
import { oneOf } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { ModelForward, ModelGraph } from '@sotto/core/model';
import { sizeOf } from '@sotto/core/ops';
import type { Ops, Shape } from '@sotto/core/ops';

/** The losses by their tfjs names. */
export type LossName = 'meanSquaredError' | 'binaryCrossentropy' | 'categoricalCrossentropy' | 'sparseCategoricalCrossentropy';

/** Every {@link LossName}. */
export const lossNames: readonly LossName[] = [
  'meanSquaredError',
  'binaryCrossentropy',
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
];

/** A loss on one output of a model. */
export interface LossRule {
  /** The shape of an example's target. */
  readonly targetShape: Shape;
  /** Losses `[n, 1]`, and the gradient of each example's own loss for a value of the model. */
  apply<T>(
    ops: Ops<T>,
    forward: ModelForward<T>,
    target: T,
  ): { readonly losses: T; readonly value: number; readonly gradient: T };
}

const PROBABILITY_FLOOR = 1e-7;

function meanPerExample<T>(ops: Ops<T>, x: T): T {
  const shape = ops.shapeOf(x);
  const positions = sizeOf(shape.slice(1));
  const flat = ops.reshape(x, [shape[0]!, positions]);
  return ops.div(ops.sum(flat, [1]), ops.constant([positions], []));
}

/** Builds a loss for output number `output` of a model. */
export function lossRule(graph: ModelGraph, name: LossName, output: number = 0): LossRule {
  oneOf('loss', name, lossNames);
  const value = graph.outputs[output];
  const shape = graph.outputShapes[output];
  if (value === undefined || shape === undefined)
    throw new SottoError('invalid-argument', `the model has no output number ${output}`);
  const node = graph.nodes[value - graph.inputShapes.length];
  const logits = (activation: string): number | undefined => (node?.activation === activation ? node.inputs[0] : undefined);
  switch (name) {
    case 'meanSquaredError':
      return {
        targetShape: shape,
        apply(ops, forward, target) {
          const difference = ops.sub(forward.values[value]!, target);
          const gradient = ops.mul(difference, ops.constant([2 / sizeOf(shape)], []));
          return { losses: meanPerExample(ops, ops.mul(difference, difference)), value, gradient };
        },
      };
    case 'binaryCrossentropy':
      return binaryCrossentropy(value, shape, logits('sigmoid'));
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy':
      return crossentropy(value, shape, logits('softmax'), name === 'sparseCategoricalCrossentropy');
  }
}

function binaryCrossentropy(value: number, shape: Shape, from: number | undefined): LossRule {
  const scale = 1 / sizeOf(shape);
  return {
    targetShape: shape,
    apply(ops, forward, target) {
      const one = ops.constant([1], []);
      if (from !== undefined) {
        // −y·log σ(z) − (1 − y)·log(1 − σ(z)) = softplus(z) − y·z, with the derivative σ(z) − y.
        const z = forward.values[from]!;
        const losses = meanPerExample(ops, ops.sub(ops.softplus(z), ops.mul(target, z)));
        return { losses, value: from, gradient: ops.mul(ops.sub(ops.sigmoid(z), target), ops.constant([scale], [])) };
      }
      const floor = ops.constant([PROBABILITY_FLOOR], []);
      const raw = forward.values[value]!;
      const p = ops.minimum(ops.maximum(raw, floor), ops.sub(one, floor));
      const losses = meanPerExample(
        ops,
        ops.neg(ops.add(ops.mul(target, ops.log(p)), ops.mul(ops.sub(one, target), ops.log(ops.sub(one, p))))),
      );
      const slope = ops.div(ops.sub(p, target), ops.mul(p, ops.sub(one, p)));
      return { losses, value, gradient: ops.mul(ops.mul(slope, ops.equal(p, raw)), ops.constant([scale], [])) };
    },
  };
}

function crossentropy(value: number, shape: Shape, from: number | undefined, sparse: boolean): LossRule {
  const classes = shape.at(-1)!;
  const positions = sizeOf(shape) / classes;
  return {
    // tfjs gives sparse targets a last axis of 1 for one position, and none for sequences; both have the same elements.
    targetShape: sparse ? shape.slice(0, -1) : shape,
    apply(ops, forward, target) {
      const n = ops.shapeOf(forward.values[value]!)[0]!;
      const y = sparse ? ops.reshape(ops.oneHot(target, classes), [n, ...shape]) : target;
      const last = shape.length;
      const scale = ops.constant([1 / positions], []);
      if (from !== undefined) {
        // −Σ y·log softmax(z), with the derivative Σy·softmax(z) − y.
        const z = forward.values[from]!;
        const losses = ops.mul(ops.constant([classes], []), meanPerExample(ops, ops.neg(ops.mul(y, ops.logSoftmax(z)))));
        const predicted = sparse ? ops.softmax(z) : ops.mul(ops.sum(y, [last]), ops.softmax(z));
        return { losses, value: from, gradient: ops.mul(ops.sub(predicted, y), scale) };
      }
      const raw = forward.values[value]!;
      const p = ops.maximum(raw, ops.constant([PROBABILITY_FLOOR], []));
      const losses = ops.mul(ops.constant([classes], []), meanPerExample(ops, ops.neg(ops.mul(y, ops.log(p)))));
      return { losses, value, gradient: ops.mul(ops.mul(ops.neg(ops.div(y, p)), ops.equal(p, raw)), scale) };
    },
  };
}
