/** Every operation with a batch of any size, for the test that an example's numbers do not depend on its place in the batch. */
import type { Ops, Shape } from '@sotto/core/ops';
import { cumulativeSum } from './cumulative-sum.ts';

/** An operation on a batch. */
export interface PlaceCase {
  readonly name: string;
  /** Shapes of one example of each input with examples, which are their first axis. */
  readonly examples: readonly Shape[];
  /** Shapes of the inputs that are the same for all examples. */
  readonly shared?: readonly Shape[];
  /** Maps pseudo-random numbers in (−1, 1) into the operation's domain. */
  readonly map?: (x: number) => number;
  /** The result, whose first axis is the examples. */
  readonly build: <T>(ops: Ops<T>, n: number, examples: readonly T[], shared: readonly T[]) => T;
}

const window = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] } as const;
const padded = { ...window, pads: [1, 1, 1, 1] } as const;

/** Widths around those of vectors. */
const widths = [1, 3, 4, 7, 10, 25, 49, 64];

const unary: PlaceCase[] = (
  ['neg', 'abs', 'exp', 'tanh', 'sigmoid', 'relu', 'softplus', 'softmax', 'erf', 'logSoftmax', 'isFinite'] as const
).flatMap((name) =>
  [1, 3, 4, 10].map((width): PlaceCase => ({
    name: `${name} of ${width}`,
    examples: [[width]],
    map: (x) => 3 * x,
    build: (ops, _, [x]) => ops[name](x!),
  })),
);
const positive: PlaceCase[] = (['log', 'sqrt'] as const).flatMap((name) =>
  [1, 3, 4, 10].map((width): PlaceCase => ({
    name: `${name} of ${width}`,
    examples: [[width]],
    map: (x) => 4 * Math.abs(x) + 1e-3,
    build: (ops, _, [x]) => ops[name](x!),
  })),
);
const binary: PlaceCase[] = (
  ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'greater', 'greaterEqual', 'equal'] as const
).flatMap((name) =>
  [1, 5].flatMap((width): PlaceCase[] => [
    {
      name: `${name} of ${width}`,
      examples: [[width], [width]],
      map: (x) => 3 * x,
      build: (ops, _, [a, b]) => ops[name](a!, b!),
    },
    {
      name: `${name} of ${width} and a shared row`,
      examples: [[width]],
      shared: [[width]],
      build: (ops, _, [a], [b]) => ops[name](b!, a!),
    },
  ]),
);

const sums: PlaceCase[] = (['sum', 'max'] as const).flatMap((name) => [
  ...widths.map((width): PlaceCase => ({
    name: `${name} over ${width}`,
    examples: [[width]],
    build: (ops, _, [x]) => ops[name](x!, [1]),
  })),
  ...widths.map((width): PlaceCase => ({
    name: `${name} over ${width} of three channels`,
    examples: [[3, width]],
    build: (ops, _, [x]) => ops[name](x!, [2]),
  })),
  ...[
    [5, 5],
    [7, 7],
    [2, 8],
    [4, 4],
  ].map((image): PlaceCase => ({
    name: `${name} over images ${image.join('×')}`,
    examples: [[3, ...image]],
    build: (ops, _, [x]) => ops[name](x!, [2, 3]),
  })),
  ...widths.map((width): PlaceCase => ({
    name: `${name} over 9 positions of ${width}`,
    examples: [[9, width]],
    build: (ops, _, [x]) => ops[name](x!, [1]),
  })),
  { name: `${name} over the outer of three axes`, examples: [[5, 6, 3]], build: (ops, _, [x]) => ops[name](x!, [1]) },
  { name: `${name} over the first and the last axis`, examples: [[5, 6, 7]], build: (ops, _, [x]) => ops[name](x!, [1, 3]) },
  {
    name: `${name} over two axes with others between`,
    examples: [[3, 5, 2, 7, 3]],
    build: (ops, _, [x]) => ops[name](x!, [2, 4]),
  },
  {
    name: `${name} over axes of one`,
    examples: [[1, 5, 1]],
    build: (ops, _, [x]) => ops[name](x!, [1, 3]),
  },
  {
    name: `${name} over 9, examples behind`,
    examples: [[9]],
    build: (ops, n, [x]) => ops.reshape(ops[name](ops.transpose(x!, [1, 0]), [0]), [n, 1]),
  },
  {
    name: `${name} over 7, examples in the middle`,
    examples: [[3, 7]],
    build: (ops, _, [x]) => ops.transpose(ops[name](ops.transpose(x!, [1, 0, 2]), [2]), [1, 0, 2]),
  },
]);

const products: PlaceCase[] = [
  ...[1, 7, 25, 64].flatMap((d) =>
    [1, 2, 3, 17].flatMap((p): PlaceCase[] => [
      {
        name: `matMul of rows of ${d} with a shared matrix of ${p}`,
        examples: [[d]],
        shared: [[d, p]],
        build: (ops, _, [x], [w]) => ops.matMul(x!, w!),
      },
      {
        name: `matMul of rows of ${d} with a transposed matrix of ${p}`,
        examples: [[d]],
        shared: [[p, d]],
        build: (ops, _, [x], [w]) => ops.matMul(x!, w!, false, true),
      },
      {
        name: `matMul of columns of ${d} with a shared matrix of ${p}`,
        examples: [[d]],
        shared: [[d, p]],
        build: (ops, _, [x], [w]) => ops.matMul(ops.transpose(x!, [1, 0]), w!, true),
      },
      {
        name: `matMul of a shared matrix of ${p} with columns of ${d}`,
        examples: [[d]],
        shared: [[p, d]],
        build: (ops, _, [x], [w]) => ops.transpose(ops.matMul(w!, ops.transpose(x!, [1, 0])), [1, 0]),
      },
      {
        name: `matMul of a shared matrix of ${p} with transposed rows of ${d}`,
        examples: [[d]],
        shared: [[p, d]],
        build: (ops, _, [x], [w]) => ops.transpose(ops.matMul(w!, x!, false, true), [1, 0]),
      },
      {
        name: `matMul, both transposed, of ${p} by ${d}`,
        examples: [[d]],
        shared: [[d, p]],
        build: (ops, _, [x], [w]) => ops.transpose(ops.matMul(w!, x!, true, true), [1, 0]),
      },
    ]),
  ),
  ...[1, 5].flatMap((t) =>
    [1, 7].flatMap((d) =>
      [1, 3].flatMap((p): PlaceCase[] => [
        {
          name: `matMul, batched, ${t}×${d} and ${d}×${p}`,
          examples: [
            [t, d],
            [d, p],
          ],
          build: (ops, _, [a, b]) => ops.matMul(a!, b!),
        },
        {
          name: `matMul, batched, first transposed, ${t}×${d} and ${d}×${p}`,
          examples: [
            [d, t],
            [d, p],
          ],
          build: (ops, _, [a, b]) => ops.matMul(a!, b!, true),
        },
        {
          name: `matMul, batched, second transposed, ${t}×${d} and ${d}×${p}`,
          examples: [
            [t, d],
            [p, d],
          ],
          build: (ops, _, [a, b]) => ops.matMul(a!, b!, false, true),
        },
        {
          name: `matMul of ${t} positions of ${d} with a shared matrix of ${p}`,
          examples: [[t, d]],
          shared: [[d, p]],
          build: (ops, _, [a], [w]) => ops.matMul(a!, w!),
        },
        {
          name: `matMul, examples within three matrices of ${t}×${d}, and ${p}`,
          examples: [[3, d]],
          shared: [[3, d, p]],
          build: (ops, _, [a], [w]) => ops.transpose(ops.matMul(ops.transpose(a!, [1, 0, 2]), w!), [1, 0, 2]),
        },
      ]),
    ),
  ),
  {
    name: 'matMul of a shared matrix with each example',
    examples: [[5, 7]],
    shared: [[3, 5]],
    build: (ops, _, [x], [w]) => ops.matMul(w!, x!),
  },
  ...[1, 3].map((p): PlaceCase => ({
    name: `matMul times a number, ${p} columns`,
    examples: [[7]],
    shared: [[7, p]],
    build: (ops, _, [x], [w]) => ops.mul(ops.matMul(x!, w!), ops.constant([0.3], [])),
  })),
];

const convolutions: PlaceCase[] = [
  ...[
    { name: 'of one channel', ci: 1, co: 3, k: 3, options: window },
    { name: 'of three channels', ci: 3, co: 5, k: 3, options: padded },
    { name: 'of blocks', ci: 16, co: 32, k: 3, options: padded },
    { name: 'of one channel into blocks', ci: 1, co: 32, k: 3, options: window },
    { name: 'strided', ci: 2, co: 3, k: 2, options: { ...window, strides: [2, 2] as const } },
    { name: 'dilated', ci: 2, co: 3, k: 2, options: { ...window, dilations: [2, 2] as const } },
    { name: 'of single cells', ci: 5, co: 3, k: 1, options: window },
  ].flatMap(({ name, ci, co, k, options }): PlaceCase[] => {
    const out = (7 + options.pads[0] + options.pads[2] - ((k - 1) * options.dilations[0] + 1)) / options.strides[0] + 1;
    return [
      {
        name: `conv2d ${name}`,
        examples: [[ci, 7, 7]],
        shared: [[co, ci, k, k]],
        build: (ops, _, [x], [w]) => ops.conv2d(x!, w!, { ...options, groups: 1 }),
      },
      {
        name: `conv2d ${name}, bias and relu`,
        examples: [[ci, 7, 7]],
        shared: [[co, ci, k, k], [co]],
        build: (ops, _, [x], [w, b]) =>
          ops.relu(ops.add(ops.conv2d(x!, w!, { ...options, groups: 1 }), ops.reshape(b!, [co, 1, 1]))),
      },
      {
        name: `conv2dInputGradient ${name}`,
        examples: [[co, Math.floor(out), Math.floor(out)]],
        shared: [[co, ci, k, k]],
        build: (ops, n, [g], [w]) => ops.conv2dInputGradient(g!, w!, [n, ci, 7, 7], { ...options, groups: 1 }),
      },
    ];
  }),
  {
    name: 'conv2d by channel',
    examples: [[6, 5, 5]],
    shared: [[6, 1, 3, 3]],
    build: (ops, _, [x], [w]) => ops.conv2d(x!, w!, { ...padded, groups: 6 }),
  },
  {
    name: 'conv2dInputGradient by channel',
    examples: [[6, 5, 5]],
    shared: [[6, 1, 3, 3]],
    build: (ops, n, [g], [w]) => ops.conv2dInputGradient(g!, w!, [n, 6, 5, 5], { ...padded, groups: 6 }),
  },
  {
    name: 'conv2d, examples as groups',
    examples: [
      [2, 5, 5],
      [3, 3, 3],
    ],
    build: (ops, n, [x, g]) => {
      const images = ops.reshape(ops.transpose(x!, [1, 0, 2, 3]), [2, n, 5, 5]);
      const y = ops.conv2d(images, ops.reshape(g!, [3 * n, 1, 3, 3]), { ...window, groups: n });
      return ops.transpose(ops.reshape(y, [2, n, 27]), [1, 0, 2]);
    },
  },
  {
    name: 'patches',
    examples: [[2, 5, 4]],
    build: (ops, _, [x]) => ops.patches(x!, [2, 3], window),
  },
  {
    name: 'maxPool2d',
    examples: [[2, 6, 6]],
    build: (ops, _, [x]) => ops.maxPool2d(x!, { ...window, size: [2, 2] }),
  },
  ...([1, 2] as const).map((stride): PlaceCase => ({
    name: `maxPool2dGradient, stride ${stride}`,
    examples: [[2, 6, 6], stride === 1 ? [2, 5, 5] : [2, 3, 3]],
    map: (x) => Math.round(3 * x),
    build(ops, _, [x, g]) {
      const options = { ...window, strides: [stride, stride] as const, size: [2, 2] as const };
      return ops.maxPool2dGradient(x!, ops.maxPool2d(x!, options), g!, options);
    },
  })),
];

const shapes: PlaceCase[] = [
  { name: 'transpose', examples: [[3, 5]], build: (ops, _, [x]) => ops.transpose(x!, [0, 2, 1]) },
  { name: 'slice', examples: [[7]], build: (ops, n, [x]) => ops.slice(x!, [0, 2], [n, 3]) },
  { name: 'concat', examples: [[3], [2]], build: (ops, _, [a, b]) => ops.concat([a!, b!, a!], 1) },
  { name: 'pad', examples: [[3]], build: (ops, _, [x]) => ops.pad(x!, [0, 1], [0, 2]) },
  { name: 'broadcastTo', examples: [[1, 3]], build: (ops, n, [x]) => ops.broadcastTo(x!, [n, 4, 3]) },
  { name: 'reverse', examples: [[3, 5]], build: (ops, _, [x]) => ops.reverse(x!, [1, 2]) },
  {
    name: 'gather',
    examples: [[3]],
    shared: [[5, 3]],
    map: (x) => Math.floor(Math.abs(x) * 5),
    build: (ops, _, [ids], [table]) => ops.gather(table!, ids!),
  },
  { name: 'oneHot', examples: [[3]], map: (x) => Math.floor(Math.abs(x) * 5), build: (ops, _, [ids]) => ops.oneHot(ids!, 5) },
  {
    name: 'where',
    examples: [[3], [3]],
    build: (ops, _, [a, b]) => ops.where(ops.greater(a!, b!), a!, b!),
  },
  {
    name: 'roundAdd',
    examples: [[3], [3]],
    map: (x) => Math.round(1000 * x),
    build: (ops, _, [a, b]) => ops.roundAdd(a!, b!),
  },
  { name: 'cumulativeSum', examples: [[3, 5]], build: (ops, _, [x]) => ops.apply(cumulativeSum, [x!], { axis: 2 }) },
  // Groups that engines write as one.
  {
    name: 'normalised rows',
    examples: [[7]],
    build<T>(ops: Ops<T>, _: number, [x]: readonly T[]): T {
      const mean = (v: T): T => ops.mul(ops.sum(v, [1]), ops.constant([1 / 7], []));
      const shifted = ops.sub(x!, mean(x!));
      const root = ops.sqrt(ops.add(mean(ops.mul(shifted, shifted)), ops.constant([1e-3], [])));
      return ops.mul(shifted, ops.div(ops.constant([1], []), root));
    },
  },
  {
    name: 'sums of squares',
    examples: [[25]],
    build: (ops, _, [x]) => ops.sum(ops.mul(x!, x!), [1]),
  },
  {
    name: 'gelu of rows',
    examples: [[7]],
    shared: [[7, 5], [5]],
    build(ops, _, [x], [w, b]) {
      const y = ops.add(ops.matMul(x!, w!), b!);
      const half = ops.constant([0.5], []);
      const phi = ops.add(ops.erf(ops.mul(y, ops.constant([Math.SQRT1_2], []))), ops.constant([1], []));
      return ops.mul(ops.mul(y, half), phi);
    },
  },
];

/** All of them. */
export const placeCases: readonly PlaceCase[] = [
  ...unary,
  ...positive,
  ...binary,
  ...sums,
  ...products,
  ...convolutions,
  ...shapes,
];
