/**
 * Runs the gradients of one batch on an engine: cut into chunks of a fixed size, as many in flight as the engine has lanes, added in the order of the batch.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { ModelGraph } from '@sotto/core/model';
import { sharedFloats, sizeOf } from '@sotto/core/ops';
import type { CompiledProgram, Engine, NumericArray, Program } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { isFiniteSum } from '../noise/release.ts';
import type { FusedUpdate } from '../fused/fused-update.ts';
import type { PrivateStep } from '../plan/mechanism-plan.ts';
import { fillDraws } from './draws.ts';
import { Chunk } from './examples.ts';
import type { ExampleTable } from './examples.ts';
import { checkFloatRules } from './float-rules.ts';
import { checkPlaces } from './place-check.ts';
import { outOfRangeRows, replaceRows } from './replace-rows.ts';

/** The programs of training. */
export interface BatchPrograms {
  /** Per-example gradients: outputs `g<i>`, and `losses`. */
  readonly rows: Program;
  /** Clipped sums: outputs `s<i>`, `losses`, `squaredNorms` and `ok`. */
  readonly sum: Program;
}

/** What a computer is made of. */
export interface BatchComputerOptions {
  readonly graph: ModelGraph;
  readonly engine: Engine;
  readonly programs: BatchPrograms;
  /** Examples per run of a program. */
  readonly physicalBatchSize: number;
  /** Runs of each step at least, of which the last may hold no example, so that smaller batches take no less time. Default none. */
  readonly leastRuns?: number;
  readonly frozen: Float32Array;
  readonly mode: 'secure' | 'fast';
  /** Draws the masks of dropout. */
  readonly random: RandomSource;
  /** `fast` mode: the shared memory in which the lanes write sums and read weights, where the end of a step is one pass over it. */
  readonly fused?: FusedUpdate | undefined;
  /** Lets other work of this thread run; awaited between chunks. */
  readonly breathe?: (() => Promise<void>) | undefined;
}

/** Told the loss of each example of a batch, chunk by chunk. Losses are private. */
export type LossListener = (losses: NumericArray, count: number) => void;

/** About how many numbers are rounded to the grid between two breaths: a few milliseconds. */
const NUMBERS_PER_SLICE = 2 ** 20;

interface Slot {
  /** Whether it holds examples and what was computed of them. */
  isUsed: boolean;
  readonly chunk: Chunk;
  /** Inputs that are drawn afresh for each chunk, by name. */
  readonly draws: Readonly<Record<string, Float32Array>>;
  /** Where the engine may write sums or gradients, so that no step allocates them. */
  readonly into: Readonly<Record<string, Float32Array>>;
  /** The same for what it tells of each example. */
  readonly perExample: Readonly<Record<string, Float32Array>>;
}

interface Flight {
  readonly slot: Slot;
  readonly indices: Uint32Array;
  readonly outputs: Promise<Readonly<Record<string, NumericArray>>>;
}

/** Computes batches of one table of examples. Calls must not overlap. */
export class BatchComputer {
  readonly #options: BatchComputerOptions;
  readonly #table: ExampleTable;
  readonly #sizes: readonly number[];
  readonly #lanes: number;
  readonly #parameters: Float32Array;
  readonly #frozen: Float32Array;
  readonly #clipNorm: Float32Array;
  readonly #free: Slot[] = [];
  #slots = 0;
  readonly #compiled: { -readonly [K in keyof BatchPrograms]?: Promise<CompiledProgram> } = {};

  constructor(table: ExampleTable, options: BatchComputerOptions) {
    this.#options = options;
    this.#table = table;
    this.#sizes = options.graph.trainable.map((spec) => spec.size);
    this.#lanes = options.engine.lanes ?? 1;
    // All lanes read the same weights, without a copy where the engine has threads.
    this.#parameters = options.fused?.parameters ?? sharedFloats(options.graph.parameterCount);
    this.#frozen = sharedFloats(options.frozen.length);
    this.#frozen.set(options.frozen);
    this.#clipNorm = sharedFloats(1);
  }

  /**
   * Compiles what a step needs, so that a model that the engine refuses is refused at once, and so is an engine whose floats are not what clipping needs, or which does not
   * compute each example by itself.
   *
   * @param weights At which that is tried; without them and without `fused`, at others.
   */
  async prepare(weights?: Float64Array): Promise<void> {
    const { engine, mode, fused, graph, programs, physicalBatchSize: n } = this.#options;
    if (mode === 'fast') await checkFloatRules(engine.name, (program) => engine.compile(program));
    const name = mode === 'fast' ? 'sum' : 'rows';
    const compiled = await this.#program(name);
    if (n === 1) return;
    if (fused === undefined && weights !== undefined) round(this.#parameters, weights);
    const hasWeights = fused !== undefined || weights !== undefined;
    const slots = mode === 'secure' ? [0, 1].map(() => this.#slot(compiled, this.#slots++)) : [];
    this.#free.push(...slots);
    try {
      await checkPlaces({
        engine: engine.name,
        graph,
        n,
        program: programs[name],
        shared: {
          ...(hasWeights ? { parameters: this.#parameters } : {}),
          frozen: this.#frozen,
          clipNorm: Float32Array.of(1),
        },
        lanes: this.#lanes,
        run: (inputs, turn) => compiled.run(inputs, slots[turn]?.into),
      });
    } finally {
      // Those of the check were not gathered.
      for (const slot of slots) slot.isUsed = true;
      this.wipe();
    }
  }

  /** Adds all examples of a step's batch to it. With `fused` the weights are those that it holds, else those given. */
  async addBatch(step: PrivateStep, weights: Float64Array, onLosses?: LossListener): Promise<void> {
    const { physicalBatchSize: n, leastRuns = 0, breathe, fused, mode } = this.#options;
    if (fused === undefined) round(this.#parameters, weights);
    this.#clipNorm[0] = step.rowNorm;
    const { batch } = step;
    const rows = Math.max(batch.length, leastRuns * n);
    const flights: Flight[] = [];
    const used: Slot[] = [];
    const launched = new Set<Slot>();
    let next = 0;
    let isDone = false;
    const launch = async (): Promise<void> => {
      while (flights.length < this.#lanes && next < rows) {
        const flight = await this.#launch(batch.subarray(next, next + n));
        flights.push(flight);
        used.push(flight.slot);
        launched.add(flight.slot);
        next += n;
      }
      // Cores that no lane will use before the end of the step may draw its noise.
      fused?.setIdle(this.#lanes - flights.length);
    };
    const free = (slot: Slot): void => {
      used.splice(used.indexOf(slot), 1);
      this.#free.push(slot);
    };
    try {
      await launch();
      while (flights.length > 0) {
        const { slot, indices, outputs } = flights[0]!;
        const done = await outputs;
        flights.shift();
        await launch();
        // The lane is at work again while this thread adds. In the order of the batch, so that float sums do not depend on which lane was quicker.
        if (mode === 'fast') {
          await this.#addSum(step, slot, indices.length, done, flights);
          onLosses?.(done['losses']!, indices.length);
          // The last sums wait for the end of the step; the others make room.
          if (next < rows) fused?.settle();
        } else await this.#addRows(step, done, indices.length, onLosses);
        free(slot);
        await breathe?.();
      }
      isDone = true;
    } finally {
      // Nothing may still read the chunks or the weights when this returns, also after a failure.
      await Promise.allSettled(flights.map((flight) => flight.outputs));
      for (const slot of [...used]) free(slot);
      for (const { perExample } of this.#free) for (const values of Object.values(perExample)) values.fill(0);
      if (isDone) this.#wipe(this.#free.filter((slot) => !launched.has(slot)));
      else this.wipe();
    }
  }

  /** Overwrites copies of examples, masks of dropout and single gradients: for a step that does not end well after its batch was added. Nothing may be under way. */
  wipe(): void {
    this.#wipe(this.#free);
  }

  /**
   * Overwrites what slots hold, which takes too long after each step for those that the step used: the next one writes over it, or wipes what it does not use. Until then the
   * examples lie in the same memory anyway, in the table. Sums are wiped by who ends a step.
   */
  #wipe(slots: readonly Slot[]): void {
    for (const slot of slots) {
      if (!slot.isUsed) continue;
      const { chunk, draws, into } = slot;
      chunk.wipe();
      for (const values of Object.values(draws)) values.fill(0);
      if (this.#options.mode === 'secure') for (const values of Object.values(into)) values.fill(0);
      slot.isUsed = false;
    }
  }

  async #launch(indices: Uint32Array): Promise<Flight> {
    const program = await this.#program(this.#options.mode === 'fast' ? 'sum' : 'rows');
    // No free slot holds a sum that waits for the end of the step: those before the last ones were settled, and after those nothing is launched.
    const slot = this.#free.pop() ?? this.#slot(program, this.#slots++);
    slot.isUsed = true;
    slot.chunk.gather(indices);
    for (const { name, law } of this.#options.graph.draws) fillDraws(slot.draws[name]!, law, this.#options.random);
    const outputs = program.run(this.#inputs(slot), { ...slot.into, ...slot.perExample });
    // A failure is looked at when it is this chunk's turn.
    outputs.catch(() => undefined);
    return { slot, indices, outputs };
  }

  #inputs(slot: Slot): Record<string, Float32Array> {
    return { ...slot.chunk.inputs, ...slot.draws, parameters: this.#parameters, frozen: this.#frozen, clipNorm: this.#clipNorm };
  }

  #slot(program: CompiledProgram, index: number): Slot {
    const { graph, physicalBatchSize: n, mode, fused } = this.#options;
    const sum = fused?.sums[index];
    const into = ({ offset, size }: { readonly offset: number; readonly size: number }): Float32Array => {
      if (mode === 'secure') return sharedFloats(n * size);
      return sum?.subarray(offset, offset + size) ?? sharedFloats(size);
    };
    const large = graph.trainable.map((spec, i) => [mode === 'fast' ? `s${i}` : `g${i}`, into(spec)] as const);
    const names = new Set<string>(large.map(([name]) => name));
    const others = Object.entries(program.outputs).filter(([name]) => !names.has(name));
    return {
      isUsed: false,
      chunk: new Chunk(this.#table.columns, n),
      draws: Object.fromEntries(graph.draws.map(({ name, shape }) => [name, sharedFloats(n * sizeOf(shape))])),
      into: Object.fromEntries(large),
      perExample: Object.fromEntries(others.map(([name, shape]) => [name, sharedFloats(sizeOf(shape))])),
    };
  }

  /** Adds the sum of a chunk, whose rows that are not finite or out of range contribute zero. */
  async #addSum(
    step: PrivateStep,
    slot: Slot,
    count: number,
    outputs: Readonly<Record<string, NumericArray>>,
    flights: readonly Flight[],
  ): Promise<void> {
    const sumsOf = (from: typeof outputs): readonly NumericArray[] => this.#sizes.map((_, i) => from[`s${i}`]!);
    const bad = outOfRangeRows(outputs['ok']!);
    const clipped = {
      norm: step.rowNorm,
      // Of the first run, also after a second, which must not write there: it has a copy where the bad row was, and the norms of the others are the same.
      squaredNorms: outputs['squaredNorms']!,
      outOfRange: bad.filter((row) => row < count).length,
      allInRange: bad.length === 0,
    };
    try {
      step.addSum(sumsOf(outputs), count, clipped);
      return;
    } catch (error) {
      if (!(error instanceof SottoError && error.code === 'numeric')) throw error;
    }
    const inputs = this.#inputs(slot);
    if (!replaceRows({ ...slot.chunk.inputs, ...slot.draws }, outputs['ok']!)) {
      for (const sum of sumsOf(outputs)) (sum as Float32Array).fill(0);
      const nothing = this.#sizes.map((size) => new Float32Array(size));
      step.addSum(nothing, count, clipped);
      return;
    }
    // All lanes may be at work on later chunks.
    await Promise.allSettled(flights.map((flight) => flight.outputs));
    const again = await (await this.#program('sum')).run(inputs, slot.into);
    for (const name of Object.keys(slot.perExample)) (again[name] as Float32Array).fill(0);
    if (!isFiniteSum(sumsOf(again))) throw stillNotFinite();
    step.addSum(sumsOf(again), count, clipped);
  }

  async #addRows(
    step: PrivateStep,
    outputs: Readonly<Record<string, NumericArray>>,
    count: number,
    onLosses: LossListener | undefined,
  ): Promise<void> {
    const parts = this.#sizes.map((width, i) => ({ values: outputs[`g${i}`]!, width }));
    const slice = Math.max(1, Math.floor(NUMBERS_PER_SLICE / this.#options.graph.parameterCount));
    for (let begin = 0; begin < count; begin += slice) {
      const end = Math.min(begin + slice, count);
      step.add(
        parts.map(({ values, width }) => ({ values: values.subarray(begin * width, end * width), width })),
        end - begin,
      );
      if (end < count) await this.#options.breathe?.();
    }
    onLosses?.(outputs['losses']!, count);
  }

  /** A program, compiled when it is first needed. */
  #program(name: keyof BatchPrograms): Promise<CompiledProgram> {
    return (this.#compiled[name] ??= this.#options.engine.compile(this.#options.programs[name]));
  }

  async close(): Promise<void> {
    this.wipe();
    await Promise.all(Object.values(this.#compiled).map(async (program) => (await program).dispose()));
  }
}

/**
 * What no data can bring about: each row that is left has a norm up to 2⁶⁰ and, clipped, adds at most about C ≤ 2⁶⁰, so that neither products nor sums of them leave
 * the floats. An engine that yields it computes something else.
 */
export function stillNotFinite(): SottoError {
  return new SottoError(
    'internal',
    'the engine gave a sum that is not finite for gradients that are; use secure mode or another engine',
  );
}

/** Writes doubles as floats; several times faster than `set` between arrays of different types. */
function round(target: Float32Array, values: Float64Array): void {
  const { length } = target;
  for (let j = 0; j < length; j++) target[j] = values[j]!;
}
