import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nobleCrypto } from '../../packages/core/src/crypto-noble.ts';
import { type EnrolmentRequest, type Party, loadOrEnrol } from '../../packages/federation/src/enrolment/party.ts';
import { readJoinToken, writeJoinToken } from '../../packages/federation/src/enrolment/join-token.ts';
import { issueJoinToken } from '../../packages/federation/src/index.ts';
import { methods, protocolVersion } from '../../packages/federation/src/rpc/methods.ts';
import { RpcChannel } from '../../packages/federation/src/rpc/rpc-channel.ts';
import { pinnedCredentials } from '../../packages/federation/src/rpc/tls.ts';
import { type World, worldOf } from '../../packages/federation/src/service/world.ts';
import { LogBook, authorityConfig, runningAuthority, scratch } from './support.ts';

const world = (nowMs: () => number = Date.now, book = new LogBook()): World =>
  worldOf('party', { nowMs, log: book.sink, crypto: nobleCrypto });

const request = (directory: string, id: string, change: Partial<EnrolmentRequest> = {}): EnrolmentRequest => ({
  directory: path.join(directory, id),
  id,
  role: 'client',
  serverNames: [],
  authority: `file:${path.join(directory, 'authority.address')}`,
  joinToken: path.join(directory, 'tokens', `${id}.token`),
  ...change,
});

const enrol = (of: EnrolmentRequest, in_ = world()): Promise<Party> => loadOrEnrol(of, in_, AbortSignal.timeout(20_000));

test('a party enrols once, and is loaded afterwards without token and authority', async () => {
  const directory = scratch();
  const authority = await runningAuthority(authorityConfig(directory, ['ann']));
  const party = await enrol(request(directory, 'ann'));
  expect(party.identity).toEqual({ trustDomain: 'test.example', role: 'client', id: 'ann' });
  await authority.stop();
  const again = await enrol(request(directory, 'ann', { joinToken: undefined }));
  expect(again.certificate).toEqual(party.certificate);
  expect(again.trustFingerprint).toBe(readJoinToken(path.join(directory, 'tokens/ann.token')).fingerprint);
});

test('every secret on disk has mode 0600 and its folder 0700', async () => {
  const directory = scratch();
  await runningAuthority(authorityConfig(directory, ['ann']));
  await enrol(request(directory, 'ann'));
  for (const file of [
    'ann/tls.key',
    'ann/signing.key',
    'ann/ledger.key',
    'authority/identity-root.key',
    'authority/ca.key',
    'authority/authority.db',
    'authority/authority.db-wal',
    'tokens/ann.token',
  ]) {
    expect(statSync(path.join(directory, file)).mode & 0o777, file).toBe(0o600);
  }
  expect(statSync(path.join(directory, 'ann')).mode & 0o777).toBe(0o700);
});

test.each(['tls.key', 'signing.key', 'ledger.key'])('a lost or replaced %s is told, not made anew', async (name) => {
  const directory = scratch();
  await runningAuthority(authorityConfig(directory, ['ann', 'bob']));
  await enrol(request(directory, 'ann'));
  await enrol(request(directory, 'bob'));
  const file = path.join(directory, 'ann', name);
  rmSync(file);
  await expect(enrol(request(directory, 'ann'))).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringMatching(/is missing; restore it from a backup, or .*enrol again/),
  });
  expect(existsSync(file)).toBe(false);
  copyFileSync(path.join(directory, 'bob', name), file);
  await expect(enrol(request(directory, 'ann'))).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringContaining(`${name} is not the key that certificates.json certifies`),
  });
});

test('a folder that is open to others is tightened, and one of many users is refused', async () => {
  const directory = scratch();
  await runningAuthority(authorityConfig(directory, ['ann']));
  const own = path.join(directory, 'ann');
  mkdirSync(own);
  chmodSync(own, 0o1777);
  await expect(enrol(request(directory, 'ann'))).rejects.toMatchObject({ code: 'permission-denied' });
  expect(readdirSync(own)).toEqual([]);
  chmodSync(own, 0o755);
  await enrol(request(directory, 'ann'));
  expect(statSync(own).mode & 0o777).toBe(0o700);
});

test('without a good token nothing else of a request is looked at', async () => {
  const directory = scratch();
  const authority = await runningAuthority(authorityConfig(directory, ['ann']));
  const caCertificate = readFileSync(path.join(directory, 'authority/ca.crt'), 'utf8');
  const channel = new RpcChannel(
    authority.address,
    pinnedCredentials(caCertificate, () => undefined),
  );
  onTestFinished(() => channel.close());
  const { secret } = readJoinToken(path.join(directory, 'tokens/ann.token'));
  const none = new Uint8Array(0);
  const ask = (token: Uint8Array): Promise<unknown> =>
    channel.unary(
      methods.enrol,
      {
        protocolVersion,
        token,
        id: 'ann',
        role: 'client',
        certificateRequest: none,
        signingKey: none,
        signingProof: none,
        ledgerKey: none,
        ledgerProof: none,
        serverNames: [],
      },
      { timeoutMs: 20_000 },
    );
  await expect(ask(new Uint8Array(32))).rejects.toMatchObject({ message: expect.stringContaining('token is unknown') });
  await expect(ask(secret)).rejects.toMatchObject({ code: 'invalid-encoding' });
});

test('a token is good for one set of keys', async () => {
  const directory = scratch();
  await runningAuthority(authorityConfig(directory, ['ann']));
  await enrol(request(directory, 'ann'));
  const other = request(directory, 'ann', { directory: path.join(directory, 'thief') });
  await expect(enrol(other)).rejects.toMatchObject({
    code: 'unauthenticated',
    message: expect.stringContaining('was used already'),
  });
});

test('an answer that got lost is given again to the same keys, also by a restarted authority', async () => {
  const directory = scratch();
  const config = authorityConfig(directory, ['ann']);
  const authority = await runningAuthority(config);
  const first = await enrol(request(directory, 'ann'));
  // As if the party had died before it stored the answer, and the authority right after it had stored its own.
  rmSync(path.join(directory, 'ann/certificates.json'));
  authority.abandon();
  await runningAuthority(config);
  const second = await enrol(request(directory, 'ann'));
  expect(second.certificate).toEqual(first.certificate);
  expect(second.tls.certificate).toBe(first.tls.certificate);
});

test('a token for another id or role is refused by the party and by the authority', async () => {
  const directory = scratch();
  await runningAuthority(authorityConfig(directory, ['ann', 'bob']));
  const tokenOf = (id: string): string => path.join(directory, 'tokens', `${id}.token`);
  await expect(enrol(request(directory, 'ann', { joinToken: tokenOf('bob') }))).rejects.toMatchObject({
    code: 'unauthenticated',
  });
  await expect(enrol(request(directory, 'ann', { role: 'coordinator' }))).rejects.toMatchObject({ code: 'unauthenticated' });
  // Relabelled, so that only the authority can tell.
  writeJoinToken(tokenOf('ann'), { ...readJoinToken(tokenOf('bob')), id: 'ann' });
  await expect(enrol(request(directory, 'ann'))).rejects.toMatchObject({
    message: expect.stringContaining('is for another party'),
  });
  writeJoinToken(tokenOf('bob'), { ...readJoinToken(tokenOf('bob')), role: 'coordinator' });
  await expect(enrol(request(directory, 'bob', { role: 'coordinator' }))).rejects.toMatchObject({
    message: expect.stringContaining('is for another party'),
  });
});

test('an authority with another fingerprint is refused before anything is sent to it', async () => {
  const directory = scratch();
  const book = new LogBook();
  await runningAuthority(authorityConfig(directory, ['ann']), book);
  const file = path.join(directory, 'tokens/ann.token');
  writeJoinToken(file, { ...readJoinToken(file), fingerprint: 'ab'.repeat(32) });
  await expect(enrol(request(directory, 'ann'))).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringContaining('fingerprint'),
  });
  expect(existsSync(path.join(directory, 'ann/certificates.json'))).toBe(false);
  expect(book.events('party.enrolled')).toEqual([]);
});

test('an expired token is refused, and the authority replaces it at its next start', async () => {
  const directory = scratch();
  const config = authorityConfig(directory, ['ann']);
  const past = Date.now() - 48 * 3_600_000;
  await issueJoinToken(
    config,
    { id: 'ann', role: 'client', file: path.join(directory, 'old.token') },
    { nowMs: () => past, log: () => undefined },
  );
  await runningAuthority({ ...config, tokens: [] });
  await expect(enrol(request(directory, 'ann', { joinToken: path.join(directory, 'old.token') }))).rejects.toMatchObject({
    code: 'unauthenticated',
    message: expect.stringContaining('has expired'),
  });
  await runningAuthority(config);
  await expect(enrol(request(directory, 'ann'))).resolves.toBeDefined();
});

test('an expired certificate is refused when it is loaded', async () => {
  const directory = scratch();
  await runningAuthority(authorityConfig(directory, ['ann']));
  await enrol(request(directory, 'ann'));
  const later = Date.now() + 91 * 86_400_000;
  await expect(
    enrol(
      request(directory, 'ann'),
      world(() => later),
    ),
  ).rejects.toMatchObject({
    code: 'unauthenticated',
    message: expect.stringContaining('has expired'),
  });
});

test('a token that others may read is refused', async () => {
  const directory = scratch();
  await runningAuthority(authorityConfig(directory, ['ann']));
  const file = path.join(directory, 'tokens/ann.token');
  writeFileSync(path.join(directory, 'open.token'), readFileSync(file), { mode: 0o644 });
  await expect(enrol(request(directory, 'ann', { joinToken: path.join(directory, 'open.token') }))).rejects.toMatchObject({
    code: 'permission-denied',
  });
});

test('a party waits for its authority', async () => {
  const directory = scratch();
  const config = authorityConfig(directory, ['ann']);
  await issueJoinToken(
    config,
    { id: 'ann', role: 'client', file: path.join(directory, 'tokens/ann.token') },
    { log: () => undefined },
  );
  const book = new LogBook();
  const enrolled = enrol(request(directory, 'ann'), world(Date.now, book));
  await book.when('peer.unreachable');
  await runningAuthority({ ...config, tokens: [] });
  await expect(enrolled).resolves.toBeDefined();
});

test('no secret appears in a log, and none of the token on disk at the authority', async () => {
  const directory = scratch();
  const book = new LogBook();
  await runningAuthority(authorityConfig(directory, ['ann']), book);
  await enrol(request(directory, 'ann'), world(Date.now, book));
  const { secret } = readJoinToken(path.join(directory, 'tokens/ann.token'));
  const hex = Buffer.from(secret).toString('hex');
  const logged = JSON.stringify(book.records);
  expect(logged).not.toContain(hex);
  expect(logged).not.toContain(Buffer.from(secret).toString('base64'));
  for (const name of readdirSync(path.join(directory, 'authority'))) {
    expect(readFileSync(path.join(directory, 'authority', name)).includes(Buffer.from(secret)), name).toBe(false);
  }
});
