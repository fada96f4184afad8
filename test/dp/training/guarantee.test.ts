import { referenceEngine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { earlyStopping, epsilonOf, makePrivate, PrivacyFilter, rdpOf } from '@sotto/dp';
import type { PrivateModel, PrivateModelOptions } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { calibratePlanNoise } from '../../../packages/dp/src/plan/calibrate-plan.ts';
import { filterEpsilon, filterGrants, guarantee } from '../../../packages/dp/src/training/guarantee.ts';
import type { GuaranteeQuestion } from '../../../packages/dp/src/training/guarantee.ts';
import { smallModel, x, y } from './support/two-moons.ts';

const delta = 1e-5;
const mechanism = { sampleRate: 0.1, expectedBatchSize: 30, clipping: { kind: 'flat', norm: 1 } } as const;

const train = (change: Partial<PrivateModelOptions>, model = smallModel()): PrivateModel =>
  makePrivate(model, {
    loss: 'binaryCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 0.1 },
    ...mechanism,
    engine: referenceEngine,
    random: unsafeDeterministicRandom('guarantee'),
    ...change,
  } as PrivateModelOptions);

const target = { epsilon: 2, delta };
const firstLine = (training: PrivateModel): string => training.privacyStatement(delta).split('\n')[0]!;

describe('training that ends before its plan', () => {
  /** Ways to end after two of ten steps. */
  const ways: Readonly<Record<string, (training: PrivateModel) => Promise<unknown>>> = {
    onStep: (training) => training.fit(x, y, { onStep: ({ step }) => step < 2 }),
    'early stopping': (training) =>
      training.fit(x, y, {
        stepsPerEpoch: 1,
        validationData: { x, y, outsideGuarantee: true },
        callbacks: [earlyStopping({ minDelta: 1e6, patience: 0 })],
      }),
    signal: async (training) => {
      const signal = { aborted: false };
      const stop = ({ step }: { readonly step: number }): void => void (signal.aborted = step === 2);
      await expect(training.fit(x, y, { signal, onStep: stop })).rejects.toMatchObject({ code: 'cancelled' });
    },
    'for await': async (training) => {
      for await (const { step } of training.steps(x, y, { steps: 10 })) if (step === 2) break;
    },
  };

  it.each(Object.keys(ways))('by %s is stated at the cost of the plan', async (way) => {
    const training = train({ privacy: { target, steps: 10 } });
    await ways[way]!(training);
    expect(training.event()).toMatchObject({ count: 2 });
    const spent = training.privacySpent();
    const total = epsilonOf(training.event(), { delta, ...training.plan.relation }).upper;
    expect(spent).toMatchObject({ basis: 'plan', condition: undefined, lower: 0 });
    expect(spent.upper).toBeLessThanOrEqual(2);
    expect(spent.upper).toBeGreaterThan(1.99);
    expect(spent.ifFixedBeforehand.upper).toBe(total);
    expect(total).toBeLessThan(1.4);
    expect(firstLine(training)).toMatch(
      /are \((2\.000|1\.99\d), 0\.00001\)-differentially private.*the cost of all that was planned, 10 steps/,
    );
    expect(training.privacyStatement()).toMatch(
      /total of ε = .* guarantee only if the number of steps and their noise were fixed/,
    );
  });

  it('is stated at the cost of the plan at every δ', async () => {
    const training = train({ privacy: { target, steps: 10 } });
    await training.fit(x, y, { steps: 3 });
    const planned = { type: 'selfComposed', count: 10, event: training.plan.event } as const;
    for (const other of [1e-7, 1e-4])
      expect(training.privacySpent(other).upper).toBe(epsilonOf(planned, { delta: other, ...training.plan.relation }).upper);
  });

  it('is stated as before once all of it has run', async () => {
    const training = train({ privacy: { target, steps: 10 } });
    await training.fit(x, y, { steps: 3 });
    await training.fit(x, y);
    const spent = training.privacySpent();
    expect(spent.upper).toBe(spent.ifFixedBeforehand.upper);
    expect(spent.lower).toBeGreaterThan(1.9);
    expect(firstLine(training)).toMatch(/^The weights.*by PLD[^:]*\.$/);
    expect(training.privacyStatement()).not.toMatch(/odometer|guarantee only if/);
  });
});

describe('training without a target', () => {
  it('has the first announced training as its plan, and an odometer beyond it', async () => {
    const training = train({ privacy: { noiseMultiplier: 2 } });
    expect(training.privacyStatement(delta)).toMatch(/^Nothing was trained/);
    await training.fit(x, y, { steps: 20, onStep: ({ step }) => step < 4 });
    const planned = { type: 'selfComposed', count: 20, event: training.plan.event } as const;
    const whole = epsilonOf(planned, { delta, ...training.plan.relation }).upper;
    expect(training.privacySpent(delta)).toMatchObject({ basis: 'plan', upper: whole });
    // A new training of the same model and options knows what was announced.
    const resumed = train({ privacy: { noiseMultiplier: 2 } });
    await resumed.restore(await training.checkpoint());
    await resumed.fit(x, y, { steps: 16 });
    expect(resumed.privacySpent(delta)).toMatchObject({ basis: 'plan', upper: whole });
    // One step more was not announced.
    await resumed.fit(x, y, { steps: 1 });
    const beyond = resumed.privacySpent(delta);
    expect(beyond.basis).toBe('odometer');
    expect(beyond.upper).toBe(beyond.atAnyMoment);
    expect(beyond.upper).toBeGreaterThan(beyond.ifFixedBeforehand.upper);
    expect(firstLine(resumed)).toMatch(/whenever and why ever training was ended or went on, by an RDP odometer/);
  });

  it('may have a plan, and keeps to it', async () => {
    const training = train({ privacy: { noiseMultiplier: 2, epochs: 2 } });
    expect(training.stepsLeft).toBe(20);
    await training.fit(x, y, { epochs: 1 });
    await training.fit(x, y, { epochs: 1 });
    const spent = training.privacySpent(delta);
    expect(spent).toMatchObject({ basis: 'plan', upper: spent.ifFixedBeforehand.upper });
    await expect(training.fit(x, y, { steps: 1 })).rejects.toMatchObject({ code: 'budget-exhausted' });
  });
});

describe('an extension', () => {
  const extended = async (): Promise<PrivateModel> => {
    const training = train({ privacy: { target: { epsilon: 1, delta }, steps: 10 } });
    await training.fit(x, y);
    training.extend({ target: { epsilon: 4, delta }, steps: 10 });
    return training;
  };

  it('is granted by a filter over everything, step by step, and by none that is smaller', async () => {
    const training = await extended();
    await training.fit(x, y);
    const event = training.event();
    const limit = { epsilon: 4, delta };
    expect(filterGrants(limit, event, 'addOrRemoveOne')).toBe(true);
    expect(filterEpsilon(limit, event, 'addOrRemoveOne')).toBeGreaterThan(3.9999);
    expect(filterGrants({ epsilon: 4, delta: 0.99 * delta }, event, 'addOrRemoveOne')).toBe(false);
    // By the conversion of the sum of the Rényi divergences at one order that follows from the limit.
    const log = Math.log(1 / delta);
    const order = 1 + 0.75 * Math.sqrt(log / (Math.sqrt(log + 4) - Math.sqrt(log)) ** 2);
    const { rdp } = rdpOf(event, { orders: [order] });
    const epsilon = rdp[0]! + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
    expect(epsilon).toBeLessThanOrEqual(4);
    expect(epsilon).toBeGreaterThan(3.9999);
    // Charged one at a time, as the filter would have been asked.
    let filter = PrivacyFilter.open({ kind: 'rdp', ...limit, orders: [order] });
    const events = 'events' in event ? event.events : [];
    for (const each of events) {
      if (each.type !== 'selfComposed') throw new Error('expected repeated steps');
      for (let i = 0; i < each.count; i++) {
        const outcome = filter.reserve(`${JSON.stringify(each.event)} ${i}`, each.event);
        expect(outcome.granted).toBe(true);
        ({ filter } = outcome);
      }
    }
  });

  it('gets more noise than a total of a schedule that was fixed beforehand would give it', async () => {
    const training = await extended();
    const total = calibratePlanNoise(mechanism, { epsilon: 4, delta, steps: 10, besides: training.event() }).value;
    expect(training.plan.noiseMultiplier).toBeGreaterThan(1.01 * total);
  });

  it('is stated at its limit, with what must hold for that', async () => {
    const training = await extended();
    await training.fit(x, y, { steps: 3 });
    const spent = training.privacySpent();
    expect(spent).toMatchObject({ basis: 'filter', upper: 4, lower: 0, numericError: 0 });
    expect(spent.condition).toMatch(/limit of ε = 4 at δ = 0.00001 was set before/);
    expect(spent.ifFixedBeforehand.upper).toBeLessThan(4);
    expect(firstLine(training)).toMatch(/are \(4\.000, 0\.00001\).*by an RDP filter, provided that the limit/);
    expect(training.privacyStatement()).toMatch(/Without that condition: ε = [\d.]+, by an RDP odometer/);
    // The limit says nothing at a smaller δ.
    expect(training.privacySpent(delta / 2).basis).toBe('odometer');
    // Noise by stretch, as it was charged.
    expect(training.privacyStatement()).toMatch(
      /Mechanism: 13 steps .*Gaussian noise, in clip norms on the sum, of \d\.\d+ in 10 steps, \d\.\d+ in 3 steps\./,
    );
  });

  it('is refused where the filter has no room, though a total would', async () => {
    const training = train({ privacy: { target: { epsilon: 1, delta }, steps: 10 } });
    await training.fit(x, y);
    expect(() => training.extend({ target: { epsilon: 1.01, delta }, steps: 1 })).toThrow(
      /no noise reaches it.*as an RDP filter counts/,
    );
    expect(training.stepsLeft).toBe(0);
  });
});

describe('a guarantee', () => {
  const gaussian = (noiseMultiplier: number) => ({ type: 'gaussian', noiseMultiplier }) as const;
  const question: GuaranteeQuestion = {
    delta,
    relation: { adjacency: 'addOrRemoveOne', unit: 'record' },
    spent: [{ event: gaussian(2), count: 3 }],
    planned: undefined,
    limit: undefined,
  };

  it('is that of the plan only where everything charged was planned', () => {
    const planned = (noise: number, count: number) =>
      guarantee({ ...question, planned: [{ event: gaussian(noise), count }] }).basis;
    expect(planned(2, 3)).toBe('plan');
    expect(planned(2, 4)).toBe('plan');
    expect(planned(2, 2)).toBe('odometer');
    // Cheaper or dearer than what ran: neither was the plan.
    expect(planned(3, 4)).toBe('odometer');
    expect(planned(1, 4)).toBe('odometer');
  });

  it('is that of a limit only where its filter grants everything', () => {
    const basis = (epsilon: number) => guarantee({ ...question, limit: { epsilon, delta } }).basis;
    expect(basis(9)).toBe('filter');
    expect(basis(4)).toBe('odometer');
    // The total alone would fit.
    expect(guarantee(question).ifFixedBeforehand.upper).toBeLessThan(4);
  });
});
