/**
 * Optimisers on the privatised gradient. Whatever they compute is post-processing of what a step released.
 *
 * @module
 */
import { finite, flag, integer, nonNegative, oneOf, positive } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { knownKeys } from '../known-keys.ts';

/** An optimiser's options. */
export type OptimiserOptions =
  | {
      readonly kind: 'sgd';
      readonly learningRate: number;
      readonly momentum?: number;
      readonly nesterov?: boolean;
      readonly weightDecay?: number;
    }
  | {
      readonly kind: 'adam' | 'adamw';
      readonly learningRate: number;
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      /** Adam adds it to the gradient (L2), AdamW to the update (Loshchilov and Hutter 2019). */
      readonly weightDecay?: number;
      /**
       * Takes the known variance of the privacy noise out of the second moment (Tang, Shpilevskiy and Lécuyer 2023, "DP-AdamBC"): √max(v̂ − φ̂, floor²) in
       * place of √v̂ + ε, φ being the same average of the noise's variance. `update` must be told the noise. `floor` is the least denominator, greater than 0.
       */
      readonly noiseCorrection?: { readonly floor: number };
    };

/** The state of an optimiser, for checkpoints. */
export interface OptimiserState {
  readonly kind: OptimiserOptions['kind'];
  readonly step: number;
  readonly slots: readonly Float64Array[];
  /** φ, the average of the noise's variance, with `noiseCorrection`. */
  readonly noiseVariance?: number;
}

/** Changes weights by a gradient estimate. */
export interface Optimiser {
  /**
   * Updates the weights in place.
   *
   * @param learningRate Overrides the constant one, for schedules.
   * @param noiseDeviation The standard deviation of the privacy noise on each coordinate of the gradient, public; needed with `noiseCorrection`, else not read.
   * @param scale What the gradient is to be multiplied by first, so that a sum need not be made a mean in a loop of its own. Default 1.
   */
  update(weights: Float64Array, gradient: Float64Array, learningRate?: number, noiseDeviation?: number, scale?: number): void;
  /**
   * Counts an update whose loop runs elsewhere (`fused/update-code.ts`), and tells the numbers that it takes, in the order of that file. The parameters are those of
   * {@link update}.
   */
  advance(learningRate?: number, noiseDeviation?: number, scale?: number): readonly number[];
  state(): OptimiserState;
  restore(state: OptimiserState): void;
}

const SGD_MEMBERS = ['kind', 'learningRate', 'momentum', 'nesterov', 'weightDecay'];
const ADAM_MEMBERS = ['kind', 'learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay', 'noiseCorrection'];

/** An array of zeros for a vector of the optimiser. */
export type AllocateSlot = (index: number) => Float64Array;

/** How many vectors an optimiser keeps. */
export function slotCountOf(options: OptimiserOptions): number {
  if (options.kind !== 'sgd') return 2;
  return (options.momentum ?? 0) > 0 ? 1 : 0;
}

/**
 * An optimiser for vectors of D parameters.
 *
 * @param allocate Supplies its vectors, of D numbers each; by default they are arrays of their own.
 */
export function createOptimiser(
  options: OptimiserOptions,
  dimension: number,
  allocate: AllocateSlot = () => new Float64Array(dimension),
): Optimiser {
  oneOf('optimiser.kind', options.kind, ['sgd', 'adam', 'adamw']);
  knownKeys('optimiser', options, options.kind === 'sgd' ? SGD_MEMBERS : ADAM_MEMBERS);
  if (options.kind !== 'sgd' && options.noiseCorrection !== undefined)
    knownKeys('optimiser.noiseCorrection', options.noiseCorrection, ['floor']);
  positive('optimiser.learningRate', options.learningRate);
  nonNegative('optimiser.weightDecay', options.weightDecay ?? 0);
  const slots = Array.from({ length: slotCountOf(options) }, (_, i) => allocate(i));
  return options.kind === 'sgd'
    ? new Sgd(options, dimension, slots)
    : new Adam({ ...options, kind: options.kind }, dimension, slots);
}

abstract class Base implements Optimiser {
  protected step = 0;
  protected readonly dimension: number;
  protected readonly slots: readonly Float64Array[];
  readonly #kind: OptimiserOptions['kind'];
  readonly #learningRate: number;

  constructor(options: OptimiserOptions, dimension: number, slots: readonly Float64Array[]) {
    this.#kind = options.kind;
    this.#learningRate = options.learningRate;
    this.dimension = dimension;
    this.slots = slots;
  }

  update(weights: Float64Array, gradient: Float64Array, learningRate?: number, noiseDeviation?: number, scale?: number): void {
    if (weights.length !== this.dimension || gradient.length !== this.dimension) {
      throw new SottoError(
        'invalid-argument',
        `weights and gradient have ${weights.length} and ${gradient.length} numbers; the optimiser has ${this.dimension}`,
      );
    }
    this.apply(weights, gradient, this.advance(learningRate, noiseDeviation, scale));
  }

  advance(learningRate: number = this.#learningRate, noiseDeviation?: number, scale: number = 1): readonly number[] {
    finite('learningRate', learningRate);
    finite('scale', scale);
    this.step++;
    return this.numbers(learningRate, noiseDeviation, scale);
  }

  /** The numbers of the loop over all parameters. */
  protected abstract numbers(learningRate: number, noiseDeviation: number | undefined, scale: number): readonly number[];

  protected abstract apply(weights: Float64Array, gradient: Float64Array, numbers: readonly number[]): void;

  state(): OptimiserState {
    return { kind: this.#kind, step: this.step, slots: this.slots.map((slot) => slot.slice()) };
  }

  restore(state: OptimiserState): void {
    if (
      state.kind !== this.#kind ||
      state.slots.length !== this.slots.length ||
      state.slots.some((slot) => slot.length !== this.dimension)
    ) {
      throw new SottoError(
        'invalid-argument',
        `the state is of ${state.kind} with ${state.slots.length} slots; it does not fit this ${this.#kind}`,
      );
    }
    this.step = integer('state.step', state.step, 0);
    state.slots.forEach((slot, i) => this.slots[i]!.set(slot));
  }
}

/** v ← μ·v + g; w ← w − η·v, or − η·(g + μ·v) with Nesterov's look-ahead. */
class Sgd extends Base {
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #decay: number;

  constructor(options: Extract<OptimiserOptions, { kind: 'sgd' }>, dimension: number, slots: readonly Float64Array[]) {
    super(options, dimension, slots);
    this.#momentum = nonNegative('optimiser.momentum', options.momentum ?? 0);
    this.#nesterov = flag('optimiser.nesterov', options.nesterov ?? false);
    if (this.#momentum >= 1)
      throw new SottoError(
        'invalid-argument',
        `optimiser.momentum is ${this.#momentum}; it must be below 1, or nothing is ever forgotten`,
      );
    if (this.#nesterov && this.#momentum === 0)
      throw new SottoError(
        'invalid-argument',
        'optimiser.nesterov looks ahead along the momentum; give optimiser.momentum, such as 0.9',
      );
    this.#decay = options.weightDecay ?? 0;
  }

  protected override numbers(learningRate: number, _: number | undefined, scale: number): readonly number[] {
    return [scale, learningRate, this.#momentum, this.#decay];
  }

  protected override apply(weights: Float64Array, gradient: Float64Array, numbers: readonly number[]): void {
    const [scale, learningRate, momentum, decay] = numbers as readonly [number, number, number, number];
    // Read once: a loop over all parameters would read fields at each of them.
    const velocity = this.slots[0];
    const nesterov = this.#nesterov;
    const { length } = weights;
    if (velocity === undefined) {
      for (let j = 0; j < length; j++) weights[j] = weights[j]! - learningRate * (gradient[j]! * scale + decay * weights[j]!);
      return;
    }
    for (let j = 0; j < length; j++) {
      const g = gradient[j]! * scale + decay * weights[j]!;
      const v = momentum * velocity[j]! + g;
      velocity[j] = v;
      weights[j] = weights[j]! - learningRate * (nesterov ? g + momentum * v : v);
    }
  }
}

/** Kingma and Ba 2015, algorithm 1, with both biases corrected; the noise's variance taken out of the second moment where that is asked for. */
class Adam extends Base {
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #decay: number;
  readonly #decoupled: boolean;
  readonly #floor: number | undefined;
  #noiseVariance = 0;

  constructor(options: Extract<OptimiserOptions, { kind: 'adam' | 'adamw' }>, dimension: number, slots: readonly Float64Array[]) {
    super(options, dimension, slots);
    this.#beta1 = nonNegative('optimiser.beta1', options.beta1 ?? 0.9);
    this.#beta2 = nonNegative('optimiser.beta2', options.beta2 ?? 0.999);
    this.#epsilon = positive('optimiser.epsilon', options.epsilon ?? 1e-8);
    if (this.#beta1 >= 1 || this.#beta2 >= 1)
      throw new SottoError(
        'invalid-argument',
        `optimiser.beta1 and beta2 are ${this.#beta1} and ${this.#beta2}; they must be below 1`,
      );
    this.#decay = options.weightDecay ?? 0;
    this.#decoupled = options.kind === 'adamw';
    if (options.noiseCorrection !== undefined) {
      this.#floor = positive('optimiser.noiseCorrection.floor', options.noiseCorrection.floor);
    }
  }

  override advance(learningRate?: number, noiseDeviation?: number, scale?: number): readonly number[] {
    // Before anything changes.
    if (this.#floor !== undefined) nonNegative('noiseDeviation', noiseDeviation);
    return super.advance(learningRate, noiseDeviation, scale);
  }

  override state(): OptimiserState {
    return this.#floor === undefined ? super.state() : { ...super.state(), noiseVariance: this.#noiseVariance };
  }

  override restore(state: OptimiserState): void {
    const noiseVariance = this.#floor === undefined ? 0 : nonNegative('state.noiseVariance', state.noiseVariance);
    super.restore(state);
    this.#noiseVariance = noiseVariance;
  }

  protected override numbers(learningRate: number, noiseDeviation: number | undefined, scale: number): readonly number[] {
    const [beta1, beta2, floor] = [this.#beta1, this.#beta2, this.#floor ?? 0];
    if (this.#floor !== undefined) this.#noiseVariance = beta2 * this.#noiseVariance + (1 - beta2) * noiseDeviation! ** 2;
    const first = 1 - beta1 ** this.step;
    const second = 1 - beta2 ** this.step;
    return [
      ...[scale, learningRate, beta1, 1 - beta1, beta2, 1 - beta2],
      ...[this.#epsilon, first, second, this.#noiseVariance, floor * floor, this.#decay],
    ];
  }

  protected override apply(weights: Float64Array, gradient: Float64Array, numbers: readonly number[]): void {
    const [m, v] = this.slots as readonly [Float64Array, Float64Array];
    // Read once: a loop over all parameters would read fields at each of them.
    const [scale = 1, learningRate = 0, beta1 = 0, rest1 = 0, beta2 = 0, rest2 = 0] = numbers;
    const [epsilon = 0, first = 1, second = 1, noiseVariance = 0, leastSquare = 0, weightDecay = 0] = numbers.slice(6);
    const decoupled = this.#decoupled;
    const corrected = this.#floor !== undefined;
    const { length } = weights;
    for (let j = 0; j < length; j++) {
      const decay = weightDecay * weights[j]!;
      const g = gradient[j]! * scale + (decoupled ? 0 : decay);
      const mj = beta1 * m[j]! + rest1 * g;
      const vj = beta2 * v[j]! + rest2 * g * g;
      m[j] = mj;
      v[j] = vj;
      const root = corrected ? Math.sqrt(Math.max((vj - noiseVariance) / second, leastSquare)) : Math.sqrt(vj / second) + epsilon;
      weights[j] = weights[j]! - learningRate * (mj / first / root + (decoupled ? decay : 0));
    }
  }
}
