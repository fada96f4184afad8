/** Every mistake in what a user hands over is refused at once, by an error that names the argument. */
import { makePrivate } from '@sotto/dp';
import { makePrivate as makePrivateInNode } from '@sotto/dp/node';
import type { Tensors } from '@sotto/dp';
import { tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { RECORDS, options, smallModel, values, x, y } from './support/two-moons.ts';

const classes = (): tf.Sequential =>
  tf.sequential({ layers: [tf.layers.dense({ units: 3, activation: 'softmax', inputShape: [2] })] });
const labels = (value: number): Tensors =>
  tensor(
    Float32Array.from({ length: RECORDS }, (_, i) => (i === 7 ? value : 1)),
    [RECORDS],
  );

describe('what makePrivate refuses', () => {
  it('no model, a promise of one, and no options', () => {
    const made =
      (model: unknown, given: unknown = options()) =>
      (): unknown =>
        makePrivate(model as never, given as never);
    expect(made(undefined)).toThrow(/model is undefined; it must be a tf.LayersModel/);
    expect(made({})).toThrow(/model is an object without layers/);
    expect(made(Promise.resolve(smallModel()))).toThrow(/model is a promise; await it first/);
    for (const make of [made(smallModel(), null), () => makePrivateInNode(smallModel(), null as never)])
      expect(make).toThrow(/options is null; it must be an object with loss/);
  });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['no engine', { engine: undefined }, /engine is missing/],
    ['the name of an engine', { engine: 'auto' }, /engine is "auto"; .*Names of engines are for makePrivate of @sotto\/dp\/node/],
    ['an engine that is none', { engine: {} }, /engine is something else; it must be an engine/],
    ['a function for randomness', { random: Math.random }, /random is a function; it must have fill\(bytes\)/],
    ['kinds that are no list', { kinds: 3 }, /kinds is 3; it must be a list/],
    ['a negative clip', { clipping: { kind: 'flat', norm: -1 } }, /clipping.norm is -1; it must be a number greater than 0/],
    ['a clip that is no number', { clipping: { kind: 'flat', norm: NaN } }, /clipping.norm is NaN/],
    ['an unknown clipping', { clipping: { kind: 'none', norm: 1 } }, /clipping.kind is "none"/],
    [
      'no clipping',
      { clipping: undefined },
      /clipping is undefined; it must be an object with a kind, such as \{kind: 'flat', norm: 1\}/,
    ],
    ['no loss', { loss: undefined }, /loss is undefined; it must be the name of one/],
    ['no optimiser', { optimiser: undefined }, /optimiser is undefined; it must be plain data such as/],
    ['the name of an optimiser', { optimiser: 'adam' }, /optimiser is "adam"; it must be plain data such as/],
    ['an optimiser of tfjs', { optimiser: { minimize: () => undefined } }, /optimiser is an object without a kind/],
    ['a loss with another case', { loss: 'binaryCrossEntropy' }, /did you mean binaryCrossentropy\?/],
    ['a loss that is a number', { loss: 5 }, /loss is 5; it must be the name of one/],
    [
      'a loss with an operation that is none',
      { loss: (ops: Record<string, () => unknown>) => ops['mean']!() },
      /the loss function failed: ops.*mean.* is not a function/,
    ],
    [
      'a budget in the wrong place',
      { privacy: { epsilon: 1, delta: 1e-5, steps: 1 } },
      /privacy.epsilon belongs to privacy.target/,
    ],
    ['a delta in the wrong place', { privacy: { noiseMultiplier: 1, delta: 1e-5 } }, /privacy.delta belongs to privacy.target/],
    ['no budget and no noise', { privacy: {} }, /privacy says neither how much/],
    ['no privacy', { privacy: undefined }, /privacy is undefined; it must be an object/],
    ['an unknown optimiser', { optimiser: { kind: 'rmsprop', learningRate: 1 } }, /optimiser.kind is "rmsprop"/],
    ['a learning rate of NaN', { optimiser: { kind: 'sgd', learningRate: NaN } }, /optimiser.learningRate is NaN/],
    ['a negative momentum', { optimiser: { kind: 'sgd', learningRate: 1, momentum: -1 } }, /optimiser.momentum is -1/],
    [
      'a bad schedule',
      { learningRateSchedule: { kind: 'linear', from: -1, to: 0, steps: 3 } },
      /learningRateSchedule.from is -1/,
    ],
    ['a bad average', { average: { decay: 2 } }, /average.decay is 2/],
    ['an unknown loss', { loss: 'hinge loss' }, /loss is "hinge loss"/],
    ['an unknown metric', { metrics: ['auc'] }, /metrics is "auc"/],
    ['a sampling rate above 1', { sampleRate: 2 }, /^sampleRate is 2/],
    ['a sampling rate of NaN', { sampleRate: NaN }, /sampleRate is NaN/],
    ['an expected batch size of 0', { expectedBatchSize: 0 }, /expectedBatchSize is 0/],
    ['no noise', { privacy: { noiseMultiplier: 0 } }, /privacy.noiseMultiplier is 0/],
    ['noise of NaN', { privacy: { noiseMultiplier: NaN } }, /noiseMultiplier is NaN/],
    ['an epsilon below 0', { privacy: { target: { epsilon: -1, delta: 1e-5 }, steps: 1 } }, /privacy.target.epsilon is -1/],
    ['a delta of 1', { privacy: { target: { epsilon: 1, delta: 1 }, steps: 1 } }, /privacy.target.delta is 1/],
    ['a target without steps', { privacy: { target: { epsilon: 1, delta: 1e-5 } } }, /exactly one of steps and epochs/],
    ['a target with both', { privacy: { target: { epsilon: 1, delta: 1e-5 }, steps: 1, epochs: 1 } }, /exactly one of steps/],
    ['a target of half a step', { privacy: { target: { epsilon: 1, delta: 1e-5 }, steps: 0.5 } }, /privacy.steps is 0.5/],
    ['an unknown mode', { mode: 'quick' }, /mode is "quick"/],
  ])('%s', (_, change, message) => {
    expect(() => makePrivate(smallModel(), options(change))).toThrow(message);
  });

  it('a model with nothing to train, or with a layer that mixes examples', () => {
    const frozen = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2], trainable: false })] });
    expect(() => makePrivate(frozen, options())).toThrow(/model has no trainable parameters; unfreeze a layer/);
    const mixing = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] }), tf.layers.batchNormalization()] });
    expect(() => makePrivate(mixing, options())).toThrow(/batch_?normalization.*group/is);
  });
});

describe('what fit refuses', () => {
  const fit = (given: { x?: unknown; y?: unknown; fit?: object; options?: object; model?: tf.Sequential }): Promise<unknown> =>
    makePrivate(given.model ?? smallModel(), options(given.options as Readonly<Record<string, unknown>>)).fit(
      (given.x ?? x) as Tensors,
      (given.y ?? y) as Tensors,
      (given.fit ?? { steps: 1 }) as object,
    );

  it.each<[string, Parameters<typeof fit>[0], RegExp]>([
    [
      'inputs of a wrong shape',
      { x: tensor(values.slice(0, 599), [599, 1]) },
      /x has shape \[599, 1\]; it must be \[examples, 2\]/,
    ],
    [
      'inputs of a wrong rank',
      { x: tensor(values, [RECORDS, 2, 1, 1, 1].slice(0, 2).concat(1)), y: tensor([1]) },
      /y has 1 numbers|y has shape/,
    ],
    ['an array of numbers', { x: [[1, 2]] }, /x is a list of something else than tensors; make one of it/],
    ['a number', { x: 5 }, /x is a number; it must be a tensor/],
    ['a name', { x: 'Jane Doe, 34' }, /^x is a string; it must be a tensor/],
    ['two tensors for one input', { x: [x, x] }, /x has 2 tensors; the model takes 1/],
    ['a map with another name', { x: { pixels: x } }, /x has "pixels", which is none of the model/],
    ['targets of a wrong shape', { y: tensor([1, 2, 3, 4], [2, 2]) }, /y has shape \[2, 2\]; it must be \[examples, 1\]/],
    ['fewer targets than inputs', { y: tensor([1, 0, 1], [3, 1]) }, /y has 3 numbers; 300 examples need 300/],
    ['no examples', { x: tensor(new Float32Array(0), [0, 2]), y: tensor(new Float32Array(0), [0, 1]) }, /x has no examples/],
    ['a probability above 1', { y: labels(2) }, /y holds a value that is not a probability from 0 to 1/],
    [
      'a batch bigger than the data',
      { options: { expectedBatchSize: 400 } },
      /expectedBatchSize is 400, but x holds only 300 examples/,
    ],
    ['0 steps', { fit: { steps: 0 } }, /steps is 0; it must be an integer of at least 1/],
    ['half an epoch', { fit: { epochs: 0.5 } }, /epochs is 0.5/],
    ['steps and epochs', { fit: { steps: 1, epochs: 1 } }, /steps is 1 and epochs 1; give one/],
    ['neither', { fit: {} }, /epochs is missing/],
    [
      'a hook that nobody calls',
      { fit: { steps: 1, callbacks: { onEpochEnded: () => undefined } } },
      /callbacks\[0\].onEpochEnded is called by nobody; did you mean onEpochEnd\?/,
    ],
    [
      'an array without a shape',
      { x: new Float32Array(600) },
      /x is an array of numbers without a shape; make a tensor of it, such as tf.tensor2d\(x, \[examples, 2\]\)/,
    ],
    ['a callback that is none', { fit: { steps: 1, callbacks: ['log'] } }, /callbacks\[0\] is "log"/],
    ['a bad frequency', { fit: { steps: 1, validationFrequency: 0 } }, /validationFrequency is 0/],
    [
      'validation of a wrong shape',
      { fit: { steps: 1, validationData: { x: y, y, outsideGuarantee: true } } },
      /validationData.x has shape/,
    ],
    [
      '0 steps between checkpoints',
      { fit: { steps: 1, checkpoints: { everySteps: 0, save: () => undefined } } },
      /checkpoints.everySteps is 0/,
    ],
    ['a physical batch of 0', { options: { physicalBatchSize: 0 } }, /physicalBatchSize is 0/],
    [
      'a budget for less than one example',
      { options: { memoryBudgetBytes: 10 } },
      /memoryBudgetBytes is 10; one example at a time/,
    ],
    ['user ids without users', { fit: { steps: 1, userIds: [1] } }, /userIds is given to a plan that hides records/],
  ])('%s', async (_, given, message) => {
    await expect(fit(given)).rejects.toThrow(message);
  });

  it('options that are none', async () => {
    const training = makePrivate(smallModel(), options());
    await expect(training.fit(x, y, 10 as never)).rejects.toThrow(
      /options of fit is 10; it must be an object such as \{epochs: 10\}/,
    );
    await expect(training.steps(x, y, undefined as never).next()).rejects.toThrow(/options of steps is undefined/);
  });

  it('a tensor that was disposed', async () => {
    const gone = x.clone();
    gone.dispose();
    await expect(fit({ x: gone })).rejects.toThrow(/x is a tensor that was disposed/);
  });

  it('a data set that gives no batches', async () => {
    const training = makePrivate(smallModel(), options());
    for (const dataset of [x, {}, 5])
      await expect(training.fitDataset(dataset as never, { steps: 1 })).rejects.toThrow(
        /^dataset (gives no batches|is a number)/,
      );
  });

  it('labels that are strings, or no class', async () => {
    const strings = { shape: [RECORDS, 1], dataSync: () => Array.from({ length: RECORDS }, () => 'cat') as never };
    await expect(fit({ y: strings })).rejects.toThrow(/y holds strings; encode them as numbers/);
    const loss = { loss: 'sparseCategoricalCrossentropy' };
    for (const wrong of [3, -1, 0.5, NaN]) {
      await expect(fit({ model: classes(), y: labels(wrong), options: loss })).rejects.toThrow(
        /y holds a value that is not a class id from 0 to 2, as sparseCategoricalCrossentropy needs/,
      );
    }
    await fit({ model: classes(), y: labels(2), options: loss });
  });

  it('nothing that it needs to show: no message holds a value of an example', async () => {
    const secret = 12345.678;
    const error = (await fit({ y: labels(secret) }).catch((reason: unknown) => reason)) as Error;
    expect(error.message).not.toContain('12345');
    // Rows that came without their tensors: what is told of them is their kind.
    const training = makePrivate(smallModel(), options());
    const told = async (attempt: () => Promise<unknown>): Promise<string> =>
      attempt().then(String, (reason: Error) => reason.message);
    const layer = training.graph.inputNames[0]!;
    expect(await told(() => training.fit({ [layer]: secret } as never, y, { steps: 1 }))).toMatch(
      / is a number; it must be a tensor/,
    );
    expect(await told(() => training.fitDataset(['Jane Doe, 34'] as never, { steps: 1 }))).toMatch(
      /dataset gave a string; a batch/,
    );
    expect(await told(() => training.fitDataset('Jane Doe, 34' as never, { steps: 1 }))).toMatch(/dataset is a string;/);
    for (const [id, kind] of [
      [123456789n, 'of type bigint'],
      [new Date(0), 'of type object'],
      [NaN, 'not finite'],
    ] as const) {
      const users = options({ unit: { kind: 'user', contributionBound: 1 } });
      const userIds = Array.from({ length: RECORDS }, (_, i) => (i === 3 ? id : i)) as number[];
      expect(await told(() => makePrivate(smallModel(), users).fit(x, y, { steps: 1, userIds }))).toBe(
        `userIds[3] is ${kind}; it must be a finite number or a string`,
      );
    }
  });

  it('and charges nothing for it', async () => {
    const training = makePrivate(smallModel(), options());
    await expect(training.fit(x, labels(2), { steps: 1 })).rejects.toThrow();
    expect(training.event()).toEqual({ type: 'noOp' });
    await training.fit(x, y, { steps: 1 });
  });
});
