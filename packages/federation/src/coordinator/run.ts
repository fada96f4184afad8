/**
 * The planned rounds of one run, one after the other, on top of a durable store: each ends with a publish or an abort
 * entry, the last one is followed by the end of the run, the clients' ledgers and the export.
 *
 * @module
 */
import { fromHex, toBase64 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { canonicalJsonBytes } from '@sotto/core/json';
import { encodeEvent } from '@sotto/core/event';
import { type ReservationEvidence, type RoundStage, modelHash } from '@sotto/governance';
import { type CollectingStage, type SumResult, contextHash, roundParameters } from '@sotto/secagg';
import type { CoordinatorConfig } from '../config/coordinator-config.ts';
import type { Party } from '../enrolment/party.ts';
import { decodeWeights, encodeWeights } from '../plan/model.ts';
import { type PreparedPlan, type RoundTerms, initialWeights, offerStatement, planEntry, roundContext } from '../plan/terms.ts';
import type { RoundOffer } from '../rpc/wire.ts';
import type { World } from '../service/world.ts';
import type { CoordinatorStore } from './coordinator-store.ts';
import { writeExport } from './export.ts';
import { LedgerCollection } from './ledger-collection.ts';
import { recordIncident } from './incidents.ts';
import { Lobby } from './lobby.ts';
import { Presence } from './presence.ts';
import { type Publication, publication } from './publish.ts';
import { CoordinatorRound, RoundFailure } from './round.ts';

/** Attempts at one round before it is aborted for good; more than the protocol allows would change nothing. */
const maxAttempts = 16;

/** What a run is made of. */
export interface RunParts {
  readonly config: CoordinatorConfig;
  readonly world: World;
  readonly prepared: PreparedPlan;
  readonly party: Party;
  readonly store: CoordinatorStore;
}

/** One run of a plan. */
export class FederationRun {
  readonly parts: RunParts;
  readonly lobby: Lobby<RoundOffer> = new Lobby();
  /** Evidence of the present attempt, by client. */
  readonly evidence: Map<string, ReservationEvidence> = new Map();
  /** Resolves when {@link stop} is called. */
  readonly untilStopped: Promise<void>;
  readonly presence: Presence;
  readonly ledgers: LedgerCollection;
  readonly #control: AbortController = new AbortController();
  #cancelTimer: NodeJS.Timeout | undefined;
  #current: { readonly round: CoordinatorRound; readonly offer: RoundOffer } | undefined;

  /** Opens the run in the store; throws `conflict` where the store holds another plan under its id. */
  constructor(parts: RunParts) {
    this.parts = parts;
    this.untilStopped = new Promise((resolve) => this.#control.signal.addEventListener('abort', () => resolve(), { once: true }));
    const { store, prepared, party, world, config } = parts;
    this.presence = new Presence(config.disconnectGraceMs, () => this.#current?.round.presenceChanged());
    this.ledgers = new LedgerCollection({
      parties: prepared.plan.parties.map(({ id }) => id),
      mirrored: () => store.mirrored(),
      signal: this.#control.signal,
    });
    const { ledger } = store.ledger;
    if (ledger.size === 0) {
      store.ledger.append({
        kind: 'enrol',
        version: 1,
        timeMs: world.nowMs(),
        party: config.id,
        role: 'coordinator',
        trustDomain: party.trust.trustDomain,
        certificate: toBase64(party.certificate),
        trustFingerprint: party.trustFingerprint,
      });
    }
    const run = ledger.state.runs.get(prepared.plan.runId);
    if (run === undefined) store.ledger.append(planEntry(prepared, world.nowMs()));
    else if (run.plan.entry.planHash !== prepared.hash) {
      throw new SottoError(
        'conflict',
        `${config.directory} holds the run ${prepared.plan.runId} with another plan (${run.plan.entry.planHash}); give the new plan another runId, or restore the old plan`,
      );
    }
    this.#giveUpRoundInHand();
  }

  get stopped(): boolean {
    return this.#control.signal.aborted;
  }

  /** The round that is being played, and its offer. */
  get current(): { readonly round: CoordinatorRound; readonly offer: RoundOffer } | undefined {
    return this.#current;
  }

  /** How far the run is, from the ledger. */
  get progress(): { readonly published: number; readonly aborted: number; readonly complete: boolean } {
    const run = this.parts.store.ledger.ledger.state.runs.get(this.parts.prepared.plan.runId);
    return { published: run?.published ?? 0, aborted: run?.aborted ?? 0, complete: run?.complete !== undefined };
  }

  /** The weights now. */
  get weights(): Float32Array {
    const { model } = this.parts.prepared;
    const stored = this.parts.store.weights();
    return stored === undefined ? initialWeights(model) : decodeWeights(stored, model.parameterCount);
  }

  /** Begins no new round, and gives the round in hand up after `graceMs`. */
  stop(graceMs: number): void {
    this.#control.abort(new SottoError('cancelled', 'the coordinator is stopping'));
    const cancel = (): void => this.#current?.round.cancel('the coordinator was stopped');
    if (graceMs === 0) cancel();
    else if (this.#current !== undefined) this.#cancelTimer = setTimeout(cancel, graceMs);
  }

  /** Plays what is left of the plan, then collects the ledgers and exports. */
  async play(): Promise<void> {
    try {
      await this.#play();
    } finally {
      clearTimeout(this.#cancelTimer);
    }
  }

  async #play(): Promise<void> {
    const { prepared, store, world, config } = this.parts;
    for (;;) {
      const { published, aborted, complete } = this.progress;
      if (complete) break;
      const round = published + aborted + 1;
      if (round <= prepared.plan.rounds) {
        await this.#playRound(round);
        if (this.stopped) return;
        continue;
      }
      store.ledger.append({
        kind: 'complete',
        version: 1,
        timeMs: world.nowMs(),
        runId: prepared.plan.runId,
        published,
        aborted,
        modelHash: modelHash(world.crypto, this.weights),
      });
      world.log.info('run.completed', { published, aborted });
    }
    this.lobby.finish();
    await this.ledgers.untilComplete(config.collectMs, (parties) => {
      world.log.warn('ledgers.missing', { parties });
    });
    if (writeExport(this.parts, this.weights)) world.log.info('export.written', { directory: config.exportDirectory });
  }

  #giveUpRoundInHand(): void {
    const { store, prepared, world } = this.parts;
    const left = store.roundInHand();
    if (left === undefined) return;
    const reason = 'the coordinator ended during the round';
    store.end({
      kind: 'abort',
      version: 1,
      timeMs: world.nowMs(),
      runId: prepared.plan.runId,
      round: left.round,
      attempt: left.attempt,
      stage: left.stage,
      reason,
      spent: left.members,
    });
    world.log.warn('round.aborted', { round: left.round, stage: left.stage, reason });
  }

  async #playRound(round: number): Promise<void> {
    const { prepared, store, world } = this.parts;
    const { plan } = prepared;
    const enough = (count: number): boolean => {
      try {
        roundParameters(count, plan.secagg);
        return true;
      } catch {
        return false;
      }
    };
    for (let attempt = 1; ; attempt++) {
      await this.lobby.quorum(plan.parties.length, enough, plan.deadlines.joinMs, this.#control.signal);
      if (this.stopped) return;
      try {
        await this.#playAttempt(round, attempt);
        return;
      } catch (reason) {
        if (!(reason instanceof RoundFailure)) throw reason;
        const early = reason.stage === 'advertise' || reason.stage === 'share';
        if (early && attempt < maxAttempts && !this.stopped) {
          // U1 was shown to nobody, so nobody can have reserved anything for this round.
          store.dropAttempt();
          world.log.warn('round.retried', { round, attempt, stage: reason.stage, reason: reason.message });
          continue;
        }
        const inHand = store.roundInHand();
        store.end({
          kind: 'abort',
          version: 1,
          timeMs: world.nowMs(),
          runId: plan.runId,
          round,
          attempt,
          stage: reason.stage,
          reason: reason.message.slice(0, 500),
          spent: inHand?.members ?? [],
        });
        world.log.warn('round.aborted', { round, stage: reason.stage, reason: reason.message });
        return;
      } finally {
        this.#current = undefined;
        this.evidence.clear();
      }
    }
  }

  async #playAttempt(round: number, attempt: number): Promise<void> {
    const { prepared, party, store, world } = this.parts;
    const { crypto, log } = world;
    const { joinMs: _, ...stageDeadlines } = prepared.plan.deadlines;
    const terms: RoundTerms = {
      round,
      attempt,
      weights: this.weights,
      deadlineMs: world.nowMs() + Object.values(stageDeadlines).reduce((sum, ms) => sum + ms, 0),
      coordinatorKey: crypto.ed25519PublicKey(party.signingSeed),
    };
    const context = roundContext(crypto, prepared, terms);
    const offer: RoundOffer = {
      round,
      attempt,
      weights: encodeWeights(terms.weights),
      deadlineMs: terms.deadlineMs,
      signature: crypto.ed25519Sign(party.signingSeed, offerStatement(contextHash(crypto, context))),
    };
    let sharers: readonly string[] = [];
    const running = new CoordinatorRound(
      {
        setup: {
          crypto,
          context,
          trust: party.trust,
          coordinatorSeed: party.signingSeed,
          revokedSerials: this.parts.config.revoked.map(fromHex),
          masking: 'deferred',
        },
        log,
        nowMs: world.nowMs,
        stageMs: {
          advertise: stageDeadlines.advertiseMs,
          share: stageDeadlines.shareMs,
          masked: stageDeadlines.maskedMs,
          confirm: stageDeadlines.confirmMs,
          unmask: stageDeadlines.unmaskMs,
        },
        canAnswer: (id) => this.presence.canAnswer(id),
        onStage: (stage: CollectingStage, members) => {
          if (stage === 'masked') sharers = [...members];
          store.enter({ round, attempt, stage: stage satisfies RoundStage, members: sharers });
          log.info('round.stage', { round, stage, members });
        },
        unmask: (job, signal) => world.masking.run(job, signal),
        onIncident: (incident) => recordIncident(this.parts, { round, attempt }, incident),
        event: () => this.#releasedEvents(),
      },
      this.lobby.ids,
    );
    this.evidence.clear();
    this.#current = { round: running, offer };
    log.info('round.started', { round, attempt });
    this.lobby.offer(offer);
    let result: SumResult;
    let published: Publication;
    try {
      result = await running.run();
      published = publication(crypto, {
        prepared,
        terms,
        state: running.state,
        result,
        evidence: this.evidence,
        timeMs: world.nowMs(),
      });
      store.end(published.entry, encodeWeights(published.weights));
    } catch (reason) {
      // What members reserved can be too long for a receipt or a ledger entry: that costs this round, not the coordinator.
      if (!(reason instanceof SottoError && reason.code === 'invalid-argument')) throw reason;
      running.cancel(`the result cannot be published: ${reason.message}`);
      throw new RoundFailure('unmask', `the result cannot be published: ${reason.message}`);
    }
    const { metrics } = published;
    running.release();
    const accuracy = metrics.total === 0 ? null : metrics.correct / metrics.total;
    log.info('round.published', { round, members: [...result.members], metrics: { accuracy, ...metrics } });
  }

  /** What the survivors reserved for this release, by party, for the receipt. */
  #releasedEvents(): Uint8Array {
    const { state } = this.#current?.round ?? {};
    const events = (state?.u2 ?? []).flatMap(({ id }) => {
      const reserved = this.evidence.get(id);
      return reserved === undefined ? [] : [[id, encodeEvent(reserved.reserve.event)] as const];
    });
    return canonicalJsonBytes(Object.fromEntries(events));
  }
}
