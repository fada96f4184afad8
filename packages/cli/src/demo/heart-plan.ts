/**
 * The plan of the demo: logistic regression on 13 features of UCI Heart Disease.
 *
 * @module
 */
import type { FederationPlan } from '@sotto/federation';
import { HOSPITALS } from './hospitals.ts';

/** Privacy parameter of the whole run at each hospital, beside its ε. */
export const DELTA = 1e-3;

const CLIP_NORM = 1;
const LEARNING_RATE = 1;

/** Topology as TensorFlow.js writes it: one dense unit with a sigmoid on 13 inputs, all weights zero at the start. */
const MODEL = {
  class_name: 'Sequential',
  config: {
    name: 'heart',
    layers: [
      {
        class_name: 'Dense',
        config: {
          name: 'risk',
          trainable: true,
          dtype: 'float32',
          batch_input_shape: [null, 13],
          units: 1,
          activation: 'sigmoid',
          use_bias: true,
          kernel_initializer: { class_name: 'Zeros', config: {} },
          bias_initializer: { class_name: 'Zeros', config: {} },
          kernel_regularizer: null,
          bias_regularizer: null,
          activity_regularizer: null,
          kernel_constraint: null,
          bias_constraint: null,
        },
      },
    ],
  },
  keras_version: 'tfjs-layers 4.22.0',
  backend: 'tensor_flow.js',
} as const;

/**
 * Centres and scales are round figures of adult clinical ranges, not statistics of the data: those would be a release
 * that nobody accounts for.
 */
const COLUMNS = [
  { kind: 'numeric', name: 'age', index: 0, centre: 55, scale: 10 },
  { kind: 'numeric', name: 'sex', index: 1, centre: 0.5, scale: 0.5 },
  { kind: 'categorical', name: 'chest pain', index: 2, levels: [1, 2, 3, 4] },
  { kind: 'numeric', name: 'resting blood pressure', index: 3, centre: 130, scale: 20 },
  { kind: 'numeric', name: 'cholesterol', index: 4, centre: 220, scale: 60 },
  { kind: 'numeric', name: 'fasting blood sugar', index: 5, centre: 0, scale: 1 },
  { kind: 'categorical', name: 'resting ECG', index: 6, levels: [0, 1, 2] },
  { kind: 'numeric', name: 'maximum heart rate', index: 7, centre: 140, scale: 25 },
  { kind: 'numeric', name: 'exercise angina', index: 8, centre: 0.5, scale: 0.5 },
  { kind: 'numeric', name: 'ST depression', index: 9, centre: 1, scale: 1 },
] as const;

/** The plan for a run of `rounds` rounds. All its constants are public. */
export function heartPlan(runId: string, rounds: number): FederationPlan {
  return {
    version: 1,
    runId,
    rounds,
    model: MODEL,
    initialWeights: 'zeros',
    data: {
      separator: ',',
      header: false,
      columnCount: 14,
      missing: '?',
      columns: COLUMNS,
      label: { index: 13, positiveAbove: 0 },
      holdout: { fraction: 0.34, seed: 'heart-disease-demo' },
    },
    training: {
      unit: 'record',
      adjacency: 'addOrRemoveOne',
      clipNorm: CLIP_NORM,
      learningRate: LEARNING_RATE,
      localSteps: 1,
      delta: DELTA,
    },
    parties: HOSPITALS.map(({ id, trainingRows }) => ({
      id,
      weight: trainingRows,
      sampleRate: 1,
      expectedBatchSize: trainingRows,
    })),
    quantiser: { clip: 4, bits: 16 },
    secagg: { mode: 'malicious', gammaNumerator: 1, gammaDenominator: 3, cMin: 1, nMin: 3, nMax: 4, hMin: 2 },
    deadlines: { joinMs: 5_000, advertiseMs: 10_000, shareMs: 10_000, maskedMs: 30_000, confirmMs: 10_000, unmaskMs: 10_000 },
  };
}
