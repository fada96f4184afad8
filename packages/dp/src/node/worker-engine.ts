/**
 * Engines by name, for threads that open their own.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { integer, oneOf } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { EngineName } from '@sotto/core/node';
import type { Engine } from '@sotto/core/ops';

/**
 * An engine by its name. `auto` looks at what the machine has, which takes about a second; `onnx-cpu`, the default, is ONNX Runtime with one thread on each core.
 */
export type EngineChoice = 'auto' | EngineName;

/** Exhaustive, and here, so that a name is checked without loading any engine. */
const CHOICES: Readonly<Record<EngineChoice, true>> = {
  auto: true,
  'onnx-cuda': true,
  'onnx-webgpu': true,
  'onnx-cpu': true,
  'tfjs-node-gpu': true,
  'tfjs-webgpu': true,
  'tfjs-node': true,
  'tfjs-wasm': true,
  'tfjs-cpu': true,
  reference: true,
};

/** Checks a name and the number of threads. Throws `invalid-argument`. */
export function checkEngineChoice(engine: EngineChoice | undefined, lanes: number | undefined): void {
  if (lanes !== undefined) integer('lanes', lanes, 1, 256);
  if (engine === undefined) return;
  if (typeof engine === 'object') {
    throw new SottoError(
      'invalid-argument',
      'engine is an object, which cannot cross to the training thread; give its name, such as "onnx-cpu", or use makePrivate of @sotto/dp',
    );
  }
  oneOf('engine', engine, Object.keys(CHOICES) as EngineChoice[]);
}

/** Opens an engine in this thread. Only what it needs is loaded. */
export async function openNamedEngine(name: EngineChoice, lanes: number = availableParallelism()): Promise<Engine> {
  if (name === 'onnx-cpu') {
    const { onnxEngine } = await import('@sotto/core/onnx');
    return onnxEngine({ lanes });
  }
  const { chooseEngine, openEngine } = await import('@sotto/core/node');
  if (name === 'auto') return chooseEngine({ lanes });
  return (await openEngine(name)).engine;
}
