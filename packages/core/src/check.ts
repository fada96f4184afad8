/**
 * Border checks: each returns the value it was given, or throws `invalid-argument` with the argument's name, the value
 * and the limit.
 *
 * @module
 */
import { SottoError } from './errors.ts';

function fail(name: string, value: unknown, want: string): never {
  throw new SottoError('invalid-argument', `${name} is ${show(value)}; it must be ${want}`);
}

/** A short, safe rendering of a value for error messages. Bytes are shown by length only: they may be secret. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** A finite number. */
export function finite(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(name, value, 'a finite number');
  return value;
}

/** A finite number greater than zero. */
export function positive(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) fail(name, value, 'a number greater than 0');
  return value;
}

/** A finite number of at least zero. */
export function nonNegative(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) fail(name, value, 'a number of at least 0');
  return value;
}

/** A number in [0, 1]. */
export function probability(name: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) fail(name, value, 'a number from 0 to 1');
  return value;
}

/** A number in (0, 1), both ends excluded. */
export function openProbability(name: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value < 1)) fail(name, value, 'a number between 0 and 1, ends excluded');
  return value;
}

/** True or false. */
export function flag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') fail(name, value, 'true or false');
  return value;
}

/** A safe integer in [min, max]. */
export function integer(name: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max || Object.is(value, -0)) {
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    fail(name, value, `an integer ${range}`);
  }
  return value;
}

/** Bytes, of an exact length where one is given. */
export function bytes(name: string, value: unknown, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) fail(name, value, length === undefined ? 'bytes' : `${length} bytes`);
  if (length !== undefined && value.length !== length) fail(name, value, `${length} bytes`);
  return value;
}

/** A string of 1 to `maxLength` UTF-16 units without control characters. */
export function text(name: string, value: unknown, maxLength: number = 1024): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength) {
    fail(name, value, `a text of 1 to ${maxLength} characters`);
  }
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) fail(name, value, 'a text without control characters');
  }
  if (!value.isWellFormed()) fail(name, value, 'well-formed Unicode');
  return value;
}

/** One of a closed list of strings. */
export function oneOf<const T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  for (const choice of allowed) if (choice === value) return choice;
  return fail(name, value, `one of ${allowed.join(', ')}`);
}

/** Whether a value is an id as {@link partyId} takes it. */
export function isPartyId(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z0-9][a-z0-9._-]{0,63}$/.test(value);
}

/** Party ids: 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit. They end up in file names and SPIFFE URIs. */
export function partyId(name: string, value: unknown): string {
  if (!isPartyId(value)) {
    fail(name, value, '1 to 64 of a-z, 0-9, ".", "_", "-", beginning with a letter or digit');
  }
  return value;
}
