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

/** Poisson sampling rate of each local step. */
const SAMPLE_RATE = 0.9;

/**
 * Centres and scales are those of published clinical ranges, not statistics of the data: those would be a release that
 * nobody accounts for. examples/heart-disease/CONSTANTS.md gives the source of each range.
 */
const COLUMNS = [
  { kind: 'numeric', name: 'age', index: 0, centre: 59.5, scale: 19.5 },
  { kind: 'numeric', name: 'sex', index: 1, centre: 0.5, scale: 0.5 },
  { kind: 'categorical', name: 'cp', index: 2, levels: [1, 2, 3, 4] },
  { kind: 'numeric', name: 'trestbps', index: 3, centre: 145, scale: 55 },
  { kind: 'numeric', name: 'chol', index: 4, centre: 225, scale: 95 },
  { kind: 'numeric', name: 'fbs', index: 5, centre: 0.5, scale: 0.5 },
  { kind: 'categorical', name: 'restecg', index: 6, levels: [0, 1, 2] },
  { kind: 'numeric', name: 'thalach', index: 7, centre: 130, scale: 70 },
  { kind: 'numeric', name: 'exang', index: 8, centre: 0.5, scale: 0.5 },
  { kind: 'numeric', name: 'oldpeak', index: 9, centre: 1, scale: 1 },
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
      sampleRate: SAMPLE_RATE,
      expectedBatchSize: Math.round(trainingRows * SAMPLE_RATE * 10) / 10,
    })),
    quantiser: { clip: 1024, bits: 20 },
    secagg: { mode: 'malicious', gammaNumerator: 1, gammaDenominator: 3, cMin: 1, nMin: 3, nMax: 4, hMin: 2 },
    deadlines: { joinMs: 15_000, advertiseMs: 10_000, shareMs: 10_000, maskedMs: 30_000, confirmMs: 10_000, unmaskMs: 10_000 },
  };
}
