/**
 * Checks that an engine computes an example's numbers from the example alone, to the same bits wherever it stands in a run. One example more moves all that come after it
 * by a place; if that changed their gradients, it could change many of them, and a clip norm would bound nothing. Kernels that work on vectors of numbers are apt to compute
 * what is left over at the end otherwise.
 *
 * Sotto's engines are written and tested to keep to it. This check is for processors, drivers and versions of libraries that nobody has seen: made-up examples run
 * through the program of a step twice, in different places and beside others. It is a sample, not a proof.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { idInputs } from '@sotto/core/model';
import type { ModelGraph } from '@sotto/core/model';
import { sizeOf } from '@sotto/core/ops';
import type { NumericArray, Program } from '@sotto/core/ops';

/** Numbers by the names of a program's inputs or outputs. */
type Arrays = Readonly<Record<string, NumericArray>>;

/** What is checked. */
export interface PlaceCheck {
  /** For the message. */
  readonly engine: string;
  readonly graph: ModelGraph;
  /** Examples per run. Nothing runs where there is one place only. */
  readonly n: number;
  readonly program: Program;
  /** The weights at which the program is tried and all else that holds no examples; made up where they are missing. */
  readonly shared: Readonly<Record<string, Float32Array>>;
  /** How many runs may be under way at once. Default 1. */
  readonly lanes?: number;
  /** Runs the program, for the first or the second time. */
  readonly run: (inputs: Readonly<Record<string, Float32Array>>, turn: 0 | 1) => Promise<Arrays>;
}

/** Inputs that hold examples on their first axis. */
const isRows = (name: string): boolean => /^(?:x\d+|y\d+|draw\d+|mask)$/.test(name);
/** Outputs that are sums of the examples which the mask leaves: here of one. */
const isSum = (name: string): boolean => /^(?:s\d+|next)$/.test(name);

/**
 * Runs the check: the same examples in other places, and for sums one of them alone, must give the same numbers there. Whether it passes depends on the engine, the model and
 * the weights, and on no data.
 *
 * @throws SottoError `unsupported` where they differ
 */
export async function checkPlaces(check: PlaceCheck): Promise<void> {
  const { engine, n, run, lanes = 1 } = check;
  if (n === 1) return;
  const inputs = madeUpInputs(check);
  // Odd, so that no row stands at the same place of a vector again, and about a half, so that the last rows were not among the last.
  const shift = (n >> 1) | 1;
  const turned = Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => [name, isRows(name) ? rotated(values, n, shift) : values]),
  );
  const first = run(inputs, 0);
  if (lanes === 1) await first;
  const [before, after] = await Promise.all([first, run(turned, 1)]);
  for (const [name, values] of Object.entries(before)) {
    if (isSame(values, after[name]!, isSum(name) ? 0 : (values.length / n) * shift)) continue;
    throw new SottoError(
      'unsupported',
      `the engine ${engine} computes other numbers (${name}) for the same example in another place of a run of ${n}, so clipping would not bound what one example changes; ` +
        'leave physicalBatchSize out, set physicalBatchSize to 1, or use another engine',
    );
  }
}

/** Whether one list is the other turned by `offset`: element i of `after` is element i + offset of `before`. NaNs are alike, and so are zeros. */
function isSame(before: NumericArray, after: NumericArray, offset: number): boolean {
  const { length } = before;
  if (after.length !== length) return false;
  for (let i = 0, j = offset; i < length; i++, j++) {
    if (j === length) j = 0;
    const [a, b] = [before[j]!, after[i]!];
    if (a !== b && !(Number.isNaN(a) && Number.isNaN(b))) return false;
  }
  return true;
}

/** Row i of the result is row (i + shift) mod n. */
function rotated(values: Float32Array, n: number, shift: number): Float32Array {
  const at = (values.length / n) * shift;
  const turned = new Float32Array(values.length);
  turned.set(values.subarray(at));
  turned.set(values.subarray(0, at), values.length - at);
  return turned;
}

/** Reproducible numbers in [0, 1): they stand for data and hide nothing. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Examples that fit a model and nobody's data: numbers of either sign, ids, classes 0 and 1; and a mask that leaves the last of them. */
function madeUpInputs({ program, graph, n, shared }: PlaceCheck): Record<string, Float32Array> {
  const next = uniforms(1);
  const rowsOfTable = new Map(idInputs(graph).map(({ input, rows }) => [`x${input}`, rows]));
  const chances = new Map(graph.draws.map(({ name, law }) => [name, law.kind === 'keep' ? law.probability : undefined]));
  const fill = (name: string): (() => number) => {
    const rows = rowsOfTable.get(name);
    if (rows !== undefined) return () => Math.floor(next() * rows);
    if (name.startsWith('y')) return () => Math.floor(2 * next());
    const chance = chances.get(name);
    if (chance !== undefined) return () => (next() < chance ? 1 : 0);
    return name === 'parameters' ? () => 0.2 * (next() - 0.5) : () => 2 * next() - 1;
  };
  return Object.fromEntries(
    program.inputs.map(({ name, shape }) => {
      const given = shared[name];
      if (given !== undefined) return [name, given];
      const values = new Float32Array(sizeOf(shape));
      if (name === 'mask') values[n - 1] = 1;
      else {
        const value = fill(name);
        for (let i = 0; i < values.length; i++) values[i] = value();
      }
      return [name, values];
    }),
  );
}
