import { earlyStopping, makePrivate } from '@sotto/dp';
import type { Logs, TrainingCallbacks } from '@sotto/dp';
import { tensor, tensor2d } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { RECORDS, options, smallModel, values, weightsOf, x, y } from './support/two-moons.ts';

const validationData = { x, y, outsideGuarantee: true } as const;

describe('fit', () => {
  it('calls callbacks as tfjs does, and returns what epochs reported', async () => {
    const calls: string[] = [];
    const record =
      (hook: string) =>
      (number?: number | Logs, logs?: Logs): void => {
        calls.push(`${hook} ${typeof number === 'number' ? number : ''} ${Object.keys(logs ?? {}).join()}`.trim());
      };
    const callbacks: TrainingCallbacks = {
      onTrainBegin: record('trainBegin'),
      onEpochBegin: record('epochBegin'),
      onBatchBegin: record('batchBegin'),
      onBatchEnd: record('batchEnd'),
      onEpochEnd: record('epochEnd'),
      onTrainEnd: record('trainEnd'),
      onYield: (epoch, batch) => void calls.push(`yield ${epoch} ${batch}`),
    };
    const training = makePrivate(smallModel(), options());
    const { epoch, history } = await training.fit(x, y, { epochs: 2, stepsPerEpoch: 2, callbacks, validationData });
    const steps = (number: number): string[] =>
      [0, 1].flatMap((batch) => [`batchBegin ${batch} batch`, `batchEnd ${batch} batch`, `yield ${number} ${batch}`]);
    expect(calls).toEqual([
      'trainBegin',
      ...[0, 1].flatMap((number) => [`epochBegin ${number}`, ...steps(number), `epochEnd ${number} val_loss,val_acc`]),
      'trainEnd',
    ]);
    expect(epoch).toEqual([0, 1]);
    expect(Object.keys(history)).toEqual(['val_loss', 'val_acc']);
    expect(history['val_loss']).toHaveLength(2);
  });

  it('has as many steps in an epoch as it takes for an example to take part once on average', async () => {
    const training = makePrivate(smallModel(), options());
    expect(training.stepsPerEpoch).toBe(4);
    await training.fit(x, y, { epochs: 2 });
    expect(training.event()).toMatchObject({ count: 8 });
    const { epoch } = await training.fit(x, y, { steps: 5, initialEpoch: 2 });
    expect(epoch).toEqual([2, 3]);
    expect(training.event()).toMatchObject({ count: 13 });
  });

  it('tells nothing about private data unless it is asked to', async () => {
    const training = makePrivate(smallModel(), options());
    const logs: Logs[] = [];
    const reports: unknown[] = [];
    const { history } = await training.fit(x, y, {
      epochs: 2,
      callbacks: { onBatchEnd: (_, given) => void logs.push(given!), onEpochEnd: (_, given) => void logs.push(given!) },
      onStep: (report) => void reports.push(report),
    });
    expect(history).toEqual({});
    for (const given of logs) expect(Object.keys(given).filter((name) => name !== 'batch')).toEqual([]);
    for (const report of reports) expect(report).toEqual({ step: expect.any(Number), figures: {} });
    await expect(training.fit(x, y, { steps: 1, validationData: { x, y } })).rejects.toThrow(/validationData is private/);
    await expect(training.evaluate(x, y, {} as never)).rejects.toThrow(/declare the data outsideGuarantee/);
    expect(training.event()).toMatchObject({ count: 8 });
  });

  it('evaluates as tfjs does on data outside the guarantee, in the middle of a training as well', async () => {
    const model = smallModel();
    model.compile({ loss: 'binaryCrossentropy', optimizer: 'sgd', metrics: ['accuracy'] });
    const training = makePrivate(model, options());
    const seen: number[] = [];
    await training.fit(x, y, {
      epochs: 2,
      callbacks: {
        async onEpochEnd(_, logs) {
          // The model holds the weights of the epoch's end.
          const [loss, acc] = (model.evaluate(x, y) as Tensor[]).map((each) => each.dataSync()[0]!);
          expect(logs!['val_loss']).toBeCloseTo(loss!, 4);
          expect(logs!['val_acc']).toBeCloseTo(acc!, 5);
          seen.push((await training.evaluate(x, y, { outsideGuarantee: true })).loss);
        },
      },
      validationData,
    });
    expect(seen).toHaveLength(2);
    const { loss, acc, count } = await training.evaluate(x, y, { outsideGuarantee: true });
    expect(loss).toBeCloseTo(seen[1]!, 6);
    expect(acc).toBeGreaterThan(0.4);
    expect(count).toBe(RECORDS);
    expect(training.privacyStatement(1e-5)).toMatch(/Outside the guarantee: the data given as outside/);
  });

  it('stops early on a figure that was released, ours or with the callback of tfjs', async () => {
    const worse = (): TrainingCallbacks => ({ onEpochEnd: () => undefined });
    const training = makePrivate(smallModel(), options({ optimiser: { kind: 'sgd', learningRate: 1e-9 } }));
    const stopping = earlyStopping({ monitor: 'val_loss', minDelta: 0.01, patience: 2 });
    const { epoch } = await training.fit(x, y, { epochs: 20, callbacks: [worse(), stopping], validationData });
    expect(epoch).toEqual([0, 1, 2, 3]);
    expect(stopping.stoppedEpoch).toBe(3);
    const theirs = tf.callbacks.earlyStopping({ monitor: 'val_loss', minDelta: 0.01, patience: 1 });
    const second = await training.fit(x, y, { epochs: 20, callbacks: theirs, validationData });
    expect(second.epoch.length).toBeLessThan(5);
    await expect(training.fit(x, y, { epochs: 1, callbacks: earlyStopping({ monitor: 'loss' }) })).rejects.toThrow(
      /earlyStopping.monitor is loss, which no epoch reports.*report.trainLoss/,
    );
  });

  it('monitors accuracies upwards and honours a baseline', async () => {
    const model = {};
    const drive = (options_: Parameters<typeof earlyStopping>[0], figures: readonly number[]): number | undefined => {
      const stopping = earlyStopping(options_);
      stopping.setModel!(model);
      void stopping.onTrainBegin!();
      figures.forEach((value, epoch) => {
        if (stopping.stoppedEpoch === undefined) void stopping.onEpochEnd!(epoch, { val_acc: value, val_loss: value });
      });
      return stopping.stoppedEpoch;
    };
    expect(drive({ monitor: 'val_acc' }, [0.1, 0.2, 0.3, 0.3])).toBe(3);
    expect(drive({ monitor: 'val_loss' }, [0.1, 0.2])).toBe(1);
    expect(drive({ monitor: 'val_loss', mode: 'max' }, [0.1, 0.2, 0.1])).toBe(2);
    expect(drive({ monitor: 'val_acc', baseline: 0.5, patience: 1 }, [0.1, 0.2])).toBe(1);
    expect(drive({ monitor: 'val_acc', baseline: 0.5, patience: 1 }, [0.1, 0.6, 0.7])).toBeUndefined();
  });

  it('takes lists and maps, by the names of the model', async () => {
    const build = (): tf.LayersModel => {
      const left = tf.input({ shape: [1], name: 'left' });
      const right = tf.input({ shape: [1], name: 'right' });
      const joined = tf.layers.concatenate().apply([left, right]) as tf.SymbolicTensor;
      const seeded = (seed: number) => tf.initializers.glorotUniform({ seed });
      const side = tf.layers.dense({ units: 1, activation: 'sigmoid', name: 'side', kernelInitializer: seeded(1) }).apply(joined);
      const size = tf.layers.dense({ units: 1, name: 'size', kernelInitializer: seeded(2) }).apply(joined);
      return tf.model({ inputs: [left, right], outputs: [side as tf.SymbolicTensor, size as tf.SymbolicTensor] });
    };
    const column = (from: number): Tensor =>
      tensor2d(
        Array.from({ length: RECORDS }, (_, i) => values[2 * i + from]!),
        [RECORDS, 1],
      );
    const given = { left: column(0), right: column(1) };
    const wanted = { size: column(0), side: y };
    const weights = [];
    for (const [xs, ys] of [
      [given, wanted],
      [
        [given.left, given.right],
        [wanted.side, wanted.size],
      ],
    ] as const) {
      const model = build();
      const training = makePrivate(model, options({ loss: { side: 'binaryCrossentropy', size: 'meanSquaredError' } }));
      const { history } = await training.fit(xs, ys, { epochs: 1, validationData: { x: xs, y: ys, outsideGuarantee: true } });
      expect(Object.keys(history)).toEqual(['val_loss', 'val_side_acc']);
      weights.push(weightsOf(model));
    }
    expect(weights[1]).toEqual(weights[0]);
  });

  it('reads a data set of batches, whatever gives them', async () => {
    const batches = Array.from({ length: 3 }, (_, i) => ({
      xs: tensor(values.slice(i * 200, (i + 1) * 200), [100, 2]),
      ys: tensor(y.dataSync().slice(i * 100, (i + 1) * 100), [100, 1]),
    }));
    const sources = {
      array: batches,
      asynchronous: (async function* () {
        for (const batch of batches) yield batch;
      })(),
      tfdata: {
        iterator: async () => {
          const inner = batches[Symbol.iterator]();
          return { next: async () => inner.next() as { value: unknown; done?: boolean } };
        },
      },
    };
    const direct = smallModel();
    await makePrivate(direct, options()).fit(x, y, { steps: 2 });
    for (const source of Object.values(sources)) {
      const model = smallModel();
      await makePrivate(model, options()).fitDataset(source as never, { steps: 2 });
      expect(weightsOf(model)).toEqual(weightsOf(direct));
    }
    const training = makePrivate(smallModel(), options());
    await expect(training.fitDataset(batches, { steps: 2, memoryLimitBytes: 1000 })).rejects.toThrow(/memoryLimitBytes, 1000/);
    await expect(training.fitDataset([], { steps: 2 })).rejects.toThrow(/dataset gave no batch/);
    await expect(training.fitDataset(7 as never, { steps: 2 })).rejects.toThrow(/dataset is a number/);
  });

  it('adapts the clip norm, follows schedules and averages weights', async () => {
    const model = smallModel();
    const training = makePrivate(
      model,
      options({
        clipping: { kind: 'adaptive', norm: 5 },
        learningRateSchedule: { kind: 'cosine', from: 1, to: 0, steps: 40 },
        average: { decay: 0.9 },
        noiseSchedule: { kind: 'piecewise', boundaries: [20], values: [1, 2] },
        optimiser: { kind: 'adam', learningRate: 0.05 },
      }),
    );
    const { history } = await training.fit(x, y, { steps: 40, validationData });
    expect(history['val_acc']!.at(-1)).toBeGreaterThan(0.8);
    // What is evaluated is what the model holds.
    const predicted = (model.predict(x) as Tensor).dataSync();
    const right = y.dataSync().filter((label, i) => predicted[i]! > 0.5 === label > 0.5).length;
    expect(right / RECORDS).toBeCloseTo(history['val_acc']!.at(-1)!, 6);
    expect(training.event()).toEqual({
      type: 'composed',
      events: [1, 2].map((factor) => ({
        type: 'selfComposed',
        count: 20,
        event: expect.objectContaining({ event: { type: 'gaussian', noiseMultiplier: factor } }),
      })),
    });
    expect(training.privacyStatement(1e-5)).toMatch(/norm that follows a quantile.*times a schedule/s);
  });

  it('hides users with all their examples', async () => {
    const userIds = Array.from({ length: RECORDS }, (_, i) => `user ${i % 60}`);
    const training = makePrivate(
      smallModel(),
      options({
        sampleRate: 0.25,
        expectedBatchSize: 15,
        unit: { kind: 'user', contributionBound: 3 },
        report: { trainLoss: { kind: 'noisy', noiseMultiplier: 2, clip: 4 } },
      }),
    );
    await expect(training.fit(x, y, { steps: 1 })).rejects.toThrow(/userIds is missing/);
    await training.fit(x, y, { steps: 3, userIds });
    expect(training.privacySpent(1e-5).unit).toBe('user');
    expect(training.privacyStatement(1e-5)).toMatch(/private for each user.*users, with at most 3 records each/s);
  });

  it('ends in order when it is cancelled, or when a callback throws', async () => {
    const model = smallModel();
    const training = makePrivate(model, options());
    const signal = { aborted: false };
    const before = weightsOf(model);
    await expect(
      training.fit(x, y, { steps: 10, signal, onStep: ({ step }) => void (signal.aborted = step === 3) }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(weightsOf(model)).not.toEqual(before);
    await expect(
      training.fit(x, y, {
        steps: 10,
        onStep: ({ step }) => {
          if (step === 5) throw new Error('mine');
        },
      }),
    ).rejects.toThrow('mine');
    expect(training.event()).toMatchObject({ count: 5 });
    // Neither leaves the training open.
    await training.fit(x, y, { steps: 1 });
    const running = training.fit(x, y, { steps: 3 });
    await expect(training.fit(x, y, { steps: 1 })).rejects.toMatchObject({ code: 'conflict' });
    await running;
  });

  it('trains on all that a target planned, and no further unless it is extended', async () => {
    const target = { epsilon: 2, delta: 1e-5 };
    const training = makePrivate(smallModel(), options({ privacy: { target, epochs: 5 } }));
    expect(training.stepsLeft).toBe(20);
    await training.fit(x, y);
    expect(training.stepsLeft).toBe(0);
    expect(training.privacySpent().upper).toBeLessThanOrEqual(2);
    expect(training.privacySpent().upper).toBeGreaterThan(1.99);
    await expect(training.fit(x, y, { epochs: 1 })).rejects.toMatchObject({ code: 'budget-exhausted' });
    expect(() => training.extend({ target: { epsilon: 1.9, delta: 1e-5 }, steps: 10 })).toThrow(/no noise reaches it/);
    training.extend({ target: { epsilon: 3, delta: 1e-5 }, steps: 10 });
    expect(training.stepsLeft).toBe(10);
    await training.fit(x, y);
    expect(training.privacySpent().upper).toBeLessThanOrEqual(3);
    expect(training.privacySpent().upper).toBeGreaterThan(2.98);
    expect(training.privacyStatement()).toMatch(/extended once/);
  });

  it('gives an in-thread training nothing to draw progress with', async () => {
    const training = makePrivate(smallModel(), options());
    await expect(training.fit(x, y, { steps: 1, progress: true })).rejects.toThrow(/makePrivate of @sotto\/dp\/node/);
  });
});
