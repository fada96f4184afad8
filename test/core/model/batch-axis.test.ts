/** The structural check: what keeps examples apart passes, and what mixes them is refused with the operation named. */
import { assertPerExample, compileModel } from '@sotto/core/model';
import type { BuiltLayer, LayerKind } from '@sotto/core/model';
import type { Ops, Shape } from '@sotto/core/ops';
import '@tensorflow/tfjs-backend-cpu';
import { serialization } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';

type Build = <T>(ops: Ops<T>, x: T, w: T) => T;

/** Checks a function of examples `[n, 4, 6]` and a tensor of its own `[4, 6]`. */
function check(build: Build, n = 5): void {
  assertPerExample(
    {
      name: 'probe',
      inputs: [
        { name: 'x', shape: [n, 4, 6] },
        { name: 'w', shape: [4, 6] },
      ],
      build: (ops, inputs) => ({ out: build(ops, inputs['x']!, inputs['w']!) }),
    },
    { batchSize: n, inputs: ['x'], what: 'the probe', cure: 'mend it' },
  );
}

const window = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
const image = <T>(ops: Ops<T>, x: T): T => ops.reshape(x, [ops.shapeOf(x)[0]!, 2, 3, 4]);

describe('what keeps examples apart', () => {
  it.each<[string, Build]>([
    ['broadcasting against weights', (ops, x, w) => ops.add(x, w)],
    [
      'a dense layer over all positions at once',
      (ops, x, w) => {
        const [n] = ops.shapeOf(x) as [number];
        return ops.reshape(ops.matMul(ops.reshape(x, [n * 4, 6]), w, false, true), [n, 4, 4]);
      },
    ],
    ['a product within each example', (ops, x) => ops.matMul(x, x, true)],
    ['an axis moved to the end and back', (ops, x) => ops.transpose(ops.relu(ops.transpose(x, [1, 2, 0])), [2, 0, 1])],
    ['sums over positions', (ops, x) => ops.sum(x, [1, 2])],
    [
      'examples along columns of a product',
      (ops, x, w) => {
        const [n] = ops.shapeOf(x) as [number];
        const columns = ops.transpose(ops.reshape(ops.sum(x, [1]), [n, 6]), [1, 0]);
        return ops.transpose(ops.matMul(w, columns), [1, 0]);
      },
    ],
    [
      'parts joined along another axis',
      (ops, x) => ops.concat([x, ops.constant(new Float64Array(ops.shapeOf(x)[0]! * 24), ops.shapeOf(x))], 1),
    ],
    ['windows over images', (ops, x) => ops.patches(image(ops, x), [2, 2], window)],
    [
      'examples as groups of a convolution',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        const stacked = ops.reshape(x, [1, 2 * n, 3, 4]);
        const kernels = ops.reshape(ops.slice(image(ops, x), [0, 0, 0, 0], [n, 2, 1, 1]), [n, 2, 1, 1]);
        return ops.reshape(ops.conv2d(stacked, kernels, { ...window, groups: n }), [n, 3, 4]);
      },
    ],
    ['rows of a table of their own', (ops, x, w) => ops.gather(w, x)],
  ])('passes: %s', (_, build) => {
    check(build);
    check(build, 4);
  });
});

describe('what mixes examples', () => {
  it.each<[string, Build]>([
    ['sum', (ops, x) => ops.sub(x, ops.sum(x, [0]))],
    ['max', (ops, x) => ops.max(x, [0, 1])],
    ['softmax', (ops, x) => ops.transpose(ops.softmax(ops.transpose(x, [1, 2, 0])), [2, 0, 1])],
    ['reverse', (ops, x) => ops.reverse(x, [0])],
    ['reshape', (ops, x) => ops.reshape(x, [4, ops.shapeOf(x)[0]!, 6])],
    ['concat', (ops, x) => ops.slice(ops.concat([x, x], 0), [1, 0, 0], ops.shapeOf(x))],
    ['slice', (ops, x) => ops.add(x, ops.slice(x, [1, 0, 0], [1, 4, 6]))],
    [
      'pad',
      (ops, x) => {
        const [n, ...rest] = ops.shapeOf(x) as [number, number, number];
        return ops.slice(ops.pad(x, [1, 0, 0], [0, 0, 0]), [0, 0, 0], [n, ...rest]);
      },
    ],
    [
      'matMul',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        const flat = ops.reshape(x, [n, 24]);
        return ops.matMul(flat, ops.matMul(flat, flat, true));
      },
    ],
    [
      'matMul',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        const flat = ops.reshape(x, [n, 24]);
        return ops.matMul(flat, flat, false, true);
      },
    ],
    [
      'add',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        const first = ops.reshape(ops.sum(x, [1, 2]), [n, 1]);
        return ops.add(first, ops.transpose(first, [1, 0]));
      },
    ],
    [
      'gather',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        return ops.gather(
          ops.reshape(x, [n, 24]),
          ops.constant(
            Float64Array.from({ length: n }, (_, i) => (i + 1) % n),
            [n],
          ),
        );
      },
    ],
    [
      'conv2d',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        return ops.reshape(
          ops.conv2d(ops.reshape(x, [1, n, 4, 6]), ops.constant(new Float64Array(n * n), [n, n, 1, 1]), { ...window, groups: 1 }),
          [n, 4, 6],
        );
      },
    ],
    [
      'maxPool2d',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        const rows = ops.reshape(ops.transpose(x, [1, 0, 2]), [1, 4, n, 6]);
        return ops.reshape(ops.maxPool2d(rows, { ...window, size: [1, 1] }), [n, 4, 6]);
      },
    ],
    [
      'patches',
      (ops, x) => ops.reshape(ops.patches(ops.transpose(image(ops, x), [1, 0, 2, 3]), [1, 1], window), [ops.shapeOf(x)[0]!, 24]),
    ],
    ['out', (ops, x) => ops.transpose(x, [1, 0, 2])],
  ])('is refused: %s', (operation, build) => {
    expect(() => check(build)).toThrow(new RegExp(`the probe mixes examples: ${operation}: its? .*; mend it`));
  });
});

/** A kind of one's own, with a forward pass that is given here and a backward pass that does nothing. */
function kind(
  className: string,
  forward: <T>(ops: Ops<T>, x: T) => T,
  outputShape: (shape: Shape) => Shape = (shape) => shape,
): LayerKind {
  return {
    className,
    build: (_, [input]): BuiltLayer => ({
      outputShape: outputShape(input!),
      weights: [],
      forward: (ops, [x]) => ({ output: forward(ops, x!), backward: (g) => ({ inputs: [ops.mul(g, x!)], weights: [] }) }),
    }),
  };
}

class Whatever extends tf.layers.Layer {
  static readonly className = 'Whatever';
}
serialization.registerClass(Whatever as unknown as serialization.SerializableConstructor<serialization.Serializable>);

/** A number for each place in the batch, or for each of `inner` positions of each place. */
const byPlace = <T>(ops: Ops<T>, x: T, value: (place: number, position: number) => number, inner = 1): T => {
  const [n] = ops.shapeOf(x) as [number];
  return ops.constant(
    Float64Array.from({ length: n * inner }, (_, i) => value(Math.floor(i / inner), i % inner)),
    [n * inner, 1, 1],
  );
};
const alternating = (place: number): number => (place % 2 === 0 ? 1 : -1);

describe('values that no example gives', () => {
  it.each<[string, Build]>([
    [
      'a list with one value for all',
      (ops, x) =>
        ops.mul(
          x,
          byPlace(ops, x, () => 0.5),
        ),
    ],
    [
      'positions that are repeated for each example',
      (ops, x, w) => {
        const [n] = ops.shapeOf(x) as [number];
        const positions = ops.reshape(
          byPlace(ops, x, (_, position) => position, 4),
          [4 * n, 1],
        );
        const weights = ops.reshape(ops.broadcastTo(w, [n, 4, 6]), [4 * n, 6]);
        return ops.reshape(ops.mul(ops.reshape(x, [4 * n, 6]), ops.add(positions, weights)), [n, 4, 6]);
      },
    ],
    ['a function of such a list', (ops, x) => ops.where(ops.greater(x, ops.exp(byPlace(ops, x, () => 2))), x, ops.neg(x))],
  ])('pass where all examples get the same: %s', (_, build) => {
    check(build);
  });

  it.each<[string, Build]>([
    ['mul', (ops, x) => ops.mul(x, byPlace(ops, x, alternating))],
    ['mul', (ops, x) => ops.mul(x, ops.exp(byPlace(ops, x, alternating)))],
    ['greater', (ops, x) => ops.greater(x, byPlace(ops, x, alternating))],
    ['where', (ops, x) => ops.where(byPlace(ops, x, alternating), x, ops.neg(x))],
    ['isFinite', (ops, x) => ops.isFinite(ops.add(ops.reshape(byPlace(ops, x, alternating), [5, 1, 1]), x))],
    [
      'mul',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        const lists = ops.reshape(
          byPlace(ops, x, (place, position) => place + position, 4),
          [4 * n, 1],
        );
        return ops.reshape(ops.mul(ops.reshape(x, [4 * n, 6]), lists), [n, 4, 6]);
      },
    ],
    ['concat', (ops, x) => ops.concat([x, ops.broadcastTo(byPlace(ops, x, alternating), [5, 1, 6])], 1)],
    ['matMul', (ops, x, w) => ops.matMul(x, ops.mul(ops.reshape(w, [1, 6, 4]), byPlace(ops, x, alternating)))],
    [
      'conv2d',
      (ops, x) => {
        const [n] = ops.shapeOf(x) as [number];
        const kernels = ops.reshape(byPlace(ops, x, alternating), [n, 1, 1, 1]);
        return ops.reshape(ops.conv2d(ops.reshape(x, [1, n, 4, 6]), kernels, { ...window, groups: n }), [n, 4, 6]);
      },
    ],
    ['out', (ops, x) => byPlace(ops, x, alternating)],
  ])('are refused in %s where they differ from place to place', (operation, build) => {
    const named = operation === 'isFinite' ? 'add' : operation;
    expect(() => check(build)).toThrow(
      new RegExp(`the probe mixes examples: ${named}: .* differs from place to place in the batch; mend it`),
    );
  });
});

describe('layer kinds of one’s own', () => {
  const net = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] }), new Whatever({ name: 'mine' })] });

  it('are refused without a rule, by name', () => {
    expect(() => compileModel(net)).toThrow(/layer mine \(Whatever\): this kind has no rule/);
  });

  it('compile where they keep examples apart', () => {
    const graph = compileModel(net, { kinds: [kind('Whatever', (ops, x) => ops.tanh(x))] });
    expect(graph.outputShapes).toEqual([[3]]);
  });

  it.each<[string, LayerKind, RegExp]>([
    [
      'whose output mixes the batch',
      kind('Whatever', (ops, x) => ops.sub(x, ops.mul(ops.sum(x, [0]), ops.constant([1 / ops.shapeOf(x)[0]!], [])))),
      /layer mine \(Whatever\) mixes examples: sum: it adds along the batch axis; use a layer whose output/,
    ],
    [
      'that fold the batch axis into another',
      kind('Whatever', (ops, x) => {
        const [n, d] = ops.shapeOf(x) as [number, number];
        return ops.reshape(ops.relu(ops.reshape(x, [d, n])), [n, d]);
      }),
      /layer mine \(Whatever\) mixes examples: reshape: it folds the batch axis of \[5, 3\] into \[3, 5\]/,
    ],
    [
      'whose backward pass mixes the batch',
      {
        ...kind('Whatever', (ops, x) => ops.relu(x)),
        build: (_, [input]) => ({
          outputShape: input!,
          weights: [],
          forward: (ops, [x]) => ({ output: x!, backward: (g) => ({ inputs: [ops.add(g, ops.sum(g, [0]))], weights: [] }) }),
        }),
      },
      /layer mine \(Whatever\) mixes examples: sum/,
    ],
    [
      'whose gradient records mix the batch',
      {
        className: 'Whatever',
        build: (_, [input]) => ({
          outputShape: input!,
          weights: [{ name: 'w', shape: input! }],
          forward: (ops, [x], [w]) => ({
            output: ops.mul(x!, w!),
            backward: (g) => ({
              inputs: [ops.mul(g, w!)],
              weights: [{ kind: 'direct', g: ops.broadcastTo(ops.sum(ops.mul(g, x!), [0]), ops.shapeOf(g)) }],
            }),
          }),
        }),
      },
      /layer mine \(Whatever\) mixes examples: sum/,
    ],
    [
      'that state another shape than they give',
      kind(
        'Whatever',
        (_, x) => x,
        () => [7],
      ),
      /layer mine \(Whatever\) gives \[5, 3\] for 5 examples; its kind states \[5, 7\]/,
    ],
  ])('are refused: %s', (_, own, message) => {
    expect(() => compileModel(net, { kinds: [own] })).toThrow(message);
  });
});

describe('all layer classes of tfjs', () => {
  // Registered classes that are no layers.
  const others =
    /^(Adadelta|Adagrad|Adam|Adamax|Momentum|RMSProp|SGD|MaxNorm|UnitNorm|NonNeg|MinMaxNorm|L1L2|Zeros|Ones|Constant|Random.*|Truncated.*|Identity|VarianceScaling|Glorot.*|He.*|LeCun.*|Orthogonal|Layer|Model|Functional|Sequential|InputLayer|PipelineModel|[a-z].*)$/;
  const { classNameMap } = serialization.SerializationMap.getMap();
  const names = Object.keys(classNameMap).filter((name) => !others.test(name) || /^Random(Width|Height)$/.test(name));

  it('are known', () => {
    expect(names.length).toBeGreaterThan(55);
  });

  it.each(names.map((name) => [name]))('%s has a rule or is refused by its own name, with a cure', (className) => {
    const topology = {
      class_name: 'Sequential',
      config: {
        layers: [{ class_name: className, config: { name: 'it', trainable: true, batch_input_shape: [null, 4, 4, 4, 4, 4] } }],
      },
    };
    let message = '';
    try {
      compileModel(topology);
    } catch (error) {
      message = (error as Error).message;
    }
    if (message !== '') expect(message).toMatch(/^layer it( \(\w+\))?: .*|merge|inputs/);
    expect(message).not.toMatch(/undefined|TypeError|Cannot read/);
  });
});
