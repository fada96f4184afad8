/** The client as a library. @module */
import type { DpEvent } from '@sotto/core/event';
import type { ClientConfig } from '../config/service-config.ts';
import type { FederationPlan, PlanParty } from '../plan/plan.ts';
import type { ServiceOptions, Stoppable } from '../service/service.ts';

/** What a task may look at when it prepares. */
export interface TaskContext {
  readonly plan: FederationPlan;
  readonly party: PlanParty;
  readonly budget: { readonly epsilon: number; readonly delta: number };
}

/** One round's work. */
export interface TrainRequest {
  readonly round: number;
  /** The global model: tensors in model order. */
  readonly weights: readonly Float32Array[];
  readonly signal: AbortSignal;
}

/** One round's result, before quantisation and masking. */
export interface TrainResult {
  /** The change of each weight, tensors joined in model order, privatised. The client applies the public weight of the party. */
  readonly update: Float64Array;
  /** Held-out records, outside the guarantee: how many were right, and how many there are. */
  readonly metrics: { readonly correct: number; readonly total: number };
}

/** A task that knows the plan. */
export interface PreparedTask {
  /** What one round does to the private data; reserved in the ledger before `train` is called. */
  readonly event: DpEvent;
  /** SHA-256 of the private data set's bytes, for the ledger's account. */
  readonly contentHash: Uint8Array;
  train(request: TrainRequest): Promise<TrainResult>;
  close?(): Promise<void>;
}

/** The program's part: declares the round's event and trains. */
export interface ClientTask {
  prepare(context: TaskContext): Promise<PreparedTask>;
}

/** Options of {@link FederatedClient}. */
export interface FederatedClientOptions extends ServiceOptions {
  readonly config: ClientConfig;
  readonly task: ClientTask;
}

/** How a run ended for this client. */
export interface RunOutcome {
  readonly runId: string;
  readonly contributed: number;
  readonly epsilonSpent: number;
}

/** A data owner's client: enrols, joins rounds, guards the budget, keeps the ledger. */
export class FederatedClient implements Stoppable {
  /** Settles when the run is over for this client. */
  readonly finished: Promise<RunOutcome>;

  constructor(options: FederatedClientOptions) {
    this.finished = Promise.reject(new Error(`under construction ${options.config.id}`));
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Drops everything at once, as SIGKILL would: for tests of crashes. */
  abandon(): void {
    void this.finished;
  }
}
