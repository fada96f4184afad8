import { describe, expect, it } from 'vitest';
import { WeightAverage } from '../../../packages/dp/src/optimiser/average.ts';

const weightsAt = (step: number): Float64Array => Float64Array.of(Math.sin(step), step, -2);

describe('average of weights', () => {
  it('is the weighted sum of all weights, written out', () => {
    const [decay, steps] = [0.9, 20];
    const average = new WeightAverage({ decay, warmUp: false }, 3);
    for (let step = 0; step < steps; step++) average.update(weightsAt(step));
    for (let j = 0; j < 3; j++) {
      // The first weights keep what the others leave: 0.9^19.
      let expected = decay ** (steps - 1) * weightsAt(0)[j]!;
      for (let step = 1; step < steps; step++) expected += (1 - decay) * decay ** (steps - 1 - step) * weightsAt(step)[j]!;
      expect(average.values()[j]).toBeCloseTo(expected, 12);
    }
  });

  it('forgets the first weights soon with a warm-up, and keeps what does not change', () => {
    const [slow, warm] = [new WeightAverage({ decay: 0.999, warmUp: false }, 3), new WeightAverage({ decay: 0.999 }, 3)];
    for (let step = 0; step < 30; step++) {
      slow.update(weightsAt(step));
      warm.update(weightsAt(step));
    }
    expect(slow.values()[1]).toBeLessThan(1);
    expect(warm.values()[1]).toBeGreaterThan(20);
    expect(warm.values()[2]).toBe(-2);
  });

  it('goes on exactly from its state, and refuses what does not fit', () => {
    const [whole, first, second] = [0, 1, 2].map(() => new WeightAverage({ decay: 0.99 }, 3)) as [
      WeightAverage,
      WeightAverage,
      WeightAverage,
    ];
    for (let step = 0; step < 4; step++) first.update(weightsAt(step));
    second.restore(first.state());
    for (let step = 4; step < 9; step++) second.update(weightsAt(step));
    for (let step = 0; step < 9; step++) whole.update(weightsAt(step));
    expect(second.state()).toEqual(whole.state());
    expect(() => new WeightAverage({ decay: 1 }, 2)).toThrow(/average.decay is 1/);
    expect(() => new WeightAverage({ decay: 0.9, warmUp: 'no' as never }, 2)).toThrow(/average.warmUp is "no"/);
    expect(() => whole.update(new Float64Array(2))).toThrow(/weights has 2 numbers; the average has 3/);
    expect(() => whole.restore({ step: 1, values: new Float64Array(4) })).toThrow(/state.values has 4 numbers/);
  });
});
