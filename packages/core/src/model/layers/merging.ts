/**
 * Kinds that join several values of the same example: add, average, multiply, maximum, minimum, concatenate.
 *
 * @module
 */
import type { Ops, Shape } from '../../ops/ops.ts';
import { broadcastShape, concatShape } from '../../ops/shapes.ts';
import { number, refuse } from '../config.ts';
import type { LayerConfig, LayerKind } from '../types.ts';

/** Sums a gradient over the axes along which its operand was broadcast. */
function unbroadcast<T>(ops: Ops<T>, g: T, shape: Shape): T {
  const from = ops.shapeOf(g);
  const axes = from.map((_, axis) => axis).filter((axis) => shape[axis] === 1 && from[axis] !== 1);
  return axes.length === 0 ? g : ops.sum(g, axes);
}

function mergedShape(config: LayerConfig, inputs: readonly Shape[]): Shape {
  const [first, ...rest] = inputs;
  if (first === undefined || rest.length === 0) throw refuse(config, `it has ${inputs.length} inputs`, 'give it at least two');
  if (rest.some((shape) => shape.length !== first.length))
    throw refuse(config, 'its inputs have different numbers of axes', 'reshape them first');
  return rest.reduce((shape, next) => broadcastShape(config.layer, shape, next), first);
}

/** A merge by a function of the values, and the gradient of input i before it is summed over broadcast axes. */
function merge(
  className: string,
  there: <T>(ops: Ops<T>, values: readonly T[]) => T,
  slope: <T>(ops: Ops<T>, values: readonly T[], y: T, g: T, i: number) => T,
): LayerKind {
  return {
    className,
    layout: 'any',
    build(config, inputs) {
      return {
        outputShape: mergedShape(config, inputs),
        weights: [],
        forward(ops, values) {
          const y = there(ops, values);
          return {
            output: y,
            backward: (g, needed) => ({
              inputs: values.map((x, i) =>
                needed[i] ? unbroadcast(ops, slope(ops, values, y, g, i), ops.shapeOf(x)) : undefined,
              ),
              weights: [],
            }),
          };
        },
      };
    },
  };
}

const fold = <T>(values: readonly T[], f: (a: T, b: T) => T): T => values.reduce((a, b) => f(a, b));

/** The extreme of several values; the first of equal ones takes the gradient. */
function extreme(className: string, pick: 'maximum' | 'minimum'): LayerKind {
  return merge(
    className,
    (ops, values) => fold(values, (a, b) => ops[pick](a, b)),
    (ops, values, y, g, i) => {
      let free = ops.constant([1], []);
      for (let k = 0; k < i; k++) free = ops.mul(free, ops.sub(ops.constant([1], []), ops.equal(values[k]!, y)));
      return ops.mul(g, ops.mul(free, ops.equal(values[i]!, y)));
    },
  );
}

const concatenate: LayerKind = {
  className: 'Concatenate',
  build(config, inputs) {
    const rank = (inputs[0]?.length ?? 0) + 1;
    const raw = number(config, 'axis', -1);
    const axis = raw < 0 ? raw + rank : raw;
    if (axis === 0) throw refuse(config, 'it joins along the batch axis, which mixes examples', 'join along another axis');
    if (!Number.isInteger(axis) || axis < 0 || axis >= rank)
      throw refuse(config, `axis ${raw} is not an axis of its inputs`, `use 1 to ${rank - 1}`);
    return {
      outputShape: concatShape(inputs, axis - 1),
      weights: [],
      forward: (ops, values) => ({
        output: ops.concat(values, axis),
        backward(g, needed) {
          let begin = 0;
          const parts = values.map((x, i) => {
            const shape = ops.shapeOf(x);
            const start = shape.map((_, k) => (k === axis ? begin : 0));
            begin += shape[axis]!;
            return needed[i] ? ops.slice(g, start, shape) : undefined;
          });
          return { inputs: parts, weights: [] };
        },
      }),
    };
  },
};

export const mergingKinds: readonly LayerKind[] = [
  merge(
    'Add',
    (ops, values) => fold(values, (a, b) => ops.add(a, b)),
    (_, __, ___, g) => g,
  ),
  merge(
    'Average',
    (ops, values) =>
      ops.mul(
        fold(values, (a, b) => ops.add(a, b)),
        ops.constant([1 / values.length], []),
      ),
    (ops, values, _, g) => ops.mul(g, ops.constant([1 / values.length], [])),
  ),
  merge(
    'Multiply',
    (ops, values) => fold(values, (a, b) => ops.mul(a, b)),
    (ops, values, _, g, i) => values.reduce((product, x, k) => (k === i ? product : ops.mul(product, x)), g),
  ),
  extreme('Maximum', 'maximum'),
  extreme('Minimum', 'minimum'),
  concatenate,
];
