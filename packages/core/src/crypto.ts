/**
 * The port to cryptographic primitives. Everything above it is pure; implementations are `@sotto/core/crypto-noble`
 * (pure JavaScript, runs anywhere) and `@sotto/secagg/node` (node:crypto, much faster). They MUST be byte-identical.
 *
 * Calls are synchronous. Bulk keystream alone also has an asynchronous port, since Web Crypto and worker threads are.
 *
 * @module
 */

/** Synchronous primitives. Inputs are never modified; outputs are fresh arrays. Lengths in bytes. */
export interface CryptoProvider {
  /** For messages and reports, such as `noble` or `node`. */
  readonly name: string;

  /** SHA-256 (FIPS 180-4) of the concatenation of the parts. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA-256 (RFC 2104). */
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;

  /** Ed25519 public key (32) of a 32-byte seed (RFC 8032). */
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  /** Ed25519 signature (64). */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** Strict verification: cofactorless, canonical S, A and R, no small-order key. Never throws on bad input. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;

  /** X25519 public key (32) of a 32-byte scalar (RFC 7748). */
  x25519PublicKey(secret: Uint8Array): Uint8Array;
  /** X25519 shared secret (32), or `undefined` for a public key that is non-canonical (u ≥ p) or gives zero. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  /** {@link x25519} of one secret with many keys, in their order; cheaper where setting up a secret costs something. */
  x25519Each(secret: Uint8Array, publicKeys: readonly Uint8Array[]): (Uint8Array | undefined)[];

  /** AES-256-GCM with a 12-byte nonce: ciphertext ‖ 16-byte tag. */
  aes256GcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext, or `undefined` where the tag does not match. */
  aes256GcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;

  /** Overwrites `target` with AES-256-CTR keystream (zero IV, 128-bit counter) from a byte offset that is a multiple of 16. */
  aes256CtrKeystream(key: Uint8Array, byteOffset: number, target: Uint8Array): void;

  /** ML-KEM-768 (FIPS 203): the encapsulation key (1184) of a seed d ‖ z (64). */
  mlKem768PublicKey(seed: Uint8Array): Uint8Array;
  /** Deterministic encapsulation with 32 bytes of coins, or `undefined` for a key that fails the modulus check. */
  mlKem768Encapsulate(
    publicKey: Uint8Array,
    coins: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array } | undefined;
  /** Decapsulation with implicit rejection. */
  mlKem768Decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array;
}

/** The asynchronous port for bulk keystream (Web Crypto, worker threads). Same bytes as {@link CryptoProvider.aes256CtrKeystream}. */
export interface BulkKeystream {
  keystream(key: Uint8Array, byteOffset: number, target: Uint8Array, signal?: CancelSignal): Promise<void>;
}

/** The part of an `AbortSignal` that pure code may look at. */
export interface CancelSignal {
  readonly aborted: boolean;
}
