/**
 * The end of a step as one pass over shared memory: the float32 sums of the lanes, the noise, the optimiser, the average of the weights and the parameters that the lanes read
 * next. No released sum is written anywhere, and no noise beyond the block that a thread is at.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { NumericArray } from '@sotto/core/ops';
import type { WeightAverage } from '../optimiser/average.ts';
import { slotCountOf } from '../optimiser/optimiser.ts';
import type { Optimiser, OptimiserOptions } from '../optimiser/optimiser.ts';
import { addParts, isFiniteSum } from '../noise/release.ts';
import { INT32_SCALE_BITS } from '../noise/step-noise.ts';
import { BlockThread } from './blocks.ts';
import type { DrawBlock } from './blocks.ts';
import { compilePass, sharedMemory, sumLoops } from './kernel.ts';
import type { SharedMemory, SumLoops } from './kernel.ts';
import { layOut, MOST_NUMBERS } from './layout.ts';
import type { VectorLayout } from './layout.ts';

/** What is updated, and by how many threads. */
export interface FusedOptions {
  /** D: trainable parameters. */
  readonly dimension: number;
  readonly optimiser: OptimiserOptions;
  /** Whether an average of the weights is kept. */
  readonly average: boolean;
  /** k: the noise has a standard deviation of 2ᵏ grid units. */
  readonly gridBits: number;
  /** Runs of a program that may be in flight at once. */
  readonly lanes: number;
  /** Threads that may help. Default 0. */
  readonly helpers?: number;
}

/** What a helping thread is started with. Plain data and the memory. */
export interface HelperData {
  readonly memory: SharedMemory;
  readonly layout: VectorLayout;
  readonly optimiser: OptimiserOptions;
  /** The number of the thread, from 1; 0 is the thread that leads. */
  readonly index: number;
}

/** A helping thread's part. */
export function helperThread({ memory, layout, optimiser, index }: HelperData): BlockThread {
  return new BlockThread(memory, layout, (form) => compilePass(memory, layout, optimiser, form), index);
}

/** What a pass does besides adding up. All of it but the noise is public. */
export interface FusedPass {
  /** The grid's unit. */
  readonly unit: number;
  /** Draws the noise of the blocks that this thread does. Helpers draw their own. */
  readonly draw: DrawBlock;
  readonly optimiser: Optimiser;
  readonly average: WeightAverage | undefined;
  readonly learningRate: number | undefined;
  readonly noiseDeviation: number;
  /** What the released sum is multiplied by to make it a mean. */
  readonly scale: number;
}

/** No data brings it about where all gradients were in range, and where they were not, sums were looked at before they were added. */
const notFiniteInPass = (): SottoError =>
  new SottoError(
    'internal',
    'the engine gave a sum that is not finite for gradients that are; the weights of this training are lost, so restore a checkpoint into a new one, in secure mode or with another engine',
  );

/** Vectors of one training in one memory, and the pass over them. */
export class FusedUpdate {
  /** Weights, D of them. */
  readonly weights: Float64Array;
  /** The weights in float32, for the lanes; what a pass leaves there is `weights`, rounded. */
  readonly parameters: Float32Array;
  /** For the optimiser's vectors. */
  readonly slots: readonly Float64Array[];
  /** For the average of the weights. */
  readonly averaged: Float64Array | undefined;
  /** For clipped sums. One more than there are lanes, so that none waits for another to be added. */
  readonly sums: readonly Float32Array[];
  /** All of these vectors, and the noise that a pass asks for. */
  readonly memory: SharedMemory;
  readonly #layout: VectorLayout;
  readonly #optimiser: OptimiserOptions;
  readonly #doubles: Float64Array;
  readonly #numbers: Float64Array;
  readonly #loops: SumLoops;
  readonly #thread: BlockThread;
  /** Sums that were given and not added up yet, in order. */
  #waiting: number[] = [];
  /** Whether the float64 sum holds something. */
  #settled = false;
  #broken = false;

  private constructor(memory: SharedMemory, layout: VectorLayout, optimiser: OptimiserOptions) {
    const { buffer } = memory;
    const { dimension } = layout;
    const doubles = (at: number): Float64Array => new Float64Array(buffer, at, dimension);
    this.memory = memory;
    this.#layout = layout;
    this.#optimiser = optimiser;
    this.weights = doubles(layout.weights);
    this.parameters = new Float32Array(buffer, layout.parameters, dimension);
    this.slots = layout.slotsAt.map(doubles);
    this.averaged = layout.average ? doubles(layout.averageAt) : undefined;
    this.sums = layout.sumsAt.map((at) => new Float32Array(buffer, at, dimension));
    this.#doubles = doubles(layout.doubles);
    this.#numbers = new Float64Array(buffer, layout.numbers, MOST_NUMBERS);
    this.#loops = sumLoops(memory, layout);
    this.#thread = helperThread({ memory, layout, optimiser, index: 0 });
    this.#thread.prepare({ sums: 1, doubles: false, average: false });
  }

  /** Lays out the vectors; undefined where the host has no vectors or no memory that threads share, or the model is too big for one. */
  static open({ dimension, optimiser, average, gridBits, lanes, helpers = 0 }: FusedOptions): FusedUpdate | undefined {
    const layout = layOut({
      dimension,
      slots: slotCountOf(optimiser),
      average,
      sums: lanes + 1,
      threads: helpers + 1,
      integers: gridBits <= INT32_SCALE_BITS,
    });
    const memory = layout === undefined ? undefined : sharedMemory(layout.pages);
    if (layout === undefined || memory === undefined) return undefined;
    try {
      return new FusedUpdate(memory, layout, optimiser);
    } catch {
      return undefined;
    }
  }

  /** Sets the weights, and the parameters with them; returns {@link weights}. */
  setWeights(weights: Float64Array): Float64Array {
    this.weights.set(weights);
    this.parameters.set(weights);
    return this.weights;
  }

  /** What helping thread number `index`, from 1, is to be started with. */
  helper(index: number): HelperData {
    return { memory: this.memory, layout: this.#layout, optimiser: this.#optimiser, index };
  }

  /** Whether all numbers of a sum are finite. */
  isFinite(parts: readonly NumericArray[]): boolean {
    const index = this.#indexOf(parts);
    if (index === undefined) return isFiniteSum(parts);
    const at = this.#layout.sumsAt[index]!;
    return this.#loops.finite(at, at + 4 * this.#layout.padded) === 1;
  }

  /** Takes a sum, which {@link run} refuses where it is not finite. Where it is one of {@link sums} it must not be written again before it is free. */
  add(parts: readonly NumericArray[]): void {
    const index = this.#indexOf(parts);
    if (index !== undefined) {
      this.#waiting.push(index);
      return;
    }
    this.settle();
    this.#settled = true;
    addParts(this.#doubles, parts);
  }

  /** Whether one of {@link sums} may be written. */
  isFree(index: number): boolean {
    return !this.#waiting.includes(index);
  }

  /** Adds up what was given so far, so that all of {@link sums} are free. */
  settle(): void {
    for (const index of this.#waiting) this.#loops.settle(this.#layout.sumsAt[index]!, 4 * this.#layout.padded);
    if (this.#waiting.length > 0) this.#settled = true;
    this.#waiting = [];
  }

  /** Overwrites all sums. */
  wipe(): void {
    for (const sum of this.sums) sum.fill(0);
    this.#doubles.fill(0);
    this.#waiting = [];
    this.#settled = false;
  }

  /** Lets as many helping threads draw noise ahead, until it is called again. */
  setIdle(cores: number): void {
    this.#thread.setIdle(cores);
  }

  /** Overwrites sums and noise. No helping thread may be at work any more. */
  close(): void {
    this.wipe();
    this.#thread.wipeAhead();
  }

  /** Throws `internal` once a pass has failed: the weights then are of no step. */
  check(): void {
    if (this.#broken)
      throw new SottoError(
        'internal',
        'an update failed half way; its weights are lost, so restore a checkpoint into a new training',
      );
  }

  /** Ends the step: weights, the optimiser, the average and the parameters are those after it, and the sums are zeros. */
  run({ unit, draw, optimiser, average, learningRate, noiseDeviation, scale }: FusedPass): void {
    this.check();
    if (this.#thread.failed)
      throw new SottoError('internal', 'a thread that helps to end steps has ended; restore a checkpoint into a new training');
    const told = optimiser.advance(learningRate, noiseDeviation, scale);
    const share = average?.advance();
    // The first weights are the average.
    const moves = share !== undefined && share < 1;
    this.#numbers.set([unit, 1 / unit, ...told, share ?? 0]);
    this.#broken = true;
    try {
      const isFinite = this.#thread.lead(
        { sums: this.#waiting.length, doubles: this.#settled, average: moves },
        this.#waiting.map((index) => this.#layout.sumsAt[index]!),
        draw,
      );
      if (!isFinite) throw notFiniteInPass();
    } catch (error) {
      this.wipe();
      throw error instanceof SottoError ? error : new SottoError('internal', 'an update failed half way', { cause: error });
    }
    this.#broken = false;
    this.#waiting = [];
    this.#settled = false;
    if (share !== undefined && !moves) this.averaged?.set(this.weights);
  }

  /** Which of {@link sums} the parts are, in order and whole. */
  #indexOf(parts: readonly NumericArray[]): number | undefined {
    const [first] = parts;
    if (!(first instanceof Float32Array) || first.buffer !== this.memory.buffer) return undefined;
    let end = first.byteOffset;
    for (const part of parts) {
      if (!(part instanceof Float32Array) || part.buffer !== first.buffer || part.byteOffset !== end) return undefined;
      end += part.byteLength;
    }
    if (end - first.byteOffset !== 4 * this.#layout.dimension) return undefined;
    const index = this.#layout.sumsAt.indexOf(first.byteOffset);
    return index === -1 || !this.isFree(index) ? undefined : index;
  }
}
