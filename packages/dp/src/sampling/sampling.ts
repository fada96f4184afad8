/**
 * How the units of a step are chosen: the choices, their checks, and what each means for the neighbours that are hidden.
 *
 * @module
 */
import { integer, oneOf, openProbability, probability } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Adjacency } from '@sotto/core/event';
import { knownKeys } from '../known-keys.ts';

/**
 * A way of sampling. All numbers are public constants: a size of the data among them is one that the owner has declared.
 *
 * - `poisson`: each unit with probability `sampleRate`, independently.
 * - `truncatedPoisson`: the same, and a sample above `cap` is cut to a uniformly random subset of it. There may be at most `sourceSize` units.
 *   The cap makes shapes static; qN + 6·√(qN) or more costs nothing.
 * - `shuffle`: in each epoch the `sourceSize` places are permuted at random and cut into batches of `batchSize` places; units fill the first places and the
 *   others stay empty. Accounted without amplification, by whole epochs.
 * - `fixedSize`: in each step a uniformly random subset of `batchSize` of the `sourceSize` places.
 */
export type Sampling =
  | { readonly kind: 'poisson'; readonly sampleRate: number }
  | { readonly kind: 'truncatedPoisson'; readonly sampleRate: number; readonly sourceSize: number; readonly cap: number }
  | { readonly kind: 'shuffle'; readonly batchSize: number; readonly sourceSize: number }
  | { readonly kind: 'fixedSize'; readonly batchSize: number; readonly sourceSize: number };

const MAX_UNITS = 2 ** 32 - 1;

const MEMBERS: Readonly<Record<Sampling['kind'], readonly string[]>> = {
  poisson: ['kind', 'sampleRate'],
  truncatedPoisson: ['kind', 'sampleRate', 'sourceSize', 'cap'],
  shuffle: ['kind', 'batchSize', 'sourceSize'],
  fixedSize: ['kind', 'batchSize', 'sourceSize'],
};

function rate(value: number): number {
  return value === 1 ? 1 : openProbability('sampling.sampleRate', probability('sampling.sampleRate', value));
}

/** Checks a way of sampling and freezes it. Throws `invalid-argument`. */
export function checkSampling(sampling: Sampling): Sampling {
  oneOf('sampling.kind', sampling.kind, ['poisson', 'truncatedPoisson', 'shuffle', 'fixedSize']);
  knownKeys('sampling', sampling, MEMBERS[sampling.kind]);
  if (sampling.kind === 'poisson') return Object.freeze({ kind: sampling.kind, sampleRate: rate(sampling.sampleRate) });
  const sourceSize = integer('sampling.sourceSize', sampling.sourceSize, 1, MAX_UNITS);
  if (sampling.kind === 'truncatedPoisson') {
    const sampleRate = rate(sampling.sampleRate);
    const cap = integer('sampling.cap', sampling.cap, 1, MAX_UNITS);
    if (cap < sourceSize * sampleRate) {
      throw new SottoError(
        'invalid-argument',
        `sampling.cap is ${cap}, below the ${sourceSize * sampleRate} units expected in a step; most batches would be cut, so use about ${truncationCap(sourceSize, sampleRate)}`,
      );
    }
    return Object.freeze({ kind: sampling.kind, sampleRate, sourceSize, cap });
  }
  const batchSize = integer('sampling.batchSize', sampling.batchSize, 1, sourceSize);
  return Object.freeze({ kind: sampling.kind, batchSize, sourceSize });
}

/** A cap that a Poisson sample exceeds with a probability below 1e-13: μ + 8·√μ + 16 at a mean of μ = qN, and never above N. */
export function truncationCap(sourceSize: number, sampleRate: number): number {
  const mean = sourceSize * sampleRate;
  return Math.min(sourceSize, Math.ceil(mean + 8 * Math.sqrt(mean) + 16));
}

/** The units expected in a step: what sums are divided by. */
export function expectedUnits(sampling: Exclude<Sampling, { kind: 'poisson' }>): number {
  return sampling.kind === 'truncatedPoisson' ? sampling.sampleRate * sampling.sourceSize : sampling.batchSize;
}

/** The most units that a step can hold; infinite for `poisson`. */
export function mostUnits(sampling: Sampling): number {
  if (sampling.kind === 'poisson') return Infinity;
  return sampling.kind === 'truncatedPoisson' ? sampling.cap : sampling.batchSize;
}

/** Batches of an epoch of `shuffle`. The last is filled up with empty places, so that all are equal. */
export function batchesPerEpoch({ batchSize, sourceSize }: Extract<Sampling, { kind: 'shuffle' }>): number {
  return Math.ceil(sourceSize / batchSize);
}

/** Steps in which a unit takes part once, on average or exactly. */
export function stepsPerEpoch(sampling: Sampling): number {
  if (sampling.kind === 'shuffle') return batchesPerEpoch(sampling);
  const rate = sampling.kind === 'fixedSize' ? sampling.batchSize / sampling.sourceSize : sampling.sampleRate;
  return Math.max(1, Math.round(1 / rate));
}

/**
 * The neighbours that are hidden. With places of a fixed number, a unit that comes or goes leaves its place empty (`zeroOut`); subsets of a
 * fixed size are accounted for under `replaceOne`, which covers that as well.
 */
export function adjacencyOf(sampling: Sampling): Adjacency {
  if (sampling.kind === 'shuffle') return 'zeroOut';
  return sampling.kind === 'fixedSize' ? 'replaceOne' : 'addOrRemoveOne';
}
