/**
 * Losses, metrics and outputs of examples at given weights. Nothing here protects them: the caller either holds data outside the guarantee or adds noise.
 *
 * @module
 */
import type { ModelGraph } from '@sotto/core/model';
import type { CompiledProgram, Engine, NumericArray } from '@sotto/core/ops';
import { withoutValues } from './engine-errors.ts';
import { Chunk } from './examples.ts';
import type { ExampleTable } from './examples.ts';
import { evaluationProgram } from './gradient-programs.ts';
import type { MetricRule } from './metrics.ts';
import type { Objective } from './objective.ts';
import { checkPlaces } from './place-check.ts';

/** What an evaluator is made of. */
export interface EvaluatorOptions {
  readonly graph: ModelGraph;
  readonly engine: Engine;
  readonly objective: Objective;
  readonly metrics?: readonly MetricRule[];
  readonly physicalBatchSize: number;
  readonly frozen: Float32Array;
  readonly breathe?: (() => Promise<void>) | undefined;
}

/** Told the outputs of `evaluationProgram` for the examples `begin` … `begin + count − 1`; further rows are padding. */
export type ChunkListener = (outputs: Readonly<Record<string, NumericArray>>, begin: number, count: number) => void;

/** Evaluates a model; the program is compiled at the first call. Calls must not overlap. */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  #compiled: Promise<CompiledProgram> | undefined;
  #checked: Promise<void> | undefined;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /**
   * @param isPrivate Whether noise will be added to sums of what examples give, so that each must be computed by itself
   * @throws SottoError `unsupported` where it is not
   */
  async visit(table: ExampleTable, weights: Float64Array, onChunk: ChunkListener, isPrivate: boolean = false): Promise<void> {
    const { graph, engine, objective, metrics, physicalBatchSize: n, frozen, breathe } = this.#options;
    const recorded = evaluationProgram(graph, objective, n, metrics);
    const program = await (this.#compiled ??= engine.compile(recorded));
    const parameters = Float32Array.from(weights);
    if (isPrivate) {
      const shared = { parameters, frozen };
      const run = (inputs: Readonly<Record<string, Float32Array>>) => program.run(inputs);
      await (this.#checked ??= checkPlaces({ engine: engine.name, graph, n, program: recorded, shared, run }));
    }
    const chunk = new Chunk(table.columns, n);
    try {
      for (let begin = 0; begin < table.count; begin += n) {
        const count = Math.min(n, table.count - begin);
        chunk.gather(Uint32Array.from({ length: count }, (_, row) => begin + row));
        onChunk(await withoutValues(engine.name, () => program.run({ ...chunk.inputs, parameters, frozen })), begin, count);
        await breathe?.();
      }
    } finally {
      chunk.wipe();
    }
  }

  async close(): Promise<void> {
    await (await this.#compiled)?.dispose();
  }
}
