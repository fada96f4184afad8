import { describe, expect, test } from 'vitest';
import { fromUtf8, toBase64, utf8 } from '@sotto/core/bytes';
import { nobleCrypto } from '@sotto/core/crypto-noble';
import {
  accountSpending,
  cohortThresholds,
  epsilonToNano,
  foldLedger,
  Ledger,
  type LedgerEntry,
  type LedgerFaultCode,
  ledgerFaultOf,
  logOrigin,
  type PublishEntry,
  signCheckpoint,
  spentEvents,
} from '@sotto/governance';
import {
  accountEntry,
  base,
  certificateOf,
  enrolEntry,
  event,
  hashOf,
  owners,
  plan,
  planDocument,
  planEntry,
  reserveEntry,
  runId,
  seedOf,
  SyntheticRun,
  terms,
  trustDomain,
  zcdpAccountant,
} from './synthetic-run.ts';

/** The fault of appending an entry; the ledger must be unchanged by it. */
function faultOf(ledger: Ledger, entry: LedgerEntry): LedgerFaultCode | undefined {
  const size = ledger.size;
  const root = ledger.log.root();
  try {
    ledger.append(entry);
  } catch (error) {
    const fault = ledgerFaultOf(error);
    expect(fault?.entry, String(error)).toBe(size);
    expect(ledger.size).toBe(size);
    expect(ledger.state.size).toBe(size);
    expect(ledger.log.root()).toEqual(root);
    return fault?.fault;
  }
  return undefined;
}

const started = (): SyntheticRun => new SyntheticRun().start();
const contribute = (round: number, reservation: number, change: object = {}): LedgerEntry =>
  ({ ...base('contribute'), runId, round, sid: hashOf('sid'), reservation, inputHash: hashOf('y'), ...change }) as LedgerEntry;
const release = (round: number, reservation: number): LedgerEntry => ({
  ...base('release'),
  runId,
  round,
  reservation,
  reason: 'given up',
});
const complete = (published: number, aborted: number, modelHash: string): LedgerEntry => ({
  ...base('complete'),
  runId,
  published,
  aborted,
  modelHash,
});

describe('enrolment', () => {
  const empty = (id = 'alpha') => new Ledger(nobleCrypto, logOrigin(trustDomain, id));

  test('a ledger begins with its own party', () => {
    expect(faultOf(empty(), accountEntry('alpha'))).toBe('not-enrolled');
    const ledger = empty();
    ledger.append(enrolEntry('alpha', 'client'));
    expect(ledger.state.self?.entry.party).toBe('alpha');
  });

  test('the certificate is the party’s', () => {
    const strange = certificateOf('beta', 'client');
    expect(faultOf(empty(), enrolEntry('alpha', 'client', strange))).toBe('certificate-mismatch');
    expect(faultOf(empty(), enrolEntry('alpha', 'coordinator', certificateOf('alpha', 'client')))).toBe('certificate-mismatch');
    expect(faultOf(empty(), enrolEntry('alpha', 'client', utf8('none')))).toBe('certificate-mismatch');
  });

  test('a party may renew, with the same ledger key and authority', () => {
    const ledger = empty();
    ledger.append(enrolEntry('alpha', 'client'));
    expect(faultOf(ledger, enrolEntry('alpha', 'client'))).toBeUndefined();
    const other = certificateOf('alpha', 'client', { ledgerSeed: seedOf('stolen') });
    expect(faultOf(ledger, enrolEntry('alpha', 'client', other))).toBe('identity-changed');
    const elsewhere = { ...enrolEntry('alpha', 'client'), trustFingerprint: hashOf('other') } as LedgerEntry;
    expect(faultOf(ledger, elsewhere)).toBe('identity-changed');
  });

  test('each role writes its own kinds', () => {
    const run = started();
    expect(
      faultOf(run.client('alpha'), { ...base('abort'), runId, round: 1, attempt: 1, stage: 'share', reason: 'x', spent: [] }),
    ).toBe('wrong-role');
    expect(faultOf(run.coordinator, reserveEntry('alpha', 1))).toBe('wrong-role');
    expect(faultOf(run.coordinator, accountEntry('alpha'))).toBe('wrong-role');
  });
});

describe('accounts and plans', () => {
  test('an account opens once', () => {
    expect(faultOf(started().client('alpha'), accountEntry('alpha'))).toBe('duplicate-account');
  });

  test('a plan stands once and fits its document', () => {
    const run = started();
    expect(faultOf(run.client('alpha'), planEntry())).toBe('duplicate-plan');
    const another = (change: object) => ({ ...planEntry(), runId: 'heart-2', ...change }) as LedgerEntry;
    expect(faultOf(run.coordinator, another({}))).toBe('plan-mismatch'); // the document names heart-1
    expect(faultOf(run.coordinator, another({ document: { ...planDocument, runId: 'heart-2' } }))).toBe('plan-mismatch'); // its hash
    const { document: _, ...bare } = another({}) as LedgerEntry & { document: unknown };
    expect(faultOf(run.coordinator, bare as LedgerEntry)).toBeUndefined();
    expect(faultOf(run.coordinator, { ...planEntry(), runId, terms: { ...terms, rounds: 5 } } as LedgerEntry)).toBe(
      'duplicate-plan',
    );
  });

  test('terms that differ from the document are named', () => {
    const ledger = new Ledger(nobleCrypto, logOrigin(trustDomain, 'coordinator'));
    ledger.append(enrolEntry('coordinator', 'coordinator'));
    const changes: object[] = [
      { rounds: 5 },
      { training: { ...terms.training, clipNorm: 2 } },
      { parties: terms.parties.slice(1) },
      { quantiser: { clip: 8, bits: 21 } },
      { secagg: { ...terms.secagg, hMin: 1 } },
    ];
    for (const change of changes) {
      expect(faultOf(ledger, { ...planEntry(), terms: { ...terms, ...change } } as LedgerEntry), JSON.stringify(change)).toBe(
        'plan-mismatch',
      );
    }
    const impossible = { ...terms, secagg: { ...terms.secagg, nMin: 5 } };
    expect(faultOf(ledger, { ...planEntry(), terms: impossible } as LedgerEntry)).toBe('plan-mismatch');
  });

  test('no party of a plan has the name of a coordinator', () => {
    const ledger = new Ledger(nobleCrypto, logOrigin(trustDomain, 'beta'));
    ledger.append(enrolEntry('beta', 'coordinator'));
    expect(faultOf(ledger, planEntry())).toBe('plan-mismatch');
    const client = new Ledger(nobleCrypto, logOrigin(trustDomain, 'alpha'));
    client.append(enrolEntry('alpha', 'client'));
    client.append(enrolEntry('beta', 'coordinator'));
    expect(faultOf(client, planEntry())).toBe('plan-mismatch');
  });

  test('only a party of the plan accepts it', () => {
    const ledger = new Ledger(nobleCrypto, logOrigin(trustDomain, 'omega'));
    ledger.append(enrolEntry('omega', 'client'));
    expect(faultOf(ledger, planEntry())).toBe('not-in-plan');
  });
});

describe('reservations', () => {
  test('one per round, ever', () => {
    const run = started();
    const ledger = run.client('alpha');
    run.reserve('alpha', 1);
    expect(faultOf(ledger, reserveEntry('alpha', 1))).toBe('already-reserved');
    run.release('alpha', 1);
    expect(faultOf(ledger, reserveEntry('alpha', 1))).toBe('already-reserved');
    expect(faultOf(ledger, reserveEntry('alpha', 2))).toBeUndefined();
  });

  test('for a known plan, account and round, of the account’s unit', () => {
    const ledger = started().client('alpha');
    const refused = (change: object) => faultOf(ledger, { ...reserveEntry('alpha', 1), ...change } as LedgerEntry);
    expect(refused({ runId: 'other' })).toBe('unknown-plan');
    expect(refused({ planHash: hashOf('other') })).toBe('plan-mismatch');
    expect(refused({ account: 'beta-patients' })).toBe('unknown-account');
    expect(refused({ round: 5 })).toBe('round-out-of-range');
    ledger.append({ ...accountEntry('alpha'), account: 'people', unit: 'user' } as LedgerEntry);
    ledger.append({ ...accountEntry('alpha'), account: 'replaced', adjacency: 'replaceOne' } as LedgerEntry);
    expect(refused({ account: 'people' })).toBe('unit-mismatch');
    expect(refused({ account: 'replaced' })).toBe('unit-mismatch');
  });

  test('are released or contributed once, never both', () => {
    const run = started();
    const ledger = run.client('alpha');
    const first = run.reserve('alpha', 1);
    const second = run.reserve('alpha', 2);
    expect(faultOf(ledger, contribute(1, second))).toBe('no-reservation');
    expect(faultOf(ledger, contribute(3, second))).toBe('no-reservation');
    expect(faultOf(ledger, release(1, 0))).toBe('no-reservation');
    ledger.append(contribute(1, first));
    expect(faultOf(ledger, contribute(1, first))).toBe('already-contributed');
    expect(faultOf(ledger, release(1, first))).toBe('already-contributed');
    ledger.append(release(2, second));
    expect(faultOf(ledger, contribute(2, second))).toBe('already-released');
    expect(faultOf(ledger, release(2, second))).toBe('already-released');
  });

  test('cannot be made less by what is contributed', () => {
    const run = started();
    const reservation = run.reserve('alpha', 1);
    const ledger = run.client('alpha');
    const less = contribute(1, reservation, { event: { type: 'noOp' } });
    expect(() => ledger.append(less)).toThrow(/entry\(contribute\).event is not a member/);
    ledger.append(contribute(1, reservation));
    expect(spentEvents(ledger.state.accounts.get('alpha-patients')!)).toEqual([event]);
  });

  test('a spend is what was not released', () => {
    const run = new SyntheticRun().start().play();
    const account = run.client('alpha').state.accounts.get('alpha-patients')!;
    expect(account.reservations.map(({ status }) => status)).toEqual(['contributed', 'contributed', 'released', 'contributed']);
    expect(spentEvents(account)).toHaveLength(3);
    const beta = run.client('beta').state.accounts.get('beta-patients')!;
    expect(beta.reservations.map(({ status }) => status)).toEqual(['contributed', 'live', 'live', 'contributed']);
    expect(spentEvents(beta)).toHaveLength(4);
    // By hand: ρ = 4/(2·10²), ε = ρ + 2·√(ρ·ln 1000).
    const rho = 0.02;
    const spending = accountSpending(beta, zcdpAccountant);
    expect(spending.epsilon).toBeCloseTo(rho + 2 * Math.sqrt(rho * Math.log(1000)), 12);
    expect(spending).toMatchObject({ epsilonBudget: 1.5, delta: 1e-3, withinBudget: true });
    expect(accountSpending(beta, () => ({ epsilon: Number.NaN, method: 'broken' })).withinBudget).toBe(false);
    expect(accountSpending(beta, () => ({ epsilon: 1.500001, method: 'more' })).withinBudget).toBe(false);
    expect(epsilonToNano(1e-10)).toBe(1);
    expect(epsilonToNano(Infinity)).toBe(Infinity);
  });
});

describe('witnessing', () => {
  const observe = (size: number, root: Uint8Array, change: object = {}): LedgerEntry => {
    const origin = logOrigin(trustDomain, 'coordinator');
    const checkpoint = fromUtf8(signCheckpoint(nobleCrypto, { origin, size, root }, seedOf('coordinator ledger')));
    return { ...base('observe'), runId, outcome: 'seen', checkpoint, ...change } as LedgerEntry;
  };

  test('a checkpoint never shrinks, splits or changes its log', () => {
    const ledger = started().client('alpha');
    ledger.append(observe(5, seedOf('a')));
    expect(faultOf(ledger, observe(4, seedOf('a')))).toBe('rewound');
    expect(faultOf(ledger, observe(5, seedOf('b')))).toBe('rewound');
    expect(faultOf(ledger, observe(6, seedOf('b')))).toBeUndefined();
    const other = fromUtf8(signCheckpoint(nobleCrypto, { origin: 'x/y', size: 9, root: seedOf('a') }, seedOf('k')));
    expect(faultOf(ledger, observe(9, seedOf('a'), { checkpoint: other }))).toBe('rewound');
    expect(faultOf(ledger, observe(9, seedOf('a'), { checkpoint: 'nothing' }))).toBe('rewound');
  });

  test('a round has one outcome', () => {
    const ledger = started().client('alpha');
    ledger.append(observe(5, seedOf('a'), { outcome: 'published', round: 1 }));
    expect(faultOf(ledger, observe(6, seedOf('a'), { outcome: 'aborted', round: 1 }))).toBe('contradicting-outcome');
    expect(faultOf(ledger, observe(6, seedOf('a'), { outcome: 'published', round: 1 }))).toBeUndefined();
    expect(faultOf(ledger, observe(6, seedOf('a'), { outcome: 'published', round: 5 }))).toBe('round-out-of-range');
    expect(faultOf(ledger, observe(6, seedOf('a'), { runId: 'other' }))).toBe('unknown-plan');
  });
});

describe('rounds', () => {
  /** A publish entry of round 1 by all owners, on a fresh run. */
  function firstRound(): { run: SyntheticRun; entry: PublishEntry } {
    const run = started();
    for (const id of owners) run.reserve(id, 1);
    return { run, entry: run.publishEntry(1, owners, owners) };
  }

  test('end in order, each once', () => {
    const { run, entry } = firstRound();
    const abort = (round: number): LedgerEntry => ({
      ...base('abort'),
      runId,
      round,
      attempt: 1,
      stage: 'share',
      reason: 'late',
      spent: [],
    });
    expect(faultOf(run.coordinator, abort(2))).toBe('round-order');
    run.coordinator.append(entry);
    expect(faultOf(run.coordinator, entry)).toBe('round-order');
    expect(faultOf(run.coordinator, abort(1))).toBe('round-order');
    expect(faultOf(run.coordinator, { ...abort(2), spent: ['omega'] } as LedgerEntry)).toBe('cohort-mismatch');
    for (const stage of ['select', 'advertise', 'share'])
      expect(faultOf(run.coordinator, { ...abort(2), stage, spent: ['beta'] } as LedgerEntry)).toBe('cohort-mismatch');
    for (const round of [2, 3, 4]) run.coordinator.append(abort(round));
    expect(faultOf(run.coordinator, abort(5))).toBe('round-out-of-range');
  });

  const [alpha, beta, gamma] = ['alpha', 'beta', 'gamma'];
  test.each<[string, LedgerFaultCode, (entry: PublishEntry) => object]>([
    ['another plan', 'plan-mismatch', () => ({ planHash: hashOf('x') })],
    ['a stranger in the roster', 'cohort-mismatch', ({ roster }) => ({ roster: [...roster, 'omega'] })],
    ['a sharer that is not in the roster', 'cohort-mismatch', () => ({ roster: [alpha, beta, gamma] })],
    ['a survivor that did not share', 'cohort-mismatch', () => ({ sharers: [alpha, beta, gamma] })],
    ['a confirmation by no survivor', 'cohort-mismatch', ({ survivors }) => ({ survivors: survivors.slice(1) })],
    [
      'too few survivors',
      'cohort-mismatch',
      ({ survivors, confirmations }) => ({ survivors: survivors.slice(2), confirmations: confirmations.slice(2) }),
    ],
    ['too few confirmations', 'cohort-mismatch', ({ confirmations }) => ({ confirmations: confirmations.slice(2) })],
    ['more correct than there are', 'cohort-mismatch', () => ({ heldOut: { correct: 3, total: 2 } })],
    ['another model before', 'model-chain', () => ({ modelBefore: hashOf('x') })],
  ])('are refused with %s', (_, fault, change) => {
    const { run, entry } = firstRound();
    expect(faultOf(run.coordinator, { ...entry, ...change(entry) })).toBe(fault);
    expect(faultOf(run.coordinator, entry)).toBeUndefined();
  });

  test('are refused with evidence about something else', () => {
    const { run, entry } = firstRound();
    const withEvidence = (change: (evidence: PublishEntry['survivors'][number]['evidence']) => object): LedgerEntry => ({
      ...entry,
      survivors: entry.survivors.map((survivor, i) =>
        i === 0 ? { ...survivor, evidence: { ...survivor.evidence, ...change(survivor.evidence) } } : survivor,
      ),
    });
    const reserve = (change: object) => withEvidence((evidence) => ({ reserve: { ...evidence.reserve, ...change } }));
    expect(faultOf(run.coordinator, reserve({ round: 2 }))).toBe('evidence-mismatch');
    expect(faultOf(run.coordinator, reserve({ runId: 'other' }))).toBe('evidence-mismatch');
    expect(faultOf(run.coordinator, reserve({ planHash: hashOf('x') }))).toBe('evidence-mismatch');
    expect(
      faultOf(
        run.coordinator,
        withEvidence(() => ({ index: 4 })),
      ),
    ).toBe('evidence-mismatch');
    expect(
      faultOf(
        run.coordinator,
        withEvidence(() => ({ checkpoint: entry.survivors[1]!.evidence.checkpoint })),
      ),
    ).toBe('evidence-mismatch');
    expect(
      faultOf(
        run.coordinator,
        withEvidence(() => ({ checkpoint: 'nothing' })),
      ),
    ).toBe('evidence-mismatch');
  });

  test('published + aborted = planned, and the last model is the last published', () => {
    const run = new SyntheticRun().start();
    for (const round of [1, 2, 3, 4]) run.abort(round, []);
    expect(faultOf(run.coordinator, complete(0, 3, terms.model.initialHash))).toBe('incomplete');
    expect(faultOf(run.coordinator, complete(1, 3, terms.model.initialHash))).toBe('incomplete');
    expect(faultOf(run.coordinator, complete(0, 4, hashOf('x')))).toBe('model-chain');
    expect(faultOf(run.coordinator, complete(0, 4, terms.model.initialHash))).toBeUndefined();
    expect(faultOf(run.coordinator, complete(0, 4, terms.model.initialHash))).toBe('run-complete');
    const early = started();
    expect(faultOf(early.coordinator, complete(0, 4, terms.model.initialHash))).toBe('incomplete');
  });

  test('a client reserves nothing after the end', () => {
    const run = new SyntheticRun().start().play();
    expect(faultOf(run.client('delta'), reserveEntry('delta', 4))).toBe('run-complete');
  });

  test.each([
    ['malicious', 'cohort-mismatch'],
    ['semi-honest', undefined],
  ] as const)('without confirmations, in %s mode: %s', (mode, fault) => {
    const run = started();
    for (const id of owners) run.reserve(id, 1);
    const ledger = new Ledger(nobleCrypto, logOrigin(trustDomain, 'coordinator'));
    ledger.append(enrolEntry('coordinator', 'coordinator'));
    ledger.append({ ...base('plan'), runId, planHash: plan, terms: { ...terms, secagg: { ...terms.secagg, mode } } });
    expect(faultOf(ledger, { ...run.publishEntry(1, owners, owners), confirmations: [] })).toBe(fault);
  });
});

describe('cohorts', () => {
  test('below the floor are refused by their number, whoever confirmed', () => {
    const run = started();
    for (const id of owners) run.reserve(id, 1);
    const entry = run.publishEntry(1, owners, owners);
    const ledger = new Ledger(nobleCrypto, logOrigin(trustDomain, 'coordinator'));
    ledger.append(enrolEntry('coordinator', 'coordinator'));
    const semiHonest = { ...terms, secagg: { ...terms.secagg, mode: 'semi-honest' as const } };
    ledger.append({ ...base('plan'), runId, planHash: plan, terms: semiHonest });
    const few = { ...entry, survivors: entry.survivors.slice(2), confirmations: [] };
    expect(() => ledger.append(few)).toThrow(/2 survivors are fewer than 3/);
    const roster = owners.slice(0, 2);
    const tiny = { ...few, roster, sharers: roster, survivors: entry.survivors.slice(0, 2) };
    expect(() => ledger.append(tiny)).toThrow(/the roster has 2 members; the plan allows 3 to 4/);
  });

  test('have the numbers of the protocol', () => {
    expect(cohortThresholds(terms.secagg, 4)).toEqual({ colluders: 1, threshold: 3, floor: 3 });
    expect(cohortThresholds(terms.secagg, 3)).toEqual({ colluders: 1, threshold: 3, floor: 3 });
    expect(cohortThresholds({ ...terms.secagg, hMin: 3 }, 10)).toEqual({ colluders: 3, threshold: 7, floor: 7 });
  });
});

describe('a ledger that is built again', () => {
  test('has the same state and root; a damaged or reordered store does not open', () => {
    const run = new SyntheticRun().start().play();
    const leaves = run.client('beta').log.entries();
    const again = new Ledger(nobleCrypto, logOrigin(trustDomain, 'beta'), leaves);
    expect(again.log.root()).toEqual(run.client('beta').log.root());
    expect(again.state).toEqual(run.client('beta').state);
    expect(
      foldLedger(
        nobleCrypto,
        leaves.map((_, i) => again.entry(i)),
      ).size,
    ).toBe(leaves.length);
    expect(() => new Ledger(nobleCrypto, 'x/y', leaves.toReversed())).toThrow();
    expect(() => new Ledger(nobleCrypto, 'x/y', leaves.with(3, utf8('{}')))).toThrow(/no ledger entry/);
  });

  test('an entry prepared before another was committed is refused', () => {
    const run = started();
    const ledger = run.client('alpha');
    const prepared = ledger.prepare(reserveEntry('alpha', 1));
    expect(ledger.size).toBe(3);
    ledger.append(reserveEntry('alpha', 2));
    expect(() => ledger.commit(prepared)).toThrow(expect.objectContaining({ code: 'conflict' }));
    expect(toBase64(ledger.log.root())).toBe(toBase64(ledger.log.root(4)));
  });
});
