/** Engines of the training thread: the one that `auto` picks there, and WebGPU, on which a training stays. */
import { referenceEngine } from '@sotto/core/ops';
import { makePrivate } from '@sotto/dp/node';
import { describe, expect, it, vi } from 'vitest';
import { softwareGpu } from '../../core/engines/software-gpu.ts';
import { options, smallModel, weightsOf, x, y } from '../training/support/two-moons.ts';

// Starting engines takes seconds, and many of them on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

const { engine: _engine, random: _random, ...plain } = options();
const settings = { ...plain, lanes: 2 } as Parameters<typeof makePrivate>[1];

describe('engine: auto', () => {
  it('is picked in the training thread, which says what it took and why', async () => {
    const model = smallModel();
    const before = weightsOf(model);
    const training = makePrivate(model, { ...settings, engine: 'auto' });
    expect(training.info).toBeUndefined();
    await training.fit(x, y, { steps: 2 });
    expect(training.info).toMatchObject({ thread: 'worker' });
    // Where a graphics processor is real it may be another; here and in CI it is the CPU.
    expect(training.info!.choice).toMatch(/^ONNX Runtime on .*, because /);
    if (training.info!.engine === 'onnx-cpu') expect(training.info!.lanes).toBe(2);
    expect(weightsOf(model)).not.toEqual(before);
  });

  it.each<[string, object, RegExp]>([
    ['a name that no engine has', { engine: 'cuda' }, /engine is "cuda"; it must be one of auto, onnx-cuda/],
    ['an engine of this thread', { engine: referenceEngine }, /engine is an object, which cannot cross.*give its name/],
    ['no threads', { lanes: 0 }, /lanes is 0/],
  ])('refuses %s at once', (_, change, message) => {
    expect(() => makePrivate(smallModel(), { ...settings, ...change } as typeof settings)).toThrow(message);
  });
});

const noGpu = softwareGpu();

// Skipped where there is no SwiftShader; with CI=true `softwareGpu` throws instead.
describe.skipIf(noGpu !== undefined)('WebGPU in the training thread', () => {
  it.each(['onnx-webgpu', 'tfjs-webgpu'] as const)(
    '%s trains, keeps what it trains on the device, and goes on',
    async (engine) => {
      const device = { ...settings, mode: 'fast', engine, privacy: { noiseMultiplier: 1e-2 } } as const;
      const training = makePrivate(smallModel(), device as typeof settings);
      const validationData = { x, y, outsideGuarantee: true };
      const { history } = await training.fit(x, y, { epochs: 2, stepsPerEpoch: 3, validationData });
      expect(training.info).toMatchObject({ onDevice: true, thread: 'worker' });
      expect(history['val_loss']!.at(-1)!).toBeLessThan(history['val_loss']![0]!);
      const checkpoint = await training.checkpoint();
      // A checkpoint of a device goes on anywhere.
      const elsewhere = makePrivate(smallModel(), { ...device, engine: 'onnx-cpu' } as typeof settings);
      await elsewhere.restore(checkpoint);
      await elsewhere.fit(x, y, { steps: 1 });
      expect(elsewhere.info!.inMemory).toMatch(/keeps no tensors/);
      const { acc } = await training.evaluate(x, y, { outsideGuarantee: true });
      expect(acc).toBeGreaterThan(0.9);
    },
  );
});
