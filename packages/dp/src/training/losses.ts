/**
 * Per-example losses and their gradients. The loss of an example is the mean over its own positions, never over the batch.
 *
 * Crossentropies of a sigmoid or softmax output are computed from the logits, so nothing is clipped or lost to rounding. All other losses are
 * differentiated as they are written.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { assertPerExample, pullback } from '@sotto/core/model';
import type { ModelForward, ModelGraph } from '@sotto/core/model';
import { sizeOf } from '@sotto/core/ops';
import type { Ops, Shape } from '@sotto/core/ops';
import { lossFunctions } from './loss-functions.ts';
import { nearestName } from '../known-keys.ts';
import type { DenseLossName, LossFunction } from './loss-functions.ts';

export type { LossFunction } from './loss-functions.ts';

/** The losses by their tfjs names. */
export type LossName = DenseLossName | 'sparseCategoricalCrossentropy';

/** Every {@link LossName}. */
export const lossNames: readonly LossName[] = [
  ...(Object.keys(lossFunctions) as DenseLossName[]),
  'sparseCategoricalCrossentropy',
];

/** A loss of one's own whose targets have another shape than the predictions. */
export interface ShapedLoss {
  readonly loss: LossFunction;
  /** The shape of an example's target. */
  readonly targetShape: Shape;
}

/** A loss of one output: a name, or a function of predictions and targets, which is differentiated and checked to keep examples apart. */
export type Loss = LossName | LossFunction | ShapedLoss;

/**
 * A loss of all outputs at once, such as one that ties them together: functions of the predictions and targets of all outputs, in their order, that give
 * one loss per example, differentiated and checked like any other.
 */
export interface JointLoss {
  readonly joint: <T>(ops: Ops<T>, predictions: readonly T[], targets: readonly T[]) => T;
  /** The shape of an example's target for each output. Default: the outputs' shapes. */
  readonly targetShapes?: readonly Shape[];
}

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

/** The mean over all axes but the first, `[n, 1]`. */
export function meanPerExample<T>(ops: Ops<T>, x: T): T {
  const shape = ops.shapeOf(x);
  const positions = sizeOf(shape.slice(1));
  const flat = ops.reshape(x, [shape[0]!, positions]);
  return positions === 1 ? flat : ops.mul(ops.sum(flat, [1]), ops.constant([1 / positions], []));
}

/** Builds a loss for output number `output` of a model. */
export function lossRule(graph: ModelGraph, loss: Loss, output: number = 0): LossRule {
  const value = graph.outputs[output];
  const shape = graph.outputShapes[output];
  if (value === undefined || shape === undefined)
    throw new SottoError('invalid-argument', `the model has no output number ${output}`);
  if (typeof loss === 'function') return checked(differentiated(value, shape, loss), value, shape);
  if (typeof loss === 'object') return checked(differentiated(value, loss.targetShape, loss.loss), value, shape);
  if (!(lossNames as readonly string[]).includes(loss)) {
    const nearest = typeof (loss as unknown) === 'string' ? nearestName(loss, lossNames) : undefined;
    throw new SottoError(
      'invalid-argument',
      `loss is ${show(loss)}; ${nearest === undefined ? '' : `did you mean ${nearest}? `}it must be one of ${lossNames.join(', ')}, or a function`,
    );
  }
  const node = graph.nodes[value - graph.inputShapes.length];
  const logits = (activation: string): number | undefined => (node?.activation === activation ? node.inputs[0] : undefined);
  const fromLogits = logits(loss === 'binaryCrossentropy' ? 'sigmoid' : 'softmax');
  if (loss === 'sparseCategoricalCrossentropy') {
    const classes = shape.at(-1) ?? 1;
    if (fromLogits !== undefined) return softmaxCrossentropy(fromLogits, shape, true);
    // tfjs gives sparse targets a last axis of 1 for one position, and none for sequences; both have the same elements.
    return differentiated(value, shape.slice(0, -1), (ops, p, y) => {
      const hot = ops.reshape(ops.oneHot(y, classes), ops.shapeOf(p));
      return lossFunctions.categoricalCrossentropy(ops, p, hot);
    });
  }
  if (fromLogits !== undefined && loss === 'binaryCrossentropy') return sigmoidCrossentropy(fromLogits, shape);
  if (fromLogits !== undefined && loss === 'categoricalCrossentropy') return softmaxCrossentropy(fromLogits, shape, false);
  if (loss === 'meanSquaredError') return meanSquaredError(value, shape);
  return differentiated(value, shape, lossFunctions[loss]);
}

/** What a loss function gives as one number per example. */
export function perExample<T>(ops: Ops<T>, losses: T, n: number): T {
  const found = ops.shapeOf(losses);
  if (found[0] !== n) {
    throw new SottoError(
      'invalid-argument',
      `the loss function gives [${found.join(', ')}] for ${n} examples; it must give one loss per example, [${n}, 1], or one per position, [${n}, …]`,
    );
  }
  return meanPerExample(ops, losses);
}

/** A loss whose gradient follows from its formula. */
function differentiated(value: number, targetShape: Shape, loss: LossFunction): LossRule {
  return {
    targetShape,
    apply<T>(ops: Ops<T>, forward: ModelForward<T>, target: T) {
      const prediction = forward.values[value]!;
      const n = ops.shapeOf(prediction)[0]!;
      const { value: losses, pull } = pullback(ops, [prediction], [target], (o, [p], [y]) => perExample(o, loss(o, p!, y!), n));
      const [gradient] = pull(ops.constant(new Float64Array(n).fill(1), [n, 1]));
      if (gradient === undefined)
        throw new SottoError('invalid-argument', 'the loss function does not depend on the predictions');
      return { losses, value, gradient };
    },
  };
}

/** Runs a function of the user's on made-up values. Throws `invalid-argument`, with its cause, where it fails. */
export function ownWork<R>(what: string, work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (error instanceof SottoError) throw error;
    throw new SottoError(
      'invalid-argument',
      `${what} failed: ${error instanceof Error ? error.message : String(error)}. It gets (ops, prediction, target) and may use the operations of ops only, not those of tfjs`,
      { cause: error },
    );
  }
}

/** A prime, so that no axis can be split into parts that happen to be as long as the batch. */
const EXAMPLES = 5;

/** Checks a user's loss before anything is trained with it: of one example's values its loss and gradient are made, and of nothing else. */
function checked(rule: LossRule, value: number, shape: Shape): LossRule {
  assertPerExample(
    {
      name: 'loss',
      inputs: [
        { name: 'prediction', shape: [EXAMPLES, ...shape] },
        { name: 'target', shape: [EXAMPLES, ...rule.targetShape] },
      ],
      build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
        const values: T[] = [];
        values[value] = inputs['prediction']!;
        const forward: ModelForward<T> = { outputs: [inputs['prediction']!], values, backward: () => [] };
        const { losses, gradient } = ownWork('the loss function', () => rule.apply(ops, forward, inputs['target']!));
        return { losses, gradient };
      },
    },
    {
      batchSize: EXAMPLES,
      inputs: ['prediction', 'target'],
      what: 'the loss function',
      cure: 'compute each example’s loss from its own prediction and target; reduce along other axes than 0',
    },
  );
  return rule;
}

function meanSquaredError(value: number, shape: Shape): LossRule {
  return {
    targetShape: shape,
    apply(ops, forward, target) {
      const difference = ops.sub(forward.values[value]!, target);
      const gradient = ops.mul(difference, ops.constant([2 / sizeOf(shape)], []));
      return { losses: meanPerExample(ops, ops.mul(difference, difference)), value, gradient };
    },
  };
}

/** −y·log σ(z) − (1 − y)·log(1 − σ(z)) = softplus(z) − y·z, with the derivative σ(z) − y. */
function sigmoidCrossentropy(from: number, shape: Shape): LossRule {
  const scale = 1 / sizeOf(shape);
  return {
    targetShape: shape,
    apply(ops, forward, target) {
      const z = forward.values[from]!;
      const losses = meanPerExample(ops, ops.sub(ops.softplus(z), ops.mul(target, z)));
      return { losses, value: from, gradient: ops.mul(ops.sub(ops.sigmoid(z), target), ops.constant([scale], [])) };
    },
  };
}

/** −Σ y·log softmax(z), with the derivative Σy·softmax(z) − y. */
function softmaxCrossentropy(from: number, shape: Shape, sparse: boolean): LossRule {
  const classes = shape.at(-1)!;
  const positions = sizeOf(shape) / classes;
  return {
    targetShape: sparse ? shape.slice(0, -1) : shape,
    apply(ops, forward, target) {
      const z = forward.values[from]!;
      const n = ops.shapeOf(z)[0]!;
      const y = sparse ? ops.reshape(ops.oneHot(target, classes), [n, ...shape]) : target;
      const scale = ops.constant([1 / positions], []);
      const losses = ops.mul(ops.constant([classes], []), meanPerExample(ops, ops.neg(ops.mul(y, ops.logSoftmax(z)))));
      const predicted = sparse ? ops.softmax(z) : ops.mul(ops.sum(y, [shape.length]), ops.softmax(z));
      return { losses, value: from, gradient: ops.mul(ops.sub(predicted, y), scale) };
    },
  };
}
