/**
 * Exact samples of the rounded Gaussian, fast: ⌊2ᵏ·S⁻¹(u) + ½⌋ with a sign, decided by as few bits of u as it takes.
 *
 * A sample begins with one word: a sign and 31 bits of u. A polynomial with a proven error bound tells the rounded magnitude or that it cannot
 * tell (a few per cent of samples at k = 24); then a second word and a longer polynomial decide (all but about 2⁻²⁰), then
 * integers and as many words as needed. The result is a function of the infinite bit string alone, so its distribution is exactly that of round(2ᵏX), X ~ N(0, 1),
 * as with {@link ExactGaussian}. The bounds and their proof are in inverse-cdf-table.ts and inverse-cdf-exact.ts. Only additions, subtractions, multiplications and
 * floors of doubles are used, which IEEE 754 and the language define exactly; no library function takes part in a decision.
 *
 * How many words a sample takes depends on it, and so does the time: hide the time of a step as you would its noise.
 *
 * @module
 */
import { approximateTail, exactMagnitude } from './inverse-cdf-exact.ts';
import type { WordSource } from './inverse-cdf-exact.ts';
import { FIRST_PREFIX, inverseCdfTable, ROW_DOUBLES, rowOf, SECOND_ROW_DOUBLES } from './inverse-cdf-table.ts';
import type { InverseCdfTable } from './inverse-cdf-table.ts';
import { wasmFirstStage } from './wasm-kernel.ts';
import type { FirstStage } from './wasm-kernel.ts';

/** Samples whose first words are drawn together. */
const BLOCK = 8192;

/** A stream of uniform words, one or many at a time. */
export interface BulkWordSource extends WordSource {
  /** Overwrites the target with the stream's next words, as calls of `word()` would. */
  fill(target: Uint32Array<ArrayBuffer>): void;
}

/** Draws rounded Gaussians of standard deviation 2^`scaleBits`. Holds no randomness; calls are independent of each other. */
export interface InverseCdfGaussian {
  readonly scaleBits: number;
  /** Where the first stage runs. Samples do not depend on it. */
  readonly backend: 'wasm' | 'javascript';
  /**
   * Overwrites the target with independent integers. Of every 8192 samples the first words are taken from the stream together, then the second words
   * of those that need one, then what the last stage needs, each in order.
   */
  fill(target: Float64Array, source: BulkWordSource): void;
}

export interface InverseCdfGaussianOptions {
  /** `auto` (the default) takes WebAssembly where the host has vectors and allows it. */
  readonly backend?: 'auto' | 'javascript';
  /** For tests: a table made by {@link inverseCdfTable} and then damaged. */
  readonly table?: InverseCdfTable;
}

/** The first stage in plain JavaScript. */
function javascriptFirstStage({ rows }: InverseCdfTable, capacity: number): FirstStage {
  const words = new Uint32Array(capacity);
  const signedWords = new Int32Array(words.buffer);
  const out = new Float64Array(capacity);
  const undecided = new Uint32Array(capacity);
  const run = (count: number): number => {
    let found = 0;
    for (let i = 0; i < count; i++) {
      const word = signedWords[i]!;
      const prefix = Math.max(word & 0x7fffffff, FIRST_PREFIX - 1);
      const zeros = Math.clz32(prefix);
      // rowOf(prefix), times 8.
      const row = (((20 - zeros) << 6) + ((prefix << zeros) >>> 25) - 63) << 3;
      const t = prefix - rows[row + 6]!;
      const y = (((rows[row + 4]! * t + rows[row + 3]!) * t + rows[row + 2]!) * t + rows[row + 1]!) * t + rows[row]!;
      const magnitude = Math.floor(y);
      out[i] = word < 0 ? 0 - magnitude : magnitude;
      undecided[found] = i;
      if (Math.abs(y - magnitude - 0.5) > rows[row + 5]!) found++;
    }
    return found;
  };
  return { words, out, undecided, run };
}

/** The second stage: decides what it can of the undecided samples by a second word each, and returns how many are left, moved to the front. */
function secondStage(table: InverseCdfTable, stage: FirstStage, seconds: Uint32Array, found: number): number {
  const { rows, secondRows } = table;
  const { words, out, undecided } = stage;
  let left = 0;
  for (let j = 0; j < found; j++) {
    const i = undecided[j]!;
    const second = seconds[j]!;
    const word = words[i]! | 0;
    const prefix = word & 0x7fffffff;
    const row = rowOf(prefix);
    const at = row * ROW_DOUBLES;
    const atSecond = row * SECOND_ROW_DOUBLES;
    // The middle of the 63-bit prefix's interval. Only the last addition rounds.
    const t = prefix - rows[at + 6]! - 0.5 + (second + 0.5) * 2 ** -32;
    const y4 = (secondRows[atSecond + 1]! * t + secondRows[atSecond]!) * t + rows[at + 4]!;
    const y = (((y4 * t + rows[at + 3]!) * t + rows[at + 2]!) * t + rows[at + 1]!) * t + rows[at]!;
    const magnitude = Math.floor(y);
    out[i] = word < 0 ? 0 - magnitude : magnitude;
    if (Math.abs(y - magnitude - 0.5) > secondRows[atSecond + 2]!) {
      undecided[left] = i;
      seconds[left++] = second;
    }
  }
  return left;
}

/** The last stage, for a sample that 63 bits leave open. `near` is the second stage's sample. */
function lastStage(scaleBits: number, word: number, second: number, near: number, source: WordSource): number {
  const prefix = word & 0x7fffffff;
  const guess = prefix < FIRST_PREFIX ? Math.round(approximateTail(prefix, second) * 2 ** scaleBits) : Math.abs(near);
  const magnitude = exactMagnitude(prefix, second, scaleBits, guess, source);
  return word >= 2 ** 31 ? 0 - magnitude : magnitude;
}

/**
 * Makes a sampler. It takes some milliseconds and about 300 kB; make one per mechanism.
 *
 * @param scaleBits k, from 0 to 30: the standard deviation is 2ᵏ units.
 */
export function createInverseCdfGaussian(scaleBits: number, options: InverseCdfGaussianOptions = {}): InverseCdfGaussian {
  const table = options.table ?? inverseCdfTable(scaleBits);
  const wasm = options.backend === 'javascript' ? undefined : wasmFirstStage(table, BLOCK);
  const stage = wasm ?? javascriptFirstStage(table, BLOCK);
  const { words, out, undecided, run } = stage;
  const seconds = new Uint32Array(BLOCK);
  const block = (target: Float64Array, start: number, count: number, source: BulkWordSource): void => {
    source.fill(words.subarray(0, count));
    let found = run(count);
    // The last group of four may reach beyond the count, where words are 0.
    while (found > 0 && undecided[found - 1]! >= count) found--;
    source.fill(seconds.subarray(0, found));
    const left = secondStage(table, stage, seconds, found);
    for (let j = 0; j < left; j++) {
      const i = undecided[j]!;
      out[i] = lastStage(scaleBits, words[i]!, seconds[j]!, out[i]!, source);
    }
    target.set(out.subarray(0, count), start);
  };
  const fill = (target: Float64Array, source: BulkWordSource): void => {
    try {
      for (let start = 0; start < target.length; start += BLOCK)
        block(target, start, Math.min(BLOCK, target.length - start), source);
    } finally {
      // Noise must not be readable afterwards, and words beyond a count must be 0.
      words.fill(0);
      out.fill(0);
      undecided.fill(0);
      seconds.fill(0);
    }
  };
  return Object.freeze({ scaleBits, backend: wasm === undefined ? 'javascript' : 'wasm', fill });
}
