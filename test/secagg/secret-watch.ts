/**
 * Sees whether secrets outlive their use: keeps every typed array that the code under test makes, and what every secret was when it came out of the
 * provider or the generator, and looks for the one in the other.
 */
import type { CryptoProvider } from '../../packages/core/src/crypto.ts';
import type { RandomSource } from '../../packages/core/src/random.ts';
import { crypto as inner } from './network.ts';

type Arrays = typeof Uint8Array | typeof Uint32Array;

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** A provider all of whose functions run inside `wrap`. */
function quietly(inner: CryptoProvider, wrap: <T>(compute: () => T) => T): CryptoProvider {
  const entries = Object.entries(inner).map(([name, compute]) => [
    name,
    (...args: readonly unknown[]) => wrap(() => (compute as (...args: readonly unknown[]) => unknown)(...args)),
  ]);
  return Object.fromEntries(entries) as unknown as CryptoProvider;
}

export class SecretWatch {
  readonly #buffers = new Set<ArrayBufferLike>();
  /** What each secret was, by its bytes. */
  readonly #secrets = new Map<string, string>();
  /** Random numbers for polynomials, and keystream: too much to look for, so each array must be zero. */
  readonly #coefficients: Uint8Array[] = [];

  /** While a provider computes: what it leaves in memory itself is not the machines' affair. */
  readonly #quiet = { now: false };

  #provider<T>(compute: () => T): T {
    const before = this.#quiet.now;
    this.#quiet.now = true;
    try {
      return compute();
    } finally {
      this.#quiet.now = before;
    }
  }

  /** Runs code of the machines: the arrays that it makes are kept. */
  during<T>(run: () => T): T {
    const restore = [Uint8Array, Uint32Array].map((type) => this.#watch(type as Arrays));
    try {
      return run();
    } finally {
      for (const back of restore) back();
    }
  }

  #watch(type: Arrays): () => void {
    const name = type.name as 'Uint8Array' | 'Uint32Array';
    const buffers = this.#buffers;
    const quiet = this.#quiet;
    const watched = new Proxy(type, {
      construct(target, args, newTarget): object {
        const made = Reflect.construct(target, args, newTarget === watched ? target : newTarget) as Uint8Array;
        if (!quiet.now) buffers.add(made.buffer);
        return made;
      },
    });
    const prototype = type.prototype as { constructor: unknown };
    Object.assign(globalThis, { [name]: watched });
    prototype.constructor = watched; // slice, map and filter make their results through it
    return () => {
      Object.assign(globalThis, { [name]: type });
      prototype.constructor = type;
    };
  }

  /** From now on these bytes must not be left anywhere. */
  add(name: string, secret: Uint8Array): void {
    if (secret.some((byte) => byte !== 0)) this.#secrets.set(latin1(secret), name);
  }

  /** These bytes have left the process on purpose. */
  release(secret: Uint8Array): void {
    this.#secrets.delete(latin1(secret));
  }

  get secrets(): number {
    return this.#secrets.size;
  }

  /** A secret as it came out, in an array of its own that is kept like all others. */
  #out<T extends Uint8Array | undefined>(name: string, secret: T): T {
    if (secret === undefined) return secret;
    this.add(name, secret);
    const copy = new Uint8Array(secret.length);
    copy.set(secret);
    this.#buffers.add(copy.buffer);
    return copy as unknown as T;
  }

  readonly random = (inner: RandomSource): RandomSource => ({
    fill: (target) => {
      this.#provider(() => inner.fill(target));
      if (target.length > 64) this.#coefficients.push(target);
      else this.add('random', target);
    },
  });

  /** The provider of the machines: what it returns is known to be secret. `sha256` and public keys are not. */
  readonly crypto: CryptoProvider = {
    ...quietly(inner, (compute) => this.#provider(compute)),
    hmacSha256: (key, ...parts) => {
      // What the lower id of a pair confirms is derived from the key one way, and told.
      const told = parts.some((part) => latin1(part).includes('sotto-secagg/1 confirm'));
      const made = this.#provider(() => inner.hmacSha256(key, ...parts));
      return told ? made : this.#out('key', made);
    },
    x25519: (secret, key) =>
      this.#out(
        'agreed',
        this.#provider(() => inner.x25519(secret, key)),
      ),
    x25519Each: (secret, keys) =>
      this.#provider(() => inner.x25519Each(secret, keys)).map((agreed) => this.#out('agreed', agreed)),
    mlKem768Encapsulate: (key, coins) => {
      const made = this.#provider(() => inner.mlKem768Encapsulate(key, coins));
      return made === undefined ? undefined : { ...made, sharedSecret: this.#out('encapsulated', made.sharedSecret) };
    },
    mlKem768Decapsulate: (seed, ciphertext) =>
      this.#out(
        'decapsulated',
        this.#provider(() => inner.mlKem768Decapsulate(seed, ciphertext)),
      ),
    aes256CtrKeystream: (key, byteOffset, target) => {
      this.#provider(() => inner.aes256CtrKeystream(key, byteOffset, target));
      this.#coefficients.push(target);
    },
    aes256GcmSeal: (key, nonce, data, plaintext) => {
      this.add('share of r', plaintext.subarray(0, 32));
      this.add('share of b', plaintext.subarray(32, 64));
      return this.#provider(() => inner.aes256GcmSeal(key, nonce, data, plaintext));
    },
    aes256GcmOpen: (key, nonce, data, sealed) => {
      const opened = this.#provider(() => inner.aes256GcmOpen(key, nonce, data, sealed));
      if (opened === undefined) return undefined;
      this.add('share of r, held', opened.subarray(0, 32));
      this.add('share of b, held', opened.subarray(32, 64));
      return opened;
    },
  };

  /** Names of secrets that are still in an array, other than those that `kept` lists. */
  left(kept: readonly Uint8Array[] = []): readonly string[] {
    const known = new Set(kept.map((bytes) => bytes.buffer));
    const found: string[] = [];
    for (const buffer of this.#buffers) {
      if (known.has(buffer)) continue;
      const text = latin1(new Uint8Array(buffer));
      for (const [secret, name] of this.#secrets) if (text.includes(secret)) found.push(`${name} in ${buffer.byteLength} bytes`);
    }
    for (const array of this.#coefficients) {
      if (array.some((byte) => byte !== 0)) found.push(`coefficients or keystream in ${array.length} bytes`);
    }
    return found;
  }
}
