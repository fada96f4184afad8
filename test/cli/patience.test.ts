import type { LogRecord } from '@sotto/federation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Patience } from '../../packages/cli/src/patience.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const record = (event: string, fields: Readonly<Record<string, string>> = {}): LogRecord => ({
  time: '',
  level: 'info',
  party: 'x',
  event,
  ...fields,
});
const UNREACHABLE = record('peer.unreachable', {
  peer: 'the coordinator',
  reason: 'Hello: No connection. Last error: Error: refused. Resolution note: ',
});

function watch(seconds: number): { readonly patience: Patience; readonly seen: LogRecord[]; readonly outcome: () => string } {
  const seen: LogRecord[] = [];
  const patience = new Patience({
    seconds,
    reachedBy: 'coordinator.connected',
    cure: 'check it',
    sink: (one) => void seen.push(one),
  });
  let outcome = 'waiting';
  patience.expired.catch((error: unknown) => (outcome = (error as Error).message));
  return { patience, seen, outcome: () => outcome };
}

describe('patience', () => {
  it('ends with one clear line when the peer never answers, and passes the log on', async () => {
    const { patience, seen, outcome } = watch(30);
    patience.log(UNREACHABLE);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(outcome()).toBe('waiting');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(outcome()).toBe('the coordinator has not answered for 30 s (refused); check it');
    expect(seen).toEqual([UNREACHABLE]);
  });

  it('begins anew after the first peer was reached', async () => {
    const { patience, outcome } = watch(30);
    patience.log(UNREACHABLE);
    await vi.advanceTimersByTimeAsync(20_000);
    patience.log(record('client.enrolled'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(outcome()).toBe('waiting');
    patience.log(UNREACHABLE);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(outcome()).toMatch(/has not answered/);
  });

  it('waits out later outages, and for ever when told so', async () => {
    const { patience, outcome } = watch(30);
    patience.log(record('coordinator.connected'));
    patience.log(UNREACHABLE);
    const endless = watch(0);
    endless.patience.log(UNREACHABLE);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([outcome(), endless.outcome()]).toEqual(['waiting', 'waiting']);
  });
});
