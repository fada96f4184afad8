/** Masks on the fast path and in worker threads: the same bytes, and what happens when one side leaves in the middle. */
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { type Masking, nodeMasking } from '../../packages/federation/src/index.ts';
import { portableMasking } from '../../packages/federation/src/service/masking.ts';
import { type MaskJob, runMaskJob } from '../../packages/secagg/src/index.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/index.ts';
import { Federation, expectedModel, fixedTask, fourIds, proxyTo, tinyPlan } from './support.ts';

const others = fourIds.slice(1);

/** Worker threads whatever the size. */
function threads(): Masking {
  const masking = nodeMasking({ threads: 2, inlineBytes: 0 });
  onTestFinished(() => masking.close());
  return masking;
}

function jobOf(length: number): MaskJob {
  const vectors = [
    { name: 'update', length, bits: 22 },
    { name: 'metrics', length: 2, bits: 13 },
  ];
  return {
    vectors,
    targets: vectors.map(({ length: n, bits }) => Uint32Array.from({ length: n }, (_, i) => (i * 7919) % 2 ** bits)),
    streams: [1, -1, 1].map((sign, s) => ({
      sign: sign === 1 ? 1 : -1,
      keys: vectors.map((_, v) => new Uint8Array(32).fill(1 + 2 * s + v)),
    })),
  };
}

/** Parties whose inputs are in each published round. */
function membersByRound(federation: Federation): unknown[] {
  return federation.book.events('round.published').map(({ round, members }) => [round, members]);
}

function allZero(arrays: readonly ArrayLike<number>[]): boolean {
  return arrays.every((array) => Array.from(array).every((value) => value === 0));
}

test('every way of masking gives the same vectors', async () => {
  const { signal } = new AbortController();
  const expected = jobOf(3000);
  runMaskJob(nodeCrypto, expected);
  for (const masking of [nodeMasking(), threads(), portableMasking(nodeCrypto)]) {
    const job = jobOf(3000);
    await masking.run(job, signal);
    expect(job.targets).toEqual(expected.targets);
    const aborted = jobOf(3000);
    await expect(masking.run(aborted, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  }
});

test('rounds masked in worker threads on every side end with the exact weighted mean', async () => {
  const federation = new Federation();
  await federation.authority();
  const masking = threads();
  let jobs = 0;
  const counting: Masking = {
    ...masking,
    run: (job, signal) => {
      jobs++;
      return masking.run(job, signal);
    },
  };
  await federation.coordinator({ masking: counting });
  const clients = fourIds.map((id) => federation.client(id, { masking: counting }));
  const outcomes = await Promise.all(clients.map((client) => client.finished));
  for (const { weights } of outcomes)
    expectedModel([fourIds, fourIds]).forEach((value, i) => expect(weights[i]).toBeCloseTo(value, 3));
  expect(jobs).toBe(2 * (fourIds.length + 1));
});

test('a model above the limit goes to the threads by default, and comes out exact', async () => {
  const hidden = 200_000;
  const federation = new Federation(tinyPlan({ rounds: 1, hidden }));
  await federation.authority();
  await federation.coordinator();
  const length = 2 * hidden + hidden + hidden + 1;
  const valueOf = (i: number, id: string): number => Math.sin(i + id.charCodeAt(0));
  const clients = fourIds.map((id) =>
    federation.client(id, {
      task: fixedTask(id, () => ({
        update: Float64Array.from({ length }, (_, i) => valueOf(i, id)),
        metrics: { correct: 1, total: 2 },
      })),
    }),
  );
  const [outcome] = await Promise.all(clients.map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([[1, fourIds]]);
  let worst = 0;
  for (let i = 0; i < length; i++) {
    const mean = fourIds.reduce((sum, id, k) => sum + (k + 1) * valueOf(i, id), 0) / 10;
    worst = Math.max(worst, Math.abs((outcome?.weights[i] ?? Number.NaN) - mean));
  }
  // Four roundings to a grid of 256 / 2^20, and the weights are float32.
  expect(worst).toBeLessThan(2e-4);
});

test('a client that is stopped while it masks sends nothing, and forgets its input and its keys', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  const uploaded = new Set<string>();
  await federation.coordinator({
    onReceived: (_, { method, peer }) => {
      if (method.endsWith('/MaskedInput')) uploaded.add(peer);
    },
  });
  const real = threads();
  const jobs: MaskJob[] = [];
  let atStart: boolean | undefined;
  const stopping: Masking = {
    ...real,
    run: (job, signal) => {
      jobs.push(job);
      atStart = allZero(job.targets);
      void client.stop();
      return real.run(job, signal);
    },
  };
  const client = federation.client('ann', { masking: stopping });
  const rest = others.map((id) => federation.client(id));
  await expect(client.finished).rejects.toMatchObject({ code: 'cancelled' });
  await federation.book.when('round.published');
  expect(membersByRound(federation)).toEqual([[1, others]]);
  expect([...uploaded].sort()).toEqual(others);
  expect(atStart).toBe(false);
  expect(jobs).toHaveLength(1);
  for (const { targets, streams } of jobs) {
    expect(allZero(targets)).toBe(true);
    expect(allZero(streams.flatMap(({ keys }) => keys))).toBe(true);
  }
  await Promise.all(rest.map((one) => one.stop()));
});

test('a coordinator that is stopped while the masks come off publishes no sum of that round', async () => {
  const federation = new Federation(tinyPlan({ rounds: 2 }));
  await federation.authority();
  const real = threads();
  const jobs: MaskJob[] = [];
  let stopped: Promise<void> | undefined;
  const stopping: Masking = {
    ...real,
    run: (job, signal) => {
      jobs.push(job);
      stopped = first.stop(0);
      return real.run(job, signal);
    },
  };
  const first = await federation.coordinator({ masking: stopping });
  const clients = fourIds.map((id) => federation.client(id));
  await first.finished;
  await stopped;
  expect(membersByRound(federation)).toEqual([]);
  expect(allZero(jobs.flatMap(({ streams }) => streams.flatMap(({ keys }) => keys)))).toBe(true);
  const database = new DatabaseSync(federation.at('coordinator', 'coordinator.db'), { readOnly: true });
  const rows = database.prepare('SELECT leaf FROM ledger ORDER BY position').all();
  database.close();
  const last = JSON.parse(Buffer.from(rows.at(-1)?.['leaf'] as Uint8Array).toString()) as object;
  expect(last).toMatchObject({ kind: 'abort', round: 1, stage: 'unmask', spent: fourIds });
  await federation.coordinator();
  await Promise.all(clients.map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([[2, fourIds]]);
});

test('a member that asks again while the masks come off gets its receipt', async () => {
  const federation = new Federation(tinyPlan({ rounds: 1 }));
  await federation.authority();
  const proxy = await proxyTo(federation.at('coordinator.address'));
  let answers = 0;
  let again: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (again = resolve));
  const real = threads();
  const holding: Masking = {
    ...real,
    run: async (job, signal) => {
      proxy.cut();
      await asked;
      await real.run(job, signal);
    },
  };
  await federation.coordinator({
    masking: holding,
    config: { disconnectGraceMs: 20_000 },
    onReceived: (data, { method, peer }) => {
      // The metadata come first, the message after them.
      if (method.endsWith('/Unmask') && peer === 'ann' && data[0] !== 0x7b && ++answers === 2) setImmediate(again);
    },
  });
  const shaky = federation.client('ann', { config: { coordinator: proxy.address } });
  const rest = others.map((id) => federation.client(id));
  await Promise.all([shaky, ...rest].map((client) => client.finished));
  expect(membersByRound(federation)).toEqual([[1, fourIds]]);
  expect(answers).toBe(2);
  expect(federation.book.events('client.left-round')).toEqual([]);
  expect(federation.book.events('message.refused')).toEqual([]);
});
