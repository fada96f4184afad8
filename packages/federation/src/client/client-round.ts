/**
 * One round at a data owner: checks the offer, runs the client's state machine, and makes durable what must be durable
 * before the next byte leaves: the reservation before any noise, *contributed* before the masked input, *answered* before
 * the shares.
 *
 * @module
 */
import { fromHex, toHex, wipe } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { type ReservationEvidence, encodeEvidence, reservationEvidence } from '@sotto/governance';
import {
  type ClientSetup,
  type ClientState,
  type ClientStep,
  contextHash,
  quantise,
  startClient,
  stepClient,
} from '@sotto/secagg';
import type { ClientConfig } from '../config/client-config.ts';
import type { Party } from '../enrolment/party.ts';
import { decodeWeights, splitTensors } from '../plan/model.ts';
import { metricBits, partyOf } from '../plan/plan.ts';
import { type RoundTerms, offerStatement, roundContext } from '../plan/terms.ts';
import { pause } from '../rpc/backoff.ts';
import { chunkBytes, methods } from '../rpc/methods.ts';
import type { MaskedInputPart, RoundOffer } from '../rpc/wire.ts';
import { orAborted } from '../service/abort.ts';
import { errorFields } from '../service/log.ts';
import type { World } from '../service/world.ts';
import { refusal, spentEpsilon } from './budget.ts';
import type { ClientStore } from './client-store.ts';
import type { CoordinatorSession, Greeting } from './coordinator-session.ts';
import { secaggPolicy } from './site-policy.ts';
import type { PreparedTask } from './task.ts';

/** What a round is played with. */
export interface RoundParts {
  readonly config: ClientConfig;
  readonly world: World;
  readonly party: Party;
  readonly store: ClientStore;
  readonly session: Pick<CoordinatorSession, 'call' | 'upload'>;
  readonly greeting: Greeting;
  readonly task: PreparedTask;
  readonly signal: AbortSignal;
}

/** Time beyond the round's deadline that a call waits for an answer, for clocks that differ. */
const slackMs = 5_000;

type Ready = Extract<ClientState, { readonly phase: 'ready-for-input' }>;
type Masking = Extract<ClientState, { readonly phase: 'masking' }>;

/** One round in progress. */
export class ClientRound {
  readonly #parts: RoundParts;
  readonly #offer: RoundOffer;
  readonly #setup: ClientSetup;
  readonly #weights: Float32Array;
  #reservation: number | undefined;
  #reservedMs = 0;
  #evidence: ReservationEvidence | undefined;
  #contributed = false;

  /** Checks the offer; throws `integrity` for one that the coordinator did not sign, `permission-denied` by policy. */
  constructor(parts: RoundParts, offer: RoundOffer) {
    const { world, party, greeting, config } = parts;
    const { prepared, coordinator } = greeting;
    if (offer.round < 1 || offer.round > prepared.plan.rounds) {
      throw new SottoError('protocol-violation', `round ${offer.round} is not one of the ${prepared.plan.rounds} planned`);
    }
    const weights = decodeWeights(offer.weights, prepared.model.parameterCount);
    const terms: RoundTerms = { ...offer, weights, coordinatorKey: coordinator.signingKey };
    const context = roundContext(world.crypto, prepared, terms);
    if (
      !world.crypto.ed25519Verify(coordinator.signingKey, offerStatement(contextHash(world.crypto, context)), offer.signature)
    ) {
      throw new SottoError(
        'integrity',
        `the offer of round ${offer.round} is not signed by the coordinator for this plan and model`,
      );
    }
    this.#parts = parts;
    this.#offer = offer;
    this.#weights = weights;
    this.#setup = {
      crypto: world.crypto,
      random: world.random,
      context,
      certificate: party.certificate,
      signingSeed: party.signingSeed,
      trust: party.trust,
      revokedSerials: config.policy.revoked.map(fromHex),
      policy: secaggPolicy(config.policy),
      masking: 'deferred',
    };
  }

  /** Whether a masked input may have left. */
  get contributed(): boolean {
    return this.#contributed;
  }

  /** Plays the round to its receipt; throws where it is given up. */
  async play(): Promise<void> {
    let step = startClient(this.#setup);
    try {
      await this.#playFrom(step, (next) => {
        step = next;
      });
    } finally {
      // Whatever ended the round, its secrets do not outlive it.
      wipe(...step.consumed, ...stepClient(this.#setup, step.state, { type: 'cancel', reason: 'the round has ended' }).consumed);
    }
  }

  /** Plays from a step on and tells of every step that it takes. */
  async #playFrom(first: ClientStep, onStep: (step: ClientStep) => void): Promise<void> {
    const { world } = this.#parts;
    let step = first;
    for (;;) {
      step = this.#makeDurable(step);
      onStep(step);
      wipe(...step.consumed);
      const { state } = step;
      if (state.phase === 'done') return;
      if (state.phase === 'aborted') {
        await this.#complain(step.outgoing);
        throw new SottoError('protocol-aborted', `${state.abort.code}: ${state.abort.message}`);
      }
      if (state.phase === 'ready-for-input') {
        step = stepClient(this.#setup, state, { type: 'input', vectors: await this.#input(state) });
        onStep(step);
        continue;
      }
      if (state.phase === 'masking') {
        await this.#mask(state);
        step = stepClient(this.#setup, state, { type: 'masked' });
        onStep(step);
        continue;
      }
      const [outgoing] = step.outgoing;
      if (outgoing === undefined) throw new SottoError('internal', `nothing to send in phase ${state.phase}`);
      const message = await this.#exchange(state, outgoing);
      step = stepClient(this.#setup, state, { type: 'message', message, nowMs: world.nowMs() });
      onStep(step);
      if (state.phase === 'awaiting-delivery' && step.state.phase === 'ready-for-input') {
        world.log.info('client.shared', { round: this.#offer.round });
      }
    }
  }

  /** Creates the records that a step names, before its message may leave. */
  #makeDurable(step: ClientStep): ClientStep {
    const { store, greeting } = this.#parts;
    for (const effect of step.effects) {
      if (effect.type !== 'record') continue;
      let created: boolean;
      if (effect.record === 'answered') created = store.record(effect.key);
      else {
        if (step.state.phase !== 'awaiting-survivors' || this.#reservation === undefined) {
          throw new SottoError('internal', 'a contribution without a reservation');
        }
        created = store.contribute(effect.key, {
          kind: 'contribute',
          version: 1,
          // The reservation's time, not the clock's: in the exported ledger, the difference would tell how long training
          // took, and with it how many records were sampled.
          timeMs: this.#reservedMs,
          runId: greeting.prepared.plan.runId,
          round: this.#offer.round,
          sid: toHex(step.state.session.sid),
          reservation: this.#reservation,
          inputHash: toHex(step.state.entry.inputHash),
        });
        this.#contributed = created;
      }
      if (!created) {
        // The step that is not taken hands its own secrets out as well.
        const refused = stepClient(this.#setup, step.state, { type: 'record-refused' });
        return { ...refused, consumed: [...step.consumed, ...refused.consumed] };
      }
    }
    return step;
  }

  /** Reserves, trains and quantises: the only place where private data are touched. */
  async #input(state: Ready): Promise<readonly Uint32Array[]> {
    const { config, greeting, store, task, world } = this.#parts;
    const { plan, model, hash } = greeting.prepared;
    const { round } = this.#offer;
    await this.#drill();
    const account = store.ledger.ledger.state.accounts.get(config.id);
    if (account === undefined) throw new SottoError('internal', 'the account is not open');
    const over = refusal(config, plan, task, account);
    if (over !== undefined) throw new SottoError('budget-exhausted', `round ${round}: ${over}`);
    this.#reservedMs = world.nowMs();
    this.#reservation = store.ledger.append({
      kind: 'reserve',
      version: 1,
      timeMs: this.#reservedMs,
      runId: plan.runId,
      round,
      planHash: hash,
      account: config.id,
      event: task.event,
      mechanism: task.mechanism,
    });
    this.#evidence = reservationEvidence(world.crypto, store.ledger.ledger, this.#reservation, this.#parts.party.ledgerSeed);
    world.log.debug('client.reserved', { round, members: state.u1.length });
    const { update, metrics } = await orAborted(
      task.train({ round, weights: splitTensors(model, this.#weights) }),
      this.#parts.signal,
    );
    if (update.length !== model.parameterCount) {
      throw new SottoError(
        'invalid-argument',
        `the task's update has ${update.length} elements; the model has ${model.parameterCount}`,
      );
    }
    const most = 2 ** metricBits - 1;
    if (!(
      metrics.correct >= 0 &&
      metrics.correct <= metrics.total &&
      metrics.total <= most &&
      Number.isSafeInteger(metrics.correct) &&
      Number.isSafeInteger(metrics.total)
    )) {
      throw new SottoError('invalid-argument', `the task's metrics must be counts of at most ${most}, correct ≤ total`);
    }
    const { weight } = partyOf(plan, config.id);
    const { levels, clipped } = quantise(
      update.map((value) => weight * value),
      this.#setup.context.quantiser,
    );
    if (clipped > 0) world.log.warn('client.clipped', { round, elements: clipped });
    return [levels, Uint32Array.of(metrics.correct, metrics.total)];
  }

  /** Puts the masks on; ends with the client, and at the deadline of the round. */
  async #mask({ job }: Masking): Promise<void> {
    const { world, signal } = this.#parts;
    await world.masking.run(job, AbortSignal.any([signal, AbortSignal.timeout(this.#timeLeftMs())]));
  }

  /**
   * Tells the coordinator why this client leaves, where the protocol has a word for it: the other side of a pair must leave
   * too. A complaint that does not arrive changes nothing here; the round is left all the same.
   */
  async #complain(outgoing: readonly Uint8Array[]): Promise<void> {
    const { session, world } = this.#parts;
    const { round, attempt } = this.#offer;
    for (const message of outgoing) {
      try {
        await session.call(methods.complain, { round, attempt, message }, this.#timeLeftMs());
        world.log.warn('client.complained', { round });
      } catch (reason) {
        world.log.warn('client.complaint-lost', { round, ...errorFields(reason) });
      }
    }
  }

  /** A rehearsed drop-out: the shares are out, nothing masked is; waits to be killed. */
  async #drill(): Promise<void> {
    const { drill } = this.#parts.config;
    if (drill === undefined || drill.round !== this.#offer.round) return;
    this.#parts.world.log.info('client.drill', { round: drill.round });
    await pause(drill.timeoutMs, this.#parts.signal);
  }

  /** Sends the message of a phase and waits for the frozen outcome. */
  async #exchange(state: ClientState, message: Uint8Array): Promise<Uint8Array> {
    const { session } = this.#parts;
    const { round, attempt } = this.#offer;
    const timeoutMs = this.#timeLeftMs();
    const request = { round, attempt, message };
    switch (state.phase) {
      case 'awaiting-roster':
        return await session.call(methods.advertise, request, timeoutMs);
      case 'awaiting-delivery':
        return await session.call(methods.shareKeys, request, timeoutMs);
      case 'awaiting-survivors': {
        const answer = await session.upload(methods.maskedInput, () => this.#maskedInput(message), timeoutMs);
        this.#logContribution();
        return answer;
      }
      case 'awaiting-confirmations':
        return await session.call(methods.confirm, request, timeoutMs);
      case 'awaiting-receipt':
        return await session.call(methods.unmask, request, timeoutMs);
      default:
        throw new SottoError('internal', `phase ${state.phase} sends nothing`);
    }
  }

  *#maskedInput(message: Uint8Array): Generator<MaskedInputPart> {
    if (this.#evidence === undefined) throw new SottoError('internal', 'a masked input without evidence');
    const { round, attempt } = this.#offer;
    yield { type: 'head', round, attempt, totalBytes: message.length, evidence: encodeEvidence(this.#evidence) };
    for (let offset = 0; offset < message.length; offset += chunkBytes) {
      yield { type: 'chunk', chunk: message.subarray(offset, offset + chunkBytes) };
    }
  }

  #logContribution(): void {
    const { config, store, world } = this.#parts;
    const account = store.ledger.ledger.state.accounts.get(config.id);
    if (account === undefined) return;
    world.log.info('client.contributed', {
      round: this.#offer.round,
      epsilonSpent: spentEpsilon(account),
      epsilonBudget: config.budget.epsilon,
      delta: config.budget.delta,
    });
  }

  #timeLeftMs(): number {
    return Math.max(1_000, this.#offer.deadlineMs - this.#parts.world.nowMs() + slackMs);
  }
}
