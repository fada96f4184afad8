/**
 * Errors of an engine that had examples in hand. Runtimes may put values and indices into their messages, which come from private data; in logs they would be a release.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** Runs what hands examples to an engine. Errors of Sotto pass; of others only the kind is told. */
export async function withoutValues<T>(engine: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof SottoError) throw error;
    const kind = error instanceof Error ? error.name : typeof error;
    throw new SottoError(
      'internal',
      `a batch failed with the engine ${engine} (${kind}). The message is left out, since it may hold values of examples; if it was short of memory, lower physicalBatchSize or set memoryBudgetBytes`,
    );
  }
}
