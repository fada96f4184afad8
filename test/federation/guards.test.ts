/** What a client refuses for its owner's sake, and what the coordinator refuses from a client. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { CryptoProvider } from '../../packages/core/src/crypto.ts';
import type { DpEvent } from '../../packages/core/src/event.ts';
import { planBudget } from '../../packages/dp/src/index.ts';
import { checkEventPolicy, checkPlanPolicy } from '../../packages/federation/src/client/site-policy.ts';
import { type ClientTask, defaultSitePolicyConfig, runUntilStopped } from '../../packages/federation/src/index.ts';
import { preparePlan } from '../../packages/federation/src/plan/terms.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/index.ts';
import { Federation, fixedTask, fourIds, proxyTo, tinyPlan, updateOf } from './support.ts';

const others = fourIds.slice(1);

function membersByRound(federation: Federation): (readonly [unknown, unknown])[] {
  return federation.book.events('round.published').map(({ round, members }) => [round, members]);
}

/** Noise for one round of the budget, though the plan has two: the second must be refused. */
function spendthrift(id: string): ClientTask {
  return {
    prepare: async (context) => {
      const planned = planBudget({ ...context.budget, sampleRate: context.party.sampleRate, rounds: 1 });
      const prepared = await fixedTask(id, ({ round }) => ({
        update: updateOf(id, round),
        metrics: { correct: 3, total: 5 },
      })).prepare(context);
      return { ...prepared, event: planned.roundEvent, filter: planned.filter };
    },
  };
}

test('a round that the budget does not cover is refused by its owner, and goes on without it', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  const poor = federation.client('ann', { task: spendthrift('ann') });
  const rest = others.map((id) => federation.client(id));
  const [outcome] = await Promise.all([poor, ...rest].map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([
    [1, fourIds],
    [2, others],
  ]);
  expect(outcome).toMatchObject({ contributed: 1 });
  expect(outcome?.epsilonSpent).toBeLessThanOrEqual(1);
  expect(federation.book.events('client.left-round')).toMatchObject([
    { party: 'ann', round: 2, code: 'budget-exhausted', contributed: false },
  ]);
});

test('the reservation is on disk before the task trains, the contribution before the coordinator has the input', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  // As another process would see it: only what is durable.
  const stored = (
    id: string,
  ): { readonly kinds: readonly unknown[]; readonly times: readonly unknown[]; readonly records: number } => {
    const database = new DatabaseSync(federation.at(id, 'client.db'), { readOnly: true });
    const leaves = database.prepare('SELECT leaf FROM ledger ORDER BY position').all();
    const entries = leaves.map(
      ({ leaf }) => JSON.parse(Buffer.from(leaf as Uint8Array).toString()) as { kind: unknown; timeMs: unknown },
    );
    const { count } = database.prepare('SELECT COUNT(*) AS count FROM record').get() as { count: number };
    database.close();
    return { kinds: entries.map(({ kind }) => kind), times: entries.map(({ timeMs }) => timeMs), records: count };
  };
  const seen: Record<string, unknown> = {};
  await federation.coordinator({
    onReceived: (_, { method, peer }) => {
      if (method.endsWith('/MaskedInput') && peer === 'ann') seen['upload'] ??= stored('ann');
      if (method.endsWith('/Unmask') && peer === 'ann') seen['unmask'] ??= stored('ann');
    },
  });
  const task = fixedTask('ann', async ({ round }) => {
    seen['training'] = stored('ann');
    // Until the clock has moved on.
    for (const before = Date.now(); Date.now() === before;) await new Promise(setImmediate);
    return { update: updateOf('ann', round), metrics: { correct: 3, total: 5 } };
  });
  const clients = [federation.client('ann', { task }), ...others.map((id) => federation.client(id))];
  await Promise.all(clients.map((client) => client.finished));
  const kindsOf = (when: string): unknown[] => (seen[when] as ReturnType<typeof stored>).kinds.slice(-1);
  expect(kindsOf('training')).toEqual(['reserve']);
  expect(kindsOf('upload')).toEqual(['contribute']);
  // How long training took is not in the ledger.
  expect((seen['upload'] as ReturnType<typeof stored>).times.slice(-1)).toEqual(
    (seen['training'] as ReturnType<typeof stored>).times.slice(-1),
  );
  expect(seen).toMatchObject({ training: { records: 0 }, upload: { records: 1 }, unmask: { records: 2 } });
});

test('a filter for a bigger budget than the owner’s is not believed', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  const task: ClientTask = {
    prepare: async (context) => {
      const generous = planBudget({ epsilon: 5, delta: 0.001, sampleRate: 0.5, rounds: 2 });
      const prepared = await spendthrift('ann').prepare(context);
      return { ...prepared, event: generous.roundEvent, filter: generous.filter };
    },
  };
  const client = federation.client('ann', { task });
  const rest = others.map((id) => federation.client(id));
  await Promise.all(rest.map((one) => one.finished));
  expect(membersByRound(federation)).toEqual([
    [1, others],
    [2, others],
  ]);
  const [left] = federation.book.events('client.left-round');
  expect(left).toMatchObject({ party: 'ann', code: 'invalid-argument' });
  await client.stop();
});

test.each([
  ['peers', { peers: ['ann', 'bob', 'cyd'] }, 'dan is not among policy.peers'],
  ['maxRounds', { maxRounds: 1 }, 'it has 2 rounds, policy.maxRounds is 1'],
  ['minHonest', { minHonest: 3 }, 'policy.minHonest is 3'],
  ['maxHoldoutFraction', { maxHoldoutFraction: 0.2 }, 'policy.maxHoldoutFraction is 0.2'],
  ['minNoiseMultiplier', { minNoiseMultiplier: 100 }, 'policy.minNoiseMultiplier is 100'],
  ['minSampleRate', { minSampleRate: 0.6 }, 'it samples records at rate 0.5, policy.minSampleRate is 0.6'],
])('the site policy outranks the plan: %s', async (_, policy, message) => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  const client = federation.client('ann', { config: { policy } });
  await expect(client.finished).rejects.toMatchObject({
    code: 'permission-denied',
    message: expect.stringContaining(message) as string,
  });
});

test('a plan that holds nearly all records out of the guarantee is refused by default, before the task looks at them', async () => {
  const federation = new Federation(tinyPlan({ holdoutFraction: 0.999999 }));
  await federation.authority();
  await federation.coordinator();
  const task: ClientTask = { prepare: () => Promise.reject(new Error('the task was asked')) };
  await expect(federation.client('ann', { task }).finished).rejects.toMatchObject({
    code: 'permission-denied',
    message: expect.stringContaining('policy.maxHoldoutFraction is 0.35') as string,
  });
});

test('a task whose noise is below the floor opens no account', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  let closed = 0;
  const task: ClientTask = {
    prepare: async (context) => {
      const prepared = await fixedTask('ann', () => ({
        update: updateOf('ann', 1),
        metrics: { correct: 0, total: 0 },
      })).prepare(context);
      const event = { type: 'poissonSampled', sampleRate: 0.5, event: { type: 'gaussian', noiseMultiplier: 0.19 } } as const;
      return { ...prepared, event, close: () => Promise.resolve(void closed++) };
    },
  };
  await expect(federation.client('ann', { task }).finished).rejects.toMatchObject({
    code: 'permission-denied',
    message: expect.stringContaining('its noise multiplier is 0.19') as string,
  });
  expect(closed).toBe(1);
  const database = new DatabaseSync(federation.at('ann', 'client.db'), { readOnly: true });
  const leaves = database.prepare('SELECT leaf FROM ledger').all();
  database.close();
  expect(leaves.map(({ leaf }) => Buffer.from(leaf as Uint8Array).toString()).join()).not.toContain('"account"');
});

test('the floors of noise and sampling are seen through compositions; what hides its noise is refused', () => {
  const gaussian = (noiseMultiplier: number): DpEvent => ({ type: 'gaussian', noiseMultiplier });
  const sampled = (sampleRate: number, event: DpEvent): DpEvent => ({ type: 'poissonSampled', sampleRate, event });
  const refused = (event: DpEvent, change: object = {}): (() => void) => {
    return () => checkEventPolicy({ ...defaultSitePolicyConfig, minSampleRate: 0.1, ...change }, event);
  };
  for (const [epsilon, rounds] of [
    [0.1, 5],
    [1, 5],
    [20, 5],
    [20, 1],
  ] as const) {
    const { roundEvent } = planBudget({ epsilon, delta: 0.001, sampleRate: 0.9, rounds });
    expect(refused(roundEvent)).not.toThrow();
  }
  expect(refused({ type: 'selfComposed', count: 3, event: sampled(0.5, gaussian(0.1)) })).toThrow('minNoiseMultiplier is 0.2');
  expect(refused({ type: 'composed', events: [gaussian(2), sampled(0.05, gaussian(2))] })).toThrow('minSampleRate is 0.1');
  const laplace: DpEvent = { type: 'laplace', noiseMultiplier: 5 };
  expect(refused(laplace)).toThrow('event of type laplace');
  expect(refused(laplace, { minNoiseMultiplier: 0 })).not.toThrow();
});

test('no party of a plan has the coordinator’s id', async () => {
  const federation = new Federation();
  await expect(federation.coordinator({ config: { id: 'bob' } })).rejects.toMatchObject({
    code: 'invalid-config',
    message: expect.stringContaining('has a party "bob"') as string,
  });
  const prepared = preparePlan(nodeCrypto, tinyPlan());
  const checked = (coordinatorId: string) => (): void => {
    checkPlanPolicy(defaultSitePolicyConfig, prepared, 'ann', coordinatorId);
  };
  expect(checked('coordinator')).not.toThrow();
  expect(checked('bob')).toThrow('the coordinator bob is one of its parties');
});

test('the site policy outranks the roster: a cohort that is too small is left before anything is shared', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1, deadlines: { joinMs: 50 } }));
  await federation.authority();
  await federation.coordinator();
  const strict = federation.client('ann', { config: { policy: { minCohort: 4 } } });
  for (const id of ['bob', 'cyd']) federation.client(id);
  const left = await federation.book.when('client.left-round');
  expect(left).toMatchObject({ party: 'ann', contributed: false });
  expect(left['reason']).toContain('3 members, at least 4 are wanted');
  // Nobody has seen U1, so the same round may be tried again; it ends when the attempts are used up, with nothing spent.
  const aborted = await federation.book.when('round.aborted');
  expect(aborted).toMatchObject({ round: 1, stage: 'share' });
  expect(federation.book.events('round.retried')).toHaveLength(15);
  await strict.stop();
});

test('a roster with a party that this site has revoked is left', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  await federation.coordinator();
  const rest = others.map((id) => federation.client(id));
  const enrolled = await federation.book.when('party.enrolled', (record) => record['id'] === 'dan');
  const wary = federation.client('ann', { config: { policy: { revoked: [enrolled['serial']] } } });
  const left = await federation.book.when('client.left-round', ({ party }) => party === 'ann');
  expect(left).toMatchObject({ contributed: false, reason: expect.stringContaining('is revoked') as string });
  await Promise.all(rest.map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([[1, others]]);
  await wary.stop();
});

test('an input without a valid proof of its reservation is not summed', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  await federation.coordinator();
  // Signs its ledger's checkpoints with garbage.
  const forger: CryptoProvider = {
    ...nodeCrypto,
    ed25519Sign: (seed, message) => {
      const signature = nodeCrypto.ed25519Sign(seed, message);
      if (Buffer.from(message).toString('latin1').startsWith('test.example/ann\n')) signature[0] = (signature[0] ?? 0) ^ 1;
      return signature;
    },
  };
  const client = federation.client('ann', { crypto: forger });
  for (const id of others) federation.client(id);
  await expect(client.finished).rejects.toMatchObject({ code: 'integrity' });
  await federation.book.when('round.published');
  expect(membersByRound(federation)).toEqual([[1, others]]);
});

test('a line that breaks in every stage is taken up again: same bytes, same answer, and everybody is in the sum', async () => {
  const federation = new Federation(tinyPlan({ rounds: 3 }));
  await federation.authority();
  await federation.coordinator({ config: { disconnectGraceMs: 20_000 } });
  const proxy = await proxyTo(federation.at('coordinator.address'));
  let trainings = 0;
  const task = fixedTask('ann', ({ round }) => {
    trainings++;
    proxy.cut();
    return { update: updateOf('ann', round), metrics: { correct: 3, total: 5 } };
  });
  const shaky = federation.client('ann', { task, config: { coordinator: proxy.address } });
  const cutAt = (stage: string, round: number): void => {
    void federation.book
      .when('round.stage', (record) => record['stage'] === stage && record['round'] === round)
      .then(() => proxy.cut());
  };
  cutAt('share', 1);
  cutAt('confirm', 1);
  cutAt('unmask', 2);
  cutAt('masked', 3);
  const rest = others.map((id) => federation.client(id));
  await Promise.all([shaky, ...rest].map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([
    [1, fourIds],
    [2, fourIds],
    [3, fourIds],
  ]);
  expect(trainings).toBe(3);
});

test('no secret and no record is logged, not even at debug level', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  await federation.coordinator();
  const canary = Float64Array.of(0.123456789, -0.987654321, 0.555555557);
  const clients = fourIds.map((id) =>
    federation.client(id, { task: fixedTask(id, () => ({ update: canary, metrics: { correct: 3, total: 4 } })) }),
  );
  await Promise.all(clients.map((client) => client.finished));
  const logged = JSON.stringify(federation.book.records);
  expect(logged.length).toBeGreaterThan(1000);
  const secrets: [string, Buffer][] = [];
  for (const name of readdirSync(federation.directory, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(key|token)$/.test(name)) continue;
    const text = readFileSync(federation.at(name), 'utf8').trim();
    secrets.push([name, Buffer.from(text)]);
    if (/^[0-9a-f]{64}$/.test(text)) secrets.push([name, Buffer.from(text, 'hex')]);
    const inToken = /"secret": "([^"]+)"/.exec(text)?.[1];
    if (inToken !== undefined) secrets.push([name, Buffer.from(inToken, 'base64')]);
  }
  expect(secrets.length).toBeGreaterThan(20);
  for (const [name, secret] of secrets) {
    for (const form of [secret.toString('hex'), secret.toString('base64'), secret.toString('latin1')]) {
      expect(logged.includes(form), `${name} in the logs`).toBe(false);
    }
  }
  for (const value of canary) expect(logged).not.toContain(String(value));
  expect(federation.book.records.some(({ level }) => level === 'debug')).toBe(true);
});

test('a stopped service is a good end; a failed one is not', async () => {
  const federation = new Federation();
  await federation.authority();
  const client = federation.client('ann');
  const watched = runUntilStopped(client, { exitWithParent: false });
  await federation.book.when('peer.unreachable', ({ party }) => party === 'ann');
  process.emit('SIGTERM');
  await expect(watched).resolves.toBeUndefined();
  expect(process.listeners('SIGTERM').length).toBe(process.listeners('SIGINT').length);
  const failing = federation.client('eve', { config: { joinToken: undefined } });
  await expect(runUntilStopped(failing, { exitWithParent: false })).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('the generated protocol code is that of the .proto files', () => {
  const script = path.join(import.meta.dirname, '../../packages/federation/scripts/gen-proto.mjs');
  const run = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});

test('the plan that a client is shown is the one that the coordinator signed', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  // Signs another text than it shows wherever it signs a plan.
  const liar: CryptoProvider = {
    ...nodeCrypto,
    ed25519Sign: (seed, message) => {
      const isPlan = Buffer.from(message).includes('sotto plan/1');
      return nodeCrypto.ed25519Sign(seed, isPlan ? new Uint8Array(3) : message);
    },
  };
  await federation.coordinator({ crypto: liar });
  await expect(federation.client('ann').finished).rejects.toMatchObject({
    code: 'integrity',
    message: 'the plan is not signed by the coordinator',
  });
});

test('an offer that the coordinator did not sign for this plan and model is refused', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  const liar: CryptoProvider = {
    ...nodeCrypto,
    ed25519Sign: (seed, message) => {
      const isOffer = Buffer.from(message).includes('sotto round offer/1');
      return nodeCrypto.ed25519Sign(seed, isOffer ? new Uint8Array(3) : message);
    },
  };
  await federation.coordinator({ crypto: liar });
  const clients = fourIds.map((id) => federation.client(id));
  for (const client of clients) await expect(client.finished).rejects.toMatchObject({ code: 'integrity' });
});
