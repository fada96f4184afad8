/**
 * Data sets that come in batches, read into memory once: a private step draws its examples from the whole set, so all of them must be at hand.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { sizeOf } from '@sotto/core/ops';
import type { InputSlot, Rows, Tensors } from './inputs.ts';
import { kindOf, readTensors } from './inputs.ts';
import type { ModelBinding } from './model-binding.ts';

/** A batch of a data set, with the batch axis first, as tfjs's `fitDataset` takes it. */
export interface DatasetBatch {
  readonly xs: Tensors;
  readonly ys: Tensors;
}

/** Anything that gives batches in turn: an iterable, an asynchronous one, or a `tf.data.Dataset`. */
export type Dataset =
  | Iterable<DatasetBatch>
  | AsyncIterable<DatasetBatch>
  | { iterator(): Promise<{ next(): Promise<{ readonly value: unknown; readonly done?: boolean }> }> };

const DEFAULT_LIMIT_BYTES = 2 ** 30;

async function* batchesOf(dataset: Dataset): AsyncGenerator<DatasetBatch, void, void> {
  if (typeof dataset !== 'object' || dataset === null) {
    throw new SottoError(
      'invalid-argument',
      `dataset is ${kindOf(dataset)}; it must give batches {xs, ys}, as a tf.data.Dataset or an iterable does`,
    );
  }
  if ('iterator' in dataset && typeof dataset.iterator === 'function') {
    const iterator = await dataset.iterator();
    for (;;) {
      const { value, done } = await iterator.next();
      if (done === true) return;
      yield value as DatasetBatch;
    }
  }
  if (!(Symbol.iterator in dataset) && !(Symbol.asyncIterator in dataset))
    throw new SottoError(
      'invalid-argument',
      'dataset gives no batches; it must be a tf.data.Dataset or an iterable of {xs, ys}, and tensors go to fit(x, y)',
    );
  yield* dataset as AsyncIterable<DatasetBatch>;
}

/** Collects the numbers of one input or target. */
class Growing {
  readonly #slot: InputSlot;
  readonly #parts: Float32Array[] = [];

  constructor(slot: InputSlot) {
    this.#slot = slot;
  }

  add(values: Float32Array): void {
    this.#parts.push(values.slice());
  }

  rows(): Rows {
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const all = new Float32Array(length);
    let at = 0;
    for (const part of this.#parts.splice(0)) {
      all.set(part, at);
      at += part.length;
    }
    return { shape: [length / sizeOf(this.#slot.shape), ...this.#slot.shape], dataSync: () => all };
  }
}

/** Reads a data set whole. Throws `invalid-argument` where it would take more than `limitBytes`. */
export async function materialiseDataset(
  dataset: Dataset,
  { inputs, targets }: Pick<ModelBinding, 'inputs' | 'targets'>,
  limitBytes: number = DEFAULT_LIMIT_BYTES,
): Promise<{ readonly xs: Tensors; readonly ys: Tensors }> {
  integer('memoryLimitBytes', limitBytes, 1);
  const slots = [...inputs, ...targets];
  const columns = slots.map((slot) => new Growing(slot));
  let bytes = 0;
  let batches = 0;
  for await (const batch of batchesOf(dataset)) {
    if (typeof batch !== 'object' || batch === null || !('xs' in batch) || !('ys' in batch))
      throw new SottoError('invalid-argument', `dataset gave ${kindOf(batch)}; a batch must be {xs, ys}`);
    const { values } = {
      values: [...readTensors('dataset.xs', batch.xs, inputs).values, ...readTensors('dataset.ys', batch.ys, targets).values],
    };
    bytes += values.reduce((sum, each) => sum + each.byteLength, 0);
    if (bytes > limitBytes) {
      throw new SottoError(
        'invalid-argument',
        `dataset takes more than memoryLimitBytes, ${limitBytes}: private steps draw from all examples, so the whole set must fit in memory; raise the limit or train on less`,
      );
    }
    values.forEach((each, i) => columns[i]!.add(each));
    batches++;
  }
  if (batches === 0) throw new SottoError('invalid-argument', 'dataset gave no batch');
  const rows = columns.map((column) => column.rows());
  return { xs: rows.slice(0, inputs.length), ys: rows.slice(inputs.length) };
}
