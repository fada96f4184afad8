import { expect, test } from 'vitest';
import { Lobby } from '../../packages/federation/src/coordinator/lobby.ts';

test('a round begins without the missing party though every wait is shorter than the window', async () => {
  const lobby = new Lobby<string>();
  const control = new AbortController();
  const poll = async (id: string): Promise<string> => {
    for (;;) {
      const answer = await lobby.wait(id, 5, control.signal);
      if (answer.type === 'offer') return `${id} ${answer.offer}`;
    }
  };
  const polls = ['ann', 'bob', 'cyd'].map(poll);
  await lobby.quorum(4, (count) => count >= 3, 100, control.signal);
  // Whoever is between two waits is invited all the same.
  expect(lobby.ids.sort()).toEqual(['ann', 'bob', 'cyd']);
  const offering = setInterval(() => lobby.offer('round 1'), 1);
  expect(await Promise.all(polls)).toEqual(['ann round 1', 'bob round 1', 'cyd round 1']);
  clearInterval(offering);
});

test('all who are expected end the window at once, and nobody counts twice', async () => {
  const lobby = new Lobby<string>();
  const { signal } = new AbortController();
  const waits = ['ann', 'bob', 'ann'].map((id) => lobby.wait(id, 60_000, signal));
  let begun = false;
  const quorum = lobby.quorum(3, () => false, 60_000, signal).then(() => (begun = true));
  await new Promise(setImmediate);
  expect(begun).toBe(false);
  waits.push(lobby.wait('cyd', 60_000, signal));
  await quorum;
  lobby.finish();
  expect((await Promise.all(waits)).map(({ type }) => type)).toEqual(['nothing', 'finished', 'finished', 'finished']);
});
