import type { DpEvent } from '@sotto/core/event';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { calibratePlanNoise, createMechanismPlan, epsilonOf } from '@sotto/dp';
import type { MechanismPlan, MechanismRun, MechanismState, Schedule } from '@sotto/dp';
import { describe, expect, it } from 'vitest';

const settings = { clipping: { kind: 'flat', norm: 2 }, noiseMultiplier: 1.5 } as const;
const poisson = { ...settings, sampleRate: 0.5, expectedBatchSize: 4 } as const;

function begin(plan: MechanismPlan, seed: string, records = 8): MechanismRun {
  return plan.run({ records, dimension: 2, random: unsafeDeterministicRandom(seed) });
}

/** Runs steps on gradients of zero, and returns what each released. */
function advance(run: MechanismRun, steps: number) {
  return Array.from({ length: steps }, () => {
    const step = run.next();
    step.add([{ values: new Float64Array(2 * step.batch.length), width: 2 }], step.batch.length);
    return step.release();
  });
}

const step = (noiseMultiplier: number): DpEvent => ({
  type: 'poissonSampled',
  sampleRate: 0.5,
  event: { type: 'gaussian', noiseMultiplier },
});

describe('schedules of a plan', () => {
  const noiseSchedule: Schedule = { kind: 'piecewise', boundaries: [2, 5], values: [1, 2, 1] };
  const plan = createMechanismPlan({ ...poisson, noiseSchedule });

  it('noise: each step has its own, and the account has each', () => {
    const run = begin(plan, 'noise schedule');
    const deviations = advance(run, 7).map(({ standardDeviation }) => standardDeviation);
    expect(deviations).toEqual([3, 3, 6, 6, 6, 3, 3]);
    const expected: DpEvent = {
      type: 'composed',
      events: [
        { type: 'selfComposed', count: 4, event: step(1.5) },
        { type: 'selfComposed', count: 3, event: step(3) },
      ],
    };
    expect(plan.eventOfSteps(7)).toEqual(expected);
    expect(run.event()).toEqual(expected);
    expect(() => plan.event).toThrow(/eventOfSteps/);
    // Between the account of the least noise throughout and that of the greatest.
    const epsilon = (event: DpEvent): number => epsilonOf(event, { delta: 1e-5 }).upper;
    const [all, least, most] = [expected, step(1.5), step(3)].map((event) =>
      epsilon(event === expected ? event : { type: 'selfComposed', count: 7, event }),
    ) as [number, number, number];
    expect(all).toBeLessThan(least);
    expect(all).toBeGreaterThan(most);
  });

  it('clip norm: sensitivity and noise follow it, and the cost stays', () => {
    const scheduled = createMechanismPlan({ ...poisson, normSchedule: { kind: 'exponential', from: 1, to: 0.25, steps: 2 } });
    const run = begin(scheduled, 'norm schedule');
    const released = advance(run, 4);
    expect(released.map(({ clipNorm }) => clipNorm)).toEqual([2, 1, 0.5, 0.5]);
    expect(released.map(({ standardDeviation }) => standardDeviation)).toEqual([3, 1.5, 0.75, 0.75]);
    expect(run.event()).toEqual({ type: 'selfComposed', count: 4, event: step(1.5) });
    const certain = createMechanismPlan({
      ...poisson,
      sampleRate: 1,
      noiseMultiplier: 0.01,
      normSchedule: { kind: 'constant', value: 0.5 },
    });
    const one = begin(certain, 'norm', 1).next();
    one.add([{ values: Float64Array.of(30, 40), width: 2 }], 1);
    const { sum } = one.release();
    expect(Math.hypot(...sum)).toBeGreaterThan(0.9);
    expect(Math.hypot(...sum)).toBeLessThan(1.1);
  });

  it('noise of an epoch of shuffled batches: the least of the epoch counts', () => {
    const shuffled = createMechanismPlan({
      ...settings,
      sampling: { kind: 'shuffle', batchSize: 4, sourceSize: 8 },
      noiseSchedule: { kind: 'linear', from: 1, to: 3, steps: 4 },
    });
    const epoch = (noiseMultiplier: number, epochs: number): DpEvent => ({
      type: 'shuffled',
      batches: 2,
      epochs,
      event: { type: 'gaussian', noiseMultiplier },
    });
    expect(shuffled.eventOfSteps(7)).toEqual({ type: 'composed', events: [epoch(1.5, 1), epoch(3, 1), epoch(4.5, 2)] });
    const falling = createMechanismPlan({
      ...settings,
      sampling: { kind: 'shuffle', batchSize: 4, sourceSize: 8 },
      noiseSchedule: { kind: 'linear', from: 3, to: 1, steps: 4 },
    });
    expect(falling.eventOfStep(0)).toEqual(epoch(3.75, 1));
    expect(falling.eventOfStep(1)).toEqual({ type: 'noOp' });
  });

  it('noise on one grid throughout, so that noise drawn ahead fits every step', () => {
    const run = begin(
      createMechanismPlan({ ...poisson, noiseSchedule: { kind: 'linear', from: 0.3, to: 40, steps: 5 } }),
      'grid',
    );
    const bits = new Set(Array.from({ length: 7 }, () => advance(run, 1)[0]!.standardDeviation));
    expect(bits.size).toBe(6);
  });

  it('noise: a target is met by its scale, never exceeded', () => {
    const shape: Schedule = { kind: 'hold', every: 10, schedule: { kind: 'linear', from: 1.5, to: 0.8, steps: 40 } };
    const target = { epsilon: 2, delta: 1e-5, steps: 60, tolerance: 1e-4 };
    const options = { sampleRate: 0.02, expectedBatchSize: 20, clipping: settings.clipping, noiseSchedule: shape };
    const { value, achieved } = calibratePlanNoise(options, target);
    const spent = (scale: number): number => {
      const calibrated = createMechanismPlan({ ...options, noiseMultiplier: scale });
      return epsilonOf(calibrated.eventOfSteps(60), { delta: 1e-5, ...calibrated.relation }).upper;
    };
    expect(achieved.upper).toBeLessThanOrEqual(2);
    expect(spent(value)).toBe(achieved.upper);
    expect(spent(value * 0.999)).toBeGreaterThan(2);
  });

  it('shuffled batches: a target is met under their own relation, far from the Poisson figure', () => {
    const target = { epsilon: 2, delta: 1e-5, steps: 100 };
    const shuffled = calibratePlanNoise(
      { sampling: { kind: 'shuffle', batchSize: 20, sourceSize: 1000 }, clipping: settings.clipping },
      target,
    );
    const poissonSampled = calibratePlanNoise({ sampleRate: 0.02, expectedBatchSize: 20, clipping: settings.clipping }, target);
    expect(shuffled.achieved.adjacency).toBe('zeroOut');
    expect(shuffled.achieved.upper).toBeLessThanOrEqual(2);
    expect(shuffled.value).toBeGreaterThan(2 * poissonSampled.value);
    const besides: DpEvent = { type: 'gaussian', noiseMultiplier: 3 };
    const less = calibratePlanNoise(
      { sampleRate: 0.02, expectedBatchSize: 20, clipping: settings.clipping },
      { ...target, besides },
    );
    expect(less.value).toBeGreaterThan(poissonSampled.value);
  });
});

describe('the state of a run', () => {
  const shuffle = createMechanismPlan({ ...settings, sampling: { kind: 'shuffle', batchSize: 3, sourceSize: 9 } });
  const epochs = (count: number): DpEvent => ({
    type: 'shuffled',
    batches: 3,
    epochs: count,
    event: { type: 'gaussian', noiseMultiplier: 1.5 },
  });
  /** What a file gives back. */
  const throughFile = (state: MechanismState): MechanismState => structuredClone(state);

  it('goes on where it was: the rest of the epoch, nothing charged twice', () => {
    const first = begin(shuffle, 'before');
    const seen = [...first.next().batch];
    const second = begin(shuffle, 'after');
    second.restore(throughFile(first.state({ keepOrder: true })), { sole: true });
    expect(second.position).toBe(1);
    seen.push(...second.next().batch, ...second.next().batch);
    expect(seen.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(second.event()).toEqual(epochs(1));
    second.next();
    expect(second.event()).toEqual(epochs(2));
  });

  it('an epoch whose batches may have been drawn twice is charged twice, in a fresh order', () => {
    const run = begin(shuffle, 'twice');
    run.next();
    const state = throughFile(run.state({ keepOrder: true }));
    run.restore(state); // nothing ran since: nothing is lost
    const once = [...run.next().batch];
    expect(run.event()).toEqual(epochs(1));
    run.restore(state);
    const again = [...run.next().batch];
    expect(run.event()).toEqual(epochs(2));
    expect(again).not.toEqual(once);
    run.next();
    expect(run.event()).toEqual(epochs(2));
    const other = begin(shuffle, 'lost');
    other.restore(state, { lostSteps: 1, sole: true });
    expect(other.event()).toEqual(epochs(1));
    other.next();
    expect(other.event()).toEqual(epochs(2));
  });

  it('without its order is charged as another epoch, also where it was taken after a return', () => {
    const run = begin(shuffle, 'orderless');
    run.next();
    expect(run.state().order).toBeUndefined();
    const kept = run.state({ keepOrder: true });
    const { order, ...state } = kept;
    expect(order).toHaveLength(9);
    const other = begin(shuffle, 'other data');
    other.restore(state, { sole: true });
    other.next();
    expect(other.event()).toEqual(epochs(2));
    run.next();
    run.restore(kept);
    expect(run.state({ keepOrder: true }).order).toBeUndefined();
    const third = begin(shuffle, 'third');
    third.restore(throughFile(run.state({ keepOrder: true })), { sole: true });
    third.next();
    expect(third.event()).toEqual(epochs(2));
  });

  it('is gone on from by several runs at the cost of an epoch each, in orders of their own', () => {
    const run = begin(shuffle, 'told');
    run.next();
    const state = throughFile(run.state({ keepOrder: true }));
    const rest = (fork: MechanismRun): number[][] => {
      fork.restore(throughFile(state));
      const batches = [fork.next(), fork.next()].map(({ batch }) => [...batch]);
      expect(fork.event()).toEqual(epochs(2));
      return batches;
    };
    const [first, second] = [rest(begin(shuffle, 'fork 1')), rest(begin(shuffle, 'fork 2'))];
    expect(first).not.toEqual(second);
    // The rest of the epoch of the run itself was paid for.
    const own = [run.next(), run.next()].map(({ batch }) => [...batch]);
    expect(run.event()).toEqual(epochs(1));
    expect(own).not.toEqual(first);
    expect(() => begin(shuffle, 'number').restore(state, 2 as unknown as object)).toThrow(/options of restore must be an object/);
  });

  it('of a run that went on elsewhere is refused, since neither knows what the other has cost', () => {
    const plan = createMechanismPlan(poisson);
    const run = begin(plan, 'went on');
    advance(run, 10);
    const early = throughFile(run.state());
    advance(run, 2);
    const late = throughFile(run.state());
    const fork = begin(plan, 'fork');
    fork.restore(early);
    advance(fork, 3);
    for (const state of [late, early]) expect(() => fork.restore(state)).toThrow(/another run/);
    expect(fork.event()).toMatchObject({ count: 13 });
    // What it told itself is its own.
    const own = throughFile(fork.state());
    expect(own.run).not.toBe(early.run);
    advance(fork, 1);
    fork.restore(own);
    expect(fork.event()).toMatchObject({ count: 14 });
    expect(() => run.restore(own)).toThrow(/another run/);
  });

  it('steps that ran after it stay charged, and lost ones are', () => {
    const plan = createMechanismPlan({ ...poisson, noiseSchedule: { kind: 'linear', from: 1, to: 2, steps: 2 } });
    const run = begin(plan, 'stays');
    advance(run, 1);
    const state = throughFile(run.state());
    advance(run, 2);
    run.restore(state);
    expect(run.position).toBe(1);
    advance(run, 1);
    const once = (noise: number, count: number): DpEvent => ({ type: 'selfComposed', count, event: step(noise) });
    expect(run.event()).toEqual({ type: 'composed', events: [once(1.5, 1), once(2.25, 2), once(3, 1)] });
    const other = begin(plan, 'lost');
    other.restore(state, { lostSteps: 2 });
    expect(other.event()).toEqual({ type: 'composed', events: [once(1.5, 1), once(2.25, 1), once(3, 1)] });
    advance(other, 1);
    expect(other.event()).toEqual({ type: 'composed', events: [once(1.5, 1), once(2.25, 2), once(3, 1)] });
  });

  it('of another plan, another run or made up is refused', () => {
    const run = begin(shuffle, 'refuse');
    run.next();
    const state = run.state({ keepOrder: true });
    const fresh = (): MechanismRun => begin(shuffle, 'fresh');
    expect(() => begin(createMechanismPlan(poisson), 'other').restore(state)).toThrow(/the state is of the plan/);
    const other = fresh();
    other.next();
    expect(() => other.restore(state)).toThrow(/another run/);
    const { order, ...rest } = state;
    for (const bad of [
      { ...rest, order: order!.slice(1) },
      { ...rest, order: order!.map(() => 0) },
    ]) {
      expect(() => fresh().restore(bad)).toThrow(/state.order must hold each of 9 places once/);
    }
    expect(() => fresh().restore({ ...state, position: -1 })).toThrow(/state.position/);
    expect(() => fresh().restore({ ...state, begun: 0 })).toThrow(/state.begun/);
    expect(() =>
      fresh().restore({ ...state, charges: [{ count: 1, event: { type: 'gaussian', noiseMultiplier: -1 } }] }),
    ).toThrow(/noiseMultiplier/);
    expect(() => run.restore({ ...state, begun: 5 })).toThrow(/charged more/);
    expect(() => run.restore(state, { lostSteps: 1 })).toThrow(/lostSteps/);
  });
});
