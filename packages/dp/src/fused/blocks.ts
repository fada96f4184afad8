/**
 * How the threads of a pass share its blocks: each takes the next one that nobody has, until none is left.
 *
 * Everything that a pass is told lies in the shared memory before its first block can be taken, and does not change until its last block is done. A thread that
 * wakes late finds no block, or one of the pass that is under way by then. Between passes threads draw noise ahead as long as cores are idle.
 *
 * @module
 */
import type { NoiseValues } from '../noise/step-noise.ts';
import type { Pass, PassForm, SharedMemory } from './kernel.ts';
import { BLOCK, CONTROL_WORDS } from './layout.ts';
import type { VectorLayout } from './layout.ts';
import { NoiseAhead } from './noise-ahead.ts';

/** Words of the control area. */
const SIGNAL = 0;
const NEXT = 1;
const DONE = 2;
const FAILED = 3;
const SUMS = 4;
const FLAGS = 5;
const IDLE = 6;
const SPOILT = 7;
const ADDRESSES = 8;

const WITH_DOUBLES = 1;
const WITH_AVERAGE = 2;

/** Overwrites the target with the noise of as many coordinates, from coordinate `begin` on. */
export type DrawBlock = (target: NoiseValues, begin: number) => void;

/** One thread's part in the passes over one memory. */
export class BlockThread {
  readonly #control: Int32Array;
  readonly #layout: VectorLayout;
  readonly #compile: (form: PassForm) => Pass;
  readonly #passes = new Map<number, Pass>();
  readonly #noise: NoiseValues;
  readonly #noiseAt: number;
  readonly #ahead: NoiseAhead | undefined;
  readonly #index: number;

  /**
   * @param compile Compiles a form of the pass; must be the same for all threads.
   * @param index The number of the thread, from 0; no other may have it.
   */
  constructor(memory: SharedMemory, layout: VectorLayout, compile: (form: PassForm) => Pass, index: number) {
    this.#layout = layout;
    this.#control = new Int32Array(memory.buffer, layout.control, CONTROL_WORDS);
    this.#noiseAt = layout.noiseAt[index]!;
    this.#noise = layout.integers
      ? new Int32Array(memory.buffer, this.#noiseAt, BLOCK)
      : new Float64Array(memory.buffer, this.#noiseAt, BLOCK);
    this.#compile = compile;
    this.#index = index;
    this.#ahead = layout.threads > 1 ? new NoiseAhead(memory, layout) : undefined;
    // No pass is under way.
    if (index === 0) Atomics.store(this.#control, NEXT, this.#blocks);
  }

  get #blocks(): number {
    return Math.ceil(this.#layout.dimension / BLOCK);
  }

  /** A helping thread's life: sleeps, takes part in passes, and draws noise ahead. Returns only by throwing. Blocks the thread. */
  serve(draw: DrawBlock): never {
    const control = this.#control;
    for (let seen = 0; ; seen = Atomics.load(control, SIGNAL)) {
      this.help(draw);
      while (
        this.#ahead !== undefined &&
        Atomics.load(control, SIGNAL) === seen &&
        Atomics.load(control, IDLE) >= this.#index &&
        this.#ahead.drawOne(draw)
      );
      Atomics.wait(control, SIGNAL, seen);
    }
  }

  /** Tells helping threads how many cores are idle until the next pass: as many of them may draw noise ahead. */
  setIdle(cores: number): void {
    if (Atomics.exchange(this.#control, IDLE, cores) < cores) this.#wake();
  }

  /** Overwrites noise that was drawn ahead. No thread may be at work any more. */
  wipeAhead(): void {
    this.#ahead?.wipe();
  }

  #wake(): void {
    Atomics.add(this.#control, SIGNAL, 1);
    Atomics.notify(this.#control, SIGNAL);
  }

  /** Compiles a form of the pass before it is needed. Throws where the host cannot. */
  prepare(form: PassForm): void {
    this.#pass(form.sums, (form.doubles ? WITH_DOUBLES : 0) | (form.average ? WITH_AVERAGE : 0));
  }

  /**
   * Runs a pass to its end, with the help of threads that are in {@link serve}: adds up the given sums and does the rest. Blocks the thread. Where it throws,
   * some blocks may have been done.
   *
   * @returns whether all sums were finite
   */
  lead(form: PassForm, sums: readonly number[], draw: DrawBlock): boolean {
    const control = this.#control;
    control[SUMS] = sums.length;
    control[FLAGS] = (form.doubles ? WITH_DOUBLES : 0) | (form.average ? WITH_AVERAGE : 0);
    control.set(sums, ADDRESSES);
    Atomics.store(control, SPOILT, 0);
    Atomics.store(control, DONE, 0);
    Atomics.store(control, NEXT, 0);
    this.#wake();
    try {
      this.help(draw);
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#awaitDone(this.#blocks);
    return Atomics.load(control, SPOILT) === 0;
  }

  /** Takes blocks of the pass under way until there are none left. */
  help(draw: DrawBlock): void {
    const control = this.#control;
    const { dimension, padded } = this.#layout;
    const blocks = this.#blocks;
    try {
      for (;;) {
        const block = Atomics.add(control, NEXT, 1);
        if (block >= blocks) return;
        const begin = block * BLOCK;
        const ahead = this.#ahead?.take(block, this.#await);
        if (ahead === undefined)
          draw(dimension - begin < BLOCK ? this.#noise.subarray(0, dimension - begin) : this.#noise, begin);
        const sums = Array.from(control.subarray(ADDRESSES, ADDRESSES + control[SUMS]!));
        const pass = this.#pass(sums.length, control[FLAGS]!);
        if (pass(4 * begin, 4 * Math.min(begin + BLOCK, padded), ahead ?? this.#noiseAt, ...sums) === 0)
          Atomics.store(control, SPOILT, 1);
        this.#ahead?.giveBack(block);
        Atomics.add(control, DONE, 1);
        Atomics.notify(control, DONE);
      }
    } catch (error) {
      this.#noise.fill(0);
      throw error;
    }
  }

  /** Tells the leading thread that this one cannot go on. */
  fail(): void {
    Atomics.store(this.#control, FAILED, 1);
    Atomics.notify(this.#control, DONE);
  }

  /** Whether a helping thread has failed. */
  get failed(): boolean {
    return Atomics.load(this.#control, FAILED) !== 0;
  }

  /** Leaves no block to take, and waits for those that were taken, as long as may be expected. */
  #end(): void {
    const taken = Atomics.exchange(this.#control, NEXT, this.#blocks);
    try {
      this.#awaitDone(Math.min(taken, this.#blocks) - 1);
    } catch {
      // The error that brought us here is told.
    }
  }

  #awaitDone(blocks: number): void {
    for (;;) {
      const done = Atomics.load(this.#control, DONE);
      if (done >= blocks) return;
      this.#await(this.#control, DONE, done);
    }
  }

  /** Waits until a word has another value. Throws where a thread has failed, or none gives a sign of life. */
  readonly #await = (words: Int32Array, index: number, value: number): void => {
    for (let waits = 0; waits < MOST_WAITS; waits++) {
      if (this.failed) throw new Error('a thread that helps with the update failed');
      if (Atomics.wait(words, index, value, WAIT_MS) !== 'timed-out') return;
    }
    throw new Error('a thread that helps with the update gave no sign of life');
  };

  #pass(sums: number, flags: number): Pass {
    const key = 4 * sums + flags;
    let pass = this.#passes.get(key);
    if (pass === undefined) {
      pass = this.#compile({ sums, doubles: (flags & WITH_DOUBLES) !== 0, average: (flags & WITH_AVERAGE) !== 0 });
      this.#passes.set(key, pass);
    }
    return pass;
  }
}

/** A block takes well below a millisecond; a thread may have to wait for a core, though. */
const WAIT_MS = 1000;
const MOST_WAITS = 10;
