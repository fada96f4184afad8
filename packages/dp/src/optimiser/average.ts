/**
 * The exponential moving average of weights: often better than the last weights of a noisy training (De et al. 2022, §3.2), and free,
 * since it is post-processing of them.
 *
 * @module
 */
import { flag, integer, openProbability } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { knownKeys } from '../known-keys.ts';

/** How weights are averaged. */
export interface AverageOptions {
  /** β in (0, 1): what is kept at each step. */
  readonly decay: number;
  /** Whether step t (from 1) keeps at most (1 + t)/(10 + t), so that the first weights are soon forgotten. Default true. */
  readonly warmUp?: boolean;
}

/** The state of an average, for checkpoints. */
export interface AverageState {
  readonly step: number;
  readonly values: Float64Array;
}

/** a ← βₜ·a + (1 − βₜ)·w, from a = w at the first step on. */
export class WeightAverage {
  readonly #decay: number;
  readonly #warmUp: boolean;
  readonly #values: Float64Array;
  #step = 0;

  /**
   * @param dimension D, the number of weights
   * @param values Where the average is kept; by default in an array of its own
   */
  constructor(options: AverageOptions, dimension: number, values?: Float64Array) {
    knownKeys('average', options, ['decay', 'warmUp']);
    this.#decay = openProbability('average.decay', options.decay);
    this.#warmUp = flag('average.warmUp', options.warmUp ?? true);
    this.#values = values ?? new Float64Array(integer('dimension', dimension, 0));
  }

  /** Takes in the weights after a step. */
  update(weights: Float64Array): void {
    this.#check('weights', weights);
    const share = this.advance();
    if (share === 1) {
      this.#values.set(weights);
      return;
    }
    const values = this.#values;
    for (let j = 0; j < values.length; j++) values[j]! += share * (weights[j]! - values[j]!);
  }

  /** Counts an update whose loop runs elsewhere; returns 1 − βₜ, the share of the new weights, which is 1 where they are to be taken as they are. */
  advance(): number {
    this.#step++;
    if (this.#step === 1) return 1;
    const t = this.#step - 1;
    return 1 - (this.#warmUp ? Math.min(this.#decay, (1 + t) / (10 + t)) : this.#decay);
  }

  /** A copy of the average; zeros before the first update. */
  values(): Float64Array {
    return this.#values.slice();
  }

  state(): AverageState {
    return { step: this.#step, values: this.#values.slice() };
  }

  /** Goes on from a state of the same number of weights. */
  restore(state: AverageState): void {
    this.#check('state.values', state.values);
    this.#step = integer('state.step', state.step, 0);
    this.#values.set(state.values);
  }

  #check(name: string, values: Float64Array): void {
    if (values.length !== this.#values.length) {
      throw new SottoError('invalid-argument', `${name} has ${values.length} numbers; the average has ${this.#values.length}`);
    }
  }
}
