import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '@sotto/core/bytes';
import { nobleCrypto as crypto } from '@sotto/core/crypto-noble';
import {
  decodeEntryBundle,
  decodeHashTile,
  encodeEntryBundle,
  leafHash,
  merkleRoot,
  parseTilePath,
  tilePath,
  tilesOf,
  TransparencyLog,
} from '@sotto/governance';
import golden from './golden/transparency-log.json' with { type: 'json' };
import { numberedLeaves, treeHash } from './naive-merkle.ts';

describe('tiles', () => {
  test('of 70,000 entries are those of the specification', () => {
    const { treeSize, level0, level1, level2 } = golden.tiles;
    const tiles = tilesOf(treeSize);
    const count = (level: number | 'entries') => {
      const of = tiles.filter((tile) => tile.level === level);
      return { full: of.filter(({ width }) => width === 256).length, partial: of.find(({ width }) => width < 256)?.width };
    };
    expect(count('entries')).toEqual(level0);
    expect(count(0)).toEqual(level0);
    expect(count(1)).toEqual(level1);
    expect(count(2)).toEqual({ full: 0, partial: level2.partial });
    expect(tiles.some(({ level }) => level === 3)).toBe(false);
  });

  test('have the paths of the specification', () => {
    expect(tilePath({ level: 0, index: 0, width: 256 })).toBe('tile/0/000');
    expect(tilePath({ level: 3, index: 1_234_067, width: 256 })).toBe('tile/3/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 273, width: 112 })).toBe('tile/entries/273.p/112');
    expect(tilePath({ level: 0, index: 1000, width: 1 })).toBe('tile/0/x001/000.p/1');
  });

  test('paths round-trip, and nothing else parses', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)),
        fc.integer({ min: 0, max: 2 ** 40 }),
        fc.integer({ min: 1, max: 256 }),
        (level, index, width) => {
          expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width });
        },
      ),
      { seed: 3 },
    );
    for (const path of [
      'tile/0/0',
      'tile/0/0000',
      'tile/0/x000/000',
      'tile/00/000',
      'tile/0/000.p/0',
      'tile/0/000.p/256',
      'tile/0/000.p/001',
      'tile/0/x1/000',
      'tile/entry/000',
      'tile/0/000/',
      'checkpoint',
    ]) {
      expect(parseTilePath(path), path).toBeUndefined();
    }
  });

  test('entry bundles round-trip and are strict', () => {
    const entries = [utf8(''), utf8('a'), new Uint8Array(65_535).fill(7), utf8('last')];
    const bundle = encodeEntryBundle(entries);
    expect(decodeEntryBundle(bundle, 4)).toEqual(entries);
    expect([...bundle.subarray(0, 5)]).toEqual([0, 0, 0, 1, 97]);
    expect(() => decodeEntryBundle(bundle, 3)).toThrow(/4 entries, not 3/);
    expect(() => decodeEntryBundle(bundle.subarray(0, -1), 4)).toThrow(/ends within entry 3/);
    expect(() => decodeEntryBundle(Uint8Array.of(0), 1)).toThrow(/ends within/);
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(/65535/);
    expect(() => decodeHashTile(new Uint8Array(33), 1)).toThrow(/33 bytes, not 32/);
  });

  test('hash tiles hold the subtree hashes from which the root follows', () => {
    const leaves = numberedLeaves(600);
    const log = new TransparencyLog(crypto, 'test.example/log', leaves);
    const files = log.tiles();
    expect([...files.keys()]).toEqual([
      'tile/entries/000',
      'tile/entries/001',
      'tile/entries/002.p/88',
      'tile/0/000',
      'tile/0/001',
      'tile/0/002.p/88',
      'tile/1/000.p/2',
    ]);
    expect(decodeEntryBundle(files.get('tile/entries/001')!, 256)).toEqual(leaves.slice(256, 512));
    expect(decodeHashTile(files.get('tile/0/002.p/88')!, 88)).toEqual(leaves.slice(512).map((leaf) => leafHash(crypto, leaf)));
    expect(decodeHashTile(files.get('tile/1/000.p/2')!, 2)).toEqual([
      treeHash(leaves.slice(0, 256)),
      treeHash(leaves.slice(256, 512)),
    ]);
    const hashes = ['tile/0/000', 'tile/0/001'].flatMap((path) => decodeHashTile(files.get(path)!, 256));
    expect(merkleRoot(crypto, [...hashes, ...decodeHashTile(files.get('tile/0/002.p/88')!, 88)])).toEqual(log.root());
  });
});
