import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '@sotto/core/crypto-noble';
import * as identity from '@sotto/core/identity';
import { randomBytes } from '@sotto/core/random';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';

const random = unsafeDeterministicRandom('identity tests');
const rootSeed = randomBytes(random, 32);
const bundle: identity.TrustBundle = {
  trustDomain: 'hospitals.example',
  rootKey: nobleCrypto.ed25519PublicKey(rootSeed),
  tlsCaCertificate: randomBytes(random, 300),
};
const body: identity.IdentityCertificate = {
  trustDomain: 'hospitals.example',
  id: 'cleveland',
  role: 'client',
  signingKey: randomBytes(random, 32),
  ledgerKey: randomBytes(random, 32),
  serial: randomBytes(random, 16),
  notBeforeMs: 1000,
  notAfterMs: 2000,
};
const wire = identity.issueCertificate(nobleCrypto, rootSeed, body);
const policy: identity.CertificatePolicy = { bundle, nowMs: 1500, role: 'client', id: 'cleveland' };

describe('identity certificates', () => {
  it('verify within their validity, both ends included', () => {
    expect(identity.verifyCertificate(nobleCrypto, wire, policy)).toEqual(body);
    for (const nowMs of [1000, 2000, undefined]) identity.verifyCertificate(nobleCrypto, wire, { ...policy, nowMs });
  });

  it.each([
    [
      'another root',
      { bundle: { ...bundle, rootKey: nobleCrypto.ed25519PublicKey(new Uint8Array(32)) } },
      /not signed by the pinned/,
    ],
    ['another trust domain', { bundle: { ...bundle, trustDomain: 'other.example' } }, /belongs to the trust domain/],
    ['another role', { role: 'coordinator' as const }, /has the role client, not coordinator/],
    ['another id', { id: 'hungary' }, /expected to be that of hungary/],
    ['too early', { nowMs: 999 }, /not valid yet/],
    ['too late', { nowMs: 2001 }, /expired/],
    ['revoked', { revokedSerials: [body.serial] }, /revoked/],
  ])('are refused: %s', (_, change, message) => {
    expect(() => identity.verifyCertificate(nobleCrypto, wire, { ...policy, ...change })).toThrow(message);
  });

  it('do not survive the change of any byte', () => {
    for (let i = 0; i < wire.length; i++) {
      const changed = wire.slice();
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => identity.verifyCertificate(nobleCrypto, changed, policy), `byte ${i}`).toThrow();
    }
    expect(() => identity.verifyCertificate(nobleCrypto, wire.subarray(0, wire.length - 1), policy)).toThrow();
  });
});

describe('the trust bundle', () => {
  it('round-trips and has a fingerprint that every byte enters', () => {
    const encoded = identity.encodeTrustBundle(bundle);
    expect(identity.decodeTrustBundle(encoded)).toEqual(bundle);
    const fingerprint = identity.trustFingerprint(nobleCrypto, bundle);
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(identity.trustFingerprint(nobleCrypto, { ...bundle, tlsCaCertificate: randomBytes(random, 300) })).not.toBe(
      fingerprint,
    );
    expect(() => identity.decodeTrustBundle(encoded.subarray(1))).toThrow();
  });
});
