/**
 * X.509 for TLS: the authority's CA, requests and certificates of parties. P-256 keys, SPIFFE URI as the identity.
 *
 * @module
 */
// @peculiar/x509 resolves its algorithms through decorators, which need this first.
import 'reflect-metadata';
import { X509Certificate as NodeCertificate, createPrivateKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  cryptoProvider,
} from '@peculiar/x509';
import { SottoError } from '@sotto/core/errors';
import { type PeerIdentity, spiffeUri } from '../rpc/spiffe.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;
/** Certificates begin a little in the past, for clocks that are slightly off. */
const backdateMs = 5 * 60_000;

cryptoProvider.set(webcrypto as unknown as Crypto);

/** A fresh P-256 private key in PEM (PKCS #8). */
export function newTlsKey(): string {
  return String(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

/** DER to PEM. */
export function certificatePem(der: Uint8Array): string {
  return `${PemConverter.encode(new Uint8Array(der).buffer, 'CERTIFICATE')}\n`;
}

/** PEM to DER. */
export function certificateDer(pem: string): Uint8Array {
  return new Uint8Array(new NodeCertificate(pem).raw);
}

async function keysOf(privateKeyPem: string): Promise<CryptoKeyPair> {
  const key = createPrivateKey(privateKeyPem);
  const jwk = key.export({ format: 'jwk' });
  const { d: _, ...publicJwk } = jwk;
  const subtle = webcrypto.subtle;
  const privateKey = await subtle.importKey('jwk', jwk as webcrypto.JsonWebKey, algorithm, false, ['sign']);
  const publicKey = await subtle.importKey('jwk', publicJwk as webcrypto.JsonWebKey, algorithm, true, ['verify']);
  return { privateKey, publicKey } as unknown as CryptoKeyPair;
}

/** A self-signed CA certificate (DER), valid for ten years; it signs leaves only. */
export async function newCaCertificate(caKeyPem: string, trustDomain: string, nowMs: number): Promise<Uint8Array> {
  const keys = await keysOf(caKeyPem);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=Sotto CA of ${trustDomain}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(nowMs - backdateMs),
    notAfter: new Date(nowMs + 3653 * dayMs),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** A certificate request (DER) that names its SPIFFE id. */
export async function newCertificateRequest(privateKeyPem: string, identity: PeerIdentity): Promise<Uint8Array> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${identity.id}`,
    keys: await keysOf(privateKeyPem),
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'url', value: spiffeUri(identity) }])],
  });
  return new Uint8Array(request.rawData);
}

/** Checks a request: signed by its own key, a P-256 one, for exactly this identity. Returns the key (SPKI, DER). */
export async function checkCertificateRequest(der: Uint8Array, identity: PeerIdentity): Promise<Uint8Array> {
  const refuse = (reason: string): never => {
    throw new SottoError('invalid-argument', `the certificate request ${reason}`);
  };
  let request: Pkcs10CertificateRequest;
  try {
    request = new Pkcs10CertificateRequest(new Uint8Array(der));
  } catch (cause) {
    throw new SottoError('invalid-encoding', 'the certificate request does not decode', { cause });
  }
  const key = request.publicKey.algorithm as { readonly name: string; readonly namedCurve?: string };
  if (key.name !== 'ECDSA' || key.namedCurve !== 'P-256') refuse('is not for a P-256 key');
  if (!(await request.verify().catch(() => false))) refuse('is not signed by its own key');
  const extension = request.getExtension('2.5.29.17');
  const names = extension === null ? [] : new SubjectAlternativeNameExtension(extension.rawData).names.items;
  const [name, ...others] = names;
  if (name?.type !== 'url' || name.value !== spiffeUri(identity) || others.length > 0) {
    refuse(`does not name exactly ${spiffeUri(identity)}`);
  }
  return new Uint8Array(request.publicKey.rawData);
}

/** What a leaf certificate says. */
export interface LeafRequest {
  readonly identity: PeerIdentity;
  /** SPKI, DER. */
  readonly publicKey: Uint8Array;
  /** Further DNS names and IP addresses, for servers. */
  readonly serverNames: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** 16 random bytes. */
  readonly serial: Uint8Array;
}

/** Issues a TLS certificate (DER) under the CA. */
export async function issueLeaf(caKeyPem: string, caCertificate: Uint8Array, leaf: LeafRequest): Promise<Uint8Array> {
  const issuer = new X509Certificate(new Uint8Array(caCertificate));
  const publicKey = await webcrypto.subtle.importKey('spki', new Uint8Array(leaf.publicKey), algorithm, true, ['verify']);
  const names: JsonGeneralName[] = [
    { type: 'url', value: spiffeUri(leaf.identity) },
    ...leaf.serverNames.map((value): JsonGeneralName => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
  ];
  const usages =
    leaf.identity.role === 'client' ? [ExtendedKeyUsage.clientAuth] : [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${leaf.identity.id}`,
    issuer: issuer.subject,
    publicKey: publicKey as unknown as CryptoKey,
    signingKey: (await keysOf(caKeyPem)).privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(leaf.notBeforeMs - backdateMs),
    notAfter: new Date(leaf.notAfterMs),
    // A positive integer: the first bit stays clear.
    serialNumber: Buffer.from([0x01, ...leaf.serial.subarray(1)]).toString('hex'),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(usages),
      new SubjectAlternativeNameExtension(names),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** SPKI (DER) of a private key's public part. */
export async function publicKeyOf(privateKeyPem: string): Promise<Uint8Array> {
  const { publicKey } = await keysOf(privateKeyPem);
  return new Uint8Array(await webcrypto.subtle.exportKey('spki', publicKey as unknown as webcrypto.CryptoKey));
}
