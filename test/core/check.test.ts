import { describe, expect, it } from 'vitest';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';

const refused: readonly [string, () => unknown, RegExp][] = [
  ['finite', () => check.finite('x', Number.NaN), /^x is NaN; it must be a finite number$/],
  ['finite text', () => check.finite('x', '1'), /x is "1"/],
  ['positive', () => check.positive('clipNorm', 0), /clipNorm is 0; it must be a number greater than 0/],
  ['positive ∞', () => check.positive('clipNorm', Infinity), /Infinity/],
  ['nonNegative', () => check.nonNegative('x', -1e-300), /at least 0/],
  ['nonNegative NaN', () => check.nonNegative('x', Number.NaN), /at least 0/],
  ['probability', () => check.probability('q', 1.0000001), /from 0 to 1/],
  ['probability NaN', () => check.probability('q', Number.NaN), /from 0 to 1/],
  ['openProbability 0', () => check.openProbability('delta', 0), /ends excluded/],
  ['openProbability 1', () => check.openProbability('delta', 1), /ends excluded/],
  ['flag', () => check.flag('warmUp', 'no'), /^warmUp is "no"; it must be true or false$/],
  ['integer fraction', () => check.integer('n', 1.5, 0), /an integer of at least 0/],
  ['integer range', () => check.integer('n', 11, 0, 10), /from 0 to 10/],
  ['integer -0', () => check.integer('n', -0, 0), /-0/],
  ['bytes', () => check.bytes('key', 'abc', 32), /32 bytes/],
  ['bytes length', () => check.bytes('key', new Uint8Array(31), 32), /key is 31 bytes; it must be 32 bytes/],
  ['text control', () => check.text('name', 'a\nb'), /control characters/],
  ['text empty', () => check.text('name', ''), /1 to 1024/],
  ['text surrogate', () => check.text('name', '\ud800'), /Unicode/],
  ['oneOf', () => check.oneOf('role', 'boss', ['client', 'coordinator']), /one of client, coordinator/],
  ['partyId', () => check.partyId('id', '../x'), /beginning with a letter or digit/],
];

describe('border checks', () => {
  it.each(refused)('%s names the argument, the value and the limit', (_, call, message) => {
    expect(call).toThrow(message);
    try {
      call();
    } catch (reason) {
      expect((reason as SottoError).code).toBe('invalid-argument');
    }
  });

  it('returns what is in range', () => {
    expect(check.finite('x', -1)).toBe(-1);
    expect(check.positive('x', 5e-324)).toBe(5e-324);
    expect(check.probability('q', 0)).toBe(0);
    expect(check.integer('n', 3, 3, 3)).toBe(3);
    expect(check.partyId('id', 'long-beach')).toBe('long-beach');
  });

  it('never shows the content of bytes', () => {
    expect(check.show(Uint8Array.of(1, 2, 3))).toBe('3 bytes');
  });
});

describe('SottoError', () => {
  it('wraps foreign errors once and keeps its own', () => {
    const own = new SottoError('conflict', 'twice');
    expect(SottoError.from(own)).toBe(own);
    const cause = new TypeError('boom');
    const wrapped = SottoError.from(cause, 'unavailable');
    expect([wrapped.code, wrapped.message, wrapped.cause]).toEqual(['unavailable', 'boom', cause]);
    expect(SottoError.from('text').message).toBe('text');
  });
});
