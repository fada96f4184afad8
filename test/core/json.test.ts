import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, numberFromJson, numberToJson, parseCanonicalJson, type Json } from '@sotto/core/json';

describe('canonical JSON (RFC 8785)', () => {
  it('reproduces the examples of the RFC', () => {
    // §3.2.2 and §3.2.3: numbers, escapes and the order of keys by UTF-16 units.
    const numbers = [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001];
    expect(canonicalJson({ numbers, literals: [null, true, false] })).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
    );
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const sorted = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(keys.map((key) => [key, 1])))) as object);
    expect(sorted).toEqual(['1', '\r', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']);
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/')).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
  });

  it('has one text per value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value as Json);
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
        expect(canonicalJson(parseCanonicalJson(text, 'value'))).toBe(text);
      }),
    );
    for (const bad of ['{"b":1,"a":2}', '[1, 2]', '1.0', '"\\u0041"', '{"a":1,"a":1}', '01', '-0', '{']) {
      expect(() => parseCanonicalJson(bad, 'entry'), bad).toThrow(/entry is not/);
    }
  });

  it('refuses what JSON cannot hold', () => {
    expect(() => canonicalJson(Number.NaN)).toThrow(/NaN or infinite/);
    expect(() => canonicalJson([Infinity])).toThrow(/"Infinity"/);
    expect(() => canonicalJson('\ud800')).toThrow(/lone surrogate/);
    expect(() => canonicalJson({ a: undefined } as unknown as Json)).toThrow(/"a" is undefined/);
    expect(() => canonicalJson(1n as unknown as Json)).toThrow(/bigint/);
  });

  it('writes +∞ as a string', () => {
    expect(numberToJson(Infinity)).toBe('Infinity');
    expect(numberFromJson('Infinity', 'epsilon')).toBe(Infinity);
    expect(numberFromJson(1.5, 'epsilon')).toBe(1.5);
    expect(() => numberToJson(Number.NaN)).toThrow();
    expect(() => numberFromJson('infinity', 'epsilon')).toThrow(/epsilon is neither/);
  });
});
