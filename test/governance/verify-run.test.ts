import { describe, expect, test } from 'vitest';
import { concat, fromBase64, fromUtf8, toBase64, utf8 } from '@sotto/core/bytes';
import { nobleCrypto } from '@sotto/core/crypto-noble';
import type { DpEvent } from '@sotto/core/event';
import { encodeTrustBundle, issueCertificate, trustFingerprint } from '@sotto/core/identity';
import { canonicalJsonBytes, type Json } from '@sotto/core/json';
import {
  type Accountant,
  exportRun,
  type ExportRunInput,
  formatFinding,
  Ledger,
  type LedgerEntry,
  logOrigin,
  type PublishEntry,
  type RunVerification,
  signManifest,
  signNote,
  verifyRun,
} from '@sotto/governance';
import {
  accountEntry,
  base,
  bundle,
  certificateOf,
  crypto,
  enrolEntry,
  event as reservedEvent,
  fingerprint,
  hashOf,
  owners,
  planEntry,
  reserveEntry,
  runId,
  seedOf,
  SyntheticRun,
  terms,
  trustDomain,
  zcdpAccountant,
} from './synthetic-run.ts';

type Files = Map<string, Uint8Array>;

const verify = (files: ReadonlyMap<string, Uint8Array>, accountant: Accountant = zcdpAccountant): RunVerification =>
  verifyRun(files, { crypto, accountant, trust: fingerprint });
const whole: Files = exportRun(new SyntheticRun().start().play().exportInput());
const lines = (result: RunVerification): string => result.findings.map(formatFinding).join('\n');

/** The manifest as a malicious coordinator would sign it again. */
function resigned(files: Files): Files {
  const origin = logOrigin(trustDomain, 'coordinator');
  return new Map(files).set('manifest', signManifest(crypto, { origin, runId, files }, seedOf('coordinator ledger')));
}

/** An export in which parties' ledgers were changed after the fact, and signed again by whoever holds `signer`'s key. */
function withLedger(input: ExportRunInput, party: string, ledger: Ledger, signer: string = party): ExportRunInput {
  const checkpoint = ledger.log.checkpoint(nobleCrypto, seedOf(`${signer} ledger`));
  return { ...input, ledgers: new Map(input.ledgers).set(party, { leaves: ledger.log.entries(), checkpoint }) };
}

/** A ledger with some entries replaced, and what they break left out. */
function rewritten(ledger: Ledger, change: (entry: LedgerEntry, index: number) => LedgerEntry | undefined): Ledger {
  const out = new Ledger(nobleCrypto, ledger.log.origin);
  for (let i = 0; i < ledger.size; i++) {
    const entry = change(ledger.entry(i), i);
    if (entry !== undefined) out.append(entry);
  }
  return out;
}

describe('a whole run', () => {
  test('verifies, with the fingerprint, the bundle, or neither', () => {
    const result = verify(whole);
    expect(result).toMatchObject({ ok: true, findings: [], trusted: true, fingerprint });
    expect(result.summary).toMatch(
      /^VERIFIED: run heart-1, 3 rounds published and 1 aborted of 4 planned, 5 ledgers with 67 entries/,
    );
    const options = { crypto, accountant: zcdpAccountant };
    expect(verifyRun(whole, { ...options, trust: encodeTrustBundle(bundle) })).toMatchObject({ ok: true, trusted: true });
    expect(verifyRun(whole, { ...options, trust: `SHA256:${fingerprint.toUpperCase()}` })).toMatchObject({
      ok: true,
      trusted: true,
    });
    const untrusted = verifyRun(whole, options);
    expect(untrusted).toMatchObject({ ok: true, trusted: false });
    expect(untrusted.summary).toContain(`compare the authority's fingerprint with ${fingerprint}`);
  });

  test('is written the same twice', () => {
    const again = exportRun(new SyntheticRun().start().play().exportInput());
    expect([...again.keys()]).toEqual([...whole.keys()]);
    // Times differ between the two synthetic runs, the layout does not; one run written twice is equal in every byte.
    const input = new SyntheticRun().start().play().exportInput();
    expect(exportRun(input)).toEqual(exportRun(input));
  });

  test('of another authority is not the one that is trusted', () => {
    const other = hashOf('another authority');
    const result = verifyRun(whole, { crypto, accountant: zcdpAccountant, trust: other });
    expect(result).toMatchObject({ ok: false, trusted: false });
    expect(result.summary).toContain(`not the one that you trust (${other})`);
    expect(() => verifyRun(whole, { crypto, accountant: zcdpAccountant, trust: 'abc' })).toThrow(/64 hexadecimal digits/);
  });
});

const everyByte = process.env['SOTTO_EVERY_BYTE'] === '1';
const byteTimeoutMs = everyByte ? 3_600_000 : 60_000;

/** Byte positions: both ends and evenly between, `count` in all; every one with SOTTO_EVERY_BYTE=1. */
function sampled(length: number, count: number): number[] {
  if (everyByte || length <= count) return Array.from({ length }, (_, i) => i);
  const edge = Math.floor(count / 4);
  const inner = Array.from({ length: count - 2 * edge }, (_, i) => Math.floor((i * length) / (count - 2 * edge)));
  return [...new Set([...Array(edge).keys(), ...inner, ...Array.from({ length: edge }, (_, i) => length - 1 - i)])];
}

describe('any changed byte', () => {
  const entryOffsets = (bundle: Uint8Array): number[] => {
    const starts: number[] = [];
    for (let at = 0; at < bundle.length; at += 2 + bundle[at]! * 256 + bundle[at + 1]!) starts.push(at);
    return starts;
  };

  test.each([...whole.keys()])(
    'of %s is found and named',
    (path) => {
      const original = whole.get(path)!;
      const starts = path.includes('/entries/') ? entryOffsets(original) : undefined;
      for (const i of sampled(original.length, 24)) {
        const changed = original.slice();
        changed[i]! ^= i % 3 === 0 ? 0x80 : 1 << (i % 8);
        const result = verify(new Map(whole).set(path, changed));
        expect(result.ok, `${path} byte ${i}`).toBe(false);
        expect(result.findings[0]?.file, `${path} byte ${i}: ${lines(result)}`).toBe(path);
        if (starts !== undefined) {
          const entry = starts.findLastIndex((start) => start <= i);
          expect(result.findings[0]?.entry, `${path} byte ${i}: ${lines(result)}`).toBe(entry);
        }
      }
    },
    byteTimeoutMs,
  );

  test.each([...whole.keys()].filter((path) => path !== 'manifest'))(
    'of %s is found even if the coordinator signs it',
    (path) => {
      const original = whole.get(path)!;
      for (const i of sampled(original.length, 8)) {
        const changed = original.slice();
        changed[i]! ^= 1 << (i % 8);
        const result = verify(resigned(new Map(whole).set(path, changed)));
        expect(result.ok, `${path} byte ${i}`).toBe(false);
      }
    },
  );

  test.each([...whole.keys()])(
    '%s cut short, grown, emptied or missing is named',
    (path) => {
      const original = whole.get(path)!;
      for (const bytes of [original.subarray(0, -1), concat(original, Uint8Array.of(10)), new Uint8Array(0)]) {
        expect(verify(new Map(whole).set(path, bytes)).findings[0]?.file).toBe(path);
      }
      const without = new Map(whole);
      without.delete(path);
      const missing = verify(without);
      expect(missing.findings).toContainEqual(expect.objectContaining({ code: 'missing-file', file: path }));
      if (path !== 'manifest') expect(verify(resigned(without)).ok).toBe(false);
    },
    byteTimeoutMs,
  );

  test('and any unknown file', () => {
    const more = new Map(whole).set('notes.txt', utf8('hello'));
    expect(verify(more).findings).toContainEqual(expect.objectContaining({ code: 'unknown-file', file: 'notes.txt' }));
    expect(verify(resigned(more)).findings).toEqual([expect.objectContaining({ code: 'unknown-file', file: 'notes.txt' })]);
    const tile = new Map(whole).set('ledger/alpha/tile/0/000', whole.get('ledger/alpha/tile/0/000.p/16')!);
    expect(verify(resigned(tile)).findings).toEqual([
      expect.objectContaining({ code: 'unknown-file', file: 'ledger/alpha/tile/0/000' }),
    ]);
    const stranger = new Map(whole).set('ledger/omega/checkpoint', whole.get('ledger/alpha/checkpoint')!);
    expect(verify(resigned(stranger)).ok).toBe(false);
  });

  test('swapped files are found', () => {
    const swapped = new Map(whole)
      .set('ledger/alpha/checkpoint', whole.get('ledger/beta/checkpoint')!)
      .set('ledger/beta/checkpoint', whole.get('ledger/alpha/checkpoint')!);
    expect(verify(swapped).findings.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['ledger/alpha/checkpoint', 'ledger/beta/checkpoint']),
    );
    expect(verify(resigned(swapped)).ok).toBe(false);
  });
});

describe('a malicious coordinator cannot', () => {
  const played = (): SyntheticRun => new SyntheticRun().start().play();

  test('rewrite an owner’s ledger without the owner’s key', () => {
    const run = played();
    const cheaper = rewritten(run.client('alpha'), (entry) =>
      entry.kind === 'account' ? { ...entry, budget: { ...entry.budget, epsilonNano: 9_000_000_000 } } : entry,
    );
    expect(() => exportRun(withLedger(run.exportInput(), 'alpha', cheaper, 'coordinator'))).toThrow(
      /not signed by hearts.example\/alpha/,
    );
  });

  test('sign its own account of what an owner reserved', () => {
    const run = played();
    const forged = rewritten(run.coordinator, (entry) => {
      if (entry.kind !== 'publish') return entry;
      const [first, ...rest] = entry.survivors;
      const reserve = { ...first!.evidence.reserve, event: { type: 'gaussian', noiseMultiplier: 99 } as const };
      return { ...entry, survivors: [{ ...first!, evidence: { ...first!.evidence, reserve } }, ...rest] };
    });
    const result = verify(exportRun(withLedger(run.exportInput(), 'coordinator', forged)));
    expect(lines(result)).toMatch(/entry 6: the inclusion proof of reservation 3 of hearts.example\/alpha does not verify/);
  });

  test.each<[string, RegExp, (entry: PublishEntry) => Partial<PublishEntry>]>([
    ['change the session', /session id does not follow/, () => ({ context: hashOf('x') })],
    ['change the sum', /signature of the receipt/, () => ({ sumHash: hashOf('x') })],
    [
      'change the event of the receipt',
      /signature of the receipt/,
      ({ receipt }) => ({ receipt: { ...receipt, event: 'AAAA' } }),
    ],
    ['change root(U1)', /root of the sharers/, () => ({ sharersRoot: hashOf('x') })],
    ['change root(U2)', /root of the survivors/, () => ({ survivorsRoot: hashOf('x') })],
    [
      'swap an input',
      /signature of alpha over its input/,
      ({ survivors }) => ({ survivors: survivors.map((s, i) => (i === 0 ? { ...s, inputHash: hashOf('x') } : s)) }),
    ],
    [
      'forge a confirmation',
      /signature of alpha over the survivor set/,
      ({ confirmations }) => ({
        confirmations: confirmations.map((c, i) => (i === 0 ? { ...c, signature: confirmations[1]!.signature } : c)),
      }),
    ],
  ])('%s', (_, message, change) => {
    const run = played();
    const forged = rewritten(run.coordinator, (entry) => (entry.kind === 'publish' ? { ...entry, ...change(entry) } : entry));
    const result = verify(exportRun(withLedger(run.exportInput(), 'coordinator', forged)));
    expect(result.findings.find(({ entry }) => entry === 6)).toBeDefined();
    expect(lines(result)).toMatch(message);
  });

  test.each<[string, (id: string) => DpEvent | undefined]>([
    ['a cheaper event for one', (id) => (id === 'beta' ? { type: 'gaussian', noiseMultiplier: 99 } : reservedEvent)],
    ['nothing for one', (id) => (id === 'beta' ? undefined : reservedEvent)],
    ['nothing at all', () => undefined],
  ])('sign a receipt that states %s', (_, stated) => {
    const run = new SyntheticRun().start();
    for (const id of owners) run.reserve(id, 1);
    run.coordinator.append(run.publishEntry(1, owners, owners, stated));
    for (const round of [2, 3, 4]) run.abort(round, []);
    run.complete();
    expect(verify(exportRun(run.exportInput())).findings.map(formatFinding)).toEqual([
      expect.stringMatching(/entry 6: round 1: the receipt states other events than the survivors reserved/),
    ]);
  });

  test('claim an input that its owner did not send', () => {
    const run = new SyntheticRun().start();
    for (const id of owners) run.reserve(id, 1);
    run.publish(1, owners);
    for (const round of [2, 3, 4]) run.abort(round, []);
    run.complete();
    const silent = rewritten(run.client('gamma'), (entry) => (entry.kind === 'contribute' ? undefined : entry));
    const result = verify(exportRun(withLedger(run.exportInput(), 'gamma', silent)));
    expect(lines(result)).toMatch(/round 1 sums an input of gamma that its ledger does not know/);
    const other = rewritten(run.client('gamma'), (entry) =>
      entry.kind === 'contribute' ? { ...entry, inputHash: hashOf('x') } : entry,
    );
    expect(lines(verify(exportRun(withLedger(run.exportInput(), 'gamma', other))))).toMatch(
      /gamma.*entry 4: the contribution to round 1 is not the one/,
    );
  });

  test('give up a round without naming who spent on it', () => {
    /** Beta has reserved, and contributed to `sid` if given; gamma has released. */
    const given = (sid: string | undefined, spent: readonly string[]): RunVerification => {
      const run = new SyntheticRun().start();
      const reservation = run.reserve('beta', 1);
      run.reserve('gamma', 1);
      run.release('gamma', 1);
      if (sid !== undefined)
        run
          .client('beta')
          .append({ ...base('contribute'), runId, round: 1, sid, reservation, inputHash: hashOf('y') } as LedgerEntry);
      run.abort(1, spent);
      for (const round of [2, 3, 4]) run.abort(round, []);
      run.complete();
      return verify(exportRun(run.exportInput()));
    };
    for (const sid of [undefined, hashOf('sid')]) {
      expect(given(sid, ['alpha', 'delta', 'gamma']).findings).toEqual([
        expect.objectContaining({ code: 'contradiction', party: 'beta', entry: 3 }),
      ]);
      // Alpha and delta were shown U1 and ended before they reserved: an honest history.
      expect(given(sid, owners)).toMatchObject({ ok: true, findings: [] });
      expect(given(sid, ['beta'])).toMatchObject({ ok: true, findings: [] });
    }
    expect(lines(given(undefined, []))).toMatch(/beta spent on round 1; the coordinator’s ledger gives the round up without/);
  });

  test('leave a spender out of a published round, or take its input in another session', () => {
    const published = (roster: readonly string[], sid?: (published: string) => string): RunVerification => {
      const run = new SyntheticRun().start();
      for (const id of owners) run.reserve(id, 1);
      const entry = run.publishEntry(
        1,
        roster,
        owners.filter((id) => id !== 'gamma'),
      );
      const contribution = { ...base('contribute'), runId, round: 1, reservation: 3, inputHash: hashOf('y') };
      if (sid !== undefined) run.client('gamma').append({ ...contribution, sid: sid(entry.sid) } as LedgerEntry);
      run.coordinator.append(entry);
      for (const round of [2, 3, 4]) run.abort(round, []);
      run.complete();
      return verify(exportRun(run.exportInput()));
    };
    expect(published(owners)).toMatchObject({ ok: true, findings: [] });
    expect(published(owners, (sid) => sid)).toMatchObject({ ok: true, findings: [] }); // its input came too late
    expect(lines(published(owners.filter((id) => id !== 'gamma')))).toMatch(
      /gamma.*entry 3: gamma spent on round 1; the coordinator’s ledger does not have it among the sharers/,
    );
    expect(lines(published(owners, () => hashOf('another')))).toMatch(
      /gamma.*entry 4: the contribution to round 1 went to another session/,
    );
  });

  test('show witnesses one history and the reader another', () => {
    const run = played();
    const { coordinator } = run;
    // The aborted round is told with another reason than the owners were shown.
    const forked = rewritten(coordinator, (entry) => (entry.kind === 'abort' ? { ...entry, reason: 'the weather' } : entry));
    const result = verify(exportRun(withLedger(run.exportInput(), 'coordinator', forked)));
    expect(result.findings[0]).toMatchObject({ code: 'contradiction', file: 'ledger/coordinator/checkpoint' });
    expect(lines(result)).toMatch(/witnessed at 9 entries: it was rewound or forked/);
  });

  test('hide rounds that were witnessed', () => {
    const run = played();
    const complete = run.coordinator.entry(10);
    const before = run.coordinator.entry(6) as PublishEntry;
    const rewound = rewritten(run.coordinator, (entry, index) => (index <= 6 ? entry : undefined));
    for (const round of [2, 3, 4])
      rewound.append({ ...base('abort'), runId, round, attempt: 1, stage: 'share', reason: 'x', spent: [] });
    rewound.append({
      ...(complete as LedgerEntry & { kind: 'complete' }),
      published: 1,
      aborted: 3,
      modelHash: before.modelAfter,
    });
    const result = verify(exportRun(withLedger(run.exportInput(), 'coordinator', rewound)));
    expect(lines(result)).toMatch(/witnessed at \d+ entries: it was rewound or forked/);
    expect(lines(result)).toMatch(/saw another end of the run/);
  });

  test('contradict the outcome that a witness recorded', () => {
    const run = new SyntheticRun().start();
    run.abort(1, []);
    run.observe(1, 'published', ['alpha']);
    for (const round of [2, 3, 4]) run.abort(round, []);
    run.complete();
    expect(lines(verify(exportRun(run.exportInput())))).toMatch(
      /alpha.*: round 1 was seen as published; the coordinator’s ledger says otherwise/,
    );
  });

  test('forge what a witness saw', () => {
    const run = new SyntheticRun().start();
    const text = 'hearts.example/coordinator\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';
    const checkpoint = fromUtf8(signNote(nobleCrypto, text, [{ name: 'hearts.example/coordinator', seed: seedOf('nobody') }]));
    run.client('alpha').append({ ...base('observe'), runId, outcome: 'seen', checkpoint });
    for (const round of [1, 2, 3, 4]) run.abort(round, []);
    run.complete();
    expect(lines(verify(exportRun(run.exportInput())))).toMatch(
      /alpha.*entry 3: the note is not signed by hearts.example\/coordinator/,
    );
  });

  test('publish another model', () => {
    const input = played().exportInput();
    const values = input.model.values.slice();
    values[3]! += 1e-6;
    expect(verify(exportRun({ ...input, model: { ...input.model, values } })).findings).toContainEqual(
      expect.objectContaining({ code: 'model-mismatch', file: 'model/weights.bin' }),
    );
    const topology = { ...(input.model.topology as object), class_name: 'Model' } as Json;
    expect(verify(exportRun({ ...input, model: { ...input.model, topology } })).findings).toContainEqual(
      expect.objectContaining({ code: 'model-mismatch', file: 'model/model.json' }),
    );
    const weights = [{ name: 'dense/other', shape: [13, 1] }, input.model.weights[1]!];
    expect(verify(exportRun({ ...input, model: { ...input.model, weights } })).findings.map(({ file }) => file)).toEqual([
      'model/model.json',
      'model/model.safetensors',
    ]);
  });

  test('write a kinder report', () => {
    const kinder = fromUtf8(whole.get('report.json')!).replace('"withinBudget":true', '"withinBudget":null');
    expect(verify(resigned(new Map(whole).set('report.json', utf8(kinder)))).findings).toEqual([
      expect.objectContaining({ code: 'report-mismatch', file: 'report.json' }),
    ]);
    const html = fromUtf8(whole.get('report.html')!).replace('heart-1', 'heart-2');
    expect(verify(resigned(new Map(whole).set('report.html', utf8(html)))).findings).toEqual([
      expect.objectContaining({ code: 'report-mismatch', file: 'report.html' }),
    ]);
  });

  test('end a run early', () => {
    const run = new SyntheticRun().start();
    run.abort(1, []);
    expect(lines(verify(exportRun(run.exportInput())))).toMatch(/the run has no end in the coordinator’s ledger/);
  });

  test('put itself in the place of the authority, if the fingerprint is compared', () => {
    const forgedBundle = { ...bundle, rootKey: nobleCrypto.ed25519PublicKey(seedOf('evil root')) };
    const forged = JSON.parse(fromUtf8(whole.get('trust.json')!)) as Record<string, Json>;
    const file = {
      ...forged,
      bundle: toBase64(encodeTrustBundle(forgedBundle)),
      fingerprint: trustFingerprint(nobleCrypto, forgedBundle),
    };
    const result = verify(resigned(new Map(whole).set('trust.json', canonicalJsonBytes(file))));
    expect(result.ok).toBe(false);
    expect(result.findings[0]?.file).toBe('trust.json');
  });

  test('lie in trust.json about its fingerprint or domain, or pass a certificate off as another’s', () => {
    const honest = JSON.parse(fromUtf8(whole.get('trust.json')!)) as { certificates: { party: string; certificate: string }[] };
    const certificates = [...honest.certificates, { party: 'omega', certificate: honest.certificates[0]!.certificate }];
    for (const change of [{ fingerprint: hashOf('x') }, { trustDomain: 'other.example' }, { certificates }]) {
      const file = canonicalJsonBytes({ ...honest, ...change } as unknown as Json);
      const result = verifyRun(resigned(new Map(whole).set('trust.json', file)), { crypto, accountant: zcdpAccountant });
      expect(result.findings[0]).toMatchObject({ code: 'trust', file: 'trust.json' });
    }
  });

  test('add a certificate of another authority', () => {
    const input = played().exportInput();
    const wire = issueCertificate(nobleCrypto, seedOf('evil root'), {
      trustDomain,
      id: 'alpha',
      role: 'client',
      signingKey: nobleCrypto.ed25519PublicKey(seedOf('alpha signing')),
      ledgerKey: nobleCrypto.ed25519PublicKey(seedOf('alpha ledger')),
      serial: new Uint8Array(16),
      notBeforeMs: 0,
      notAfterMs: 1,
    });
    expect(() => exportRun({ ...input, certificates: new Map(input.certificates).set('alpha', wire) })).toThrow(
      /not signed by the pinned enrolment authority/,
    );
    const without = new Map(input.certificates);
    without.delete('alpha');
    expect(() => exportRun({ ...input, certificates: without })).toThrow(/no certificate of client alpha/);
  });
});

describe('an owner cannot', () => {
  test('take back a reservation that it has shown', () => {
    const run = new SyntheticRun().start().play();
    const cleaned = rewritten(run.client('alpha'), (entry) =>
      ['reserve', 'release', 'contribute'].includes(entry.kind) ? undefined : entry,
    );
    const result = verify(exportRun(withLedger(run.exportInput(), 'alpha', cleaned)));
    expect(result.findings[0]).toMatchObject({ code: 'contradiction', file: 'ledger/alpha/checkpoint', party: 'alpha' });
    expect(lines(result)).toMatch(/not the one that it showed for round 1: it was rewound or forked/);
  });

  test('spend more than its budget unseen', () => {
    const run = new SyntheticRun().start();
    run
      .client('beta')
      .append({ ...accountEntry('beta'), account: 'small', budget: { epsilonNano: 300_000_000, delta: 1e-3 } } as LedgerEntry);
    run.client('beta').append({ ...reserveEntry('beta', 1), account: 'small' } as LedgerEntry);
    run.abort(1, ['beta']);
    for (const round of [2, 3, 4]) run.abort(round, []);
    run.complete();
    // ρ = 1/200, ε = ρ + 2·√(ρ·ln 1000) = 0.3766…
    const result = verify(exportRun(run.exportInput()));
    expect(result.findings).toEqual([expect.objectContaining({ code: 'over-budget', party: 'beta', entry: 3 })]);
    expect(result.findings[0]!.message).toMatch(/account small has spent ε = 0\.376\d+ of 0\.3 at δ = 0\.001/);
    expect(result.report?.parties[1]).toMatchObject({ account: 'small', spent: { withinBudget: false } });
  });

  test('train under another plan or sampling rate', () => {
    const base_ = new SyntheticRun().start();
    for (const round of [1, 2, 3, 4]) base_.abort(round, []);
    base_.complete();
    const { document: _, ...bare } = planEntry() as LedgerEntry & { kind: 'plan' };
    const elsewhere = new Ledger(nobleCrypto, logOrigin(trustDomain, 'beta'));
    elsewhere.append(enrolEntry('beta', 'client'));
    elsewhere.append({ ...bare, terms: { ...terms, quantiser: { clip: 9, bits: 20 } } });
    expect(lines(verify(exportRun(withLedger(base_.exportInput(), 'beta', elsewhere))))).toMatch(
      /beta.*entry 1: the owner accepted another plan/,
    );
    const run = new SyntheticRun().start();
    const event = { type: 'poissonSampled', sampleRate: 0.5, event: { type: 'gaussian', noiseMultiplier: 10 } };
    run.client('beta').append({ ...reserveEntry('beta', 1), event } as LedgerEntry);
    for (const round of [1, 2, 3, 4]) run.abort(round, []);
    run.complete();
    expect(lines(verify(exportRun(run.exportInput())))).toMatch(
      /beta.*entry 3: the reservation samples at another rate than the plan \(0.9\)/,
    );
  });

  test('hand in the ledger of somebody else', () => {
    const run = new SyntheticRun().start().play();
    const stolen = new Ledger(nobleCrypto, logOrigin(trustDomain, 'beta'));
    stolen.append(enrolEntry('alpha', 'client'));
    expect(() => exportRun(withLedger(run.exportInput(), 'beta', stolen))).toThrow(/begins with the enrolment of alpha/);
  });

  test('enrol others, or itself with another key or authority', () => {
    const run = new SyntheticRun().start();
    run
      .client('alpha')
      .append(enrolEntry('coordinator', 'coordinator', certificateOf('coordinator', 'coordinator', { ledgerSeed: seedOf('x') })));
    for (const round of [1, 2, 3, 4]) run.abort(round, []);
    run.complete();
    expect(lines(verify(exportRun(run.exportInput())))).toMatch(
      /alpha.*entry 3: coordinator is enrolled with another ledger key/,
    );
    const other = new Ledger(nobleCrypto, logOrigin(trustDomain, 'alpha'));
    other.append({ ...enrolEntry('alpha', 'client'), trustFingerprint: hashOf('x') } as LedgerEntry);
    expect(lines(verify(exportRun(withLedger(run.exportInput(), 'alpha', other))))).toMatch(
      /under an authority with another fingerprint/,
    );
  });
});

describe('verification', () => {
  test('needs the accountant that wrote the report, and says so', () => {
    const other: Accountant = (events, question) => ({ ...zcdpAccountant(events, question), method: 'another' });
    expect(verify(whole, other).findings.map(({ code, file }) => [code, file])).toEqual([
      ['report-mismatch', 'report.html'],
      ['report-mismatch', 'report.json'],
    ]);
    const failing: Accountant = () => {
      throw new Error('unsupported event');
    };
    expect(verify(whole, failing).ok).toBe(false);
  });

  test('never throws on arbitrary files', () => {
    for (const files of [
      new Map(),
      new Map([['manifest', utf8('x')]]),
      new Map([...whole.keys()].map((path) => [path, utf8('{}')] as const)),
    ]) {
      expect(verify(files).ok).toBe(false);
      expect(verify(files).summary).toMatch(/^FAILED: /);
    }
  });

  test('binds the model files to each other', () => {
    const weights = whole.get('model/weights.bin')!;
    expect(fromBase64(toBase64(weights))).toEqual(weights);
    expect(fromUtf8(whole.get('model/model.safetensors')!.subarray(8, 200))).toContain('"sotto.runId":"heart-1"');
  });
});
