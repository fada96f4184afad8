import { describe, expect, it } from 'vitest';
import { contextOf, plainSum, runRound, STAGES } from './network.ts';
import type { Loss } from './network.ts';

const ids = (n: number): string[] => ['anna', 'bert', 'carl', 'dora', 'emil', 'fred'].slice(0, n);

describe('a round', () => {
  it('gives the exact sum of all when nobody is lost', () => {
    for (const mode of ['malicious', 'semi-honest'] as const) {
      const run = runRound({ ids: ids(4), context: contextOf({ mode }) });
      expect(run.server.state.abort).toBeUndefined();
      expect(run.server.result!.members).toEqual(ids(4));
      expect(run.server.result!.sums).toEqual(plainSum(run, ids(4)));
      for (const client of run.clients.values()) expect(client.state.phase).toBe('done');
      expect(run.server.incidents).toEqual([]);
    }
  });

  it('writes each durable record before the message that needs it', () => {
    const run = runRound({ ids: ids(3) });
    expect(run.clients.get('anna')!.journal).toEqual(['send 1', 'send 3', 'record contributed', 'send 5', 'send 7', 'record answered', 'send 9']);
  });
});

/** What the table's rule says about a pattern: the members of the sum, or nothing. */
function predicted(losses: readonly Loss[]): readonly number[] | undefined {
  const left = (stage: (typeof STAGES)[number]): number[] =>
    losses.flatMap((loss, i) => (loss === undefined || STAGES.indexOf(loss) > STAGES.indexOf(stage) ? [i] : []));
  const n = left('advertise').length;
  if (n < 3) return undefined;
  const c = Math.floor((n - 1) / 3);
  const t = Math.floor((n + c) / 2) + 1;
  const floor = Math.max(t, 3, c + 2);
  if (floor > n || left('share').length < floor || left('masked').length < floor) return undefined;
  if (left('confirm').length < t || left('unmask').length < t) return undefined;
  return left('masked');
}

describe.each([3, 4])('every drop-out pattern of %i members over all stages', (n) => {
  it('ends with the exact sum or a named abort', () => {
    const choices: Loss[] = [undefined, ...STAGES];
    for (let pattern = 0; pattern < choices.length ** n; pattern++) {
      const losses = ids(n).map((_, i) => choices[Math.floor(pattern / choices.length ** i) % choices.length]);
      const run = runRound({ ids: ids(n), losses: Object.fromEntries(ids(n).map((id, i) => [id, losses[i]])) });
      const members = predicted(losses)?.map((i) => ids(n)[i]!);
      if (members === undefined) {
        expect(run.server.result, losses.join(' ')).toBeUndefined();
        expect(run.server.state.abort?.code, losses.join(' ')).toMatch(/^(roster-size|survivors-too-few|confirmations-too-few|recovery-failed)$/);
      } else {
        expect(run.server.state.abort, losses.join(' ')).toBeUndefined();
        expect(run.server.result!.members).toEqual(members);
        expect(run.server.result!.sums).toEqual(plainSum(run, members));
      }
    }
  });
});
