/**
 * Examples in memory: one column of numbers per input and target of a model, in the layout that programs take.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { sharedFloats } from '@sotto/core/ops';
import type { Shape } from '@sotto/core/ops';

/** One input or target of all examples, row-major. */
export interface Column {
  /** The program input that it feeds, such as `x0` or `y`. */
  readonly name: string;
  /** Numbers per example. */
  readonly width: number;
  readonly values: Float32Array;
}

/** Examples with all their inputs and targets. */
export interface ExampleTable {
  readonly count: number;
  readonly columns: readonly Column[];
}

/** What a column must look like, and what its owner calls it. */
export interface ColumnSpec {
  readonly name: string;
  /** For messages: `x`, `x["age"]`, `features` … */
  readonly argument: string;
  /** The shape of one example. */
  readonly shape: Shape;
  readonly width: number;
}

/** Joins columns into a table. Throws `invalid-argument` where a column's length is not a whole number of examples, or columns differ. */
export function tableOf(specs: readonly ColumnSpec[], values: readonly Float32Array[]): ExampleTable {
  const [first, ...others] = specs.map((spec, i) => ({ spec, values: values[i]! }));
  if (first === undefined) throw new SottoError('internal', 'a table needs a column');
  const count = first.values.length / first.spec.width;
  if (!Number.isInteger(count)) {
    throw new SottoError(
      'invalid-argument',
      `${first.spec.argument} has ${first.values.length} numbers; it must be a multiple of ${first.spec.width}, the size of one example's [${first.spec.shape.join(', ')}]`,
    );
  }
  for (const { spec, values: column } of others) {
    if (column.length !== count * spec.width) {
      throw new SottoError(
        'invalid-argument',
        `${spec.argument} has ${column.length} numbers; ${count} examples need ${count * spec.width}`,
      );
    }
  }
  return { count, columns: specs.map(({ name, width }, i) => ({ name, width, values: values[i]! })) };
}

/** The inputs of one chunk of examples: gathered rows, and a mask that is 1 for examples and 0 for what is left over. */
export class Chunk {
  readonly inputs: Readonly<Record<string, Float32Array>>;
  readonly #columns: readonly { readonly column: Column; readonly target: Float32Array }[];
  readonly #mask: Float32Array;

  /** @param capacity Examples that a run of the program takes. */
  constructor(columns: readonly Column[], capacity: number) {
    this.#columns = columns.map((column) => ({ column, target: sharedFloats(capacity * column.width) }));
    this.#mask = sharedFloats(capacity);
    this.inputs = {
      ...Object.fromEntries(this.#columns.map(({ column, target }) => [column.name, target])),
      mask: this.#mask,
    };
  }

  /** Copies the examples with the given indices. Rows beyond them are zeros, so that no earlier example decides what a run does or how long it takes. */
  gather(indices: ArrayLike<number>): void {
    for (const { column, target } of this.#columns) {
      const { width, values } = column;
      for (let row = 0; row < indices.length; row++) {
        const begin = indices[row]! * width;
        target.set(values.subarray(begin, begin + width), row * width);
      }
      target.fill(0, indices.length * width);
    }
    this.#mask.fill(0).fill(1, 0, indices.length);
  }

  /** Overwrites the copies. */
  wipe(): void {
    for (const { target } of this.#columns) target.fill(0);
  }
}
