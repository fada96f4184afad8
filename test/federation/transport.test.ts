import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import path from 'node:path';
import { type SecureVersion, connect, createServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { systemRandom } from '../../packages/core/src/system-random.ts';
import { randomBytes } from '../../packages/core/src/random.ts';
import {
  certificateDer,
  certificatePem,
  issueLeaf,
  newTlsKey,
  publicKeyOf,
} from '../../packages/federation/src/enrolment/x509.ts';
import { RpcChannel } from '../../packages/federation/src/rpc/rpc-channel.ts';
import { RpcServer } from '../../packages/federation/src/rpc/rpc-server.ts';
import {
  type Method,
  callerRules,
  maxRequestBytes,
  methods,
  protocolVersion,
  ruleOf,
} from '../../packages/federation/src/rpc/methods.ts';
import { type PeerIdentity, identityOf, parseSpiffeUri, spiffeUri } from '../../packages/federation/src/rpc/spiffe.ts';
import {
  type TlsIdentity,
  clientCredentials,
  pinnedCredentials,
  serverCredentials,
  windowBytes,
} from '../../packages/federation/src/rpc/tls.ts';
import { Logger } from '../../packages/federation/src/service/log.ts';
import { Federation, LogBook } from './support.ts';

const limits = { timeoutMs: 10_000 };
const anyone = (): void => undefined;

/** A certificate of the test federation's own CA, for whoever, for whenever. */
async function certified(
  federation: Federation,
  identity: Partial<PeerIdentity> = {},
  life = { fromMs: 0, toMs: 3_600_000 },
): Promise<TlsIdentity> {
  const caKey = readFileSync(federation.at('authority', 'ca.key'), 'utf8');
  const caCertificate = readFileSync(federation.at('authority', 'ca.crt'), 'utf8');
  const privateKey = newTlsKey();
  const certificate = await issueLeaf(caKey, certificateDer(caCertificate), {
    identity: { trustDomain: 'test.example', role: 'client', id: 'ann', ...identity },
    publicKey: await publicKeyOf(privateKey),
    serverNames: [],
    notBeforeMs: Date.now() + life.fromMs,
    notAfterMs: Date.now() + life.toMs,
    serial: randomBytes(systemRandom, 16),
  });
  return { privateKey, certificate: certificatePem(certificate), caCertificate };
}

function channel(address: string, identity: TlsIdentity, version?: number): RpcChannel {
  const made = new RpcChannel(address, clientCredentials(identity, anyone), version);
  onTestFinished(() => made.close());
  return made;
}

/** The server is alive and serves a good client: a refusal was no outage. */
async function expectServing(federation: Federation, address: string): Promise<void> {
  const good = channel(address, await certified(federation));
  await expect(good.unary(methods.healthCheck, '', limits)).resolves.toBe('serving');
}

async function running(): Promise<{ readonly federation: Federation; readonly address: string; readonly authority: string }> {
  const federation = new Federation();
  const authority = await federation.authority();
  const coordinator = await federation.coordinator();
  return { federation, address: coordinator.address, authority: authority.address };
}

test('a certified client is served, and health is answered', async () => {
  const { federation, address } = await running();
  const client = channel(address, await certified(federation));
  await expect(client.unary(methods.healthCheck, '', limits)).resolves.toBe('serving');
  await expect(client.unary(methods.healthCheck, 'no.such.Service', limits)).rejects.toMatchObject({ code: 'not-found' });
});

test('a caller without a certificate is refused', async () => {
  const { federation, address } = await running();
  const { caCertificate } = await certified(federation);
  const client = new RpcChannel(address, pinnedCredentials(caCertificate, anyone));
  onTestFinished(() => client.close());
  await expect(client.unary(methods.healthCheck, '', limits)).rejects.toMatchObject({ code: 'unavailable' });
  await expectServing(federation, address);
  await expect(alertOf(address, { caCertificate })).resolves.toMatch(/certificate required/);
});

test('a caller with an expired certificate is refused', async () => {
  const { federation, address } = await running();
  const expired = await certified(federation, {}, { fromMs: -7_200_000, toMs: -3_600_000 });
  await expect(channel(address, expired).unary(methods.healthCheck, '', limits)).rejects.toMatchObject({ code: 'unavailable' });
  await expectServing(federation, address);
});

test('a caller with a certificate of another CA is refused', async () => {
  const { federation, address } = await running();
  const other = new Federation();
  await other.authority();
  const foreign = await certified(other);
  const { caCertificate } = await certified(federation);
  await expect(channel(address, { ...foreign, caCertificate }).unary(methods.healthCheck, '', limits)).rejects.toMatchObject({
    code: 'unavailable',
  });
  await expectServing(federation, address);
});

test('a revoked certificate is refused at the next call, on an open connection too; others are served', async () => {
  const { federation } = await running();
  const revoked: string[] = [];
  const server = new RpcServer({
    credentials: serverCredentials(await certified(federation, { role: 'coordinator', id: 'x' }), true),
    trustDomain: 'test.example',
    revoked,
    log: new Logger('x', () => undefined, Date.now),
    nowMs: Date.now,
  });
  server.unary(methods.healthCheck, () => 'serving');
  const address = await server.listen('127.0.0.1:0');
  onTestFinished(() => server.abandon());
  const identity = await certified(federation);
  const client = channel(address, identity);
  await expect(client.unary(methods.healthCheck, '', limits)).resolves.toBe('serving');
  // The serial of the enrolment differs from that of X.509 in the first byte.
  revoked.push(`fe${new X509Certificate(identity.certificate).serialNumber.toLowerCase().slice(2)}`);
  await expect(client.unary(methods.healthCheck, '', limits)).rejects.toMatchObject({
    code: 'unauthenticated',
    message: expect.stringContaining('the certificate of ann is revoked') as string,
  });
  await expectServing(federation, address);
});

test('the serial that the authority logs revokes a party at the coordinator, and the coordinator at a client', async () => {
  const federation = new Federation();
  await federation.authority();
  const first = await federation.coordinator();
  const client = federation.client('ann');
  await federation.book.when('client.joined', ({ party }) => party === 'ann');
  const serialOf = (id: string): unknown =>
    federation.book.events('party.enrolled').find((record) => record['id'] === id)?.['serial'];
  await first.stop(0);
  // The client is told by the refused hello of its next connection.
  await federation.coordinator({ config: { revoked: [serialOf('ann')] } });
  await expect(client.finished).rejects.toMatchObject({
    code: 'unauthenticated',
    message: expect.stringContaining('is revoked') as string,
  });
  const wary = federation.client('bob', { config: { policy: { revoked: [serialOf('coordinator')] } } });
  const warning = await federation.book.when('peer.unreachable', ({ party }) => party === 'bob');
  expect(warning['reason']).toContain('the certificate of the coordinator coordinator is revoked');
  await wary.stop();
});

test('a certificate that expires on an open connection is refused at the next call', async () => {
  const { federation } = await running();
  let nowMs = Date.now();
  const book = new LogBook();
  const server = new RpcServer({
    credentials: serverCredentials(await certified(federation, { role: 'coordinator', id: 'x' }), true),
    trustDomain: 'test.example',
    log: new Logger('x', book.sink, Date.now),
    nowMs: () => nowMs,
  });
  server.unary(methods.healthCheck, () => 'serving');
  const client = channel(await server.listen('127.0.0.1:0'), await certified(federation));
  onTestFinished(() => server.abandon());
  await expect(client.unary(methods.healthCheck, '', limits)).resolves.toBe('serving');
  nowMs += 3_700_000;
  await expect(client.unary(methods.healthCheck, '', limits)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('a caller with another role or of another trust domain is refused', async () => {
  const { federation, address } = await running();
  const hello = { protocolVersion, knownLogSize: 0, identityCertificate: new Uint8Array(1) };
  // The id is that of a party of the plan: only the role is wrong.
  for (const role of ['coordinator', 'authority'] as const) {
    const other = channel(address, await certified(federation, { role, id: 'ann' }));
    await expect(other.unary(methods.hello, hello, limits)).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining(`has the role ${role}; this call is for client`) as string,
    });
  }
  const stranger = channel(address, await certified(federation, { trustDomain: 'other.example' }));
  await expect(stranger.unary(methods.hello, hello, limits)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('a certified client that is not in the plan, or shows another’s identity certificate, is refused', async () => {
  const { federation, address } = await running();
  const client = federation.client('ann');
  await federation.book.when('client.joined', ({ party }) => party === 'ann');
  await client.stop();
  const { identity } = JSON.parse(readFileSync(federation.at('ann', 'certificates.json'), 'utf8')) as { identity: string };
  const hello = { protocolVersion, knownLogSize: 0, identityCertificate: Buffer.from(identity, 'base64') };
  const eve = channel(address, await certified(federation, { id: 'eve' }));
  await expect(eve.unary(methods.hello, hello, limits)).rejects.toMatchObject({ code: 'permission-denied' });
  const bob = channel(address, await certified(federation, { id: 'bob' }));
  await expect(bob.unary(methods.hello, hello, limits)).rejects.toMatchObject({ code: 'unauthenticated' });
  const awaiting = { knownLogSize: 0, lastRound: 0, lastAttempt: 0 };
  await expect(bob.unary(methods.awaitRound, awaiting, limits)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('another protocol version is refused before the request is looked at', async () => {
  const { federation, address } = await running();
  const newer = channel(address, await certified(federation), protocolVersion + 1);
  await expect(newer.unary(methods.healthCheck, '', limits)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('update the older side') as string,
  });
});

test('every method has a caller rule, and a server registers none without', async () => {
  expect(Object.keys(callerRules).sort()).toEqual(Object.keys(methods).sort());
  const open = Object.entries(callerRules).filter(([, rule]) => rule === 'anyone');
  expect(open.map(([name]) => name)).toEqual(['getTrustBundle', 'enrol']);
  const federation = new Federation();
  await federation.authority();
  const server = new RpcServer({
    credentials: serverCredentials(await certified(federation), true),
    trustDomain: 'test.example',
    log: new Logger('x', () => undefined, Date.now),
    nowMs: Date.now,
  });
  const fresh: Method<string, string> = {
    ...(methods.healthCheck as unknown as Method<string, string>),
    path: '/sotto.federation.v1.New/Call',
  };
  expect(ruleOf(fresh.path)).toBeUndefined();
  expect(() => server.unary(fresh, () => '')).toThrow('has no caller rule');
});

test('every call of the .proto files has a method here', () => {
  const proto = path.join(import.meta.dirname, '../../packages/federation/proto');
  const paths = [
    'sotto/federation/v1/enrolment.proto',
    'sotto/federation/v1/coordination.proto',
    'grpc/health/v1/health.proto',
  ].flatMap((file) => {
    const text = readFileSync(path.join(proto, file), 'utf8');
    const [, name] = /^package (\S+);/m.exec(text) ?? [];
    const [, service] = /^service (\w+)/m.exec(text) ?? [];
    return [...text.matchAll(/^\s+rpc (\w+)\(/gm)].map(([, call]) => `/${name}.${service}/${call}`);
  });
  expect(paths.sort()).toEqual(
    Object.values(methods)
      .map((method) => method.path)
      .sort(),
  );
});

/** The TLS version that a server agrees on with a caller that speaks only this one. */
async function handshake(address: string, version: SecureVersion, identity: TlsIdentity): Promise<string | null> {
  const [host = '', port = ''] = address.split(':');
  return await new Promise((resolve, reject) => {
    const socket = connect(
      {
        host,
        port: Number(port),
        key: identity.privateKey,
        cert: identity.certificate,
        ca: identity.caCertificate,
        minVersion: version,
        maxVersion: version,
        ALPNProtocols: ['h2'],
        checkServerIdentity: () => undefined,
      },
      () => {
        resolve(socket.getProtocol());
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}

/** What the server's TLS says before it hangs up on this caller. A certificate that is there but bad gets no alert from Node. */
async function alertOf(address: string, identity: Partial<TlsIdentity>): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return await new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port),
      ...(identity.privateKey === undefined ? {} : { key: identity.privateKey }),
      ...(identity.certificate === undefined ? {} : { cert: identity.certificate }),
      ...(identity.caCertificate === undefined ? {} : { ca: identity.caCertificate }),
      ALPNProtocols: ['h2'],
      checkServerIdentity: () => undefined,
    });
    // In TLS 1.3 the alert comes after the handshake has ended at this side.
    socket.on('error', (error) => resolve(error.message)).on('close', () => resolve('closed without an alert'));
    socket.resume();
  });
}

test('both servers speak TLS 1.3 and refuse 1.2', async () => {
  const { federation, address, authority } = await running();
  const identity = await certified(federation);
  for (const server of [address, authority]) {
    await expect(handshake(server, 'TLSv1.3', identity)).resolves.toBe('TLSv1.3');
    await expect(handshake(server, 'TLSv1.2', identity)).rejects.toThrow(/protocol version/);
  }
});

test('a client refuses a server that speaks only TLS 1.2, and one that is not the party it should be', async () => {
  const federation = new Federation();
  await federation.authority();
  const identity = await certified(federation, { role: 'coordinator', id: 'coordinator' });
  const old = createServer({
    key: identity.privateKey,
    cert: identity.certificate,
    ca: identity.caCertificate,
    maxVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
  });
  old.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void old.close());
  const bound = old.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const client = channel(`127.0.0.1:${port}`, await certified(federation));
  await expect(client.unary(methods.healthCheck, '', limits)).rejects.toMatchObject({ code: 'unavailable' });

  const coordinator = await federation.coordinator();
  const strict = new RpcChannel(
    coordinator.address,
    clientCredentials(await certified(federation), (peer) => {
      if (peer.id !== 'another') throw new Error(`unexpected peer ${peer.id}`);
    }),
  );
  onTestFinished(() => strict.close());
  await expect(strict.unary(methods.healthCheck, '', limits)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('unexpected peer coordinator') as string,
  });
});

test('a client does not talk to a coordinator with another id', async () => {
  const federation = new Federation();
  await federation.authority();
  await federation.coordinator();
  const client = federation.client('ann', { config: { coordinatorId: 'boss' } });
  const warning = await federation.book.when('peer.unreachable', ({ party }) => party === 'ann');
  expect(warning['reason']).toContain('not coordinator boss');
  await client.stop();
});

test('a message beyond the limit and a request that does not decode are refused', async () => {
  const { federation, address } = await running();
  const client = channel(address, await certified(federation));
  const big = { round: 1, attempt: 1, message: new Uint8Array(maxRequestBytes + 1) };
  await expect(client.unary(methods.advertise, big, limits)).rejects.toMatchObject({ code: 'invalid-argument' });
  const garbage: Method<string, unknown> = {
    ...(methods.advertise as unknown as Method<string, unknown>),
    request: { encode: () => Uint8Array.of(0x1a, 0x7f, 1), decode: () => '' },
  };
  await expect(client.unary(garbage, '', limits)).rejects.toMatchObject({ code: 'invalid-encoding' });
});

test('every call ends at its deadline', async () => {
  const { federation, address } = await running();
  const waiting = federation.client('ann');
  await federation.book.when('client.joined', ({ party }) => party === 'ann');
  await waiting.stop();
  const client = channel(address, await certified(federation));
  const request = { knownLogSize: 0, lastRound: 0, lastAttempt: 0 };
  await expect(client.unary(methods.awaitRound, request, { timeoutMs: 100 })).rejects.toMatchObject({
    code: 'deadline-exceeded',
  });
});

test('the server raises its flow-control windows', async () => {
  const { federation, address } = await running();
  const identity = await certified(federation);
  const session = connectHttp2(`https://${address}`, {
    key: identity.privateKey,
    cert: identity.certificate,
    ca: identity.caCertificate,
    checkServerIdentity: () => undefined,
  });
  onTestFinished(() => session.destroy());
  const settings = await new Promise<{ initialWindowSize?: number }>((resolve, reject) => {
    session.on('error', reject).on('remoteSettings', resolve);
  });
  expect(settings.initialWindowSize).toBe(windowBytes);
  await new Promise((resolve) => session.ping(resolve));
  expect(session.state.remoteWindowSize).toBe(windowBytes);
});

test('a drain ends waiting calls with a reason and refuses new ones', async () => {
  const federation = new Federation();
  await federation.authority();
  const coordinator = await federation.coordinator();
  const joining = federation.client('ann');
  await federation.book.when('client.joined', ({ party }) => party === 'ann');
  await joining.stop();
  const client = channel(coordinator.address, await certified(federation));
  const waiting = client.unary(methods.awaitRound, { knownLogSize: 0, lastRound: 0, lastAttempt: 0 }, limits);
  const health: string[] = [];
  await client.unary(methods.healthCheck, '', limits).then((status) => health.push(status));
  const [refused] = await Promise.allSettled([waiting, coordinator.stop()]);
  expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
  expect(health).toEqual(['serving']);
  await expect(client.unary(methods.healthCheck, '', limits)).rejects.toMatchObject({ code: 'unavailable' });
  await expect(coordinator.finished).resolves.toBeUndefined();
});

test('SPIFFE ids round-trip, and anything else is no identity', async () => {
  const identity: PeerIdentity = { trustDomain: 'a.example', role: 'client', id: 'x-1' };
  expect(parseSpiffeUri(spiffeUri(identity))).toEqual(identity);
  for (const uri of [
    'spiffe://a.example/client',
    'spiffe://a.example/admin/x',
    'https://a.example/client/x',
    'spiffe://A/client/x',
    'spiffe://a/client/x/y',
    'spiffe://a/client/X',
  ]) {
    expect(() => parseSpiffeUri(uri), uri).toThrow();
  }
  const federation = new Federation();
  await federation.authority();
  const { certificate, caCertificate } = await certified(federation, { id: 'bob' });
  expect(identityOf(certificateDer(certificate))).toEqual({ trustDomain: 'test.example', role: 'client', id: 'bob' });
  expect(() => identityOf(certificateDer(caCertificate))).toThrow('has 0 URIs');
});
