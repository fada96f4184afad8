/**
 * Small decoders from which the codec of entries is put together. Each takes a foreign value and its path, and returns a
 * fresh checked value or throws `invalid-argument` that names the path.
 *
 * @module
 */
import { compareIds, fromBase64 } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { canonicalJson, type Json } from '@sotto/core/json';

/** Checks one value. */
export type Decode<T> = (value: unknown, path: string) => T;

/** A well-formed text without control characters. */
export function text(maxLength: number): Decode<string> {
  return (value, path) => check.text(path, value, maxLength);
}

/** A signed note: a text in which line ends stand. */
export const noteText: Decode<string> = (value, path) => {
  if (typeof value !== 'string' || value.length === 0 || value.length > 4096 || !value.isWellFormed()) {
    throw new SottoError(
      'invalid-argument',
      `${path} is ${check.show(value)}; it must be a signed note of at most 4096 characters`,
    );
  }
  return value;
};

/** One of a closed set of texts. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Decode<T> {
  return (value, path) => check.oneOf(path, value, allowed);
}

/** A safe integer in a range. */
export function integer(min: number, max?: number): Decode<number> {
  return (value, path) => check.integer(path, value, min, max);
}

/** A finite number greater than zero. */
export const positive: Decode<number> = (value, path) => check.positive(path, value);

/** A number in (0, 1). */
export const openProbability: Decode<number> = (value, path) => check.openProbability(path, value);

/** A number in [0, 1]; −0 is refused since JSON cannot hold it. */
export const probability: Decode<number> = (value, path) => {
  if (Object.is(value, -0)) throw new SottoError('invalid-argument', `${path} is -0; write 0`);
  return check.probability(path, value);
};

/** A party id. */
export const partyId: Decode<string> = (value, path) => check.partyId(path, value);

/** A SHA-256 in lower-case hexadecimal. */
export const hash: Decode<string> = (value, path) => {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) {
    throw new SottoError('invalid-argument', `${path} is ${check.show(value)}; it must be 64 lower-case hexadecimal digits`);
  }
  return value;
};

/** Canonical base64 of `length` bytes, or of any number up to `maxLength`. */
export function base64(limits: { readonly length: number } | { readonly maxLength: number }): Decode<string> {
  return (value, path) => {
    if (typeof value !== 'string') throw new SottoError('invalid-argument', `${path} is ${check.show(value)}; it must be base64`);
    const { length } = fromBase64(value);
    if ('length' in limits ? length !== limits.length : length > limits.maxLength) {
      const want = 'length' in limits ? `${limits.length} bytes` : `at most ${limits.maxLength} bytes`;
      throw new SottoError('invalid-argument', `${path} is base64 of ${length} bytes; it must be ${want}`);
    }
    return value;
  };
}

/** A list of at most `maxLength` items. */
export function list<T>(item: Decode<T>, maxLength: number): Decode<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > maxLength) {
      throw new SottoError(
        'invalid-argument',
        `${path} is ${check.show(value)}; it must be a list of at most ${maxLength} items`,
      );
    }
    return value.map((member: unknown, i) => item(member, `${path}[${i}]`));
  };
}

/** A list in strictly rising order of an id. */
export function sortedBy<T>(item: Decode<T>, id: (member: T) => string, maxLength: number): Decode<readonly T[]> {
  const decode = list(item, maxLength);
  return (value, path) => {
    const members = decode(value, path);
    for (let i = 1; i < members.length; i++) {
      if (compareIds(id(members[i - 1]!), id(members[i]!)) >= 0) {
        throw new SottoError('invalid-argument', `${path}[${i}] is out of order; ids must be distinct and rise by their bytes`);
      }
    }
    return members;
  };
}

/** An object with exactly these members, of which those named in `optional` may be absent. */
export function object<T extends object>(
  shape: { readonly [K in keyof T]-?: Decode<NonNullable<T[K]>> },
  optional: readonly (keyof T & string)[] = [],
): Decode<T> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SottoError('invalid-argument', `${path} is ${check.show(value)}; it must be an object`);
    }
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(shape, key))
        throw new SottoError('invalid-argument', `${path}.${key} is not a member of version 1 of this entry`);
    }
    const out: Record<string, unknown> = {};
    for (const [key, decode] of Object.entries(shape) as [string, Decode<unknown>][]) {
      const member = (value as Readonly<Record<string, unknown>>)[key];
      if (member === undefined && (optional as readonly string[]).includes(key)) continue;
      out[key] = decode(member, `${path}.${key}`);
    }
    return out as T;
  };
}

/** Any JSON value that has a canonical text. */
export const json: Decode<NonNullable<Json>> = (value, path) => {
  if (value === undefined || value === null) throw new SottoError('invalid-argument', `${path} is missing`);
  return JSON.parse(canonicalJson(value as Json)) as NonNullable<Json>;
};
