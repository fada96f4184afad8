/**
 * The pass that ends a step gives the bits of the loops in plain JavaScript, whatever the optimiser, the number of sums and the size; and it leaves nothing of the sums behind.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FusedUpdate } from '../../../packages/dp/src/fused/fused-update.ts';
import { BLOCK, layOut } from '../../../packages/dp/src/fused/layout.ts';
import { NoiseAhead } from '../../../packages/dp/src/fused/noise-ahead.ts';
import { addParts, isFiniteSum, releaseSum } from '../../../packages/dp/src/noise/release.ts';
import type { NoiseValues } from '../../../packages/dp/src/noise/step-noise.ts';
import { WeightAverage } from '../../../packages/dp/src/optimiser/average.ts';
import { createOptimiser } from '../../../packages/dp/src/optimiser/optimiser.ts';
import type { OptimiserOptions } from '../../../packages/dp/src/optimiser/optimiser.ts';

const optimisers: Readonly<Record<string, OptimiserOptions>> = {
  'plain descent': { kind: 'sgd', learningRate: 0.1 },
  'weight decay': { kind: 'sgd', learningRate: 0.1, weightDecay: 0.01 },
  momentum: { kind: 'sgd', learningRate: 0.1, momentum: 0.9, weightDecay: 0.001 },
  'Nesterov’s momentum': { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true },
  adam: { kind: 'adam', learningRate: 0.01, weightDecay: 0.1 },
  adamw: { kind: 'adamw', learningRate: 0.01, weightDecay: 0.1 },
  'adam without the noise’s variance': { kind: 'adam', learningRate: 0.01, noiseCorrection: { floor: 1e-3 } },
};

/** Reproducible numbers of many sizes, with zeros of both signs among them. */
function numbers(count: number, seed: number, scale = 1): Float64Array {
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return Float64Array.from({ length: count }, () => {
    const kind = next();
    if (kind < 0.02) return 0;
    if (kind < 0.04) return -0;
    return scale * (next() - 0.5) * 10 ** Math.floor(8 * next() - 6);
  });
}

const floats = (count: number, seed: number): Float32Array => Float32Array.from(numbers(count, seed));
const whole = (count: number, seed: number): Float64Array => numbers(count, seed).map((value) => Math.round(value * 1000) + 0);

interface Case {
  readonly optimiser: OptimiserOptions;
  readonly dimension: number;
  readonly average: boolean;
  readonly gridBits: number;
  /** Sums of each step; true where one comes from elsewhere than the shared memory. */
  readonly steps: readonly (readonly boolean[])[];
}

/** Takes the same steps both ways and compares every bit. */
function compare({ optimiser: options, dimension: D, average: averaged, gridBits, steps }: Case): void {
  const fused = FusedUpdate.open({ dimension: D, optimiser: options, average: averaged, gridBits, lanes: 2 })!;
  expect(fused).toBeDefined();
  const start = numbers(D, 1);
  const weights = start.slice();
  expect(fused.setWeights(start)).toBe(fused.weights);
  const [plain, inPass] = [createOptimiser(options, D), createOptimiser(options, D, (i) => fused.slots[i]!)];
  const decay = { decay: 0.9 };
  const average = averaged ? new WeightAverage(decay, D) : undefined;
  const averageInPass = averaged ? new WeightAverage(decay, D, fused.averaged) : undefined;
  steps.forEach((sums, step) => {
    const unit = 0.37 / (step + 1);
    const noise = whole(D, 50 + step);
    const total = new Float64Array(D);
    let slot = 0;
    sums.forEach((foreign, k) => {
      const values = floats(D, 100 * step + k + 7);
      const cut = Math.floor(D / 3);
      let parts = [values.subarray(0, cut), values.subarray(cut)];
      if (!foreign) {
        while (!fused.isFree(slot)) slot = (slot + 1) % fused.sums.length;
        const into = fused.sums[slot]!;
        into.set(values);
        parts = [into.subarray(0, cut), into.subarray(cut)];
      }
      expect(fused.isFinite(parts)).toBe(true);
      addParts(total, parts);
      fused.add(parts);
      // As where more sums follow than there is room for.
      if (fused.sums.every((_, i) => !fused.isFree(i))) fused.settle();
    });
    const release = noise.slice();
    releaseSum(release, undefined, total, unit);
    const [noiseDeviation, scale, learningRate] = [0.5, 1 / 64, step === 1 ? 0.03 : undefined];
    plain.update(weights, release, learningRate, noiseDeviation, scale);
    average?.update(weights);
    const asked: number[] = [];
    fused.run({
      unit,
      optimiser: inPass,
      average: averageInPass,
      learningRate,
      noiseDeviation,
      scale,
      draw(target, begin) {
        asked.push(begin);
        target.set(noise.subarray(begin, begin + target.length));
      },
    });
    expect(asked).toEqual(Array.from({ length: Math.ceil(D / BLOCK) }, (_, i) => i * BLOCK));
    expect(fused.weights).toEqual(weights);
    expect(fused.parameters).toEqual(Float32Array.from(weights));
    expect(inPass.state()).toEqual(plain.state());
    expect(averageInPass?.state()).toEqual(average?.state());
    for (const sum of fused.sums) expect(sum.every((value) => value === 0)).toBe(true);
  });
}

const three = [[false, false], [false, true, false], [false, false, false, false, false], []];

describe('the pass that ends a step', () => {
  it.each(Object.entries(optimisers))('moves weights by %s as the loops do', (_, optimiser) => {
    for (const gridBits of [26, 27]) compare({ optimiser, dimension: BLOCK + 1234 + 3, average: true, gridBits, steps: three });
  });

  it('does so for all sizes and numbers of sums', () => {
    const cases = fc.record({
      optimiser: fc.constantFrom(...Object.values(optimisers)),
      dimension: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK)),
      average: fc.boolean(),
      gridBits: fc.constantFrom(0, 26, 27, 30),
      steps: fc.array(fc.array(fc.boolean(), { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(cases, (one) => compare(one)),
      { numRuns: 60, seed: 5 },
    );
  });

  it('finds a number that is not finite wherever it stands', () => {
    const D = 37;
    const fused = FusedUpdate.open({ dimension: D, optimiser: optimisers['adam']!, average: false, gridBits: 24, lanes: 1 })!;
    const [sum] = fused.sums;
    for (let j = 0; j < D; j++) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        sum!.fill(3.4e38);
        expect(fused.isFinite([sum!])).toBe(true);
        sum![j] = bad;
        expect(fused.isFinite([sum!.subarray(0, 5), sum!.subarray(5)])).toBe(false);
        expect(isFiniteSum([sum!])).toBe(false);
      }
    }
  });

  it('overwrites the noise of its blocks', () => {
    const fused = FusedUpdate.open({
      dimension: 100,
      optimiser: optimisers['plain descent']!,
      average: false,
      gridBits: 24,
      lanes: 1,
    })!;
    const optimiser = createOptimiser(optimisers['plain descent']!, 100);
    let seen: NoiseValues | undefined;
    const draw = (target: NoiseValues): void => void (seen = target.fill(7));
    fused.run({ unit: 1, draw, optimiser, average: undefined, learningRate: 1, noiseDeviation: 1, scale: 1 });
    expect(fused.weights.every((value) => value === -7)).toBe(true);
    expect(seen!.length).toBe(100);
    expect([...seen!].every((value) => value === 0)).toBe(true);
  });

  it('keeps no sums, and gives no weights any more, where drawing fails half way', () => {
    const D = 2 * BLOCK;
    const fused = FusedUpdate.open({
      dimension: D,
      optimiser: optimisers['plain descent']!,
      average: false,
      gridBits: 24,
      lanes: 1,
    })!;
    const optimiser = createOptimiser(optimisers['plain descent']!, D);
    fused.sums[0]!.fill(1);
    fused.add([fused.sums[0]!]);
    let seen: NoiseValues | undefined;
    const draw = (target: NoiseValues, begin: number): void => {
      seen = target.fill(begin);
      if (begin > 0) throw new Error('no bits');
    };
    const run = (): void =>
      fused.run({ unit: 1, draw, optimiser, average: undefined, learningRate: 1, noiseDeviation: 1, scale: 1 });
    expect(run).toThrow('failed half way');
    expect([...seen!].every((value) => value === 0)).toBe(true);
    expect(fused.sums[0]!.every((value) => value === 0)).toBe(true);
    expect(() => fused.check()).toThrow('its weights are lost');
    expect(run).toThrow('its weights are lost');
  });

  it('finds a number that is not finite wherever it is, and gives no weights any more', () => {
    const draw = (target: NoiseValues): void => void target.fill(0);
    for (const [name, options] of Object.entries(optimisers)) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        // Every place of a turn, the last block, and sums that come in each way: waiting, added up before, from elsewhere.
        for (const [at, way] of [0, 1, 2, 3, BLOCK + 2].flatMap((place) =>
          ['waits', 'settled', 'foreign'].map((how) => [place, how] as const),
        )) {
          const D = BLOCK + 3;
          const fused = FusedUpdate.open({ dimension: D, optimiser: options, average: true, gridBits: 24, lanes: 1 })!;
          const optimiser = createOptimiser(options, D, (i) => fused.slots[i]!);
          const run = (): void =>
            fused.run({ unit: 0.5, draw, optimiser, average: undefined, learningRate: 1, noiseDeviation: 1, scale: 1 });
          fused.add([fused.sums[0]!.fill(1)]);
          run();
          const spoilt = way === 'foreign' ? new Float32Array(D) : fused.sums[1]!;
          spoilt[at] = bad;
          fused.add([fused.sums[0]!.fill(1)]);
          fused.add([spoilt]);
          if (way === 'settled') fused.settle();
          expect(run, `${name}, ${bad} at ${at}, ${way}`).toThrow('not finite for gradients that are');
          expect(fused.sums.every((sum) => sum.every((value) => value === 0))).toBe(true);
          expect(() => fused.check()).toThrow('its weights are lost');
        }
      }
    }
  });

  it('uses noise that was drawn ahead once, and overwrites it', () => {
    const D = 2 * BLOCK + 5;
    const options = optimisers['plain descent']!;
    for (const gridBits of [24, 30]) {
      const fused = FusedUpdate.open({ dimension: D, optimiser: options, average: false, gridBits, lanes: 1, helpers: 1 })!;
      const optimiser = createOptimiser(options, D);
      const { memory, layout } = fused.helper(1);
      const ahead = new NoiseAhead(memory, layout);
      const run = (): number[] => {
        const drawn: number[] = [];
        fused.setWeights(new Float64Array(D));
        const draw = (target: NoiseValues, begin: number): void => {
          drawn.push(begin);
          target.fill(1);
        };
        fused.run({ unit: 1, draw, optimiser, average: undefined, learningRate: -1, noiseDeviation: 1, scale: 1 });
        return drawn;
      };
      const begun: number[] = [];
      const first = (target: NoiseValues, begin: number): void => {
        begun.push(begin, target.length);
        target.fill(7);
      };
      expect([ahead.drawOne(first), ahead.drawOne(first)]).toEqual([true, true]);
      // The last blocks first.
      expect(begun).toEqual([2 * BLOCK, 5, BLOCK, BLOCK]);
      expect(run()).toEqual([0]);
      expect(fused.weights.every((value, j) => value === (j < BLOCK ? 1 : 7))).toBe(true);
      expect(run()).toEqual([0, BLOCK, 2 * BLOCK]);
      expect(fused.weights.every((value) => value === 1)).toBe(true);
      const { buffer } = memory;
      const values = layout.integers ? new Int32Array(buffer, layout.aheadAt, D) : new Float64Array(buffer, layout.aheadAt, D);
      const valuesAre = (expected: number): boolean => [...values].every((value) => value === expected);
      expect(valuesAre(0)).toBe(true);
      expect([1, 2, 3, 4].map(() => ahead.drawOne(first))).toEqual([true, true, true, false]);
      expect(valuesAre(7)).toBe(true);
      fused.close();
      expect(valuesAre(0)).toBe(true);
      expect(run()).toEqual([0, BLOCK, 2 * BLOCK]);
    }
  });

  it('wipes sums that no step will release', () => {
    const fused = FusedUpdate.open({
      dimension: 10,
      optimiser: optimisers['plain descent']!,
      average: false,
      gridBits: 24,
      lanes: 1,
    })!;
    const optimiser = createOptimiser(optimisers['plain descent']!, 10);
    for (const sum of fused.sums) fused.add([sum.fill(5)]);
    fused.settle();
    fused.add([fused.sums[0]!.fill(6)]);
    fused.wipe();
    const draw = (target: NoiseValues): void => void target.fill(0);
    fused.run({ unit: 1, draw, optimiser, average: undefined, learningRate: 1, noiseDeviation: 1, scale: 1 });
    expect(fused.weights.every((value) => value === 0)).toBe(true);
  });

  it('takes a sum of the shared memory only once, and only whole', () => {
    const fused = FusedUpdate.open({
      dimension: 10,
      optimiser: optimisers['plain descent']!,
      average: false,
      gridBits: 24,
      lanes: 1,
    })!;
    const [a] = fused.sums;
    fused.add([a!.fill(1)]);
    expect(fused.isFree(0)).toBe(false);
    // Given again, or in part, it is added up at once like any other.
    expect(() => fused.add([a!.subarray(0, 4)])).toThrow('a sum has 4 coordinates');
    fused.wipe();
    expect(fused.isFree(0)).toBe(true);
  });
});

describe('the memory of a training', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('keeps its vectors apart', () => {
    const layout = layOut({ dimension: 1001, slots: 2, average: true, sums: 3, threads: 2, integers: false })!;
    const spans = [
      ...[layout.weights, ...layout.slotsAt, layout.averageAt, layout.doubles].map((at) => [at, at + 8 * layout.padded]),
      ...[layout.parameters, ...layout.sumsAt].map((at) => [at, at + 4 * layout.padded]),
      ...layout.noiseAt.map((at) => [at, at + 8 * BLOCK]),
      [layout.aheadAt, layout.aheadAt + 8 * layout.padded],
      [layout.statesAt, layout.statesAt + 4],
      [layout.numbers, layout.numbers + 256],
      [layout.control, layout.control + 256],
    ].sort((a, b) => a[0]! - b[0]!);
    spans.forEach(([begin], i) => {
      expect(begin! % 64).toBe(0);
      if (i > 0) expect(begin).toBeGreaterThanOrEqual(spans[i - 1]![1]!);
    });
    expect(spans.at(-1)![1]).toBeLessThanOrEqual(layout.pages * 65536);
  });

  it('is refused where it would be too big', () => {
    const counts = { slots: 2, average: true, sums: 3, threads: 2, integers: true };
    expect(layOut({ ...counts, dimension: 3e7 })).toBeDefined();
    expect(layOut({ ...counts, dimension: 2 ** 26 })).toBeUndefined();
    expect(layOut({ ...counts, dimension: 10, sums: 100 })).toBeUndefined();
  });

  it('is absent where the host has no WebAssembly, or no memory that threads share', () => {
    const options = { dimension: 10, optimiser: optimisers['adam']!, average: false, gridBits: 24, lanes: 1 };
    vi.stubGlobal('WebAssembly', undefined);
    expect(FusedUpdate.open(options)).toBeUndefined();
    vi.unstubAllGlobals();
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(FusedUpdate.open(options)).toBeUndefined();
  });
});
