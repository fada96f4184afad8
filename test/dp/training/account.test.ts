import { describe, expect, it } from 'vitest';
import type { PlanWithoutNoise } from '../../../packages/dp/src/plan/calibrate-plan.ts';
import { TrainingAccount } from '../../../packages/dp/src/training/account.ts';
import type { PrivacyTarget } from '../../../packages/dp/src/training/options.ts';

const poisson: PlanWithoutNoise = { sampleRate: 0.1, expectedBatchSize: 100, clipping: { kind: 'flat', norm: 1 } };
/** Ten batches per epoch. */
const shuffled: PlanWithoutNoise = {
  sampling: { kind: 'shuffle', batchSize: 100, sourceSize: 1000 },
  clipping: { kind: 'flat', norm: 1 },
};

const open = (mechanism: PlanWithoutNoise, privacy: PrivacyTarget): TrainingAccount =>
  new TrainingAccount({ mechanism, privacy, reports: { step: [], validation: undefined }, evaluations: undefined });

const charge = (account: TrainingAccount, steps: number): void => {
  for (let i = 0; i < steps; i++) account.chargeStep();
};

describe('checkpoints that foresee steps', () => {
  it('are both paid by who takes over both, also where the later steps cost more', () => {
    const mechanism: PlanWithoutNoise = { ...poisson, noiseSchedule: { kind: 'piecewise', boundaries: [10], values: [10, 1] } };
    const first = open(mechanism, { noiseMultiplier: 1 });
    charge(first, 5);
    const early = first.toJson({ steps: 5, evaluations: 0 });
    charge(first, 5);
    const late = first.toJson({ steps: 5, evaluations: 0 });
    // The steps that follow are of little noise; then the process dies.
    charge(first, 4);
    const second = open(mechanism, { noiseMultiplier: 1 });
    second.reader(early, 5)();
    expect(second.count('step')).toBe(10);
    second.reader(late, 10)();
    expect(second.count('step')).toBe(20);
    expect(second.spent(1e-5).upper).toBeGreaterThanOrEqual(first.spent(1e-5).upper);
    // Taking over the same one twice costs nothing.
    second.reader(late, 10)();
    expect(second.count('step')).toBe(20);
  });
});

describe('a target', () => {
  const delta = 1e-5;

  it('holds where the first batches of a shuffled epoch ran twice', () => {
    const account = open(shuffled, { target: { epsilon: 8, delta }, steps: 20 });
    account.checkLeft(20);
    charge(account, 5);
    account.rewind(0);
    expect(account.stepsLeft).toBe(15);
    // Fifteen more would begin a second and a third epoch, and two were planned.
    expect(() => account.checkLeft(15)).toThrow(/15 steps are asked for; after steps that were charged again.*beyond epsilon 8/);
    account.checkLeft(10);
    charge(account, 10);
    // Nor does it let itself be passed by without a check ahead.
    expect(() => account.chargeStep()).toThrow(/beyond epsilon 8/);
    expect(account.spent(undefined).upper).toBeLessThanOrEqual(8);
  });

  it('holds where a checkpoint from before an extension comes back', () => {
    const account = open(poisson, { target: { epsilon: 1, delta }, steps: 100 });
    charge(account, 50);
    const old = account.toJson();
    account.extend({ target: { epsilon: 8, delta }, steps: 20 });
    charge(account, 10);
    account.reader(old, 50)();
    expect(account.target).toEqual({ epsilon: 1, delta });
    expect(() => account.checkLeft(1)).toThrow(/beyond epsilon 1/);
    expect(() => account.chargeStep()).toThrow(/beyond epsilon 1/);
    // A greater target for everything together is a decision of its own.
    account.extend({ target: { epsilon: 9, delta }, steps: 5 });
    account.checkLeft(5);
    charge(account, 5);
    expect(account.spent(undefined).upper).toBeLessThanOrEqual(9);
  });

  it('leaves room for the evaluations that were planned, after steps that ran twice', () => {
    const account = new TrainingAccount({
      mechanism: poisson,
      privacy: { target: { epsilon: 2, delta }, steps: 20 },
      reports: { step: [], validation: [{ name: 'loss', clip: 1, noiseMultiplier: 5, examplesPerUnit: 1 }] },
      evaluations: 2,
    });
    charge(account, 10);
    account.rewind(0);
    account.checkLeft(10);
    account.chargeEvaluation();
    charge(account, 10);
    account.chargeEvaluation();
    expect(account.spent(undefined).upper).toBeLessThanOrEqual(2);
    expect(() => account.chargeEvaluation()).toThrow(/2 evaluations/);
  });
});
