import { referenceEngine } from '@sotto/core/ops';
import { clippedGradient, createMechanismPlan, earlyStopping, makePrivate } from '@sotto/dp';
import type { MechanismPlanOptions, PrivateModelOptions } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { knownKeys, nearestName } from '../../packages/dp/src/known-keys.ts';
import { smallModel, x, y } from './training/support/two-moons.ts';

const mechanism = { sampleRate: 0.1, expectedBatchSize: 30, clipping: { kind: 'flat', norm: 1 } };
const delta = 1e-5;
const make = (change: object) =>
  makePrivate(smallModel(), {
    loss: 'binaryCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 0.1 },
    ...mechanism,
    privacy: { noiseMultiplier: 1 },
    engine: referenceEngine,
    ...change,
  } as unknown as PrivateModelOptions);
const plan = (change: object) =>
  createMechanismPlan({ ...mechanism, noiseMultiplier: 1, ...change } as unknown as MechanismPlanOptions);

describe('a member of options that nobody reads', () => {
  it('is told with the nearest known one', () => {
    const known = ['unit', 'clipping', 'norm'];
    expect(['units', 'uint', 'UNIT', 'cliping', 'nrom', 'unti'].map((name) => nearestName(name, known))).toEqual([
      'unit',
      'unit',
      'unit',
      'clipping',
      'norm',
      'unit',
    ]);
    expect(['x', 'sampleRate', 'toString'].map((name) => nearestName(name, known))).toEqual([undefined, undefined, undefined]);
    expect(() => knownKeys('a', { b: 1 }, known)).toThrow('a.b is not known; a can hold unit, clipping, norm');
    expect(() => knownKeys('a', { norn: undefined }, known)).not.toThrow();
    for (const none of [null, undefined, 3]) expect(() => knownKeys('a', none, known)).toThrow(/^a is .*; it must be an object/);
  });

  it.each<[object, RegExp]>([
    [{ units: { kind: 'user', contributionBound: 1 } }, /units is no option of makePrivate: did you mean unit\?/],
    [{ privcy: 1 }, /did you mean privacy\?/],
    [{ privacy: { noiseMultiplier: 1, epoch: 3 } }, /privacy.epoch is not known; did you mean epochs\?/],
    [{ privacy: { target: { epsilon: 1, delta, eps: 1 }, steps: 3 } }, /privacy.target.eps is not known/],
    [{ privacy: { target: { epsilon: 1, delta }, steps: 3, noiseMultiplier: 0.01 } }, /a target and a noiseMultiplier/],
    [{ optimiser: { kind: 'sgd', learningRate: 1, momentun: 0.9 } }, /optimiser.momentun is not known; did you mean momentum\?/],
    [{ optimiser: { kind: 'adam', learningRate: 1, momentum: 0.9 } }, /optimiser.momentum is not known/],
    [
      { optimiser: { kind: 'adam', learningRate: 1, noiseCorrection: { floor: 1, flor: 1 } } },
      /optimiser.noiseCorrection.flor is not known; did you mean floor\?/,
    ],
    [{ average: { decay: 0.9, warmup: false } }, /average.warmup is not known; did you mean warmUp\?/],
    [{ report: { trainLos: 1 } }, /report.trainLos is not known; did you mean trainLoss\?/],
    [{ report: { batchSize: { kind: 'noisy', noiseMultiplier: 1, clip: 3 } } }, /report.batchSize.clip is not known/],
    [{ report: { trainLoss: { kind: 'noisy', noiseMultiplier: 1, clip: 3, norm: 1 } } }, /report.trainLoss.norm is not known/],
    [
      { report: { validation: { kind: 'noisy', noiseMultiplier: 1, clip: 3, evaluation: 1 } } },
      /report.validation.evaluation is not known; did you mean evaluations\?/,
    ],
    [{ clipping: { kind: 'flat', norm: 1, quantile: 0.5 } }, /clipping.quantile is not known/],
    [
      { learningRateSchedule: { kind: 'linear', from: 1, to: 0, step: 3 } },
      /learningRateSchedule.step is not known; did you mean steps\?/,
    ],
  ])('is refused by makePrivate: %o', (change, message) => {
    expect(() => make(change)).toThrow(message);
  });

  it.each<[object, RegExp]>([
    [{ units: { kind: 'record' } }, /^units is not known; did you mean unit\? the options can hold sampling/],
    [{ unit: { kind: 'user', contributionBound: 1, combined: 'mean' } }, /unit.combined is not known; did you mean combine\?/],
    [{ unit: { kind: 'record', contributionBound: 1 } }, /unit.contributionBound is not known/],
    [{ clipping: { kind: 'automatic', norm: 1, gama: 0.1 } }, /clipping.gama is not known; did you mean gamma\?/],
    [{ sampleRate: undefined, sampling: { kind: 'shuffle', batchSize: 3, sourceSize: 9, cap: 3 } }, /sampling.cap is not known/],
    [
      { noiseSchedule: { kind: 'hold', every: 2, schedule: { kind: 'constant', valu: 1 } } },
      /noiseSchedule.schedule.valu is not known/,
    ],
  ])('is refused by createMechanismPlan: %o', (change, message) => {
    expect(() => plan(change)).toThrow(message);
  });

  it('is refused by fit, extend, clippedGradient and earlyStopping', async () => {
    const training = make({});
    for (const [name, message] of [
      ['validationSplit', /divide the data yourself/],
      ['batchSize', /sampleRate and expectedBatchSize/],
      ['sampleWeight', /weigh examples in a loss function/],
      ['classWeight', /weigh classes in a loss function/],
      ['shuffle', /sampling of makePrivate/],
      ['userId', /did you mean userIds\?/],
    ] as const)
      await expect(training.fit(x, y, { steps: 1, [name]: 1 })).rejects.toThrow(message);
    const checkpoints = { everySteps: 1, save: () => undefined, kept: 3 };
    await expect(training.fit(x, y, { steps: 1, checkpoints })).rejects.toThrow(/checkpoints.kept is not known/);
    expect(() => training.extend({ target: { epsilon: 1, delta }, steps: 3, epoch: 1 } as object as never)).toThrow(
      /extend.epoch is not known/,
    );
    const engine = referenceEngine;
    const gradient = { loss: 'binaryCrossentropy', clipping: { kind: 'flat', norm: 1 }, engine } as const;
    expect(() => clippedGradient(smallModel(), { ...gradient, lossWeight: 2 } as typeof gradient)).toThrow(
      /did you mean lossWeights\?/,
    );
    expect(() => earlyStopping({ patence: 3 } as object)).toThrow(/earlyStopping.patence is not known; did you mean patience\?/);
    expect(training.event()).toEqual({ type: 'noOp' });
  });
});
