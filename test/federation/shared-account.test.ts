/**
 * Two runs on one account: both count under the order of the account, whatever their plans would like, so that one RDP filter guards all that was released.
 */
import { nobleCrypto } from '@sotto/core/crypto-noble';
import type { DpEvent } from '@sotto/core/event';
import { accountFilter, planBudget, PrivacyFilter } from '@sotto/dp';
import type { AccountState } from '@sotto/governance';
import { expect, test } from 'vitest';
import { chargedFilter, openAccount, refusal } from '../../packages/federation/src/client/budget.ts';
import type { ClientStore } from '../../packages/federation/src/client/client-store.ts';
import type { PreparedTask } from '../../packages/federation/src/client/task.ts';
import type { ClientConfig } from '../../packages/federation/src/config/client-config.ts';
import type { World } from '../../packages/federation/src/service/world.ts';
import { tinyPlan } from './support.ts';

const budget = { epsilon: 1, delta: 1e-3 };
const config = { id: 'ann', directory: 'ann', budget } as ClientConfig;
const plan = tinyPlan();

const sampled = (sampleRate: number, noiseMultiplier: number): DpEvent => ({
  type: 'poissonSampled',
  sampleRate,
  event: { type: 'gaussian', noiseMultiplier },
});

/** An account that has spent events, in runs of their own. */
function accountOf(events: readonly DpEvent[]): AccountState {
  const reservations = events.map((event, i) => ({ status: 'contributed', reserve: { entry: { runId: `run-${i}`, event } } }));
  return { reservations } as unknown as AccountState;
}

const taskOf = (event: DpEvent, filter: PrivacyFilter): PreparedTask => ({ event, filter }) as PreparedTask;

test('the order of an account is that of a planned run which uses the budget up', () => {
  for (const [epsilon, delta, sampleRate, rounds] of [
    [1, 1e-3, 0.9, 20],
    [1, 1e-3, 1, 20],
    [0.1, 1e-3, 0.01, 500],
    [8, 1e-5, 0.5, 3],
    [0.003, 1e-6, 0.2, 10],
  ] as const) {
    const planned = planBudget({ epsilon, delta, sampleRate, rounds });
    const own = accountFilter({ epsilon, delta, first: planned.roundEvent });
    expect(own.affordable(planned.roundEvent)).toBeGreaterThanOrEqual(rounds);
    expect(own.affordable(planned.roundEvent)).toBeLessThanOrEqual(rounds + 1);
    expect(own.reservations).toEqual([]);
    expect(own).toMatchObject({ kind: 'rdp', epsilon, delta });
  }
});

test('a budget that does not pay for one event has no order', () => {
  expect(() => accountFilter({ ...budget, first: { type: 'gaussian', noiseMultiplier: 0.1 } })).toThrow(
    'does not cover gaussian once',
  );
  expect(accountFilter({ ...budget, first: { type: 'noOp' } }).orders).toHaveLength(1);
});

test('a second run counts under the order of the first, not under one that its own plan would like', () => {
  // The first run spends half of the budget on rounds of everything; the second wants many rounds with small samples of little noise, for which a lower order is best.
  const first = planBudget({ ...budget, sampleRate: 1, rounds: 2 });
  const second = planBudget({ ...budget, sampleRate: 0.01, rounds: 400 });
  const [high] = first.filter.orders;
  expect(second.filter.orders).not.toEqual([high]);
  const account = accountOf([first.roundEvent]);
  const charged = chargedFilter(config, plan, taskOf(second.roundEvent, second.filter), account);
  expect(charged.orders).toEqual([high]);
  const outcome = second.filter.reserve('before', first.roundEvent);
  expect(outcome.granted).toBe(true);
  // Its own order has room for rounds that the account's has not: those are refused.
  const rounds = (noiseMultiplier: number): DpEvent => ({
    type: 'selfComposed',
    count: 200,
    event: sampled(0.01, noiseMultiplier),
  });
  const noises = Array.from({ length: 60 }, (_, i) => 0.5 * 1.02 ** i);
  const between = noises.filter(
    (noise) => outcome.filter.affordable(rounds(noise)) > 0 && charged.affordable(rounds(noise)) === 0,
  );
  expect(between.length).toBeGreaterThan(0);
  for (const noise of between) {
    expect(refusal(config, plan, taskOf(rounds(noise), second.filter), account)).toContain('does not cover');
  }
  // What the account's order has room for is granted.
  expect(refusal(config, plan, taskOf(rounds(4), second.filter), account)).toBeUndefined();
});

test('a filter of another rule is refused, because the runs of an account must share one', () => {
  const event = sampled(1, 100);
  for (const filter of [
    PrivacyFilter.open({ kind: 'zcdp', ...budget }),
    PrivacyFilter.open({ kind: 'rdp', ...budget, orders: [8], slackShare: 0.1 }),
  ]) {
    expect(() => chargedFilter(config, plan, taskOf(event, filter), accountOf([]))).toThrow('fresh one of kind rdp');
  }
});

test('an account opened for another relation or unit is not shared', () => {
  const accounts = new Map<string, unknown>();
  const append = (entry: unknown): void => void accounts.set('ann', { opened: { entry } });
  const store = { salt: () => new Uint8Array(32), ledger: { append, ledger: { state: { accounts } } } } as unknown as ClientStore;
  const world = {
    crypto: nobleCrypto,
    random: { fill: (bytes: Uint8Array) => bytes.fill(3) },
    nowMs: () => 1,
  } as unknown as World;
  const account = { dataset: 'd', steward: 's', purpose: 'p', legalBasis: 'l' };
  const event = sampled(1, 100);
  const task = { ...taskOf(event, PrivacyFilter.open({ kind: 'rdp', ...budget, orders: [8] })), contentHash: new Uint8Array(32) };
  const open = (training: object): void => {
    openAccount(
      { ...config, account } as ClientConfig,
      { ...plan, training: { ...plan.training, ...training } },
      task,
      store,
      world,
    );
  };
  open({});
  open({});
  expect(() => open({ adjacency: 'replaceOne' })).toThrow('promises its budget for addOrRemoveOne of a record');
  expect(() => open({ unit: 'user' })).toThrow('counts addOrRemoveOne of a user');
});
