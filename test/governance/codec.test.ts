import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '@sotto/core/bytes';
import { canonicalJson, type Json } from '@sotto/core/json';
import { decodeEntry, encodeEntry, encodeEvidence, parseEvidence, type LedgerEntry, validateEntry } from '@sotto/governance';
import { base, reserveEntry, runId, SyntheticRun } from './synthetic-run.ts';

const run = new SyntheticRun().start().play();
const leaves = [run.coordinator, ...run.clients.values()].flatMap(({ log }) => log.entries());
const byKind = new Map(leaves.map((leaf) => [decodeEntry(leaf).kind, leaf]));

describe('leaves', () => {
  test('every kind is in the synthetic run and round-trips to the same bytes', () => {
    expect([...byKind.keys()].toSorted()).toEqual(
      ['abort', 'account', 'complete', 'contribute', 'enrol', 'observe', 'plan', 'publish', 'release', 'reserve'].toSorted(),
    );
    for (const leaf of leaves) expect(encodeEntry(decodeEntry(leaf))).toEqual(leaf);
  });

  test('no two byte strings are one entry: each changed byte is refused or changes the meaning', () => {
    for (const [kind, leaf] of byKind) {
      const original = decodeEntry(leaf);
      for (let i = 0; i < leaf.length; i += kind === 'publish' ? 7 : 1) {
        for (const mask of [1, 0x20]) {
          const changed = leaf.slice();
          changed[i]! ^= mask;
          let decoded: LedgerEntry;
          try {
            decoded = decodeEntry(changed);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid-encoding' });
            continue;
          }
          expect(decoded, `${kind} byte ${i}`).not.toEqual(original);
        }
      }
    }
  });

  test('unknown and missing members, kinds and versions are refused by name', () => {
    for (const leaf of byKind.values()) {
      const json = JSON.parse(fromUtf8(leaf)) as Record<string, Json>;
      const refused = (value: Json, reason: RegExp): void => {
        expect(() => decodeEntry(utf8(canonicalJson(value)))).toThrow(reason);
      };
      refused({ ...json, surprise: 1 }, /surprise is not a member/);
      refused({ ...json, version: 2 }, /version is 2; this build reads version 1/);
      refused({ ...json, kind: 'grant' }, /kind is "grant"; it must be one of/);
      for (const key of Object.keys(json)) {
        const { [key]: _, ...rest } = json;
        if (key !== 'document') refused(rest, new RegExp(key));
      }
    }
  });

  test('white space, other orders and trailing bytes are refused', () => {
    const leaf = fromUtf8(byKind.get('reserve')!);
    expect(() => decodeEntry(utf8(`${leaf}\n`))).toThrow(/not canonical/);
    expect(() => decodeEntry(utf8(leaf.replace(',', ', ')))).toThrow(/not canonical/);
    expect(() => decodeEntry(utf8('[]'))).toThrow(/kind/);
    expect(() => decodeEntry(utf8('nothing'))).toThrow(/not JSON/);
    expect(() => decodeEntry(Uint8Array.of(0xff))).toThrow(/UTF-8/);
  });

  test('a member out of range is refused with its path', () => {
    const entry = reserveEntry('alpha', 1) as LedgerEntry & { kind: 'reserve' };
    const refused = (change: object, reason: RegExp): void => {
      expect(() => validateEntry({ ...entry, ...change })).toThrow(reason);
    };
    refused({ round: 0 }, /round is 0/);
    refused({ planHash: 'AB'.repeat(32) }, /planHash/);
    refused({ account: 'No Account' }, /account/);
    refused({ mechanism: 'a\nb' }, /mechanism/);
    refused({ mechanism: '\ud800' }, /mechanism/);
    refused({ timeMs: -1 }, /timeMs/);
    refused({ timeMs: 1e20 }, /timeMs/);
    refused({ event: { type: 'gaussian', noiseMultiplier: -1 } }, /noiseMultiplier/);
    const observe = { ...base('observe'), runId, outcome: 'seen', round: 1, checkpoint: 'x' };
    expect(() => validateEntry(observe)).toThrow(/round must be given/);
  });

  test('ids out of order or twice are refused', () => {
    const abort = { ...base('abort'), runId, round: 1, attempt: 1, stage: 'share', reason: 'late' };
    expect(() => validateEntry({ ...abort, spent: ['beta', 'alpha'] })).toThrow(/out of order/);
    expect(() => validateEntry({ ...abort, spent: ['beta', 'beta'] })).toThrow(/out of order/);
    expect(validateEntry({ ...abort, spent: ['a-1', 'a.1', 'a1', 'a_1'] })).toMatchObject({ kind: 'abort' });
  });

  test('an entry is at most 65,535 bytes', () => {
    const document = { filler: 'x'.repeat(70_000) };
    const plan = run.coordinator.entry(5);
    expect(() => encodeEntry({ ...plan, document } as LedgerEntry)).toThrow(/65535: refer to long things by their hash/);
  });

  test('events survive as they are, with infinity', () => {
    const entry = { ...reserveEntry('alpha', 1), event: { type: 'gaussian', noiseMultiplier: Infinity } } as LedgerEntry;
    const leaf = encodeEntry(entry);
    expect(fromUtf8(leaf)).toContain('"noiseMultiplier":"Infinity"');
    expect(decodeEntry(leaf)).toEqual(entry);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, noNaN: true }),
        (sampleRate, noiseMultiplier) => {
          const sampled = { type: 'poissonSampled', sampleRate, event: { type: 'gaussian', noiseMultiplier } } as const;
          const decoded = decodeEntry(encodeEntry({ ...entry, event: sampled } as LedgerEntry));
          expect(decoded).toMatchObject({ event: sampled });
        },
      ),
      { seed: 4 },
    );
  });

  test('evidence on the wire round-trips', () => {
    const publish = decodeEntry(byKind.get('publish')!);
    if (publish.kind !== 'publish') throw new Error('not a publish entry');
    for (const { evidence } of publish.survivors) expect(parseEvidence(encodeEvidence(evidence))).toEqual(evidence);
    expect(() => parseEvidence(utf8('{}'))).toThrow(expect.objectContaining({ code: 'invalid-encoding' }));
  });
});
