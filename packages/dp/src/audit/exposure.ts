/**
 * Exposure of a secret (Carlini et al. 2019, "The secret sharer", arXiv 1802.08232, section 4).
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { show } from '@sotto/core/check';

/** How exposed a secret is. */
export interface Exposure {
  /** log₂|R| − log₂ rank, in bits: 0 for the worst rank, log₂|R| if the secret has the least loss of all. */
  readonly bits: number;
  /** 1 + number of alternatives with a loss no larger than the secret's (ties count against the secret). */
  readonly rank: number;
  /** |R|: the secret and its alternatives. */
  readonly space: number;
}

/**
 * The exposure of a secret among the alternatives that could have been inserted in its place, from the model's losses. A
 * random sample of the alternatives gives an estimate that cannot exceed log₂(sample + 1).
 *
 * @throws `invalid-argument` for no alternatives or a NaN
 */
export function exposure(secretLoss: number, alternativeLosses: Float64Array): Exposure {
  if (Number.isNaN(secretLoss))
    throw new SottoError('invalid-argument', `secretLoss is ${show(secretLoss)}; it must be a number`);
  if (alternativeLosses.length === 0) {
    throw new SottoError('invalid-argument', 'alternativeLosses is empty; exposure compares the secret with alternatives');
  }
  let rank = 1;
  alternativeLosses.forEach((loss, i) => {
    if (Number.isNaN(loss)) throw new SottoError('invalid-argument', `alternativeLosses[${i}] is NaN; it must be a number`);
    if (loss <= secretLoss) rank++;
  });
  const space = alternativeLosses.length + 1;
  return { bits: Math.log2(space) - Math.log2(rank), rank, space };
}
