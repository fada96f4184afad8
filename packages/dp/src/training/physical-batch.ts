/**
 * How many examples one run of a program takes. It changes speed and memory, never the distribution of what is released.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { recordProgram, sizeOf } from '@sotto/core/ops';
import type { Graph, GraphNode, Program } from '@sotto/core/ops';
import { runCost } from './run-cost.ts';

/** What the choice depends on, all of it public. */
export interface PhysicalBatchOptions {
  /** Chosen by the user; then it is only checked. */
  readonly requested: number | undefined;
  readonly memoryBudgetBytes: number | undefined;
  readonly expectedBatchSize: number;
  /** The rate of Poisson sampling; undefined where all batches have one size. */
  readonly sampleRate: number | undefined;
  readonly lanes: number;
  /** The most rows of a run: `maxFloatRows` of the plan. */
  readonly limit: number;
  /** The engine's `runMultiple`, which a size that nobody chose is a multiple of where limit and budget allow. */
  readonly runMultiple?: number | undefined;
  /** Whether a run returns every row's gradient, as in `secure` mode, rather than their sum. */
  readonly returnsRows: boolean;
  /** The program of a step for n examples per run. */
  readonly program: (n: number) => Program;
}

const LEAST = 16;
const MOST = 128;
/** With lanes, where a run may be as large as the usual share of a batch of 256. */
const MOST_ON_LANES = 160;
/** Chunks of a batch per lane where runs return rows: fewer rows at a time take less memory, and a run costs little beside them. */
const CHUNKS_OF_ROWS = 4;
/** How many more runs per lane than the fewest are tried. */
const MORE_RUNS = 7;
/** Sums over rows whose number fills whole vectors are quicker: see `onnx/same-everywhere.ts` of `@sotto/core`. */
const VECTORS = 16;
const UNEVEN = 1.03;
/** At the end of a step lanes wait for the one that something held up, for a part of a run. */
const WAITING = 0.1;
const MAX_REQUESTED = 2 ** 20;

/** Chooses the size. Throws `invalid-argument` where not even one example per run fits the memory budget. */
export function choosePhysicalBatch(options: PhysicalBatchOptions): number {
  const { requested, memoryBudgetBytes, lanes } = options;
  const wanted =
    requested === undefined
      ? wholeMultiple(evenParts(usualRun(options), options.limit), options)
      : evenParts(integer('physicalBatchSize', requested, 1, MAX_REQUESTED), options.limit);
  if (memoryBudgetBytes === undefined) return wanted;
  const budget = integer('memoryBudgetBytes', memoryBudgetBytes, 1);
  const needs = (n: number): number => stepBytes(recordProgram(options.program(n)), lanes);
  const fits = (n: number): boolean => needs(n) <= budget;
  if (fits(wanted)) return wanted;
  if (!fits(1)) {
    throw new SottoError(
      'invalid-argument',
      `memoryBudgetBytes is ${budget}; one example at a time on each of ${lanes} lanes needs ${needs(1)}, so raise it or use fewer lanes`,
    );
  }
  let least = 1;
  let most = wanted;
  while (most - least > Math.max(1, least >> 4)) {
    const middle = (least + most) >> 1;
    if (fits(middle)) least = middle;
    else most = middle;
  }
  return wholeMultiple(least, { limit: least, runMultiple: options.runMultiple });
}

/** The next multiple that the engine asks for, or the one before where the next is above the limit; the size itself where there is none. */
function wholeMultiple(size: number, { limit, runMultiple = 1 }: Pick<PhysicalBatchOptions, 'limit' | 'runMultiple'>): number {
  const next = runMultiple * Math.ceil(size / runMultiple);
  if (next <= limit) return next;
  return size < runMultiple ? size : next - runMultiple;
}

/**
 * How many runs each step takes at least, also where its batch is smaller, so that a step takes as long for all but the largest batches and time tells little of their size.
 * None where a user has chosen the size, or where runs return rows.
 */
export function leastRuns(options: PhysicalBatchOptions, size: number): number {
  const { requested, lanes, returnsRows } = options;
  if (requested !== undefined || returnsRows || lanes === 1) return 0;
  return lanes * Math.ceil(usualShare(options) / size);
}

/** All but the largest one of fifty batches, cut evenly for the lanes. */
function usualShare({ expectedBatchSize, sampleRate, lanes }: PhysicalBatchOptions): number {
  const variance = sampleRate === undefined ? 0 : expectedBatchSize * (1 - sampleRate);
  return Math.ceil((expectedBatchSize + 2 * Math.sqrt(variance)) / lanes);
}

/** One lane's share of all but the largest batches, in as few runs as the limit allows; on lanes in the number of runs that takes least time; a share of rows in more. */
function usualRun(options: PhysicalBatchOptions): number {
  const { expectedBatchSize, lanes, returnsRows, limit, program } = options;
  if (returnsRows) return Math.max(LEAST, Math.min(MOST, Math.ceil(expectedBatchSize / (CHUNKS_OF_ROWS * lanes))));
  const share = usualShare(options);
  if (lanes === 1) return Math.max(LEAST, evenParts(share, MOST));
  const { perRun, perExample } = runCost(program);
  const fewest = Math.ceil(share / Math.min(limit, MOST_ON_LANES));
  let best = { size: share, ns: Infinity };
  for (let runs = fewest; runs <= fewest + MORE_RUNS; runs++) {
    const size = Math.ceil(share / runs);
    const examples = size * perExample * (size % VECTORS === 0 ? 1 : UNEVEN);
    const ns = runs * (perRun + examples) + WAITING * examples;
    if (ns < best.ns) best = { size, ns };
  }
  return best.size;
}

/** The size of equal parts of a whole, as few as the limit allows. */
function evenParts(whole: number, limit: number): number {
  return Math.ceil(whole / Math.max(1, Math.ceil(whole / limit)));
}

const BYTES = 4;

/**
 * What a runtime takes for each byte that a program computes: buffers within operations (pooling, patches, blocked layouts), copies into outputs, and an arena
 * that grows ahead. Measured on ONNX Runtime, where it was at most 2.6 for dense and convolutional models; the rest is room for what is not freed at once.
 */
const RUNTIME_FACTOR = 3.6;

/** The most bytes that a step holds on all lanes together: one more set of inputs and outputs than there are lanes, so that none waits for the sum. */
export function stepBytes(graph: Graph, lanes: number): number {
  const size = (nodes: readonly GraphNode[]): number => nodes.reduce((sum, { shape }) => sum + BYTES * sizeOf(shape), 0);
  const inputs = size(graph.inputs);
  const outputs = size(Object.values(graph.outputs));
  return (lanes + 1) * (inputs + outputs) + RUNTIME_FACTOR * lanes * (peakBytes(graph) - inputs);
}

/**
 * The most bytes that tensors of a program hold at once where each is freed after its last use: inputs, outputs and what is between them. Nodes run in the order
 * in which they were recorded, and a reshaped tensor shares the memory of what it was.
 */
export function peakBytes(graph: Graph): number {
  const owner = (node: GraphNode): GraphNode => (node.operation === 'reshape' ? owner(node.inputs[0]!) : node);
  const lastUse = new Map<GraphNode, number>();
  graph.nodes.forEach((node, i) => {
    for (const input of node.inputs) lastUse.set(owner(input), i);
  });
  for (const output of Object.values(graph.outputs)) lastUse.set(owner(output), graph.nodes.length);
  let live = 0;
  let peak = 0;
  graph.nodes.forEach((node, i) => {
    if (owner(node) === node) live += BYTES * sizeOf(node.shape);
    peak = Math.max(peak, live);
    for (const input of new Set(node.inputs.map(owner))) {
      if (lastUse.get(input) === i) live -= BYTES * sizeOf(input.shape);
    }
  });
  return peak;
}
