/**
 * Checks that an engine computes what clipping in float32 rests on: comparisons and choices with NaN and infinities, the range of exponents and the length of
 * significands, also within matrix products and convolutions. Drivers and compilers of shaders are allowed to take liberties with them, some devices offer halves only, and
 * some libraries round the operands of products to fewer bits (TF32) unless they are told otherwise.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { referenceOps, sizeOf } from '@sotto/core/ops';
import type { NumericArray, Ops, Program, ReferenceTensor } from '@sotto/core/ops';
import { GREATEST_SQUARED_NORM, inRange, LEAST_SQUARED_NORM, lowerBounded } from '../clip/float-range.ts';

const VALUES = [NaN, Infinity, -Infinity, 0, 2 ** -100, 2 ** -60, 1, 2 ** 100, 2 ** 127];
/** Factors of `VALUES` whose products are floats, and what is added to them. */
const FACTORS = [1, 1, 1, 1, 2 ** -20, 2 ** -60, 1 + 2 ** -23, 2 ** 20, 0.5];

/** Sizes of products: those that are summed over are longest, as in models. */
const [ROWS, SUMMED, COLUMNS] = [12, 64, 20];
const [IMAGE, KERNEL] = [
  [2, 8, 6, 6],
  [16, 8, 3, 3],
] as const;
const WINDOW = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 } as const;

/** Numbers between 1 and 2 with full significands, all of which become larger where they are rounded to 11 or 16 bits and smaller where they are cut, so that nothing cancels. */
const fullNumbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 1 + (((i + seed) * 389) % 1024) / 1024 + (0.5 + 0.5 / 32 + 3e-4) / 1024);

const product: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>> = {
  left: { shape: [ROWS, SUMMED], values: fullNumbers(ROWS * SUMMED, 1) },
  right: { shape: [SUMMED, COLUMNS], values: fullNumbers(SUMMED * COLUMNS, 2) },
  column: { shape: [SUMMED, 1], values: fullNumbers(SUMMED, 3) },
  image: { shape: IMAGE, values: fullNumbers(sizeOf(IMAGE), 4) },
  kernel: { shape: KERNEL, values: fullNumbers(sizeOf(KERNEL), 5) },
};

/** Products of each form, by name. */
function products<T>(ops: Ops<T>, { left, right, column, image, kernel }: Readonly<Record<string, T>>): Record<string, T> {
  const [turnedLeft, turnedRight] = [ops.transpose(left!, [1, 0]), ops.transpose(right!, [1, 0])];
  return {
    'a product': ops.matMul(left!, right!),
    'a product, first transposed': ops.matMul(turnedLeft, right!, true),
    'a product, second transposed': ops.matMul(left!, turnedRight, false, true),
    'a product, both transposed': ops.matMul(turnedLeft, turnedRight, true, true),
    'a product with a column': ops.matMul(left!, column!),
    'a product with a row': ops.matMul(ops.transpose(column!, [1, 0]), right!),
    'a product of each row': ops.matMul(ops.reshape(left!, [ROWS, 1, SUMMED]), ops.reshape(left!, [ROWS, SUMMED, 1])),
    'a convolution': ops.conv2d(image!, kernel!, WINDOW),
  };
}

const program: Program = {
  name: 'float-rules',
  inputs: [
    ...['values', 'factors'].map((name) => ({ name, shape: [VALUES.length] })),
    ...Object.entries(product).map(([name, { shape }]) => ({ name, shape })),
  ],
  build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Record<string, T> {
    const values = inputs['values']!;
    const within = inRange(ops, values);
    return {
      within,
      bounded: lowerBounded(ops, values),
      safe: ops.where(within, values, ops.constant([1], [])),
      finite: ops.isFinite(values),
      products: ops.mul(values, inputs['factors']!),
      ...products(ops, inputs),
    };
  },
};

const expected: Readonly<Record<string, readonly number[]>> = {
  within: VALUES.map((x) => (x <= GREATEST_SQUARED_NORM ? 1 : 0)),
  bounded: VALUES.map((x) => (x < LEAST_SQUARED_NORM ? LEAST_SQUARED_NORM : x)),
  safe: VALUES.map((x) => (x <= GREATEST_SQUARED_NORM ? x : 1)),
  finite: VALUES.map((x) => (Number.isFinite(x) ? 1 : 0)),
  products: VALUES.map((x, i) => x * FACTORS[i]!),
};

/** The products in double precision. */
function exactProducts(): Readonly<Record<string, ReferenceTensor>> {
  const operands = Object.entries(product).map(([name, { shape, values }]) => [name, referenceOps.constant(values, shape)]);
  return products(referenceOps, Object.fromEntries(operands) as Record<string, ReferenceTensor>);
}

/** A program that is compiled, in memory or on a device. */
interface Compiled {
  run(inputs: Readonly<Record<string, NumericArray>>): Promise<Readonly<Record<string, NumericArray>>>;
  dispose(): Promise<void>;
}

/** Runs the check. Throws `unsupported` where the engine's floats are not those that `fast` mode is accounted for. */
export async function checkFloatRules(engine: string, compile: (program: Program) => Promise<Compiled>): Promise<void> {
  const compiled = await compile(program);
  try {
    const operands = Object.fromEntries(Object.entries(product).map(([name, { values }]) => [name, values]));
    const outputs = await compiled.run({
      values: Float32Array.from(VALUES),
      factors: Float32Array.from(FACTORS),
      ...operands,
    });
    for (const [name, wanted] of Object.entries(expected)) {
      const at = wanted.findIndex((value, i) => !Object.is(value, outputs[name]![i]));
      if (at < 0) continue;
      throw new SottoError(
        'unsupported',
        `the engine ${engine} cannot be trusted with clipping: ${name} of ${VALUES[at]} is ${outputs[name]![at]}, not ${wanted[at]}; use secure mode or another engine`,
      );
    }
    for (const [name, { data }] of Object.entries(exactProducts())) {
      // Each term is rounded once, and each sum; all are positive. The largest number of terms is that of a convolution.
      const most = (KERNEL[1] * KERNEL[2] * KERNEL[3] + 2) * 2 ** -24;
      const at = data.findIndex((value, i) => !(Math.abs(outputs[name]![i]! - value) <= most * value));
      if (at < 0) continue;
      throw new SottoError(
        'unsupported',
        `the engine ${engine} cannot be trusted with clipping: ${name} is ${outputs[name]![at]}, not ${data[at]}, so it keeps fewer than 24 bits of a number; ` +
          'use secure mode or another engine, or switch reduced precision (TF32) off',
      );
    }
  } finally {
    await compiled.dispose();
  }
}
