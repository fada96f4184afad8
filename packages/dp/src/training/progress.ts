/**
 * How far the training of one model has come: the state of its weights, the session that is open, and what was looked at besides.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { ModelBinding } from './model-binding.ts';
import type { SessionInfo, SessionState, TrainingSession } from './session.ts';

/** See the module's description. One training at a time. */
export class Progress {
  /** The last state that was fetched, which is what a failure falls back to. */
  state: SessionState;
  /** Which examples the shuffled epoch under way is of. */
  epochTable: string | undefined;
  /** What the last session that trained told about itself. */
  info: SessionInfo | undefined;
  /** The grids on which noise was added so far, by the bits of their fineness. */
  readonly grids: Set<number> = new Set();
  /** Whether data declared outside the guarantee were evaluated. */
  outsideData = false;
  readonly #binding: ModelBinding;
  /** From when a training is asked for until it has ended. */
  #busy = false;
  #session: TrainingSession | undefined;

  constructor(binding: ModelBinding) {
    this.#binding = binding;
    this.state = {
      steps: 0,
      weights: binding.readWeights(),
      optimiser: undefined,
      average: undefined,
      mechanism: undefined,
    };
  }

  /** Throws `conflict` while the model is being trained. */
  mustRest(what: string): void {
    if (this.#busy) throw new SottoError('conflict', `this model is being trained; ${what} it when that has ended`);
  }

  /** Marks the model as being trained; {@link end} must follow. */
  begin(): void {
    this.mustRest('train');
    this.#busy = true;
  }

  /** The session that trains at present. */
  get session(): TrainingSession | undefined {
    return this.#session;
  }

  /** Takes the session that trains from now on. */
  attach(session: TrainingSession): void {
    this.#session = session;
    this.info = session.info;
    this.grids.add(session.info.gridBits);
  }

  end(): void {
    this.#session = undefined;
    this.#busy = false;
  }

  /** Asks the open session, where there is one, for its state. */
  async fetchState(): Promise<void> {
    if (this.#session !== undefined) this.state = await this.#session.state();
  }

  /** Writes the weights of the last fetched state into the model: their average, where one is kept. */
  writeWeights(): void {
    const { average, weights } = this.state;
    this.#binding.writeWeights(average === undefined || average.step === 0 ? weights : average.values);
  }
}
