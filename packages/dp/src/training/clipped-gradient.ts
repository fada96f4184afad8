/**
 * The clipped gradient sum of a batch as a pure function: what every private step releases with noise, for those who build their own mechanism on it.
 *
 * @module
 */
import { integer, oneOf, show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { adjacencies } from '@sotto/core/event';
import type { Adjacency } from '@sotto/core/event';
import { compileModel, readWeights } from '@sotto/core/model';
import type { CompileOptions, LayersModelLike, ModelGraph, Topology } from '@sotto/core/model';
import type { CompiledProgram, Engine, NumericArray } from '@sotto/core/ops';
import type { RandomSource } from '@sotto/core/random';
import { systemRandom } from '@sotto/core/system-random';
import { checkClipping, clipFactor, clipGroups } from '../clip/clipping.ts';
import type { Clipping } from '../clip/clipping.ts';
import { createGrid } from '../clip/grid.ts';
import { QuantisedSum } from '../clip/quantised-sum.ts';
import { knownKeys } from '../known-keys.ts';
import { checkLoss, checkModel } from './first-look.ts';
import { drawInputs } from './draws.ts';
import { withoutValues } from './engine-errors.ts';
import { Chunk, tableOf } from './examples.ts';
import type { ExampleTable } from './examples.ts';
import { perExampleProgram } from './gradient-programs.ts';
import { readTensors } from './inputs.ts';
import type { Tensors } from './inputs.ts';
import { checkPlaces } from './place-check.ts';
import { createObjective } from './objective.ts';
import type { LossWeights, Losses, Objective } from './objective.ts';

/** Options of {@link clippedGradient}: constants that must not be computed from the private data. */
export interface ClippedGradientOptions extends CompileOptions {
  readonly loss: Losses;
  readonly lossWeights?: LossWeights;
  /** Any rule without a state: `adaptive` clipping has one and is refused. */
  readonly clipping: Clipping;
  readonly engine: Engine;
  /** Examples per run of the engine. Performance only. Default: the engine's `runMultiple`, else 32. */
  readonly physicalBatchSize?: number;
  /** Draws the masks of dropout. Default: the platform's CSPRNG. */
  readonly random?: RandomSource;
}

/** The clipped gradient sum of a batch. Everything but `sensitivity` is private data. */
export interface ClippedGradient {
  /** Σᵢ clip(gᵢ), D numbers in the order of `graph.trainable`. Not divided by anything. */
  readonly sum: Float64Array;
  /** ‖gᵢ‖² before clipping, one for each example; NaN or infinite where a gradient is not finite. */
  readonly squaredNorms: Float64Array;
  /** Each example's weighted loss. */
  readonly losses: Float64Array;
  /** Examples whose gradients held a NaN or an infinity, and so contributed zero. */
  readonly nonFiniteExamples: number;
  /**
   * The L2 sensitivity of `sum`: the most that it can differ between neighbouring data sets. With clip norm C it is C for `addOrRemoveOne`, `zeroOut` and
   * `replaceSpecial`, 2·C for `replaceOne`.
   */
  readonly sensitivity: (adjacency: Adjacency) => number;
}

/** Computes the clipped gradient sum of any batch. Calls must not overlap. */
export interface ClippedGradientFunction {
  /**
   * @param x Inputs as `fit` takes them: one tensor, a list or a map by input name; the first axis is that of the examples. At most 2²⁸ examples.
   * @param y Targets likewise, one for each output with a loss.
   * @param parameters The weights at which to differentiate, D numbers. Default: those that the model has at the time of the call.
   */
  (x: Tensors, y: Tensors, parameters?: NumericArray): Promise<ClippedGradient>;
  readonly graph: ModelGraph;
  /** Frees the engine's program. */
  close(): Promise<void>;
}

const DEFAULT_PHYSICAL_BATCH = 32;
const GRID_BITS = 24;
/** Brings norms this much below C, which is more than the rounding of a sum of 2²⁸ examples to doubles can add. */
const SHRINK = 1 - 2 ** -20;

/**
 * Makes the clipped gradient function of a model.
 *
 * Guarantees, for any weights and any examples, NaN and infinities included:
 * - Each example's contribution depends on that example only: the compiler follows the batch axis through the model and the loss.
 * - Its L2 norm is at most C, and so removing it moves `sum` by at most C. That holds for the doubles that are returned, however the engine rounds:
 *   contributions are rounded to integers whose norm is verified exactly, and integers are added, so that no order of summation matters.
 *
 * Assumption: that the engine computes an example's gradient to the same bits in every place of a run. Sotto's engines are written and tested to do so, and at the first call the engine is
 * tried on made-up examples; `physicalBatchSize: 1` has one place only and needs no assumption.
 *
 * Further:
 * - Nothing is kept between calls, and nothing is released: adding noise of standard deviation σ·sensitivity is up to the caller.
 *
 * @throws SottoError `unsupported`, naming the layer and the cure, for a model or a loss that mixes examples or has no private gradient; in a call also for an engine whose numbers depend
 *   on the place of an example;
 *   `invalid-argument` for a model without trainable weights or options out of range.
 */
export function clippedGradient(model: LayersModelLike | Topology, options: ClippedGradientOptions): ClippedGradientFunction {
  if (typeof (options as unknown) !== 'object' || options === null)
    throw new SottoError('invalid-argument', `options is ${show(options)}; it must be an object with loss, clipping and engine`);
  knownKeys('', options, ['loss', 'lossWeights', 'kinds', 'clipping', 'engine', 'physicalBatchSize', 'random']);
  checkModel(model, true);
  checkLoss(options.loss);
  if (typeof (options.engine as Partial<Engine> | undefined)?.compile !== 'function')
    throw new SottoError('invalid-argument', 'engine is missing: give an engine such as onnxEngine()');
  const clipping = checkClipping(options.clipping);
  if (clipping.kind === 'adaptive') {
    throw new SottoError(
      'unsupported',
      'clipping.kind is adaptive, whose norm changes from step to step; a pure function has no state, so use flat with the norm of the step',
    );
  }
  const graph = compileModel(model, options);
  if (graph.parameterCount === 0)
    throw new SottoError('invalid-argument', 'the model has no trainable parameters; unfreeze a layer');
  const objective = createObjective(graph, options.loss, options.lossWeights);
  const n = integer(
    'physicalBatchSize',
    options.physicalBatchSize ?? options.engine.runMultiple ?? DEFAULT_PHYSICAL_BATCH,
    1,
    2 ** 20,
  );
  const random = options.random ?? systemRandom;
  const recorded = perExampleProgram(graph, objective, n);
  let compiled: Promise<CompiledProgram> | undefined;
  let checked: Promise<void> | undefined;

  const run = async (x: Tensors, y: Tensors, parameters?: NumericArray): Promise<ClippedGradient> => {
    const weights = Float32Array.from(parameters ?? weightsOf(model, graph, 'trainable'));
    if (weights.length !== graph.parameterCount) {
      throw new SottoError(
        'invalid-argument',
        `parameters has ${weights.length} numbers; the model has ${graph.parameterCount} trainable ones`,
      );
    }
    const shared = {
      parameters: weights,
      ...(graph.frozenCount > 0 ? { frozen: Float32Array.from(weightsOf(model, graph, 'frozen')) } : {}),
    };
    const table = readExamples(graph, objective, x, y);
    const program = await (compiled ??= options.engine.compile(recorded));
    const { engine } = options;
    await (checked ??= checkPlaces({
      engine: engine.name,
      graph,
      n,
      program: recorded,
      shared,
      run: (inputs) => program.run(inputs),
    }));
    const total = new Total(graph, clipping, table.count);
    const chunk = new Chunk(table.columns, n);
    let draws: Readonly<Record<string, Float32Array>> = {};
    const wipeDraws = (): void => {
      for (const values of Object.values(draws)) values.fill(0);
    };
    try {
      for (let begin = 0; begin < table.count; begin += n) {
        const count = Math.min(n, table.count - begin);
        chunk.gather(Uint32Array.from({ length: count }, (_, row) => begin + row));
        const { mask: _, ...examples } = chunk.inputs;
        wipeDraws();
        draws = drawInputs(graph, n, random);
        total.add(await withoutValues(engine.name, () => program.run({ ...examples, ...shared, ...draws })), begin, count);
      }
    } finally {
      chunk.wipe();
      wipeDraws();
    }
    return total.finish(clipping.norm);
  };
  return Object.assign(run, {
    graph,
    async close() {
      await (await compiled)?.dispose();
      compiled = undefined;
    },
  });
}

function weightsOf(model: LayersModelLike | Topology, graph: ModelGraph, group: 'trainable' | 'frozen'): Float64Array {
  if ('weights' in model) return readWeights(model, graph, group);
  throw new SottoError(
    'invalid-argument',
    group === 'trainable'
      ? 'a topology holds no weights; pass parameters, or the model itself'
      : 'the topology has frozen layers, whose weights it does not hold; pass the model itself',
  );
}

function readExamples(graph: ModelGraph, objective: Objective, x: Tensors, y: Tensors): ExampleTable {
  const inputs = readTensors(
    'x',
    x,
    graph.inputShapes.map((shape, i) => ({ name: `x${i}`, layer: graph.inputNames[i]!, shape })),
  );
  const targets = readTensors(
    'y',
    y,
    objective.targets.map(({ name, output, shape }) => ({ name, layer: output, shape })),
  );
  return tableOf([...inputs.specs, ...targets.specs], [...inputs.values, ...targets.values]);
}

/** Adds up examples, exactly. */
class Total {
  readonly #sum: QuantisedSum;
  readonly #unit: number;
  readonly #sizes: readonly number[];
  readonly #squaredNorms: Float64Array;
  readonly #losses: Float64Array;

  constructor(graph: ModelGraph, clipping: Clipping, count: number) {
    const grid = createGrid(clipping.norm * SHRINK, 1, GRID_BITS);
    const ends = clipGroups(clipping, graph.trainable).map((group) => {
      const last = graph.trainable[group.at(-1)!]!;
      return last.offset + last.size;
    });
    this.#unit = grid.unit;
    this.#sum = new QuantisedSum(grid, graph.parameterCount, count, clipFactor(clipping), ends);
    this.#sizes = graph.trainable.map(({ size }) => size);
    this.#squaredNorms = new Float64Array(count);
    this.#losses = new Float64Array(count);
  }

  add(outputs: Readonly<Record<string, NumericArray>>, begin: number, count: number): void {
    const parts = this.#sizes.map((width, i) => ({ values: outputs[`g${i}`]!, width }));
    for (let row = 0; row < count; row++) {
      let squares = 0;
      for (const { values, width } of parts)
        for (let j = row * width; j < (row + 1) * width; j++) squares += values[j]! * values[j]!;
      this.#squaredNorms[begin + row] = squares;
      this.#losses[begin + row] = outputs['losses']![row]!;
      this.#sum.addRow(parts, row);
    }
  }

  finish(norm: number): ClippedGradient {
    const unit = this.#unit;
    return {
      sum: this.#sum.sum.map((z) => z * unit),
      squaredNorms: this.#squaredNorms,
      losses: this.#losses,
      nonFiniteExamples: this.#sum.nonFiniteExamples,
      sensitivity: (adjacency) => (oneOf('adjacency', adjacency, adjacencies) === 'replaceOne' ? 2 * norm : norm),
    };
  }
}
