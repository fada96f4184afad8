import { describe, expect, test } from 'vitest';
import { concat, utf8 } from '@sotto/core/bytes';
import { nobleCrypto as crypto } from '@sotto/core/crypto-noble';
import { acceptCheckpoint, signCheckpoint, TransparencyLog, verifyInclusion } from '@sotto/governance';
import { numberedLeaves, treeHash } from './naive-merkle.ts';

const origin = 'hearts.example/coordinator';
const seed = new Uint8Array(32).fill(5);
const key = { origin, publicKey: crypto.ed25519PublicKey(seed) };

describe('TransparencyLog', () => {
  const leaves = numberedLeaves(40);
  const log = new TransparencyLog(crypto, origin, leaves);

  test('keeps entries in order, with proofs at every size', () => {
    expect(log.entries()).toEqual(leaves);
    for (const size of [1, 7, 32, 40]) {
      expect(log.root(size)).toEqual(treeHash(leaves.slice(0, size)));
      const claim = { leafHash: log.leafHash(0), index: 0, size, root: log.root(size), proof: log.inclusionProof(0, size) };
      expect(verifyInclusion(crypto, claim)).toBe(true);
    }
  });

  test('cannot be changed through what goes in or comes out', () => {
    const entry = utf8('mine');
    const own = new TransparencyLog(crypto, origin);
    own.append(entry);
    const root = own.root();
    entry.fill(0);
    own.entry(0).fill(0);
    own.entries()[0]!.fill(0);
    own.root().fill(0);
    own.leafHash(0).fill(0);
    expect(own.entry(0)).toEqual(utf8('mine'));
    expect(own.root()).toEqual(root);
    expect(() => own.append(new Uint8Array(65_536))).toThrow(/65535/);
    expect(() => own.entry(1)).toThrow(/index/);
  });
});

describe('a witness', () => {
  const leaves = numberedLeaves(30);
  const log = new TransparencyLog(crypto, origin, leaves);
  const seen = log.state(11);

  test('accepts growth, and the first checkpoint as it is', () => {
    expect(acceptCheckpoint(crypto, key, undefined, log.checkpoint(crypto, seed, 11), [])).toEqual(seen);
    for (const size of [11, 12, 16, 30]) {
      const next = acceptCheckpoint(crypto, key, seen, log.checkpoint(crypto, seed, size), log.consistencyProof(11, size));
      expect(next.size).toBe(size);
    }
  });

  test('refuses a log that was rewound', () => {
    expect(() => acceptCheckpoint(crypto, key, seen, log.checkpoint(crypto, seed, 10), [])).toThrow(
      /rewound: it has 10 entries, 11/,
    );
  });

  test('refuses a log that was forked, whatever proof comes with it', () => {
    const forked = new TransparencyLog(crypto, origin, leaves.with(4, utf8('another history')));
    for (const size of [11, 20]) {
      const note = forked.checkpoint(crypto, seed, size);
      for (const proof of [forked.consistencyProof(11, size), log.consistencyProof(11, size), []]) {
        expect(() => acceptCheckpoint(crypto, key, seen, note, proof)).toThrow(/forked or the proof is wrong/);
      }
    }
  });

  test('refuses another signer and a changed note', () => {
    const other = signCheckpoint(crypto, log.state(), new Uint8Array(32).fill(6));
    expect(() => acceptCheckpoint(crypto, key, seen, other, log.consistencyProof(11))).toThrow(/not signed/);
    const note = concat(log.checkpoint(crypto, seed));
    note[note.length - 20]! ^= 1;
    expect(() => acceptCheckpoint(crypto, key, seen, note, log.consistencyProof(11))).toThrow();
  });
});
