/**
 * Trains a small causal transformer to continue plays, character by character, with differential privacy for each window of text.
 *
 *     npx node --conditions=@sotto/source examples/char-transformer/train.ts [--data FILE] [--epochs 2] [--epsilon 8] [--windows 12000]
 *
 * The model is built of tfjs layers and of Sotto's attention and position layers. Rows that differ in one window of 64 characters are hidden from
 * each other; a person who speaks in many windows is not (see `unit` in docs/training.md for whole users).
 */
import { parseArgs } from 'node:util';
import { SottoError } from '@sotto/core/errors';
import { MultiHeadAttention, PositionEmbedding } from '@sotto/core/tfjs';
import type { PrivateModel } from '@sotto/dp';
import { makePrivate } from '@sotto/dp/node';
import '@tensorflow/tfjs-backend-cpu';
import { tensor2d } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { facts, numberOption, print, runExample } from '../terminal.ts';
import { VOCABULARY, cutWindows, loadPlays } from './text.ts';

/** Sizes of the model. */
export interface TransformerSizes {
  readonly length: number;
  readonly width: number;
  readonly heads: number;
  readonly blocks: number;
}

/** A pre-norm transformer over character ids, `[length]` to `[length, vocabulary]`. */
export function charTransformer({ length, width, heads, blocks }: TransformerSizes): tf.LayersModel {
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) => layer.apply(x) as tf.SymbolicTensor;
  const normalise = (x: tf.SymbolicTensor) => apply(tf.layers.layerNormalization({ epsilon: 1e-5 }), x);
  const ids = tf.input({ shape: [length] });
  let x = apply(new PositionEmbedding({}), apply(tf.layers.embedding({ inputDim: VOCABULARY.length, outputDim: width }), ids));
  for (let block = 0; block < blocks; block++) {
    const attended = apply(new MultiHeadAttention({ numHeads: heads, keyDim: width / heads, causal: true }), normalise(x));
    x = apply(tf.layers.add(), [x, attended]);
    const wide = apply(tf.layers.dense({ units: 4 * width, activation: 'gelu_new' }), normalise(x));
    x = apply(tf.layers.add(), [x, apply(tf.layers.dense({ units: width }), wide)]);
  }
  return tf.model({
    inputs: ids,
    outputs: apply(tf.layers.dense({ units: VOCABULARY.length, activation: 'softmax' }), normalise(x)),
  });
}

/** Settings of {@link trainTransformer}. */
export interface TransformerSettings {
  readonly sizes?: TransformerSizes;
  readonly epsilon?: number;
  readonly epochs?: number;
  /** Windows that are trained on: a public constant; the tenth part as many again is declared public and only measured. */
  readonly windows?: number;
  readonly batch?: number;
  readonly progress?: boolean;
}

/** What a training gave: the mean loss of a character, in nats, on windows that were not trained on, before and after. */
export interface TransformerResult {
  readonly before: number;
  readonly after: number;
  readonly training: PrivateModel;
}

/** Trains on the first windows of the text and measures on those that follow. */
export async function trainTransformer(text: string, settings: TransformerSettings = {}): Promise<TransformerResult> {
  const {
    sizes = { length: 64, width: 64, heads: 4, blocks: 2 },
    epsilon = 8,
    epochs = 2,
    windows = 12_000,
    batch = 256,
  } = settings;
  const all = cutWindows(text, sizes.length);
  const held = Math.ceil(windows / 10);
  if (all.count < windows + held) {
    throw new SottoError(
      'invalid-argument',
      `--windows is ${windows}; the text has ${all.count} windows of ${sizes.length} characters, of which a tenth of --windows as many are held out`,
    );
  }
  const part = (from: number, to: number) => ({
    x: tensor2d(all.inputs.slice(from * sizes.length, to * sizes.length), [to - from, sizes.length]),
    y: tensor2d(all.targets.slice(from * sizes.length, to * sizes.length), [to - from, sizes.length]),
  });
  const [train, test] = [part(0, windows), part(windows, windows + held)];
  const training = makePrivate(charTransformer(sizes), {
    loss: 'sparseCategoricalCrossentropy',
    optimiser: { kind: 'adam', learningRate: 2e-3 },
    clipping: { kind: 'automatic', norm: 1 },
    sampleRate: batch / windows,
    expectedBatchSize: batch,
    privacy: { target: { epsilon, delta: 1e-5 }, epochs },
    mode: 'fast',
  });
  const before = (await training.evaluate(test.x, test.y, { outsideGuarantee: true })).loss;
  const { history } = await training.fit(train.x, train.y, {
    epochs,
    validationData: { ...test, outsideGuarantee: true },
    progress: settings.progress ?? false,
  });
  return { before, after: history['val_loss']!.at(-1)!, training };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { data: { type: 'string' }, epochs: { type: 'string' }, epsilon: { type: 'string' }, windows: { type: 'string' } },
  });
  const given = {
    epsilon: numberOption('epsilon', values.epsilon),
    epochs: numberOption('epochs', values.epochs),
    windows: numberOption('windows', values.windows),
  };
  const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { before, after, training } = await trainTransformer(await loadPlays(values.data), { ...settings, progress: true });
  const bits = (nats: number): string => (nats / Math.LN2).toFixed(2);
  print(
    `${bits(after)} bits a character on windows that were never trained on; ${bits(before)} before training, ${Math.log2(VOCABULARY.length).toFixed(2)} for a guess.`,
    '',
    facts(training.privacyStatement(1e-5)),
  );
}

if (import.meta.main) await runExample(main);
