/**
 * The file layout of a log (C2SP tlog-tiles v0.1.0): `checkpoint`, hash tiles `tile/<L>/<N>[.p/<W>]` of up to 256 hashes,
 * and entry bundles `tile/entries/<N>[.p/<W>]` of up to 256 entries, each with its length as u16 big-endian before it.
 *
 * @module
 */
import { concat } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { HASH_LENGTH } from '../merkle/hash.ts';
import type { MerkleTree } from '../merkle/tree.ts';

/** Hashes or entries of a full tile. */
export const TILE_WIDTH = 256;
/** Height of a tile in levels of the tree. */
const TILE_HEIGHT = 8;
/** The longest entry, since bundles carry lengths as u16. */
export const MAX_ENTRY_BYTES = 65_535;

/** One tile: `level` of tiles (or the entries), number and width (256, or less for the partial one at the right edge). */
export interface TileCoordinates {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** The path of a tile: three digits a step, all steps but the last marked with an x, `.p/<width>` if partial. */
export function tilePath(tile: TileCoordinates): string {
  check.integer('index', tile.index, 0);
  check.integer('width', tile.width, 1, TILE_WIDTH);
  const digits = String(tile.index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/.{3}/g) ?? [];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${tile.level}/${path}${tile.width < TILE_WIDTH ? `.p/${tile.width}` : ''}`;
}

/** The inverse of {@link tilePath}, or `undefined` for any other path. */
export function parseTilePath(path: string): TileCoordinates | undefined {
  const match = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/.exec(path);
  if (match === null) return undefined;
  const [, level = '', steps = '', width] = match;
  const tile: TileCoordinates = {
    level: level === 'entries' ? 'entries' : Number(level),
    index: Number(steps.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const valid = Number.isSafeInteger(tile.index) && tile.width <= TILE_WIDTH;
  return valid && tilePath(tile) === path ? tile : undefined;
}

/** Every tile of a tree of `size` entries: entry bundles, then hash tiles level by level. */
export function tilesOf(size: number): TileCoordinates[] {
  check.integer('size', size, 0);
  const tiles: TileCoordinates[] = [];
  const addLevel = (level: number | 'entries', count: number): void => {
    for (let index = 0; index * TILE_WIDTH < count; index++) {
      tiles.push({ level, index, width: Math.min(TILE_WIDTH, count - index * TILE_WIDTH) });
    }
  };
  addLevel('entries', size);
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) addLevel(level, count);
  return tiles;
}

/** The bytes of a hash tile. */
export function hashTile(tree: MerkleTree, level: number, index: number, width: number): Uint8Array {
  const first = index * TILE_WIDTH;
  return concat(...Array.from({ length: width }, (_, i) => tree.node(level * TILE_HEIGHT, first + i)));
}

/** The bytes of an entry bundle. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concat(
    ...entries.flatMap((entry, i) => {
      if (entry.length > MAX_ENTRY_BYTES) {
        throw new SottoError('invalid-argument', `entry ${i} has ${entry.length} bytes; it must have at most ${MAX_ENTRY_BYTES}`);
      }
      return [Uint8Array.of(entry.length >> 8, entry.length & 255), entry];
    }),
  );
}

/** The inverse of {@link encodeEntryBundle} for a bundle of exactly `width` entries; throws `invalid-encoding`. */
export function decodeEntryBundle(bundle: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset < bundle.length) {
    const length = (bundle[offset] ?? 0) * 256 + (bundle[offset + 1] ?? 0);
    if (offset + 2 + length > bundle.length)
      throw new SottoError('invalid-encoding', `entry bundle ends within entry ${entries.length}`);
    entries.push(bundle.slice(offset + 2, offset + 2 + length));
    offset += 2 + length;
  }
  if (entries.length !== width)
    throw new SottoError('invalid-encoding', `entry bundle has ${entries.length} entries, not ${width}`);
  return entries;
}

/** The hashes of a hash tile of exactly `width` of them; throws `invalid-encoding`. */
export function decodeHashTile(tile: Uint8Array, width: number): Uint8Array[] {
  if (tile.length !== width * HASH_LENGTH) {
    throw new SottoError('invalid-encoding', `hash tile has ${tile.length} bytes, not ${width * HASH_LENGTH}`);
  }
  return Array.from({ length: width }, (_, i) => tile.slice(i * HASH_LENGTH, (i + 1) * HASH_LENGTH));
}
