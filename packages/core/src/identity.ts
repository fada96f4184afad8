/**
 * Identity certificates and the trust bundle of the enrolment authority.
 *
 * A certificate binds an id and a role to the two Ed25519 keys that a party signs with outside TLS: its protocol key
 * (secure aggregation, plans, offers) and its ledger key (checkpoints). It is signed by the authority's identity root,
 * which the coordinator never holds. TLS uses other keys, under the X.509 CA whose certificate the bundle carries.
 *
 * @module
 */
import { compareBytes, equalBytes, toHex } from './bytes.ts';
import * as check from './check.ts';
import type { CryptoProvider } from './crypto.ts';
import { ByteReader, ByteWriter } from './encoding.ts';
import { SottoError } from './errors.ts';

const CERTIFICATE_LABEL = 'sotto identity certificate/1';
const BUNDLE_LABEL = 'sotto trust bundle/1';

/** Roles that a certificate can carry. */
export type Role = 'coordinator' | 'client';

/** What a certificate says. */
export interface IdentityCertificate {
  readonly trustDomain: string;
  readonly id: string;
  readonly role: Role;
  /** Ed25519 key (32 bytes) for protocol messages. */
  readonly signingKey: Uint8Array;
  /** Ed25519 key (32 bytes) for ledger checkpoints. */
  readonly ledgerKey: Uint8Array;
  /** 16 random bytes, for revocation. */
  readonly serial: Uint8Array;
  /** Validity in milliseconds since 1970, both ends included. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What everybody pins out of band, by its fingerprint. */
export interface TrustBundle {
  readonly trustDomain: string;
  /** Ed25519 key (32 bytes) that signs identity certificates. */
  readonly rootKey: Uint8Array;
  /** The X.509 CA certificate (DER) under which TLS certificates are issued. */
  readonly tlsCaCertificate: Uint8Array;
}

function certificateBody(certificate: IdentityCertificate): Uint8Array {
  return new ByteWriter()
    .text(CERTIFICATE_LABEL)
    .text(certificate.trustDomain)
    .text(certificate.id)
    .u8(certificate.role === 'coordinator' ? 1 : 2)
    .raw(check.bytes('signingKey', certificate.signingKey, 32))
    .raw(check.bytes('ledgerKey', certificate.ledgerKey, 32))
    .raw(check.bytes('serial', certificate.serial, 16))
    .u64(certificate.notBeforeMs)
    .u64(certificate.notAfterMs)
    .finish();
}

/** Signs a certificate; the result is its wire form, body ‖ signature (64). `rootSeed` is the authority's secret. */
export function issueCertificate(crypto: CryptoProvider, rootSeed: Uint8Array, certificate: IdentityCertificate): Uint8Array {
  check.partyId('id', certificate.id);
  check.text('trustDomain', certificate.trustDomain, 255);
  const body = certificateBody(certificate);
  return new ByteWriter().raw(body).raw(crypto.ed25519Sign(rootSeed, body)).finish();
}

/** Decodes a certificate without verifying it. */
export function decodeCertificate(wire: Uint8Array): {
  readonly certificate: IdentityCertificate;
  readonly signature: Uint8Array;
} {
  const reader = new ByteReader(wire, 'identity certificate');
  if (reader.text() !== CERTIFICATE_LABEL) {
    throw new SottoError('invalid-encoding', 'identity certificate has an unknown version');
  }
  const trustDomain = reader.text(255);
  const id = reader.text(64);
  const roleByte = reader.u8();
  // What comes from a peer is an encoding that is refused, not an argument that its reader got wrong.
  if (!check.isPartyId(id)) throw new SottoError('invalid-encoding', 'identity certificate has an id that is none');
  if (roleByte !== 1 && roleByte !== 2) throw new SottoError('invalid-encoding', 'identity certificate has an unknown role');
  const certificate: IdentityCertificate = {
    trustDomain,
    id,
    role: roleByte === 1 ? 'coordinator' : 'client',
    signingKey: reader.raw(32),
    ledgerKey: reader.raw(32),
    serial: reader.raw(16),
    notBeforeMs: reader.u64(),
    notAfterMs: reader.u64(),
  };
  const signature = reader.raw(64);
  reader.end();
  return { certificate, signature };
}

/** What a verifier requires of a certificate. */
export interface CertificatePolicy {
  readonly bundle: TrustBundle;
  /** The time at which it must be valid, ms since 1970; `undefined` accepts any time (a finished run read years later). */
  readonly nowMs?: number | undefined;
  readonly role?: Role;
  readonly id?: string;
  /** Serials that are no longer accepted. */
  readonly revokedSerials?: readonly Uint8Array[];
}

/** Verifies a certificate against the pinned root; every refusal is `unauthenticated` and says why. */
export function verifyCertificate(crypto: CryptoProvider, wire: Uint8Array, policy: CertificatePolicy): IdentityCertificate {
  const { certificate, signature } = decodeCertificate(wire);
  // What decodes has one encoding, so the signed body is all that stands before the signature.
  const body = wire.subarray(0, wire.length - signature.length);
  const refuse = (reason: string): never => {
    throw new SottoError('unauthenticated', `the identity certificate of ${certificate.id} ${reason}`);
  };
  if (!crypto.ed25519Verify(policy.bundle.rootKey, body, signature)) {
    refuse('is not signed by the pinned enrolment authority');
  }
  if (certificate.trustDomain !== policy.bundle.trustDomain) refuse(`belongs to the trust domain ${certificate.trustDomain}`);
  if (policy.role !== undefined && certificate.role !== policy.role)
    refuse(`has the role ${certificate.role}, not ${policy.role}`);
  if (policy.id !== undefined && certificate.id !== policy.id) refuse(`was expected to be that of ${policy.id}`);
  if (policy.nowMs !== undefined && policy.nowMs < certificate.notBeforeMs) refuse('is not valid yet; check the clocks');
  if (policy.nowMs !== undefined && policy.nowMs > certificate.notAfterMs) refuse('has expired; enrol again');
  if ((policy.revokedSerials ?? []).some((serial) => equalBytes(serial, certificate.serial))) refuse('is revoked');
  return certificate;
}

/** The canonical bytes of a bundle. */
export function encodeTrustBundle(bundle: TrustBundle): Uint8Array {
  return new ByteWriter()
    .text(BUNDLE_LABEL)
    .text(check.text('trustDomain', bundle.trustDomain, 255))
    .raw(check.bytes('rootKey', bundle.rootKey, 32))
    .bytes(bundle.tlsCaCertificate)
    .finish();
}

/** The inverse of {@link encodeTrustBundle}. */
export function decodeTrustBundle(wire: Uint8Array): TrustBundle {
  const reader = new ByteReader(wire, 'trust bundle');
  if (reader.text() !== BUNDLE_LABEL) throw new SottoError('invalid-encoding', 'trust bundle has an unknown version');
  const bundle: TrustBundle = { trustDomain: reader.text(255), rootKey: reader.raw(32), tlsCaCertificate: reader.bytes(65536) };
  reader.end();
  if (compareBytes(encodeTrustBundle(bundle), wire) !== 0)
    throw new SottoError('invalid-encoding', 'trust bundle is not canonical');
  return bundle;
}

/** The fingerprint that people compare: SHA-256 of the bundle's bytes in lower-case hexadecimal (64 characters). */
export function trustFingerprint(crypto: Pick<CryptoProvider, 'sha256'>, bundle: TrustBundle): string {
  return toHex(crypto.sha256(encodeTrustBundle(bundle)));
}
