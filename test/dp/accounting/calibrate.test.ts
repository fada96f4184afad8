import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  calibrate,
  calibrateClipNorm,
  calibrateCohort,
  calibrateNoiseMultiplier,
  calibrateSampleRate,
  calibrateSteps,
  dpSgdEvent,
  epsilonOf,
} from '@sotto/dp';
import { searchInteger, searchReal } from '../../../packages/dp/src/accounting/search.ts';

const rdp = { accountant: 'rdp' } as const;

describe('calibration never exceeds its target', () => {
  it.each([
    [0.01, 5000, 3, 1e-5],
    [0.9, 20, 1, 1e-3],
    [1, 10, 0.01, 1e-9],
    [1e-4, 1_000_000, 0.5, 1e-6],
    [0.2, 100, 50, 1e-5],
  ])('noise for q = %d, T = %d, ε = %d, δ = %d', (sampleRate, steps, epsilon, delta) => {
    const { value, achieved } = calibrateNoiseMultiplier({ sampleRate, steps, epsilon, delta, ...rdp });
    expect(achieved.upper).toBeLessThanOrEqual(epsilon);
    const less = dpSgdEvent({ sampleRate, steps, noiseMultiplier: value * (1 - 1e-6) });
    expect(epsilonOf(less, { delta, ...rdp }).upper).toBeGreaterThan(epsilon);
  });

  it('steps: one more is too many', () => {
    const { value, achieved } = calibrateSteps({ sampleRate: 0.01, noiseMultiplier: 1, epsilon: 3, delta: 1e-5, ...rdp });
    expect(achieved.upper).toBeLessThanOrEqual(3);
    const more = dpSgdEvent({ sampleRate: 0.01, noiseMultiplier: 1, steps: value + 1 });
    expect(epsilonOf(more, { delta: 1e-5, ...rdp }).upper).toBeGreaterThan(3);
  });

  it('sampling rate, cohort and clip norm', () => {
    const target = { epsilon: 2, delta: 1e-6, ...rdp };
    const rate = calibrateSampleRate({ noiseMultiplier: 1.1, steps: 1000, ...target });
    expect(rate.achieved.upper).toBeLessThanOrEqual(2);
    expect(rate.achieved.upper).toBeGreaterThan(2 - 1e-5);
    const cohort = calibrateCohort({ noiseMultiplier: 1.1, steps: 1000, expectedPerRound: 50, ...target });
    expect(50 / cohort.value).toBeLessThanOrEqual(rate.value * (1 + 1e-9));
    expect(50 / (cohort.value - 1)).toBeGreaterThan(rate.value * (1 - 1e-9));
    const clip = calibrateClipNorm({ noiseStandardDeviation: 5, sampleRate: 0.01, steps: 1000, ...target });
    const noise = calibrateNoiseMultiplier({ sampleRate: 0.01, steps: 1000, ...target });
    expect(clip.value).toBeCloseTo(5 / noise.value, 12);
  });

  it('takes all of a parameter that the target does not limit, and fails where none is enough', () => {
    expect(calibrateSampleRate({ noiseMultiplier: 50, steps: 1, epsilon: 5, delta: 1e-5 }).value).toBe(1);
    expect(() => calibrateSteps({ sampleRate: 1, noiseMultiplier: 0.1, epsilon: 0.1, delta: 1e-5 })).toThrow('relax the target');
    expect(() =>
      calibrate(
        { event: () => ({ type: 'nonPrivate' }), epsilon: 'decreasing', integer: false, min: 1, max: 100 },
        { epsilon: 1, delta: 1e-5 },
      ),
    ).toThrow('no value up to 100 meets the target');
    expect(() => calibrateNoiseMultiplier({ sampleRate: 2, steps: 1, epsilon: 1, delta: 1e-5 })).toThrow('sampleRate is 2');
    expect(() => calibrateNoiseMultiplier({ sampleRate: 0.1, steps: 1, epsilon: 0, delta: 1e-5 })).toThrow('epsilon is 0');
    expect(() => calibrateNoiseMultiplier({ sampleRate: 0.1, steps: 1, epsilon: 1, delta: 0 })).toThrow('delta is 0');
  });
});

describe('searches', () => {
  it('find any power law from any start, from the right side', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 4, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        (power, target, start) => {
          let calls = 0;
          const decreasing = (x: number): number => {
            calls++;
            return x ** -power;
          };
          const x = searchReal({ decreasing, target, start, min: 1e-12, max: 1e12, tolerance: 1e-9 });
          expect(x ** -power).toBeLessThanOrEqual(target);
          expect(x / target ** (-1 / power)).toBeCloseTo(1, 7);
          expect(calls).toBeLessThan(60);
        },
      ),
      { numRuns: 200, seed: 5 },
    );
  });

  it('find the last integer below a step, whatever the function', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (limit) => {
        expect(searchInteger((n) => (n > limit ? 2 : 1), 1.5, 1, 2_000_000)).toBe(limit);
      }),
      { numRuns: 200, seed: 6 },
    );
    expect(searchInteger(() => 1, 1.5, 1, 77)).toBe(77);
  });
});
