/**
 * Canonical JSON (RFC 8785, JCS): the form in which plans, events and ledger entries are hashed. Numbers that may be +∞
 * are written as the string `"Infinity"`, since JSON has no infinity.
 *
 * @module
 */
import { utf8 } from './bytes.ts';
import { SottoError } from './errors.ts';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The RFC 8785 text of a value: keys sorted by UTF-16 units, ECMAScript numbers, no white space. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw notJson('a number is NaN or infinite; write +∞ as the string "Infinity"');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw notJson('a string holds a lone surrogate');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const object = value as { readonly [key: string]: Json | undefined };
    const members = Object.keys(object)
      .sort((a, b) => (a < b ? -1 : 1))
      .map((key) => {
        const member = object[key];
        if (member === undefined) throw notJson(`the value of ${JSON.stringify(key)} is undefined`);
        return `${canonicalJson(key)}:${canonicalJson(member)}`;
      });
    return `{${members.join(',')}}`;
  }
  throw notJson(`a ${typeof value} has no JSON form`);
}

/** UTF-8 of {@link canonicalJson}. */
export function canonicalJsonBytes(value: Json): Uint8Array {
  return utf8(canonicalJson(value));
}

/** Parses text that must be canonical already, so that each value has one accepted text. */
export function parseCanonicalJson(text: string, what: string): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new SottoError('invalid-encoding', `${what} is not JSON`, { cause });
  }
  if (canonicalJson(value) !== text) throw new SottoError('invalid-encoding', `${what} is not canonical JSON (RFC 8785)`);
  return value;
}

/** A number as it stands in our JSON: itself, or `"Infinity"`. */
export function numberToJson(value: number): number | 'Infinity' {
  if (value === Infinity) return 'Infinity';
  if (!Number.isFinite(value)) throw notJson('a number is NaN or -∞');
  return value;
}

/** The inverse of {@link numberToJson}. */
export function numberFromJson(value: unknown, what: string): number {
  if (value === 'Infinity') return Infinity;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new SottoError('invalid-encoding', `${what} is neither a number nor "Infinity"`);
  }
  return value;
}

function notJson(reason: string): SottoError {
  return new SottoError('invalid-argument', `value has no canonical JSON: ${reason}`);
}
