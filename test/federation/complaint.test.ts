/** Rounds with X25519 and ML-KEM-768: the sum is exact, and a member whose peer confirms another mask key tells it. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { CryptoProvider } from '../../packages/core/src/crypto.ts';
import { verifyRun } from '../../packages/governance/src/index.ts';
import { accountant, encodePlan, parsePlan } from '../../packages/federation/src/index.ts';
import { stageRequest } from '../../packages/federation/src/rpc/wire.ts';
import { messageName } from '../../packages/secagg/src/index.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/index.ts';
import { Federation, fixedTask, tinyPlan } from './support.ts';

/** Seven lose two and still have a sum: c = 2, F = 5. */
const ids = ['ann', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gus'];
const plan = tinyPlan({ rounds: 1, suite: 'x25519-mlkem768', ids });

function updateOf(id: string): Float64Array {
  const k = ids.indexOf(id);
  return Float64Array.of(k / 7, -k / 3, 1 / (k + 1));
}

function expectMean(weights: Float32Array | undefined, members: readonly string[]): void {
  const weightOf = (id: string): number => 1 + ids.indexOf(id);
  const total = members.reduce((sum, id) => sum + weightOf(id), 0);
  for (let i = 0; i < 3; i++) {
    const mean = members.reduce((sum, id) => sum + weightOf(id) * (updateOf(id)[i] ?? 0), 0) / total;
    expect(weights?.[i]).toBeCloseTo(mean, 3);
  }
}

const task = (id: string, before: () => Promise<unknown> = () => Promise.resolve()): ReturnType<typeof fixedTask> =>
  fixedTask(id, async () => {
    await before();
    return { update: updateOf(id), metrics: { correct: 3, total: 5 } };
  });

/** Confirms another mask key to `victim`: the last 32 bytes of what it seals for it. */
function lyingTo(victim: string): CryptoProvider {
  return {
    ...nodeCrypto,
    aes256GcmSeal: (key, nonce, aad, plaintext) => {
      const changed = plaintext.slice();
      if (plaintext.length === 96 && Buffer.from(aad).includes(victim)) changed[95] = (changed[95] ?? 0) ^ 1;
      return nodeCrypto.aes256GcmSeal(key, nonce, aad, changed);
    },
  };
}

test('the suite is part of the plan: stated or left out, its text stays as it is', () => {
  expect(plan.suite).toBe('x25519-mlkem768');
  expect(encodePlan(plan)).toContain('"suite":"x25519-mlkem768"');
  expect(encodePlan(tinyPlan())).not.toContain('"suite"');
  const text = encodePlan(plan).replace('x25519-mlkem768', 'rot13');
  expect(() => parsePlan(JSON.parse(text))).toThrow('suite');
});

test('a hybrid round sums exactly, and its export verifies', async () => {
  const federation = new Federation(plan);
  await federation.authority();
  const coordinator = await federation.coordinator({ config: { exitWhenDone: true } });
  const clients = ids.map((id) => federation.client(id, { task: task(id) }));
  const [outcome] = await Promise.all(clients.map((client) => client.finished));
  await coordinator.finished;
  expectMean(outcome?.weights, ids);
  const { fingerprint } = JSON.parse(readFileSync(federation.at('trust.json'), 'utf8')) as { fingerprint: string };
  const exported = federation.at('export');
  const files = new Map(
    readdirSync(exported, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(exported, file), readFileSync(file)] as const),
  );
  expect(verifyRun(files, { crypto: nodeCrypto, accountant, trust: fingerprint })).toMatchObject({ ok: true, findings: [] });
});

test('a member to whom another mask key was confirmed complains, both sides leave, and the rest have an exact sum', async () => {
  const federation = new Federation(plan);
  await federation.authority();
  const complaints: (string | undefined)[] = [];
  const uploads = new Set<string>();
  await federation.coordinator({
    onReceived: (data, { method, peer }) => {
      if (method.endsWith('/MaskedInput')) uploads.add(peer);
      if (method.endsWith('/Complain') && data[0] !== 0x7b)
        complaints.push(`${peer} ${String(messageName(stageRequest.decode(data).message))}`);
    },
  });
  const clients = ids.map((id) => {
    // Its input stays back until the complaint is in: what has been summed cannot be taken out again.
    const heard = (): Promise<unknown> => federation.book.when('round.incident', ({ kind }) => kind === 'complaint');
    return id === 'ann'
      ? federation.client(id, { crypto: lyingTo('bob'), task: task(id, heard) })
      : federation.client(id, { task: task(id) });
  });
  const outcomes = await Promise.all(clients.map((client) => client.finished));
  const rest = ids.slice(2);
  expect(federation.book.events('round.published')).toMatchObject([{ round: 1, members: rest }]);
  expectMean(outcomes[2]?.weights, rest);
  expect(complaints).toEqual(['bob complaint']);
  expect(uploads.has('bob')).toBe(false);
  expect(federation.book.events('client.complained')).toMatchObject([{ party: 'bob', round: 1 }]);
  expect(outcomes.map(({ contributed }) => contributed).slice(1)).toEqual([0, 1, 1, 1, 1, 1]);
  // The signed complaint is kept for a third party.
  const [incident] = federation.book.events('round.incident');
  expect(incident).toMatchObject({ kind: 'complaint', parties: ['ann', 'bob'] });
  const file = federation.at('coordinator', 'incidents', incident?.['evidence'] as string);
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { readonly evidence: readonly string[] };
  expect(kept).toMatchObject({ kind: 'complaint', parties: ['ann', 'bob'] });
  expect(messageName(Buffer.from(kept.evidence[0] ?? '', 'base64'))).toBe('complaint');
});
