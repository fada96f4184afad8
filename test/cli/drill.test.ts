import { describe, expect, it } from 'vitest';
import { drillOutcome } from '../../packages/cli/src/demo/drill.ts';

const ALL = ['cleveland', 'hungary', 'switzerland', 'va'];
const THREE = ALL.filter((id) => id !== 'hungary');
const published = (round: number, roster: string[], survivors: string[]) =>
  ({ round, outcome: 'published', timeMs: 0, roster, survivors, heldOut: { correct: 0, total: 0 } }) as const;
const aborted = (round: number) =>
  ({ round, outcome: 'aborted', timeMs: 0, stage: 'masked', reason: 'too few survivors', spent: [] }) as const;

describe('the account of the drill', () => {
  it.each([
    [
      'a return in the next round',
      [published(1, ALL, ALL), published(2, ALL, THREE), published(3, ALL, ALL)],
      /without it; it was back in round 3$/,
    ],
    [
      'a later return',
      [published(2, ALL, THREE), published(3, THREE, THREE), aborted(4), published(5, ALL, ALL)],
      /it was back in round 5$/,
    ],
    ['no return', [published(1, ALL, ALL), published(2, ALL, THREE), published(3, THREE, THREE)], /it was in no later round$/],
    ['a return that did not reach the sum', [published(2, ALL, THREE), published(3, ALL, THREE)], /it was in no later round$/],
    [
      'a round without the hospital',
      [published(2, THREE, THREE), published(3, ALL, ALL)],
      /^the drill was missed: Hungary was not in round 2$/,
    ],
    ['a round that the hospital survived', [published(2, ALL, ALL)], /^the drill was missed: Hungary was in the sum of round 2$/],
    ['an aborted round', [aborted(2), published(3, ALL, ALL)], /round 2, which was aborted: too few survivors$/],
  ] as const)('tells of %s', (_what, rounds, sentence) => {
    expect(drillOutcome({ hospital: 'hungary', round: 2 }, rounds)).toMatch(sentence);
  });
});
