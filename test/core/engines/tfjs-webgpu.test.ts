/** The conformance suite on TensorFlow.js's WebGPU backend over Dawn, on a graphics processor in software. */
import type { Program } from '@sotto/core/ops';
import { tfjsEngine, useWebGpu } from '@sotto/core/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { withDeviceErrors } from '../../../packages/core/src/tfjs/device-errors.ts';
import { conformsToOps } from '../ops/conformance.ts';
import { fewPlaceCases, operationsKeepPlaces } from '../ops/places.ts';
import { clipsInBothForms } from './clipping-forms.ts';
import { conformsToMemory } from './device-memory.ts';
import { conformsToLayers } from './layers.ts';
import { trainsOnDevice } from './resident.ts';
import { softwareGpu } from './software-gpu.ts';

const missing = softwareGpu();
if (missing === undefined) await useWebGpu({ allowSoftware: true });
/** Bytes of all buffers that were mapped for reading: what really came down. */
let mappedBytes = 0;
if (missing === undefined) {
  const prototype = (
    globalThis as unknown as {
      GPUBuffer: { prototype: { size: number; mapAsync(mode: number, ...rest: number[]): Promise<void> } };
    }
  ).GPUBuffer.prototype;
  const mapAsync = Reflect.get(prototype, 'mapAsync') as (this: unknown, mode: number, ...rest: number[]) => Promise<void>;
  prototype.mapAsync = function (this: { readonly size: number }, mode, ...rest) {
    const READ = 1;
    if (mode === READ) mappedBytes += this.size;
    return mapAsync.call(this, mode, ...rest);
  };
}

const engine = missing === undefined ? tfjsEngine() : undefined;

// Skipped where SwiftShader is not installed; with CI=true softwareGpu has thrown already.
describe.skipIf(missing !== undefined)(`tfjs (webgpu)${missing === undefined ? '' : `: ${missing}`}`, () => {
  it('is refused where a test does not ask for it', async () => {
    await expect(useWebGpu()).rejects.toThrow(/WebGPU finds only google swiftshader, which computes on the CPU/);
  });

  it('fails where a shader does not compile, which tfjs only prints', async () => {
    const program: Program = { name: 'five axes', inputs: [], build: () => ({}) };
    const pad = async (): Promise<unknown> =>
      await tf
        .pad(
          tf.ones([1, 1, 1, 1, 2]),
          Array.from({ length: 5 }, () => [1, 1]),
        )
        .data();
    await expect(withDeviceErrors(program, pad)).rejects.toThrow(/WebGPU could not run program five axes: .*vec5/);
    expect([...(await withDeviceErrors(program, async () => await tf.ones([2]).data()))]).toEqual([1, 1]);
  });

  conformsToOps(engine!, 1e-4);
  conformsToMemory(() => engine!);
  trainsOnDevice(
    () => engine!,
    true,
    () => mappedBytes,
  );
  conformsToLayers(() => engine!, true);
  clipsInBothForms(() => engine!, 1e-4, 1e-4, true);
  operationsKeepPlaces(() => engine!, [5, 25], fewPlaceCases);
});
