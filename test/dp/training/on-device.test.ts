/** `fit` keeps weights, sums and the optimiser on the engine's device where nothing of a step is needed in memory. */
import { referenceEngine } from '@sotto/core/ops';
import { tfjsEngine } from '@sotto/core/tfjs';
import { makePrivate } from '@sotto/dp';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { ready } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { options, smallModel, weightsOf, x, y } from './support/two-moons.ts';

const resident = {
  mode: 'fast',
  sampleRate: 0.25,
  expectedBatchSize: 75,
  optimiser: { kind: 'sgd', learningRate: 1, momentum: 0.5 },
  learningRateSchedule: { kind: 'linear', from: 1, to: 0.5, steps: 8 },
} as const;

/** Trains, goes on from a checkpoint where one is given, and tells how the session computed. */
async function train(change: Readonly<Record<string, unknown>>, steps: number, from?: Uint8Array) {
  await ready();
  const model = smallModel();
  const training = makePrivate(
    model,
    options({ ...resident, engine: tfjsEngine(), random: unsafeDeterministicRandom('device'), ...change }),
  );
  if (from !== undefined) await training.restore(from);
  const { history } = await training.fit(x, y, { steps, validationData: { x, y, outsideGuarantee: true } });
  return { info: training.info!, model, training, history };
}

/** The greatest difference between the weights of two models. */
const apart = (a: Awaited<ReturnType<typeof train>>, b: Awaited<ReturnType<typeof train>>): number =>
  Math.max(...weightsOf(a.model).map((value, i) => Math.abs(value - weightsOf(b.model)[i]!)));

describe('fit on a device', () => {
  it('gives the weights of training in memory, evaluates and resumes', async () => {
    const there = await train({}, 8);
    expect(there.info).toMatchObject({ onDevice: true, inMemory: undefined });
    // On the same grid, so that both draw the same noise.
    const here = await train({ engine: referenceEngine, gridBits: there.info.gridBits }, 8);
    expect(here.info).toMatchObject({ onDevice: false, inMemory: 'the engine reference keeps no tensors' });
    expect(apart(there, here)).toBeLessThan(1e-4);
    expect(there.history['val_loss']!.at(-1)).toBeCloseTo(here.history['val_loss']!.at(-1)!, 4);

    const random = unsafeDeterministicRandom('device');
    const first = await train({ random }, 4);
    const second = await train({ random }, 4, await first.training.checkpoint());
    expect(weightsOf(second.model)).toEqual(weightsOf(there.model));
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['noise', { noiseSchedule: { kind: 'linear', from: 2, to: 0.5, steps: 8 } }],
    ['clip norms', { normSchedule: { kind: 'exponential', from: 2, to: 0.25, steps: 8 } }],
    [
      'both',
      {
        noiseSchedule: { kind: 'piecewise', boundaries: [3], values: [1, 3] },
        normSchedule: { kind: 'cosine', from: 1, to: 0.1, steps: 6 },
        optimiser: { kind: 'adam', learningRate: 0.1 },
      },
    ],
  ])('follows scheduled %s, of which only scalars go up', async (_, change) => {
    const there = await train(change, 8);
    expect(there.info.onDevice).toBe(true);
    const here = await train({ ...change, engine: referenceEngine, gridBits: there.info.gridBits }, 8);
    expect(apart(there, here)).toBeLessThan(2e-4);
    expect(there.training.event()).toEqual(here.training.event());
  });

  it('lays the finest grid that fits where nobody chose one, at no cost and with the slack that it needs', async () => {
    const { info, training } = await train({ privacy: { target: { epsilon: 3, delta: 1e-5 }, steps: 4 } }, 4);
    const { plan, graph } = training;
    expect(info.gridBits).toBeLessThan(plan.grid.gridBits);
    const fits = (bits: number): boolean =>
      bits <= 20 && (2 ** bits / plan.noiseMultiplier) * plan.maxBatchSize <= 0.99 * 2 ** 30;
    expect([fits(info.gridBits), fits(info.gridBits + 1)]).toEqual([true, false]);
    expect(training.privacySpent().upper).toBeLessThanOrEqual(3);
    // σ·C/2ᵏ in each of D coordinates, on both sides: what rounding to the coarser grid can move.
    const rounding = (bits: number): number => (2 * Math.sqrt(graph.parameterCount) * plan.noiseMultiplier) / 2 ** bits;
    const slack = plan.slack(graph.parameterCount) - rounding(plan.grid.gridBits) + rounding(info.gridBits);
    expect(training.privacyStatement()).toContain(`with 2^${info.gridBits} grid steps to its standard deviation`);
    expect(training.privacyStatement()).toContain(`raised by a relative ${slack.toPrecision(3)} for rounding`);
  });

  it('goes on in memory from the state of a device, and back', async () => {
    const random = unsafeDeterministicRandom('device');
    const first = await train({ random }, 3);
    const second = await train({ random, engine: referenceEngine }, 3, await first.training.checkpoint());
    const third = await train({ random }, 2, await second.training.checkpoint());
    expect([first, second, third].map(({ info }) => info.onDevice)).toEqual([true, false, true]);
    // Noise is drawn on grids of different fineness, so the weights differ; the account and the place do not.
    const whole = await train({}, 8);
    expect(third.training.event()).toEqual(whole.training.event());
    const { gridBits } = second.training.plan.grid;
    expect(third.training.privacyStatement(1e-5)).toContain(`with 2^${first.info.gridBits} to 2^${gridBits} grid steps`);
  });

  it.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ['private figures', { report: { trainLoss: { kind: 'noisy', noiseMultiplier: 1, clip: 1 } } }, /report asks for figures/],
    ['secure mode', { mode: 'secure' }, /secure mode verifies every example/],
    [
      'sums that could leave 32-bit integers',
      { gridBits: 20, privacy: { noiseMultiplier: 0.05 } },
      /a sum of \d+ examples on a grid of 20 bits can leave 32-bit integers; lower gridBits/,
    ],
    ['a finer grid that was asked for', { gridBits: 24 }, /gridBits is 24; set it to at most 20/],
    ['adaptive clipping', { clipping: { kind: 'adaptive', norm: 1, quantile: 0.5, learningRate: 0.2 } }, /adaptive clipping/],
    ['an average of the weights', { average: { decay: 0.9 } }, /average of the weights/],
    [
      'corrected moments',
      { optimiser: { kind: 'adam', learningRate: 0.1, noiseCorrection: { floor: 1e-6 } } },
      /noiseCorrection has no rule/,
    ],
  ])('stays in memory for %s, and says so', async (_, change, why) => {
    const { info } = await train(change, 1);
    expect(info.onDevice).toBe(false);
    expect(info.inMemory).toMatch(why);
  });
});
