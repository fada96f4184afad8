/**
 * The ONNX Runtime engine: records a program, writes it as an ONNX model and runs it in a session, or in one session per core.
 *
 * @module
 */
import { integer, oneOf } from '../check.ts';
import { SottoError } from '../errors.ts';
import type { CompiledProgram, Engine, NumericArray, Program } from '../ops/engine.ts';
import { recordProgram } from '../ops/graph.ts';
import type { Graph } from '../ops/graph.ts';
import type { Shape } from '../ops/ops.ts';
import { openWebGpuMemory } from './device-memory.ts';
import { cpuRules } from './emit-cpu.ts';
import { webGpuRules } from './emit-webgpu.ts';
import { applyOn, emitGraph } from './emit.ts';
import { keepFullPrecision } from './full-precision.ts';
import { cpuFusions } from './fusions.ts';
import { LanePool } from './lane-pool.ts';
import { findBlock } from './nchwc-block.ts';
import { OrtSession } from './ort-session.ts';
import type { SessionPlan } from './ort-session.ts';
import { readInputs, readTargets } from './program-inputs.ts';
import { viewBorders } from './views.ts';

/** Options of {@link onnxEngine}. None of them can change a privacy guarantee. */
export interface OnnxEngineOptions {
  /** `cpu` runs everywhere; the others need a device and its driver. Default `cpu`. */
  readonly provider?: 'cpu' | 'webgpu' | 'cuda';
  /** Threads within one operator. Default 1: one session per core on its share of the batch beats one session of several threads. */
  readonly threads?: number;
  /**
   * Worker threads, each with a session of its own, so that as many runs go on beside each other and the calling thread stays free; `cpu` only. Without it
   * programs run in the calling thread, one at a time. The cores of the machine are a good number.
   */
  readonly lanes?: number;
}

/**
 * An engine on ONNX Runtime. Without `lanes`, `run` blocks the calling thread while it computes. Lanes are threads that keep no process alive by themselves; they start with
 * the first program and end when the last one is disposed of.
 */
export function onnxEngine(options: OnnxEngineOptions = {}): Engine {
  const provider = oneOf('provider', options.provider ?? 'cpu', ['cpu', 'webgpu', 'cuda']);
  const threads = integer('threads', options.threads ?? 1, 1, 1024);
  const lanes = options.lanes === undefined ? undefined : integer('lanes', options.lanes, 1, 256);
  if (lanes !== undefined && provider !== 'cpu') {
    throw new SottoError(
      'invalid-argument',
      `lanes is ${lanes} with the provider ${provider}; lanes are for the cpu provider, so leave them out`,
    );
  }
  if (provider === 'cuda') keepFullPrecision();
  const settings = { provider, threads };
  const pool = lanes === undefined ? undefined : new LanePool(lanes, settings);
  let block: Promise<number> | undefined;
  const emit = async (graph: Graph): Promise<Uint8Array> => {
    if (provider === 'webgpu') return emitGraph(graph, webGpuRules);
    if (provider === 'cuda') return emitGraph(graph, { apply: applyOn('cuda') });
    const size = await (block ??= findBlock());
    return emitGraph(graph, cpuRules(size), cpuFusions(size), true);
  };
  return Object.freeze({
    name: lanes === undefined ? `onnx (${provider})` : `onnx (${provider}, ${lanes} lanes)`,
    significandBits: 24,
    lanes: lanes ?? 1,
    ...(provider === 'webgpu' ? { openMemory: openWebGpuMemory } : {}),
    async compile(program: Program): Promise<CompiledProgram> {
      const recorded = recordProgram(program);
      const { graph, views } = viewBorders(recorded);
      const shapesOf = ({ outputs }: Graph): Record<string, Shape> =>
        Object.fromEntries(Object.entries(outputs).map(([name, node]) => [name, node.shape]));
      const plan: SessionPlan = { bytes: await emit(graph), views, outputs: shapesOf(graph) };
      try {
        return new OnnxProgram(program, shapesOf(recorded), await (pool?.compile(plan) ?? OrtSession.create(plan, settings)));
      } catch (reason) {
        if (reason instanceof SottoError) throw reason;
        throw new SottoError('unsupported', `ONNX Runtime (${provider}) refused program ${program.name}: ${String(reason)}`, {
          cause: reason,
        });
      }
    },
  });
}

/** What a session in this thread and a set of sessions in lanes have in common. */
export type Runner = Pick<OrtSession, 'run' | 'release'>;

class OnnxProgram implements CompiledProgram {
  readonly outputs: Readonly<Record<string, Shape>>;
  readonly #program: Program;
  #runner: Runner | undefined;

  constructor(program: Program, outputs: Readonly<Record<string, Shape>>, runner: Runner) {
    this.#program = program;
    this.outputs = outputs;
    this.#runner = runner;
  }

  async run(
    inputs: Readonly<Record<string, NumericArray>>,
    into?: Readonly<Record<string, Float32Array>>,
  ): Promise<Readonly<Record<string, NumericArray>>> {
    if (this.#runner === undefined) throw new SottoError('conflict', `program ${this.#program.name} was disposed of`);
    return this.#runner.run(readInputs(this.#program, inputs), readTargets(this.outputs, into));
  }

  async dispose(): Promise<void> {
    const runner = this.#runner;
    this.#runner = undefined;
    await runner?.release();
  }
}
