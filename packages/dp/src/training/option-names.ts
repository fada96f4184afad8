/**
 * Names of options: one that nobody reads would be a promise that is not kept, so it is refused, with the one that was meant where that can be told.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { knownKeys, nearestName } from '../known-keys.ts';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { FitDatasetOptions, ModelOptions, StepsOptions, TrainingOptions, ValidationData } from './options.ts';

type KeysOf<T> = T extends unknown ? keyof T : never;
type Names<K extends string> = Readonly<Record<K, true>>;

/** Options of `makePrivate` that are not the mechanism's. Exhaustive, so that a new one is not taken for it. */
export const modelOptions: Names<keyof ModelOptions> = {
  loss: true,
  lossWeights: true,
  kinds: true,
  metrics: true,
  optimiser: true,
  learningRateSchedule: true,
  average: true,
  privacy: true,
  engine: true,
  openSession: true,
  openProgress: true,
  report: true,
  physicalBatchSize: true,
  memoryBudgetBytes: true,
  random: true,
};

const mechanismOptions: Names<KeysOf<PlanWithoutNoise>> = {
  sampling: true,
  sampleRate: true,
  expectedBatchSize: true,
  maxBatchSize: true,
  clipping: true,
  noiseSchedule: true,
  normSchedule: true,
  gridBits: true,
  mode: true,
  unit: true,
};

const trainingOptions: Names<keyof TrainingOptions> = {
  validationData: true,
  validationFrequency: true,
  stepsPerEpoch: true,
  userIds: true,
  noise: true,
};

const fitOptions: Names<keyof FitDatasetOptions> = {
  ...trainingOptions,
  epochs: true,
  steps: true,
  initialEpoch: true,
  callbacks: true,
  progress: true,
  onStep: true,
  checkpoints: true,
  signal: true,
  memoryLimitBytes: true,
};

const stepsOptions: Names<keyof StepsOptions> = { steps: true, userIds: true, noise: true };

const validationOptions: Names<keyof ValidationData> = { x: true, y: true, outsideGuarantee: true, userIds: true };

/** What people know from tfjs, PyTorch or Opacus, and where it is here. */
const MEANT: Readonly<Record<string, string>> = {
  batchSize: 'sampleRate and expectedBatchSize of makePrivate say how many examples a step takes',
  batchesPerEpoch: 'it is stepsPerEpoch here',
  validationSplit: 'divide the data yourself and give validationData, declared outsideGuarantee or with report.validation',
  validationBatchSize: 'evaluation needs none',
  validationBatches: 'evaluation takes all of validationData',
  shuffle: 'sampling of makePrivate says who takes part in a step',
  verbose: 'use progress: true',
  yieldEvery: 'training yields after every step',
  classWeight: 'weigh classes in a loss function of your own',
  sampleWeight: 'weigh examples in a loss function of your own',
  optimizer: 'it is spelled optimiser here',
  learningRate: 'it belongs to optimiser',
  noiseMultiplier: 'it belongs to privacy',
  target: 'it belongs to privacy',
  epsilon: 'it belongs to privacy.target',
  delta: 'it belongs to privacy.target',
  targetEpsilon: 'it is privacy.target.epsilon here',
  targetDelta: 'it is privacy.target.delta here',
  epochs: 'with a target it belongs to privacy, and to fit',
  steps: 'with a target it belongs to privacy, and to fit',
  clipNorm: 'it is clipping: {kind, norm} here',
  l2NormClip: 'it is clipping: {kind, norm} here',
  maxGradNorm: 'it is clipping: {kind, norm} here',
  microbatches: 'examples are always clipped one by one; physicalBatchSize is for speed',
  contributionBound: 'it belongs to unit',
  callbacks: 'it is an option of fit',
  validationData: 'it is an option of fit',
  progress: 'it is an option of fit',
  userIds: 'it is an option of fit',
};

function checkNames(what: string, given: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  const names = Object.keys(known);
  const nearest = nearestName(unknown, names);
  const meant = nearest === undefined ? '' : `did you mean ${nearest}? `;
  const hint = Object.hasOwn(MEANT, unknown) ? MEANT[unknown]! : `${meant}it knows ${names.join(', ')}`;
  throw new SottoError('invalid-argument', `${unknown} is no option of ${what}: ${hint}`);
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new SottoError('invalid-argument', `${name} is ${show(value)}; it must be a function`);
}

/** Refuses unknown options of `makePrivate`. */
export function checkModelOptions(given: object): void {
  checkNames('makePrivate', given, { ...modelOptions, ...mechanismOptions });
}

/** Refuses unknown options of `fit`, `fitDataset` or `steps`, and of the validation data among them. */
export function checkTrainingOptions(what: 'fit' | 'steps', given: object & Pick<TrainingOptions, 'validationData'>): void {
  if (typeof (given as unknown) !== 'object' || given === null) {
    const example = what === 'fit' ? '{epochs: 10}' : '{steps: 100}';
    throw new SottoError('invalid-argument', `options of ${what} is ${show(given)}; it must be an object such as ${example}`);
  }
  checkNames(what, given, what === 'fit' ? fitOptions : stepsOptions);
  const { validationData, checkpoints, onStep, signal } = given as typeof given &
    Readonly<Partial<Record<'checkpoints' | 'onStep' | 'signal', unknown>>>;
  if (onStep !== undefined) checkFunction('onStep', onStep);
  if (signal !== undefined && (typeof signal !== 'object' || signal === null || !('aborted' in signal)))
    throw new SottoError('invalid-argument', 'signal must have a member aborted, as that of an AbortController has');
  if (checkpoints !== undefined) {
    knownKeys('checkpoints', checkpoints, ['everySteps', 'save']);
    checkFunction('checkpoints.save', (checkpoints as { readonly save?: unknown }).save);
  }
  if (validationData === undefined) return;
  if (typeof validationData !== 'object' || validationData === null || Array.isArray(validationData)) {
    throw new SottoError(
      'invalid-argument',
      'validationData must be {x, y} with outsideGuarantee: true, or with report.validation of makePrivate',
    );
  }
  checkNames('validationData', validationData, validationOptions);
}
