/**
 * One party's ledger as files: everything is recomputed from the entries and compared byte for byte.
 *
 * @module
 */
import { equalBytes } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { decodeEntry } from '../ledger/codec.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import { LedgerFold } from '../ledger/fold.ts';
import type { LedgerState } from '../ledger/state.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type LogKey, openCheckpoint } from '../log/checkpoint.ts';
import { parseNote } from '../log/note.ts';
import { decodeEntryBundle, TILE_WIDTH, tilePath, tilesOf } from '../log/tiles.ts';
import { TransparencyLog } from '../log/transparency-log.ts';
import { ledgerFolder } from '../run/files.ts';
import type { Findings } from './findings.ts';

/** A ledger that was read and found whole. */
export interface VerifiedLedger {
  readonly party: string;
  readonly checkpoint: Checkpoint;
  readonly log: TransparencyLog;
  readonly entries: readonly LedgerEntry[];
  readonly state: LedgerState;
}

/** Path of the bundle that holds an entry. */
export function entryFile(party: string, index: number, size: number): string {
  const tile = Math.floor(index / TILE_WIDTH);
  return ledgerFolder(party) + tilePath({ level: 'entries', index: tile, width: Math.min(TILE_WIDTH, size - tile * TILE_WIDTH) });
}

class LedgerReader {
  readonly #crypto: CryptoProvider;
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly #party: string;
  readonly #folder: string;
  readonly #findings: Findings;

  constructor(crypto: CryptoProvider, files: ReadonlyMap<string, Uint8Array>, party: string, findings: Findings) {
    this.#crypto = crypto;
    this.#files = files;
    this.#party = party;
    this.#folder = ledgerFolder(party);
    this.#findings = findings;
  }

  read(key: LogKey): VerifiedLedger | undefined {
    const party = this.#party;
    const checkpoint = this.#checkpoint(key);
    if (checkpoint === undefined) return undefined;
    const leaves = this.#leaves(checkpoint.size);
    if (leaves === undefined) return undefined;
    const log = new TransparencyLog(this.#crypto, key.origin, leaves);
    if (!this.#compareTiles(log, checkpoint)) return undefined;
    const folded = this.#fold(leaves);
    return folded === undefined ? undefined : { party, checkpoint, log, ...folded };
  }

  #checkpoint(key: LogKey): Checkpoint | undefined {
    const file = `${this.#folder}checkpoint`;
    const note = this.#files.get(file);
    if (note === undefined) {
      this.#findings.add('missing-file', 'the checkpoint of the ledger is missing', { file, party: this.#party });
      return undefined;
    }
    return this.#findings.attempt('signature', { file, party: this.#party }, () => {
      const checkpoint = openCheckpoint(this.#crypto, note, key);
      const parsed = parseNote(note);
      if (parsed.signatures.length !== 1 || encodeCheckpoint(decodeCheckpoint(parsed.text)) !== parsed.text) {
        this.#findings.add('malformed', 'the checkpoint has lines beside the log’s own', { file, party: this.#party });
      }
      return checkpoint;
    });
  }

  /** The leaves in order; where a bundle does not decode, the first entry that no longer has its hash is named. */
  #leaves(size: number): Uint8Array[] | undefined {
    const leaves: Uint8Array[] = [];
    let whole = true;
    for (const tile of tilesOf(size)) {
      const file = this.#folder + tilePath(tile);
      const bytes = this.#files.get(file);
      if (bytes === undefined) {
        this.#findings.add('missing-file', 'a tile of the ledger is missing', { file, party: this.#party });
        whole = false;
      } else if (tile.level === 'entries' && whole) {
        try {
          leaves.push(...decodeEntryBundle(bytes, tile.width));
        } catch {
          const entry = this.#firstChanged(bytes, tile.index, tile.width);
          this.#findings.add('changed-entry', 'the entry bundle does not decode from here on', {
            file,
            party: this.#party,
            entry,
          });
          whole = false;
        }
      }
    }
    return whole ? leaves : undefined;
  }

  /** The first entry of a damaged bundle whose hash is not that of the hash tile. */
  #firstChanged(bundle: Uint8Array, tile: number, width: number): number {
    const hashes = this.#files.get(this.#folder + tilePath({ level: 0, index: tile, width }));
    const probe = new TransparencyLog(this.#crypto, 'probe');
    for (let i = 0, start = 0; i < width; i++) {
      const end = start + 2 + (bundle[start] ?? 0) * 256 + (bundle[start + 1] ?? 0);
      probe.append(bundle.subarray(Math.min(start + 2, bundle.length), Math.min(end, bundle.length)));
      const expected = hashes?.subarray(32 * i, 32 * i + 32);
      if (expected === undefined || end > bundle.length || !equalBytes(probe.leafHash(i), expected)) return tile * TILE_WIDTH + i;
      start = end;
    }
    return tile * TILE_WIDTH + width - 1;
  }

  /** Compares every tile with what the entries give, and the root with the checkpoint. */
  #compareTiles(log: TransparencyLog, checkpoint: Checkpoint): boolean {
    const party = this.#party;
    const rootHolds = equalBytes(log.root(), checkpoint.root);
    const wrong: string[] = [];
    for (const [path, expected] of log.tiles()) {
      const given = this.#files.get(this.#folder + path);
      if (given !== undefined && !equalBytes(given, expected)) wrong.push(path);
    }
    if (rootHolds) {
      // The entries are those that were signed, so a tile that differs is itself the changed file.
      for (const path of wrong) {
        this.#findings.add('root-mismatch', 'the tile does not follow from the entries', { file: this.#folder + path, party });
      }
      return wrong.length === 0;
    }
    const changed = this.#changedEntries(log);
    for (const entry of changed) {
      const file = entryFile(party, entry, log.size);
      this.#findings.add('changed-entry', 'the entry is not the one under the signed root', { file, party, entry });
    }
    if (changed.length === 0) {
      const message = 'the entries do not have the root that was signed';
      this.#findings.add('root-mismatch', message, { file: `${this.#folder}checkpoint`, party });
    }
    return false;
  }

  /** Entries whose hash is not that of the given hash tiles. */
  #changedEntries(log: TransparencyLog): number[] {
    const changed: number[] = [];
    for (const tile of tilesOf(log.size)) {
      if (tile.level !== 0) continue;
      const given = this.#files.get(this.#folder + tilePath(tile));
      for (let i = 0; i < tile.width; i++) {
        const index = tile.index * TILE_WIDTH + i;
        const hash = given?.subarray(32 * i, 32 * i + 32);
        if (hash !== undefined && !equalBytes(hash, log.leafHash(index))) changed.push(index);
      }
    }
    return changed;
  }

  #fold(leaves: readonly Uint8Array[]): { readonly entries: readonly LedgerEntry[]; readonly state: LedgerState } | undefined {
    const party = this.#party;
    const fold = new LedgerFold(this.#crypto);
    const entries: LedgerEntry[] = [];
    for (const [index, leaf] of leaves.entries()) {
      const place = { file: entryFile(party, index, leaves.length), party, entry: index };
      const taken = this.#findings.attempt('ledger-rule', place, () => {
        const entry = decodeEntry(leaf);
        fold.applyDecoded(entry);
        return entry;
      });
      if (taken === undefined) return undefined;
      entries.push(taken);
    }
    return { entries, state: fold.state };
  }
}

/** Reads and verifies `ledger/<party>/`; what is wrong goes to `findings`, and the result is `undefined` then. */
export function verifyLedgerFiles(
  crypto: CryptoProvider,
  files: ReadonlyMap<string, Uint8Array>,
  party: string,
  key: LogKey,
  findings: Findings,
): VerifiedLedger | undefined {
  return new LedgerReader(crypto, files, party, findings).read(key);
}

/** Every path that a ledger of a size has. */
export function ledgerPaths(party: string, size: number): string[] {
  return ['checkpoint', ...tilesOf(size).map(tilePath)].map((path) => ledgerFolder(party) + path);
}
