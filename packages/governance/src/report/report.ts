/**
 * The privacy report of a run as data: what `report.json` holds and `report.html` shows. Version 1; its JSON Schema is
 * {@link reportSchema}. Every figure follows from the ledgers.
 *
 * @module
 */
import type { Json } from '@sotto/core/json';
import type { PlanTerms } from '../ledger/entry.ts';

/** A number that may be +∞. */
export type ReportNumber = number | 'Infinity';

/** ε at one δ, and what it means for a guess. */
export interface EpsilonAtDelta {
  readonly delta: number;
  /** Rounded up to six decimals. */
  readonly epsilon: ReportNumber;
  /**
   * The most often that anyone can be right who must guess, at even odds, whether one unit's data were used:
   * (e^ε + δ)/(1 + e^ε), rounded up to four decimals.
   */
  readonly bestGuess: number;
}

/** How a data owner's budget stood after a round. */
export interface RoundSpending {
  readonly round: number;
  readonly epsilon: ReportNumber;
  /**
   * `summed`: its input is in the published sum. `spent`: reserved, and counted as spent although no published sum holds it.
   * `released`: reserved and given back before any noise was drawn. `absent`: nothing reserved.
   */
  readonly status: 'summed' | 'spent' | 'released' | 'absent';
}

/** A mechanism as its owner logged it. */
export interface MechanismUse {
  /** In the owner's words. */
  readonly words: string;
  /** The event in words of the report. */
  readonly summary: string;
  /** The event as logged (encoded `DpEvent`). */
  readonly event: Json;
  /** Reservations of this run that were not released. */
  readonly rounds: number;
}

/** One data owner's account. */
export interface PartyReport {
  readonly party: string;
  readonly account: string;
  readonly dataset: { readonly name: string; readonly commitment: string };
  readonly steward: string;
  readonly purpose: string;
  readonly legalBasis: string;
  readonly unit: string;
  readonly adjacency: string;
  readonly contributionBound: { readonly recordsPerUnit: number; readonly roundsPerRun: number };
  /** Constants of the plan, public by declaration. */
  readonly publicConstants: { readonly weight: number; readonly sampleRate: number; readonly expectedBatchSize: number };
  readonly budget: { readonly epsilon: number; readonly delta: number };
  readonly spent: EpsilonAtDelta & { readonly withinBudget: boolean; readonly method: string };
  /** ε of the same events at other δ, from the largest δ to the smallest. */
  readonly epsilonAtDeltas: readonly EpsilonAtDelta[];
  readonly reservations: {
    readonly reserved: number;
    readonly contributed: number;
    readonly released: number;
    /** Of other runs on the same account; they count towards what is spent. */
    readonly otherRuns: number;
  };
  readonly mechanisms: readonly MechanismUse[];
  readonly byRound: readonly RoundSpending[];
}

/** One planned round. */
export type RoundReport =
  | {
      readonly round: number;
      readonly outcome: 'published';
      readonly timeMs: number;
      readonly roster: readonly string[];
      readonly survivors: readonly string[];
      readonly heldOut: { readonly correct: number; readonly total: number };
      /** correct / total to six decimals; absent without held-out records. */
      readonly accuracy?: number;
    }
  | {
      readonly round: number;
      readonly outcome: 'aborted';
      readonly timeMs: number;
      readonly stage: string;
      readonly reason: string;
      readonly spent: readonly string[];
    };

/** A sentence or paragraph with a heading. */
export interface Statement {
  readonly title: string;
  readonly text: string;
}

/** A cohort of one size. */
export interface CohortReport {
  readonly size: number;
  /** Published rounds with a roster of this size. */
  readonly rounds: number;
  readonly colluders: number;
  readonly threshold: number;
  readonly floor: number;
  /** Honest members that each such sum has at least. */
  readonly honestInSum: number;
}

/** The whole report. */
export interface PrivacyReport {
  readonly kind: 'sotto privacy report';
  readonly version: 1;
  readonly run: {
    readonly id: string;
    readonly trustDomain: string;
    readonly trustFingerprint: string;
    readonly coordinator: string;
    readonly planHash: string;
    readonly rounds: { readonly planned: number; readonly published: number; readonly aborted: number };
    /** By the coordinator's clock. */
    readonly plannedMs: number;
    readonly completedMs: number;
  };
  readonly model: {
    readonly name: string;
    readonly parameters: number;
    readonly weights: PlanTerms['model']['weights'];
    readonly topologyHash: string;
    readonly initialHash: string;
    readonly finalHash: string;
  };
  readonly training: PlanTerms['training'] & {
    readonly quantiser: PlanTerms['quantiser'];
    readonly vectors: PlanTerms['vectors'];
  };
  readonly secureAggregation: PlanTerms['secagg'] & { readonly cohorts: readonly CohortReport[] };
  readonly parties: readonly PartyReport[];
  /** Parties of the plan that opened no account in this run. */
  readonly withoutAccount: readonly string[];
  readonly rounds: readonly RoundReport[];
  /** The last measurement on held-out records: the model with which that round began. */
  readonly accuracy?: { readonly round: number; readonly correct: number; readonly total: number; readonly value: number };
  readonly ledgers: readonly {
    readonly party: string;
    readonly role: 'coordinator' | 'client';
    readonly origin: string;
    readonly size: number;
    readonly root: string;
  }[];
  readonly summary: string;
  readonly protects: readonly Statement[];
  readonly outside: readonly Statement[];
  readonly verification: readonly Statement[];
}
