/**
 * SPIFFE identities in TLS certificates: `spiffe://<trust domain>/<role>/<id>`, exactly one URI per certificate.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Role } from '@sotto/core/identity';

/** Who a certificate speaks for. The authority's own server certificate has the role `authority`. */
export interface PeerIdentity {
  readonly trustDomain: string;
  readonly role: Role | 'authority';
  readonly id: string;
}

/** The URI of an identity. */
export function spiffeUri(identity: PeerIdentity): string {
  return `spiffe://${identity.trustDomain}/${identity.role}/${identity.id}`;
}

/** Parses one URI; throws `unauthenticated`. */
export function parseSpiffeUri(uri: string): PeerIdentity {
  const match = /^spiffe:\/\/([a-z0-9._-]{1,255})\/(coordinator|client|authority)\/([^/]+)$/.exec(uri);
  const [, trustDomain, role, id] = match ?? [];
  if (trustDomain === undefined || role === undefined || id === undefined) {
    throw new SottoError('unauthenticated', `${check.show(uri)} is not the SPIFFE id of a party`);
  }
  return { trustDomain, role: role as PeerIdentity['role'], id: check.partyId('SPIFFE id', id) };
}

/** The identity in an X.509 certificate (DER) that TLS has verified already; throws `unauthenticated`. */
export function identityOf(certificate: Uint8Array): PeerIdentity {
  const names = new X509Certificate(certificate).subjectAltName ?? '';
  // Node quotes a name that holds a comma or a quote; such a name is none of ours.
  const uris = names.split(', ').filter((name) => name.startsWith('URI:'));
  const [first, ...others] = uris;
  if (first === undefined || others.length > 0) {
    throw new SottoError('unauthenticated', `the certificate has ${uris.length} URIs; a party's has exactly one SPIFFE id`);
  }
  return parseSpiffeUri(first.slice(4));
}
