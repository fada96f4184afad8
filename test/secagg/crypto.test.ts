import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../packages/core/src/bytes.ts';
import { nobleCrypto } from '../../packages/core/src/crypto-noble.ts';
import { isGoodKemKey, isGoodX25519Key } from '../../packages/secagg/src/keys.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/crypto-node.ts';
import { expand } from '../../packages/secagg/src/primitives.ts';

const providers = [nobleCrypto, nodeCrypto];
const bytes = (min: number, max = min): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: min, maxLength: max });
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe.each(providers)('published vectors: $name', (crypto) => {
  it('HKDF-Expand of 64 bytes begins with that of 32', () => {
    const prk = new Uint8Array(32).fill(5);
    expect(expand(crypto, prk, 64, 'x').slice(0, 32)).toEqual(expand(crypto, prk, 32, 'x'));
  });

  it('X25519 (RFC 7748 §5.2 and §6.1)', () => {
    const scalar = fromHex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4');
    const u = fromHex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c');
    expect(toHex(crypto.x25519(scalar, u)!)).toBe('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552');
    const alice = fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
    const bob = fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    expect(toHex(crypto.x25519PublicKey(alice))).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(toHex(crypto.x25519PublicKey(bob))).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(toHex(crypto.x25519(alice, crypto.x25519PublicKey(bob))!)).toBe(shared);
    expect(toHex(crypto.x25519(bob, crypto.x25519PublicKey(alice))!)).toBe(shared);
  });

  it('AES-256-GCM (the GCM paper, cases 13 and 14)', () => {
    const key = new Uint8Array(32);
    const nonce = new Uint8Array(12);
    expect(toHex(crypto.aes256GcmSeal(key, nonce, new Uint8Array(0), new Uint8Array(0)))).toBe(
      '530f8afbc74536b9a963b4f1c4cb738b',
    );
    expect(toHex(crypto.aes256GcmSeal(key, nonce, new Uint8Array(0), new Uint8Array(16)))).toBe(
      'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    );
  });

  it('refuses short and changed boxes', () => {
    const key = new Uint8Array(32).fill(1);
    const nonce = new Uint8Array(12);
    const aad = text('aad');
    const sealed = crypto.aes256GcmSeal(key, nonce, aad, text('hello'));
    expect(crypto.aes256GcmOpen(key, nonce, aad, sealed)).toEqual(text('hello'));
    expect(crypto.aes256GcmOpen(key, nonce, text('aae'), sealed)).toBeUndefined();
    for (let i = 0; i < sealed.length; i++) {
      expect(
        crypto.aes256GcmOpen(
          key,
          nonce,
          aad,
          sealed.map((byte, k) => (k === i ? byte ^ 4 : byte)),
        ),
      ).toBeUndefined();
      expect(crypto.aes256GcmOpen(key, nonce, aad, sealed.subarray(0, i))).toBeUndefined();
    }
  });
});

/** The eight points of small order, every encoding that a lax decoder takes for one of them, and other bad keys. */
const torsion = (() => {
  const base = ed25519.Point.fromBytes(fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'));
  const encodings = new Set<string>();
  let point = base;
  for (let i = 0; i < 8; i++) {
    encodings.add(toHex(point.toBytes()));
    point = point.add(base);
  }
  const lax: string[] = [];
  for (const hex of encodings) {
    const flipped = fromHex(hex);
    flipped[31]! ^= 0x80;
    lax.push(toHex(flipped)); // the other sign, or −0
  }
  for (const low of ['ed', 'ee', 'ec']) for (const top of ['7f', 'ff']) lax.push(`${low}${'ff'.repeat(30)}${top}`); // y = p, p + 1, p − 1
  return [...new Set([...encodings, ...lax])];
})();

describe('strict rules', () => {
  const message = text('message');
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const little = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0')).reverse();

  it.each(providers)('$name refuses small-order and non-canonical Ed25519 keys', (crypto) => {
    for (const key of torsion) {
      // With a small-order A, R = [S]B verifies for some k under a lax rule.
      for (let s = 1n; s < 9n; s++) {
        const r = ed25519.Point.BASE.multiply(s).toBytes();
        const signature = new Uint8Array([...r, ...little(s)]);
        expect(crypto.ed25519Verify(fromHex(key), Uint8Array.of(Number(s)), signature), key).toBe(false);
      }
    }
  });

  it.each(providers)('$name refuses S beyond the group order, R of another encoding, and wrong lengths', (crypto) => {
    const seed = new Uint8Array(32).fill(9);
    const key = crypto.ed25519PublicKey(seed);
    const signature = crypto.ed25519Sign(seed, message);
    expect(crypto.ed25519Verify(key, message, signature)).toBe(true);
    let s = 0n;
    for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i]!);
    expect(crypto.ed25519Verify(key, message, new Uint8Array([...signature.subarray(0, 32), ...little(s + L)]))).toBe(false);
    expect(crypto.ed25519Verify(key, message, signature.subarray(0, 63))).toBe(false);
    expect(crypto.ed25519Verify(key.subarray(1), message, signature)).toBe(false);
  });

  it('agree on a signature that only the cofactored equation accepts', () => {
    // R is off by a point of order 8: [8]([S]B) = [8]R + [8][k]A holds, [S]B = R + [k]A does not.
    const seed = new Uint8Array(32).fill(7);
    const { scalar } = ed25519.utils.getExtendedPublicKey(seed);
    const key = nobleCrypto.ed25519PublicKey(seed);
    const small = ed25519.Point.fromBytes(fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'));
    const nonce = 123456789n;
    const r = ed25519.Point.BASE.multiply(nonce).add(small).toBytes();
    const k = challenge(r, key, message) % L;
    const signature = new Uint8Array([...r, ...little((nonce + k * scalar) % L)]);
    expect(ed25519.verify(signature, message, key, { zip215: false })).toBe(true); // noble by itself
    for (const crypto of providers) expect(crypto.ed25519Verify(key, message, signature)).toBe(false);
  });

  it('agree that X25519 keys of small order and non-canonical ones give nothing', () => {
    const secret = new Uint8Array(32).fill(77);
    const p = 2n ** 255n - 19n;
    const bad = [0n, 1n, p - 1n, p, p + 1n, p + 9n, 2n ** 255n - 1n, 2n ** 255n + 9n].map(little);
    bad.push(fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'));
    bad.push(fromHex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'));
    for (const key of bad) {
      expect(isGoodX25519Key(key), toHex(key)).toBe(false);
      for (const crypto of providers) expect(crypto.x25519(secret, key), toHex(key)).toBeUndefined();
    }
    expect(isGoodX25519Key(x25519.getPublicKey(secret))).toBe(true);
    expect(isGoodX25519Key(little(p - 2n))).toBe(true);
    for (const crypto of providers) expect(crypto.x25519(secret, little(p - 2n))).toBeDefined();
  });

  it('the modulus check of ML-KEM keys', () => {
    const key = nobleCrypto.mlKem768PublicKey(new Uint8Array(64).fill(3));
    expect(isGoodKemKey(key)).toBe(true);
    const bad = key.slice();
    bad[0] = 0x01;
    bad[1] = (bad[1]! & 0xf0) | 0x0d; // coefficient 0xd01 = 3329
    expect(isGoodKemKey(bad)).toBe(false);
    expect(isGoodKemKey(key.subarray(1))).toBe(false);
    for (const crypto of providers) expect(crypto.mlKem768Encapsulate(bad, new Uint8Array(32))).toBeUndefined();
  });
});

function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  const digest = sha512(new Uint8Array([...r, ...key, ...message]));
  let value = 0n;
  for (let i = digest.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digest[i]!);
  return value;
}

describe('noble and node:crypto are byte-identical', () => {
  it('on random inputs', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), bytes(0, 300), bytes(64), fc.nat(1000), (secret, other, data, seed, block) => {
        const answers = providers.map((crypto) => {
          const stream = new Uint8Array(data.length);
          crypto.aes256CtrKeystream(secret, block * 16, stream);
          const publicKey = crypto.x25519PublicKey(other);
          const signature = crypto.ed25519Sign(secret, data);
          const kemKey = crypto.mlKem768PublicKey(seed);
          const kem = crypto.mlKem768Encapsulate(kemKey, other)!;
          return [
            crypto.sha256(data, secret),
            crypto.hmacSha256(secret, data),
            stream,
            publicKey,
            crypto.x25519(secret, publicKey)!,
            crypto.ed25519PublicKey(secret),
            signature,
            Uint8Array.of(Number(crypto.ed25519Verify(other, data, signature))),
            crypto.aes256GcmSeal(secret, data.length >= 12 ? data.subarray(0, 12) : new Uint8Array(12), data, other),
            kemKey,
            kem.ciphertext,
            kem.sharedSecret,
            crypto.mlKem768Decapsulate(seed, kem.ciphertext),
            crypto.mlKem768Decapsulate(
              seed,
              kem.ciphertext.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
            ),
          ].map(toHex);
        });
        expect(answers[1]).toEqual(answers[0]);
        expect(answers[0]![12]).toBe(answers[0]![11]);
      }),
      { numRuns: 12, seed: 7 },
    );
  });

  it('on a keystream longer than one chunk, whatever the offset', () => {
    const whole = new Uint8Array(150_000);
    nodeCrypto.aes256CtrKeystream(new Uint8Array(32).fill(4), 0, whole);
    for (const offset of [0, 16, 65536, 100_000]) {
      const part = new Uint8Array(40_000);
      nobleCrypto.aes256CtrKeystream(new Uint8Array(32).fill(4), offset, part);
      expect(part).toEqual(whole.subarray(offset, offset + 40_000));
    }
  });
});
