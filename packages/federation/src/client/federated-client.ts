/**
 * The client as a library: enrols, checks plan and rounds against the site's own policy, guards the budget, keeps the
 * ledger, and calls the program's task to train.
 *
 * @module
 */
import path from 'node:path';
import { fromUtf8, toBase64 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { logOrigin, modelHash } from '@sotto/governance';
import type { ClientConfig } from '../config/client-config.ts';
import { type Party, loadOrEnrol } from '../enrolment/party.ts';
import { decodeWeights } from '../plan/model.ts';
import { methods } from '../rpc/methods.ts';
import type { AwaitRoundResponse, LedgerPart, RoundOffer } from '../rpc/wire.ts';
import { errorFields } from '../service/log.ts';
import type { ServiceOptions, Stoppable } from '../service/service.ts';
import { type World, worldOf } from '../service/world.ts';
import { admitPlan, takeOffer } from './admission.ts';
import { exactBudget, spentEpsilon } from './budget.ts';
import { ClientStore } from './client-store.ts';
import { CoordinatorSession, type Greeting } from './coordinator-session.ts';
import type { ClientTask, PreparedTask } from './task.ts';

const awaitTimeoutMs = 60_000;
const publishTimeoutMs = 600_000;

/** Options of {@link FederatedClient}. */
export interface FederatedClientOptions extends ServiceOptions {
  readonly config: ClientConfig;
  readonly task: ClientTask;
}

/** How a run ended for this client. */
export interface RunOutcome {
  readonly runId: string;
  /** Rounds that this client's input may be part of. */
  readonly contributed: number;
  /** ε spent, at the δ of the budget. */
  readonly epsilonSpent: number;
  /** The final model, flat, in model order. */
  readonly weights: Float32Array;
}

interface Running {
  readonly party: Party;
  readonly store: ClientStore;
  readonly session: CoordinatorSession;
  readonly greeting: Greeting;
  readonly task: PreparedTask;
}

/**
 * A data owner's client. It works from its construction on; `finished` resolves at the end of the run, and rejects with a
 * `SottoError`: `cancelled` after `stop`, `permission-denied` by the site policy, `integrity` where the coordinator's log
 * was rewound or a signature fails.
 */
export class FederatedClient implements Stoppable {
  readonly finished: Promise<RunOutcome>;
  readonly #config: ClientConfig;
  readonly #task: ClientTask;
  readonly #world: World;
  readonly #control: AbortController = new AbortController();
  #store: ClientStore | undefined;
  #session: CoordinatorSession | undefined;
  #finishedRound: number | undefined;

  constructor(options: FederatedClientOptions) {
    this.#config = { ...options.config, budget: exactBudget(options.config.budget) };
    this.#task = options.task;
    this.#world = worldOf(this.#config.id, options);
    this.finished = this.#run().finally(() => {
      this.#session?.close();
      this.#store?.close();
      void this.#world.close();
    });
    this.finished.catch((reason: unknown) => {
      const fields = errorFields(reason);
      if (fields.code === 'cancelled') this.#world.log.info('service.stopped');
      else this.#world.log.error('client.failed', fields);
    });
  }

  /** Leaves: a round in hand is given up. Resolves when the store is closed. */
  async stop(): Promise<void> {
    this.#control.abort(new SottoError('cancelled', 'the client was stopped'));
    await this.finished.catch(() => undefined);
  }

  /** Drops everything at once, as SIGKILL would: for tests of crashes. */
  abandon(): void {
    this.#store?.close();
    this.#session?.close();
    this.#control.abort(new SottoError('cancelled', 'the client is gone'));
  }

  async #run(): Promise<RunOutcome> {
    const { signal } = this.#control;
    const running = await this.#open();
    if ('weights' in running) return running;
    try {
      for (;;) {
        const answer = await this.#awaitRound(running);
        if (signal.aborted) throw SottoError.from(signal.reason);
        if (answer.type === 'finished') return await this.#finish(running, answer);
        if (answer.type === 'offer') await this.#play(running, answer.offer);
      }
    } finally {
      await running.task.close?.();
    }
  }

  /** Enrols, opens the ledger, meets the coordinator, accepts the plan, prepares the task. */
  async #open(): Promise<Running | RunOutcome> {
    const config = this.#config;
    const world = this.#world;
    const { signal } = this.#control;
    const party = await loadOrEnrol({ ...config, role: 'client', serverNames: [] }, world, signal);
    const origin = logOrigin(party.trust.trustDomain, config.id);
    const store = new ClientStore(path.join(config.directory, 'client.db'), world.crypto, origin, party.ledgerSeed);
    this.#store = store;
    this.#enrolSelf(store, party);
    const session = new CoordinatorSession({ config, world, party, store, signal });
    this.#session = session;
    const past = this.#pastOutcome(store);
    const greeting = past === undefined ? await session.connect() : await this.#meetAgain(session);
    if (greeting === undefined && past !== undefined) {
      const { runId, contributed, epsilonSpent } = past;
      world.log.info('client.finished', { runId, contributed, epsilonSpent, coordinator: 'gone' });
      return past;
    }
    if (greeting === undefined) throw new SottoError('internal', 'no greeting');
    const { plan } = greeting.prepared;
    const task = await admitPlan({ config, world, store, task: this.#task }, greeting.prepared);
    world.log.info('client.joined', { runId: plan.runId, planHash: greeting.prepared.hash });
    const entered = store.entered(plan.runId).round;
    const ended = store.ledger.ledger.state.runs.get(plan.runId);
    if (
      entered > 0 &&
      ended?.complete === undefined &&
      ended?.observations.every(({ entry }) => entry.round !== entered) === true
    ) {
      // This process ended during that round; its secrets are gone with it.
      world.log.info('client.sat-out', { round: entered });
    }
    return { party, store, session, greeting, task };
  }

  /** How the last run ended, where every run in the ledger is complete. */
  #pastOutcome(store: ClientStore): RunOutcome | undefined {
    const runs = [...store.ledger.ledger.state.runs];
    const [runId] = runs.at(-1) ?? [];
    if (runId === undefined || runs.some(([, run]) => run.complete === undefined)) return undefined;
    const weights = store.finalModel(runId);
    return weights === undefined ? undefined : this.#outcome(store, runId, decodeWeights(weights, weights.length / 4));
  }

  /** A coordinator that is gone after the last run may never come back; one with a new run is there soon. */
  async #meetAgain(session: CoordinatorSession): Promise<Greeting | undefined> {
    const farewell = AbortSignal.timeout(this.#config.farewellMs);
    try {
      return await session.connect(AbortSignal.any([this.#control.signal, farewell]));
    } catch (reason) {
      if (farewell.aborted && !this.#control.signal.aborted) return undefined;
      throw reason;
    }
  }

  #outcome(store: ClientStore, runId: string, weights: Float32Array): RunOutcome {
    const account = store.ledger.ledger.state.accounts.get(this.#config.id);
    const contributed = (account?.reservations ?? []).filter(
      ({ reserve, status }) => reserve.entry.runId === runId && status === 'contributed',
    ).length;
    return { runId, contributed, epsilonSpent: account === undefined ? 0 : spentEpsilon(account), weights };
  }

  #enrolSelf(store: ClientStore, party: Party): void {
    const certificate = toBase64(party.certificate);
    if (store.ledger.ledger.state.parties.get(this.#config.id)?.entry.certificate === certificate) return;
    store.ledger.append({
      kind: 'enrol',
      version: 1,
      timeMs: this.#world.nowMs(),
      party: this.#config.id,
      role: 'client',
      trustDomain: party.trust.trustDomain,
      certificate,
      trustFingerprint: party.trustFingerprint,
    });
  }

  async #awaitRound({ greeting, session, store }: Running): Promise<AwaitRoundResponse['answer']> {
    const { runId } = greeting.prepared.plan;
    const entered = store.entered(runId);
    const request = { knownLogSize: session.knownLogSize, lastRound: entered.round, lastAttempt: entered.attempt };
    const { answer, log } = await session.call(methods.awaitRound, request, awaitTimeoutMs).catch(async (reason: unknown) => {
      // The answer may have been about a log of another size than the one that a new hello has shown meanwhile: ask again.
      if (
        reason instanceof SottoError &&
        (reason.code === 'deadline-exceeded' || reason.code === 'unauthenticated') &&
        !this.#control.signal.aborted
      ) {
        session.close();
        // Perhaps only the hello is missing; where it is refused too, that is the end.
        if (reason.code === 'unauthenticated') await session.connect();
        return { answer: { type: 'nothing' } as const, log: undefined };
      }
      throw reason;
    });
    // A hello in between has moved on already; the proof in this answer is from the size that was asked for.
    if (log !== undefined && request.knownLogSize === session.knownLogSize) session.witness(log);
    if (session.knownLogSize > (store.ledger.ledger.state.lastSeen?.size ?? 0)) this.#observe(runId, session, store);
    return answer;
  }

  /** Writes down, as a witness, that the coordinator's log has grown. */
  #observe(runId: string, session: CoordinatorSession, store: ClientStore): void {
    const run = store.ledger.ledger.state.runs.get(runId);
    const note = session.checkpointNote;
    if (run === undefined || run.complete !== undefined || note === undefined) return;
    const base = { kind: 'observe', version: 1, timeMs: this.#world.nowMs(), runId, checkpoint: fromUtf8(note) } as const;
    const round = this.#finishedRound;
    store.ledger.append(round === undefined ? { ...base, outcome: 'seen' } : { ...base, outcome: 'published', round });
    this.#finishedRound = undefined;
  }

  async #play(running: Running, offer: RoundOffer): Promise<void> {
    const parts = { ...running, config: this.#config, world: this.#world, signal: this.#control.signal };
    this.#finishedRound = (await takeOffer(parts, offer)) ?? this.#finishedRound;
  }

  async #finish(
    running: Running,
    answer: Extract<AwaitRoundResponse['answer'], { readonly type: 'finished' }>,
  ): Promise<RunOutcome> {
    const { greeting, store, session } = running;
    const { crypto, log, nowMs } = this.#world;
    const { plan, model } = greeting.prepared;
    const { ledger } = store.ledger;
    const weights = decodeWeights(answer.weights, model.parameterCount);
    if (ledger.state.runs.get(plan.runId)?.complete === undefined) {
      const entry = {
        kind: 'complete',
        version: 1,
        timeMs: nowMs(),
        runId: plan.runId,
        published: answer.published,
        aborted: answer.aborted,
        modelHash: modelHash(crypto, weights),
      } as const;
      store.complete(entry, answer.weights);
    }
    const checkpoint = store.ledger.checkpoint();
    const leaves = ledger.log.entries();
    const parts = function* (): Generator<LedgerPart> {
      yield { type: 'checkpoint', checkpoint };
      for (const entry of leaves) yield { type: 'entry', entry };
    };
    await session.upload(methods.publishLedger, parts, publishTimeoutMs);
    const outcome = this.#outcome(store, plan.runId, weights);
    const { runId, contributed, epsilonSpent } = outcome;
    log.info('client.finished', { runId, contributed, epsilonSpent });
    return outcome;
  }
}
