import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { toBase64 } from '../../packages/core/src/bytes.ts';
import { nobleCrypto } from '../../packages/core/src/crypto-noble.ts';
import { issueCertificate, trustFingerprint } from '../../packages/core/src/identity.ts';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';
import type { ContributeEntry, EnrolEntry, LedgerEntry } from '../../packages/governance/src/index.ts';
import { ClientStore } from '../../packages/federation/src/client/client-store.ts';
import { CoordinatorStore } from '../../packages/federation/src/coordinator/coordinator-store.ts';
import { planEntry, preparePlan } from '../../packages/federation/src/plan/terms.ts';
import { Database } from '../../packages/federation/src/store/database.ts';
import { scratch, tinyPlan } from './support.ts';

const seed = new Uint8Array(32).fill(7);
const prepared = preparePlan(nobleCrypto, tinyPlan());

function enrolEntry(party: string, role: 'client' | 'coordinator'): EnrolEntry {
  const rootSeed = new Uint8Array(32).fill(1);
  const key = nobleCrypto.ed25519PublicKey(seed);
  const certificate = issueCertificate(nobleCrypto, rootSeed, {
    trustDomain: 'test.example',
    id: party,
    role,
    signingKey: key,
    ledgerKey: key,
    serial: new Uint8Array(16),
    notBeforeMs: 0,
    notAfterMs: 1e12,
  });
  const bundle = {
    trustDomain: 'test.example',
    rootKey: nobleCrypto.ed25519PublicKey(rootSeed),
    tlsCaCertificate: new Uint8Array(1),
  };
  return {
    kind: 'enrol',
    version: 1,
    timeMs: 1,
    party,
    role,
    trustDomain: 'test.example',
    certificate: toBase64(certificate),
    trustFingerprint: trustFingerprint(nobleCrypto, bundle),
  };
}

const accountEntry: LedgerEntry = {
  kind: 'account',
  version: 1,
  timeMs: 2,
  account: 'ann',
  dataset: { name: 'd', commitment: '00'.repeat(32) },
  steward: 's',
  purpose: 'p',
  legalBasis: 'l',
  unit: 'record',
  adjacency: 'addOrRemoveOne',
  contributionBound: { recordsPerUnit: 1, roundsPerRun: 2 },
  budget: { epsilonNano: 1e9, delta: 0.001 },
};

const clientStore = (file: string): ClientStore => new ClientStore(file, nobleCrypto, 'test.example/ann', seed);

function reserved(store: ClientStore): number {
  store.ledger.append(enrolEntry('ann', 'client'));
  store.ledger.append(accountEntry);
  store.ledger.append(planEntry(prepared, 3));
  return store.ledger.append({
    kind: 'reserve',
    version: 1,
    timeMs: 4,
    runId: 'tiny',
    round: 1,
    planHash: prepared.hash,
    account: 'ann',
    event: { type: 'poissonSampled', sampleRate: 0.5, event: { type: 'gaussian', noiseMultiplier: 2 } },
    mechanism: 'm',
  });
}

const contribution = (reservation: number): ContributeEntry => ({
  kind: 'contribute',
  version: 1,
  timeMs: 5,
  runId: 'tiny',
  round: 1,
  sid: '11'.repeat(32),
  reservation,
  inputHash: '22'.repeat(32),
});

test('a database is a write-ahead log, synced in full; a transaction is all or nothing', () => {
  const file = path.join(scratch(), 'a', 'x.db');
  mkdirSync(path.dirname(file));
  // As an older version made it.
  writeFileSync(file, '', { mode: 0o644 });
  const database = new Database(file, 'CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY) STRICT');
  expect(database.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
  expect(database.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  for (const suffix of ['', '-wal', '-shm']) expect(statSync(`${file}${suffix}`).mode & 0o777, suffix).toBe(0o600);
  expect(() =>
    database.transaction(() => {
      database.run('INSERT INTO t VALUES (1)');
      database.run('INSERT INTO t VALUES (1)');
    }),
  ).toThrow('UNIQUE');
  expect(database.all('SELECT * FROM t')).toEqual([]);
  database.close();
  expect(() => database.get('SELECT 1')).toThrow('the service has stopped');
});

test('a ledger is what was appended, also after its process is gone', () => {
  const file = path.join(scratch(), 'client.db');
  const store = clientStore(file);
  reserved(store);
  const root = store.ledger.ledger.log.root();
  // No close: as after a kill.
  const again = clientStore(file);
  expect(again.ledger.ledger.size).toBe(4);
  expect(again.ledger.ledger.log.root()).toEqual(root);
  again.close();
  store.close();
});

test('an entry that breaks a rule is not stored, and one whose companion fails leaves no trace', () => {
  const file = path.join(scratch(), 'client.db');
  const store = clientStore(file);
  reserved(store);
  expect(() => store.ledger.append({ ...accountEntry, timeMs: 9 })).toThrow('is open already');
  expect(() =>
    store.ledger.append(contribution(3), () => {
      throw new Error('disk full');
    }),
  ).toThrow('disk full');
  expect(store.ledger.ledger.size).toBe(4);
  store.close();
  const again = clientStore(file);
  expect(again.ledger.ledger.size).toBe(4);
  again.close();
});

test('the stored ledger cannot be changed or cut, and one that was does not open', () => {
  const file = path.join(scratch(), 'client.db');
  const store = clientStore(file);
  reserved(store);
  store.close();
  const raw = new DatabaseSync(file);
  expect(() => raw.exec('DELETE FROM ledger WHERE position = 3')).toThrow('the ledger only grows');
  expect(() => raw.exec("UPDATE ledger SET leaf = x'00' WHERE position = 3")).toThrow('the ledger only grows');
  raw.exec('DROP TRIGGER ledger_no_delete');
  raw.exec('DELETE FROM ledger WHERE position = 1');
  raw.close();
  expect(() => clientStore(file)).toThrow();
});

test('a round is contributed to once, whatever the attempt, and across processes', () => {
  const file = path.join(scratch(), 'client.db');
  const store = clientStore(file);
  const reservation = reserved(store);
  const name = 'contributed "tiny" 1';
  expect(store.contribute(name, contribution(reservation))).toBe(true);
  expect(store.contribute(name, contribution(reservation))).toBe(false);
  expect(clientStore(file).contribute(name, contribution(reservation))).toBe(false);
  expect(store.ledger.ledger.size).toBe(5);
  expect(store.record('answered x')).toBe(true);
  expect(clientStore(file).record('answered x')).toBe(false);
  store.close();
});

test('the entered round and the salt are kept', () => {
  const file = path.join(scratch(), 'client.db');
  const store = clientStore(file);
  expect(store.entered('tiny')).toEqual({ round: 0, attempt: 0 });
  store.enter('tiny', { round: 3, attempt: 1 });
  store.enter('tiny', { round: 3, attempt: 2 });
  const salt = store.salt(unsafeDeterministicRandom('a'));
  store.close();
  const again = clientStore(file);
  expect(again.entered('tiny')).toEqual({ round: 3, attempt: 2 });
  expect(again.salt(unsafeDeterministicRandom('b'))).toEqual(salt);
  again.close();
});

test('the coordinator’s round in hand ends with its entry and its model in one transaction', () => {
  const directory = scratch();
  mkdirSync(directory, { recursive: true });
  const open = (): CoordinatorStore =>
    new CoordinatorStore(path.join(directory, 'c.db'), nobleCrypto, 'test.example/coordinator', seed);
  const store = open();
  store.ledger.append(enrolEntry('coordinator', 'coordinator'));
  store.ledger.append(planEntry(prepared, 2));
  expect(store.roundInHand()).toBeUndefined();
  store.enter({ round: 1, attempt: 1, stage: 'advertise', members: [] });
  store.enter({ round: 1, attempt: 2, stage: 'masked', members: ['ann', 'bob'] });
  expect(open().roundInHand()).toEqual({ round: 1, attempt: 2, stage: 'masked', members: ['ann', 'bob'] });
  const abort = {
    kind: 'abort',
    version: 1,
    timeMs: 3,
    runId: 'tiny',
    round: 1,
    attempt: 2,
    stage: 'masked',
    reason: 'r',
    spent: ['ann', 'bob'],
  } as const;
  expect(() => store.end({ ...abort, round: 2 })).toThrow('round 2 ends where round 1 must');
  expect(store.roundInHand()).toBeDefined();
  store.end(abort, Uint8Array.of(1, 2, 3, 4));
  expect(store.roundInHand()).toBeUndefined();
  expect(store.weights()).toEqual(Uint8Array.of(1, 2, 3, 4));
  store.close();
});

test('a ledger that was handed over can only be extended', () => {
  const store = new CoordinatorStore(path.join(scratch(), 'c.db'), nobleCrypto, 'test.example/coordinator', seed);
  const leaf = (n: number): Uint8Array => Uint8Array.of(97 + n);
  const checkpoint = Uint8Array.of(1);
  store.takeMirror('ann', { checkpoint, leaves: [leaf(0), leaf(1)] });
  store.takeMirror('ann', { checkpoint: Uint8Array.of(2), leaves: [leaf(0), leaf(1), leaf(2)] });
  expect(store.mirror('ann')).toEqual({ checkpoint: Uint8Array.of(2), leaves: [leaf(0), leaf(1), leaf(2)] });
  expect(() => store.takeMirror('ann', { checkpoint, leaves: [leaf(0), leaf(1)] })).toThrow('does not extend');
  expect(() => store.takeMirror('ann', { checkpoint, leaves: [leaf(0), leaf(5), leaf(2)] })).toThrow('does not extend');
  expect(store.mirrored()).toEqual(['ann']);
  store.close();
});
