/** What a user may do wrong or in an odd order: each is refused with its cure, or does what one would expect, and the account stays right. */
import { makePrivate } from '@sotto/dp';
import type { Tensors } from '@sotto/dp';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { tensor, zerosLike } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { RECORDS, options, smallModel, values, weightsOf, x, y } from './support/two-moons.ts';

const noOp = { type: 'noOp' };

describe('options that nobody reads', () => {
  it.each<[string, RegExp]>([
    ['batchSize', /^batchSize is no option of makePrivate: sampleRate and expectedBatchSize/],
    ['optimizer', /it is spelled optimiser here/],
    ['noiseMultiplier', /it belongs to privacy/],
    ['maxGradNorm', /clipping: \{kind, norm\}/],
    ['validationData', /it is an option of fit/],
    ['cliping', /it knows loss, .*clipping/],
    ['__proto__x', /it knows/],
  ])('%s of makePrivate', (name, message) => {
    expect(() => makePrivate(smallModel(), options({ [name]: 1 }))).toThrow(message);
  });

  it.each<[string, unknown, RegExp]>([
    ['batchSize', 32, /^batchSize is no option of fit: sampleRate and expectedBatchSize/],
    ['validationSplit', 0.2, /divide the data yourself/],
    ['shuffle', true, /sampling of makePrivate/],
    ['verbose', 1, /use progress: true/],
    ['toString', 1, /^toString is no option of fit: it knows/],
    ['validationData', [x, y], /validationData must be \{x, y\}/],
    ['validationData', { x, y, outsideGuarante: true }, /outsideGuarante is no option of validationData/],
  ])('%s of fit', async (name, value, message) => {
    const training = makePrivate(smallModel(), options());
    await expect(training.fit(x, y, { steps: 1, [name]: value })).rejects.toThrow(message);
    await expect(training.fitDataset([{ xs: x, ys: y }], { steps: 1, [name]: value } as object)).rejects.toThrow(message);
    expect(training.event()).toEqual(noOp);
  });

  it('epochs of steps', async () => {
    const steps = makePrivate(smallModel(), options()).steps(x, y, { steps: 1, epochs: 1 } as never);
    await expect(steps.next()).rejects.toThrow(/epochs is no option of steps/);
    // Which a loop of one's own would leave undone.
    const validated = makePrivate(smallModel(), options()).steps(x, y, { steps: 1, validationData: { x, y } } as never);
    await expect(validated.next()).rejects.toThrow(/validationData is no option of steps: it is an option of fit/);
  });
});

describe('targets', () => {
  const classes = (): tf.Sequential =>
    tf.sequential({ layers: [tf.layers.dense({ units: 3, activation: 'softmax', inputShape: [2] })] });
  const ids = tensor(
    Float32Array.from({ length: RECORDS }, (_, i) => i % 3),
    [RECORDS],
  );
  const rows = tensor(
    Float32Array.from({ length: 3 * RECORDS }, (_, i) => (i % 3 === 0 ? 1 : 0)),
    [RECORDS, 3],
  );
  const fit = (loss: string, given: Tensors): Promise<unknown> =>
    makePrivate(classes(), options({ loss })).fit(x, given, { steps: 1 });

  it('that are class ids where one-hot rows belong, and the reverse, name the other loss', async () => {
    await expect(fit('categoricalCrossentropy', ids)).rejects.toThrow(/y has shape \[300\].*Class ids need the loss sparse/);
    await expect(fit('sparseCategoricalCrossentropy', rows)).rejects.toThrow(/One-hot rows need the loss categoricalCross/);
    await fit('categoricalCrossentropy', rows);
    await fit('sparseCategoricalCrossentropy', ids);
  });

  it('or inputs that hold a NaN count as zero where the loss takes any number', async () => {
    const bad = y.dataSync().slice() as Float32Array;
    bad[3] = NaN;
    bad[4] = Infinity;
    const worse = values.slice();
    worse[20] = NaN;
    for (const mode of ['secure', 'fast']) {
      const model = smallModel();
      const training = makePrivate(
        model,
        options({
          mode,
          loss: 'meanSquaredError',
          sampleRate: 1,
          expectedBatchSize: RECORDS,
          report: { nonFiniteExamples: { kind: 'noisy', noiseMultiplier: 1e-2 } },
        }),
      );
      const { history } = await training.fit(tensor(worse, [RECORDS, 2]), tensor(bad, [RECORDS, 1]), { steps: 1 });
      expect(history['nonFiniteExamples']![0]).toBeCloseTo(3, 0);
      expect(weightsOf(model).every(Number.isFinite)).toBe(true);
    }
  });
});

describe('a target', () => {
  it('that no noise reaches is refused before anything is made', () => {
    const target = { epsilon: 1e-12, delta: 1e-15 };
    expect(() => makePrivate(smallModel(), options({ privacy: { target, steps: 1000 } }))).toThrow(
      /privacy.target.epsilon is 1e-12; no noise reaches it/,
    );
  });

  it('that is spent refuses further training, but not evaluation, checkpoints and statements', async () => {
    const model = smallModel();
    const training = makePrivate(model, options({ privacy: { target: { epsilon: 2, delta: 1e-5 }, steps: 3 } }));
    await training.fit(x, y);
    const weights = weightsOf(model);
    await expect(training.fit(x, y)).rejects.toMatchObject({ code: 'budget-exhausted' });
    await expect(training.steps(x, y, { steps: 1 }).next()).rejects.toMatchObject({ code: 'budget-exhausted' });
    expect(weightsOf(model)).toEqual(weights);
    expect((await training.evaluate(x, y, { outsideGuarantee: true })).count).toBe(RECORDS);
    const other = makePrivate(smallModel(), options({ privacy: { target: { epsilon: 2, delta: 1e-5 }, steps: 3 } }));
    await other.restore(await training.checkpoint());
    expect(other.stepsLeft).toBe(0);
    await expect(other.fit(x, y)).rejects.toMatchObject({ code: 'budget-exhausted' });
    expect(other.privacyStatement()).toBe(training.privacyStatement());
  });
});

describe('a checkpoint', () => {
  const trained = async (change: Readonly<Record<string, unknown>> = {}) => {
    const training = makePrivate(smallModel(), options(change));
    await training.fit(x, y, { steps: 2 });
    return training.checkpoint();
  };

  it('of other options says which', async () => {
    const restore = async (change: Readonly<Record<string, unknown>>): Promise<void> =>
      makePrivate(smallModel(), options(change)).restore(await trained());
    await expect(restore({ privacy: { noiseMultiplier: 2 } })).rejects.toThrow(
      /other options: privacy.noiseMultiplier was 1 and is 2; make the model private with the same ones/,
    );
    await expect(restore({ sampleRate: 0.5, expectedBatchSize: 150 })).rejects.toThrow(
      /: sampleRate was 0.25 and is 0.5, expectedBatchSize was 75 and is 150;/,
    );
    await expect(restore({ optimiser: { kind: 'adam', learningRate: 1 } })).rejects.toThrow(
      /: optimiser was "sgd" and is "adam";/,
    );
  });

  it('goes on with other data, as many as the plan is for', async () => {
    const fast = { mode: 'fast', sampleRate: 0.25, expectedBatchSize: 75 };
    const bytes = await trained(fast);
    const training = makePrivate(smallModel(), options(fast));
    await training.restore(bytes);
    const few = (count: number): readonly [Tensors, Tensors] => [
      tensor(new Float32Array(2 * count), [count, 2]),
      tensor(new Float32Array(count), [count, 1]),
    ];
    await training.fit(...few(290), { steps: 1 });
    expect(training.event()).toMatchObject({ count: 3 });
    // The account is for at most (1.05·75 + 1)/0.25 units.
    await expect(training.fit(...few(400), { steps: 1 })).rejects.toThrow(
      /there are 400 records; the plan is accounted for at most 319/,
    );
    expect(training.event()).toMatchObject({ count: 3 });
  });

  it('is of the weights after the step in hand, whenever it is asked for', async () => {
    const training = makePrivate(smallModel(), options());
    const taken: Promise<Uint8Array>[] = [];
    const callbacks = {
      onBatchBegin: (batch: number) => {
        // Not awaited: taken while the step runs.
        if (batch === 1) queueMicrotask(() => void taken.push(training.checkpoint()));
      },
    };
    await training.fit(x, y, { steps: 3, stepsPerEpoch: 3, callbacks });
    const other = makePrivate(smallModel(), options({ random: unsafeDeterministicRandom('other') }));
    await other.restore(await taken[0]!);
    const steps: number[] = [];
    for await (const { step } of other.steps(x, y, { steps: 1 })) steps.push(step);
    expect(steps[0]).toBeGreaterThanOrEqual(2);
    // Never fewer steps charged than the weights went through.
    expect(other.event()).toMatchObject({ count: expect.toSatisfy((count: number) => count >= steps[0]!) });
  });
});

describe('a training', () => {
  it('that is cancelled before it begins charges nothing, and one that is cancelled later what it took', async () => {
    const training = makePrivate(smallModel(), options());
    await expect(training.fit(x, y, { steps: 3, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
      message: 'training was cancelled after 0 of 3 steps',
    });
    expect(training.event()).toEqual(noOp);
    const controller = new AbortController();
    const callbacks = { onBatchEnd: () => controller.abort() };
    await expect(training.fit(x, y, { steps: 3, signal: controller.signal, callbacks })).rejects.toThrow(/after 1 of 3 steps/);
    expect(training.event()).toEqual(training.plan.event);
  });

  it.each(['onTrainBegin', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd', 'onYield', 'onEpochEnd', 'onTrainEnd'] as const)(
    'whose %s throws ends with that error, pays for what ran, and can go on',
    async (hook) => {
      const training = makePrivate(smallModel(), options());
      const fail = (): Promise<void> => Promise.reject(new Error('mine'));
      await expect(training.fit(x, y, { steps: 2, stepsPerEpoch: 2, callbacks: { [hook]: fail } })).rejects.toThrow('mine');
      const ran = { onTrainBegin: 0, onEpochBegin: 0, onBatchBegin: 0, onBatchEnd: 1, onYield: 1, onEpochEnd: 2, onTrainEnd: 2 }[
        hook
      ];
      await training.fit(x, y, { steps: 1 });
      expect(training.event()).toEqual(
        ran === 0 ? training.plan.event : { type: 'selfComposed', count: ran + 1, event: training.plan.event },
      );
    },
  );

  it('refuses a second one, extensions and restored states until it ends', async () => {
    const training = makePrivate(smallModel(), options({ privacy: { target: { epsilon: 4, delta: 1e-5 }, steps: 20 } }));
    const bytes = await training.checkpoint();
    const running = training.fit(x, y, { steps: 4 });
    const conflict = { code: 'conflict', message: expect.stringMatching(/being trained; .* it when that has ended/) };
    await expect(training.fit(x, y, { steps: 1 })).rejects.toMatchObject(conflict);
    await expect(training.steps(x, y, { steps: 1 }).next()).rejects.toMatchObject(conflict);
    await expect(training.restore(bytes)).rejects.toMatchObject(conflict);
    expect(() => training.extend({ target: { epsilon: 8, delta: 1e-5 }, steps: 1 })).toThrow(/extend it when/);
    await running;
    await training.restore(bytes);
  });

  it('of one model by two objects at once is refused', async () => {
    const model = smallModel();
    const [first, second] = [makePrivate(model, options()), makePrivate(model, options())];
    const running = first.fit(x, y, { steps: 3 });
    await expect(second.fit(x, y, { steps: 1 })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('by another object of makePrivate') as string,
    });
    await running;
    expect(second.event()).toEqual(noOp);
    await second.fit(x, y, { steps: 1 });
    // A refused training does not hold the model.
    await expect(first.fit(x, x, { steps: 1 })).rejects.toThrow();
    await second.fit(x, y, { steps: 1 });
  });

  it('goes on from weights that somebody wrote into the model, and so do evaluations and checkpoints', async () => {
    const model = smallModel();
    const given = { optimiser: { kind: 'sgd', learningRate: 1e-6 } } as const;
    const training = makePrivate(model, options(given));
    await training.fit(x, y, { steps: 1 });
    const zeros = model.getWeights().map((weight) => zerosLike(weight));
    model.setWeights(zeros);
    expect((await training.evaluate(x, y, { outsideGuarantee: true })).loss).toBeCloseTo(Math.LN2, 6);
    const resumed = makePrivate(smallModel(), options(given));
    await resumed.restore(await training.checkpoint());
    expect((await resumed.evaluate(x, y, { outsideGuarantee: true })).loss).toBeCloseTo(Math.LN2, 6);
    await training.fit(x, y, { steps: 1 });
    for (const weight of model.getWeights()) for (const value of weight.dataSync()) expect(Math.abs(value)).toBeLessThan(1e-3);
    expect(training.event()).toMatchObject({ count: 2 });
  });

  it('with an average of the weights refuses others', async () => {
    const model = smallModel();
    const training = makePrivate(model, options({ average: { decay: 0.5 } }));
    await training.fit(x, y, { steps: 2 });
    await training.fit(x, y, { steps: 1 });
    model.setWeights(model.getWeights().map((weight) => zerosLike(weight)));
    await expect(training.fit(x, y, { steps: 1 })).rejects.toThrow(/changed since training wrote them/);
    expect(training.event()).toMatchObject({ count: 3 });
  });

  it('that a loop leaves early is closed, and its steps are paid', async () => {
    const training = makePrivate(smallModel(), options());
    for await (const { step } of training.steps(x, y, { steps: 10 })) if (step === 2) break;
    expect(training.event()).toMatchObject({ count: 2 });
    await training.fit(x, y, { steps: 1 });
  });

  it.each([
    ['epochs', 0],
    ['epochs', -1],
    ['steps', NaN],
    ['stepsPerEpoch', 0],
    ['initialEpoch', -1],
  ])('of %s %d is refused', async (name, value) => {
    const training = makePrivate(smallModel(), options());
    const given = name === 'epochs' || name === 'steps' ? {} : { epochs: 1 };
    await expect(training.fit(x, y, { ...given, [name]: value })).rejects.toThrow(new RegExp(`${name} is ${value}; it must be`));
    expect(training.event()).toEqual(noOp);
    await training.fit(x, y, { steps: 1 });
  });

  it.each<[string, unknown, RegExp]>([
    ['stepsPerEpoch', 0, /stepsPerEpoch is 0; it must be/],
    ['stepsPerEpoch', 0.5, /stepsPerEpoch is 0.5; it must be/],
    ['onStep', 3, /onStep is 3; it must be a function/],
    ['signal', true, /signal must have a member aborted/],
    ['checkpoints', { everySteps: 1 }, /checkpoints.save is undefined; it must be a function/],
  ])('of so many steps with the false option %s %j is refused before it begins', async (name, value, message) => {
    const training = makePrivate(smallModel(), options());
    await expect(training.fit(x, y, { steps: 1, [name]: value })).rejects.toThrow(message);
    expect(training.event()).toEqual(noOp);
  });
});
