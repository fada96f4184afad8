/** Drop-outs spread over all stages in the hybrid suite and in semi-honest rounds; round.test.ts goes through all those of malicious X25519 rounds. */
import { expect, it } from 'vitest';
import { contextOf, plainSum, runRound, STAGES } from './network.ts';
import type { Loss } from './network.ts';

const choices: readonly Loss[] = [undefined, ...STAGES];
const NAMES = ['anna', 'bert', 'carl', 'dora'];

it.each([
  { suite: 'x25519-mlkem768', mode: 'malicious', n: 3, every: 5 },
  { suite: 'x25519-mlkem768', mode: 'malicious', n: 4, every: 61 },
  { suite: 'x25519', mode: 'semi-honest', n: 3, every: 5 },
  { suite: 'x25519', mode: 'semi-honest', n: 4, every: 61 },
] as const)('the exact sum or a named abort: $n members, $suite, $mode', ({ suite, mode, n, every }) => {
  const context = contextOf({ suite, mode, cohort: { nMax: 4 } });
  const ids = NAMES.slice(0, n);
  let sums = 0;
  for (let pattern = 0; pattern < choices.length ** n; pattern += every) {
    const losses = Object.fromEntries(
      ids.map((id, i) => [id, choices[Math.floor(pattern / choices.length ** i) % choices.length]]),
    );
    const { server, clients } = runRound({ ids, context, losses });
    if (server.result === undefined) {
      expect(server.state.abort?.code).toMatch(/^(roster-size|survivors-too-few|confirmations-too-few|recovery-failed)$/);
      continue;
    }
    sums++;
    const members = ids.filter((id) => losses[id] === undefined || STAGES.indexOf(losses[id]) > STAGES.indexOf('masked'));
    expect(server.result.members, `${pattern}`).toEqual(members);
    expect(server.result.sums, `${pattern}`).toEqual(plainSum({ server, clients, context }, members));
  }
  expect(sums).toBeGreaterThan(0);
});
