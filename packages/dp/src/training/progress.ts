/**
 * How far the training of one model has come: the state of its weights, the session that is open, and what was looked at besides.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { ModelBinding } from './model-binding.ts';
import type { SessionInfo, SessionState, TrainingSession } from './session.ts';

/** The tfjs models that are being trained, by whichever object: two at once would overwrite each other's weights. Nothing is kept alive by it. */
const modelsInTraining = new WeakSet<object>();

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
  /** What was last read from the model or written to it. */
  #inModel: Float64Array;

  constructor(binding: ModelBinding) {
    this.#binding = binding;
    this.#inModel = binding.readWeights();
    this.state = {
      steps: 0,
      weights: this.#inModel,
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
    if (modelsInTraining.has(this.#binding.model)) {
      throw new SottoError(
        'conflict',
        'this model is being trained by another object of makePrivate, and they would overwrite each other; train it when that has ended (a loop over steps that is given up ends with return()), or train a copy',
      );
    }
    this.#busy = true;
    modelsInTraining.add(this.#binding.model);
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
    modelsInTraining.delete(this.#binding.model);
  }

  /** Asks the open session, where there is one, for its state. */
  async fetchState(): Promise<void> {
    if (this.#session !== undefined) this.state = await this.#session.state();
  }

  /**
   * Takes over weights that somebody wrote into the model between two trainings, as `fit` of tfjs would. Throws `conflict` where an average of the weights is kept, which they are no part of.
   * No session must be open.
   */
  takeModelWeights(): void {
    const weights = this.#binding.readWeights();
    if (weights.every((value, i) => Object.is(value, Math.fround(this.#inModel[i]!)))) return;
    if (this.state.average !== undefined) {
      throw new SottoError(
        'conflict',
        'the weights of the model were changed since training wrote them, and an average of them is kept; make the model private anew, or leave average out',
      );
    }
    this.#inModel = weights;
    this.state = { ...this.state, weights };
  }

  /** Writes the weights of the last fetched state into the model: their average, where one is kept. */
  writeWeights(): void {
    const { average, weights } = this.state;
    this.#inModel = average === undefined || average.step === 0 ? weights : average.values;
    this.#binding.writeWeights(this.#inModel);
  }
}
