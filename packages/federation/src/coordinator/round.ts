/**
 * One attempt at one round: feeds the pure state machine with what arrives, closes each stage when everybody who can
 * still answer has answered or its deadline passes, and hands the frozen outcome to the waiting calls.
 *
 * @module
 */
import { wipe } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import {
  type CollectingStage,
  type Incident,
  type MaskJob,
  type ServerSetup,
  type ServerState,
  type SumResult,
  frozenOutcome,
  messageName,
  stageStatus,
  startServer,
  stepServer,
} from '@sotto/secagg';
import type { Logger } from '../service/log.ts';

/** The stages in order. */
export const stages: readonly CollectingStage[] = ['advertise', 'share', 'masked', 'confirm', 'unmask'];

/** Why an attempt ended without a sum. */
export class RoundFailure extends Error {
  override readonly name = 'RoundFailure';
  readonly stage: CollectingStage;

  constructor(stage: CollectingStage, reason: string) {
    super(reason);
    this.stage = stage;
  }
}

/** What the round asks of its surroundings. */
export interface RoundHost {
  readonly setup: ServerSetup;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Deadline of each stage, ms from its start. */
  readonly stageMs: { readonly [stage in CollectingStage]: number };
  /** Whether a member can still answer: connected, or lost so recently that it may be back. */
  readonly canAnswer: (id: string) => boolean;
  /** Called with the stage that begins and its members, before anything of the last stage's outcome is shown: make it durable here. */
  readonly onStage: (stage: CollectingStage, members: readonly string[]) => void;
  /** Takes the masks off the sum; rejects when the signal aborts. */
  readonly unmask: (job: MaskJob, signal: AbortSignal) => Promise<void>;
  /** Called with what a member did wrong, or what went wrong about it. */
  readonly onIncident: (incident: Incident) => void;
  /** The encoded event for the receipt. */
  readonly event: () => Uint8Array;
}

interface StageGate {
  readonly closed: Promise<void>;
  readonly open: () => void;
}

/** A running attempt. */
export class CoordinatorRound {
  readonly round: number;
  readonly attempt: number;
  readonly #host: RoundHost;
  readonly #invited: Set<string>;
  readonly #withdrawn: Set<string> = new Set();
  readonly #gates: ReadonlyMap<CollectingStage, StageGate>;
  #state: ServerState;
  #wake: () => void = () => undefined;
  #failure: RoundFailure | undefined;
  #result: SumResult | undefined;
  readonly #given: AbortController = new AbortController();
  /** Resolves when the masks are off; nothing is taken in before. */
  #unmasked: Promise<void> | undefined;

  constructor(host: RoundHost, invited: readonly string[]) {
    this.#host = host;
    this.round = host.setup.context.round;
    this.attempt = host.setup.context.attempt;
    this.#invited = new Set(invited);
    this.#state = startServer(host.setup);
    this.#gates = new Map(stages.map((stage) => [stage, gate()]));
  }

  /** What the attempt has come to; for publishing once {@link run} has resolved. */
  get state(): ServerState {
    return this.#state;
  }

  /** The stage that collects now, or `undefined` at the end. */
  get stage(): CollectingStage | undefined {
    return stages.find((stage) => stage === this.#state.stage);
  }

  /** Whether the party may get an offer: the roster is open and it has not left. */
  admits(id: string): boolean {
    return this.#failure === undefined && this.#state.stage === 'advertise' && !this.#withdrawn.has(id);
  }

  /** A late party, while the roster is open. */
  invite(id: string): void {
    this.#invited.add(id);
  }

  /** The party says, by asking for another round, that it is not in this one any more. */
  withdraw(id: string): void {
    this.#withdrawn.add(id);
    this.#wake();
  }

  /** Somebody came or went. */
  presenceChanged(): void {
    this.#wake();
  }

  /** Gives the attempt up. */
  cancel(reason: string): void {
    this.#fail(new RoundFailure(this.stage ?? 'unmask', reason));
  }

  /** Takes a member's message in and waits for the frozen outcome of its stage; throws what the member shall be told. */
  async deliver(stage: CollectingStage, from: string, message: Uint8Array): Promise<Uint8Array> {
    // The machine takes no message while the masks come off, and a member may have to ask again for its receipt.
    await this.#unmasked;
    if (this.#failure !== undefined) throw this.#over();
    if (stages.indexOf(stage) > stages.indexOf(this.stage ?? 'unmask') && this.stage !== undefined) {
      throw new SottoError('protocol-violation', `a message of stage ${stage} came during ${this.stage}`);
    }
    this.#receive(stage, from, message);
    await this.#gates.get(stage)?.closed;
    if (this.#failure !== undefined) throw this.#over();
    const outcome = frozenOutcome(this.#state, stage, from);
    if (outcome === undefined) {
      throw new SottoError('protocol-aborted', `${from} is not in the set that stage ${stage} of round ${this.round} has frozen`);
    }
    return outcome;
  }

  /** Takes the complaint of a member that leaves; there is nothing to wait for. */
  complain(from: string, message: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#over();
    if (messageName(message) !== 'complaint') throw new SottoError('protocol-violation', `${from} sent no complaint`);
    this.#receive('masked', from, message);
  }

  #receive(stage: CollectingStage, from: string, message: Uint8Array): void {
    const step = stepServer(this.#host.setup, this.#state, { type: 'message', from, message, nowMs: this.#host.nowMs() });
    this.#take(step);
    if (step.verdict?.type === 'refused') {
      this.#host.log.warn('message.refused', {
        round: this.round,
        stage,
        peer: from,
        code: step.verdict.abort.code,
        reason: step.verdict.abort.message,
      });
      throw new SottoError('protocol-violation', `the message of stage ${stage} is refused: ${step.verdict.abort.message}`);
    }
    this.#wake();
  }

  /** Runs all stages. The last outcome, the receipt, is shown only after {@link release}. */
  async run(): Promise<SumResult> {
    try {
      for (const stage of stages) await this.#runStage(stage);
    } finally {
      // Where it was given up, the shares that were opened do not outlive it.
      this.#take(stepServer(this.#host.setup, this.#state, { type: 'cancel', reason: 'the round has ended' }));
    }
    if (this.#result === undefined) throw new SottoError('internal', 'the round ended without a result');
    return this.#result;
  }

  async #runStage(stage: CollectingStage): Promise<void> {
    this.#host.onStage(stage, this.#expected(stage));
    const previous = stages[stages.indexOf(stage) - 1];
    if (previous !== undefined) this.#gates.get(previous)?.open();
    await this.#untilComplete(stage);
    if (this.#failure === undefined) {
      const close =
        stage === 'unmask' ? ({ type: 'closeStage', event: this.#host.event() } as const) : ({ type: 'closeStage' } as const);
      const step = stepServer(this.#host.setup, this.#state, close);
      this.#take(step);
      for (const effect of step.effects) if (effect.type === 'unmask') await this.#removeMasks(effect.job);
      if (this.#state.stage === 'aborted') this.#fail(new RoundFailure(stage, this.#state.abort?.message ?? 'the stage failed'));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #removeMasks(job: MaskJob): Promise<void> {
    let done: () => void = () => undefined;
    this.#unmasked = new Promise((resolve) => (done = resolve));
    try {
      await this.#host.unmask(job, this.#given.signal);
      if (this.#failure === undefined) this.#take(stepServer(this.#host.setup, this.#state, { type: 'masksRemoved' }));
    } catch (reason) {
      if (this.#failure === undefined) throw reason;
    } finally {
      wipe(...job.streams.flatMap(({ keys }) => keys));
      this.#unmasked = undefined;
      done();
    }
  }

  /** Shows the receipt to the members: the result is durable. */
  release(): void {
    this.#gates.get('unmask')?.open();
  }

  #expected(stage: CollectingStage): readonly string[] {
    if (stage === 'advertise') return [...this.#invited];
    return stageStatus(this.#host.setup, this.#state).expected ?? [];
  }

  async #untilComplete(stage: CollectingStage): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, this.#host.stageMs[stage]);
      this.#wake = () => {
        if (this.#failure !== undefined || this.#nobodyLeft(stage)) done();
      };
      this.#wake();
    });
  }

  #nobodyLeft(stage: CollectingStage): boolean {
    const received = new Set(stageStatus(this.#host.setup, this.#state).received);
    return this.#expected(stage).every((id) => received.has(id) || this.#withdrawn.has(id) || !this.#host.canAnswer(id));
  }

  #take(step: ReturnType<typeof stepServer>): void {
    this.#state = step.state;
    for (const effect of step.effects) {
      if (effect.type === 'result') this.#result = effect.result;
      else if (effect.type === 'incident') this.#host.onIncident(effect.incident);
    }
    wipe(...step.consumed);
  }

  #fail(failure: RoundFailure): void {
    this.#failure ??= failure;
    this.#given.abort(this.#failure);
    for (const { open } of this.#gates.values()) open();
    this.#wake();
  }

  #over(): SottoError {
    return new SottoError('protocol-aborted', `round ${this.round} was given up: ${this.#failure?.message ?? 'it is over'}`);
  }
}

function gate(): StageGate {
  let open: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => (open = resolve));
  return { closed, open };
}
