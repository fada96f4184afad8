import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verifyRun } from '../../packages/governance/src/index.ts';
import { accountant } from '../../packages/federation/src/accounting.ts';
import { startClientService } from '../../packages/federation/src/index.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/index.ts';
import { Federation, expectedModel, fourIds } from './support.ts';

test('four clients play all rounds and end with the exact weighted mean', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  const clients = fourIds.map((id) => federation.client(id));
  const outcomes = await Promise.all(clients.map((client) => client.finished));
  for (const outcome of outcomes) {
    expect(outcome.contributed).toBe(2);
    expect(outcome.epsilonSpent).toBeLessThanOrEqual(1);
    expectedModel([fourIds, fourIds]).forEach((value, i) => expect(outcome.weights[i]).toBeCloseTo(value, 3));
  }
  expect(federation.book.events('round.published').map(({ round, members }) => [round, members])).toEqual([
    [1, fourIds],
    [2, fourIds],
  ]);
});

/** Two clouds of points, told apart by x + y. Made by a formula, so that no seed is needed. */
function csvOf(id: string, rows: number): string {
  const offset = id.charCodeAt(0);
  return Array.from({ length: rows }, (_, i) => {
    const x = Math.sin(12.9898 * (i + offset)) * 2;
    const y = Math.cos(78.233 * (i - offset)) * 2;
    return i % 17 === 0 ? `${x},?,0` : `${x},${y},${x + y > 0 ? 2 : 0}`;
  }).join('\n');
}

function filesOf(directory: string): Map<string, Uint8Array> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map((entry) => [
      path.relative(directory, path.join(entry.parentPath, entry.name)),
      readFileSync(path.join(entry.parentPath, entry.name)),
    ]),
  );
}

test('the services train on CSV files, and the export verifies', async () => {
  const federation = new Federation();
  await federation.authority();
  const coordinator = await federation.coordinator({ config: { exitWhenDone: true } });
  mkdirSync(federation.at('data'));
  const services = await Promise.all(
    fourIds.map(async (id) => {
      writeFileSync(federation.at('data', `${id}.csv`), csvOf(id, 60));
      const config = federation.clientConfig(id, { task: { kind: 'tabular', file: `data/${id}.csv` } });
      const service = await startClientService(config, { log: federation.book.sink });
      onTestFinished(() => service.stop());
      return service;
    }),
  );
  const outcomes = await Promise.all(services.map((service) => service.finished));
  await coordinator.finished;
  const { fingerprint } = JSON.parse(readFileSync(federation.at('trust.json'), 'utf8')) as { fingerprint: string };
  const found = verifyRun(filesOf(federation.at('export')), { crypto: nodeCrypto, accountant, trust: fingerprint });
  expect(found.findings).toEqual([]);
  expect(found).toMatchObject({ ok: true, trusted: true });
  expect(found.report?.run.rounds).toEqual({ planned: 2, published: 2, aborted: 0 });
  for (const party of found.report?.parties ?? []) expect(party.spent).toMatchObject({ withinBudget: true });
  for (const outcome of outcomes) {
    expect(outcome.epsilonSpent).toBeGreaterThan(0.5);
    expect(outcome.epsilonSpent).toBeLessThanOrEqual(1);
  }
  const [published] = federation.book.events('round.published');
  expect(published?.['metrics']).toMatchObject({ total: expect.any(Number) as number });
  expect(federation.book.events('export.written')).toHaveLength(1);
});
