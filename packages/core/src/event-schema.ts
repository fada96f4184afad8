/**
 * The published JSON Schema (2020-12) of encoded events, derived from the same table as the codec.
 *
 * @module
 */
import { eventVersion } from './event.ts';
import { type EventRule, type Field, maxEventNodes, maxListLength } from './event-fields.ts';
import { eventTable } from './event-table.ts';
import type { Json } from './json.ts';

type JsonObject = { readonly [key: string]: Json };

function fieldSchema(field: Field): Json {
  switch (field.kind) {
    case 'real': {
      const low: JsonObject = field.open === 'none' ? { minimum: field.min } : { exclusiveMinimum: field.min };
      if (field.max === Infinity) return { anyOf: [{ type: 'number', ...low }, { const: 'Infinity' }] };
      return { type: 'number', ...low, ...(field.open === 'both' ? { exclusiveMaximum: field.max } : { maximum: field.max }) };
    }
    case 'integer': {
      const finite: JsonObject = { type: 'integer', minimum: field.min, maximum: Number.MAX_SAFE_INTEGER };
      return field.infinite ? { anyOf: [finite, { const: 'Infinity' }] } : finite;
    }
    case 'reals':
      return {
        type: 'array',
        minItems: 1,
        maxItems: maxListLength,
        items: { type: 'number', minimum: field.min, maximum: field.max },
      };
    case 'integers':
      return {
        type: 'array',
        minItems: 1,
        maxItems: maxListLength,
        items: { type: 'integer', minimum: field.min, maximum: Number.MAX_SAFE_INTEGER },
      };
    case 'event':
      return { $ref: '#/$defs/event' };
    case 'events':
      return { type: 'array', maxItems: maxEventNodes, items: { $ref: '#/$defs/event' } };
    case 'choice':
      return { oneOf: Object.entries(field.choices).map(([type, rule]) => objectSchema(type, rule, {})) };
  }
}

function objectSchema(type: string, rule: EventRule, extra: JsonObject): JsonObject {
  const fields = Object.entries(rule.fields).map(([name, field]) => [name, fieldSchema(field)] as const);
  return {
    type: 'object',
    description: rule.summary,
    properties: { ...extra, type: { const: type }, ...Object.fromEntries(fields) },
    required: [...Object.keys(extra), 'type', ...fields.map(([name]) => name)],
    additionalProperties: false,
  };
}

/**
 * JSON Schema of what `encodeEvent` writes. Relations between parameters (equal lengths, probabilities that sum to 1)
 * and the limits on nesting are beyond it: `decodeEvent` is the full check.
 */
export function eventJsonSchema(): Json {
  const rules = Object.entries(eventTable);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Sotto differential-privacy event',
    oneOf: rules.map(([type, rule]) => objectSchema(type, rule, { version: { const: eventVersion } })),
    $defs: { event: { oneOf: rules.map(([type, rule]) => objectSchema(type, rule, {})) } },
  };
}
