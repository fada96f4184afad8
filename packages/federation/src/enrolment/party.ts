/**
 * A party's identity on disk, and how it gets one: three keys of its own (mode 0600), then one exchange with the
 * authority whose fingerprint stands in the join token.
 *
 * @module
 */
import { X509Certificate, createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { equalBytes, fromBase64, toBase64 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { type Role, type TrustBundle, decodeTrustBundle, trustFingerprint, verifyCertificate } from '@sotto/core/identity';
import type { EnrolmentConfig } from '../config/service-config.ts';
import { retrying } from '../rpc/backoff.ts';
import { methods, protocolVersion } from '../rpc/methods.ts';
import { RpcChannel } from '../rpc/rpc-channel.ts';
import { type PeerIdentity, identityOf } from '../rpc/spiffe.ts';
import { type TlsIdentity, pinnedCredentials, unverifiedCredentials } from '../rpc/tls.ts';
import type { EnrolResponse } from '../rpc/wire.ts';
import { makePrivateDirectory, resolveAddress, writeFileAtomic } from '../service/files.ts';
import type { World } from '../service/world.ts';
import { loadOrCreateSecret, newSeedText, seedOf } from './authority-keys.ts';
import { type JoinToken, readJoinToken } from './join-token.ts';
import { proveKey } from './proof.ts';
import { encodeTrustFile, readTrustFile } from './trust-file.ts';
import { certificatePem, newCertificateRequest, newTlsKey } from './x509.ts';

const callTimeoutMs = 20_000;

/** An enrolled party. */
export interface Party {
  readonly identity: PeerIdentity;
  readonly trust: TrustBundle;
  readonly trustFingerprint: string;
  readonly tls: TlsIdentity;
  /** Identity certificate in wire form. */
  readonly certificate: Uint8Array;
  /** Ed25519 seed of the protocol key. */
  readonly signingSeed: Uint8Array;
  /** Ed25519 seed of the ledger key. */
  readonly ledgerSeed: Uint8Array;
}

/** What a party asks to be enrolled as. */
export interface EnrolmentRequest extends EnrolmentConfig {
  readonly directory: string;
  readonly id: string;
  readonly role: Role;
  readonly serverNames: readonly string[];
}

const files = {
  tlsKey: 'tls.key',
  signingKey: 'signing.key',
  ledgerKey: 'ledger.key',
  trust: 'trust.json',
  /** TLS and identity certificate in one file, so that there are always both or none. */
  certificates: 'certificates.json',
} as const;

/** Loads a party's identity, or enrols it with its join token. Retries an authority that cannot be reached until `signal` aborts. */
export async function loadOrEnrol(request: EnrolmentRequest, world: World, signal: AbortSignal): Promise<Party> {
  makePrivateDirectory(request.directory);
  const at = (name: string): string => path.join(request.directory, name);
  const enrolled = existsSync(at(files.certificates));
  const secret = (name: string, create: () => string): string => {
    // Keys are made for certificates to come. A new one beside certificates would belong to nobody.
    if (enrolled && !existsSync(at(name))) throw keyFault(request, name, 'is missing');
    return loadOrCreateSecret(at(name), create);
  };
  const newSeed = (): string => newSeedText(world.random);
  const keys = {
    tls: secret(files.tlsKey, newTlsKey),
    signing: seedOf(secret(files.signingKey, newSeed)),
    ledger: seedOf(secret(files.ledgerKey, newSeed)),
  };
  if (!enrolled) {
    if (request.joinToken === undefined) {
      throw new SottoError(
        'unauthenticated',
        `${request.id} is not enrolled in ${request.directory}; set joinToken to the file of its join token`,
      );
    }
    const token = readJoinToken(request.joinToken);
    if (token.id !== request.id || token.role !== request.role) {
      throw new SottoError(
        'unauthenticated',
        `${request.joinToken} is a token for ${token.role} ${token.id}, not for ${request.role} ${request.id}`,
      );
    }
    const { trust, answer } = await enrolWith(request, token, keys, world, signal);
    writeFileAtomic(at(files.trust), encodeTrustFile(world.crypto, trust));
    writeFileAtomic(at(files.certificates), encodeCertificates(answer));
    world.log.info('client.enrolled', { id: request.id, role: request.role, fingerprint: token.fingerprint });
  }
  const trust = readTrustFile(world.crypto, at(files.trust));
  const answer = decodeCertificates(readFileSync(at(files.certificates), 'utf8'), at(files.certificates));
  return checkedParty(request, trust, answer, keys, world);
}

interface PartyKeys {
  readonly tls: string;
  readonly signing: Uint8Array;
  readonly ledger: Uint8Array;
}

function checkedParty(
  request: EnrolmentRequest,
  trust: TrustBundle,
  answer: EnrolResponse,
  keys: PartyKeys,
  world: World,
): Party {
  const { crypto } = world;
  const certificate = verifyCertificate(crypto, answer.identityCertificate, {
    bundle: trust,
    nowMs: world.nowMs(),
    role: request.role,
    id: request.id,
  });
  const pairs = [
    [files.signingKey, certificate.signingKey, crypto.ed25519PublicKey(keys.signing)],
    [files.ledgerKey, certificate.ledgerKey, crypto.ed25519PublicKey(keys.ledger)],
    [files.tlsKey, certifiedSpki(answer.tlsCertificate), spkiOf(keys.tls)],
  ] as const;
  for (const [name, certified, own] of pairs) {
    if (!equalBytes(certified, own)) throw keyFault(request, name, `is not the key that ${files.certificates} certifies`);
  }
  return {
    identity: identityOf(answer.tlsCertificate),
    trust,
    trustFingerprint: trustFingerprint(crypto, trust),
    tls: {
      privateKey: keys.tls,
      certificate: certificatePem(answer.tlsCertificate),
      caCertificate: certificatePem(trust.tlsCaCertificate),
    },
    certificate: answer.identityCertificate,
    signingSeed: keys.signing,
    ledgerSeed: keys.ledger,
  };
}

/** A key that is missing or strange, with its cure: a ledger goes on only with the key that it was begun with. */
function keyFault(request: EnrolmentRequest, name: string, fault: string): SottoError {
  const again = `remove ${files.certificates} and the three keys, and enrol again with a new join token`;
  const cure =
    name === files.ledgerKey ? `${again} and another, empty directory: this ledger cannot go on without its key` : again;
  return new SottoError('integrity', `${path.join(request.directory, name)} ${fault}; restore it from a backup, or ${cure}`);
}

function certifiedSpki(certificate: Uint8Array): Uint8Array {
  return new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
}

function spkiOf(privateKeyPem: string): Uint8Array {
  return createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
}

async function enrolWith(
  request: EnrolmentRequest,
  token: JoinToken,
  keys: PartyKeys,
  world: World,
  signal: AbortSignal,
): Promise<{ readonly trust: TrustBundle; readonly answer: EnrolResponse }> {
  return await retrying(
    async () => {
      const address = await resolveAddress(request.authority, 'the authority');
      const trust = await fetchTrust(address, token, world, signal);
      const answer = await exchange(address, request, token, trust, keys, world, signal);
      return { trust, answer };
    },
    { what: 'the enrolment authority', world, signal },
  );
}

/** Fetches the bundle from whoever answers, and believes it only by the token's fingerprint. */
async function fetchTrust(address: string, token: JoinToken, world: World, signal: AbortSignal): Promise<TrustBundle> {
  const channel = new RpcChannel(address, unverifiedCredentials());
  try {
    const wire = await channel.unary(methods.getTrustBundle, {}, { timeoutMs: callTimeoutMs, signal });
    const bundle = decodeTrustBundle(wire);
    const found = trustFingerprint(world.crypto, bundle);
    if (found !== token.fingerprint || bundle.trustDomain !== token.trustDomain) {
      throw new SottoError(
        'integrity',
        `the authority at ${address} has the fingerprint ${found}, but the join token says ${token.fingerprint}; do not enrol there`,
      );
    }
    return bundle;
  } finally {
    channel.close();
  }
}

async function exchange(
  address: string,
  request: EnrolmentRequest,
  token: JoinToken,
  trust: TrustBundle,
  keys: PartyKeys,
  world: World,
  signal: AbortSignal,
): Promise<EnrolResponse> {
  const { crypto } = world;
  const identity: PeerIdentity = { trustDomain: trust.trustDomain, role: request.role, id: request.id };
  const secretHash = crypto.sha256(token.secret);
  const channel = new RpcChannel(
    address,
    pinnedCredentials(certificatePem(trust.tlsCaCertificate), (peer) => {
      if (peer.role !== 'authority' || peer.trustDomain !== trust.trustDomain) {
        throw new SottoError('unauthenticated', `${address} is not the enrolment authority of ${trust.trustDomain}`);
      }
    }),
  );
  try {
    const answer = await channel.unary(
      methods.enrol,
      {
        protocolVersion,
        token: token.secret,
        id: request.id,
        role: request.role,
        certificateRequest: await newCertificateRequest(keys.tls, identity),
        signingKey: crypto.ed25519PublicKey(keys.signing),
        signingProof: proveKey(crypto, keys.signing, 'signing', identity, token.fingerprint, secretHash),
        ledgerKey: crypto.ed25519PublicKey(keys.ledger),
        ledgerProof: proveKey(crypto, keys.ledger, 'ledger', identity, token.fingerprint, secretHash),
        serverNames: request.serverNames,
      },
      { timeoutMs: callTimeoutMs, signal },
    );
    checkedParty(request, trust, answer, keys, world);
    return answer;
  } finally {
    channel.close();
  }
}

function encodeCertificates(answer: EnrolResponse): string {
  return `${JSON.stringify({ version: 1, tls: toBase64(answer.tlsCertificate), identity: toBase64(answer.identityCertificate) })}\n`;
}

function decodeCertificates(text: string, file: string): EnrolResponse {
  try {
    const value = JSON.parse(text) as { readonly tls: string; readonly identity: string };
    return { tlsCertificate: fromBase64(value.tls), identityCertificate: fromBase64(value.identity) };
  } catch (cause) {
    throw new SottoError('invalid-encoding', `${file} is damaged; delete it and enrol again with a new join token`, { cause });
  }
}
