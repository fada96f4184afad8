/**
 * The plan in the words of the ledger, and the context of a round in those of secure aggregation: both derived, by every
 * party for itself, from the plan's own text.
 *
 * @module
 */
import { ByteWriter } from '@sotto/core/encoding';
import type { CryptoProvider } from '@sotto/core/crypto';
import { canonicalJson } from '@sotto/core/json';
import {
  type PlanEntry,
  type PlanTerms,
  modelHash as ledgerModelHash,
  planHash as ledgerPlanHash,
  topologyHash,
} from '@sotto/governance';
import { type RoundContext, type VectorSpec, modelHash, planHash, quantiserFor, sumBits } from '@sotto/secagg';
import { type PlanModel, planModel, splitTensors } from './model.ts';
import { type FederationPlan, metricBits, metricNames, planJson } from './plan.ts';

/** Largest plan that stands in the ledger as a whole; a longer one is bound by its hash. */
const maxDocumentBytes = 40_000;

/** A plan with all that follows from it. */
export interface PreparedPlan {
  readonly plan: FederationPlan;
  readonly model: PlanModel;
  readonly terms: PlanTerms;
  /** SHA-256 of the canonical JSON (hex): what ledgers and site policies name. */
  readonly hash: string;
  readonly vectors: readonly VectorSpec[];
}

/** Derives terms, hash and vectors; throws `invalid-config`. */
export function preparePlan(crypto: CryptoProvider, plan: FederationPlan): PreparedPlan {
  const model = planModel(plan);
  const { nMax } = plan.secagg;
  const vectors: VectorSpec[] = [
    { name: 'update', length: model.parameterCount, bits: sumBits(nMax, 2 ** plan.quantiser.bits - 1) },
    { name: 'metrics', length: metricNames.length, bits: sumBits(nMax, 2 ** metricBits - 1) },
  ];
  const terms: PlanTerms = {
    rounds: plan.rounds,
    model: {
      name: model.name,
      topologyHash: topologyHash(crypto, plan.model),
      weights: model.weights.map(({ name, shape }) => ({ name, shape })),
      initialHash: ledgerModelHash(crypto, initialWeights(model)),
    },
    training: plan.training,
    parties: plan.parties,
    vectors: vectors.map(({ name, length }) => ({ name, length })),
    quantiser: plan.quantiser,
    secagg: plan.secagg,
  };
  return { plan, model, terms, vectors, hash: ledgerPlanHash(crypto, planJson(plan)) };
}

/** The weights before the first round. */
export function initialWeights(model: PlanModel): Float32Array {
  return new Float32Array(model.parameterCount);
}

/** The ledger entry that accepts a plan. */
export function planEntry(prepared: PreparedPlan, timeMs: number): PlanEntry {
  const document = planJson(prepared.plan);
  const base = {
    kind: 'plan',
    version: 1,
    timeMs,
    runId: prepared.plan.runId,
    planHash: prepared.hash,
    terms: prepared.terms,
  } as const;
  return canonicalJson(document).length <= maxDocumentBytes ? { ...base, document } : base;
}

/** What an offer adds to the plan. */
export interface RoundTerms {
  readonly round: number;
  readonly attempt: number;
  /** Flat weights that the round begins with. */
  readonly weights: Float32Array;
  readonly deadlineMs: number;
  /** The coordinator's protocol key. */
  readonly coordinatorKey: Uint8Array;
}

/** The context that every message of the round is bound to. */
export function roundContext(crypto: CryptoProvider, prepared: PreparedPlan, terms: RoundTerms): RoundContext {
  const { plan, model, vectors } = prepared;
  const { mode, ...cohort } = plan.secagg;
  return {
    suite: plan.suite ?? 'x25519',
    mode,
    runId: plan.runId,
    round: terms.round,
    attempt: terms.attempt,
    modelHash: modelHash(crypto, splitTensors(model, terms.weights)),
    planHash: planHash(crypto, planJson(plan)),
    vectors,
    quantiser: quantiserFor(plan.quantiser.clip, plan.quantiser.bits),
    // Record-level noise is drawn by each owner before the sum; the sum adds none of its own.
    noise: { mechanism: 'none', localVariance: 0, honestMinimum: 0 },
    cohort,
    graph: { kind: 'complete' },
    deadlineMs: terms.deadlineMs,
    coordinatorKey: terms.coordinatorKey,
  };
}

/** What the coordinator signs when it shows the plan. */
export function planStatement(hash: string): Uint8Array {
  return new ByteWriter().text('sotto plan/1').text(hash).finish();
}

/** What the coordinator signs when it offers a round. */
export function offerStatement(contextHash: Uint8Array): Uint8Array {
  return new ByteWriter().text('sotto round offer/1').bytes(contextHash).finish();
}
