import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startClient } from '../../packages/secagg/src/client/machine.ts';
import { contextOf, identityOf, inputFor, plainSum, runRound, STAGES, TestClient, TestServer } from './network.ts';
import type { Loss, RoundRun } from './network.ts';

const NAMES = ['anna', 'bert', 'carl', 'dora', 'emil', 'fred'];
const ids = (n: number): string[] => (n <= 6 ? NAMES.slice(0, n) : Array.from({ length: n }, (_, i) => `p${i}`).sort());

describe('a round', () => {
  it('gives the exact sum of all when nobody is lost, in both modes and suites', () => {
    for (const mode of ['malicious', 'semi-honest'] as const) {
      for (const suite of ['x25519', 'x25519-mlkem768'] as const) {
        const run = runRound({ ids: ids(4), context: contextOf({ mode, suite }) });
        expect(run.server.state.abort).toBeUndefined();
        expect(run.server.result!.members).toEqual(ids(4));
        expect(run.server.result!.sums).toEqual(plainSum(run, ids(4)));
        for (const client of run.clients.values()) expect(client.state.phase).toBe('done');
        expect(run.server.incidents).toEqual([]);
      }
    }
  });

  it('writes each durable record before the message that needs it', () => {
    const run = runRound({ ids: ids(3) });
    const journal = ['send 1', 'send 3', 'record contributed', 'send 5', 'send 7', 'record answered', 'send 9'];
    expect(run.clients.get('anna')!.journal).toEqual(journal);
  });

  it('sums vectors of different widths, 1 to 32 bits', () => {
    const vectors = [1, 2, 7, 8, 9, 16, 23, 24, 31, 32].map((bits) => ({ name: `v${bits}`, length: 3 + bits, bits }));
    // The vector with noise may hold anything and wraps; each takes its turn.
    for (const { name: vector } of vectors) {
      const noise = { mechanism: 'skellam', localVariance: 1, honestMinimum: 2, vector } as const;
      const context = contextOf({ vectors, cohort: { nMax: 5 }, noise });
      const inputs = Object.fromEntries(ids(5).map((id) => [id, inputFor(context, id)]));
      const run = runRound({ ids: ids(5), context, inputs, losses: { bert: 'masked' } });
      expect(run.server.result!.sums).toEqual(plainSum(run, ['anna', 'carl', 'dora', 'emil']));
    }
  });

  it('wipes the secrets that a step consumes', () => {
    const run = runRound({ ids: ids(3), context: contextOf({ suite: 'x25519-mlkem768' }) });
    const client = new TestClient(identityOf('anna'), run.context);
    const { state } = client;
    if (state.phase !== 'awaiting-roster') throw new Error(state.phase);
    client.step({ type: 'cancel', reason: 'test' });
    for (const secret of Object.values(state.secrets)) expect((secret as Uint8Array).every((byte) => byte === 0)).toBe(true);
    expect(client.state).toMatchObject({ phase: 'aborted', abort: { code: 'cancelled' } });
  });
});

/** What the rule says about a pattern: the members of the sum, or nothing. */
function predicted(losses: readonly Loss[], limits = { hMin: 2 }): readonly number[] | undefined {
  const left = (stage: (typeof STAGES)[number]): number[] =>
    losses.flatMap((loss, i) => (loss === undefined || STAGES.indexOf(loss) > STAGES.indexOf(stage) ? [i] : []));
  const n = left('advertise').length;
  if (n < 3) return undefined;
  const c = Math.floor((n - 1) / 3);
  const t = Math.floor((n + c) / 2) + 1;
  const floor = Math.max(t, 3, c + limits.hMin);
  if (floor > n || left('share').length < floor || left('masked').length < floor) return undefined;
  if (left('confirm').length < t || left('unmask').length < t) return undefined;
  return left('masked');
}

const ABORTS = /^(roster-size|survivors-too-few|confirmations-too-few|recovery-failed)$/;

function check(n: number, losses: readonly Loss[], context = contextOf({ cohort: { nMax: Math.max(n, 3) } })): RoundRun {
  const names = ids(n);
  const run = runRound({ ids: names, context, losses: Object.fromEntries(names.map((id, i) => [id, losses[i]])) });
  const members = predicted(losses)?.map((i) => names[i]!);
  const pattern = losses.map((loss) => loss ?? '-').join(' ');
  if (members === undefined) {
    expect(run.server.result, pattern).toBeUndefined();
    expect(run.server.state.abort?.code, pattern).toMatch(ABORTS);
  } else {
    expect(run.server.state.abort, pattern).toBeUndefined();
    expect(run.server.result!.members, pattern).toEqual(members);
    expect(run.server.result!.sums, pattern).toEqual(plainSum(run, members));
  }
  return run;
}

const choices: readonly Loss[] = [undefined, ...STAGES];
/** Hundreds to thousands of whole rounds in one test: seconds on a free core, minutes on one that many share. */
const PATTERNS_TIMEOUT_MS = 300_000;

describe.each([3, 4])('every drop-out pattern of %i members over all stages', (n) => {
  it(
    'ends with the exact sum or a named abort',
    () => {
      for (let pattern = 0; pattern < choices.length ** n; pattern++) {
        check(
          n,
          ids(n).map((_, i) => choices[Math.floor(pattern / choices.length ** i) % choices.length]),
        );
      }
    },
    PATTERNS_TIMEOUT_MS,
  );
});

describe.each([5, 6])('every drop-out pattern of %i members up to permutation', (n) => {
  it(
    'ends with the exact sum or a named abort',
    () => {
      // Multisets of losses, dealt to the members in an order that changes from pattern to pattern.
      let count = 0;
      const walk = (losses: Loss[], from: number): void => {
        if (losses.length < n) {
          for (let c = from; c < choices.length; c++) walk([...losses, choices[c]], c);
          return;
        }
        const shift = count++ % n;
        check(
          n,
          losses.map((_, i) => losses[(i * (n === 5 ? 2 : 5) + shift) % n]),
        );
      };
      walk([], 0);
      expect(count).toBe(n === 5 ? 252 : 462);
    },
    PATTERNS_TIMEOUT_MS,
  );
});

describe('random patterns of larger cohorts', () => {
  it(
    'end with the exact sum or a named abort',
    () => {
      fc.assert(
        fc.property(fc.integer({ min: 7, max: 24 }), fc.array(fc.nat(39), { minLength: 24, maxLength: 24 }), (n, picks) => {
          check(
            n,
            picks.slice(0, n).map((pick) => choices[pick + 1 < choices.length ? pick + 1 : 0]),
          );
        }),
        { seed: 11, numRuns: 12 },
      );
    },
    PATTERNS_TIMEOUT_MS,
  );

  it('refuse a sparse graph against a malicious coordinator, and say why', () => {
    const graph = { kind: 'harary', dropoutNumerator: 1, dropoutDenominator: 20 } as const;
    expect(() => new TestServer(contextOf({ graph }))).toThrow(/not available: no bound covers/);
    expect(() => new TestServer(contextOf({ cohort: { nMax: 600 } }))).toThrow(/the complete graph goes to 512/);
  });
});

describe('the hybrid suite', () => {
  const context = contextOf({ suite: 'x25519-mlkem768' });

  it('recovers the pair keys whichever side drops', () => {
    for (const lost of NAMES.slice(0, 5)) {
      const run = runRound({ ids: ids(5), context, losses: { [lost]: 'masked' } });
      const members = ids(5).filter((id) => id !== lost);
      expect(run.server.result?.members).toEqual(members);
      expect(run.server.result!.sums).toEqual(plainSum(run, members));
    }
  });
});

describe('crashes', () => {
  it('of a client between any two steps: the round goes on as with a drop-out, or is given up', () => {
    // A process that is killed after k of its messages have left never comes back to this session: only records survive.
    for (let sent = 0; sent <= 5; sent++) {
      const stage = STAGES[sent];
      const run = runRound({ ids: ids(5), ...(stage === undefined ? {} : { losses: { carl: stage } }) });
      expect(run.server.result !== undefined).toBe(true);
      const records = run.clients.get('carl')!.records;
      const next = new TestClient(identityOf('carl'), run.context, { records, seed: 'restarted' });
      expect(next.state.phase).toBe('awaiting-roster'); // it advertises afresh; the old session's messages mean nothing to it
      next.receive(run.server.received[0]!.slice());
      expect(next.state.phase).toBe('aborted');
    }
  });

  it('of a client after its record and before its input: the budget is spent, no second input leaves', () => {
    const records = new Set<string>();
    const context = contextOf();
    const server = new TestServer(context);
    const clients = ids(4).map((id) => new TestClient(identityOf(id), context, { records: id === 'anna' ? records : new Set() }));
    for (const client of clients) server.receive(client.id, client.outbox[0]!);
    const rosters = server.close();
    for (const client of clients)
      for (const message of client.receive(rosters.get(client.id)!)) server.receive(client.id, message);
    const deliveries = server.close();
    const anna = clients[0]!;
    anna.receive(deliveries.get('anna')!);
    anna.step({ type: 'input', vectors: inputFor(context, 'anna') }); // killed here: recorded, nothing sent
    expect([...records]).toEqual(['contributed "run" 1']);
    const again = runRound({ ids: ids(4), context: contextOf({ attempt: 1 }), client: {} });
    expect(again.server.result!.members).toEqual(ids(4));
    const restarted = new TestClient(identityOf('anna'), contextOf({ attempt: 1 }), { records, seed: 'again' });
    expect(startClient(restarted.setup).state.phase).toBe('awaiting-roster');
  });

  it('of the coordinator in any stage: nothing of the round is resumed, clients give up by their deadline', () => {
    for (let closes = 0; closes < 5; closes++) {
      const context = contextOf();
      const server = new TestServer(context);
      const clients = ids(4).map((id) => new TestClient(identityOf(id), context));
      for (const client of clients) server.receive(client.id, client.outbox[0]!);
      for (let i = 0; i < closes; i++) {
        for (const [id, message] of server.close()) {
          const client = clients.find((candidate) => candidate.id === id)!;
          let answers = client.receive(message);
          if (client.state.phase === 'ready-for-input') answers = client.step({ type: 'input', vectors: inputFor(context, id) });
          for (const answer of answers) server.receive(id, answer);
        }
      }
      // The new process has no session; it starts the next round, and refuses what belongs to the old one.
      const restarted = new TestServer(contextOf({ round: 2 }));
      for (const client of clients) {
        const last = client.outbox.at(-1)!;
        expect(restarted.receive(client.id, last).type).toBe('refused');
        client.step({ type: 'cancel', reason: 'deadline' });
        expect(client.state.phase).toBe('aborted');
      }
    }
  });
});

describe('duplicate, reordered and delayed messages', () => {
  it('never change the sum', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(9)), (noise) => {
        const context = contextOf();
        const server = new TestServer(context);
        const clients = new Map(ids(4).map((id) => [id, new TestClient(identityOf(id), context)]));
        const sent: [string, Uint8Array][] = [];
        const send = (id: string, message: Uint8Array): void => {
          sent.push([id, message]);
          server.receive(id, message);
          // Anything sent so far may come again, in any order, now.
          for (let k = noise.next().value ?? 0; k > 6; k--) {
            const [from, old] = sent[((noise.next().value ?? 0) * 7) % sent.length]!;
            expect(server.receive(from, old).type).not.toBe('accepted');
          }
        };
        const order = (): string[] => ids(4).sort(() => ((noise.next().value ?? 0) > 4 ? 1 : -1));
        for (const id of order()) send(id, clients.get(id)!.outbox[0]!);
        for (let stage = 0; stage < 4; stage++) {
          const outgoing = server.close();
          for (const id of order()) {
            const client = clients.get(id)!;
            let answers = client.receive(outgoing.get(id)!);
            if (client.state.phase === 'ready-for-input') {
              client.input = inputFor(context, id);
              answers = client.step({ type: 'input', vectors: client.input });
            }
            for (const answer of answers) send(id, answer);
            for (let k = noise.next().value ?? 0; k > 5; k--) expect(client.receive(outgoing.get(id)!)).toEqual(answers);
          }
        }
        server.close();
        const run = { server, clients, context };
        expect(server.result!.sums).toEqual(plainSum(run, ids(4)));
      }),
      { seed: 3, numRuns: 15 },
    );
  });
});
