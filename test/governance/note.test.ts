import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromBase64, fromUtf8, toBase64, utf8 } from '@sotto/core/bytes';
import { nobleCrypto as crypto } from '@sotto/core/crypto-noble';
import {
  decodeCheckpoint,
  decodeVerifierKey,
  encodeCheckpoint,
  encodeVerifierKey,
  logOrigin,
  noteKeyId,
  openCheckpoint,
  openNote,
  parseNote,
  signCheckpoint,
  signNote,
  TransparencyLog,
} from '@sotto/governance';
import golden from './golden/transparency-log.json' with { type: 'json' };

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const verifier = (name: string, byte: number) => ({ name, publicKey: crypto.ed25519PublicKey(seed(byte)) });

describe('signed notes', () => {
  const alice = { name: 'alice.example', seed: seed(1) };
  const bob = { name: 'bob.example', seed: seed(2) };
  const knowsAlice = verifier('alice.example', 1);
  const knowsBob = verifier('bob.example', 2);

  test('the published example verifies, and its key round-trips', () => {
    const { vkey, text, signature } = golden.signedNote;
    const key = decodeVerifierKey(crypto, vkey);
    expect(key.name).toBe('example.com/foo');
    expect(encodeVerifierKey(crypto, key)).toBe(vkey);
    const note = utf8(`${text}\n— example.com/foo ${signature}\n`);
    expect(openNote(crypto, note, [key])).toEqual({ text, signedBy: [key], unknown: [] });
  });

  test('each signer has a line, in order; unknown keys are ignored', () => {
    const note = signNote(crypto, 'hello\n', [alice, bob]);
    expect(openNote(crypto, note, [knowsBob]).signedBy).toEqual([knowsBob]);
    expect(openNote(crypto, note, [knowsBob]).unknown.map(({ name }) => name)).toEqual(['alice.example']);
    expect(openNote(crypto, note, [knowsBob, knowsAlice]).signedBy).toEqual([knowsAlice, knowsBob]);
    expect(() => openNote(crypto, note, [verifier('carol.example', 3)])).toThrow(/not signed by carol.example/);
    // The same name under another key is another key.
    expect(() => openNote(crypto, note, [verifier('alice.example', 3)])).toThrow(/not signed/);
  });

  test('a known key that fails rejects the note, even beside one that verifies', () => {
    const note = fromUtf8(signNote(crypto, 'hello\n', [alice]));
    const id = noteKeyId(crypto, knowsBob);
    const forged = `${note}— bob.example ${toBase64(concat(id, new Uint8Array(64)))}\n`;
    expect(openNote(crypto, utf8(forged), [knowsAlice]).signedBy).toEqual([knowsAlice]);
    expect(() => openNote(crypto, utf8(forged), [knowsAlice, knowsBob])).toThrow(/by bob.example does not verify/);
  });

  test('the text ends at the last blank line', () => {
    const text = 'one\n\n— two three\n\nfour\n';
    const note = signNote(crypto, text, [alice]);
    expect(openNote(crypto, note, [knowsAlice]).text).toBe(text);
  });

  test('every change of a byte is noticed', () => {
    const note = signNote(crypto, 'The size is 15.\n\nSo be it.\n', [alice]);
    for (let i = 0; i < note.length; i++) {
      for (const mask of [1, 0x20, 0x80]) {
        const changed = note.slice();
        changed[i]! ^= mask;
        expect(() => openNote(crypto, changed, [knowsAlice]), `byte ${i} ^ ${mask}`).toThrow();
      }
    }
    expect(() => openNote(crypto, note.subarray(0, -1), [knowsAlice])).toThrow();
    expect(() => openNote(crypto, concat(note, utf8('\n')), [knowsAlice])).toThrow();
  });

  test.each([
    ['no blank line', 'text\n— alice.example AAAAAAA=\n'],
    ['no signature', 'text\n\n'],
    ['text without newline', '\n\n— alice.example AAAAAAA='],
    ['hyphen for dash', 'text\n\n- alice.example AAAAAAA=\n'],
    ['two spaces', 'text\n\n—  alice.example AAAAAAA=\n'],
    ['trailing space', 'text\n\n— alice.example AAAAAAA= \n'],
    ['name with plus', 'text\n\n— ali+ce AAAAAAA=\n'],
    ['unpadded base64', 'text\n\n— alice.example AAAAAAA\n'],
    ['key id alone', 'text\n\n— alice.example AAAAAA==\n'],
    ['spare bits in base64', 'text\n\n— alice.example AAAAAAB=\n'],
    ['carriage return', 'text\r\n\n— alice.example AAAAAAA=\n'],
    ['tab in the text', 'te\txt\n\n— alice.example AAAAAAA=\n'],
    ['101 signatures', `text\n\n${'— alice.example AAAAAAA=\n'.repeat(101)}`],
  ])('malformed: %s', (_, text) => {
    expect(() => parseNote(utf8(text))).toThrow(expect.objectContaining({ code: 'invalid-encoding' }));
  });

  test('invalid UTF-8 and absurd sizes are refused', () => {
    expect(() => parseNote(concat(utf8('text\xff\n\n'), Uint8Array.of(0xff)))).toThrow(/UTF-8/);
    expect(() => parseNote(new Uint8Array(1_000_001))).toThrow(/longer than/);
  });

  test('what cannot be a note is not signed', () => {
    expect(() => signNote(crypto, 'no newline', [alice])).toThrow(/newline/);
    expect(() => signNote(crypto, 'a\u0000b\n', [alice])).toThrow(/control/);
    expect(() => signNote(crypto, 'a\n', [{ ...alice, name: 'a b' }])).toThrow(/key name/);
  });

  test('verifier keys: strict', () => {
    const key = encodeVerifierKey(crypto, knowsAlice);
    expect(decodeVerifierKey(crypto, key)).toEqual(knowsAlice);
    expect(() => decodeVerifierKey(crypto, key.replace('alice', 'alicf'))).toThrow(/key id/);
    expect(() => decodeVerifierKey(crypto, 'alice')).toThrow(/name\+id\+key/);
    expect(() => decodeVerifierKey(crypto, `a+00000000+${toBase64(new Uint8Array(33).fill(2))}`)).toThrow(/type 1/);
  });

  test('arbitrary texts round-trip', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (body) => {
        const text = `${body.replaceAll(/[\u0000-\u001f]/g, '\n')}\n`;
        return openNote(crypto, signNote(crypto, text, [alice]), [knowsAlice]).text === text;
      }),
      { seed: 2, numRuns: 30 },
    );
  });
});

describe('checkpoints', () => {
  test('the public test log of Tessera, byte for byte', () => {
    const { signerKey, leaves, size, root, signatureLine } = golden.checkpoint;
    const [, , origin = '', , key = ''] = signerKey.split('+');
    const log = new TransparencyLog(crypto, origin, leaves.map(utf8));
    expect(log.size).toBe(size);
    expect(toBase64(log.root())).toBe(root);
    const secret = fromBase64(signerKey.slice(signerKey.indexOf(key))).slice(1);
    const note = log.checkpoint(crypto, secret);
    expect(fromUtf8(note)).toBe(`${origin}\n${size}\n${root}\n\n${signatureLine}\n`);
    const publicKey = crypto.ed25519PublicKey(secret);
    expect(openCheckpoint(crypto, note, { origin, publicKey })).toEqual(log.state());
  });

  test('a checkpoint of another log under the same key is refused', () => {
    const root = seed(9);
    const note = signCheckpoint(crypto, { origin: 'a.example/x', size: 3, root }, seed(1));
    const publicKey = crypto.ed25519PublicKey(seed(1));
    expect(openCheckpoint(crypto, note, { origin: 'a.example/x', publicKey }).size).toBe(3);
    expect(() => openCheckpoint(crypto, note, { origin: 'a.example/y', publicKey })).toThrow(/not signed by/);
    // Signed under the expected name, but with the text of another origin.
    const text = encodeCheckpoint({ origin: 'a.example/y', size: 3, root });
    const crossed = signNote(crypto, text, [{ name: 'a.example/x', seed: seed(1) }]);
    expect(() => openCheckpoint(crypto, crossed, { origin: 'a.example/x', publicKey })).toThrow(/of the log a.example\/y/);
  });

  const root = toBase64(seed(9));
  test.each([
    ['leading zero', `o\n07\n${root}\n`],
    ['sign', `o\n+7\n${root}\n`],
    ['fraction', `o\n7.0\n${root}\n`],
    ['beyond 2^53', `o\n9007199254740992\n${root}\n`],
    ['empty origin', `\n7\n${root}\n`],
    ['short root', `o\n7\n${toBase64(new Uint8Array(31))}\n`],
    ['extension line', `o\n7\n${root}\nmore\n`],
    ['no last newline', `o\n7\n${root}`],
  ])('malformed: %s', (_, text) => {
    expect(() => decodeCheckpoint(text)).toThrow(expect.objectContaining({ code: 'invalid-encoding' }));
  });

  test('origins are trust domain and party', () => {
    expect(logOrigin('hearts.example', 'cleveland')).toBe('hearts.example/cleveland');
    expect(() => logOrigin('hearts example', 'a')).toThrow(/no space/);
    expect(() => logOrigin('hearts.example', '../a')).toThrow(/party/);
  });
});
