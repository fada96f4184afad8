/**
 * The float64 reference implementation: plain loops, the oracle of the other engines. Never in a hot path.
 *
 * @module
 */
import { SottoError } from '../errors.ts';
import type { CompiledProgram, Engine, NumericArray, Program } from './engine.ts';
import type { Ops, Shape } from './ops.ts';
import type { Primitive } from './primitive.ts';
import { primitiveMethods } from './primitives/index.ts';
import { conv2d, conv2dInputGradient, patches } from './reference-images.ts';
import { byRow, denseStrides, readStrided, stridesFor, walk, zip } from './reference-loops.ts';
import type { ReferenceTensor } from './reference-loops.ts';
import * as shapes from './shapes.ts';
import { sizeOf } from './shapes.ts';

type T = ReferenceTensor;

function make(shape: Shape, fill: (data: Float64Array) => void): T {
  const data = new Float64Array(sizeOf(shape));
  fill(data);
  return { shape, data };
}

function binary(operation: string, f: (a: number, b: number) => number): (a: T, b: T) => T {
  return (a, b) => {
    const shape = shapes.broadcastShape(operation, a.shape, b.shape);
    return { shape, data: zip(a, b, shape, f) };
  };
}

function unary(f: (x: number) => number): (x: T) => T {
  return (x) => ({ shape: x.shape, data: x.data.map(f) });
}

function reduce(operation: string, start: number, f: (a: number, b: number) => number): (x: T, axes: readonly number[]) => T {
  return (x, axes) => {
    const shape = shapes.reducedShape(operation, x.shape, axes);
    return make(shape, (data) => {
      data.fill(start);
      walk(x.shape, [stridesFor(shape, x.shape)], (i, at) => {
        data[at[0]!] = f(data[at[0]!]!, x.data[i]!);
      });
    });
  };
}

const strided = (x: T, shape: Shape, offset: number, strides: readonly number[]): T => ({
  shape,
  data: readStrided(x, shape, offset, strides),
});

/** A primitive by its own loops. */
function apply<A extends object>(primitive: Primitive<A>, inputs: readonly T[], attributes: A): T {
  const shape = shapes.checkShape(
    primitive.name,
    primitive.shape(
      inputs.map((input) => input.shape),
      attributes,
    ),
  );
  const data = primitive.reference(inputs, attributes, shape);
  if (data.length !== sizeOf(shape)) {
    throw new SottoError(
      'internal',
      `${primitive.name}: its reference gives ${data.length} numbers for shape [${shape.join(', ')}]`,
    );
  }
  return { shape, data };
}

/** The reference operations. */
export const referenceOps: Ops<ReferenceTensor> = Object.freeze({
  ...primitiveMethods<T>(apply),
  apply,
  shapeOf: (x: T) => x.shape,
  constant(values: ArrayLike<number>, shape: Shape): T {
    shapes.checkShape('constant', shape);
    if (values.length !== sizeOf(shape))
      throw new SottoError('invalid-argument', `constant: ${values.length} values for shape [${shape.join(', ')}]`);
    return { shape, data: Float64Array.from(values) };
  },
  add: binary('add', (a, b) => a + b),
  sub: binary('sub', (a, b) => a - b),
  mul: binary('mul', (a, b) => a * b),
  div: binary('div', (a, b) => a / b),
  maximum: binary('maximum', (a, b) => Math.max(a, b)),
  minimum: binary('minimum', (a, b) => Math.min(a, b)),
  neg: unary((x) => -x),
  abs: unary((x) => Math.abs(x)),
  exp: unary((x) => Math.exp(x)),
  log: unary((x) => Math.log(x)),
  sqrt: unary((x) => Math.sqrt(x)),
  tanh: unary((x) => Math.tanh(x)),
  sigmoid: unary((x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))),
  relu: unary((x) => (x > 0 || Number.isNaN(x) ? x : 0)),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  greater: binary('greater', (a, b) => (a > b ? 1 : 0)),
  greaterEqual: binary('greaterEqual', (a, b) => (a >= b ? 1 : 0)),
  equal: binary('equal', (a, b) => (a === b ? 1 : 0)),
  where(condition: T, a: T, b: T): T {
    const shape = shapes.broadcastShape('where', condition.shape, shapes.broadcastShape('where', a.shape, b.shape));
    return make(shape, (data) => {
      walk(
        shape,
        [condition, a, b].map((t) => stridesFor(t.shape, shape)),
        (o, at) => {
          data[o] = condition.data[at[0]!] !== 0 ? a.data[at[1]!]! : b.data[at[2]!]!;
        },
      );
    });
  },
  sum: reduce('sum', 0, (a, b) => a + b),
  max: reduce('max', -Infinity, (a, b) => Math.max(a, b)),
  softmax: (x: T) => ({
    shape: shapes.lastAxisShape('softmax', x.shape),
    data: byRow(x, (row) => {
      const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
      row.forEach((value, i) => (row[i] = Math.exp(value - most)));
      const total = row.reduce((a, b) => a + b, 0);
      row.forEach((value, i) => (row[i] = value / total));
    }),
  }),
  matMul(a: T, b: T, transposeA: boolean = false, transposeB: boolean = false): T {
    const shape = shapes.matMulShape(a.shape, b.shape, transposeA, transposeB);
    const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
    const inner = transposeA ? a.shape.at(-2)! : a.shape.at(-1)!;
    const [aRow, aInner] = transposeA ? [1, rows] : [inner, 1];
    const [bInner, bColumn] = transposeB ? [1, inner] : [columns, 1];
    const batch = shape.slice(0, -2);
    return make(shape, (data) => {
      walk(batch, [stridesFor(a.shape.slice(0, -2), batch), stridesFor(b.shape.slice(0, -2), batch)], (o, at) => {
        const [a0, b0] = [at[0]! * rows * inner, at[1]! * inner * columns];
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            let sum = 0;
            for (let k = 0; k < inner; k++) sum += a.data[a0 + i * aRow + k * aInner]! * b.data[b0 + k * bInner + j * bColumn]!;
            data[(o * rows + i) * columns + j] = sum;
          }
        }
      });
    });
  },
  reshape: (x: T, shape: Shape) => ({ shape: shapes.reshapeShape(x.shape, shape), data: x.data }),
  transpose(x: T, permutation: readonly number[]): T {
    const shape = shapes.transposeShape(x.shape, permutation);
    const strides = denseStrides(x.shape);
    return strided(
      x,
      shape,
      0,
      permutation.map((axis) => strides[axis]!),
    );
  },
  slice(x: T, begin: readonly number[], size: readonly number[]): T {
    const shape = shapes.sliceShape(x.shape, begin, size);
    const strides = denseStrides(x.shape);
    return strided(
      x,
      shape,
      begin.reduce((sum, at, i) => sum + at * strides[i]!, 0),
      strides,
    );
  },
  concat(parts: readonly T[], axis: number): T {
    const shape = shapes.concatShape(
      parts.map((part) => part.shape),
      axis,
    );
    const inner = sizeOf(shape.slice(axis + 1));
    const outer = sizeOf(shape.slice(0, axis));
    return make(shape, (data) => {
      let at = 0;
      for (let o = 0; o < outer; o++) {
        for (const part of parts) {
          const width = part.shape[axis]! * inner;
          data.set(part.data.subarray(o * width, (o + 1) * width), at);
          at += width;
        }
      }
    });
  },
  pad(x: T, before: readonly number[], after: readonly number[]): T {
    const shape = shapes.padShape(x.shape, before, after);
    const strides = denseStrides(shape);
    const offset = before.reduce((sum, count, i) => sum + count * strides[i]!, 0);
    return make(shape, (data) => {
      walk(x.shape, [strides], (i, at) => {
        data[offset + at[0]!] = x.data[i]!;
      });
    });
  },
  broadcastTo: (x: T, shape: Shape) => strided(x, shapes.broadcastToShape(x.shape, shape), 0, stridesFor(x.shape, shape)),
  gather(table: T, ids: T): T {
    const rest = table.shape.slice(1);
    const width = sizeOf(rest);
    return make([...ids.shape, ...rest], (data) => {
      ids.data.forEach((id, i) => {
        for (let j = 0; j < width; j++) data[i * width + j] = table.data[id * width + j] ?? NaN;
      });
    });
  },
  conv2d,
  conv2dInputGradient,
  patches,
});

/** The reference engine: evaluates a program's build function directly. */
export const referenceEngine: Engine = Object.freeze({
  name: 'reference',
  significandBits: 53,
  async compile(program: Program): Promise<CompiledProgram> {
    const evaluate = (inputs: Readonly<Record<string, NumericArray>>): Readonly<Record<string, T>> => {
      const tensors: Record<string, T> = {};
      for (const { name, shape } of program.inputs) {
        const values = inputs[name];
        if (values === undefined) throw new SottoError('invalid-argument', `program ${program.name} needs the input ${name}`);
        tensors[name] = referenceOps.constant(values, shape);
      }
      return program.build(referenceOps, tensors);
    };
    const zeros = Object.fromEntries(program.inputs.map(({ name, shape }) => [name, new Float64Array(sizeOf(shape))]));
    const outputs = Object.fromEntries(Object.entries(evaluate(zeros)).map(([name, tensor]) => [name, tensor.shape]));
    return {
      outputs,
      // A copy, so that the output belongs to the caller even where it is an input or a constant.
      run: async (inputs) =>
        Object.fromEntries(Object.entries(evaluate(inputs)).map(([name, tensor]) => [name, tensor.data.slice()])),
      dispose: async () => undefined,
    };
  },
});
