/**
 * The published JSON Schema (2020-12) of `report.json`, version 1.
 *
 * @module
 */
import type { Json } from '@sotto/core/json';

type JsonObject = { readonly [key: string]: Json };

const text: JsonObject = { type: 'string', minLength: 1 };
const hash: JsonObject = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const partyId: JsonObject = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' };
const natural: JsonObject = { type: 'integer', minimum: 0 };
const positive: JsonObject = { type: 'number', exclusiveMinimum: 0 };
const share: JsonObject = { type: 'number', minimum: 0, maximum: 1 };
const delta: JsonObject = { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 };
const epsilon: JsonObject = { anyOf: [{ type: 'number', minimum: 0 }, { const: 'Infinity' }] };
const unit: JsonObject = { enum: ['record', 'user', 'client'] };
const adjacency: JsonObject = { enum: ['addOrRemoveOne', 'replaceOne', 'replaceSpecial', 'zeroOut'] };

function list(items: Json): JsonObject {
  return { type: 'array', items };
}

function object(properties: JsonObject, optional: readonly string[] = []): JsonObject {
  const required = Object.keys(properties).filter((key) => !optional.includes(key));
  return { type: 'object', properties, required, additionalProperties: false };
}

const atDelta: JsonObject = { delta, epsilon, bestGuess: { type: 'number', minimum: 0.5, maximum: 1 } };
const statements = list(object({ title: text, text }));

const party = object({
  party: partyId,
  account: partyId,
  dataset: object({ name: text, commitment: hash }),
  steward: text,
  purpose: text,
  legalBasis: text,
  unit,
  adjacency,
  contributionBound: object({ recordsPerUnit: natural, roundsPerRun: natural }),
  publicConstants: object({ weight: positive, sampleRate: share, expectedBatchSize: positive }),
  budget: object({ epsilon: positive, delta }),
  spent: object({ ...atDelta, withinBudget: { type: 'boolean' }, method: text }),
  epsilonAtDeltas: list(object(atDelta)),
  reservations: object({ reserved: natural, contributed: natural, released: natural, otherRuns: natural }),
  mechanisms: list(
    object({
      words: text,
      summary: text,
      event: { type: 'object', properties: { type: text, version: { const: 1 } }, required: ['type', 'version'] },
      rounds: natural,
    }),
  ),
  byRound: list(object({ round: natural, epsilon, status: { enum: ['summed', 'spent', 'released', 'absent'] } })),
});

const publishedRound = object(
  {
    round: natural,
    outcome: { const: 'published' },
    timeMs: natural,
    roster: list(partyId),
    survivors: list(partyId),
    heldOut: object({ correct: natural, total: natural }),
    accuracy: share,
  },
  ['accuracy'],
);

const abortedRound = object({
  round: natural,
  outcome: { const: 'aborted' },
  timeMs: natural,
  stage: text,
  reason: text,
  spent: list(partyId),
});

/** The JSON Schema of {@link PrivacyReport}. */
export const reportSchema: Json = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:sotto:privacy-report:1',
  title: 'Sotto privacy report, version 1',
  ...object(
    {
      kind: { const: 'sotto privacy report' },
      version: { const: 1 },
      run: object({
        id: text,
        trustDomain: text,
        trustFingerprint: hash,
        coordinator: partyId,
        planHash: hash,
        rounds: object({ planned: natural, published: natural, aborted: natural }),
        plannedMs: natural,
        completedMs: natural,
      }),
      model: object({
        name: text,
        parameters: natural,
        weights: list(object({ name: text, shape: list(natural) })),
        topologyHash: hash,
        initialHash: hash,
        finalHash: hash,
      }),
      training: object({
        unit,
        adjacency,
        clipNorm: positive,
        learningRate: positive,
        localSteps: natural,
        delta,
        quantiser: object({ clip: positive, bits: natural }),
        vectors: list(object({ name: text, length: natural })),
      }),
      secureAggregation: object({
        mode: { enum: ['malicious', 'semi-honest'] },
        gammaNumerator: natural,
        gammaDenominator: natural,
        cMin: natural,
        nMin: natural,
        nMax: natural,
        hMin: natural,
        cohorts: list(
          object({
            size: natural,
            rounds: natural,
            colluders: natural,
            threshold: natural,
            floor: natural,
            honestInSum: natural,
          }),
        ),
      }),
      parties: list(party),
      withoutAccount: list(partyId),
      rounds: list({ anyOf: [publishedRound, abortedRound] }),
      accuracy: object({ round: natural, correct: natural, total: natural, value: share }),
      ledgers: list(
        object({ party: partyId, role: { enum: ['coordinator', 'client'] }, origin: text, size: natural, root: hash }),
      ),
      summary: text,
      protects: statements,
      outside: statements,
      verification: statements,
    },
    ['accuracy'],
  ),
};
