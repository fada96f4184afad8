/**
 * Training that stays on an engine's device: weights, the sum of a step and the optimiser's vectors never leave it while steps go on. Up go the examples of a chunk and
 * the noise, down comes one number per chunk.
 *
 * The noise goes up as whole numbers from the exact sampler, because no generator of a graphics library is cryptographic; it is added to the rounded sum in 32-bit
 * integers on the device (`Ops.roundAdd`), so that the result is as exact as in memory. Only `fast` mode: `secure` mode verifies every example in integers in
 * memory, and so needs its gradients there.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { ModelGraph } from '@sotto/core/model';
import { sizeOf } from '@sotto/core/ops';
import type { DeviceMemory, DeviceProgram, DeviceTraffic, Engine, NumericArray } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import type { StepNoise } from '../noise/step-noise.ts';
import type { OptimiserOptions, OptimiserState } from '../optimiser/optimiser.ts';
import type { MechanismPlan, PrivateStep, PrivateSum } from '../plan/mechanism-plan.ts';
import { scheduleRange } from '../plan/schedule.ts';
import { stillNotFinite } from './batch-computer.ts';
import type { BatchPrograms } from './batch-computer.ts';
import { addChunkProgram, packScalars, slotCount, updateProgram } from './device-programs.ts';
import { fillDraws } from './draws.ts';
import { Chunk } from './examples.ts';
import type { ExampleTable } from './examples.ts';
import { checkFloatRules } from './float-rules.ts';
import { checkPlaces } from './place-check.ts';
import { outOfRangeRows, replaceRows } from './replace-rows.ts';

/** What a device trainer is made of. */
export interface DeviceTrainerOptions {
  readonly graph: ModelGraph;
  readonly engine: Engine;
  readonly plan: MechanismPlan;
  readonly programs: BatchPrograms;
  readonly physicalBatchSize: number;
  readonly frozen: Float32Array;
  readonly optimiser: OptimiserOptions;
  readonly random: RandomSource;
  readonly weights: Float64Array;
  /** Goes on from the state of an optimiser. */
  readonly optimiserState?: OptimiserState | undefined;
}

/** Whole numbers up to here are floats, and sums of two such sums are 32-bit integers. */
const LARGEST_NOISE = 2 ** 24;
/** Noise of 2²⁰ grid units stays below that up to 16 standard deviations. */
export const MAX_GRID_BITS: number = 20;
/** A sum of this size and the noise together stay within 32-bit integers; the last part in a hundred is for rounding. */
export const LARGEST_SUM: number = 0.99 * 2 ** 30;

/**
 * Why a plan cannot be trained on a device's tensors, or undefined where it can. The clipped sum in grid units must fit 32-bit integers and the noise floats, so
 * the plan's `gridBits` must be at most 20; what the coarser grid costs is in the plan's slack. The largest batch, cut into runs, must not be rounded more often than the
 * slack counts: that is decided here, from public figures, because a refusal later would depend on the size of a batch.
 *
 * @param physicalBatchSize Examples per run
 */
export function notResident(plan: MechanismPlan, engine: Engine, physicalBatchSize: number): string | undefined {
  if (engine.openMemory === undefined) return `the engine ${engine.name} keeps no tensors`;
  if (plan.mode !== 'fast') return 'secure mode verifies every example in integers in memory; set mode to fast';
  if (plan.clipping.kind === 'adaptive') return 'adaptive clipping counts norms in memory';
  const { gridBits } = plan.grid;
  if (gridBits > MAX_GRID_BITS)
    return `gridBits is ${gridBits}; set it to at most ${MAX_GRID_BITS}, so that noise fits 32-bit floats`;
  // Scheduled noise stretches the grid from step to step; with the least noise a clip norm has the most units.
  const radius = 2 ** gridBits / (plan.noiseMultiplier * scheduleRange(plan.noiseSchedule)[0]);
  if (radius * plan.maxBatchSize > LARGEST_SUM) {
    return `a sum of ${plan.maxBatchSize} examples on a grid of ${gridBits} bits can leave 32-bit integers; lower gridBits`;
  }
  const { unit } = plan;
  const mostRows = plan.maxBatchSize * (unit.kind === 'user' && unit.combine === 'perRecord' ? unit.contributionBound : 1);
  const roundings = Math.min(physicalBatchSize, mostRows) + Math.ceil(mostRows / physicalBatchSize);
  if (roundings > plan.maxFloatRows) {
    return (
      `${mostRows} examples in runs of ${physicalBatchSize} are rounded up to ${roundings} times, more than the ${plan.maxFloatRows} that the slack of the noise ` +
      'counts; choose another physicalBatchSize'
    );
  }
  return undefined;
}

/** Trains on a device. Calls must not overlap. */
export class DeviceTrainer {
  readonly #options: DeviceTrainerOptions;
  readonly #memory: DeviceMemory;
  readonly #chunk: Chunk;
  readonly #draws: Readonly<Record<string, Float32Array>>;
  readonly #slots: number;
  readonly #clipNorm: Float32Array = new Float32Array(1);
  #programs!: { readonly add: DeviceProgram; readonly update: DeviceProgram };
  #steps: number;
  /** Whether the sum on the device holds examples of a step that did not end. */
  #open = false;

  private constructor(table: ExampleTable, options: DeviceTrainerOptions, memory: DeviceMemory) {
    const { graph, physicalBatchSize: n } = options;
    this.#options = options;
    this.#memory = memory;
    this.#chunk = new Chunk(table.columns, n);
    this.#draws = Object.fromEntries(graph.draws.map(({ name, shape }) => [name, new Float32Array(n * sizeOf(shape))]));
    this.#slots = slotCount(options.optimiser);
    this.#steps = integer('optimiserState.step', options.optimiserState?.step ?? 0, 0);
  }

  /** Puts weights and state on the device and compiles a step. Throws `unsupported` where {@link notResident} says why. */
  static async open(table: ExampleTable, options: DeviceTrainerOptions): Promise<DeviceTrainer> {
    const { engine, plan, graph, weights, optimiserState, optimiser } = options;
    const why = notResident(plan, engine, options.physicalBatchSize);
    if (why !== undefined || engine.openMemory === undefined)
      throw new SottoError('unsupported', `training cannot stay on the device: ${why}`);
    const trainer = new DeviceTrainer(table, options, engine.openMemory());
    const D = graph.parameterCount;
    const memory = trainer.#memory;
    try {
      await checkFloatRules(engine.name, (program) => memory.compile(program, {}));
      await memory.write('weights', [D], weights);
      await memory.write('sum', [D], new Float32Array(D));
      if (graph.frozenCount > 0) await memory.write('frozen', [graph.frozenCount], options.frozen);
      for (let i = 0; i < trainer.#slots; i++)
        await memory.write(`slot${i}`, [D], optimiserState?.slots[i] ?? new Float64Array(D));
      const slots = Object.fromEntries(Array.from({ length: trainer.#slots }, (_, i) => [`slot${i}`, `slot${i}`]));
      trainer.#programs = {
        add: await memory.compile(addChunkProgram(graph, options.programs.sum), {
          reads: { ...trainer.#modelReads(), sum: 'sum' },
          writes: { next: 'next', ok: 'ok' },
        }),
        update: await memory.compile(updateProgram(D, optimiser), {
          reads: { weights: 'weights', sum: 'sum', ...slots },
          writes: { weights: 'weights', sum: 'sum', ...slots },
        }),
      };
      await trainer.#checkPlaces();
      return trainer;
    } catch (error) {
      await memory.dispose();
      throw error;
    }
  }

  async #checkPlaces(): Promise<void> {
    const { engine, graph, programs, physicalBatchSize: n } = this.#options;
    // Weights, frozen weights and an empty sum are on the device. What is added here goes nowhere.
    const own = new Set(this.#uploads());
    const program = { ...programs.sum, inputs: programs.sum.inputs.filter(({ name }) => own.has(name)) };
    const run = async (inputs: Readonly<Record<string, Float32Array>>): Promise<Record<string, NumericArray>> => {
      await this.#programs.add.run(inputs);
      return { next: await this.#memory.read('next'), ok: await this.#memory.read('ok') };
    };
    await checkPlaces({ engine: engine.name, graph, n, program, shared: { clipNorm: Float32Array.of(1) }, run });
  }

  #uploads(): string[] {
    return [...Object.keys(this.#chunk.inputs), ...Object.keys(this.#draws), 'clipNorm'];
  }

  #modelReads(): Record<string, string> {
    return { parameters: 'weights', ...(this.#options.graph.frozenCount > 0 ? { frozen: 'frozen' } : {}) };
  }

  /** Bytes that went up and came down so far. */
  get traffic(): DeviceTraffic {
    return this.#memory.traffic;
  }

  /**
   * One private step: all examples of its batch, the noise, the update. What it returns may be published.
   *
   * @param learningRate Overrides the optimiser's, for schedules.
   */
  async step(step: PrivateStep, noise?: StepNoise, learningRate?: number): Promise<Omit<PrivateSum, 'sum'>> {
    const { physicalBatchSize: n } = this.#options;
    this.#clipNorm[0] = step.rowNorm;
    const { parameterCount: D } = this.#options.graph;
    // What a step that failed left behind must not reach the next release.
    if (this.#open) await this.#memory.write('sum', [D], new Float32Array(D));
    this.#open = true;
    try {
      for (let begin = 0; begin < step.batch.length; begin += n)
        await this.#addChunk(step, step.batch.subarray(begin, begin + n));
    } finally {
      this.#chunk.wipe();
      for (const values of Object.values(this.#draws)) values.fill(0);
    }
    const { whole, unit, ...release } = step.releaseHeld(noise);
    await this.#update(whole, unit, release.expectedBatchSize, learningRate);
    this.#open = false;
    return release;
  }

  async #addChunk(step: PrivateStep, indices: Uint32Array): Promise<void> {
    this.#chunk.gather(indices);
    for (const { name, law } of this.#options.graph.draws) fillDraws(this.#draws[name]!, law, this.#options.random);
    const uploads = { ...this.#chunk.inputs, ...this.#draws, clipNorm: this.#clipNorm };
    const count = indices.length;
    if (await this.#tryAdd(uploads)) return step.holdSum(count, { norm: step.rowNorm });
    // A bad row spoils its chunk's sum, which is dropped: the chunk runs again without it. Only now, and for this, flags of the rows come down.
    const ok = await this.#memory.read('ok');
    const clipped = { norm: step.rowNorm, outOfRange: outOfRangeRows(ok).filter((row) => row < count).length };
    // Without a good row there is nothing to add.
    if (replaceRows({ ...this.#chunk.inputs, ...this.#draws }, ok) && !(await this.#tryAdd(uploads))) throw stillNotFinite();
    step.holdSum(count, clipped);
  }

  /** Adds a chunk's clipped sum to the sum on the device, which stays as it is where the result would not be finite. */
  async #tryAdd(uploads: Readonly<Record<string, Float32Array>>): Promise<boolean> {
    const { bad } = await this.#programs.add.run(uploads);
    if (bad![0] !== 0) return false;
    this.#memory.rename('next', 'sum');
    return true;
  }

  async #update(whole: Float64Array, unit: number, expectedBatchSize: number, learningRate?: number): Promise<void> {
    const { optimiser } = this.#options;
    const [beta1, beta2] = optimiser.kind === 'sgd' ? [0, 0] : [optimiser.beta1 ?? 0.9, optimiser.beta2 ?? 0.999];
    const up = Float32Array.from(whole);
    for (let j = 0; j < up.length; j++) {
      // Never within the life of anything: 16 standard deviations.
      if (Math.abs(up[j]!) >= LARGEST_NOISE)
        throw new SottoError('numeric', 'a noise sample does not fit a 32-bit float; the step is spent');
    }
    this.#steps++;
    try {
      await this.#programs.update.run({
        whole: up,
        scalars: packScalars({
          perUnit: 1 / unit,
          unit: unit / expectedBatchSize,
          learningRate: learningRate ?? optimiser.learningRate,
          first: 1 / (1 - beta1 ** this.#steps),
          second: 1 / (1 - beta2 ** this.#steps),
        }),
      });
    } finally {
      up.fill(0);
      whole.fill(0);
    }
  }

  /** Downloads the weights. */
  async weights(): Promise<Float64Array> {
    return Float64Array.from(await this.#memory.read('weights'));
  }

  /** Downloads the optimiser's state, from which another trainer goes on exactly as this one would. */
  async optimiserState(): Promise<OptimiserState> {
    const slots: Float64Array[] = [];
    for (let i = 0; i < this.#slots; i++) slots.push(Float64Array.from(await this.#memory.read(`slot${i}`)));
    return { kind: this.#options.optimiser.kind, step: this.#steps, slots };
  }

  async close(): Promise<void> {
    for (const program of Object.values(this.#programs)) await program.dispose();
    await this.#memory.dispose();
  }
}
