/**
 * Exact samples of the rounded Gaussian, fast: round(2ᵏX) for a real X ~ N(0, 1), most of them by looking up a word.
 *
 * Of a uniform word 13 bits choose a rectangle beneath the bell curve, one bit the sign, and the others the place within the rectangle, which is the sample. Two words in a
 * hundred choose what lies between rectangles and curve, or the tail; there a point is drawn and accepted where it lies under the curve, which doubles decide where their error
 * bound allows, else integers of any length with as many more bits as it takes. No probability is approximated and no sample is ever decided by an approximation, so the
 * distribution is exactly that of {@link ExactGaussian}. The argument is in rectangle-table.ts, the bounds are in normal-density.ts and wedge.ts. Only additions,
 * subtractions, multiplications and floors of doubles are used, which IEEE 754 and the language define exactly; no library function takes part in a decision.
 *
 * How many words a sample takes depends on it, and so does the time: hide the time of a step as you would its noise.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { rectangleTable } from './rectangle-table.ts';
import type { RectangleTable } from './rectangle-table.ts';
import { javascriptStages, LANES, LONG_SCALE_BITS } from './sample-stages.ts';
import { INT32_SCALE_BITS } from './step-noise.ts';
import type { NoiseValues } from './step-noise.ts';
import { wasmStages } from './wasm-stages.ts';
import type { SharedTarget } from './wasm-stages.ts';
import { brokenSource, settlePoint } from './wedge.ts';
import type { WordSource } from './wedge.ts';

/** Samples whose first words are drawn together. */
const BLOCK = 8192;
/** Rounds in which every point was rejected, each with a probability below 0.8. */
const MOST_ROUNDS = 10_000;

/** A stream of uniform words, one or many at a time. */
export interface BulkWordSource extends WordSource {
  /** Overwrites the target with the stream's next words, as calls of `word()` would. */
  fill(target: Uint32Array<ArrayBuffer>): void;
}

/** Draws rounded Gaussians of standard deviation 2^`scaleBits`. Holds no randomness; calls are independent of each other. */
export interface FastGaussian {
  readonly scaleBits: number;
  /** Where the loops run. Samples do not depend on it. */
  readonly backend: 'wasm' | 'javascript';
  /**
   * Overwrites the target with independent integers; an `Int32Array` only where `scaleBits` is at most 26. The samples do not depend on the type of the target. Of every
   * 8192 samples the first words are taken from the stream together (from k = 25 on a quarter as many more), then two for each sample that no rectangle gave, then what its
   * open points need, then two for each whose point was rejected, and so on; each in order.
   */
  fill(target: NoiseValues, source: BulkWordSource): void;
}

export interface FastGaussianOptions {
  /** `auto` (the default) takes WebAssembly where the host has vectors and allows it. */
  readonly backend?: 'auto' | 'javascript';
  /** A memory that targets often lie in: samples are written there without a copy. Performance only. */
  readonly shared?: SharedTarget | undefined;
  /** For tests: a table made by {@link rectangleTable} and then damaged. */
  readonly table?: RectangleTable;
}

/**
 * Makes a sampler. It takes some milliseconds and about 200 kB; make one per mechanism.
 *
 * @param scaleBits k, from 0 to 30: the standard deviation is 2ᵏ units.
 */
export function createFastGaussian(scaleBits: number, options: FastGaussianOptions = {}): FastGaussian {
  const table = options.table ?? rectangleTable(scaleBits);
  const wasm = options.backend === 'javascript' ? undefined : wasmStages(table, BLOCK, options.shared);
  const { words, more, integers, doubles, undecided, points, open, lookUp, tryPoints, shared } =
    wasm ?? javascriptStages(table, BLOCK);

  /** Tries points until every undecided position has its sample. */
  const makeUndecided = (out: NoiseValues, found: number, source: BulkWordSource, tryAll: (count: number) => number): void => {
    for (let left = found, round = 0; left > 0; round++) {
      if (round > MOST_ROUNDS) throw brokenSource();
      source.fill(points.subarray(0, 2 * left));
      const tried = tryAll(left);
      left = tried & 0xffff;
      for (let o = 0; o < tried >>> 16; o++) {
        const [j, position] = [open[2 * o]!, open[2 * o + 1]!];
        const sample = settlePoint(table, points[2 * j]!, points[2 * j + 1]!, source);
        if (sample === undefined) undecided[left++] = position;
        else {
          out[position] = sample;
          // 32 standard deviations out, or more, where 32 bits do not hold it.
          if (out[position] !== sample) throw brokenSource();
        }
      }
    }
  };
  /** Samples of one block; returns how many no rectangle gave. */
  const block = (target: NoiseValues, start: number, count: number, source: BulkWordSource): number => {
    source.fill(count === BLOCK ? words : words.subarray(0, count));
    words.fill(0, count, Math.ceil(count / LANES) * LANES);
    if (scaleBits >= LONG_SCALE_BITS) source.fill(more.subarray(0, Math.ceil(count / 4)));
    if (isShared(target)) {
      const to = target.byteOffset + target.BYTES_PER_ELEMENT * start;
      const found = shared!.lookUp(count, to);
      const out = start === 0 ? target : target.subarray(start);
      makeUndecided(out, found, source, (left) => shared!.tryPoints(left, to));
      return found;
    }
    const out = target instanceof Int32Array ? integers : doubles;
    const found = lookUp(count, out === integers);
    makeUndecided(out, found, source, (left) => tryPoints(left, out === integers));
    target.set(out.subarray(0, count), start);
    return found;
  };
  /** Whether samples can be made where they are wanted: all of them in whole turns of the loops. */
  const isShared = (target: NoiseValues): boolean =>
    target.buffer === shared?.buffer && target instanceof Int32Array && target.length % LANES === 0;
  const fill = (target: NoiseValues, source: BulkWordSource): void => {
    if (target instanceof Int32Array && scaleBits > INT32_SCALE_BITS) {
      throw new SottoError(
        'invalid-argument',
        `target is an Int32Array, which noise of 2^${scaleBits} units does not fit; up to 2^${INT32_SCALE_BITS} it does, else use a Float64Array`,
      );
    }
    const most = Math.min(BLOCK, target.length);
    let found = most;
    try {
      let mostFound = 0;
      for (let start = 0; start < target.length; start += BLOCK)
        mostFound = Math.max(mostFound, block(target, start, Math.min(BLOCK, target.length - start), source));
      found = mostFound;
    } finally {
      // Noise must not be readable afterwards.
      if (!isShared(target)) words.fill(0, 0, most);
      if (scaleBits >= LONG_SCALE_BITS) more.fill(0, 0, Math.ceil(most / 4));
      if (target instanceof Float64Array) doubles.fill(0, 0, most);
      // An entry more than there are may have been written.
      undecided.fill(0, 0, found + 1);
      points.fill(0, 0, 2 * found);
      open.fill(0, 0, 2 * found + 2);
    }
  };
  return Object.freeze({ scaleBits, backend: wasm === undefined ? 'javascript' : 'wasm', fill });
}
