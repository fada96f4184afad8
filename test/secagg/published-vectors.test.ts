import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { shake128 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../packages/core/src/bytes.ts';
import { nobleCrypto } from '../../packages/core/src/crypto-noble.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/crypto-node.ts';
import { maskChunk, openStreams } from '../../packages/secagg/src/node/mask-kernel.ts';
import published from './vectors/published.json' with { type: 'json' };

const providers = [nobleCrypto, nodeCrypto];
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe.each(providers)('published vectors: $name', (crypto) => {
  it(`SHA-256: ${published.sha256.source}`, () => {
    for (const test of published.sha256.tests) {
      expect(toHex(crypto.sha256(text(test.text.repeat(test.times)))), test.name).toBe(test.digest);
    }
    expect(toHex(crypto.sha256(text('a'), text('bc')))).toBe(published.sha256.tests[0]!.digest);
  });

  it(`HMAC-SHA-256: ${published.hmacSha256.source}`, () => {
    for (const { name, key, data, mac } of published.hmacSha256.tests) {
      expect(toHex(crypto.hmacSha256(fromHex(key), fromHex(data))), name).toBe(mac);
      const parts = [fromHex(data).subarray(0, 3), fromHex(data).subarray(3)];
      expect(toHex(crypto.hmacSha256(fromHex(key), ...parts)), name).toBe(mac);
    }
  });

  it(`HKDF-SHA-256: ${published.hkdfSha256.source}`, () => {
    for (const { name, ikm, salt, info, prk, okm } of published.hkdfSha256.tests) {
      expect(toHex(crypto.hmacSha256(fromHex(salt), fromHex(ikm))), name).toBe(prk);
      let block = new Uint8Array(0);
      let out = '';
      for (let i = 1; out.length < okm.length; i++) {
        block = new Uint8Array(crypto.hmacSha256(fromHex(prk), block, fromHex(info), Uint8Array.of(i)));
        out += toHex(block);
      }
      expect(out.slice(0, okm.length), name).toBe(okm);
    }
  });

  it(`Ed25519: ${published.ed25519.source}, all five`, () => {
    expect(published.ed25519.tests.length).toBe(5);
    for (const { name, seed, key, message, signature } of published.ed25519.tests) {
      expect(toHex(crypto.ed25519PublicKey(fromHex(seed))), name).toBe(key);
      expect(toHex(crypto.ed25519Sign(fromHex(seed), fromHex(message))), name).toBe(signature);
      expect(crypto.ed25519Verify(fromHex(key), fromHex(message), fromHex(signature)), name).toBe(true);
      expect(crypto.ed25519Verify(fromHex(key), text('other'), fromHex(signature)), name).toBe(false);
    }
  });

  it(`AES-256: ${published.aes256.source}`, () => {
    for (const { name, key, block } of published.aes256.tests) {
      const stream = new Uint8Array(16);
      crypto.aes256CtrKeystream(fromHex(key), 0, stream);
      expect(toHex(stream), name).toBe(block);
      const words = new Uint32Array(4);
      maskChunk(openStreams(32, [{ key: fromHex(key), sign: 1 }]), 0, words);
      expect(toHex(new Uint8Array(words.buffer)), name).toBe(block);
    }
  });

  it('ML-KEM-768: a hundred accumulated vectors of Go', () => {
    const input = shake128.create({});
    const output = shake128.create({ dkLen: 32 });
    for (let i = 0; i < published.mlKem768.count; i++) {
      const seed = input.xof(64);
      const key = crypto.mlKem768PublicKey(seed);
      const made = crypto.mlKem768Encapsulate(key, input.xof(32))!;
      output.update(key).update(made.ciphertext).update(made.sharedSecret);
      expect(crypto.mlKem768Decapsulate(seed, made.ciphertext)).toEqual(made.sharedSecret);
      output.update(crypto.mlKem768Decapsulate(seed, input.xof(1088)));
    }
    expect(toHex(output.digest())).toBe(published.mlKem768.digest);
  });
});

/**
 * Every pair of torsion components of key and nonce, as the CCTV collection of edge cases has them (C2SP), made here: the
 * verdict follows from the equation alone, [S]B = R + [k]A with k reduced modulo the order of B.
 */
describe('Ed25519 keys and nonces with a component of small order', () => {
  const { Point } = ed25519;
  const L = Point.Fn.ORDER;
  const generator = Point.fromBytes(fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'));
  const torsion = Array.from({ length: 7 }).reduce<(typeof generator)[]>(
    (list) => [...list, list.at(-1)!.add(generator)],
    [Point.ZERO],
  );
  const number = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
  const little = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0')).reverse();

  it('are accepted where the exact equation holds, by both providers, and nowhere else', () => {
    const [a, r] = [1234567n, 7654321n];
    let accepted = 0;
    let refused = 0;
    for (const [i, t] of torsion.entries()) {
      for (const [j, u] of torsion.entries()) {
        const key = Point.BASE.multiply(a).add(t).toBytes();
        const nonce = Point.BASE.multiply(r).add(u).toBytes();
        // two messages: mostly one whose components do not cancel, and the first one that cancels, where there is one
        const challenge = (m: number): bigint => number(sha512(new Uint8Array([...nonce, ...key, m]))) % L;
        const cancels = (m: number): boolean => (j + i * Number(challenge(m) % 8n)) % 8 === 0;
        const messages = [0, Array.from({ length: 256 }, (_, m) => m).find(cancels)];
        for (const m of messages) {
          if (m === undefined) continue;
          const signature = new Uint8Array([...nonce, ...little((r + challenge(m) * a) % L)]);
          const verdicts = providers.map((crypto) => crypto.ed25519Verify(key, Uint8Array.of(m), signature));
          expect(verdicts, `components ${i} and ${j}, message ${m}`).toEqual([cancels(m), cancels(m)]);
          if (cancels(m)) accepted++;
          else refused++;
        }
      }
    }
    expect(accepted).toBeGreaterThan(40);
    expect(refused).toBeGreaterThan(40);
  });
});
