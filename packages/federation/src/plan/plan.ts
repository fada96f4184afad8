/**
 * The federation plan: what all parties agree on before anybody trains. Its canonical JSON is hashed, the hash is bound
 * into every message of every round, and all of it is public.
 *
 * @module
 */
import { compareIds } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { type Json, canonicalJson, parseCanonicalJson } from '@sotto/core/json';
import { type CohortRule, type Suite, roundParameters } from '@sotto/secagg';
import { ConfigReader } from '../config/config-reader.ts';
import { loadDocument } from '../config/load-document.ts';
import { MOST_PARTIES } from './room.ts';
import { type TabularSpec, readTabularSpec } from './tabular-spec.ts';

/** A data owner in the plan, with constants that are public and not derived from its data at run time. */
export interface PlanParty {
  readonly id: string;
  /** Its weight in the average. */
  readonly weight: number;
  /** Poisson sampling rate of a local step, in (0, 1]. */
  readonly sampleRate: number;
  /** The divisor of the noisy gradient sum. */
  readonly expectedBatchSize: number;
}

/** How the hospitals train. */
export interface PlanTraining {
  readonly unit: 'record';
  readonly adjacency: 'addOrRemoveOne';
  readonly clipNorm: number;
  readonly learningRate: number;
  /** Private steps per round. */
  readonly localSteps: number;
  /** δ at which the report states ε beside others; each hospital's own δ is in its budget. */
  readonly delta: number;
}

/** Deadlines of the stages, in milliseconds. */
export interface PlanDeadlines {
  /** How long a round waits for all parties before it goes on with enough of them. */
  readonly joinMs: number;
  readonly advertiseMs: number;
  readonly shareMs: number;
  /** Covers training. */
  readonly maskedMs: number;
  readonly confirmMs: number;
  readonly unmaskMs: number;
}

/** A whole plan. */
export interface FederationPlan {
  readonly version: 1;
  readonly runId: string;
  /** Rounds to be published or aborted, numbered from 1. */
  readonly rounds: number;
  /** Topology of a `tf.LayersModel`, as TensorFlow.js writes it. */
  readonly model: Json;
  readonly initialWeights: 'zeros';
  readonly data: TabularSpec;
  readonly training: PlanTraining;
  /** Sorted by id. */
  readonly parties: readonly PlanParty[];
  /** Grid of the update vector: values in [−clip, clip] on 2^bits − 1 steps. */
  readonly quantiser: { readonly clip: number; readonly bits: number };
  readonly secagg: CohortRule & { readonly mode: 'malicious' };
  /** Key agreement of secure aggregation. Left out, `x25519`; `x25519-mlkem768` withstands a quantum computer of later days. */
  readonly suite?: Suite;
  readonly deadlines: PlanDeadlines;
}

/** Metrics that travel in the secure sum, in the order of the vector `metrics`. */
export const metricNames = ['correct', 'total'] as const;

/** Bits of one party's metric: counts of held-out records below 2²⁰. */
export const metricBits = 20;

const suites: readonly Suite[] = ['x25519', 'x25519-mlkem768'];

/** Reads a plan's file (YAML or JSON); throws `not-found` or `invalid-config`. */
export async function loadPlan(file: string): Promise<FederationPlan> {
  return parsePlan(await loadDocument(file), file);
}

/** Parses a plan from its mapping; unknown keys are refused. */
export function parsePlan(value: unknown, name = 'plan'): FederationPlan {
  const reader = new ConfigReader(value, name);
  const count = (most: number) => (key: string, item: unknown) => check.integer(key, item, 1, most);
  reader.read('version', (key, item) => check.integer(key, item, 1, 1));
  const quantiser = reader.object('quantiser');
  const plan: FederationPlan = {
    version: 1,
    runId: reader.read('runId', (key, item) => check.text(key, item, 128)),
    rounds: reader.read('rounds', count(1_000_000)),
    model: reader.read('model', jsonMapping),
    initialWeights: reader.read('initialWeights', (key, item) => check.oneOf(key, item, ['zeros'])),
    data: readTabularSpec(reader.object('data')),
    training: readTraining(reader.object('training')),
    parties: reader.list('parties', (item, at) => readParty(new ConfigReader(item, at))),
    quantiser: {
      clip: quantiser.read('clip', check.positive),
      bits: quantiser.read('bits', (key, item) => check.integer(key, item, 2, 24)),
    },
    secagg: readSecagg(reader.object('secagg')),
    deadlines: readDeadlines(reader.object('deadlines')),
    // What is left out stays out: the hash of the plan is that of its text.
    ...(reader.has('suite') ? { suite: reader.read('suite', (key, item) => check.oneOf(key, item, suites)) } : {}),
  };
  quantiser.end();
  reader.end();
  return checkPlan(plan, name);
}

/** The plan as JSON, in the form that is hashed, logged and sent. */
export function planJson(plan: FederationPlan): Json {
  return plan as unknown as Json;
}

/** The canonical text of a plan. */
export function encodePlan(plan: FederationPlan): string {
  return canonicalJson(planJson(plan));
}

/** The inverse of {@link encodePlan}: canonical text only. */
export function decodePlan(text: string): FederationPlan {
  const plan = parsePlan(parseCanonicalJson(text, 'the plan'), 'the plan');
  if (encodePlan(plan) !== text) throw new SottoError('invalid-encoding', 'the plan is not in its canonical form');
  return plan;
}

/** A party of the plan; throws `permission-denied` for a stranger. */
export function partyOf(plan: FederationPlan, id: string): PlanParty {
  const party = plan.parties.find((candidate) => candidate.id === id);
  if (party === undefined) throw new SottoError('permission-denied', `${id} is not among the parties of the plan ${plan.runId}`);
  return party;
}

function checkPlan(plan: FederationPlan, name: string): FederationPlan {
  const refuse = (reason: string): never => {
    throw new SottoError('invalid-config', `${name}: ${reason}`);
  };
  const ids = plan.parties.map((party) => party.id);
  if (ids.some((id, i) => i > 0 && compareIds(ids[i - 1] ?? '', id) >= 0)) refuse('parties must be sorted by id, each once');
  if (ids.length > MOST_PARTIES)
    refuse(
      `it has ${ids.length} parties; the ledger entry of a round has room for what ${MOST_PARTIES} reserved, so run fewer parties in one plan`,
    );
  if (ids.length > plan.secagg.nMax) refuse(`it has ${ids.length} parties, but secagg.nMax is ${plan.secagg.nMax}`);
  try {
    roundParameters(ids.length, plan.secagg);
  } catch (reason) {
    refuse(`secagg: ${SottoError.from(reason).message}`);
  }
  return plan;
}

function jsonMapping(key: string, value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SottoError('invalid-argument', `${key} is ${check.show(value)}; it must be the topology that TensorFlow.js writes`);
  }
  return value as Json;
}

function readTraining(reader: ConfigReader): PlanTraining {
  const training: PlanTraining = {
    unit: reader.read('unit', (key, item) => check.oneOf(key, item, ['record'])),
    adjacency: reader.read('adjacency', (key, item) => check.oneOf(key, item, ['addOrRemoveOne'])),
    clipNorm: reader.read('clipNorm', check.positive),
    learningRate: reader.read('learningRate', check.positive),
    localSteps: reader.read('localSteps', (key, item) => check.integer(key, item, 1, 1000)),
    delta: reader.read('delta', check.openProbability),
  };
  reader.end();
  return training;
}

function readParty(reader: ConfigReader): PlanParty {
  const party: PlanParty = {
    id: reader.read('id', check.partyId),
    weight: reader.read('weight', check.positive),
    sampleRate: reader.read('sampleRate', (key, item) => {
      if (typeof item !== 'number' || !(item > 0 && item <= 1)) {
        throw new SottoError('invalid-argument', `${key} is ${check.show(item)}; it must be greater than 0 and at most 1`);
      }
      return item;
    }),
    expectedBatchSize: reader.read('expectedBatchSize', check.positive),
  };
  reader.end();
  return party;
}

function readSecagg(reader: ConfigReader): FederationPlan['secagg'] {
  const integer = (key: string, item: unknown): number => check.integer(key, item, 0, 1_000_000);
  const mode = reader.read('mode', (key, item) => check.oneOf(key, item, ['malicious']));
  const rule: CohortRule = {
    gammaNumerator: reader.readOr('gammaNumerator', 1, integer),
    gammaDenominator: reader.readOr('gammaDenominator', 3, integer),
    cMin: reader.readOr('cMin', 0, integer),
    nMin: reader.readOr('nMin', 3, integer),
    nMax: reader.read('nMax', integer),
    hMin: reader.readOr('hMin', 3, integer),
  };
  reader.end();
  return { mode, ...rule };
}

function readDeadlines(reader: ConfigReader): PlanDeadlines {
  const ms = (fallback: number, key: string): number =>
    reader.readOr(key, fallback, (name, item) => check.integer(name, item, 1, 604_800_000));
  const deadlines: PlanDeadlines = {
    joinMs: ms(30_000, 'joinMs'),
    advertiseMs: ms(30_000, 'advertiseMs'),
    shareMs: ms(30_000, 'shareMs'),
    maskedMs: ms(600_000, 'maskedMs'),
    confirmMs: ms(30_000, 'confirmMs'),
    unmaskMs: ms(30_000, 'unmaskMs'),
  };
  reader.end();
  return deadlines;
}
