/**
 * One ONNX Runtime session in the calling thread, on plain arrays.
 *
 * @module
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Shape } from '../ops/ops.ts';
import { sizeOf } from '../ops/shapes.ts';
import { webGpuProvider } from './emit-webgpu.ts';
import { isComputed, SEQUENCE } from './in-place.ts';
import { lengthOf } from './views.ts';
import type { InputView } from './views.ts';

/** Where a session runs. Plain data, so that it can be sent to a thread. */
export interface SessionSettings {
  readonly provider: 'cpu' | 'webgpu' | 'cuda';
  readonly threads: number;
}

/** What a session needs to know of a program. Plain data. */
export interface SessionPlan {
  /** The model as ONNX bytes; inputs are called `in_<view>`, outputs `out_<name>`. */
  readonly bytes: Uint8Array;
  readonly views: readonly InputView[];
  /** The shapes in which the model gives its outputs. */
  readonly outputs: Readonly<Record<string, Shape>>;
}

/** Arrays by the names of the program's inputs or outputs. */
export type Arrays = Readonly<Record<string, Float32Array>>;

/** Arrays as the runtime takes them, made once for all runs that use the same ones. */
export interface Binding {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Of the outputs that have an array; null for what is asked for besides. */
  readonly fetches: Readonly<Record<string, Tensor | null>>;
  /** Outputs that have no array, by name. */
  readonly missing: Readonly<Record<string, Shape>>;
}

/** A session that takes and gives arrays. Inputs and preallocated outputs may lie over shared memory. */
export class OrtSession {
  readonly #plan: SessionPlan;
  readonly #session: InferenceSession;
  readonly #isInPlace: boolean;

  private constructor(plan: SessionPlan, session: InferenceSession) {
    this.#plan = plan;
    this.#session = session;
    this.#isInPlace = session.outputNames.includes(SEQUENCE.name);
  }

  /** Rejects with the runtime's own error where it refuses the model. */
  static async create(plan: SessionPlan, { provider, threads }: SessionSettings): Promise<OrtSession> {
    const session = await InferenceSession.create(plan.bytes, {
      executionProviders: [provider === 'webgpu' ? webGpuProvider : provider],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // What a run fails with is thrown. The log would print it as well, and with it values of inputs.
      logSeverityLevel: 4,
      // Spinning threads make a step several times slower when the cores are shared with others.
      // What has no kernel on a graphics processor would go down, be computed here and go up again, unseen: refused instead.
      extra: {
        session: { intra_op: { allow_spinning: '0' }, ...(provider === 'webgpu' ? { disable_cpu_ep_fallback: '1' } : {}) },
      },
    });
    return new OrtSession(plan, session);
  }

  /** Names the arrays of a run. They are read and written by each run of the binding. */
  bind(inputs: Arrays, into: Arrays = {}): Binding {
    const feeds: Record<string, Tensor> = {};
    for (const view of this.#plan.views) {
      const values = inputs[view.input]!.subarray(view.begin, view.begin + lengthOf(view));
      feeds[`in_${view.name}`] = new Tensor('float32', values, view.shape);
    }
    const missing = Object.entries(this.#plan.outputs).filter(([name]) => into[name] === undefined);
    return {
      feeds,
      fetches: { ...this.#tensors(into), ...(this.#isInPlace ? { [SEQUENCE.name]: null } : {}) },
      missing: Object.fromEntries(missing),
    };
  }

  /**
   * Runs the model on bound arrays. Blocks the thread while it computes.
   *
   * @param into Arrays for outputs of this run only.
   * @returns the outputs that have no array.
   */
  async runBound({ feeds, fetches, missing }: Binding, into: Arrays = {}): Promise<Record<string, Float32Array>> {
    const outputs: Record<string, Float32Array> = {};
    for (const [name, shape] of Object.entries(missing)) {
      if (into[name] === undefined) outputs[name] = new Float32Array(sizeOf(shape));
    }
    try {
      await this.#session.run(feeds, { ...fetches, ...this.#tensors(into), ...this.#tensors(outputs) });
    } catch (reason) {
      if (!this.#isInPlace || !isComputed(reason)) throw reason;
    }
    return outputs;
  }

  /** Runs the model. Outputs named in `into` are written there; the others are new arrays. Blocks the thread while it computes. */
  async run(inputs: Arrays, into: Arrays = {}): Promise<Record<string, Float32Array>> {
    return { ...into, ...(await this.runBound(this.bind(inputs, into))) };
  }

  #tensors(arrays: Arrays): Record<string, Tensor> {
    const tensors: Record<string, Tensor> = {};
    for (const [name, values] of Object.entries(arrays))
      tensors[`out_${name}`] = new Tensor('float32', values, this.#plan.outputs[name]!);
    return tensors;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
