/** One case per operation and form, for the conformance suites of all engines. */
import { sizeOf } from '@sotto/core/ops';
import type { Ops, Primitive, Program, Shape } from '@sotto/core/ops';
import { namedPrimitives } from '../../../packages/core/src/ops/primitives/index.ts';
import { cumulativeSum } from './cumulative-sum.ts';
import { numbers } from './support.ts';

/** An operation on pseudo-random inputs. */
export interface Case {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly build: <T>(ops: Ops<T>, inputs: readonly T[]) => T;
  /** Maps the pseudo-random inputs in (−1, 1) into the operation's domain. */
  readonly map?: (x: number, input: number) => number;
}

const window = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] } as const;
const strided = { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] } as const;
const pair: readonly Shape[] = [
  [2, 3, 4],
  [3, 1],
];

const elementwise: Case[] = (['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'greater', 'greaterEqual', 'equal'] as const).map(
  (name) => ({
    name,
    shapes: pair,
    // Coarse values, so that ties occur for the comparisons.
    map: (x) => Math.round(x * 3) || 1,
    build: (ops, [a, b]) => ops[name](a!, b!),
  }),
);

const unary: Case[] = (['neg', 'abs', 'exp', 'tanh', 'sigmoid', 'relu', 'softplus', 'softmax'] as const).map((name) => ({
  name,
  shapes: [[3, 5]],
  map: (x) => 5 * x,
  build: (ops, [x]) => ops[name](x!),
}));

/** Far beyond where e^x overflows. */
const large: Case[] = (['tanh', 'sigmoid', 'relu', 'softplus', 'softmax'] as const).map((name) => ({
  name: `${name} of large numbers`,
  shapes: [[3, 5]],
  map: (x) => 1e4 * x,
  build: (ops, [x]) => ops[name](x!),
}));

/** The cases that a primitive brings with it. */
export function casesOf<A extends object>(primitive: Primitive<A>): Case[] {
  return primitive.cases.map((example) => {
    const { name, shapes, attributes, map } = example;
    return {
      name: name === undefined ? primitive.name : `${primitive.name}, ${name}`,
      shapes,
      build: (ops, inputs) => ops.apply(primitive, example.operands?.(ops, inputs) ?? inputs, attributes),
      ...(map === undefined ? {} : { map }),
    };
  });
}

/** Every operation, in every form that an engine may treat apart. */
export const cases: readonly Case[] = [
  ...namedPrimitives.flatMap(casesOf),
  ...casesOf(cumulativeSum),
  ...elementwise,
  ...unary,
  ...large,
  {
    name: 'add, a vector to five axes',
    shapes: [[2, 1, 2, 2, 3], [3]],
    build: (ops, [a, b]) => ops.add(ops.mul(a!, b!), ops.greater(b!, a!)),
  },
  {
    name: 'where, of five axes',
    shapes: [[2, 1, 2, 2, 3], [3], []],
    map: (x, i) => (i === 0 ? Math.round(x) : x),
    build: (ops, [c, a, b]) => ops.where(c!, a!, b!),
  },
  { name: 'log', shapes: [[4]], map: (x) => Math.abs(x) + 0.1, build: (ops, [x]) => ops.log(x!) },
  { name: 'sqrt', shapes: [[4]], map: Math.abs, build: (ops, [x]) => ops.sqrt(x!) },
  {
    name: 'where',
    shapes: [[4, 3], [3], [4, 1]],
    map: (x, i) => (i === 0 ? Math.round(x) : x),
    build: (ops, [c, a, b]) => ops.where(c!, a!, b!),
  },
  { name: 'sum', shapes: [[2, 3, 4]], build: (ops, [x]) => ops.sum(x!, [0, 2]) },
  { name: 'max', shapes: [[2, 3, 4]], build: (ops, [x]) => ops.max(x!, [1]) },
  {
    name: 'matMul',
    shapes: [
      [3, 4],
      [4, 2],
    ],
    build: (ops, [a, b]) => ops.matMul(a!, b!),
  },
  {
    name: 'matMul, first transposed',
    shapes: [
      [4, 3],
      [4, 2],
    ],
    build: (ops, [a, b]) => ops.matMul(a!, b!, true),
  },
  {
    name: 'matMul, both transposed',
    shapes: [
      [4, 3],
      [2, 4],
    ],
    build: (ops, [a, b]) => ops.matMul(a!, b!, true, true),
  },
  {
    name: 'matMul, batched, second transposed',
    shapes: [
      [2, 5, 3, 4],
      [2, 5, 6, 4],
    ],
    build: (ops, [a, b]) => ops.matMul(a!, b!, false, true),
  },
  {
    name: 'matMul, batch broadcast',
    shapes: [
      [2, 3, 4],
      [4, 5],
    ],
    build: (ops, [a, b]) => ops.matMul(a!, b!),
  },
  {
    name: 'matMul, either batch broadcast',
    shapes: [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    build: (ops, [a, b]) => ops.matMul(a!, b!),
  },
  {
    name: 'matMul, either batch broadcast, both transposed',
    shapes: [
      [2, 1, 2, 4, 3],
      [2, 3, 1, 2, 4],
    ],
    build: (ops, [a, b]) => ops.matMul(a!, b!, true, true),
  },
  { name: 'reshape', shapes: [[2, 6]], build: (ops, [x]) => ops.reshape(x!, [3, 4]) },
  { name: 'transpose', shapes: [[2, 3, 4]], build: (ops, [x]) => ops.transpose(x!, [2, 0, 1]) },
  { name: 'slice', shapes: [[4, 5]], build: (ops, [x]) => ops.slice(x!, [1, 2], [2, 3]) },
  { name: 'slice of everything', shapes: [[4, 5]], build: (ops, [x]) => ops.slice(x!, [0, 0], [4, 5]) },
  {
    name: 'concat',
    shapes: [
      [2, 1],
      [2, 3],
    ],
    build: (ops, [a, b]) => ops.concat([a!, b!, a!], 1),
  },
  { name: 'pad', shapes: [[2, 3]], build: (ops, [x]) => ops.pad(x!, [1, 0], [0, 2]) },
  { name: 'pad of five axes', shapes: [[2, 1, 2, 3, 2]], build: (ops, [x]) => ops.pad(x!, [1, 0, 1, 0, 2], [0, 1, 1, 2, 0]) },
  {
    name: 'pad of one of six axes',
    shapes: [[2, 1, 2, 3, 1, 2]],
    build: (ops, [x]) => ops.pad(x!, [0, 0, 0, 1, 0, 0], [0, 0, 0, 2, 0, 0]),
  },
  { name: 'broadcastTo', shapes: [[3, 1]], build: (ops, [x]) => ops.broadcastTo(x!, [2, 3, 4]) },
  {
    name: 'gather',
    shapes: [
      [5, 3],
      [2, 4],
    ],
    map: (x, i) => (i === 1 ? Math.floor(Math.abs(x) * 5) : x),
    build: (ops, [t, ids]) => ops.gather(t!, ids!),
  },
  {
    name: 'conv2d',
    shapes: [
      [2, 3, 6, 5],
      [4, 3, 3, 2],
    ],
    build: (ops, [x, k]) => ops.conv2d(x!, k!, { ...window, groups: 1 }),
  },
  {
    name: 'conv2d, strided and padded',
    shapes: [
      [2, 3, 6, 5],
      [4, 3, 3, 2],
    ],
    build: (ops, [x, k]) => ops.conv2d(x!, k!, { ...strided, dilations: [1, 1], groups: 1 }),
  },
  {
    name: 'conv2d, dilated',
    shapes: [
      [1, 2, 7, 7],
      [3, 2, 3, 3],
    ],
    build: (ops, [x, k]) => ops.conv2d(x!, k!, { ...window, dilations: [2, 2], groups: 1 }),
  },
  {
    name: 'conv2d, strided and dilated',
    shapes: [
      [2, 2, 8, 7],
      [3, 2, 2, 2],
    ],
    build: (ops, [x, k]) => ops.conv2d(x!, k!, { strides: [2, 3], pads: [1, 0, 1, 1], dilations: [2, 2], groups: 1 }),
  },
  {
    name: 'conv2d, grouped',
    shapes: [
      [2, 4, 5, 5],
      [6, 2, 3, 3],
    ],
    build: (ops, [x, k]) => ops.conv2d(x!, k!, { ...window, pads: [1, 1, 1, 1], groups: 2 }),
  },
  ...[
    { name: 'two groups of six', x: [2, 4, 5, 4], k: [12, 2, 3, 2], groups: 2 },
    { name: 'four groups of five', x: [1, 4, 4, 4], k: [20, 1, 2, 2], groups: 4 },
    { name: 'as many groups as channels', x: [2, 6, 4, 4], k: [6, 1, 3, 3], groups: 6 },
  ].map(({ name, x, k, groups }): Case => ({
    name: `conv2d, ${name}`,
    shapes: [x, k],
    build: (ops, [image, kernel]) => ops.conv2d(image!, kernel!, { ...window, groups }),
  })),
  ...[
    { name: 'stride 1', options: { ...window, pads: [1, 1, 1, 1] as const, groups: 1 }, x: [2, 3, 5, 4], k: [4, 3, 3, 3] },
    {
      name: 'stride 2 with a rest',
      options: { strides: [2, 2] as const, pads: [0, 1, 1, 0] as const, dilations: [1, 1] as const, groups: 1 },
      x: [2, 3, 8, 7],
      k: [4, 3, 3, 2],
    },
    { name: 'grouped', options: { ...window, groups: 2 }, x: [2, 4, 5, 5], k: [2, 2, 3, 3] },
    {
      name: 'two groups of six',
      options: { ...window, strides: [2, 1] as const, groups: 2 },
      x: [2, 12, 5, 4],
      k: [12, 6, 3, 2],
    },
  ].map(({ name, options, x, k }): Case => {
    const out = [0, 1].map(
      (i) => Math.floor((x[2 + i]! + options.pads[i]! + options.pads[2 + i]! - k[2 + i]!) / options.strides[i]!) + 1,
    );
    return {
      name: `conv2dInputGradient, ${name}`,
      shapes: [[x[0]!, k[0]!, ...out], k],
      build: (ops, [g, kernel]) => ops.conv2dInputGradient(g!, kernel!, x, options),
    };
  }),
  { name: 'patches', shapes: [[2, 3, 5, 4]], build: (ops, [x]) => ops.patches(x!, [2, 3], window) },
  { name: 'patches of two channels', shapes: [[3, 2, 5, 4]], build: (ops, [x]) => ops.patches(x!, [3, 2], window) },
  { name: 'patches, strided, padded and dilated', shapes: [[2, 3, 6, 5]], build: (ops, [x]) => ops.patches(x!, [3, 2], strided) },
  {
    name: 'patches of one cell',
    shapes: [[2, 3, 4, 4]],
    build: (ops, [x]) => ops.patches(x!, [1, 1], { ...window, strides: [2, 2] }),
  },
];

/** The program of a case: inputs `x0`, `x1`, … and the output `y`. */
export function programOf({ name, shapes, build }: Case): Program {
  return {
    name,
    inputs: shapes.map((shape, i) => ({ name: `x${i}`, shape })),
    build: (ops, inputs) => ({
      y: build(
        ops,
        shapes.map((_, i) => inputs[`x${i}`]!),
      ),
    }),
  };
}

/** The inputs of a case's program. */
export function inputsOf({ shapes, map }: Case): Record<string, Float32Array> {
  return Object.fromEntries(
    shapes.map((shape, i) => [`x${i}`, numbers(sizeOf(shape), i + 1).map((x) => (map === undefined ? x : map(x, i)))]),
  );
}
