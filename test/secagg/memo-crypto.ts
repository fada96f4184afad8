/**
 * Remembers the results of slow pure functions, so that thousands of rounds that differ only in who is lost need each
 * key agreement and signature once. Byte-identical to the provider that it wraps.
 */
import { toHex } from '../../packages/core/src/bytes.ts';
import type { CryptoProvider } from '../../packages/core/src/crypto.ts';

export function memoCrypto(inner: CryptoProvider): CryptoProvider {
  const known = new Map<string, unknown>();
  const memo = <T>(name: string, parts: readonly Uint8Array[], compute: () => T): T => {
    const key = `${name} ${parts.map((part) => (part.length > 256 ? toHex(inner.sha256(part)) : toHex(part))).join(' ')}`;
    if (!known.has(key)) known.set(key, compute());
    const value = known.get(key) as T;
    return (value instanceof Uint8Array ? value.slice() : value) as T; // callers wipe what they get
  };
  return {
    ...inner,
    ed25519PublicKey: (seed) => memo('public', [seed], () => inner.ed25519PublicKey(seed)),
    ed25519Sign: (seed, message) => memo('sign', [seed, message], () => inner.ed25519Sign(seed, message)),
    ed25519Verify: (key, message, signature) =>
      memo('verify', [key, message, signature], () => inner.ed25519Verify(key, message, signature)),
    x25519PublicKey: (secret) => memo('x public', [secret], () => inner.x25519PublicKey(secret)),
    x25519: (secret, key) => memo('x', [secret, key], () => inner.x25519(secret, key)),
    x25519Each: (secret, keys) => keys.map((key) => memo('x', [secret, key], () => inner.x25519(secret, key))),
    mlKem768PublicKey: (seed) => memo('kem public', [seed], () => inner.mlKem768PublicKey(seed)),
    mlKem768Encapsulate: (key, coins) => {
      const made = memo('kem', [key, coins], () => inner.mlKem768Encapsulate(key, coins));
      return made === undefined ? undefined : { ciphertext: made.ciphertext.slice(), sharedSecret: made.sharedSecret.slice() };
    },
    mlKem768Decapsulate: (seed, ciphertext) =>
      memo('kem open', [seed, ciphertext], () => inner.mlKem768Decapsulate(seed, ciphertext)),
  };
}
