/**
 * From what a user hands to `fit` (tensors, lists of them, maps of them) to columns of numbers. Every refusal names the argument, and none shows what an example holds.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { sizeOf } from '@sotto/core/ops';
import type { Shape } from '@sotto/core/ops';
import type { ColumnSpec } from './examples.ts';

/** Rows of numbers: a tensor, or anything that looks like one. The first axis is that of the examples. */
export interface Rows {
  readonly shape: readonly number[];
  dataSync(): ArrayLike<number>;
}

/** Inputs or targets, as tfjs takes them: one tensor, one for each input in their order, or one by each input's name. */
export type Tensors = Rows | readonly Rows[] | Readonly<Record<string, Rows>>;

const isRows = (value: unknown): value is Rows =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<Rows>).dataSync === 'function' &&
  Array.isArray((value as Partial<Rows>).shape);

/** What a value is, without what it holds: it may be somebody's. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A program input that the user's argument feeds. */
export interface InputSlot {
  /** The program input: `x0`, `y` … */
  readonly name: string;
  /** The name in a map: that of the model's input or output layer. */
  readonly layer: string;
  /** The shape of one example. */
  readonly shape: Shape;
  /** What may have been meant by examples of another shape. */
  readonly hint?: (example: Shape) => string | undefined;
}

/** What {@link readTensors} found. */
export interface ReadColumns {
  readonly specs: readonly ColumnSpec[];
  readonly values: readonly Float32Array[];
}

/** Reads an argument of `fit` for the slots that it feeds. */
export function readTensors(argument: string, value: Tensors, slots: readonly InputSlot[]): ReadColumns {
  const rows = assign(argument, value, slots);
  const specs = slots.map(({ name, shape }, i): ColumnSpec => ({ name, argument: rows[i]![0], shape, width: sizeOf(shape) }));
  let examples: number | undefined;
  const values = rows.map(([path, tensor], i) => {
    const slot = slots[i]!;
    checkShape(path, tensor.shape, slot);
    examples ??= tensor.shape[0];
    if (tensor.shape[0] !== examples) {
      throw new SottoError(
        'invalid-argument',
        `${path} has ${tensor.shape[0]} examples; ${rows[0]![0]} has ${examples}, and they must be as many`,
      );
    }
    return toFloats(path, tensor);
  });
  return { specs, values };
}

/** The tensors in the order of the slots, each with what the user calls it. */
function assign(argument: string, value: Tensors, slots: readonly InputSlot[]): (readonly [string, Rows])[] {
  const names = slots.map(({ layer }) => layer).join(', ');
  if (isRows(value)) {
    if (slots.length > 1)
      throw new SottoError(
        'invalid-argument',
        `${argument} is one tensor; the model takes ${slots.length} (${names}), so pass a list or a map of them`,
      );
    return [[argument, value]];
  }
  if (Array.isArray(value)) {
    const list = value as readonly unknown[];
    if (!list.every(isRows))
      throw new SottoError(
        'invalid-argument',
        `${argument} is a list of something else than tensors; make one of it, such as tf.tensor2d(${argument})`,
      );
    if (list.length !== slots.length)
      throw new SottoError(
        'invalid-argument',
        `${argument} has ${list.length} tensors; the model takes ${slots.length} (${names})`,
      );
    return list.map((item, i) => [slots.length === 1 ? argument : `${argument}[${i}]`, item] as const);
  }
  if (typeof value !== 'object' || value === null)
    throw new SottoError(
      'invalid-argument',
      `${argument} is ${kindOf(value)}; it must be a tensor, a list of tensors or a map of them`,
    );
  if (ArrayBuffer.isView(value))
    throw new SottoError(
      'invalid-argument',
      `${argument} is an array of numbers without a shape; make a tensor of it, such as tf.tensor2d(${argument}, [examples, ${slots[0]?.shape.join(', ')}])`,
    );
  const map = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(map).find((key) => slots.every(({ layer }) => layer !== key));
  if (unknown !== undefined)
    throw new SottoError('invalid-argument', `${argument} has ${show(unknown)}, which is none of the model’s: ${names}`);
  return slots.map(({ layer }) => {
    const item = map[layer];
    if (!isRows(item)) throw new SottoError('invalid-argument', `${argument}.${layer} is ${kindOf(item)}; it must be a tensor`);
    return [`${argument}.${layer}`, item] as const;
  });
}

/** Axes of length 1 at the end of an example's shape are as good as none, as tfjs has them for sparse targets. */
const trimmed = (shape: readonly number[]): readonly number[] => {
  let end = shape.length;
  while (end > 0 && shape[end - 1] === 1) end--;
  return shape.slice(0, end);
};

function checkShape(path: string, given: readonly number[], { shape: wanted, hint }: InputSlot): void {
  const example = given.slice(1);
  const fits = trimmed(example).length === trimmed(wanted).length && trimmed(example).every((size, i) => size === wanted[i]);
  if (given.length === 0 || !fits) {
    const meant = hint?.(example);
    throw new SottoError(
      'invalid-argument',
      `${path} has shape [${given.join(', ')}]; it must be [${['examples', ...wanted].join(', ')}], the first axis being that of the examples${meant === undefined ? '' : `. ${meant}`}`,
    );
  }
  if (given[0] === 0) throw new SottoError('invalid-argument', `${path} has no examples`);
}

function toFloats(path: string, rows: Rows): Float32Array {
  if ((rows as { readonly isDisposed?: boolean }).isDisposed === true)
    throw new SottoError('invalid-argument', `${path} is a tensor that was disposed; keep it until training has read it`);
  const data = rows.dataSync() as ArrayLike<unknown>;
  if (typeof data[0] === 'string')
    throw new SottoError('invalid-argument', `${path} holds strings; encode them as numbers, such as class ids`);
  return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>);
}
