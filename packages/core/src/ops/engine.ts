/**
 * An engine runs programs: functions written against `Ops`, whose input and output shapes are fixed.
 *
 * @module
 */
import type { DeviceMemory } from './device.ts';
import type { Ops, Shape } from './ops.ts';

/** Numbers as engines take them. Float64 input is rounded to float32 by the float32 engines. */
export type NumericArray = Float32Array | Float64Array;

/** A named input. */
export interface ProgramInput {
  readonly name: string;
  readonly shape: Shape;
}

/** A computation with static shapes, written once for all engines. `build` must be a pure function of its arguments. */
export interface Program {
  readonly name: string;
  readonly inputs: readonly ProgramInput[];
  build<T>(ops: Ops<T>, inputs: Readonly<Record<string, T>>): Readonly<Record<string, T>>;
}

/** A program made ready for an engine. */
export interface CompiledProgram {
  /** The outputs' shapes by name. */
  readonly outputs: Readonly<Record<string, Shape>>;
  /**
   * Runs the program. Inputs are read before the promise settles and never written. As many runs as the engine has lanes may be in flight.
   *
   * A `Float32Array` over a `SharedArrayBuffer` reaches an engine of several threads without a copy, so parameters that all lanes read are best
   * kept in one; it must not change while a run is in flight.
   *
   * @param into Arrays for outputs, by name. An engine that can writes there and returns the same array; others return their own. Without
   *   it the output arrays are new ones that belong to the caller.
   */
  run(
    inputs: Readonly<Record<string, NumericArray>>,
    into?: Readonly<Record<string, Float32Array>>,
  ): Promise<Readonly<Record<string, NumericArray>>>;
  /** Frees the engine's resources. Further runs are refused. */
  dispose(): Promise<void>;
}

/** Turns programs into something that runs. */
export interface Engine {
  /** `reference`, `onnx` or `tfjs`, with the device where there is a choice. */
  readonly name: string;
  /** Bits of a significand that the engine computes with: 53 or 24. */
  readonly significandBits: 53 | 24;
  /**
   * How many runs of one compiled program may be in flight at once; they run beside each other, each on a core of its own. Default 1. A step is cut
   * into at least that many chunks, because clip factors need only their own example.
   */
  readonly lanes?: number;
  /**
   * In runs of a multiple of so many examples an example has the same bits in every place; in others it may not, which training refuses. Absent where every
   * size does.
   */
  readonly runMultiple?: number;
  compile(program: Program): Promise<CompiledProgram>;
  /** Opens a memory on the engine's device. Present where tensors can stay there between programs. */
  openMemory?(): DeviceMemory;
}
