/**
 * The table of event types: parameters, their ranges and the relations between them.
 *
 * @module
 */
import type { DpEventType, MatrixFactorisation, MatrixParticipation } from './event.ts';
import { count, type EventRule, type Field, real } from './event-fields.ts';

const rate: Field = real(0, 1);
const multiplier: Field = real(0, Infinity);
const event: Field = { kind: 'event' };

interface Rule<Names extends string> {
  readonly summary: string;
  readonly fields: Readonly<Record<Names, Field>>;
  readonly check?: (fields: Readonly<Record<NoInfer<Names>, never>>) => string | undefined;
}

function rule<const Names extends string = never>(given: Rule<Names>): EventRule {
  return given as unknown as EventRule;
}

const factorisations: Readonly<Record<MatrixFactorisation['type'], EventRule>> = {
  bandedToeplitz: rule({
    summary: 'lower-triangular Toeplitz with the given first column',
    fields: { steps: count(1), coefficients: { kind: 'reals', min: 0, max: Number.MAX_VALUE } },
    check: ({ steps, coefficients }: { steps: number; coefficients: readonly number[] }) => {
      if (coefficients.length > steps) return `there are ${coefficients.length} coefficients for ${steps} steps`;
      return coefficients[0] === 0 ? 'the first coefficient is 0, so the matrix has no inverse' : undefined;
    },
  }),
  squareRootToeplitz: rule({
    summary: 'square root of the prefix-sum matrix, cut to bands (0: not cut)',
    fields: { steps: count(1), bands: count(0) },
    check: ({ steps, bands }: { steps: number; bands: number }) =>
      bands > steps ? `bands ${bands} is more than the ${steps} steps` : undefined,
  }),
  blt: rule({
    summary: 'buffered linear Toeplitz',
    fields: {
      steps: count(1),
      outputScales: { kind: 'reals', min: 0, max: Number.MAX_VALUE },
      bufferDecays: { kind: 'reals', min: 0, max: 1 },
    },
    check: ({ outputScales, bufferDecays }: { outputScales: readonly number[]; bufferDecays: readonly number[] }) =>
      outputScales.length === bufferDecays.length ? undefined : 'outputScales and bufferDecays differ in length',
  }),
};

const participations: Readonly<Record<MatrixParticipation['type'], EventRule>> = {
  single: rule({ summary: 'each unit takes part in one step', fields: {} }),
  minSeparation: rule({
    summary: 'participations at least `separation` steps apart, at most `maxParticipations`',
    fields: { separation: count(1), maxParticipations: count(1) },
  }),
  cyclicPoisson: rule({
    summary: 'cyclic Poisson sampling in groups',
    fields: { sampleRate: rate, groups: count(1) },
  }),
};

const repetitions: Readonly<Record<string, EventRule>> = {
  poisson: rule({ summary: 'Poisson number of repetitions', fields: { mean: real(0, Number.MAX_VALUE, 'min') } }),
  truncatedNegativeBinomial: rule({
    summary: 'truncated negative binomial number of repetitions',
    fields: { shape: real(-1, Number.MAX_VALUE, 'min'), gamma: real(0, 1, 'both') },
  }),
};

const distributed = {
  clients: count(1),
  dimension: count(1),
  l2Sensitivity: multiplier,
  l1Sensitivity: multiplier,
  modulus: count(2, true),
} as const;

function mixture({
  sensitivities,
  probabilities,
}: {
  sensitivities: readonly number[];
  probabilities: readonly number[];
}): string | undefined {
  if (sensitivities.length !== probabilities.length) return 'sensitivities and probabilities differ in length';
  const total = probabilities.reduce((a, b) => a + b, 0);
  return Math.abs(total - 1) > 1e-9 ? `the probabilities sum to ${total}; they must sum to 1` : undefined;
}

/** The rule of each event type. */
export const eventTable: Readonly<Record<DpEventType, EventRule>> = {
  noOp: rule({ summary: 'nothing was released', fields: {} }),
  nonPrivate: rule({ summary: 'a release without protection', fields: {} }),
  gaussian: rule({ summary: 'Gaussian mechanism', fields: { noiseMultiplier: multiplier } }),
  laplace: rule({ summary: 'Laplace mechanism', fields: { noiseMultiplier: multiplier } }),
  discreteGaussian: rule({
    summary: 'discrete Gaussian mechanism on one integer',
    fields: { sigma: multiplier, sensitivity: count(1) },
  }),
  discreteLaplace: rule({
    summary: 'discrete Laplace mechanism on one integer',
    fields: { noiseParameter: multiplier, sensitivity: count(1) },
  }),
  skellam: rule({ summary: 'Skellam mechanism on one integer', fields: { variance: multiplier, sensitivity: count(1) } }),
  randomizedResponse: rule({ summary: 'k-ary randomized response', fields: { noiseParameter: rate, buckets: count(2) } }),
  exponentialMechanism: rule({ summary: 'exponential mechanism', fields: { epsilon: multiplier } }),
  epsilonDelta: rule({ summary: 'any (ε, δ)-DP mechanism', fields: { epsilon: multiplier, delta: rate } }),
  zcdp: rule({ summary: 'any (ξ, ρ)-zCDP mechanism', fields: { rho: multiplier, xi: multiplier } }),
  poissonSampled: rule({ summary: 'Poisson sampling', fields: { sampleRate: rate, event } }),
  truncatedPoissonSampled: rule({
    summary: 'Poisson sampling with a cap on the batch',
    fields: { sampleRate: rate, sourceSize: count(1), cap: count(1), event },
  }),
  sampledWithoutReplacement: rule({
    summary: 'fixed-size sampling without replacement',
    fields: { sourceSize: count(1), sampleSize: count(0), event },
    check: ({ sourceSize, sampleSize }: { sourceSize: number; sampleSize: number }) =>
      sampleSize > sourceSize ? `sampleSize ${sampleSize} is more than sourceSize ${sourceSize}` : undefined,
  }),
  mixtureOfGaussians: rule({
    summary: 'Gaussian noise on a query of random sensitivity',
    fields: {
      standardDeviation: multiplier,
      sensitivities: { kind: 'reals', min: 0, max: Number.MAX_VALUE },
      probabilities: { kind: 'reals', min: 0, max: 1 },
    },
    check: mixture,
  }),
  singleEpochTree: rule({
    summary: 'tree aggregation in one epoch',
    fields: { noiseMultiplier: multiplier, stepCounts: { kind: 'integers', min: 1 } },
  }),
  cyclicPoissonSampled: rule({
    summary: 'Poisson sampling within groups that take turns',
    fields: { sampleRate: rate, groups: count(1), steps: count(0), event },
  }),
  ballsInBins: rule({ summary: 'balls-in-bins batches', fields: { bins: count(1), epochs: count(0), event } }),
  shuffled: rule({ summary: 'shuffled batches', fields: { batches: count(1), epochs: count(0), event } }),
  matrixMechanism: rule({
    summary: 'matrix mechanism (correlated noise)',
    fields: {
      noiseMultiplier: multiplier,
      factorisation: { kind: 'choice', choices: factorisations },
      participation: { kind: 'choice', choices: participations },
    },
  }),
  distributedDiscreteGaussian: rule({
    summary: 'sum of discrete Gaussians of several clients',
    fields: { ...distributed, sigma: multiplier },
  }),
  skellamSum: rule({ summary: 'sum of Skellam noises of several clients', fields: { ...distributed, variance: multiplier } }),
  repeatAndSelect: rule({
    summary: 'best of a random number of runs',
    fields: { event, distribution: { kind: 'choice', choices: repetitions } },
  }),
  selfComposed: rule({ summary: 'the same event several times', fields: { count: count(0), event } }),
  composed: rule({ summary: 'several events', fields: { events: { kind: 'events' } } }),
};
