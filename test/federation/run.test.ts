import { expect, test } from 'vitest';
import { Federation, fourIds, updateOf } from './support.ts';

/** Weighted mean of the updates of `ids` over all rounds given, added up: the model that must come out. */
function expectedModel(rounds: readonly (readonly string[])[]): number[] {
  const weight = (id: string): number => 1 + fourIds.indexOf(id);
  const model = [0, 0, 0];
  rounds.forEach((ids, i) => {
    const total = ids.reduce((sum, id) => sum + weight(id), 0);
    for (const id of ids) updateOf(id, i + 1).forEach((value, j) => (model[j] = (model[j] ?? 0) + (weight(id) * value) / total));
  });
  return model;
}

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
