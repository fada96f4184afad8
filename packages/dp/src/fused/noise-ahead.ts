/**
 * Noise of blocks that threads draw before the pass that uses it, while cores would be idle: when some lanes have ended and others have not, and between steps.
 *
 * Each block is drawn by one thread, used by one thread once, and overwritten. How many blocks are drawn ahead depends on time alone; what is drawn depends on nothing.
 *
 * @module
 */
import type { NoiseValues } from '../noise/step-noise.ts';
import type { DrawBlock } from './blocks.ts';
import type { SharedMemory } from './kernel.ts';
import { BLOCK } from './layout.ts';
import type { VectorLayout } from './layout.ts';

/** States of a block. */
const FREE = 0;
const DRAWING = 1;
const DRAWN = 2;
/** By a thread that is at it in a pass. */
const TAKEN = 3;

/** Noise that waits in shared memory. */
export class NoiseAhead {
  readonly #states: Int32Array;
  readonly #values: NoiseValues;
  readonly #dimension: number;
  readonly #bytes: number;
  readonly #at: number;

  constructor(memory: SharedMemory, layout: VectorLayout) {
    const { dimension, integers, aheadAt, statesAt } = layout;
    this.#dimension = dimension;
    this.#at = aheadAt;
    this.#bytes = integers ? 4 : 8;
    this.#states = new Int32Array(memory.buffer, statesAt, Math.ceil(dimension / BLOCK));
    this.#values = integers
      ? new Int32Array(memory.buffer, aheadAt, dimension)
      : new Float64Array(memory.buffer, aheadAt, dimension);
  }

  /** Draws a block that has no noise yet, the last ones first, for a pass begins with the others; false where each has some. */
  drawOne(draw: DrawBlock): boolean {
    const states = this.#states;
    for (let block = states.length - 1; block >= 0; block--) {
      if (Atomics.compareExchange(states, block, FREE, DRAWING) !== FREE) continue;
      const begin = block * BLOCK;
      draw(this.#values.subarray(begin, Math.min(begin + BLOCK, this.#dimension)), begin);
      Atomics.store(states, block, DRAWN);
      Atomics.notify(states, block);
      return true;
    }
    return false;
  }

  /**
   * Takes a block for a pass.
   *
   * @param wait Waits for a change while it is being drawn; throws where none is to be expected
   * @returns the address of its noise, or undefined where the caller is to draw it
   */
  take(block: number, wait: (words: Int32Array, index: number, value: number) => void): number | undefined {
    for (;;) {
      const state = Atomics.compareExchange(this.#states, block, FREE, TAKEN);
      if (state === FREE) return undefined;
      if (state === DRAWN) return this.#at + this.#bytes * block * BLOCK;
      wait(this.#states, block, state);
    }
  }

  /** Lets a block that was taken, and whose noise a pass has overwritten, be drawn for the next pass. */
  giveBack(block: number): void {
    Atomics.store(this.#states, block, FREE);
  }

  /** Overwrites all noise. No thread may be drawing. */
  wipe(): void {
    this.#values.fill(0);
    this.#states.fill(FREE);
  }
}
