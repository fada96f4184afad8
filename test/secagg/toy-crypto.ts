/**
 * Stand-ins for the curve operations that are right in their algebra and worthless as cryptography: they let cohorts of
 * hundreds run in a test that is about who is in the sum. Everything else is the real thing.
 */
import { compareBytes, equalBytes } from '../../packages/core/src/bytes.ts';
import type { CryptoProvider } from '../../packages/core/src/crypto.ts';

export function toyCrypto(inner: CryptoProvider): CryptoProvider {
  const tag = (name: string): Uint8Array => new TextEncoder().encode(`toy ${name}`);
  // The public key is the clamped secret: whoever has one secret and the other's public key finds the same hash.
  const publicOf = (secret: Uint8Array): Uint8Array => secret.map((byte, i) => (i === 31 ? (byte & 0x3f) | 0x40 : byte));
  const agree = (secret: Uint8Array, key: Uint8Array): Uint8Array => {
    const mine = publicOf(secret);
    return compareBytes(mine, key) < 0 ? inner.sha256(tag('dh'), mine, key) : inner.sha256(tag('dh'), key, mine);
  };
  const signature = (key: Uint8Array, message: Uint8Array): Uint8Array => {
    const half = inner.sha256(tag('sign'), key, message);
    return new Uint8Array([...half, ...half]);
  };
  return {
    ...inner,
    name: 'toy',
    ed25519PublicKey: (seed) => inner.sha256(tag('key'), seed),
    ed25519Sign: (seed, message) => signature(inner.sha256(tag('key'), seed), message),
    ed25519Verify: (key, message, given) => equalBytes(given, signature(key, message)),
    x25519PublicKey: publicOf,
    x25519: agree,
    x25519Each: (secret, keys) => keys.map((key) => agree(secret, key)),
  };
}
