import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '@sotto/core/bytes';
import { nobleCrypto as crypto } from '@sotto/core/crypto-noble';
import {
  CompactRange,
  emptyRoot,
  leafHash,
  merkleRoot,
  MerkleTree,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '@sotto/governance';
import golden from './golden/transparency-log.json' with { type: 'json' };
import { consistency, numberedLeaves, path, treeHash } from './naive-merkle.ts';

const LARGEST = 45;
const leaves = numberedLeaves(LARGEST);
const tree = new MerkleTree(
  crypto,
  leaves.map((leaf) => leafHash(crypto, leaf)),
);
const roots = Array.from({ length: LARGEST + 1 }, (_, size) => treeHash(leaves.slice(0, size)));

function flip(hash: Uint8Array, bit: number): Uint8Array {
  const out = hash.slice();
  out[bit >> 3]! ^= 1 << (bit & 7);
  return out;
}

describe('hashes and roots', () => {
  test('equal the published vectors', () => {
    const data = golden.rfc6962.leavesHex.map(fromHex);
    const grown = new MerkleTree(crypto);
    const range = new CompactRange(crypto);
    for (const [size, root] of golden.rfc6962.rootsBySize.entries()) {
      expect(toHex(grown.root())).toBe(root);
      expect(toHex(range.root())).toBe(root);
      const next = data[size];
      if (next === undefined) continue;
      grown.append(leafHash(crypto, next));
      range.append(leafHash(crypto, next));
    }
    const { leafHash: leaf, nodeHash: node } = golden.rfc6962;
    expect(toHex(leafHash(crypto, utf8(leaf.data)))).toBe(leaf.hash);
    expect(toHex(nodeHash(crypto, utf8(node.left), utf8(node.right)))).toBe(node.hash);
  });

  test('equal the recursive definition at every size, also of the past', () => {
    for (let size = 0; size <= LARGEST; size++) {
      expect(tree.root(size)).toEqual(roots[size]);
      expect(
        merkleRoot(
          crypto,
          leaves.slice(0, size).map((leaf) => leafHash(crypto, leaf)),
        ),
      ).toEqual(roots[size]);
    }
  });

  test('refuse sizes and hashes that are none', () => {
    expect(() => tree.root(LARGEST + 1)).toThrow(/size is 46/);
    expect(() => tree.root(-1)).toThrow(/size/);
    expect(() => tree.inclusionProof(5, 5)).toThrow(/index is 5/);
    expect(() => tree.consistencyProof(6, 5)).toThrow(/from is 6/);
    expect(() => new MerkleTree(crypto).append(new Uint8Array(31))).toThrow(/32 bytes/);
  });
});

describe('inclusion proofs', () => {
  test('equal the recursive definition and verify, for every leaf of every size', () => {
    for (let size = 1; size <= LARGEST; size++) {
      for (let index = 0; index < size; index++) {
        const proof = tree.inclusionProof(index, size);
        expect(proof).toEqual(path(index, leaves.slice(0, size)));
        const claim = { leafHash: leafHash(crypto, leaves[index]!), index, size, root: roots[size]!, proof };
        expect(verifyInclusion(crypto, claim)).toBe(true);
      }
    }
  });

  test('fail for every other index, another leaf, another root, a changed, added or missing hash', () => {
    for (let size = 1; size <= 20; size++) {
      for (let index = 0; index < size; index++) {
        const proof = tree.inclusionProof(index, size);
        const claim = { leafHash: leafHash(crypto, leaves[index]!), index, size, root: roots[size]!, proof };
        for (let other = 0; other <= size; other++) {
          if (other !== index) expect(verifyInclusion(crypto, { ...claim, index: other })).toBe(false);
        }
        expect(verifyInclusion(crypto, { ...claim, leafHash: flip(claim.leafHash, 13) })).toBe(false);
        expect(verifyInclusion(crypto, { ...claim, root: flip(claim.root, 255) })).toBe(false);
        expect(verifyInclusion(crypto, { ...claim, proof: [...proof, roots[3]!] })).toBe(false);
        expect(verifyInclusion(crypto, { ...claim, proof: [roots[3]!, ...proof] })).toBe(false);
        for (let i = 0; i < proof.length; i++) {
          expect(verifyInclusion(crypto, { ...claim, proof: proof.with(i, flip(proof[i]!, 8 * i)) })).toBe(false);
          expect(verifyInclusion(crypto, { ...claim, proof: proof.toSpliced(i, 1) })).toBe(false);
        }
      }
    }
  });

  test('fail where a proof goes on beyond the root, or two trees of other sizes are confused', () => {
    const [first, second] = [tree.node(0, 0), tree.node(0, 1)];
    const beyond = { leafHash: second, index: 0, size: 1, root: roots[2]!, proof: [first] };
    expect(verifyInclusion(crypto, beyond)).toBe(false);
    expect(verifyInclusion(crypto, { ...beyond, index: 1, size: 2 })).toBe(true);
    const longer = {
      fromSize: 1,
      fromRoot: nodeHash(crypto, second, first),
      toSize: 2,
      toRoot: nodeHash(crypto, second, roots[2]!),
    };
    expect(verifyConsistency(crypto, { ...longer, proof: [second, second] })).toBe(false);
  });

  test('never throw on foreign values', () => {
    const hash = new Uint8Array(32);
    for (const [index, size] of [
      [-1, 5],
      [5, 5],
      [0, 0],
      [0.5, 5],
      [Number.NaN, 5],
      [0, Infinity],
      [2 ** 53, 2 ** 53 + 2],
    ] as const) {
      expect(verifyInclusion(crypto, { leafHash: hash, index, size, root: hash, proof: [] })).toBe(false);
    }
    expect(
      verifyInclusion(crypto, { leafHash: new Uint8Array(31), index: 0, size: 1, root: new Uint8Array(31), proof: [] }),
    ).toBe(false);
    expect(verifyInclusion(crypto, { leafHash: hash, index: 0, size: 2, root: hash, proof: [new Uint8Array(33)] })).toBe(false);
    // The largest sizes that a number can hold take a path of 53 hashes, not a loop without end.
    const huge = { leafHash: hash, index: 2 ** 53 - 2, size: 2 ** 53 - 1, root: hash, proof: Array<Uint8Array>(60).fill(hash) };
    expect(verifyInclusion(crypto, huge)).toBe(false);
  });
});

describe('consistency proofs', () => {
  test('equal the recursive definition and verify, for every pair of sizes', () => {
    for (let toSize = 1; toSize <= LARGEST; toSize++) {
      for (let fromSize = 1; fromSize <= toSize; fromSize++) {
        const proof = tree.consistencyProof(fromSize, toSize);
        expect(proof).toEqual(consistency(fromSize, leaves.slice(0, toSize)));
        const claim = { fromSize, toSize, fromRoot: roots[fromSize]!, toRoot: roots[toSize]!, proof };
        expect(verifyConsistency(crypto, claim)).toBe(true);
      }
    }
  });

  test('fail for other sizes, other roots, a changed, added or missing hash', () => {
    for (let toSize = 2; toSize <= 20; toSize++) {
      for (let fromSize = 1; fromSize < toSize; fromSize++) {
        const proof = tree.consistencyProof(fromSize, toSize);
        const claim = { fromSize, toSize, fromRoot: roots[fromSize]!, toRoot: roots[toSize]!, proof };
        expect(verifyConsistency(crypto, { ...claim, fromRoot: flip(claim.fromRoot, 1) })).toBe(false);
        expect(verifyConsistency(crypto, { ...claim, toRoot: flip(claim.toRoot, 1) })).toBe(false);
        expect(verifyConsistency(crypto, { ...claim, fromRoot: claim.toRoot, toRoot: claim.fromRoot })).toBe(false);
        expect(verifyConsistency(crypto, { ...claim, proof: [...proof, roots[3]!] })).toBe(false);
        for (let i = 0; i < proof.length; i++) {
          expect(verifyConsistency(crypto, { ...claim, proof: proof.with(i, flip(proof[i]!, 7 * i)) })).toBe(false);
          expect(verifyConsistency(crypto, { ...claim, proof: proof.toSpliced(i, 1) })).toBe(false);
        }
      }
    }
  });

  test('hold for the empty and for equal trees, with an empty proof only', () => {
    const empty = { fromSize: 0, fromRoot: emptyRoot(crypto), toSize: 3, toRoot: roots[3]!, proof: [] };
    expect(verifyConsistency(crypto, empty)).toBe(true);
    expect(verifyConsistency(crypto, { ...empty, fromRoot: roots[1]! })).toBe(false);
    expect(verifyConsistency(crypto, { ...empty, proof: [roots[1]!] })).toBe(false);
    const equal = { fromSize: 3, fromRoot: roots[3]!, toSize: 3, toRoot: roots[3]!, proof: [] };
    expect(verifyConsistency(crypto, equal)).toBe(true);
    expect(verifyConsistency(crypto, { ...equal, toRoot: roots[2]! })).toBe(false);
    expect(verifyConsistency(crypto, { ...equal, proof: [roots[3]!] })).toBe(false);
    expect(verifyConsistency(crypto, { ...equal, fromSize: 4 })).toBe(false);
  });

  test('a tree that differs in any earlier leaf has none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), (toSize, a, b) => {
        const fromSize = 1 + (a % (toSize - 1));
        const changed = b % fromSize;
        const other = new MerkleTree(
          crypto,
          leaves.slice(0, toSize).map((leaf, i) => leafHash(crypto, i === changed ? utf8('other') : leaf)),
        );
        const proof = other.consistencyProof(fromSize, toSize);
        const claim = { fromSize, fromRoot: roots[fromSize]!, toSize, toRoot: other.root(), proof };
        return !verifyConsistency(crypto, claim);
      }),
      { seed: 1 },
    );
  });
});
