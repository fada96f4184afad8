/**
 * Predicts heart disease from a table of patients, with differential privacy for each patient.
 *
 *     npx node --conditions=@sotto/source examples/tabular/train.ts [--epsilon 1] [--epochs 20]
 *
 * The four hospitals' records are pooled here (`npm run demo` trains on them without pooling). Columns are scaled by published clinical constants, not
 * by means of the private table, which would be a release of their own. A third of the patients is declared public and only measured.
 */
import { parseArgs } from 'node:util';
import type { FitOptions, PrivateModel } from '@sotto/dp';
import { makePrivate } from '@sotto/dp/node';
import '@tensorflow/tfjs-backend-cpu';
import { tensor2d } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { heartConstants, loadHospital, splitRecords } from '../heart-disease/records.ts';
import type { Records } from '../heart-disease/records.ts';
import { facts, numberOption, print, runExample } from '../terminal.ts';

const DELTA = 1e-3;

/** What a training gave. */
export interface TabularResult {
  /** On the patients that were held out. */
  readonly accuracy: number;
  /** How many were trained on, and how many were held out. */
  readonly patients: number;
  readonly heldOut: number;
  readonly training: PrivateModel;
}

function pooled(parts: readonly Records[]): { readonly x: ReturnType<typeof tensor2d>; readonly y: ReturnType<typeof tensor2d> } {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const width = parts[0]!.features.length / parts[0]!.count;
  const features = new Float32Array(count * width);
  const labels = new Float32Array(count);
  let at = 0;
  for (const part of parts) {
    features.set(part.features, at * width);
    labels.set(part.labels, at);
    at += part.count;
  }
  return { x: tensor2d(features, [count, width]), y: tensor2d(labels, [count, 1]) };
}

/** Trains a small network at ε and measures it on the patients that were held out. */
export async function trainTabular(epsilon = 1, epochs = 20, callbacks: FitOptions = {}): Promise<TabularResult> {
  const constants = heartConstants();
  const splits = constants.hospitals.map(({ id, file }) =>
    splitRecords(loadHospital(file, constants), constants.holdoutFraction, `tabular/${id}`),
  );
  const train = pooled(splits.map((split) => split.train));
  const held = pooled(splits.map((split) => split.held));
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [train.x.shape[1]], units: 16, activation: 'tanh' }),
      tf.layers.dense({ units: 1, activation: 'sigmoid' }),
    ],
  });
  const training = makePrivate(model, {
    loss: 'binaryCrossentropy',
    optimiser: { kind: 'adam', learningRate: 0.05 },
    clipping: { kind: 'flat', norm: 0.5 },
    // Public constants: about 490 patients are trained on, and each step takes half of them.
    sampleRate: 0.5,
    expectedBatchSize: 244,
    privacy: { target: { epsilon, delta: DELTA }, epochs },
  });
  const { history } = await training.fit(train.x, train.y, {
    epochs,
    validationData: { ...held, outsideGuarantee: true },
    ...callbacks,
  });
  return { accuracy: history['val_acc']!.at(-1)!, patients: train.x.shape[0], heldOut: held.x.shape[0], training };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { epsilon: { type: 'string' }, epochs: { type: 'string' } } });
  const [epsilon, epochs] = [numberOption('epsilon', values.epsilon), numberOption('epochs', values.epochs)];
  const { accuracy, patients, heldOut, training } = await trainTabular(epsilon, epochs, { progress: true });
  print(
    `${(100 * accuracy).toFixed(1)} % of ${heldOut} held-out patients are told right, after training on ${patients} others.`,
    '',
    facts(training.privacyStatement(DELTA)),
  );
}

if (import.meta.main) await runExample(main);
