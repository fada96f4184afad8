/** What training reports is a release: every figure has its noise and its event, and nothing else leaves a session. */
import { epsilonOf, makePrivate } from '@sotto/dp';
import type { Logs } from '@sotto/dp';
import { referenceEngine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { NoisyFigure, statistic, withStatistics } from '../../../packages/dp/src/training/released-statistics.ts';
import { openSession } from '../../../packages/dp/src/training/open-session.ts';
import type { SessionSpec, TrainingSession } from '../../../packages/dp/src/training/session.ts';
import { RECORDS, options, smallModel, values, x, y } from './support/two-moons.ts';

const noisy = (noiseMultiplier: number) => ({ kind: 'noisy', noiseMultiplier }) as const;
const joint = (...sigmas: number[]): number => 1 / Math.sqrt(sigmas.reduce((sum, s) => sum + s ** -2, 0));
/** Noise too small to see, for tests of what is below it. */
const TINY = 1e-2;

describe('a noisy figure', () => {
  const figure = (
    noiseMultiplier: number,
    clip: number,
    seed: string,
    examplesPerUnit = 1,
  ): ((added: readonly number[]) => number) => {
    const random = unsafeDeterministicRandom(seed);
    return (added) => {
      const one = new NoisyFigure(statistic('report', 'loss', { ...noisy(noiseMultiplier), clip }, examplesPerUnit));
      for (const value of added) one.add(value);
      return one.release(random);
    };
  };

  it('is the sum of the cut values plus Gaussian noise of the stated deviation', () => {
    const release = figure(3, 2, 'figure');
    // 1 + 2 (cut from 5) − 2 (cut from −Infinity) + 0 (NaN) + 2 (cut from Infinity)
    const draws = Array.from({ length: 4000 }, () => release([1, 5, -Infinity, NaN, Infinity]) - 3);
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    const deviation = Math.sqrt(draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length);
    // Within four standard errors of 0 and of σ·clip = 6.
    expect(Math.abs(mean)).toBeLessThan((4 * 6) / Math.sqrt(draws.length));
    expect(Math.abs(deviation - 6)).toBeLessThan((4 * 6) / Math.sqrt(2 * draws.length));
    expect(new Set(draws).size).toBeGreaterThan(3990);
  });

  it('moves by at most the clip when one example comes or goes, whatever it holds', () => {
    for (const value of [0.3, 1.999, 2, 7, -7, 1e300, Infinity, -Infinity, NaN]) {
      const difference = figure(1, 2, 'same')([1, value]) - figure(1, 2, 'same')([1]);
      expect(Math.abs(difference)).toBeLessThanOrEqual(2);
    }
  });

  it('has noise for all examples of a unit together', () => {
    const draws = Array.from(
      { length: 2000 },
      (
        (release) => () =>
          release([])
      )(figure(1, 1, 'units', 5)),
    );
    const deviation = Math.sqrt(draws.reduce((sum, value) => sum + value ** 2, 0) / draws.length);
    expect(Math.abs(deviation - 5)).toBeLessThan((4 * 5) / Math.sqrt(2 * draws.length));
  });

  it('is released once', () => {
    const one = new NoisyFigure(statistic('report', 'loss', noisy(1)));
    one.release(unsafeDeterministicRandom('once'));
    expect(() => one.release(unsafeDeterministicRandom('once'))).toThrow(/released already/);
  });

  it('shares the sample of its step in the account', () => {
    const gaussian = (noiseMultiplier: number) => ({ type: 'gaussian', noiseMultiplier }) as const;
    expect(withStatistics(gaussian(2), [])).toEqual(gaussian(2));
    expect(withStatistics({ type: 'poissonSampled', sampleRate: 0.1, event: gaussian(1) }, [2, 5])).toEqual({
      type: 'poissonSampled',
      sampleRate: 0.1,
      event: gaussian(joint(1, 2, 5)),
    });
    expect(() => withStatistics({ type: 'composed', events: [gaussian(1), gaussian(2)] }, [2])).toThrow(
      /beside a step of type composed/,
    );
  });
});

describe('reports of training', () => {
  it('release what was asked for, with noise, and charge it', async () => {
    const report = {
      trainLoss: { ...noisy(TINY), clip: 10 },
      batchSize: noisy(TINY),
      nonFiniteExamples: noisy(TINY),
    };
    const training = makePrivate(
      smallModel(),
      options({ report, sampleRate: 1, expectedBatchSize: 300, privacy: { noiseMultiplier: 1 } }),
    );
    const before = await training.evaluate(x, y, { outsideGuarantee: true });
    const bad = values.slice();
    bad[10] = NaN;
    bad[21] = Infinity;
    const steps: Logs[] = [];
    const { history } = await training.fit(tensor(bad, [RECORDS, 2]), y, {
      steps: 2,
      stepsPerEpoch: 2,
      callbacks: { onBatchEnd: (_, logs) => void steps.push(logs!) },
    });
    expect(Object.keys(history)).toEqual(['loss', 'batchSize', 'nonFiniteExamples']);
    // All examples are in each step, so the first step's loss is that of the evaluation but for two bad examples.
    expect(steps[0]!['loss']).toBeCloseTo(before.loss, 1);
    expect(steps[0]!['loss']).not.toBe(before.loss);
    expect(steps[0]!['batchSize']).toBeCloseTo(RECORDS, 0);
    expect(steps[0]!['nonFiniteExamples']).toBeCloseTo(2, 0);
    expect(history['nonFiniteExamples']![0]).toBeCloseTo(steps[0]!['nonFiniteExamples']! + steps[1]!['nonFiniteExamples']!, 12);
    expect(history['loss']![0]).toBeCloseTo((steps[0]!['loss']! + steps[1]!['loss']!) / 2, 12);
    const event = {
      type: 'poissonSampled',
      sampleRate: 1,
      event: { type: 'gaussian', noiseMultiplier: joint(1, TINY, TINY, TINY) },
    };
    expect(training.event()).toEqual({ type: 'selfComposed', count: 2, event });
    expect(training.privacyStatement(1e-5)).toMatch(/loss \(limit 10, noise multiplier 0.01\); batchSize/);
  });

  it('have the noise that they state', async () => {
    // Steps on nothing but padding: the figures are noise alone.
    const training = makePrivate(
      smallModel(),
      options({
        sampleRate: 1e-6,
        report: { trainLoss: { ...noisy(5), clip: 4 }, batchSize: noisy(3) },
        random: unsafeDeterministicRandom('noise of figures'),
      }),
    );
    const losses: number[] = [];
    const sizes: number[] = [];
    for await (const { figures } of training.steps(x, y, { steps: 1500 })) {
      losses.push(figures['loss']! * 75);
      sizes.push(figures['batchSize']!);
    }
    const deviation = (draws: readonly number[]): number =>
      Math.sqrt(draws.reduce((sum, value) => sum + value ** 2, 0) / draws.length);
    expect(Math.abs(deviation(losses) / 20 - 1)).toBeLessThan(4 / Math.sqrt(3000));
    expect(Math.abs(deviation(sizes) / 3 - 1)).toBeLessThan(4 / Math.sqrt(3000));
  });

  it('tell private validation data by noisy counts with an event for each evaluation', async () => {
    const validation = { ...noisy(TINY), clip: 10 };
    const training = makePrivate(smallModel(), options({ report: { validation } }));
    const { history } = await training.fit(x, y, { epochs: 3, validationFrequency: 2, validationData: { x, y } });
    // Of three epochs the second and the last are evaluated.
    expect(history['val_loss']).toHaveLength(2);
    const plain = await training.evaluate(x, y, { outsideGuarantee: true });
    expect(history['val_loss']!.at(-1)).toBeCloseTo(plain.loss, 1);
    expect(history['val_acc']!.at(-1)).toBeCloseTo(plain.acc!, 2);
    expect(history['val_acc']!.at(-1)).not.toBe(plain['acc']);
    // Loss, count and accuracy: three figures.
    const release = { type: 'gaussian', noiseMultiplier: joint(TINY, TINY, TINY) };
    expect(training.event()).toEqual({
      type: 'composed',
      events: [
        { type: 'selfComposed', count: 12, event: training.plan.event },
        { type: 'selfComposed', count: 2, event: release },
      ],
    });
    expect(training.privacyStatement(1e-5)).toMatch(/private validation data in 2 evaluations/);
  });

  it('are paid from the target', async () => {
    const target = { epsilon: 3, delta: 1e-5 };
    const plain = makePrivate(smallModel(), options({ privacy: { target, epochs: 4 } }));
    const report = { trainLoss: { ...noisy(8), clip: 5 }, validation: { ...noisy(30), clip: 5 } };
    const training = makePrivate(smallModel(), options({ privacy: { target, epochs: 4 }, report }));
    expect(training.plan.noiseMultiplier).toBeGreaterThan(plain.plan.noiseMultiplier);
    await training.fit(x, y, { validationData: { x, y } });
    const { upper } = training.privacySpent();
    expect(upper).toBeLessThanOrEqual(3);
    expect(upper).toBeGreaterThan(2.99);
    expect(epsilonOf(training.event(), { delta: 1e-5, ...training.plan.relation }).upper).toBe(upper);
    // Nothing is left for a further evaluation, nor for noise that could hide one that costs everything.
    training.extend({ target: { epsilon: 6, delta: 1e-5 }, steps: 1 });
    await training.fit(x, y, { validationData: { x, y } });
    expect(() =>
      makePrivate(smallModel(), options({ privacy: { target, epochs: 4 }, report: { batchSize: noisy(0.1) } })),
    ).toThrow(/privacy.target.epsilon is 3; no noise reaches it beside what report/);
  });

  it('stop at the evaluations that were planned', async () => {
    const report = { validation: { ...noisy(30), clip: 5, evaluations: 1 } };
    const training = makePrivate(smallModel(), options({ privacy: { target: { epsilon: 3, delta: 1e-5 }, epochs: 4 }, report }));
    await expect(training.fit(x, y, { validationData: { x, y } })).rejects.toThrow(
      /1 evaluations of private validation data were planned/,
    );
  });

  it('refuse what has no account', () => {
    const refused = (change: Readonly<Record<string, unknown>>, message: RegExp): void => {
      expect(() => makePrivate(smallModel(), options(change))).toThrow(message);
    };
    refused({ report: { trainLoss: { kind: 'plain' } } }, /report.trainLoss.kind is "plain"/);
    refused({ report: { trainLoss: { ...noisy(0), clip: 1 } } }, /report.trainLoss.noiseMultiplier is 0/);
    refused({ report: { trainLoss: { ...noisy(1), clip: -1 } } }, /report.trainLoss.clip is -1/);
    refused({ report: { trainAccuracy: noisy(1) } }, /report.trainAccuracy is not known/);
    refused(
      { report: { validation: { ...noisy(1), clip: 1 } }, metrics: 'meanSquaredError' },
      /metric meanSquaredError has no bound/,
    );
    refused(
      {
        report: { batchSize: noisy(1) },
        sampling: { kind: 'shuffle', batchSize: 50, sourceSize: 300 },
        noiseSchedule: { kind: 'linear', from: 1, to: 2, steps: 10 },
      },
      /beside shuffled batches with scheduled noise/,
    );
  });

  it('are all that a session lets out: its answers hold no other number of the data', async () => {
    // A session of which every answer is written down, trained on examples that are huge numbers nobody would mistake.
    const answers: unknown[] = [];
    const spy = async (spec: SessionSpec): Promise<TrainingSession> => {
      const inner = await openSession(spec, { engine: referenceEngine, random: unsafeDeterministicRandom('spy') });
      const noted = async <T>(answer: Promise<T>): Promise<T> => {
        answers.push(await answer);
        return answer;
      };
      return {
        info: inner.info,
        step: (position) => noted(inner.step(position)),
        evaluate: (examples, mode) => noted(inner.evaluate(examples, mode)),
        state: () => noted(inner.state()),
        close: () => inner.close(),
      };
    };
    const { engine: _, random: __, ...rest } = options();
    const training = makePrivate(smallModel(), { ...rest, openSession: spy } as never);
    await training.fit(x, y, { epochs: 2 });
    for (const answer of answers) {
      const keys = Object.keys(answer as object);
      expect([[], ['steps', 'weights', 'optimiser', 'average', 'mechanism']]).toContainEqual(keys);
    }
    expect(answers.length).toBeGreaterThan(8);
  });
});
