import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { createMechanismPlan } from '@sotto/dp';
import type { MechanismPlanOptions } from '@sotto/dp';
import { describe, expect, it } from 'vitest';
import { kolmogorovTest, moments, normalCdf } from '../support/statistics.ts';

const base: MechanismPlanOptions = {
  sampleRate: 0.5,
  expectedBatchSize: 10,
  clipping: { kind: 'flat', norm: 1 },
  noiseMultiplier: 1,
};

const zeros = (dimension: number) => [{ values: new Float64Array(dimension), width: dimension }];

describe('mechanism plan', () => {
  it('states the event of what it does', () => {
    const plan = createMechanismPlan({ ...base, sampleRate: 0.25, noiseMultiplier: 1.7 });
    expect(plan.event).toEqual({ type: 'poissonSampled', sampleRate: 0.25, event: { type: 'gaussian', noiseMultiplier: 1.7 } });
    const step = plan.begin(0, 3, unsafeDeterministicRandom('event'));
    expect(step.release().event).toBe(plan.event);
  });

  it.each([
    [0.5, 1],
    [2.5, 0.1],
    [11.712, 1],
    [1, 7],
  ])('adds Gaussian noise of standard deviation sigma·C: sigma %d, C %d', (noiseMultiplier, norm) => {
    const dimension = 20_000;
    const plan = createMechanismPlan({ ...base, noiseMultiplier, clipping: { kind: 'flat', norm } });
    const { sum, standardDeviation } = plan
      .begin(0, dimension, unsafeDeterministicRandom(`noise ${noiseMultiplier} ${norm}`))
      .release();
    expect(standardDeviation).toBeCloseTo(noiseMultiplier * norm, 12);
    const scaled = Array.from(sum, (value) => value / (noiseMultiplier * norm));
    const { mean, variance } = moments(scaled);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(dimension));
    // Halving or doubling sigma, dropping C or adding noise twice is far outside four standard errors.
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / dimension));
    expect(kolmogorovTest(scaled, normalCdf)).toBeGreaterThan(1e-3);
  });

  it('releases the clipped sum under the noise: the mean over many steps is the clipped gradient', () => {
    const plan = createMechanismPlan({ ...base, sampleRate: 1, noiseMultiplier: 0.5 });
    const steps = 400;
    const mean = [0, 0];
    const random = unsafeDeterministicRandom('mean');
    for (let i = 0; i < steps; i++) {
      const step = plan.begin(3, 2, random);
      // Two examples at three and four times the clip norm, one within it.
      step.add([{ values: Float64Array.of(3, 0, 0, -4, 0.25, 0.25), width: 2 }], 3);
      step.release().sum.forEach((value, j) => (mean[j]! += value / steps));
    }
    const error = (4 * 0.5) / Math.sqrt(steps);
    expect(Math.abs(mean[0]! - 1.25)).toBeLessThan(error);
    expect(Math.abs(mean[1]! - -0.75)).toBeLessThan(error);
  });

  it('releases noise for an empty batch, and never the same noise twice', () => {
    const plan = createMechanismPlan({ ...base, sampleRate: 1e-9 });
    const random = unsafeDeterministicRandom('empty');
    const first = plan.begin(5, 4, random);
    expect(first.batch.length).toBe(0);
    const second = plan.begin(5, 4, random);
    const [a, b] = [first.release().sum, second.release().sum];
    expect(a.every((value) => value !== 0)).toBe(true);
    expect([...a]).not.toEqual([...b]);
  });

  it('refuses to release twice, before all examples were added, or more than the batch', () => {
    const plan = createMechanismPlan({ ...base, sampleRate: 1 });
    const step = plan.begin(2, 3, unsafeDeterministicRandom('order'));
    step.add(zeros(3), 1);
    expect(() => step.release()).toThrow(/1 of 2 examples of the batch were added/);
    expect(() => step.add([{ values: new Float64Array(6), width: 3 }], 2)).toThrow(/count is 2; only 1 example/);
    step.add(zeros(3), 1);
    step.release();
    expect(() => step.release()).toThrow(/never drawn twice/);
    expect(() => step.add(zeros(3), 1)).toThrow(/released already/);
  });

  it('counts examples that are not finite', () => {
    const step = createMechanismPlan({ ...base, sampleRate: 1 }).begin(2, 1, unsafeDeterministicRandom('nan'));
    step.add([{ values: Float64Array.of(NaN, 0.5), width: 1 }], 2);
    expect(step.nonFiniteExamples).toBe(1);
    expect(Number.isFinite(step.release().sum[0])).toBe(true);
  });

  it.each([
    [{ sampleRate: 0 }, /sampleRate is 0/],
    [{ sampleRate: 1.1 }, /sampleRate is 1.1/],
    [{ sampleRate: NaN }, /sampleRate is NaN/],
    [{ expectedBatchSize: 0 }, /expectedBatchSize is 0/],
    [{ noiseMultiplier: 0 }, /noiseMultiplier is 0/],
    [{ clipping: { kind: 'flat', norm: -1 } }, /clipping.norm is -1/],
    [{ clipping: { kind: 'automatic', norm: 1, gamma: 0 } }, /clipping.gamma is 0/],
  ] as const)('refuses %o', (change, message) => {
    expect(() => createMechanismPlan({ ...base, ...change })).toThrow(message);
  });
});
