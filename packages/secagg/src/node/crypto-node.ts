/**
 * The crypto provider on `node:crypto` (OpenSSL): byte for byte what `@sotto/core/crypto-noble` gives, many times faster.
 * Where OpenSSL is laxer than the port (small-order and non-canonical keys), the keys are checked here first.
 *
 * @module
 */
import * as native from 'node:crypto';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hash,
  sign,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { fromHex, toHex } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { nobleCrypto } from '@sotto/core/crypto-noble';
import { isGoodX25519Key } from '../keys.ts';
import { takeKeystream } from './keystream-output.ts';

/** DER in front of raw secret keys: PKCS #8 (RFC 8410). */
const DER = {
  ed25519Secret: fromHex('302e020100300506032b657004220420'),
  x25519Secret: fromHex('302e020100300506032b656e04220420'),
  /** ML-KEM-768 secret in the seed form of RFC 9935. */
  mlKem768Secret: fromHex('3054020100300b060960864801650304040204428040'),
} as const;

/** The DER in front of raw public keys (SPKI), in base64: its twelve bytes are whole groups of it. */
const SPKI = { ed25519: 'MCowBQYDK2VwAyEA', x25519: 'MCowBQYDK2VuAyEA' } as const;

function secretKey(prefix: Uint8Array, secret: Uint8Array): KeyObject {
  const der = Buffer.concat([prefix, secret]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return key;
}

/** Imports a public key as PEM: given an object, Node asks of it and of its buffer four times what they are, by exceptions. */
function publicKey(prefix: string, raw: Uint8Array): KeyObject {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('base64');
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${prefix}${text}\n-----END PUBLIC KEY-----\n`);
}

function rawPublic(secret: KeyObject, length: number): Uint8Array {
  const der = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  return new Uint8Array(der.subarray(der.length - length));
}

/** y-coordinates of the points of small order on edwards25519, canonical, sign bit cleared. */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** Whether an Ed25519 key has a canonical y (below 2^255 − 19) and is not of small order; OpenSSL asks neither. */
function isGoodEd25519Key(key: Uint8Array): boolean {
  const y = Uint8Array.from(key);
  y[31]! &= 0x7f;
  const tail = y.subarray(1, 31).every((byte) => byte === 0xff) && y[31] === 0x7f;
  return !(tail && y[0]! >= 0xed) && !SMALL_ORDER_Y.has(toHex(y));
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** Zeros to encrypt; the keystream is what comes out. */
const ZEROS = new Uint8Array(65536);

/** Imported public keys: parsing one costs as much as half a verification, and a round verifies several times with each. */
const importedKeys = new Map<string, KeyObject>();
const IMPORTED_KEYS_MAX = 4096;

function ed25519Key(raw: Uint8Array): KeyObject | undefined {
  const name = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('latin1');
  const known = importedKeys.get(name);
  if (known !== undefined) return known;
  if (!isGoodEd25519Key(raw)) return undefined;
  const key = publicKey(SPKI.ed25519, raw);
  if (importedKeys.size >= IMPORTED_KEYS_MAX) importedKeys.clear();
  importedKeys.set(name, key);
  return key;
}

/** Inputs up to this long are copied together: the one-shot hash costs a third of a Hash object. */
const ONE_SHOT_BYTES = 16384;

function sha256(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length <= ONE_SHOT_BYTES) {
    const only = parts.length === 1 ? parts[0]! : join(parts, length);
    return plain(hash('sha256', only, 'buffer'));
  }
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return plain(state.digest());
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Where the two inputs of an HMAC are put together; a longer message gets room of its own. Overwritten after each use. */
const inner = new Uint8Array(64 + 1024);
const outer = new Uint8Array(64 + 32);

/** HMAC of RFC 2104 on the one-shot hash, several times faster than a Hmac object for the short inputs here. */
function hmacSha256(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const short = key.length > 64 ? sha256([key]) : key;
  let length = 64;
  for (const part of parts) length += part.length;
  const input = length <= inner.length ? inner.subarray(0, length) : new Uint8Array(length);
  for (let i = 0; i < short.length; i++) {
    input[i] = short[i]! ^ 0x36;
    outer[i] = short[i]! ^ 0x5c;
  }
  input.fill(0x36, short.length, 64);
  outer.fill(0x5c, short.length, 64);
  let offset = 64;
  for (const part of parts) {
    input.set(part, offset);
    offset += part.length;
  }
  const digest = sha256([input]);
  outer.set(digest, 64);
  const mac = sha256([outer]);
  input.fill(0);
  outer.fill(0);
  digest.fill(0);
  return mac;
}

/** Whether this OpenSSL knows ML-KEM (3.5 and later). */
const hasMlKem = ((): boolean => {
  try {
    secretKey(DER.mlKem768Secret, new Uint8Array(64));
    return typeof native.decapsulate === 'function'; // Node 24.7 and later
  } catch {
    return false;
  }
})();

function x25519Each(secret: Uint8Array, keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
  const privateKey = secretKey(DER.x25519Secret, secret);
  return keys.map((key) => {
    if (!isGoodX25519Key(key)) return undefined;
    return plain(diffieHellman({ privateKey, publicKey: publicKey(SPKI.x25519, key) }));
  });
}

/** The provider on `node:crypto`. Deterministic ML-KEM encapsulation, which OpenSSL does not offer to Node, is noble's. */
export const nodeCrypto: CryptoProvider = Object.freeze({
  name: 'node',

  sha256: (...parts: readonly Uint8Array[]) => sha256(parts),
  hmacSha256: (key: Uint8Array, ...parts: readonly Uint8Array[]) => hmacSha256(key, parts),

  ed25519PublicKey: (seed: Uint8Array) => rawPublic(secretKey(DER.ed25519Secret, seed), 32),
  ed25519Sign: (seed: Uint8Array, message: Uint8Array) => plain(sign(null, message, secretKey(DER.ed25519Secret, seed))),
  ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (key.length !== 32 || signature.length !== 64) return false;
    const imported = ed25519Key(key);
    return imported !== undefined && verify(null, message, imported, signature);
  },

  x25519PublicKey: (secret: Uint8Array) => rawPublic(secretKey(DER.x25519Secret, secret), 32),
  x25519: (secret: Uint8Array, key: Uint8Array) => x25519Each(secret, [key])[0],
  x25519Each,

  aes256GcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce);
    cipher.setAAD(aad);
    const sealed = new Uint8Array(plaintext.length + 16);
    sealed.set(cipher.update(plaintext));
    cipher.final(); // nothing is left over in this mode
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  },
  aes256GcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < 16) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, { authTagLength: 16 });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(sealed.length - 16));
    const plaintext = decipher.update(sealed.subarray(0, sealed.length - 16));
    try {
      decipher.final();
      return plain(plaintext);
    } catch {
      plaintext.fill(0);
      return undefined; // the tag does not match
    }
  },

  aes256CtrKeystream(key: Uint8Array, byteOffset: number, target: Uint8Array): void {
    const counter = Buffer.alloc(16);
    counter.writeBigUInt64BE(BigInt(byteOffset / 16), 8);
    const cipher = createCipheriv('aes-256-ctr', createSecretKey(key), counter);
    for (let done = 0; done < target.length; done += ZEROS.length) {
      takeKeystream(cipher.update(ZEROS.subarray(0, Math.min(ZEROS.length, target.length - done))), target, done);
    }
  },

  mlKem768PublicKey: (seed: Uint8Array) =>
    hasMlKem ? rawPublic(secretKey(DER.mlKem768Secret, seed), 1184) : nobleCrypto.mlKem768PublicKey(seed),
  mlKem768Encapsulate: (key: Uint8Array, coins: Uint8Array) => nobleCrypto.mlKem768Encapsulate(key, coins),
  mlKem768Decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    if (!hasMlKem) return nobleCrypto.mlKem768Decapsulate(seed, ciphertext);
    return plain(native.decapsulate(secretKey(DER.mlKem768Secret, seed), ciphertext));
  },
});
