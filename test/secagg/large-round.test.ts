/**
 * Rounds over the complete graph beyond 255 members, where shares are in GF(2^16). A few members are whole clients, the
 * rest are played at message level, with messages that are valid in the protocol (see the module of the benchmarks). A
 * semi-honest round of that size differs by the confirmations alone, which smaller rounds leave out.
 */
import { describe, expect, it } from 'vitest';
import { runRound } from '../../bench/secagg/round.ts';

describe('a malicious round of 260 members', () => {
  it('gives the exact sum with losses before and after the input', () => {
    const graph = { kind: 'complete' } as const;
    const cost = runRound({ mode: 'malicious', n: 260, length: 5, lost: 10, mute: 70, whole: 2, graph });
    expect(cost.exact).toBe(true);
    expect(cost.members).toBe(250);
    expect(cost.neighbours).toBe(259);
    expect(cost.threshold).toBe(174); // ⌊(260 + 86)/2⌋ + 1; 180 answer
  }, 300_000);
});

describe('a sparse round of 520 members', () => {
  it('gives the exact sum with losses', () => {
    const graph = { kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 20 } as const;
    const cost = runRound({ mode: 'semi-honest', n: 520, length: 5, lost: 20, mute: 5, whole: 2, graph });
    expect(cost.exact).toBe(true);
    expect(cost.neighbours).toBeLessThan(60);
  }, 300_000);
});
