/**
 * A step whose sums are added up elsewhere ends once, with its own noise or noise that was drawn ahead, and only where its examples were all added there.
 */
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { createMechanismPlan } from '@sotto/dp';
import type { MechanismPlanOptions } from '@sotto/dp';
import { describe, expect, it } from 'vitest';
import { StepNoise } from '../../../packages/dp/src/noise/step-noise.ts';
import type { FloatSums, PrivateStep, ReleaseTerms } from '../../../packages/dp/src/plan/private-step.ts';

const RECORDS = 5;
const D = 2000;

/** Keeps what it is given. */
class Kept implements FloatSums {
  readonly added: number[][] = [];
  isFinite(parts: readonly ArrayLike<number>[]): boolean {
    return parts.every((part) => Array.from(part).every(Number.isFinite));
  }
  add(parts: readonly ArrayLike<number>[]): void {
    this.added.push(parts.flatMap((part) => Array.from(part)));
  }
}

function begin(
  floats: FloatSums | undefined,
  change: Partial<MechanismPlanOptions> = {},
): { step: PrivateStep; gridBits: number } {
  const plan = createMechanismPlan({
    sampleRate: 1,
    expectedBatchSize: RECORDS,
    clipping: { kind: 'flat', norm: 1 },
    noiseMultiplier: 1,
    mode: 'fast',
    ...change,
  });
  const random = unsafeDeterministicRandom('release into');
  const run = plan.run({ records: RECORDS, dimension: D, random, ...(floats === undefined ? {} : { floats }) });
  return { step: run.next(), gridBits: plan.grid.gridBits };
}

const sums = (value: number): Float32Array[] => [new Float32Array(D - 1).fill(value), new Float32Array(1).fill(value)];
const nothing = (): void => undefined;
const all = (terms: ReleaseTerms): Float64Array => {
  const noise = new Float64Array(D);
  terms.draw(noise, 0);
  return noise;
};

describe('a step whose sums are added up elsewhere', () => {
  it('tells what the release needs, and draws the noise that the release in memory would', () => {
    const floats = new Kept();
    const { step } = begin(floats);
    step.addSum(sums(0), 2);
    step.addSum(sums(0), 3);
    expect(floats.added.map(({ length }) => length)).toEqual([D, D]);
    let terms: ReleaseTerms | undefined;
    let noise: Float64Array | undefined;
    const released = step.releaseInto((told) => {
      terms = told;
      noise = all(told);
    });
    const { step: inMemory } = begin(undefined);
    inMemory.addSum(sums(0), RECORDS);
    const { sum, ...rest } = inMemory.release();
    expect(released).toEqual(rest);
    expect(terms).toMatchObject({ clipNorm: 1, expectedBatchSize: RECORDS, standardDeviation: rest.standardDeviation });
    expect(sum).toEqual(noise!.map((value) => value * terms!.unit));
    expect(noise!.some((value) => value !== 0)).toBe(true);
  });

  it('ends once', () => {
    const { step } = begin(new Kept());
    expect(() => step.releaseInto(nothing)).toThrow('0 of 5 examples');
    step.addSum(sums(0), RECORDS);
    step.releaseInto(nothing);
    expect(() => step.releaseInto(nothing)).toThrow('released already');
    expect(() => step.release()).toThrow('handed over');
    expect(() => step.addSum(sums(0), 0)).toThrow('released already');
  });

  it('is spent where its end fails', () => {
    const { step } = begin(new Kept());
    step.addSum(sums(0), RECORDS);
    const fails = (): void => {
      throw new Error('no memory');
    };
    expect(() => step.releaseInto(fails)).toThrow('no memory');
    expect(() => step.releaseInto(nothing)).toThrow('released already');
  });

  it('refuses a sum that is not finite, before it is handed over', () => {
    const floats = new Kept();
    const { step } = begin(floats);
    expect(() => step.addSum([...sums(0).slice(0, 1), Float32Array.of(NaN)], RECORDS)).toThrow('a NaN or an infinity');
    expect(floats.added).toEqual([]);
    step.addSum(sums(1), RECORDS);
    expect(floats.added).toHaveLength(1);
  });

  it('is not released in memory, nor with examples that were added there', () => {
    const { step } = begin(new Kept());
    step.addSum(sums(0), RECORDS);
    expect(() => step.release()).toThrow('handed over');
    const { step: mixed } = begin(new Kept());
    mixed.add([{ values: new Float32Array(D), width: D }], 1);
    mixed.addSum(sums(0), RECORDS - 1);
    expect(() => mixed.releaseInto(nothing)).toThrow('were not added to the sums of its run');
    const { step: without } = begin(undefined);
    without.addSum(sums(0), RECORDS);
    expect(() => without.releaseInto(nothing)).toThrow('were not added to the sums of its run');
    const { step: secure } = begin(new Kept(), { mode: 'secure' });
    secure.add([{ values: new Float32Array(RECORDS * D), width: D }], RECORDS);
    expect(() => secure.releaseInto(nothing)).toThrow('were not added to the sums of its run');
    expect(secure.release().sum).toHaveLength(D);
  });

  it('takes noise that was drawn ahead once, overwrites it and gives it back, also where its end fails', () => {
    for (const fails of [false, true]) {
      const { step, gridBits } = begin(new Kept());
      step.addSum(sums(0), RECORDS);
      const given: unknown[] = [];
      const values = new Int32Array(D).fill(3);
      const noise = new StepNoise(gridBits, values, (array) => given.push(array));
      const wrong = new StepNoise(gridBits, new Int32Array(D - 1));
      expect(() => step.releaseInto(nothing, wrong)).toThrow('noise is for');
      const end = (terms: ReleaseTerms): void => {
        expect(all(terms).every((value) => value === 3)).toBe(true);
        if (fails) throw new Error('no memory');
      };
      if (fails) expect(() => step.releaseInto(end, noise)).toThrow('no memory');
      else step.releaseInto(end, noise);
      expect(values.every((value) => value === 0)).toBe(true);
      expect(given).toEqual([values]);
    }
  });
});
