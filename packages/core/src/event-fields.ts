/**
 * The kinds of parameters that events have: how each is checked, written as JSON and described in the schema. The table
 * of events is made of them, so that validation, codec and schema cannot disagree.
 *
 * @module
 */
import { finite, integer, show } from './check.ts';
import { SottoError } from './errors.ts';
import type { DpEvent } from './event.ts';
import { type Json, numberToJson } from './json.ts';

/** Deepest nesting of an event. */
export const maxEventDepth = 32;
/** Most parts of an event, itself included. */
export const maxEventNodes = 100_000;
/** Longest list of numbers in an event. */
export const maxListLength = 1_000_000;

/** The running size of the event that is checked. */
export interface EventWalk {
  nodes: number;
}

/** Checks a nested event. */
export type WalkEvent = (value: unknown, path: string, depth: number, walk: EventWalk, mode: 'memory' | 'json') => DpEvent;

/** One kind of parameter. */
export type Field =
  | { readonly kind: 'real'; readonly min: number; readonly max: number; readonly open: 'none' | 'min' | 'both' }
  | { readonly kind: 'integer'; readonly min: number; readonly infinite: boolean }
  | { readonly kind: 'reals'; readonly min: number; readonly max: number }
  | { readonly kind: 'integers'; readonly min: number }
  | { readonly kind: 'event' }
  | { readonly kind: 'events' }
  | { readonly kind: 'choice'; readonly choices: Readonly<Record<string, EventRule>> };

/** The parameters of one event type, and what must hold between them. */
export interface EventRule {
  readonly summary: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Returns what is wrong between the parameters, or nothing. */
  readonly check?: (fields: Readonly<Record<string, never>>) => string | undefined;
}

/** A real number in [min, max]; `max` +∞ admits +∞ itself. `open` excludes the end or ends. */
export function real(min: number, max: number, open: 'none' | 'min' | 'both' = 'none'): Field {
  return { kind: 'real', min, max, open };
}
/** A safe integer of at least `min`; `infinite` admits +∞. */
export function count(min: number, infinite: boolean = false): Field {
  return { kind: 'integer', min, infinite };
}

function bad(path: string, value: unknown, want: string): never {
  throw new SottoError('invalid-argument', `${path} is ${show(value)}; it must be ${want}`);
}

function realRange(field: { readonly min: number; readonly max: number; readonly open: string }): string {
  const low = field.open === 'none' ? `at least ${field.min}` : `greater than ${field.min}`;
  if (field.max === Infinity) return `a number ${low} (JSON: "Infinity" for +∞)`;
  return `a number ${low} and ${field.open === 'both' ? 'less than' : 'at most'} ${field.max}`;
}

function decodeReal(field: Field & { kind: 'real' }, raw: unknown, path: string, mode: 'memory' | 'json'): number {
  const value = mode === 'json' && raw === 'Infinity' ? Infinity : raw;
  const inside =
    typeof value === 'number' &&
    (field.open === 'none' ? value >= field.min : value > field.min) &&
    (field.open === 'both' ? value < field.max : value <= field.max) &&
    !(mode === 'json' && raw === Infinity);
  if (!inside) return bad(path, raw, realRange(field));
  return value === 0 ? 0 : value;
}

function decodeList(raw: unknown, path: string, decode: (item: unknown, path: string) => number): readonly number[] {
  if (!Array.isArray(raw) || raw.length === 0) return bad(path, raw, 'a list of at least one number');
  if (raw.length > maxListLength) return bad(path, raw, `a list of at most ${maxListLength} numbers`);
  return Object.freeze(raw.map((item: unknown, i) => decode(item, `${path}[${i}]`)));
}

function decodeField(
  field: Field,
  raw: unknown,
  path: string,
  depth: number,
  walk: EventWalk,
  mode: 'memory' | 'json',
  walkEvent: WalkEvent,
): unknown {
  switch (field.kind) {
    case 'real':
      return decodeReal(field, raw, path, mode);
    case 'integer': {
      if (field.infinite && raw === (mode === 'json' ? 'Infinity' : Infinity)) return Infinity;
      return integer(path, raw, field.min);
    }
    case 'reals':
      return decodeList(raw, path, (item, itemPath) => {
        const value = finite(itemPath, item);
        if (value < field.min || value > field.max) bad(itemPath, value, `from ${field.min} to ${field.max}`);
        return value;
      });
    case 'integers':
      return decodeList(raw, path, (item, itemPath) => integer(itemPath, item, field.min));
    case 'event':
      return walkEvent(raw, path, depth + 1, walk, mode);
    case 'events': {
      if (!Array.isArray(raw)) return bad(path, raw, 'a list of events');
      if (raw.length > maxEventNodes) {
        return bad(path, raw, `at most ${maxEventNodes} events; write repeated ones as selfComposed with a count`);
      }
      return Object.freeze(raw.map((item: unknown, i) => walkEvent(item, `${path}[${i}]`, depth + 1, walk, mode)));
    }
    case 'choice': {
      const object = typeof raw === 'object' && raw !== null ? (raw as Readonly<Record<string, unknown>>) : {};
      const type = object['type'];
      if (typeof type !== 'string' || !Object.hasOwn(field.choices, type)) {
        return bad(`${path}.type`, type, `one of ${Object.keys(field.choices).join(', ')}`);
      }
      const rule = field.choices[type]!;
      return Object.freeze({ type, ...decodeFields(rule, object, path, depth, walk, mode, walkEvent) });
    }
  }
}

/** Checks the members of an event (or of a tagged choice within one) against its rule; returns fresh values. */
export function decodeFields(
  rule: EventRule,
  object: Readonly<Record<string, unknown>>,
  path: string,
  depth: number,
  walk: EventWalk,
  mode: 'memory' | 'json',
  walkEvent: WalkEvent,
): Record<string, unknown> {
  for (const key of Object.keys(object)) {
    if (key !== 'type' && !Object.hasOwn(rule.fields, key)) {
      const known = Object.keys(rule.fields).join(', ') || 'none';
      throw new SottoError('invalid-argument', `${path}.${key} is not a parameter of this event; its parameters: ${known}`);
    }
  }
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(rule.fields)) {
    out[name] = decodeField(field, object[name], `${path}.${name}`, depth, walk, mode, walkEvent);
  }
  const wrong = rule.check?.(out as Readonly<Record<string, never>>);
  if (wrong !== undefined) throw new SottoError('invalid-argument', `${path}: ${wrong}`);
  return out;
}

/** Writes the members of a valid event as JSON. */
export function encodeFields(
  rule: EventRule,
  object: Readonly<Record<string, unknown>>,
  encodeEvent: (event: DpEvent) => Json,
): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [name, field] of Object.entries(rule.fields)) {
    const value = object[name];
    switch (field.kind) {
      case 'real':
      case 'integer':
        out[name] = numberToJson(value as number);
        break;
      case 'reals':
      case 'integers':
        out[name] = [...(value as readonly number[])];
        break;
      case 'event':
        out[name] = encodeEvent(value as DpEvent);
        break;
      case 'events':
        out[name] = (value as readonly DpEvent[]).map(encodeEvent);
        break;
      case 'choice': {
        const inner = value as Readonly<Record<string, unknown>> & { readonly type: string };
        out[name] = { type: inner.type, ...encodeFields(field.choices[inner.type]!, inner, encodeEvent) };
        break;
      }
    }
  }
  return out;
}
