/**
 * Checks of the ids that embeddings look up. Messages name the argument, the layer and the range, never an example or what it holds.
 *
 * An id that is none makes its example one without a finite gradient, which counts as zero; but it is a mistake in the data, so it is refused where the data are handed over,
 * before any of them was sampled: what the refusal tells, it tells to whoever holds the data.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { IdInput } from '@sotto/core/model';
import { everyValue } from './every-value.ts';

/** Refuses values that are no ids of a table's rows. */
export async function checkIds(argument: string, ids: Float32Array, { layer, rows }: IdInput): Promise<void> {
  if (await everyValue(ids, (id) => Number.isInteger(id) && id >= 0 && id < rows)) return;
  throw new SottoError(
    'invalid-argument',
    `${argument} holds a value that is not an id of layer ${layer}, a whole number from 0 to ${rows - 1}; correct the data, or give the layer as many rows as there are ids`,
  );
}
