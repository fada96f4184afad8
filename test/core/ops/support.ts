/** Engines and comparisons for the conformance suites. */
import { onnxEngine } from '@sotto/core/onnx';
import { referenceEngine } from '@sotto/core/ops';
import type { Engine, NumericArray, Program } from '@sotto/core/ops';
import { tfjsEngine } from '@sotto/core/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

await setBackend('cpu');

/** Every engine that runs here without a device. */
export const engines: readonly Engine[] = [referenceEngine, onnxEngine(), tfjsEngine()];

/** Engines that are compared with the reference. */
export const float32Engines: readonly Engine[] = engines.slice(1);

/** Compiles, runs once and frees a program. */
export async function runOnce(
  engine: Engine,
  program: Program,
  inputs: Readonly<Record<string, NumericArray>>,
): Promise<Readonly<Record<string, NumericArray>>> {
  const compiled = await engine.compile(program);
  const outputs = await compiled.run(inputs);
  await compiled.dispose();
  return outputs;
}

/** What counts as zero: gradients where an activation is flat, and their norms, which are bounded from below. */
const LEAST_SCALE = 1e-6;

/** Largest difference, relative to the greatest expected magnitude. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let scale = LEAST_SCALE;
  for (let i = 0; i < expected.length; i++) if (Number.isFinite(expected[i]!)) scale = Math.max(scale, Math.abs(expected[i]!));
  let worst = actual.length === expected.length ? 0 : Infinity;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) continue;
    const difference = Math.abs(actual[i]! - expected[i]!);
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference / scale);
  }
  return worst;
}

/** Asserts that two arrays agree to a relative error. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  expect(relativeError(actual, expected), what).toBeLessThan(tolerance);
}

/** Reproducible numbers in (−1, 1). */
export function numbers(count: number, phase: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + phase) * Math.cos(0.31 * i * phase + 1));
}
