import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { type BudgetKind, epsilonOf, planBudget, PrivacyFilter, PrivacyOdometer, type ReserveOutcome } from '@sotto/dp';
import type { DpEvent } from '@sotto/core/event';

const step: DpEvent = { type: 'poissonSampled', sampleRate: 0.1, event: { type: 'gaussian', noiseMultiplier: 2 } };
const gaussian = (noiseMultiplier: number): DpEvent => ({ type: 'gaussian', noiseMultiplier });

function granted(outcome: ReserveOutcome): PrivacyFilter {
  if (!outcome.granted) throw new Error(outcome.reason);
  return outcome.filter;
}

const budgets: readonly { kind: BudgetKind; event: DpEvent }[] = [
  { kind: 'rdp', event: step },
  { kind: 'zcdp', event: gaussian(20) },
  { kind: 'gdp', event: gaussian(20) },
  { kind: 'approx', event: { type: 'epsilonDelta', epsilon: 0.02, delta: 1e-9 } },
];

describe.each(budgets)('a filter of kind $kind', ({ kind, event }) => {
  const open = (): PrivacyFilter => PrivacyFilter.open({ kind, epsilon: 1, delta: 1e-5 });

  it('grants until the budget is used up, then says what is affordable, and what was granted is within the budget', () => {
    let filter = open();
    let count = 0;
    for (; count < 100_000; count++) {
      const outcome = filter.reserve(`r${count}`, event);
      if (!outcome.granted) {
        expect(outcome.affordableCount).toBe(0);
        expect(outcome.reason).toContain('ε = 1');
        break;
      }
      expect(filter.affordable(event)).toBeGreaterThan(0);
      filter = outcome.filter.commit(`r${count}`);
    }
    expect(count).toBeGreaterThan(3);
    const spent = epsilonOf({ type: 'selfComposed', count, event }, { delta: 1e-5 });
    expect(spent.upper).toBeLessThanOrEqual(1);
    expect(open().affordable(event)).toBe(count);
    const bulk = open().reserve('bulk', { type: 'selfComposed', count: 10 * count, event });
    expect(bulk.granted).toBe(false);
  });

  it('counts open reservations, frees released ones and keeps forfeited ones', () => {
    const whole: DpEvent = { type: 'selfComposed', count: open().affordable(event), event };
    const held = granted(open().reserve('a', whole));
    expect(held.reserve('b', event).granted).toBe(false);
    expect(held.release('a').reserve('b', whole).granted).toBe(true);
    expect(held.forfeit('a').reserve('b', event).granted).toBe(false);
    expect(held.commit('a').reserve('b', event).granted).toBe(false);
  });

  it('is idempotent by reservation id and refuses contradictions', () => {
    const once = granted(open().reserve('a', event));
    const again = once.reserve('a', event);
    expect(granted(again).spent).toEqual(once.spent);
    expect(() => once.reserve('a', { type: 'selfComposed', count: 2, event })).toThrow('exists for another event');
    const done = once.commit('a');
    expect(done.commit('a')).toBe(done);
    expect(() => done.release('a')).toThrow('is committed already');
    expect(() => done.forfeit('a')).toThrow('is committed already');
    expect(granted(done.reserve('a', event)).spent).toEqual(done.spent);
    const freed = once.release('a');
    expect(freed.release('a')).toBe(freed);
    expect(() => freed.commit('a')).toThrow('is released already');
    expect(() => freed.reserve('a', event)).toThrow('was released');
    expect(() => once.commit('z')).toThrow('there is no reservation');
  });

  it('survives storage at every point of a random history', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom('reserve', 'commit', 'release', 'forfeit'))),
        (steps) => {
          let filter = open();
          for (const [i, action] of steps) {
            const id = `r${i}`;
            try {
              if (action === 'reserve') filter = filter.reserve(id, event).filter;
              else if (action === 'commit') filter = filter.commit(id);
              else if (action === 'release') filter = filter.release(id);
              else filter = filter.forfeit(id);
            } catch (error) {
              expect(error).toMatchObject({ code: expect.stringMatching(/conflict|not-found/) as string });
            }
            const back = PrivacyFilter.fromJson(JSON.parse(JSON.stringify(filter.toJson())));
            expect(back.spent).toEqual(filter.spent);
            expect(back.reservations).toEqual(filter.reservations);
          }
          filter.spent.forEach((value) => expect(Number.isSafeInteger(value) && value >= 0).toBe(true));
        },
      ),
      { numRuns: 30, seed: 11 },
    );
  });

  it('notices a state that was altered beyond its budget', () => {
    const state = granted(open().reserve('a', event)).toJson() as unknown as { reservations: { event: DpEvent }[] };
    const altered = JSON.parse(JSON.stringify(state)) as { reservations: { event: unknown }[] };
    altered.reservations[0]!.event = { version: 1, type: 'selfComposed', count: 1e9, event };
    expect(() => PrivacyFilter.fromJson(altered)).toThrow('it was altered');
    expect(() => PrivacyFilter.fromJson({ ...state, version: 3 })).toThrow('reads version 1');
    expect(() => PrivacyFilter.fromJson({ ...state, reservations: [state.reservations[0], state.reservations[0]] })).toThrow(
      'twice',
    );
  });

  it('an odometer shows no less than what was spent, and grows', () => {
    let odometer = PrivacyOdometer.start({ kind, delta: 1e-5 });
    expect(odometer.epsilon).toBe(0);
    let before = 0;
    for (const count of [1, 5, 20]) {
      odometer = odometer.record({ type: 'selfComposed', count, event });
      expect(odometer.epsilon).toBeGreaterThanOrEqual(before);
      before = odometer.epsilon;
    }
    expect(before).toBeGreaterThanOrEqual(epsilonOf({ type: 'selfComposed', count: 26, event }, { delta: 1e-5 }).lower);
    expect(PrivacyOdometer.fromJson(JSON.parse(JSON.stringify(odometer.toJson()))).epsilon).toBe(before);
  });
});

describe('filters', () => {
  it('refuse what their kind cannot count, by name', () => {
    expect(() => PrivacyFilter.open({ kind: 'gdp', epsilon: 1, delta: 1e-5 }).reserve('a', step)).toThrow(
      'unsampled Gaussians only',
    );
    expect(() => PrivacyFilter.open({ kind: 'zcdp', epsilon: 1, delta: 1e-5 }).reserve('a', step)).toThrow(
      'poissonSampled has no zCDP bound',
    );
    expect(() => PrivacyFilter.open({ kind: 'approx', epsilon: 1, delta: 1e-5 }).reserve('a', step)).toThrow(
      '(ε, δ)-DP events only',
    );
    const loose: DpEvent = { type: 'epsilonDelta', epsilon: 0.1, delta: 1e-7 };
    expect(() => PrivacyFilter.open({ kind: 'rdp', epsilon: 1, delta: 1e-5 }).reserve('a', loose)).toThrow(
      'use an approx budget',
    );
    expect(() => PrivacyFilter.open({ kind: 'rdp', epsilon: 1, delta: 1e-5, orders: [1] })).toThrow('above 1.01');
    expect(() => PrivacyFilter.open({ kind: 'rdp', epsilon: 0, delta: 1e-5 })).toThrow('epsilon is 0');
    expect(() => PrivacyFilter.open({ kind: 'rdp', epsilon: 1, delta: 1 })).toThrow('delta is 1');
  });

  it('several orders share δ, so each alone affords more than it does among others', () => {
    const many = PrivacyFilter.open({ kind: 'rdp', epsilon: 2, delta: 1e-5, orders: [4, 8, 16] });
    const one = PrivacyFilter.open({ kind: 'rdp', epsilon: 2, delta: 1e-5, orders: [8] });
    expect(one.capacity[0]!).toBeGreaterThan(many.capacity[1]!);
    const plan: DpEvent = { type: 'selfComposed', count: 50, event: step };
    const planned = PrivacyFilter.open({ kind: 'rdp', epsilon: 2, delta: 1e-5, plan });
    expect(planned.orders).toHaveLength(1);
    expect(planned.affordable(step)).toBeGreaterThanOrEqual(many.affordable(step));
  });

  it('sets a share of δ aside for capped Poisson samples, and without it counts the cap in the divergence', () => {
    const capped: DpEvent = {
      type: 'truncatedPoissonSampled',
      sampleRate: 256 / 60000,
      sourceSize: 60000,
      cap: 370,
      event: { type: 'gaussian', noiseMultiplier: 1 },
    };
    const plan: DpEvent = { type: 'selfComposed', count: 500, event: capped };
    const planned = PrivacyFilter.open({ kind: 'rdp', epsilon: 1.5, delta: 1e-5, plan });
    const bare = PrivacyFilter.open({ kind: 'rdp', epsilon: 1.5, delta: 1e-5, orders: planned.orders });
    expect(planned.affordable(capped)).toBeGreaterThan(2 * bare.affordable(capped));
    const spent: DpEvent = { type: 'selfComposed', count: planned.affordable(capped), event: capped };
    expect(epsilonOf(spent, { delta: 1e-5 }).upper).toBeLessThanOrEqual(1.5);
    expect(PrivacyFilter.fromJson(JSON.parse(JSON.stringify(planned.toJson()))).capacity).toEqual(planned.capacity);
    expect(() => PrivacyFilter.open({ kind: 'rdp', epsilon: 1, delta: 1e-5, slackShare: 1 })).toThrow('slackShare is 1');
  });

  it('a planned run fits its own filter to the last round and not one more', () => {
    for (const [epsilon, rounds, sampleRate] of [
      [1, 20, 0.9],
      [1, 20, 1],
      [0.1, 500, 0.01],
      [8, 3, 0.5],
    ] as const) {
      const { filter, roundEvent, achievedEpsilon, noiseMultiplier } = planBudget({ epsilon, delta: 1e-3, sampleRate, rounds });
      expect(filter.affordable(roundEvent)).toBe(rounds);
      expect(achievedEpsilon).toBeLessThanOrEqual(epsilon);
      expect(achievedEpsilon).toBeGreaterThan(epsilon * (1 - 1e-5));
      expect(noiseMultiplier).toBeGreaterThan(0);
      const spent = epsilonOf({ type: 'selfComposed', count: rounds, event: roundEvent }, { delta: 1e-3 });
      expect(spent.upper).toBeLessThanOrEqual(epsilon);
    }
  });
});
