/**
 * Membership inference on models: the loss threshold (Yeom et al. 2018) and LiRA, the likelihood ratio attack with shadow
 * models (Carlini et al. 2022, "Membership inference attacks from first principles", arXiv 2112.03570).
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { RandomSource } from '@sotto/core/random';
import { randomSubset } from './random-draws.ts';
import type { MembershipScores } from './roc.ts';
import type { AuditTarget } from './target.ts';

/** A training procedure over a fixed pool of candidate records. */
export interface ModelTrainer<Model> {
  /** Number of candidate records. */
  readonly records: number;
  /** Trains on exactly the records with `included[i] === 1`. */
  train(included: Uint8Array, random: RandomSource): Model | Promise<Model>;
  /** The model's loss on each candidate record, as cross-entropy −ln(probability of the true label), ≥ 0. */
  losses(model: Model): Float64Array | Promise<Float64Array>;
}

/** The loss threshold attack as an audit target: the score of a record is minus its loss. */
export function lossThresholdTarget<Model>(trainer: ModelTrainer<Model>): AuditTarget<Model> {
  return {
    canaries: trainer.records,
    release: (included, random) => trainer.train(included, random),
    scores: async (model) => (await trainer.losses(model)).map((loss) => -loss),
  };
}

/** The attacked model's losses, and those of shadow models trained on random halves of the same pool. */
export interface ShadowObservations {
  /** Loss of the attacked model on record i, `[records]`. */
  readonly targetLosses: Float64Array;
  /** Loss of shadow model s on record i, k arrays `[records]`. */
  readonly shadowLosses: readonly Float64Array[];
  /** Whether record i was in shadow model s, k arrays `[records]` of 0 and 1. */
  readonly shadowMembership: readonly Uint8Array[];
}

/** How LiRA is run. */
export interface LiraOptions {
  /**
   * `online`: the ratio of the "in" and "out" densities; needs shadows that held the record. `offline`: how far above
   * the "out" distribution; needs only shadows that did not.
   */
  readonly mode: 'online' | 'offline';
  /**
   * `perRecord` fits a variance per record, which pays from about 64 shadows on; `shared` pools it over all records (default
   * below 64).
   */
  readonly variance?: 'perRecord' | 'shared';
}

/** logit of the probability p = e^−loss of the true label: ln p − ln(1 − p), bounded so that it stays finite. */
export function logitConfidence(loss: number): number {
  const clamped = Math.min(700, Math.max(1e-15, loss));
  return -clamped - Math.log(-Math.expm1(-clamped));
}

/**
 * LiRA scores of all records, larger for likely members, from Gaussians fitted to the logit-scaled confidences of the shadow
 * models: ln of the likelihood ratio (online); the standardised distance from the "out" mean (offline), which orders records as
 * the p-value of the paper's section VI does, without its saturation at 1.
 *
 * @throws `invalid-argument` for shapes that do not match, or a record with fewer than two shadows on a side that is needed
 */
export function liraScores(observations: ShadowObservations, options: LiraOptions): Float64Array {
  const { targetLosses, shadowLosses, shadowMembership } = observations;
  const records = targetLosses.length;
  const shadows = shadowLosses.length;
  if (shadowMembership.length !== shadows) {
    throw new SottoError(
      'invalid-argument',
      `shadowMembership has ${shadowMembership.length} rows; it must have one for each of ${shadows} shadow models`,
    );
  }
  for (let s = 0; s < shadows; s++) {
    if (shadowLosses[s]!.length !== records || shadowMembership[s]!.length !== records) {
      throw new SottoError(
        'invalid-argument',
        `shadow model ${s} covers ${shadowLosses[s]!.length} records; it must cover all ${records}`,
      );
    }
  }
  const online = options.mode === 'online';
  const fits = Array.from({ length: records }, (_, i) => ({
    inside: fit(observations, i, 1, online ? 2 : 0),
    outside: fit(observations, i, 0, 2),
  }));
  const shared = (options.variance ?? (shadows < 64 ? 'shared' : 'perRecord')) === 'shared';
  const pooledIn = pooledVariance(fits.map((f) => f.inside));
  const pooledOut = pooledVariance(fits.map((f) => f.outside));
  return Float64Array.from(targetLosses, (loss, i) => {
    const confidence = logitConfidence(loss);
    const { inside, outside } = fits[i]!;
    const outDeviation = deviation(shared ? pooledOut : outside.variance);
    if (!online) return (confidence - outside.mean) / outDeviation;
    const inDeviation = deviation(shared ? pooledIn : inside.variance);
    return logDensity(confidence, inside.mean, inDeviation) - logDensity(confidence, outside.mean, outDeviation);
  });
}

interface Fit {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

function fit(observations: ShadowObservations, record: number, side: 0 | 1, needed: number): Fit {
  const values: number[] = [];
  observations.shadowMembership.forEach((membership, s) => {
    if (membership[record] === side) values.push(logitConfidence(observations.shadowLosses[s]![record]!));
  });
  if (values.length < needed) {
    const where = side === 1 ? 'in' : 'outside';
    throw new SottoError(
      'invalid-argument',
      `record ${record} was ${where} only ${values.length} shadow models' data; LiRA needs at least 2, so train more`,
    );
  }
  const mean = values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  return { count: values.length, mean, variance: squares / Math.max(1, values.length - 1) };
}

function pooledVariance(fits: readonly Fit[]): number {
  let squares = 0;
  let freedom = 0;
  for (const f of fits) {
    squares += f.variance * Math.max(0, f.count - 1);
    freedom += Math.max(0, f.count - 1);
  }
  return squares / Math.max(1, freedom);
}

/** A deterministic trainer has no spread; the floor keeps the ratio finite. */
function deviation(variance: number): number {
  return Math.sqrt(Math.max(variance, 1e-18));
}

function logDensity(x: number, mean: number, sd: number): number {
  return -0.5 * ((x - mean) / sd) ** 2 - Math.log(sd);
}

/**
 * Trains shadow models on random halves, balanced so that every record is in exactly half of them (Carlini et al. 2022,
 * section V), then the attacked model on one more random half, and scores its members against its non-members.
 *
 * @throws `invalid-argument` for an odd number of shadows or fewer than 4
 */
export async function runLira<Model>(
  trainer: ModelTrainer<Model>,
  options: LiraOptions & {
    readonly shadows: number;
    readonly random: RandomSource;
    readonly progress?: (done: number, total: number) => void;
  },
): Promise<MembershipScores> {
  const shadows = integer('shadows', options.shadows, 4);
  if (shadows % 2 !== 0)
    throw new SottoError('invalid-argument', `shadows is ${shadows}; it must be even, so that every record is in half of them`);
  const { records } = trainer;
  const shadowMembership = Array.from({ length: shadows }, () => new Uint8Array(records));
  for (let i = 0; i < records; i++) {
    randomSubset(options.random, shadows, shadows / 2).forEach((bit, s) => {
      shadowMembership[s]![i] = bit;
    });
  }
  const shadowLosses: Float64Array[] = [];
  for (const membership of shadowMembership) {
    shadowLosses.push(Float64Array.from(await trainer.losses(await trainer.train(membership.slice(), options.random))));
    options.progress?.(shadowLosses.length, shadows + 1);
  }
  const included = randomSubset(options.random, records, Math.floor(records / 2));
  const targetLosses = Float64Array.from(await trainer.losses(await trainer.train(included.slice(), options.random)));
  options.progress?.(shadows + 1, shadows + 1);
  const scores = liraScores({ targetLosses, shadowLosses, shadowMembership }, options);
  return {
    inScores: scores.filter((_, i) => included[i] === 1),
    outScores: scores.filter((_, i) => included[i] === 0),
  };
}
