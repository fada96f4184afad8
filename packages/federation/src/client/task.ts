/**
 * The program's part of a client: declares what a round does to the private data, and trains.
 *
 * @module
 */
import type { DpEvent } from '@sotto/core/event';
import type { PrivacyFilter } from '@sotto/dp';
import type { FederationPlan, PlanParty } from '../plan/plan.ts';

/** What a task may look at when it prepares. */
export interface TaskContext {
  readonly plan: FederationPlan;
  /** This party's public constants in the plan. */
  readonly party: PlanParty;
  /** This party's own budget for the whole run. */
  readonly budget: { readonly epsilon: number; readonly delta: number };
}

/** One round's work. */
export interface TrainRequest {
  readonly round: number;
  /** The global model: tensors in model order. */
  readonly weights: readonly Float32Array[];
}

/** One round's result, before weighting, quantisation and masking. */
export interface TrainResult {
  /** The change of each weight, tensors joined in model order, privatised already. */
  readonly update: Float64Array;
  /**
   * How many held-out records the model of the request got right, and how many there are. They are outside the guarantee;
   * the numbers leave only inside the secure sum.
   */
  readonly metrics: { readonly correct: number; readonly total: number };
}

/** A task that knows the plan. */
export interface PreparedTask {
  /** What one round does to the private data; it is reserved in the ledger before {@link train} is called. */
  readonly event: DpEvent;
  /**
   * A fresh filter of kind `rdp` for this party's budget, such as `planBudget` gives. The client charges one of this ε and δ with all that was spent, under the order of its account, which is the
   * same for all runs: see `accountFilter` of `@sotto/dp`.
   */
  readonly filter: PrivacyFilter;
  /** The mechanism in words, for the ledger and the report. */
  readonly mechanism: string;
  /** SHA-256 of the private data set; the ledger holds a salted commitment to it only. */
  readonly contentHash: Uint8Array;
  /** Trains at most once a round. Whatever it throws, the reservation counts as spent. */
  train(request: TrainRequest): Promise<TrainResult>;
  close?(): Promise<void>;
}

/** What a program gives to `FederatedClient`. */
export interface ClientTask {
  prepare(context: TaskContext): Promise<PreparedTask>;
}
