/**
 * Leaves of a ledger: the canonical JSON (RFC 8785) of an entry, in UTF-8, at most 65,535 bytes. Each entry has exactly
 * one leaf and each leaf at most one entry, so that a changed byte changes the meaning or is refused.
 *
 * @module
 */
import { equalBytes, fromUtf8 } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { adjacencies, decodeEvent, type DpEvent, encodeEvent, privacyUnits, validateEvent } from '@sotto/core/event';
import { canonicalJsonBytes, type Json, parseCanonicalJson } from '@sotto/core/json';
import { MAX_ENTRY_BYTES } from '../log/tiles.ts';
import type {
  LedgerEntry,
  LedgerEntryKind,
  PlanParty,
  PlanTerms,
  PublishEntry,
  ReservationEvidence,
  ReserveEntry,
  SurvivorRecord,
} from './entry.ts';
import {
  base64,
  type Decode,
  hash,
  integer,
  json,
  list,
  noteText,
  object,
  oneOf,
  openProbability,
  partyId,
  positive,
  probability,
  sortedBy,
  text,
} from './fields.ts';

/** The version of entries that this build writes and reads. */
export const LEDGER_ENTRY_VERSION = 1;

const MAX_PARTIES = 10_000;
const MAX_ROUNDS = 1_000_000;
const signature = base64({ length: 64 });
const sentence = text(2000);
const version: Decode<1> = (value, path) => {
  if (value !== LEDGER_ENTRY_VERSION) {
    throw new SottoError(
      'invalid-argument',
      `${path} is ${check.show(value)}; this build reads version ${LEDGER_ENTRY_VERSION}: upgrade it`,
    );
  }
  return LEDGER_ENTRY_VERSION;
};
/** The last instant that ECMAScript dates can show. */
const LAST_TIME_MS = 8_640_000_000_000_000;
const base = { version, timeMs: integer(0, LAST_TIME_MS) };
const round = integer(1, MAX_ROUNDS);
const run = { ...base, runId: text(128) };
const attempt = integer(0, 0xffffffff);
const ids = sortedBy(partyId, (id) => id, MAX_PARTIES);

const planTerms = object<PlanTerms>({
  rounds: round,
  model: object<PlanTerms['model']>({
    name: text(200),
    topologyHash: hash,
    weights: list(object<PlanTerms['model']['weights'][number]>({ name: text(200), shape: list(integer(0), 32) }), 10_000),
    initialHash: hash,
  }),
  training: object<PlanTerms['training']>({
    unit: oneOf(...privacyUnits),
    adjacency: oneOf(...adjacencies),
    clipNorm: positive,
    learningRate: positive,
    localSteps: integer(1, MAX_ROUNDS),
    delta: openProbability,
  }),
  parties: sortedBy(
    object<PlanParty>({ id: partyId, weight: positive, sampleRate: probability, expectedBatchSize: positive }),
    ({ id }) => id,
    MAX_PARTIES,
  ),
  vectors: list(object<PlanTerms['vectors'][number]>({ name: text(200), length: integer(1) }), 1000),
  quantiser: object<PlanTerms['quantiser']>({ clip: positive, bits: integer(1, 32) }),
  secagg: object<PlanTerms['secagg']>({
    mode: oneOf('malicious', 'semi-honest'),
    gammaNumerator: integer(0, 1_000_000),
    gammaDenominator: integer(1, 1_000_000),
    cMin: integer(0, MAX_PARTIES),
    nMin: integer(2, MAX_PARTIES),
    nMax: integer(2, MAX_PARTIES),
    hMin: integer(1, MAX_PARTIES),
  }),
});

/** The decoder of each kind; the table is complete by type. */
type EntryRules = { readonly [K in LedgerEntryKind]: Decode<Extract<LedgerEntry, { kind: K }>> };

function reserveRule(event: Decode<DpEvent>): Decode<ReserveEntry> {
  return object<ReserveEntry>({
    ...run,
    kind: oneOf('reserve'),
    round,
    planHash: hash,
    account: partyId,
    event,
    mechanism: sentence,
  });
}

function evidenceRule(event: Decode<DpEvent>): Decode<ReservationEvidence> {
  return object<ReservationEvidence>({
    reserve: reserveRule(event),
    index: integer(0),
    proof: list(base64({ length: 32 }), 64),
    checkpoint: noteText,
  });
}

function entryRules(event: Decode<DpEvent>): EntryRules {
  return {
    enrol: object({
      ...base,
      kind: oneOf('enrol'),
      party: partyId,
      role: oneOf('coordinator', 'client'),
      trustDomain: text(255),
      certificate: base64({ maxLength: 4096 }),
      trustFingerprint: hash,
    }),
    account: object({
      ...base,
      kind: oneOf('account'),
      account: partyId,
      dataset: object({ name: text(200), commitment: hash }),
      steward: text(500),
      purpose: sentence,
      legalBasis: sentence,
      unit: oneOf(...privacyUnits),
      adjacency: oneOf(...adjacencies),
      contributionBound: object({ recordsPerUnit: integer(1), roundsPerRun: integer(1) }),
      budget: object({ epsilonNano: integer(1), delta: openProbability }),
    }),
    plan: object({ ...run, kind: oneOf('plan'), planHash: hash, terms: planTerms, document: json }, ['document']),
    reserve: reserveRule(event),
    release: object({ ...run, kind: oneOf('release'), round, reservation: integer(0), reason: sentence }),
    contribute: object({ ...run, kind: oneOf('contribute'), round, sid: hash, reservation: integer(0), inputHash: hash }),
    observe: object(
      { ...run, kind: oneOf('observe'), outcome: oneOf('published', 'aborted', 'seen'), round, checkpoint: noteText },
      ['round'],
    ),
    publish: object({
      ...run,
      kind: oneOf('publish'),
      round,
      attempt,
      planHash: hash,
      context: hash,
      sid: hash,
      roster: ids,
      rosterRoot: hash,
      sharers: ids,
      sharersRoot: hash,
      survivors: sortedBy(
        object<SurvivorRecord>({ party: partyId, inputHash: hash, signature, evidence: evidenceRule(event) }),
        ({ party }) => party,
        MAX_PARTIES,
      ),
      survivorsRoot: hash,
      confirmations: sortedBy(object({ party: partyId, signature }), ({ party }) => party, MAX_PARTIES),
      sumHash: hash,
      receipt: object<PublishEntry['receipt']>({ event: base64({ maxLength: 16_384 }), signature }),
      modelBefore: hash,
      modelAfter: hash,
      heldOut: object({ correct: integer(0), total: integer(0) }),
    }),
    abort: object({
      ...run,
      kind: oneOf('abort'),
      round,
      attempt,
      stage: oneOf('select', 'advertise', 'share', 'masked', 'confirm', 'unmask', 'publish'),
      reason: sentence,
      spent: ids,
    }),
    complete: object({ ...run, kind: oneOf('complete'), published: integer(0), aborted: integer(0), modelHash: hash }),
  };
}

const eventFromJson: Decode<DpEvent> = (value) => decodeEvent(value);
const memoryRules = entryRules((value) => validateEvent(value));
const jsonRules = entryRules(eventFromJson);
const jsonEvidence = evidenceRule(eventFromJson);

function decodeWith(rules: EntryRules, value: unknown): LedgerEntry {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  if (typeof kind !== 'string' || !Object.hasOwn(rules, kind)) {
    throw new SottoError(
      'invalid-argument',
      `entry.kind is ${check.show(kind)}; it must be one of ${Object.keys(rules).join(', ')}`,
    );
  }
  return checkEntry(rules[kind as LedgerEntryKind](value, `entry(${kind})`));
}

/** What must hold between the members of one entry. */
function checkEntry(entry: LedgerEntry): LedgerEntry {
  if (entry.kind === 'observe' && (entry.outcome === 'seen') !== (entry.round === undefined)) {
    throw new SottoError('invalid-argument', 'entry(observe).round must be given for an outcome and absent for "seen"');
  }
  return entry;
}

/** Checks an entry of any origin and returns a fresh copy; throws `invalid-argument` with the member's path. */
export function validateEntry(entry: unknown): LedgerEntry {
  return decodeWith(memoryRules, entry);
}

function reserveToJson(entry: ReserveEntry): Json {
  return { ...entry, event: encodeEvent(entry.event) };
}

/** The JSON form of evidence, as it stands in a publish entry. */
export function evidenceToJson(evidence: ReservationEvidence): Json {
  return { ...evidence, reserve: reserveToJson(evidence.reserve) };
}

/** The inverse of {@link evidenceToJson}. */
export function decodeEvidence(value: Json): ReservationEvidence {
  try {
    return jsonEvidence(value, 'evidence');
  } catch (cause) {
    throw new SottoError('invalid-encoding', `the reservation evidence is malformed: ${SottoError.from(cause).message}`, {
      cause,
    });
  }
}

function entryToJson(entry: LedgerEntry): Json {
  switch (entry.kind) {
    case 'reserve':
      return reserveToJson(entry);
    case 'publish':
      return {
        ...entry,
        survivors: entry.survivors.map((survivor) => ({
          ...survivor,
          evidence: evidenceToJson(survivor.evidence),
        })),
      };
    default:
      return { ...entry } as unknown as Json;
  }
}

/** The leaf of an entry. Throws `invalid-argument` for an entry that is not valid or too long. */
export function encodeEntry(entry: LedgerEntry): Uint8Array {
  const leaf = canonicalJsonBytes(entryToJson(validateEntry(entry)));
  if (leaf.length > MAX_ENTRY_BYTES) {
    throw new SottoError(
      'invalid-argument',
      `the ${entry.kind} entry takes ${leaf.length} bytes; a leaf has at most ${MAX_ENTRY_BYTES}: refer to long things by their hash`,
    );
  }
  return leaf;
}

/** The inverse of {@link encodeEntry}; every fault is `invalid-encoding`. */
export function decodeEntry(leaf: Uint8Array): LedgerEntry {
  let entry: LedgerEntry;
  try {
    if (leaf.length > MAX_ENTRY_BYTES) throw new SottoError('invalid-encoding', `it has ${leaf.length} bytes`);
    entry = decodeWith(jsonRules, parseCanonicalJson(fromUtf8(leaf), 'it'));
    if (!equalBytes(canonicalJsonBytes(entryToJson(entry)), leaf))
      throw new SottoError('invalid-encoding', 'it is not the canonical form');
  } catch (cause) {
    const reason = cause instanceof SottoError ? cause.message : 'it is malformed';
    throw new SottoError('invalid-encoding', `the leaf is no ledger entry: ${reason}`, { cause });
  }
  return entry;
}
