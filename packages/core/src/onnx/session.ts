/**
 * The ONNX Runtime engine: records a program, writes it as an ONNX model and runs it in a session.
 *
 * @module
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { integer, oneOf } from '../check.ts';
import { SottoError } from '../errors.ts';
import type { CompiledProgram, Engine, NumericArray, Program } from '../ops/engine.ts';
import { recordProgram } from '../ops/graph.ts';
import { sizeOf } from '../ops/shapes.ts';
import { emitGraph } from './emit.ts';

/** Options of {@link onnxEngine}. None of them can change a privacy guarantee. */
export interface OnnxEngineOptions {
  /** `cpu` runs everywhere; the others need a device and its driver. Default `cpu`. */
  readonly provider?: 'cpu' | 'webgpu' | 'cuda';
  /** Threads within one operator. Default 1: one session per core on its share of the batch beats one session of several threads. */
  readonly threads?: number;
}

/** An engine on ONNX Runtime. `run` blocks the calling thread while it computes, so long programs belong in a worker. */
export function onnxEngine(options: OnnxEngineOptions = {}): Engine {
  const provider = oneOf('provider', options.provider ?? 'cpu', ['cpu', 'webgpu', 'cuda']);
  const threads = integer('threads', options.threads ?? 1, 1, 1024);
  return Object.freeze({
    name: `onnx (${provider})`,
    significandBits: 24,
    async compile(program: Program): Promise<CompiledProgram> {
      const graph = recordProgram(program);
      let session: InferenceSession;
      try {
        session = await InferenceSession.create(emitGraph(graph), {
          executionProviders: [provider],
          intraOpNumThreads: threads,
          interOpNumThreads: 1,
          logSeverityLevel: 3,
          // Spinning threads make a step several times slower when the cores are shared with others.
          extra: { session: { intra_op: { allow_spinning: '0' } } },
        });
      } catch (reason) {
        throw new SottoError('unsupported', `ONNX Runtime (${provider}) refused program ${program.name}: ${String(reason)}`, {
          cause: reason,
        });
      }
      return new Session(
        program,
        session,
        Object.fromEntries(Object.entries(graph.outputs).map(([name, node]) => [name, node.shape])),
      );
    },
  });
}

class Session implements CompiledProgram {
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly #program: Program;
  #session: InferenceSession | undefined;

  constructor(program: Program, session: InferenceSession, outputs: Readonly<Record<string, readonly number[]>>) {
    this.#program = program;
    this.#session = session;
    this.outputs = outputs;
  }

  async run(inputs: Readonly<Record<string, NumericArray>>): Promise<Readonly<Record<string, NumericArray>>> {
    if (this.#session === undefined) throw new SottoError('conflict', `program ${this.#program.name} was disposed of`);
    const feeds: Record<string, Tensor> = {};
    for (const { name, shape } of this.#program.inputs) {
      const values = inputs[name];
      if (values === undefined) throw new SottoError('invalid-argument', `program ${this.#program.name} needs the input ${name}`);
      if (values.length !== sizeOf(shape)) {
        throw new SottoError(
          'invalid-argument',
          `input ${name} has ${values.length} numbers; its shape [${shape.join(', ')}] needs ${sizeOf(shape)}`,
        );
      }
      feeds[`in_${name}`] = new Tensor('float32', values instanceof Float32Array ? values : Float32Array.from(values), shape);
    }
    const results = await this.#session.run(feeds);
    const outputs: Record<string, NumericArray> = {};
    for (const name of Object.keys(this.outputs)) {
      const tensor = results[`out_${name}`];
      if (tensor === undefined || !(tensor.data instanceof Float32Array))
        throw new SottoError('internal', `output ${name} is missing`);
      outputs[name] = tensor.data;
    }
    return outputs;
  }

  async dispose(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }
}
