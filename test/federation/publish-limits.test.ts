import type { DpEvent } from '../../packages/core/src/event.ts';
import { planBudget } from '../../packages/dp/src/index.ts';
import { expect, test } from 'vitest';
import type { ClientTask } from '../../packages/federation/src/index.ts';
import { Federation, fourIds, updateOf } from './support.ts';

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

test.each([
  { gaussians: 400, why: /receipt.event/ },
  { gaussians: 1322, why: /the privacy event has|receipt.event/ },
])('members whose events no receipt holds cost their round, not the coordinator: $gaussians', async ({ gaussians, why }) => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  const clients = fourIds.map((id) => federation.client(id, id < 'c' ? { task: longWinded(id, gaussians) } : {}));
  await Promise.all(clients.map((client) => client.finished));
  const aborted = federation.book.events('round.aborted');
  expect(aborted.map(({ round }) => round)).toEqual([1, 2]);
  for (const { reason } of aborted) expect(reason).toMatch(why);
  expect(federation.book.events('run.completed')[0]).toMatchObject({ published: 0, aborted: 2 });
});
