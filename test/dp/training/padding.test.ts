/** Rows of padding keep what earlier examples left there: no figure may count them, or one example would count more than once. */
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { describe, expect, it } from 'vitest';
import { addToFigures, PublicSums } from '../../../packages/dp/src/training/evaluation-logs.ts';
import { NoisyFigure } from '../../../packages/dp/src/training/released-statistics.ts';
import type { Statistic } from '../../../packages/dp/src/training/released-statistics.ts';
import { StepFigures } from '../../../packages/dp/src/training/step-figures.ts';

/** With so little noise that the sum can be read off. */
const exact = (name: string): Statistic => ({ name, noiseMultiplier: 1e-6, clip: 10, examplesPerUnit: 1 });
const random = unsafeDeterministicRandom('padding');
/** Two examples, and one row of padding. */
const COUNT = 2;
const losses = Float32Array.of(1, 2, 4);

describe('rows of padding', () => {
  it('count in no figure of a step', () => {
    const figures = new StepFigures([exact('loss'), exact('batchSize'), exact('nonFiniteExamples')], COUNT);
    figures.losses!(losses, COUNT);
    figures.nonFinite(1);
    const { loss, batchSize, nonFiniteExamples } = figures.release(random);
    expect(loss).toBeCloseTo(3, 3);
    expect(batchSize).toBeCloseTo(2, 3);
    expect(nonFiniteExamples).toBeCloseTo(1, 3);
  });

  it('count in no evaluation, private or public', () => {
    const outputs = { losses, value0: Float32Array.of(1, 0, 1), weight0: Float32Array.of(1, 1, 1) };
    const figures = new Map(['loss', 'count', 'value0'].map((name) => [name, new NoisyFigure(exact(name))]));
    addToFigures(figures, outputs, COUNT);
    expect(figures.get('loss')!.release(random)).toBeCloseTo(3, 3);
    expect(figures.get('count')!.release(random)).toBeCloseTo(2, 3);
    expect(figures.get('value0')!.release(random)).toBeCloseTo(1, 3);
    const sums = new PublicSums(1);
    sums.add(outputs, COUNT);
    expect(sums.sums()).toEqual({ loss: 3, count: 2, values: [1], weights: [2] });
  });
});
