import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { SottoError } from '../../packages/core/src/errors.ts';
import { planBudget } from '../../packages/dp/src/index.ts';
import { accountant } from '../../packages/federation/src/accounting.ts';
import type { RunOutcome, TrainResult } from '../../packages/federation/src/index.ts';
import { Federation, expectedModel, fixedTask, fourIds, tinyPlan, updateOf } from './support.ts';

const others = fourIds.slice(1);

function membersByRound(federation: Federation): (readonly [unknown, unknown])[] {
  return federation.book.events('round.published').map(({ round, members }) => [round, members]);
}

/** The abort entries of the coordinator's ledger, as they are stored. */
function abortsIn(federation: Federation): unknown[] {
  const database = new DatabaseSync(federation.at('coordinator', 'coordinator.db'), { readOnly: true });
  const rows = database.prepare('SELECT leaf FROM ledger ORDER BY position').all();
  database.close();
  const entries = rows.map(({ leaf }) => JSON.parse(Buffer.from(leaf as Uint8Array).toString()) as { readonly kind: unknown });
  return entries.filter(({ kind }) => kind === 'abort');
}

function expectModel(outcomes: readonly RunOutcome[], rounds: readonly (readonly string[])[], ofRound?: readonly number[]): void {
  for (const { weights } of outcomes)
    expectedModel(rounds, ofRound).forEach((value, i) => expect(weights[i]).toBeCloseTo(value, 3));
}

test('a client that is gone after its shares are out leaves the exact sum of the other three, and comes back in the next round', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  const drilled = federation.client('ann', { config: { drill: { round: 1, after: 'share' } } });
  const steady = others.map((id) => federation.client(id));
  await federation.book.when('client.drill');
  drilled.abandon();
  await federation.book.when('round.published', ({ round }) => round === 1);
  const back = federation.client('ann');
  const outcomes = await Promise.all([back, ...steady].map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([
    [1, others],
    [2, fourIds],
  ]);
  expectModel(outcomes, [others, fourIds]);
  expect(outcomes.map(({ contributed }) => contributed)).toEqual([1, 2, 2, 2]);
  expect(federation.book.events('client.sat-out')).toMatchObject([{ party: 'ann', round: 1 }]);
});

test('a client that restarts during the round sits it out, and the round does not wait for it', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator({ config: { disconnectGraceMs: 3_600_000 } });
  const drilled = federation.client('ann', { config: { drill: { round: 1, after: 'share' } } });
  const steady = others.map((id) => federation.client(id));
  await federation.book.when('client.drill');
  drilled.abandon();
  // The grace is an hour: only its asking for the next round tells the coordinator that it is not in this one any more.
  const back = federation.client('ann');
  await Promise.all([back, ...steady].map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([
    [1, others],
    [2, fourIds],
  ]);
});

test('a client that dies while it trains has spent its reservation and never contributes to that round', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  let trainings = 0;
  let reached: () => void = () => undefined;
  const training = new Promise<void>((resolve) => (reached = resolve));
  const stuck = fixedTask('ann', () => {
    trainings++;
    reached();
    return new Promise<TrainResult>(() => undefined);
  });
  const first = federation.client('ann', { task: stuck });
  const steady = others.map((id) => federation.client(id));
  await training;
  first.abandon();
  await federation.book.when('round.published', ({ round }) => round === 1);
  const back = federation.client('ann');
  const [outcome] = await Promise.all([back, ...steady].map((client) => client.finished));
  expect(trainings).toBe(1);
  expect(membersByRound(federation)).toEqual([
    [1, others],
    [2, fourIds],
  ]);
  // Round 1 was reserved and never released: two rounds are spent, one was contributed.
  expect(outcome).toMatchObject({ contributed: 1 });
  const { roundEvent } = planBudget({ epsilon: 1, delta: 0.001, sampleRate: 0.5, rounds: 2 });
  const { epsilon } = accountant([roundEvent, roundEvent], { delta: 0.001, adjacency: 'addOrRemoveOne' });
  expect(outcome?.epsilonSpent).toBeCloseTo(epsilon, 9);
});

test('a coordinator that dies while its clients train aborts the round as spent, and the next is fresh', async () => {
  const federation = new Federation(tinyPlan({ rounds: 3 }));
  await federation.authority();
  const first = await federation.coordinator();
  let hold: (() => void) | undefined;
  let reached: () => void = () => undefined;
  const training = new Promise<void>((resolve) => (reached = resolve));
  const task = fixedTask('ann', async ({ round }) => {
    if (round === 2 && hold === undefined) {
      const held = new Promise<void>((resolve) => (hold = resolve));
      reached();
      await held;
    }
    return { update: updateOf('ann', round), metrics: { correct: 3, total: 5 } };
  });
  const clients = [federation.client('ann', { task }), ...others.map((id) => federation.client(id))];
  await training;
  first.abandon();
  const second = await federation.coordinator();
  hold?.();
  const outcomes = await Promise.all(clients.map((client) => client.finished));
  await federation.book.when('export.written');
  expect(second.address).not.toBe('');
  expect(abortsIn(federation)).toMatchObject([{ round: 2, stage: 'masked', spent: fourIds }]);
  expect(membersByRound(federation)).toEqual([
    [1, fourIds],
    [3, fourIds],
  ]);
  expectModel(outcomes, [fourIds, fourIds], [1, 3]);
  expect(federation.book.events('run.completed')).toMatchObject([{ published: 2, aborted: 1 }]);
  for (const { epsilonSpent } of outcomes) expect(epsilonSpent).toBeLessThanOrEqual(1);
});

test('a coordinator that dies before anybody saw U1 aborts the round with nothing spent', async () => {
  const federation = new Federation();
  await federation.authority();
  const first = await federation.coordinator();
  const clients = fourIds.map((id) => federation.client(id));
  await federation.book.when('round.stage', ({ stage }) => stage === 'share');
  first.abandon();
  await federation.coordinator();
  const outcomes = await Promise.all(clients.map((client) => client.finished));
  expect(abortsIn(federation)).toMatchObject([{ round: 1, stage: 'share', spent: [] }]);
  expect(membersByRound(federation)).toEqual([[2, fourIds]]);
  expect(outcomes.map(({ contributed }) => contributed)).toEqual([1, 1, 1, 1]);
});

test('a coordinator that is told to stop during a round writes the abort itself, and goes on when it is started again', async () => {
  const federation = new Federation();
  await federation.authority();
  const first = await federation.coordinator();
  let reached: () => void = () => undefined;
  const training = new Promise<void>((resolve) => (reached = resolve));
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const task = fixedTask('ann', async ({ round }) => {
    reached();
    await held;
    return { update: updateOf('ann', round), metrics: { correct: 3, total: 5 } };
  });
  const clients = [federation.client('ann', { task }), ...others.map((id) => federation.client(id))];
  await training;
  await first.stop(1);
  await expect(first.finished).resolves.toBeUndefined();
  expect(abortsIn(federation)).toMatchObject([
    { round: 1, stage: 'masked', spent: fourIds, reason: 'the coordinator was stopped' },
  ]);
  release();
  await federation.coordinator();
  await Promise.all(clients.map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([[2, fourIds]]);
});

test('a coordinator that dies between the end of the run and the export writes it after its restart', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  const first = await federation.coordinator();
  const clients = fourIds.map((id) => federation.client(id));
  await federation.book.when('run.completed');
  first.abandon();
  const second = await federation.coordinator({ config: { exitWhenDone: true } });
  await Promise.all(clients.map((client) => client.finished));
  await second.finished;
  expect(federation.book.events('export.written')).toHaveLength(1);
  expect(federation.book.events('run.completed')).toHaveLength(1);
});

test('a coordinator that is stopped lets the round in hand end, and begins no other', async () => {
  const federation = new Federation();
  await federation.authority();
  const first = await federation.coordinator({ config: { drainMs: 3_600_000 } });
  let stopped: Promise<void> | undefined;
  const task = fixedTask('ann', ({ round }) => {
    stopped ??= first.stop();
    return { update: updateOf('ann', round), metrics: { correct: 3, total: 5 } };
  });
  const clients = [federation.client('ann', { task }), ...others.map((id) => federation.client(id))];
  await first.finished;
  await stopped;
  expect(membersByRound(federation)).toEqual([[1, fourIds]]);
  expect(abortsIn(federation)).toEqual([]);
  await federation.coordinator();
  const outcomes = await Promise.all(clients.map((client) => client.finished));
  expect(outcomes.map(({ contributed }) => contributed)).toEqual([2, 2, 2, 2]);
});

test('after the end of the run, a restarted client ends though the coordinator is gone, and a restarted coordinator waits for clients', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  const first = await federation.coordinator();
  const clients = fourIds.map((id) => federation.client(id));
  const outcomes = await Promise.all(clients.map((client) => client.finished));
  await federation.book.when('export.written');
  first.abandon();
  const again = await federation.client('ann', { config: { farewellMs: 300 } }).finished;
  expect(again).toEqual(outcomes[0]);
  expect(federation.book.events('client.finished').at(-1)).toMatchObject({ party: 'ann', coordinator: 'gone' });
  // As if it had been killed before it told anybody that the ledgers had come.
  const second = await federation.coordinator({ config: { exitWhenDone: true, lingerMs: 3_600_000 } });
  const late = fourIds.map((id) => federation.client(id));
  await Promise.all(late.map((client) => client.finished));
  await second.finished;
  const third = await federation.coordinator({ config: { exitWhenDone: true, lingerMs: 50 } });
  await third.finished;
});

test('too few clients: the coordinator waits, and begins when there are enough', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1, deadlines: { joinMs: 50 } }));
  await federation.authority();
  await federation.coordinator();
  const clients = ['ann', 'bob'].map((id) => federation.client(id));
  await federation.book.when('client.joined', ({ party }) => party === 'bob');
  expect(federation.book.events('round.started')).toEqual([]);
  const third = federation.client('cyd');
  await federation.book.when('round.published');
  expect(membersByRound(federation)).toEqual([[1, ['ann', 'bob', 'cyd']]]);
  const fourth = federation.client('dan');
  const outcomes = await Promise.all([...clients, third, fourth].map((client) => client.finished));
  expect(outcomes.map(({ contributed }) => contributed)).toEqual([1, 1, 1, 0]);
});

test('a round that loses too many is aborted with its members’ reservations spent, and the run goes on', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  const drill = { config: { drill: { round: 1, after: 'share' } } };
  const drilled = [federation.client('ann', drill), federation.client('bob', drill)];
  const steady = ['cyd', 'dan'].map((id) => federation.client(id));
  await federation.book.when('client.drill', ({ party }) => party === 'ann');
  await federation.book.when('client.drill', ({ party }) => party === 'bob');
  for (const client of drilled) client.abandon();
  await federation.book.when('round.aborted');
  const back = [federation.client('ann'), federation.client('bob')];
  await Promise.all([...back, ...steady].map((client) => client.finished));
  expect(abortsIn(federation)).toMatchObject([{ round: 1, stage: 'masked', spent: fourIds }]);
  expect(membersByRound(federation)).toEqual([[2, fourIds]]);
  await federation.book.when('export.written');
});

test('a coordinator whose log was rewound is refused by every client that has seen more', async () => {
  const federation = new Federation(tinyPlan({ rounds: 2 }));
  await federation.authority();
  const first = await federation.coordinator();
  const clients = fourIds.map((id) => federation.client(id));
  await federation.book.when('round.published', ({ round }) => round === 1);
  await federation.book.when('client.shared', ({ round }) => round === 2);
  for (const client of clients) client.abandon();
  first.abandon();
  // The same identity and keys, with an empty store: as if an old backup had been restored.
  for (const suffix of ['', '-wal', '-shm']) rmSync(federation.at('coordinator', `coordinator.db${suffix}`), { force: true });
  await federation.coordinator();
  const again = federation.client('ann');
  await expect(again.finished).rejects.toThrow(SottoError);
  await expect(again.finished).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringContaining('rewound') as string,
  });
});

test('a client whose policy names other plans leaves', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  const config = { policy: { plans: ['ab'.repeat(32)] } };
  await federation.coordinator();
  const client = federation.client('ann', { config });
  await expect(client.finished).rejects.toMatchObject({
    code: 'permission-denied',
    message: expect.stringContaining('policy.plans') as string,
  });
});
