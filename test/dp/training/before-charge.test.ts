import { SottoError } from '@sotto/core/errors';
import { referenceEngine } from '@sotto/core/ops';
import type { Engine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { clippedGradient, createMechanismPlan, makePrivate } from '@sotto/dp';
import type { MechanismPlanOptions, PrivateModel, PrivateModelOptions } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint } from '../../../packages/dp/src/training/checkpoint.ts';
import { smallModel, x, y } from './support/two-moons.ts';

const train = (change: object, model = smallModel()): PrivateModel =>
  makePrivate(model, {
    loss: 'binaryCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 0.1 },
    clipping: { kind: 'flat', norm: 1 },
    sampleRate: 0.1,
    expectedBatchSize: 30,
    privacy: { noiseMultiplier: 1 },
    engine: referenceEngine,
    random: unsafeDeterministicRandom('before a charge'),
    ...change,
  } as PrivateModelOptions);

describe('options that no step can be made of', () => {
  const faults = [
    ['a grid that is too coarse for the parameters', { gridBits: 1 }, /too few for \d+ parameters; raise gridBits/],
    [
      'a clip norm outside the floats of fast mode',
      { mode: 'fast', clipping: { kind: 'flat', norm: 2 ** -41 } },
      /takes 2\^-40 to 2\^60/,
    ],
    [
      'a scheduled clip norm that leaves them later',
      { mode: 'fast', normSchedule: { kind: 'linear', from: 1, to: 2 ** -41, steps: 100 } },
      /takes 2\^-40 to 2\^60/,
    ],
    [
      'scheduled noise that is too much for the grid later',
      { gridBits: 4, noiseSchedule: { kind: 'linear', from: 1, to: 12, steps: 100 } },
      /too few for \d+ parameters; raise gridBits/,
    ],
  ] as const;

  it.each(faults)('are refused before anything is charged: %s', async (_, change, message) => {
    const training = train(change);
    await expect(training.fit(x, y, { steps: 1 })).rejects.toThrow(message);
    expect(training.event()).toEqual({ type: 'noOp' });
  });

  it.each(faults)('are refused where a run begins: %s', (_, change, message) => {
    const plan = createMechanismPlan({
      sampleRate: 0.1,
      expectedBatchSize: 30,
      clipping: { kind: 'flat', norm: 1 },
      noiseMultiplier: 1,
      ...change,
    } as unknown as MechanismPlanOptions);
    expect(() => plan.run({ records: 300, dimension: 33, random: unsafeDeterministicRandom('run') })).toThrow(message);
  });
});

describe('an extension', () => {
  it('keeps the clip norm that was adapted before it', async () => {
    const normOf = async (training: PrivateModel): Promise<number> => {
      const { header } = await decodeCheckpoint(await training.checkpoint());
      return (header['state'] as { readonly mechanism: { readonly clipNorm: number } }).mechanism.clipNorm;
    };
    const delta = 1e-5;
    const training = train({
      clipping: { kind: 'adaptive', norm: 100, learningRate: 0.5 },
      privacy: { target: { epsilon: 3, delta }, steps: 20 },
    });
    await training.fit(x, y);
    const adapted = await normOf(training);
    expect(adapted).toBeLessThan(10);
    training.extend({ target: { epsilon: 6, delta }, steps: 5 });
    expect(await normOf(training)).toBe(adapted);
    await training.fit(x, y, { steps: 1 });
    expect(await normOf(training)).toBeLessThan(2 * adapted);
    expect(training.stepsLeft).toBe(4);
  });
});

describe('a user', () => {
  it('is told apart by ids of one kind', () => {
    const plan = createMechanismPlan({
      sampleRate: 1,
      expectedBatchSize: 2,
      clipping: { kind: 'flat', norm: 1 },
      noiseMultiplier: 1,
      unit: { kind: 'user', contributionBound: 1 },
    });
    const begin = (userIds: readonly unknown[]) =>
      plan
        .run({ records: 3, dimension: 1, random: unsafeDeterministicRandom('ids'), userIds: userIds as readonly string[] })
        .next();
    expect(begin(['7', '7', '8']).batch).toHaveLength(2);
    expect(begin([7, 7, 8]).batch).toHaveLength(2);
    for (const mixed of [
      [7, '7', 8],
      ['7', 7, '8'],
    ])
      expect(() => begin(mixed)).toThrow(/userIds has numbers and strings; 7 and '7' would count as two users/);
  });
});

describe('a model that was trained privately before', () => {
  it('is remembered in the statement of the next training', async () => {
    const model = smallModel();
    const first = train({}, model);
    const idle = train({}, model);
    expect(idle.privacyStatement(1e-5)).not.toMatch(/also trained privately/);
    await first.fit(x, y, { steps: 3 });
    const second = train({}, model);
    await second.fit(x, y, { steps: 1 });
    expect(second.privacyStatement(1e-5)).toMatch(
      /WARNING: this model was also trained privately by another object of makePrivate, in 3 steps/,
    );
    expect(first.privacyStatement(1e-5)).toMatch(/in 1 step\./);
    const other = train({});
    await other.fit(x, y, { steps: 1 });
    expect(other.privacyStatement(1e-5)).not.toMatch(/also trained privately/);
  });
});

describe('a δ that is not below one over the records', () => {
  it('is warned of in the statement and beside the figures', async () => {
    const training = train({});
    await training.fit(x, y, { steps: 2 });
    for (const delta of [1 / 300, 0.5]) {
      expect(training.privacySpent(delta).warnings.join()).toMatch(/is not below one over the 300 records/);
      expect(training.privacyStatement(delta)).toMatch(/WARNING: δ = .* is not below one over the 300 records/);
    }
    expect(training.privacySpent(1e-3).warnings).toEqual([]);
    expect(training.privacyStatement(1e-3)).not.toMatch(/WARNING: δ/);
    const shuffled = train({
      sampleRate: undefined,
      expectedBatchSize: undefined,
      sampling: { kind: 'shuffle', batchSize: 30, sourceSize: 400 },
    });
    expect(shuffled.privacySpent(1 / 400).warnings.join()).toMatch(/one over the 400 records/);
  });
});

describe('steps that the weights did not go through', () => {
  it('are told in the statement', async () => {
    const training = train({});
    const start = await training.checkpoint();
    await training.fit(x, y, { steps: 3 });
    expect(training.privacyStatement(1e-5)).not.toMatch(/the weights went through/);
    await training.restore(start);
    await training.fit(x, y, { steps: 2 });
    expect(training.privacyStatement(1e-5)).toMatch(/5 steps of Poisson.*\n.*\n?Of these steps the weights went through 2\./);
  });
});

describe('an error of an engine that has examples in hand', () => {
  it('is told without its message', async () => {
    let opened = false;
    const failing: Engine = {
      ...referenceEngine,
      name: 'failing',
      async compile(program) {
        const compiled = await referenceEngine.compile(program);
        return {
          ...compiled,
          outputs: compiled.outputs,
          dispose: () => compiled.dispose(),
          run: (inputs, into) => (opened ? Promise.reject(new RangeError('index 123456 of x0')) : compiled.run(inputs, into)),
        };
      },
    };
    const caught = async (run: Promise<unknown>): Promise<SottoError> => {
      const error: unknown = await run.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(SottoError);
      const { code, message, cause } = error as SottoError;
      expect({ code, cause }).toEqual({ code: 'internal', cause: undefined });
      expect(message).toMatch(/a batch failed with the engine failing \(RangeError\)/);
      expect(message).not.toMatch(/123456/);
      return error as SottoError;
    };
    const training = train({ engine: failing });
    const stop = (): void => void (opened = true);
    await caught(training.fit(x, y, { steps: 3, onStep: stop }));
    await caught(training.evaluate(x, y, { outsideGuarantee: true }));
    opened = false;
    const gradient = clippedGradient(smallModel(), {
      loss: 'binaryCrossentropy',
      clipping: { kind: 'flat', norm: 1 },
      engine: failing,
    });
    await gradient(x, y);
    opened = true;
    await caught(gradient(x, y));
  });
});
