import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as bytes from '@sotto/core/bytes';

describe('text and bytes', () => {
  it('agrees with the platform on UTF-8 in both directions', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        if (!text.isWellFormed()) {
          expect(() => bytes.utf8(text)).toThrow(/lone surrogate/);
          return;
        }
        expect([...bytes.utf8(text)]).toEqual([...new TextEncoder().encode(text)]);
        expect(bytes.fromUtf8(bytes.utf8(text))).toBe(text);
      }),
    );
  });

  it('refuses exactly the byte strings that a strict decoder refuses', () => {
    const oracle = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (data) => {
        let expected: string | undefined;
        try {
          expected = oracle.decode(data);
        } catch {
          expected = undefined;
        }
        if (expected === undefined) expect(() => bytes.fromUtf8(data)).toThrow(/not UTF-8/);
        else expect(bytes.fromUtf8(data)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
    for (const bad of [
      [0xc0, 0x80],
      [0xe0, 0x80, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
    ]) {
      expect(() => bytes.fromUtf8(Uint8Array.from(bad))).toThrow(/not UTF-8/);
    }
  });

  it('has one base64 text per byte string', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (data) => {
        expect(bytes.toBase64(data)).toBe(Buffer.from(data).toString('base64'));
        expect([...bytes.fromBase64(bytes.toBase64(data))]).toEqual([...data]);
      }),
    );
    for (const bad of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'AA=A', 'AA==AA==', 'A-A=', 'AAA=\n', ' AAA']) {
      expect(() => bytes.fromBase64(bad), bad).toThrow(/base64/);
    }
  });

  it('round-trips hexadecimal and refuses upper case', () => {
    expect(bytes.toHex(bytes.fromHex('00ff10'))).toBe('00ff10');
    expect(() => bytes.fromHex('0F')).toThrow(/hexadecimal/);
    expect(() => bytes.fromHex('0')).toThrow(/hexadecimal/);
  });

  it('orders ids by their UTF-8 bytes, not by UTF-16 units', () => {
    const astral = '\u{10000}';
    const high = '\uffff';
    expect(astral < high).toBe(true);
    expect(bytes.compareIds(astral, high)).toBeGreaterThan(0);
    expect(bytes.compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
  });

  it('compares and wipes', () => {
    const secret = Uint8Array.of(1, 2, 3);
    expect(bytes.equalBytes(secret, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(bytes.equalBytes(secret, Uint8Array.of(1, 2, 4))).toBe(false);
    expect(bytes.equalBytes(secret, Uint8Array.of(1, 2))).toBe(false);
    bytes.wipe(secret, undefined);
    expect([...secret]).toEqual([0, 0, 0]);
  });
});
