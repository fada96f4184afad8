/** What is too long to be published: a member alone bears it, and plans whose rounds could not be published are refused. */
import { toBase64 } from '@sotto/core/bytes';
import type { DpEvent } from '@sotto/core/event';
import { canonicalJsonBytes } from '@sotto/core/json';
import type { Json } from '@sotto/core/json';
import { planBudget } from '@sotto/dp';
import { MAX_ENTRY_BYTES, decodeEntry, encodeEvidence } from '@sotto/governance';
import type { PublishEntry } from '@sotto/governance';
import { expect, test } from 'vitest';
import { encodePlan, parsePlan } from '../../packages/federation/src/index.ts';
import type { ClientTask } from '../../packages/federation/src/index.ts';
import { MOST_PARTIES, overRoom } from '../../packages/federation/src/plan/room.ts';
import { SyntheticRun } from '../governance/synthetic-run.ts';
import { Federation, fourIds, tinyPlan, updateOf } from './support.ts';

const leaves = [...new SyntheticRun().start().play().coordinator.log.entries()];

/** A task whose event is as long as a ledger leaf takes: a thousand Gaussians that cost nothing beside the real one. */
function longWinded(id: string, gaussians: number): ClientTask {
  return {
    prepare: ({ plan, party, budget }) => {
      const { sampleRate } = party;
      const stepsPerRound = plan.training.localSteps;
      const planned = planBudget({ ...budget, sampleRate, rounds: plan.rounds, stepsPerRound });
      const more = Array.from({ length: gaussians }, (_, i): DpEvent => ({ type: 'gaussian', noiseMultiplier: 1e9 + i }));
      return Promise.resolve({
        event: { type: 'composed', events: [planned.roundEvent, ...more] },
        filter: planned.filter,
        mechanism: 'none: a test',
        contentHash: new Uint8Array(32),
        train: ({ round }) => Promise.resolve({ update: updateOf(id, round), metrics: { correct: 3, total: 5 } }),
      });
    },
  };
}

test.each([{ gaussians: 400 }, { gaussians: 1322 }])(
  'a member whose event is longer than its share of the entry is left out, and the others publish: $gaussians',
  async ({ gaussians }) => {
    const federation = new Federation();
    await federation.authority();
    await federation.coordinator();
    const clients = fourIds.map((id) => federation.client(id, id === 'ann' ? { task: longWinded(id, gaussians) } : {}));
    await Promise.all(clients.map((client) => client.finished));
    expect(federation.book.events('round.published').map(({ members }) => members)).toEqual([
      ['bob', 'cyd', 'dan'],
      ['bob', 'cyd', 'dan'],
    ]);
    const [left] = federation.book.events('client.left-round').filter(({ party }) => party === 'ann');
    expect(left?.['reason']).toMatch(/what ann reserved is too long to be published: the event has \d+ bytes/);
  },
);

test('a plan of more parties than an entry has room for is refused', () => {
  const ids = Array.from({ length: 41 }, (_, i) => `p${100 + i}`);
  const base = JSON.parse(encodePlan(tinyPlan())) as { parties: object[]; secagg: object };
  const of = (some: readonly string[]): unknown => ({
    ...base,
    parties: some.map((id) => ({ ...base.parties[0], id })),
    secagg: { ...base.secagg, nMax: 64 },
  });
  expect(() => parsePlan(of(ids))).toThrow(/it has 41 parties; the ledger entry of a round has room for what 40 reserved/);
  expect(parsePlan(of(ids.slice(1))).parties).toHaveLength(40);
});

test('as many parties as a plan may have, each with its share, fit into one entry', () => {
  const leaf = leaves.find((each) => decodeEntry(each).kind === 'publish')!;
  const entry = decodeEntry(leaf) as PublishEntry;
  const id = 'p'.repeat(64);
  const [survivor] = entry.survivors as [PublishEntry['survivors'][number]];
  const room = (length: number): string | undefined => overRoom(MOST_PARTIES, id, length, 120);
  let most = 0;
  while (room(most + 1) === undefined) most++;
  const spare = most - encodeEvidence(survivor.evidence).length;
  const many = <T>(one: T): T[] => Array.from({ length: MOST_PARTIES }, () => one);
  const whole = {
    ...entry,
    roster: many(id),
    sharers: many(id),
    survivors: many({ ...survivor, party: id }),
    confirmations: many({ ...entry.confirmations[0]!, party: id }),
    receipt: { ...entry.receipt, event: toBase64(new Uint8Array(MOST_PARTIES * (120 + 64 + 8))) },
  };
  const bytes = canonicalJsonBytes(whole as unknown as Json).length + MOST_PARTIES * spare;
  expect(bytes).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
  // Nothing is given away either.
  expect(bytes).toBeGreaterThan(0.9 * MAX_ENTRY_BYTES);
});
