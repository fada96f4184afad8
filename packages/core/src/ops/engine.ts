/**
 * An engine runs programs: functions written against `Ops`, whose input and output shapes are fixed.
 *
 * @module
 */
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
   * Runs the program. Inputs are read before the promise settles and never written; output arrays belong to the caller.
   * One run at a time.
   */
  run(inputs: Readonly<Record<string, NumericArray>>): Promise<Readonly<Record<string, NumericArray>>>;
  /** Frees the engine's resources. Further runs are refused. */
  dispose(): Promise<void>;
}

/** Turns programs into something that runs. */
export interface Engine {
  /** `reference`, `onnx` or `tfjs`, with the device where there is a choice. */
  readonly name: string;
  /** Bits of a significand that the engine computes with: 53 or 24. */
  readonly significandBits: 53 | 24;
  compile(program: Program): Promise<CompiledProgram>;
}
