/** A federation in one process: a scratch folder, a collecting log, tiny plans, services that end with their test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type AuthorityConfig,
  type ClientConfig,
  type ClientTask,
  type CoordinatorConfig,
  type CoordinatorOptions,
  FederatedClient,
  type FederationPlan,
  type LogRecord,
  type RunningService,
  type ServiceOptions,
  type TrainRequest,
  type TrainResult,
  encodePlan,
  parseAuthorityConfig,
  parseClientConfig,
  parseCoordinatorConfig,
  parsePlan,
  startAuthority,
  startCoordinator,
} from '../../packages/federation/src/index.ts';
import { plannedBudget } from './budgets.ts';

/** Remembers what must be done at the end of a test, whatever runs it. */
export type Defer = (end: () => unknown) => void;

/** A folder that is gone at the end. */
export function scratchFolder(defer: Defer): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'sotto-test-'));
  defer(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A log sink that keeps its records, and lets a test wait for one. */
export class LogBook {
  readonly records: LogRecord[] = [];
  readonly #waiting: { readonly matches: (record: LogRecord) => boolean; readonly resolve: (record: LogRecord) => void }[] = [];

  readonly sink = (record: LogRecord): void => {
    this.records.push(record);
    for (const waiter of this.#waiting) if (waiter.matches(record)) waiter.resolve(record);
  };

  events(event: string): LogRecord[] {
    return this.records.filter((record) => record.event === event);
  }

  /** The first record that matches, past or future. */
  async when(event: string, matches: (record: LogRecord) => boolean = () => true): Promise<LogRecord> {
    const hit = (record: LogRecord): boolean => record.event === event && matches(record);
    const past = this.records.find(hit);
    if (past !== undefined) return past;
    return await new Promise((resolve) => this.#waiting.push({ matches: hit, resolve }));
  }
}

/** An authority in a folder, with tokens for a coordinator and the named clients in `tokens/<id>.token`. */
export function authorityConfig(directory: string, clients: readonly string[] = []): AuthorityConfig {
  return parseAuthorityConfig(
    {
      directory: 'authority',
      trustDomain: 'test.example',
      listen: '127.0.0.1:0',
      addressFile: 'authority.address',
      trustFile: 'trust.json',
      tokens: [
        { id: 'coordinator', role: 'coordinator', file: 'tokens/coordinator.token' },
        ...clients.map((id) => ({ id, role: 'client', file: `tokens/${id}.token` })),
      ],
    },
    directory,
  );
}

/** Ids of the usual four parties. */
export const fourIds: readonly string[] = ['ann', 'bob', 'cyd', 'dan'];

/** What a test may change in {@link tinyPlan}. */
export interface TinyPlanChange {
  readonly rounds?: number;
  readonly runId?: string;
  readonly features?: number;
  readonly quantiserBits?: number;
  readonly deadlines?: object;
  readonly holdoutFraction?: number;
  readonly suite?: string;
  readonly ids?: readonly string[];
  /** Units of a hidden layer, for more parameters. */
  readonly hidden?: number;
}

/** A tiny plan: logistic regression on two features. Deadlines are generous; stages end early when all have answered. */
export function tinyPlan(change: TinyPlanChange = {}): FederationPlan {
  const { features = 2, ids = fourIds, hidden } = change;
  const dense = (name: string, units: number, first: boolean): object => ({
    class_name: 'Dense',
    config: {
      name,
      trainable: true,
      ...(first ? { batch_input_shape: [null, features] } : {}),
      units,
      activation: 'sigmoid',
      use_bias: true,
    },
  });
  return parsePlan({
    version: 1,
    runId: change.runId ?? 'tiny',
    rounds: change.rounds ?? 2,
    model: {
      class_name: 'Sequential',
      config: {
        name: 'tiny',
        layers: hidden === undefined ? [dense('out', 1, true)] : [dense('hidden', hidden, true), dense('out', 1, false)],
      },
    },
    initialWeights: 'zeros',
    data: {
      columnCount: features + 1,
      columns: Array.from({ length: features }, (_, index) => ({
        kind: 'numeric',
        name: `x${index}`,
        index,
        centre: 0,
        scale: 1,
      })),
      label: { index: features, positiveAbove: 0 },
      holdout: { fraction: change.holdoutFraction ?? 0.3, seed: 'tiny' },
    },
    training: { unit: 'record', adjacency: 'addOrRemoveOne', clipNorm: 1, learningRate: 0.5, localSteps: 1, delta: 0.001 },
    parties: ids.map((id, i) => ({ id, weight: 1 + i, sampleRate: 0.5, expectedBatchSize: 10 })),
    quantiser: { clip: 128, bits: change.quantiserBits ?? 20 },
    secagg: { mode: 'malicious', gammaNumerator: 1, gammaDenominator: 3, cMin: 1, nMin: 3, nMax: ids.length, hMin: 2 },
    ...(change.suite === undefined ? {} : { suite: change.suite }),
    deadlines: {
      joinMs: 20_000,
      advertiseMs: 20_000,
      shareMs: 20_000,
      maskedMs: 20_000,
      confirmMs: 20_000,
      unmaskMs: 20_000,
      ...change.deadlines,
    },
  });
}

/** A task whose update the test chooses: what it returns is taken for privatised. */
export function fixedTask(id: string, train: (request: TrainRequest) => TrainResult | Promise<TrainResult>): ClientTask {
  return {
    prepare: ({ plan, party, budget }) => {
      const planned = plannedBudget({
        ...budget,
        sampleRate: party.sampleRate,
        rounds: plan.rounds,
        stepsPerRound: plan.training.localSteps,
      });
      return Promise.resolve({
        event: planned.roundEvent,
        filter: planned.filter,
        mechanism: 'none: a test',
        contentHash: new Uint8Array(32).fill(id.charCodeAt(0)),
        train: async (request) => await train(request),
      });
    },
  };
}

/** The update that `id` gives in `round` of tests: three reals, different everywhere. */
export function updateOf(id: string, round: number): Float64Array {
  const base = id.charCodeAt(0) - 96 + round / 8;
  return Float64Array.of(base / 4, -base / 3, base / 7);
}

/** The model that must come out when the `ids` of each round were summed: weighted means added up. */
export function expectedModel(rounds: readonly (readonly string[])[], roundNumbers?: readonly number[]): number[] {
  const weight = (id: string): number => 1 + fourIds.indexOf(id);
  const model = [0, 0, 0];
  rounds.forEach((ids, i) => {
    const total = ids.reduce((sum, id) => sum + weight(id), 0);
    for (const id of ids) {
      updateOf(id, roundNumbers?.[i] ?? i + 1).forEach((value, j) => (model[j] = (model[j] ?? 0) + (weight(id) * value) / total));
    }
  });
  return model;
}

/** A federation in one folder, its services in this process. */
export class Scene {
  readonly directory: string;
  readonly book: LogBook = new LogBook();
  readonly plan: FederationPlan;
  readonly #defer: Defer;

  constructor(defer: Defer, plan: FederationPlan = tinyPlan()) {
    this.#defer = defer;
    this.directory = scratchFolder(defer);
    this.plan = plan;
    writeFileSync(this.at('plan.json'), encodePlan(plan));
  }

  at(...names: string[]): string {
    return path.join(this.directory, ...names);
  }

  async authority(): Promise<RunningService> {
    const clients = this.plan.parties.map(({ id }) => id);
    const service = await startAuthority(authorityConfig(this.directory, clients), { log: this.book.sink });
    this.#defer(() => service.stop(0));
    return service;
  }

  coordinatorConfig(change: object = {}): CoordinatorConfig {
    return parseCoordinatorConfig(
      {
        directory: 'coordinator',
        listen: '127.0.0.1:0',
        addressFile: 'coordinator.address',
        id: 'coordinator',
        authority: 'file:authority.address',
        joinToken: 'tokens/coordinator.token',
        plan: 'plan.json',
        exportDirectory: 'export',
        disconnectGraceMs: 200,
        ...change,
      },
      this.directory,
    );
  }

  async coordinator(options: CoordinatorOptions & { readonly config?: object } = {}): Promise<RunningService> {
    const { config, ...rest } = options;
    const service = await startCoordinator(this.coordinatorConfig(config), { log: this.book.sink, ...rest });
    this.#defer(() => service.stop(0));
    return service;
  }

  clientConfig(id: string, change: object = {}): ClientConfig {
    return parseClientConfig(
      {
        directory: id,
        id,
        authority: 'file:authority.address',
        joinToken: `tokens/${id}.token`,
        coordinator: 'file:coordinator.address',
        account: { dataset: `data of ${id}`, steward: id, purpose: 'test', legalBasis: 'synthetic' },
        ...change,
      },
      this.directory,
    );
  }

  client(id: string, options: ServiceOptions & { readonly config?: object; readonly task?: ClientTask } = {}): FederatedClient {
    const { config, task, ...rest } = options;
    const usual = fixedTask(id, ({ round }) => ({ update: updateOf(id, round), metrics: { correct: 3, total: 5 } }));
    const client = new FederatedClient({
      config: this.clientConfig(id, config),
      task: task ?? usual,
      log: this.book.sink,
      ...rest,
    });
    this.#defer(() => client.stop());
    return client;
  }
}
