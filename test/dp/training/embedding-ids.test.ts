import { onnxEngine } from '@sotto/core/onnx';
import { referenceEngine } from '@sotto/core/ops';
import { tfjsEngine } from '@sotto/core/tfjs';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { clippedGradient, createMechanismPlan, createRecordTrainer, makePrivate } from '@sotto/dp';
import type { Tensors } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { tensor } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';

const RECORDS = 30;
const ROWS = 10;
const STEPS = 3;
/** What is no id: beyond the table, below it, no number, no whole number. */
const FALSE_IDS = [ROWS, 4242, -1, -3, 1e30, NaN, Infinity, -Infinity, 0.5, 3.25, 8.999, -0.5];

const classifier = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.embedding({
        inputDim: ROWS,
        outputDim: 4,
        inputLength: STEPS,
        name: 'words',
        embeddingsInitializer: tf.initializers.randomUniform({ minval: -1, maxval: 1, seed: 5 }),
      }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: tf.initializers.glorotUniform({ seed: 6 }) }),
    ],
  });

const labels = Float32Array.from({ length: RECORDS }, (_, i) => i % 2);
const y = tensor(labels, [RECORDS, 1]);

/** Ids of all records, of which the one at each given place is another. */
function idsWith(places: readonly number[], id: number): Float32Array {
  const ids = Float32Array.from({ length: RECORDS * STEPS }, (_, i) => (i * 7) % ROWS);
  for (const place of places) ids[place] = id;
  return ids;
}
const inputs = (values: Float32Array): Tensor => tensor(values, [RECORDS, STEPS]);

const engines = { reference: () => referenceEngine, onnx: () => onnxEngine({ lanes: 1 }), tfjs: () => tfjsEngine() };

/** The layer itself, for whoever hands records over without the checks of `fit`. */
describe.each(Object.entries(engines))('an embedding on the engine %s', (_, open) => {
  const sound = inputs(idsWith([], 0));
  const places = [1, 31, 52];
  const spoilt = new Set(places.map((place) => Math.floor(place / STEPS)));

  it('gives records with false ids no finite loss, and all others what they have without them', async () => {
    const gradient = clippedGradient(classifier(), {
      loss: 'binaryCrossentropy',
      clipping: { kind: 'flat', norm: 1 },
      engine: open(),
      physicalBatchSize: 8,
    });
    const alone = await gradient(sound, y);
    for (const id of FALSE_IDS) {
      const { losses, sum } = await gradient(inputs(idsWith(places, id)), y);
      losses.forEach((loss, i) => {
        if (spoilt.has(i)) expect(Number.isFinite(loss), `loss of record ${i} with the id ${id}`).toBe(false);
        else expect(loss).toBe(alone.losses[i]);
      });
      expect(sum.every(Number.isFinite)).toBe(true);
    }
    await gradient.close();
  });

  it.each(['secure', 'fast'] as const)('counts such records as zero in the private sum (%s mode)', async (mode) => {
    const engine = open();
    const sumOf = async (id: number): Promise<Float64Array> => {
      const model = classifier();
      const trainer = await createRecordTrainer({
        model,
        loss: 'binaryCrossentropy',
        features: idsWith(places, id),
        labels,
        plan: createMechanismPlan({
          sampleRate: 0.9,
          expectedBatchSize: 27,
          clipping: { kind: 'flat', norm: 1 },
          noiseMultiplier: 1,
          mode,
        }),
        engine,
        random: unsafeDeterministicRandom('embedding ids'),
        physicalBatchSize: 8,
      });
      const weights = Float64Array.from(model.getWeights().flatMap((weight) => [...weight.dataSync()]));
      const { sum } = await trainer.noisyGradientSum(weights);
      await trainer.close();
      return sum;
    };
    const [first, ...others] = await Promise.all(FALSE_IDS.map(sumOf));
    expect(first!.every(Number.isFinite)).toBe(true);
    // The same sample and noise, and the same records that count: whatever the false ids are.
    for (const sum of others) expect(sum).toEqual(first);
    expect(await sumOf(3)).not.toEqual(first);
  });
});

describe('data with false ids', () => {
  const options = {
    loss: 'binaryCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 0.5 },
    sampleRate: 0.9,
    expectedBatchSize: 27,
    clipping: { kind: 'flat', norm: 1 },
    privacy: { noiseMultiplier: 1 },
    engine: referenceEngine,
  } as const;
  const refusal = (argument: string): RegExp =>
    new RegExp(`^${argument} holds a value that is not an id of layer words, a whole number from 0 to 9; correct the data`);
  const sound = inputs(idsWith([], 0));

  it.each(FALSE_IDS)('are refused at once, without what they hold: %d', async (id) => {
    const bad = inputs(idsWith([RECORDS * STEPS - 1], id));
    const training = makePrivate(classifier(), options);
    await expect(training.fit(bad, y, { steps: 1 })).rejects.toThrow(refusal('x'));
    await expect(training.fit({ words_input: bad }, y, { steps: 1 })).rejects.toThrow(refusal('x.words_input'));
    await expect(training.steps(bad, y, { steps: 1 }).next()).rejects.toThrow(refusal('x'));
    await expect(training.evaluate(bad, y, { outsideGuarantee: true })).rejects.toThrow(refusal('x'));
    const validationData = { x: bad as Tensors, y: y as Tensors, outsideGuarantee: true };
    await expect(training.fit(sound, y, { steps: 1, validationData })).rejects.toThrow(refusal('validationData.x'));
    expect(training.privacySpent(1e-5).upper).toBe(0);
  });

  it('are found at every place', async () => {
    for (const place of [0, 44, RECORDS * STEPS - 1]) {
      const training = makePrivate(classifier(), options);
      await expect(training.fit(inputs(idsWith([place], ROWS)), y, { steps: 1 })).rejects.toThrow(refusal('x'));
    }
    await makePrivate(classifier(), options).fit(sound, y, { steps: 1 });
  });
});
