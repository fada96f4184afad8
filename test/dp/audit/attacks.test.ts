import { describe, expect, it } from 'vitest';
import {
  areaUnderCurve,
  invertDenseUpdate,
  liraScores,
  logitConfidence,
  lossThresholdTarget,
  probeInversion,
  rocCurve,
  runAudit,
  runLira,
  splitByMembership,
  collectSample,
  tprAtFpr,
} from '@sotto/dp/audit';
import type { DenseUpdate, InversionTarget, ModelTrainer } from '@sotto/dp/audit';
import type { RandomSource } from '@sotto/core/random';
import { createMechanismPlan } from '../../../packages/dp/src/plan/mechanism-plan.ts';
import { gaussianEpsilon } from '../../../packages/dp/src/accounting/gaussian.ts';
import { boxMuller, statisticalRandom, uniform } from './support.ts';

const inputs = 40;

interface Records {
  readonly features: readonly Float64Array[];
  readonly labels: Uint8Array;
}

/** Random features with random labels: all that a model can learn about them is to remember them. */
function randomRecords(count: number, random: RandomSource): Records {
  return {
    features: Array.from({ length: count }, () => boxMuller(random, inputs)),
    labels: Uint8Array.from({ length: count }, () => (uniform(random) < 0.5 ? 1 : 0)),
  };
}

function margin(weights: Float64Array, features: Float64Array): number {
  let sum = weights[inputs]!;
  for (let j = 0; j < inputs; j++) sum += weights[j]! * features[j]!;
  return sum;
}

/** The gradient of the cross-entropy of logistic regression, bias last. */
function logisticGradient(weights: Float64Array, features: Float64Array, label: number): Float64Array {
  const error = 1 / (1 + Math.exp(-margin(weights, features))) - label;
  return Float64Array.from({ length: inputs + 1 }, (_, j) => error * (j < inputs ? features[j]! : 1));
}

type Sum = (gradients: readonly Float64Array[], random: RandomSource) => Float64Array;

const plainSum: Sum = (gradients) =>
  Float64Array.from({ length: inputs + 1 }, (_, j) => gradients.reduce((sum, gradient) => sum + gradient[j]!, 0));

function privateSum(noiseMultiplier: number): Sum {
  const plan = createMechanismPlan({
    sampleRate: 1,
    expectedBatchSize: 40,
    clipping: { kind: 'flat', norm: 1 },
    noiseMultiplier,
  });
  return (gradients, random) => {
    const step = plan.begin(gradients.length, inputs + 1, random);
    for (const index of step.batch) step.add([{ values: gradients[index]!, width: inputs + 1 }], 1);
    return step.release().sum;
  };
}

/** Full-batch gradient descent on the included records, on whatever sum it is given. */
function logisticTrainer(records: Records, sum: Sum, steps: number): ModelTrainer<Float64Array> {
  return {
    records: records.features.length,
    train: (included, random) => {
      const weights = new Float64Array(inputs + 1);
      for (let t = 0; t < steps; t++) {
        const gradients: Float64Array[] = [];
        included.forEach((bit, i) => {
          if (bit === 1) gradients.push(logisticGradient(weights, records.features[i]!, records.labels[i]!));
        });
        const total = sum(gradients, random);
        for (let j = 0; j <= inputs; j++) weights[j] = weights[j]! - (0.5 * total[j]!) / 40;
      }
      return weights;
    },
    losses: (weights) =>
      Float64Array.from(records.features, (features, i) => {
        const signed = (records.labels[i] === 1 ? 1 : -1) * margin(weights, features);
        return signed > 0 ? Math.log1p(Math.exp(-signed)) : -signed + Math.log1p(Math.exp(signed));
      }),
  };
}

describe('membership inference', () => {
  const random = statisticalRandom('membership');
  const records = randomRecords(80, random);

  it('tells the members of an unprotected model, LiRA better than the loss threshold', async () => {
    const trainer = logisticTrainer(records, plainSum, 60);
    const byLoss = splitByMembership(await collectSample(lossThresholdTarget(trainer), { runs: 3, random }));
    const lossArea = areaUnderCurve(rocCurve(byLoss));
    const areas: number[] = [];
    const progress: number[] = [];
    for (const mode of ['online', 'offline'] as const) {
      const scores = await runLira(trainer, { mode, shadows: 16, random, progress: (done) => progress.push(done) });
      expect(scores.inScores.length + scores.outScores.length).toBe(80);
      const curve = rocCurve(scores);
      areas.push(areaUnderCurve(curve));
      if (mode === 'online') expect(tprAtFpr(curve, 0.05)).toBeGreaterThan(0.2);
    }
    expect(progress).toHaveLength(34);
    expect(lossArea).toBeGreaterThan(0.75);
    expect(areas[0]).toBeGreaterThan(lossArea);
    expect(areas[1]).toBeGreaterThan(0.75);
  });

  it('tells next to nothing about a privately trained one', async () => {
    const trainer = logisticTrainer(records, privateSum(20), 20);
    const area = async (mode: 'online' | 'offline'): Promise<number> =>
      areaUnderCurve(rocCurve(await runLira(trainer, { mode, shadows: 16, random })));
    // 40 + 40 scores: the area's standard deviation by chance is about 0.065.
    expect(Math.abs((await area('online')) - 0.5)).toBeLessThan(0.25);
    expect(Math.abs((await area('offline')) - 0.5)).toBeLessThan(0.25);
  });

  it('refutes an (ε, δ) claim of the unprotected trainer in one run of the audit', async () => {
    const claim = { epsilon: 0.1, delta: 1e-5 };
    const audit = (sum: Sum, steps: number): Promise<string> =>
      runAudit(lossThresholdTarget(logisticTrainer(records, sum, steps)), { claim, runs: 6, random, powerRepetitions: 0 }).then(
        (report) => report.verdict,
      );
    expect(await audit(plainSum, 60)).toBe('fail');
    // 20 steps of σ = 200 have μ = √20/200 and ε(1e-5) < 0.1.
    expect(gaussianEpsilon(Math.sqrt(20) / 200, 1e-5)).toBeLessThan(0.1);
    expect(await audit(privateSum(200), 20)).toBe('pass');
  });

  it('computes the likelihood ratio of the fitted Gaussians, by hand', () => {
    // One record, four shadows: logits in 2 and 4, out −1 and 1; attacked model at 2.5. Losses are ln(1 + e^−logit).
    const loss = (logit: number): number => Math.log1p(Math.exp(-logit));
    expect(logitConfidence(loss(2.5))).toBeCloseTo(2.5, 12);
    expect(logitConfidence(0)).toBeLessThan(40);
    expect(logitConfidence(Infinity)).toBe(-700);
    const observations = {
      targetLosses: Float64Array.of(loss(2.5)),
      shadowLosses: [2, 4, -1, 1].map((logit) => Float64Array.of(loss(logit))),
      shadowMembership: [1, 1, 0, 0].map((bit) => Uint8Array.of(bit)),
    };
    // Both sides have variance 2: ((2.5 − 0)² − (2.5 − 3)²)/(2·2) = 1.5 online, 2.5/√2 offline.
    expect(liraScores(observations, { mode: 'online' })[0]).toBeCloseTo(1.5, 10);
    expect(liraScores(observations, { mode: 'online', variance: 'perRecord' })[0]).toBeCloseTo(1.5, 10);
    expect(liraScores(observations, { mode: 'offline' })[0]).toBeCloseTo(2.5 / Math.SQRT2, 10);
  });

  it('refuses too few shadows and shapes that do not match', async () => {
    const trainer = logisticTrainer(records, plainSum, 1);
    await expect(runLira(trainer, { mode: 'online', shadows: 5, random })).rejects.toThrow(/must be even/);
    await expect(runLira(trainer, { mode: 'online', shadows: 2, random })).rejects.toThrow(/shadows/);
    const one = Float64Array.of(1);
    const bit = Uint8Array.of(1);
    const observe =
      (membership: Uint8Array[]): (() => Float64Array) =>
      () =>
        liraScores({ targetLosses: one, shadowLosses: [one, one], shadowMembership: membership }, { mode: 'online' });
    expect(observe([bit, bit])).toThrow(/record 0 was outside only 0/);
    expect(observe([bit])).toThrow(/2 shadow models/);
    expect(observe([bit, Uint8Array.of(1, 0)])).toThrow(/shadow model 1/);
  });
});

describe('gradient inversion', () => {
  const random = statisticalRandom('inversion');
  const records = randomRecords(20, random);
  const weights = boxMuller(random, inputs + 1).map((value) => 0.1 * value);

  function target(sum: Sum, learningRate: number): InversionTarget {
    return {
      records: records.features,
      update: (index, source) => {
        const total = sum([logisticGradient(weights, records.features[index]!, records.labels[index]!)], source);
        const update = total.map((value) => -learningRate * value);
        return { kernel: update.slice(0, inputs), bias: update.slice(inputs) };
      },
    };
  }

  it('reads every record out of an unprotected update, at any learning rate', async () => {
    for (const learningRate of [1e-3, 1, 70]) {
      const report = await probeInversion(target(plainSum, learningRate), { random });
      expect(report).toMatchObject({ records: 20, reconstructed: 20, tolerance: 0.05 });
      expect(report.medianRelativeError).toBeLessThan(1e-12);
      expect(report.statement).toMatch(/^20 of 20 records were read out/);
    }
  });

  it('reads nothing out of an update with clipping and noise, and everything out of one with clipping alone', async () => {
    const clipped: Sum = ([gradient]) => {
      const length = Math.hypot(...gradient!);
      return gradient!.map((value) => value / Math.max(1, length));
    };
    expect((await probeInversion(target(clipped, 1), { random })).reconstructed).toBe(20);
    const report = await probeInversion(target(privateSum(1), 1), { random });
    expect(report.reconstructed).toBe(0);
    expect(report.medianRelativeError).toBeGreaterThan(0.8);
  });

  it('finds the column of the one record that a wide layer saw, and orders columns by their bias', () => {
    // Two outputs in tfjs' layout [inputs, outputs]: input (1, 2, 3), errors (0.5, −2), and a third output that was not touched.
    const update: DenseUpdate = { kernel: Float64Array.of(0.5, -2, 0, 1, -4, 0, 1.5, -6, 0), bias: Float64Array.of(0.5, -2, 0) };
    const estimates = invertDenseUpdate(update);
    expect(estimates.map(({ output }) => output)).toEqual([1, 0]);
    for (const { input } of estimates) expect([...input]).toEqual([1, 2, 3]);
    expect(invertDenseUpdate({ kernel: new Float64Array(4), bias: new Float64Array(2) })).toEqual([]);
    expect(() => invertDenseUpdate({ kernel: new Float64Array(5), bias: new Float64Array(2) })).toThrow(/kernel has 5 entries/);
  });

  it('refuses records that cannot be compared', async () => {
    const update = (): DenseUpdate => ({ kernel: Float64Array.of(1, 1), bias: Float64Array.of(1) });
    await expect(probeInversion({ records: [], update }, { random })).rejects.toThrow(/records/);
    await expect(probeInversion({ records: [Float64Array.of(1)], update }, { random })).rejects.toThrow(/1 inputs/);
    await expect(probeInversion({ records: [Float64Array.of(0, 0)], update }, { random })).rejects.toThrow(/all zeros/);
  });
});
