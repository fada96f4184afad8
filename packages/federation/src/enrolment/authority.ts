/**
 * The enrolment authority: issues join tokens, and exchanges each once for a TLS certificate and an identity certificate.
 * Its server authenticates itself only; callers have no certificate yet.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { toHex, utf8 } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { ByteWriter } from '@sotto/core/encoding';
import { SottoError } from '@sotto/core/errors';
import { type Role, decodeCertificate, encodeTrustBundle, issueCertificate } from '@sotto/core/identity';
import { randomBytes } from '@sotto/core/random';
import type { AuthorityConfig, TokenRequest } from '../config/authority-config.ts';
import { methods, protocolVersion } from '../rpc/methods.ts';
import { RpcServer } from '../rpc/rpc-server.ts';
import type { PeerIdentity } from '../rpc/spiffe.ts';
import { serverCredentials } from '../rpc/tls.ts';
import type { EnrolRequest } from '../rpc/wire.ts';
import { writeFileAtomic } from '../service/files.ts';
import type { RunningService, ServiceOptions } from '../service/service.ts';
import { type World, worldOf } from '../service/world.ts';
import { type AuthorityKeys, loadAuthorityKeys } from './authority-keys.ts';
import { readJoinToken, writeJoinToken } from './join-token.ts';
import { verifyKeyProof } from './proof.ts';
import { type IssuedCertificates, TokenStore } from './token-store.ts';
import { encodeTrustFile } from './trust-file.ts';
import { certificatePem, checkCertificateRequest, issueLeaf, newTlsKey, publicKeyOf } from './x509.ts';

const authorityName = 'authority';
const dayMs = 86_400_000;

/**
 * Starts the enrolment authority: makes its keys if needed, issues the configured tokens, serves.
 *
 * Logs `service.ready {address, fingerprint}` and `party.enrolled {id, role, serial}`; the serial is what `revoked` lists name.
 */
export async function startAuthority(config: AuthorityConfig, options: ServiceOptions = {}): Promise<RunningService> {
  const world = worldOf(authorityName, options);
  const keys = await loadAuthorityKeys(config.directory, config.trustDomain, world);
  const store = new TokenStore(path.join(config.directory, 'authority.db'));
  let server: RpcServer;
  let address: string;
  try {
    if (config.trustFile !== undefined) writeFileAtomic(config.trustFile, encodeTrustFile(world.crypto, keys.bundle));
    for (const token of config.tokens) if (!hasGoodToken(token, keys, store, world)) issue(config, token, keys, store, world);
    server = new RpcServer({
      credentials: serverCredentials(await ownTlsIdentity(config, keys, world), false),
      trustDomain: config.trustDomain,
      log: world.log,
      nowMs: world.nowMs,
    });
    server.unary(methods.getTrustBundle, () => encodeTrustBundle(keys.bundle));
    server.unary(methods.enrol, (request) => enrol(config, keys, store, world, request));
    address = await server.listen(config.listen);
  } catch (reason) {
    store.close();
    throw reason;
  }
  if (config.addressFile !== undefined) writeFileAtomic(config.addressFile, `${address}\n`);
  world.log.info('service.ready', { address, fingerprint: keys.fingerprint });
  let settle: (() => void) | undefined;
  const finished = new Promise<void>((resolve) => (settle = resolve));
  let stopping: Promise<void> | undefined;
  return {
    address,
    finished,
    stop: (graceMs = 5000) => {
      stopping ??= server.drain(graceMs).then(() => {
        store.close();
        world.log.info('service.stopped');
        settle?.();
      });
      return stopping;
    },
    abandon: () => {
      server.abandon();
      store.close();
      settle?.();
    },
  };
}

/** Issues one more join token into its file (mode 0600); works beside a running authority. */
export async function issueJoinToken(config: AuthorityConfig, token: TokenRequest, options: ServiceOptions = {}): Promise<void> {
  const world = worldOf(authorityName, options);
  const keys = await loadAuthorityKeys(config.directory, config.trustDomain, world);
  const store = new TokenStore(path.join(config.directory, 'authority.db'));
  try {
    issue(config, token, keys, store, world);
  } finally {
    store.close();
  }
}

function issue(config: AuthorityConfig, token: TokenRequest, keys: AuthorityKeys, store: TokenStore, world: World): void {
  const secret = randomBytes(world.random, 32);
  const expiresMs = world.nowMs() + config.tokenHours * 3_600_000;
  store.add(world.crypto.sha256(secret), check.partyId('id', token.id), token.role, expiresMs);
  writeJoinToken(token.file, {
    trustDomain: config.trustDomain,
    fingerprint: keys.fingerprint,
    id: token.id,
    role: token.role,
    secret,
    expiresMs,
  });
  world.log.info('token.issued', { id: token.id, role: token.role, file: token.file });
}

function hasGoodToken(request: TokenRequest, keys: AuthorityKeys, store: TokenStore, world: World): boolean {
  if (!existsSync(request.file)) return false;
  const token = readJoinToken(request.file);
  if (token.id !== request.id || token.role !== request.role) {
    throw new SottoError(
      'conflict',
      `${request.file} holds a token for ${token.role} ${token.id}; choose another file for ${request.id}`,
    );
  }
  return token.fingerprint === keys.fingerprint && store.isGood(world.crypto.sha256(token.secret), world.nowMs());
}

async function ownTlsIdentity(
  config: AuthorityConfig,
  keys: AuthorityKeys,
  world: World,
): Promise<{ readonly privateKey: string; readonly certificate: string; readonly caCertificate: string }> {
  const privateKey = newTlsKey();
  const nowMs = world.nowMs();
  const certificate = await issueLeaf(keys.caKeyPem, keys.bundle.tlsCaCertificate, {
    identity: { trustDomain: config.trustDomain, role: 'authority', id: authorityName },
    publicKey: await publicKeyOf(privateKey),
    serverNames: config.serverNames,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + 366 * dayMs,
    serial: randomBytes(world.random, 16),
  });
  return { privateKey, certificate: certificatePem(certificate), caCertificate: certificatePem(keys.bundle.tlsCaCertificate) };
}

async function enrol(
  config: AuthorityConfig,
  keys: AuthorityKeys,
  store: TokenStore,
  world: World,
  request: EnrolRequest,
): Promise<IssuedCertificates> {
  const { crypto } = world;
  if (request.protocolVersion !== protocolVersion) {
    throw new SottoError(
      'unsupported',
      `the caller speaks protocol version ${request.protocolVersion}, this authority ${protocolVersion}; update the older side`,
    );
  }
  const hash = crypto.sha256(check.bytes('token', request.token, 32));
  const id = check.partyId('id', request.id);
  const role: Role = check.oneOf('role', request.role, ['coordinator', 'client']);
  const identity: PeerIdentity = { trustDomain: config.trustDomain, role, id };
  // Anyone may call: without a good token, nothing more of the request is parsed or verified.
  store.admit(hash, id, role, world.nowMs());
  const publicKey = await checkCertificateRequest(request.certificateRequest, identity);
  const proofs = [
    ['signing', check.bytes('signingKey', request.signingKey, 32), request.signingProof],
    ['ledger', check.bytes('ledgerKey', request.ledgerKey, 32), request.ledgerProof],
  ] as const;
  for (const [purpose, key, proof] of proofs) {
    if (!verifyKeyProof(crypto, key, proof, purpose, identity, keys.fingerprint, hash)) {
      throw new SottoError('unauthenticated', `the caller does not prove that it has the ${purpose} key`);
    }
  }
  const serverNames = role === 'coordinator' ? request.serverNames.map((name) => check.text('serverNames', name, 253)) : [];
  const digest = crypto.sha256(requestBytes(request, publicKey, serverNames));
  const before = store.check(hash, id, role, digest, world.nowMs());
  if (before !== undefined) return before;
  const issued = await issueCertificates(config, keys, world, identity, publicKey, request, serverNames);
  if (!store.use(hash, digest, issued)) {
    const first = store.check(hash, id, role, digest, world.nowMs());
    if (first !== undefined) return first;
  }
  const { serial } = decodeCertificate(issued.identityCertificate).certificate;
  world.log.info('party.enrolled', { id, role, serial: toHex(serial) });
  return issued;
}

/** What makes two requests the same: the keys and names, not the random signatures over them. */
function requestBytes(request: EnrolRequest, publicKey: Uint8Array, serverNames: readonly string[]): Uint8Array {
  return new ByteWriter()
    .text(request.id)
    .text(request.role)
    .bytes(publicKey)
    .bytes(request.signingKey)
    .bytes(request.ledgerKey)
    .list(serverNames, (writer, name) => writer.bytes(utf8(name)))
    .finish();
}

async function issueCertificates(
  config: AuthorityConfig,
  keys: AuthorityKeys,
  world: World,
  identity: PeerIdentity,
  publicKey: Uint8Array,
  request: EnrolRequest,
  serverNames: readonly string[],
): Promise<IssuedCertificates> {
  const notBeforeMs = world.nowMs();
  const notAfterMs = notBeforeMs + config.certificateDays * dayMs;
  const serial = randomBytes(world.random, 16);
  const role = identity.role === 'coordinator' ? 'coordinator' : 'client';
  return {
    tlsCertificate: await issueLeaf(keys.caKeyPem, keys.bundle.tlsCaCertificate, {
      identity,
      publicKey,
      serverNames,
      notBeforeMs,
      notAfterMs,
      serial,
    }),
    identityCertificate: issueCertificate(world.crypto, keys.rootSeed, {
      trustDomain: identity.trustDomain,
      id: identity.id,
      role,
      signingKey: request.signingKey,
      ledgerKey: request.ledgerKey,
      serial,
      notBeforeMs,
      notAfterMs,
    }),
  };
}
