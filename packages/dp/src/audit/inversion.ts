/**
 * Gradient inversion: reading a training record out of an update of a dense or logistic layer with a bias. For one record the
 * kernel's gradient is the outer product of the layer's input x and the output's error e, and the bias' gradient is e, so
 * x = kernel column / bias entry, whatever learning rate or scale the update was multiplied by (Phong et al. 2017; Geiping et
 * al. 2020, Proposition 3.1). The probe shows what an update gives away without protection, and that clipping with noise ends it.
 *
 * @module
 */
import { integer, positive } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { RandomSource } from '@sotto/core/random';

/** An update of a dense layer, in any common scale. */
export interface DenseUpdate {
  /** `[inputs, outputs]` row-major: tfjs' layout of a dense kernel. */
  readonly kernel: Float64Array;
  /** `[outputs]`. */
  readonly bias: Float64Array;
}

/** A record read out of an update. */
export interface InvertedRecord {
  /** The output whose column was divided: the one with the largest bias entry. */
  readonly output: number;
  /** The estimate of the layer's input, `[inputs]`. Zeros if the bias' update is zero. */
  readonly input: Float64Array;
}

/**
 * The estimates of the layer's input from every output with a non-zero bias entry, the largest entry first.
 *
 * @throws `invalid-argument` for a kernel whose length is not inputs × outputs
 */
export function invertDenseUpdate(update: DenseUpdate): InvertedRecord[] {
  const outputs = update.bias.length;
  const inputs = update.kernel.length / Math.max(1, outputs);
  if (outputs === 0 || !Number.isInteger(inputs) || inputs === 0) {
    throw new SottoError(
      'invalid-argument',
      `update.kernel has ${update.kernel.length} entries; it must have inputs × ${outputs} outputs`,
    );
  }
  return Array.from(update.bias.keys())
    .filter((o) => update.bias[o] !== 0)
    .sort((a, b) => Math.abs(update.bias[b]!) - Math.abs(update.bias[a]!))
    .map((output) => ({
      output,
      input: Float64Array.from({ length: inputs }, (_, i) => update.kernel[i * outputs + output]! / update.bias[output]!),
    }));
}

/** A source of updates to probe. */
export interface InversionTarget {
  /** The records to hide, each as the layer's input `[inputs]`. */
  readonly records: readonly Float64Array[];
  /** The update that record `index` causes when it is the only record of the batch, as it would be shared. */
  update(index: number, random: RandomSource): DenseUpdate | Promise<DenseUpdate>;
}

/** What the probe saw. */
export interface InversionReport {
  readonly records: number;
  /** Records of which some estimate came within `tolerance`. */
  readonly reconstructed: number;
  /** The tolerance used: ‖estimate − record‖/‖record‖. */
  readonly tolerance: number;
  /** The best relative error per record, over all outputs. */
  readonly relativeErrors: readonly number[];
  readonly medianRelativeError: number;
  /** In words, for a report. */
  readonly statement: string;
}

/**
 * Tries to read every record out of its update.
 *
 * @throws `invalid-argument` for no records, records of another length than the update's, or a record of norm 0
 */
export async function probeInversion(
  target: InversionTarget,
  options: { readonly random: RandomSource; readonly tolerance?: number },
): Promise<InversionReport> {
  const tolerance = positive('tolerance', options.tolerance ?? 0.05);
  integer('target.records.length', target.records.length, 1);
  const relativeErrors: number[] = [];
  for (const [index, record] of target.records.entries()) {
    const estimates = invertDenseUpdate(await target.update(index, options.random));
    let best = 1; // The error of guessing zero, always open to the attacker.
    for (const estimate of estimates) best = Math.min(best, relativeError(estimate.input, record, index));
    relativeErrors.push(best);
  }
  const reconstructed = relativeErrors.filter((error) => error <= tolerance).length;
  const sorted = relativeErrors.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const medianRelativeError = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  const statement =
    `${reconstructed} of ${relativeErrors.length} records were read out of their update to within ${tolerance * 100} % ` +
    `(median error ${(medianRelativeError * 100).toPrecision(3)} %).`;
  return { records: relativeErrors.length, reconstructed, tolerance, relativeErrors, medianRelativeError, statement };
}

function relativeError(estimate: Float64Array, record: Float64Array, index: number): number {
  if (estimate.length !== record.length) {
    throw new SottoError('invalid-argument', `records[${index}] has ${record.length} inputs; the update has ${estimate.length}`);
  }
  let squares = 0;
  let norm = 0;
  record.forEach((x, i) => {
    squares += (estimate[i]! - x) ** 2;
    norm += x * x;
  });
  if (norm === 0) throw new SottoError('invalid-argument', `records[${index}] is all zeros; its error has no scale`);
  return Math.sqrt(squares / norm);
}
