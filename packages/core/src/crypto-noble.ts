/**
 * The {@link CryptoProvider} in pure JavaScript, on the audited noble libraries: runs in browsers, workers and Node.
 *
 * @module
 */
import { ctr, gcm } from '@noble/ciphers/aes.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat, equalBytes } from './bytes.ts';
import type { CryptoProvider } from './crypto.ts';

const X25519_P = (1n << 255n) - 19n;

/** noble reduces u modulo p and drops the top bit; the protocol takes only the canonical form. */
function isCanonicalU(publicKey: Uint8Array): boolean {
  return publicKey.length === 32 && littleEndian(publicKey) < X25519_P;
}

/** The number of public bytes, least significant first. */
function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

function agree(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
  if (!isCanonicalU(publicKey)) return undefined;
  try {
    return x25519.getSharedSecret(secret, publicKey);
  } catch {
    return undefined; // the all-zero output of a low-order key
  }
}

/** The pure-JavaScript provider. */
export const nobleCrypto: CryptoProvider = Object.freeze({
  name: 'noble',
  sha256: (...parts: readonly Uint8Array[]) => sha256(concat(...parts)),
  hmacSha256: (key: Uint8Array, ...parts: readonly Uint8Array[]) => hmac(sha256, key, concat(...parts)),

  ed25519PublicKey: (seed: Uint8Array) => ed25519.getPublicKey(seed),
  ed25519Sign: (seed: Uint8Array, message: Uint8Array) => ed25519.sign(message, seed),
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    const { Point } = ed25519;
    try {
      const key = Point.fromBytes(publicKey, false);
      if (key.isSmallOrder()) return false;
      const s = littleEndian(signature.subarray(32));
      if (s >= Point.Fn.ORDER) return false;
      const r = signature.subarray(0, 32);
      const k = littleEndian(sha512(concat(r, publicKey, message))) % Point.Fn.ORDER;
      // noble's own verify multiplies by the cofactor; the port, like OpenSSL, compares the encoding of [S]B − [k]A with R.
      const expected = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k));
      return equalBytes(expected.toBytes(), r);
    } catch {
      return false; // a key that is no point: noble throws where the port answers false
    }
  },

  x25519PublicKey: (secret: Uint8Array) => x25519.getPublicKey(secret),
  x25519: agree,
  x25519Each: (secret: Uint8Array, publicKeys: readonly Uint8Array[]) => publicKeys.map((key) => agree(secret, key)),

  aes256GcmSeal: (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) =>
    gcm(key, nonce, aad).encrypt(plaintext),
  aes256GcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < 16) return undefined;
    try {
      return gcm(key, nonce, aad).decrypt(sealed);
    } catch {
      return undefined; // the tag does not match
    }
  },

  aes256CtrKeystream(key: Uint8Array, byteOffset: number, target: Uint8Array): void {
    const iv = new Uint8Array(16);
    new DataView(iv.buffer).setBigUint64(8, BigInt(byteOffset / 16));
    target.set(ctr(key, iv).encrypt(new Uint8Array(target.length)));
  },

  mlKem768PublicKey: (seed: Uint8Array) => ml_kem768.keygen(seed).publicKey,
  mlKem768Encapsulate(publicKey: Uint8Array, coins: Uint8Array) {
    try {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, coins);
      return { ciphertext: cipherText, sharedSecret };
    } catch {
      return undefined; // the modulus check of FIPS 203 §7.2
    }
  },
  mlKem768Decapsulate: (seed: Uint8Array, ciphertext: Uint8Array) =>
    ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seed).secretKey),
});
