import { afterAll, describe, expect, it } from 'vitest';
import { diracSumTarget, runAudit } from '@sotto/dp/audit';
import type { AuditClaim, AuditTarget } from '@sotto/dp/audit';
import type { RandomSource } from '@sotto/core/random';
import { gaussianEpsilon } from '../../../packages/dp/src/accounting/gaussian.ts';
import { bernoulli } from '../../../packages/dp/src/sampling/bernoulli.ts';
import { BitSource } from '../../../packages/dp/src/noise/bit-source.ts';
import { poissonSample } from '../../../packages/dp/src/sampling/poisson.ts';
import { createMechanismPlan } from '../../../packages/dp/src/plan/mechanism-plan.ts';
import type { MechanismPlan, MechanismPlanOptions } from '../../../packages/dp/src/plan/mechanism-plan.ts';
import { caught, missingRows, planBugs, seededBugs } from './bug-table.ts';
import type { Catcher } from './bug-table.ts';
import { samplerFaults, trialFaults } from './conformance.ts';
import { boxMuller, clippedSum, dirac, statisticalRandom, uniform, withNoise } from './support.ts';

/* Reference mechanisms are written plainly here, each with one fault; the fault's cure is the only difference to its twin. */

const dimension = 8;
const delta = 1e-5;
/** One release with σ = 1 and C = 1: μ = 1. */
const oneRelease: AuditClaim = { epsilon: gaussianEpsilon(1, delta), delta, curve: { kind: 'gaussian', mu: 1 } };

/**
 * One Poisson-sampled Gaussian release. The direction "record removed" is exactly the amplification of the Gaussian's: with e^ε′ =
 * 1 + (e^ε − 1)/q, δ(ε) = q·δ_μ(ε′).
 */
function sampledRelease(sampleRate: number, noiseMultiplier: number, atDelta: number): AuditClaim {
  const inner = gaussianEpsilon(1 / noiseMultiplier, atDelta / sampleRate);
  return { epsilon: Math.log1p(sampleRate * Math.expm1(inner)), delta: atDelta };
}

async function flagged(target: AuditTarget<never>, claim: AuditClaim, name: string, runs: number = 1000): Promise<boolean> {
  const report = await runAudit(target, { claim, runs, random: statisticalRandom(name), powerRepetitions: 0 });
  return report.verdict === 'fail';
}

/** The audit flags the faulty mechanism, and neither its cured twin nor Sotto's own. */
async function expectCaught<A, B, C>(
  id: string,
  claim: AuditClaim,
  targets: { readonly faulty: AuditTarget<A>; readonly cured: AuditTarget<B>; readonly plan?: AuditTarget<C> },
  runs?: number,
): Promise<void> {
  expect(await flagged(targets.faulty as AuditTarget<never>, claim, `${id} faulty`, runs)).toBe(true);
  expect(await flagged(targets.cured as AuditTarget<never>, claim, `${id} cured`, runs)).toBe(false);
  if (targets.plan !== undefined)
    expect(await flagged(targets.plan as AuditTarget<never>, claim, `${id} plan`, runs)).toBe(false);
  caught(id, 'audit');
}

type PrivateSum = (gradients: readonly Float64Array[], random: RandomSource) => Float64Array;

/** One Dirac canary in an unsampled sum. */
function sumTarget(
  privateSum: PrivateSum,
  options: { readonly gain?: number; readonly background?: readonly Float64Array[] } = {},
): AuditTarget<Float64Array> {
  return diracSumTarget({ dimension, canaries: 1, clipNorm: 1, privateSum, ...options });
}

const correctSum: PrivateSum = (gradients, random) => withNoise(clippedSum(gradients, 1, dimension), 1, random);

function plan(options: Partial<MechanismPlanOptions> = {}): MechanismPlan {
  return createMechanismPlan({
    sampleRate: 1,
    expectedBatchSize: 8,
    clipping: { kind: 'flat', norm: 1 },
    noiseMultiplier: 1,
    ...options,
  });
}

function planSum(mechanism: MechanismPlan = plan()): PrivateSum {
  return (gradients, random) => {
    const step = mechanism.begin(gradients.length, dimension, random);
    for (const index of step.batch) step.add([{ values: gradients[index]!, width: dimension }], 1);
    return step.release().sum;
  };
}

/** A target from a function of "is the canary in?" and one score. */
function singleTarget<Release>(
  release: (included: boolean, random: RandomSource) => Release,
  score: (release: Release) => number,
): AuditTarget<Release> {
  return {
    canaries: 1,
    release: (included, random) => release(included[0] === 1, random),
    scores: (result) => Float64Array.of(score(result)),
  };
}

describe('faulty noise', () => {
  it('no-noise: the sum without noise is caught, and a plan without noise is refused', async () => {
    const faulty = sumTarget((gradients) => clippedSum(gradients, 1, dimension));
    await expectCaught('no-noise', oneRelease, { faulty, cured: sumTarget(correctSum), plan: sumTarget(planSum()) });
    expect(() => plan({ noiseMultiplier: 0 })).toThrow(/noiseMultiplier/);
    caught('no-noise', 'refusal');
  });

  it('half-noise: σ/2 is caught', async () => {
    const faulty = sumTarget((gradients, random) => withNoise(clippedSum(gradients, 1, dimension), 0.5, random));
    await expectCaught('half-noise', oneRelease, { faulty, cured: sumTarget(correctSum), plan: sumTarget(planSum()) });
  });

  it('mean-noise: noise of σC/E[B] on the sum is caught', async () => {
    const expectedBatchSize = 8;
    const faulty = sumTarget((gradients, random) =>
      withNoise(clippedSum(gradients, 1, dimension), 1 / expectedBatchSize, random),
    );
    await expectCaught('mean-noise', oneRelease, { faulty, cured: sumTarget(correctSum), plan: sumTarget(planSum()) });
  });

  it('key-reuse: the same noise in two steps is caught, and a step does not release twice', async () => {
    // The canary takes part in the first of two steps; a claim for both steps has μ = √2.
    const claim: AuditClaim = { epsilon: gaussianEpsilon(Math.SQRT2, delta), delta, curve: { kind: 'gaussian', mu: Math.SQRT2 } };
    const score = ([first, second]: readonly [number, number]): number => first - second;
    const faulty = singleTarget((included, random) => {
      const noise = boxMuller(random, 1)[0]!;
      return [(included ? 1 : 0) + noise, noise] as const;
    }, score);
    const cured = singleTarget((included, random) => {
      const noise = boxMuller(random, 2);
      return [(included ? 1 : 0) + noise[0]!, noise[1]!] as const;
    }, score);
    const sotto = singleTarget((included, random) => {
      const release = planSum();
      return [release(included ? [dirac(dimension, 0, 1)] : [], random)[0]!, release([], random)[0]!] as const;
    }, score);
    await expectCaught('key-reuse', claim, { faulty, cured, plan: sotto });
    const step = plan().begin(0, dimension, statisticalRandom('twice'));
    step.release();
    expect(() => step.release()).toThrow(/never drawn twice/);
    caught('key-reuse', 'refusal');
  });

  it('10: noise from a seed of the clock is caught by an attacker who tries the seeds', async () => {
    // mulberry32, seeded by a millisecond of the last two seconds.
    const seededNoise = (seed: number): Float64Array => {
      let state = seed | 0;
      const source: RandomSource = {
        fill(target) {
          const words = new Uint32Array(target.buffer);
          for (let i = 0; i < words.length; i++) {
            state = (state + 0x6d2b79f5) | 0;
            let t = Math.imul(state ^ (state >>> 15), 1 | state);
            t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
            words[i] = t ^ (t >>> 14);
          }
        },
      };
      return boxMuller(source, 2);
    };
    const candidates = Array.from({ length: 2000 }, (_, ms) => seededNoise(1_790_000_000 + ms));
    // Coordinate 1 has no signal: the seed whose noise stands there is the seed that was used.
    const score = (sum: readonly [number, number]): number => {
      const noise = candidates.find((candidate) => Math.abs(candidate[1]! - sum[1]) < 1e-12);
      return noise === undefined ? sum[0] : 100 * (sum[0] - noise[0]!);
    };
    const faulty = singleTarget((included, random) => {
      const noise = seededNoise(1_790_000_000 + Math.floor(2000 * uniform(random)));
      return [(included ? 1 : 0) + noise[0]!, noise[1]!] as const;
    }, score);
    const cured = singleTarget((included, random) => {
      const noise = boxMuller(random, 2);
      return [(included ? 1 : 0) + noise[0]!, noise[1]!] as const;
    }, score);
    const sotto = singleTarget((included, random) => {
      const sum = planSum()(included ? [dirac(dimension, 0, 1)] : [], random);
      return [sum[0]!, sum[1]!] as const;
    }, score);
    await expectCaught('10', oneRelease, { faulty, cured, plan: sotto }, 400);
    // @ts-expect-error A plan has no default source of randomness, and the clock is none.
    expect(() => plan().begin(0, dimension, Date.now()).release()).toThrow();
    caught('10', 'type');
  });
});

describe('faulty clipping', () => {
  it('batch-clip: clipping the mean is caught by a canary of a thousand clip norms', async () => {
    const background = Array.from({ length: 7 }, () => new Float64Array(dimension));
    const faulty = sumTarget(
      (gradients, random) => {
        const mean = new Float64Array(dimension);
        for (const gradient of gradients) gradient.forEach((value, j) => (mean[j] = mean[j]! + value / gradients.length));
        return withNoise(
          clippedSum([mean], 1, dimension).map((value) => value * gradients.length),
          1,
          random,
        );
      },
      { gain: 1000, background },
    );
    const options = { gain: 1000, background };
    await expectCaught('batch-clip', oneRelease, {
      faulty,
      cured: sumTarget(correctSum, options),
      plan: sumTarget(planSum(), options),
    });
  });

  it('11b: one NaN that zeroes the sum is caught', async () => {
    const background = Array.from({ length: 12 }, () => dirac(dimension, 1, 1));
    const withCanary = (included: boolean): Float64Array[] =>
      included ? [...background, dirac(dimension, 0, Number.NaN)] : background;
    const score = (sum: Float64Array): number => -sum[1]!;
    const faulty = singleTarget((included, random) => {
      const gradients = withCanary(included);
      const broken = gradients.some((gradient) => gradient.some((value) => Number.isNaN(value)));
      return withNoise(broken ? new Float64Array(dimension) : clippedSum(gradients, 1, dimension), 1, random);
    }, score);
    const cured = singleTarget((included, random) => correctSum(withCanary(included), random), score);
    const sotto = singleTarget((included, random) => planSum()(withCanary(included), random), score);
    await expectCaught('11b', oneRelease, { faulty, cured, plan: sotto });
  });

  it('8: adaptive clipping whose noise and divisor follow the actual batch is caught', async () => {
    // The count of unclipped gradients, each as ±½: with noise of B/20 for the actual batch of 3 or 4 it is nearly exact. The cure takes
    // the public expected size of 60, which splits σ = 1 between count and gradient (Andrew et al. 2021).
    const count = (included: boolean, sigma: (batch: number) => number, random: RandomSource): number => {
      const bits = included ? [0.5, 0.5, 0.5, -0.5] : [0.5, 0.5, 0.5];
      return bits.reduce((a, b) => a + b, 0) + sigma(bits.length) * boxMuller(random, 1)[0]!;
    };
    const negative = (noisy: number): number => -noisy;
    await expectCaught('8', oneRelease, {
      faulty: singleTarget((included, random) => count(included, (batch) => batch / 20, random), negative),
      cured: singleTarget((included, random) => count(included, () => 60 / 20, random), negative),
    });
    // The same library divides the noisy sum by the actual batch: the scale of the noise tells 1 record from 2.
    const scale = (mean: Float64Array): number => -mean.reduce((a, b) => a + b * b, 0);
    const background = [new Float64Array(dimension)];
    const gradients = (included: boolean): Float64Array[] =>
      included ? [...background, new Float64Array(dimension)] : background;
    const divided = (divisor: (batch: number) => number, privateSum: PrivateSum): AuditTarget<Float64Array> =>
      singleTarget((included, random) => {
        const batch = gradients(included);
        return privateSum(batch, random).map((value) => value / divisor(batch.length));
      }, scale);
    const options = {
      faulty: divided((batch) => batch, correctSum),
      cured: divided(() => 8, correctSum),
      plan: divided(() => 8, planSum()),
    };
    await expectCaught('8', oneRelease, options);
  });
});

describe('faulty sampling', () => {
  it('empty-skipped and 6: a step that releases nothing for an empty batch is caught', async () => {
    // An empty data set: only the canary can make the batch non-empty.
    const claim = sampledRelease(0.5, 1, 0.01);
    const score = (release: Float64Array | undefined): number => (release === undefined ? 0 : 1);
    const drawn = (included: boolean, random: RandomSource): Float64Array[] =>
      included && uniform(random) < 0.5 ? [dirac(dimension, 0, 1)] : [];
    const faulty = singleTarget((included, random) => {
      const batch = drawn(included, random);
      return batch.length === 0 ? undefined : correctSum(batch, random);
    }, score);
    const cured = singleTarget<Float64Array | undefined>(
      (included, random) => correctSum(drawn(included, random), random),
      score,
    );
    const sampled = planSum(plan({ sampleRate: 0.5 }));
    const sotto = singleTarget<Float64Array | undefined>(
      (included, random) => sampled(included ? [dirac(dimension, 0, 1)] : [], random),
      score,
    );
    await expectCaught('empty-skipped', claim, { faulty, cured, plan: sotto });
    await expectCaught('6', claim, { faulty, cured, plan: sotto }, 900);
    const random = statisticalRandom('empty batches');
    const skipping = samplerFaults((population, rate, steps, source) => {
      const batches = Array.from({ length: steps }, () => poissonSample(population, rate, new BitSource(source, 64)));
      return batches.filter((batch) => batch.length > 0);
    }, random);
    expect(skipping.join('; ')).toMatch(/batches for 4000 steps.*empty batches/);
    caught('6', 'conformance');
  });

  it('7: a made-up example in place of an empty batch is caught', async () => {
    const faulty = sumTarget((gradients, random) =>
      correctSum(gradients.length === 0 ? [dirac(dimension, 0, -1)] : gradients, random),
    );
    await expectCaught('7', oneRelease, { faulty, cured: sumTarget(correctSum), plan: sumTarget(planSum()) });
  });

  it('11c and rate-mismatch: batches that are not the claimed Poisson samples are caught, and a plan cannot be built so', async () => {
    const claim = sampledRelease(0.1, 1, 0.01);
    const poisson =
      (rate: number): PrivateSum =>
      (gradients, random) =>
        correctSum(
          gradients.filter(() => uniform(random) < rate),
          random,
        );
    const cured = sumTarget(poisson(0.1));
    const sotto = sumTarget(planSum(plan({ sampleRate: 0.1 })));
    // Fixed batches: the canary is in the batch for certain, as are the records of its batch in every epoch.
    await expectCaught('11c', claim, { faulty: sumTarget(correctSum), cured, plan: sotto });
    await expectCaught('rate-mismatch', claim, { faulty: sumTarget(poisson(0.8)), cured, plan: sotto });

    const random = statisticalRandom('samplers');
    const shuffled = samplerFaults((population, rate, steps) => {
      const size = Math.round(population * rate);
      return Array.from({ length: steps }, (_, t) => Uint32Array.from({ length: size }, (__, i) => (t * size + i) % population));
    }, random);
    expect(shuffled.join('; ')).toMatch(/batch sizes vary by 0\.000/);
    caught('11c', 'conformance');
    const tenfold = samplerFaults((population, rate, steps, source) => {
      const bits = new BitSource(source, 4096);
      return Array.from({ length: steps }, () => poissonSample(population, 2 * rate, bits));
    }, random);
    expect(tenfold.join('; ')).toMatch(/records on average/);
    caught('rate-mismatch', 'conformance');
    const sottoSampler = samplerFaults((population, rate, steps, source) => {
      const bits = new BitSource(source, 4096);
      return Array.from({ length: steps }, () => poissonSample(population, rate, bits));
    }, random);
    expect(sottoSampler).toEqual([]);

    // The event follows from the plan's own parameters, is frozen, and no option takes another one.
    const mechanism = plan({ sampleRate: 0.25, noiseMultiplier: 3 });
    expect(mechanism.event).toEqual({
      type: 'poissonSampled',
      sampleRate: 0.25,
      event: { type: 'gaussian', noiseMultiplier: 3 },
    });
    expect(Object.isFrozen(mechanism)).toBe(true);
    expect(Object.isFrozen(mechanism.event)).toBe(true);
    const claimed = { type: 'poissonSampled', sampleRate: 0.01, event: { type: 'gaussian', noiseMultiplier: 3 } } as const;
    // @ts-expect-error An event cannot be claimed beside the sampler that ran; it is refused where types are not checked.
    expect(() => plan({ sampleRate: 0.25, event: claimed })).toThrow(/event is not known/);
    // @ts-expect-error A batch cannot be handed in: the plan draws it.
    expect(() => mechanism.begin(Uint32Array.of(0, 1), 1, statisticalRandom('batch'))).toThrow(/must be an integer/);
    caught('11c', 'type');
    caught('rate-mismatch', 'type');
  });

  it('9: a 32-bit comparison quantises the rate, which the exact one does not', () => {
    const quantised = trialFaults((rate, random) => {
      const word = new Uint32Array(1);
      random.fill(new Uint8Array(word.buffer));
      return Math.fround((word[0]! >>> 8) / 2 ** 24) < Math.fround(rate);
    });
    expect(quantised.join('; ')).toMatch(/a rate of 1\.3e-7 is really 1\.788e-7.*a rate of 3e-8 is really 5\.960e-8/);
    expect(trialFaults((rate, random) => bernoulli(rate)(new BitSource(random, 8)))).toEqual([]);
    caught('9', 'conformance');
  });

  it('13: a divisor computed from the number of records is caught, and a plan needs it as a constant', async () => {
    // 19 or 20 records at q = 0.1: ⌊Nq⌋ is 1 or 2, which halves the scale of the published mean.
    const score = (mean: Float64Array): number => -mean.reduce((a, b) => a + b * b, 0);
    const release =
      (divisor: (records: number) => number, privateSum: PrivateSum) =>
      (included: boolean, random: RandomSource): Float64Array => {
        const records = Array.from({ length: included ? 20 : 19 }, () => new Float64Array(dimension));
        return privateSum(records, random).map((value) => value / divisor(records.length));
      };
    const mechanism = plan({ expectedBatchSize: 2 });
    await expectCaught('13', oneRelease, {
      faulty: singleTarget(
        release((records) => Math.floor(records * 0.1), correctSum),
        score,
      ),
      cured: singleTarget(
        release(() => 2, correctSum),
        score,
      ),
      plan: singleTarget(
        release(() => mechanism.expectedBatchSize, planSum(mechanism)),
        score,
      ),
    });
    const options = { sampleRate: 0.1, clipping: { kind: 'flat', norm: 1 }, noiseMultiplier: 1 } as const;
    // @ts-expect-error The expected batch size has no default that could be computed from the records.
    expect(() => createMechanismPlan(options)).toThrow(/expectedBatchSize/);
    caught('13', 'type');
  });

  it('5 and 11a: a plan takes no second draw into one step, and every release carries its event', () => {
    const mechanism = plan({ sampleRate: 1 });
    const step = mechanism.begin(2, dimension, statisticalRandom('accumulate'));
    step.add([{ values: new Float64Array(2 * dimension), width: dimension }], 2);
    expect(() => step.add([{ values: new Float64Array(dimension), width: dimension }], 1)).toThrow(
      /only 0 examples of the batch are left/,
    );
    caught('5', 'refusal');
    expect(step.release().event).toBe(mechanism.event);
    // Releasing before the whole logical batch is in, as accumulation that steps at i % k = 0 does, is refused.
    const early = mechanism.begin(8, dimension, statisticalRandom('early'));
    early.add([{ values: new Float64Array(dimension), width: dimension }], 1);
    expect(() => early.release()).toThrow(/add all before release/);
    caught('11a', 'refusal');
    // The books of an accumulating loop: 9 micro-batches, 4 to a step.
    const books = (stepsAt: (microBatch: number) => boolean): { releases: number; accounted: number } => {
      let releases = 0;
      for (let i = 0; i < 9; i++) if (stepsAt(i)) releases++;
      return { releases, accounted: Math.floor(9 / 4) };
    };
    const faulty = books((i) => i % 4 === 0);
    expect(faulty.releases).toBeGreaterThan(faulty.accounted);
    const cured = books((i) => i % 4 === 3);
    expect(cured.releases).toBe(cured.accounted);
    caught('11a', 'conformance');
  });

  it('12: a claim from one direction of an asymmetric mechanism is caught', async () => {
    // Out: one of 0 … 10; in: one of 0 … 9. In against out loses at most ln(11/10); out against in tells it by a ten, 1 time in 11.
    const oneDirection: AuditClaim = { epsilon: Math.log(11 / 10), delta: 0 };
    const bothDirections: AuditClaim = { epsilon: Math.log(11 / 10), delta: 1 / 11 };
    const target = singleTarget(
      (included, random) => Math.floor((included ? 10 : 11) * uniform(random)),
      (x) => (x === 10 ? 0 : 1),
    );
    expect(await flagged(target as AuditTarget<never>, oneDirection, '12 one direction')).toBe(true);
    expect(await flagged(target as AuditTarget<never>, bothDirections, '12 both directions')).toBe(false);
    caught('12', 'audit');
  });
});

describe('the table', () => {
  const here: readonly Catcher[] = ['audit', 'refusal', 'type'];

  afterAll(() => {
    // Accountants' conformance has its own file; all else of the table must have been seen above.
    const missing = missingRows(seededBugs, here);
    if (missing.length > 0) throw new Error(`rows of the table without a test: ${missing.join('; ')}`);
  });

  it('names every bug once, and at least one catcher for each', () => {
    const all = [...seededBugs, ...planBugs];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all.every(({ caughtBy }) => caughtBy.length > 0)).toBe(true);
  });
});
