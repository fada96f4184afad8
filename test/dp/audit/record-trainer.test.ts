import { describe, expect, it } from 'vitest';
import { referenceEngine } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { createMechanismPlan, createRecordTrainer } from '@sotto/dp';
import type { RecordTrainer } from '@sotto/dp';
import { runAudit } from '@sotto/dp/audit';
import type { AuditClaim, AuditTarget } from '@sotto/dp/audit';
import { gaussianEpsilon } from '../../../packages/dp/src/accounting/gaussian.ts';
import { boxMuller, statisticalRandom } from './support.ts';

const inputs = 4;
const records = 6;

/** Logistic regression, as tfjs' `model.toJSON(null, false)` gives it. */
const model = {
  class_name: 'Sequential',
  config: {
    name: 'logistic',
    layers: [
      {
        class_name: 'Dense',
        config: {
          name: 'risk',
          units: 1,
          activation: 'sigmoid',
          use_bias: true,
          trainable: true,
          batch_input_shape: [null, inputs],
        },
      },
    ],
  },
};

/** A source that hands over to whichever one the run brings: a trainer keeps its source for life. */
function switchableRandom(): RandomSource & { use(source: RandomSource): void } {
  let current: RandomSource | undefined;
  return {
    use(source) {
      current = source;
    },
    fill(target) {
      current!.fill(target);
    },
  };
}

/**
 * The library's record trainer on a logistic model, end to end: data, model graph, engine, clipping, noise. The canary is one more
 * record with a huge feature, which gives it a gradient of the full clip norm in a direction of its own.
 */
async function trainerTarget(
  sampleRate: number,
  noiseMultiplier: number,
): Promise<AuditTarget<Float64Array> & { close(): Promise<void> }> {
  const random = switchableRandom();
  const features = Float32Array.from(boxMuller(statisticalRandom('features'), records * inputs));
  const labels = Float32Array.from({ length: records }, (_, i) => i % 2);
  const canary = Float32Array.from({ length: inputs }, (_, j) => (j === inputs - 1 ? 1e4 : 0));
  const create = (included: boolean): Promise<RecordTrainer> =>
    createRecordTrainer({
      model,
      loss: 'binaryCrossentropy',
      features: included ? Float32Array.of(...features, ...canary) : features,
      labels: included ? Float32Array.of(...labels, 0) : labels,
      plan: createMechanismPlan({ sampleRate, expectedBatchSize: 4, clipping: { kind: 'flat', norm: 0.5 }, noiseMultiplier }),
      engine: referenceEngine,
      random,
      physicalBatchSize: 8,
    });
  const [without, withCanary] = [await create(false), await create(true)];
  const weights = new Float64Array(inputs + 1);
  return {
    canaries: 1,
    release: async (included, source) => {
      random.use(source);
      return (await (included[0] === 1 ? withCanary : without).noisyGradientSum(weights)).sum;
    },
    scores: (sum) => Float64Array.of(sum[inputs - 1]!),
    close: async () => {
      await Promise.all([without.close(), withCanary.close()]);
    },
  };
}

async function verdict(target: AuditTarget<Float64Array>, claim: AuditClaim, seed: string): Promise<string> {
  return (await runAudit(target, { claim, runs: 800, random: statisticalRandom(seed), powerRepetitions: 0 })).verdict;
}

describe('the record trainer under audit', () => {
  it('passes at its own noise multiplier, and fails a claim of two and a half times the noise', async () => {
    const target = await trainerTarget(1, 1);
    const claim = (sigma: number): AuditClaim => ({
      epsilon: gaussianEpsilon(1 / sigma, 1e-5),
      delta: 1e-5,
      curve: { kind: 'gaussian', mu: 1 / sigma },
    });
    expect(await verdict(target, claim(1), 'trainer right')).toBe('pass');
    expect(await verdict(target, claim(2.5), 'trainer wrong')).toBe('fail');
    await target.close();
  });

  it('passes at its own sampling rate, and fails a claim of a smaller one', async () => {
    const target = await trainerTarget(0.5, 0.5);
    // Amplification of one release in closed form: e^ε − 1 = q·(e^ε′ − 1) with ε′ at δ/q.
    const claim = (q: number): AuditClaim => ({ epsilon: Math.log1p(q * Math.expm1(gaussianEpsilon(2, 0.01 / q))), delta: 0.01 });
    expect(await verdict(target, claim(0.5), 'rate right')).toBe('pass');
    expect(await verdict(target, claim(0.02), 'rate wrong')).toBe('fail');
    await target.close();
  });
});
