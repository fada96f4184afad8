/**
 * Proof of possession of the two Ed25519 keys that a party enrols: each signs what it is used for, in which domain.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { ByteWriter } from '@sotto/core/encoding';
import type { PeerIdentity } from '../rpc/spiffe.ts';
import { spiffeUri } from '../rpc/spiffe.ts';

/** What the keys are for. */
export type KeyPurpose = 'signing' | 'ledger';

function statement(purpose: KeyPurpose, identity: PeerIdentity, fingerprint: string, secretHash: Uint8Array): Uint8Array {
  return new ByteWriter()
    .text('sotto enrolment key/1')
    .text(purpose)
    .text(spiffeUri(identity))
    .text(fingerprint)
    .raw(secretHash)
    .finish();
}

/** The signature that proves possession. `secretHash` is the SHA-256 of the join token's secret, so that it fits no other token. */
export function proveKey(
  crypto: CryptoProvider,
  seed: Uint8Array,
  purpose: KeyPurpose,
  identity: PeerIdentity,
  fingerprint: string,
  secretHash: Uint8Array,
): Uint8Array {
  return crypto.ed25519Sign(seed, statement(purpose, identity, fingerprint, secretHash));
}

/** Whether the key's owner signed it for this purpose. */
export function verifyKeyProof(
  crypto: CryptoProvider,
  key: Uint8Array,
  proof: Uint8Array,
  purpose: KeyPurpose,
  identity: PeerIdentity,
  fingerprint: string,
  secretHash: Uint8Array,
): boolean {
  return crypto.ed25519Verify(key, statement(purpose, identity, fingerprint, secretHash), proof);
}
