/**
 * Where the vectors of a training lie in one memory that threads share: what the lanes of an engine write, what the optimiser keeps, and the parameters that the lanes
 * read. The end of a step then is one pass over it, and nothing is copied in or out.
 *
 * @module
 */

/** What a memory holds. */
export interface VectorCounts {
  /** D: trainable parameters. */
  readonly dimension: number;
  /** Vectors of the optimiser. */
  readonly slots: number;
  /** Whether an average of the weights is kept. */
  readonly average: boolean;
  /** Clipped sums in float32 that may be held at once. */
  readonly sums: number;
  /** Threads that take part in a pass. */
  readonly threads: number;
  /** Whether noise comes as 32-bit integers, else as doubles. */
  readonly integers: boolean;
}

/** Byte offsets of vectors, each of `padded` numbers. */
export interface VectorLayout extends VectorCounts {
  /** D, rounded up to whole turns of the loops. What lies beyond D is never looked at. */
  readonly padded: number;
  /** Weights, float64. */
  readonly weights: number;
  /** The optimiser's vectors, float64. */
  readonly slotsAt: readonly number[];
  /** The average of the weights, float64; 0 where there is none. */
  readonly averageAt: number;
  /** Sums that were added up before the last ones, float64. */
  readonly doubles: number;
  /** The weights as the lanes read them, float32. */
  readonly parameters: number;
  /** Clipped sums, float32. */
  readonly sumsAt: readonly number[];
  /** {@link BLOCK} numbers for each thread: the noise of the block that it is at. */
  readonly noiseAt: readonly number[];
  /** D numbers: noise that is drawn ahead by helping threads; 0 where there are none. */
  readonly aheadAt: number;
  /** A word for each block: whether its noise is drawn. */
  readonly statesAt: number;
  /** {@link MOST_NUMBERS} doubles: what a pass is told. */
  readonly numbers: number;
  /** {@link CONTROL_WORDS} words: which pass is under way, and how far it is. */
  readonly control: number;
  /** Pages of 64 KiB. */
  readonly pages: number;
}

/** Coordinates that a thread takes at a time: what it touches of them stays in its cache. */
export const BLOCK = 8192;
/** Doubles that a pass may be told. */
export const MOST_NUMBERS = 32;
/** Words for the threads' agreement. */
export const CONTROL_WORDS = 64;
/** Sums that a pass can take at once, which have a word each in the control area. */
export const MOST_SUMS = 48;

const PAGE = 65536;
/** Offsets stay within signed 32-bit integers. */
const MOST_BYTES = 2 ** 31 - PAGE;

/** Lays out a memory; undefined where the vectors are too many or too long for one. */
export function layOut(counts: VectorCounts): VectorLayout | undefined {
  const { dimension, slots, average, sums, threads, integers } = counts;
  const padded = (dimension + 3) & ~3;
  if (sums > MOST_SUMS || 8 * padded > MOST_BYTES) return undefined;
  // The first bytes stay unused, so that no offset is 0.
  let end = 64;
  const take = (bytes: number): number => {
    const at = end;
    // Whole cache lines, so that threads do not share any.
    end += (bytes + 63) & ~63;
    return at;
  };
  const many = (count: number, bytes: number): number[] => Array.from({ length: count }, () => take(bytes));
  const layout = {
    ...counts,
    padded,
    control: take(4 * CONTROL_WORDS),
    numbers: take(8 * MOST_NUMBERS),
    noiseAt: many(threads, (integers ? 4 : 8) * BLOCK),
    aheadAt: threads > 1 ? take((integers ? 4 : 8) * padded) : 0,
    statesAt: take(4 * Math.ceil(padded / BLOCK)),
    weights: take(8 * padded),
    slotsAt: many(slots, 8 * padded),
    averageAt: average ? take(8 * padded) : 0,
    doubles: take(8 * padded),
    parameters: take(4 * padded),
    sumsAt: many(sums, 4 * padded),
  };
  return end > MOST_BYTES ? undefined : { ...layout, pages: Math.ceil(end / PAGE) };
}
