/** Training whose tensors stay on a device: the same weights as training in memory, and nothing but scalars coming down. */
import { compileModel } from '@sotto/core/model';
import { referenceEngine } from '@sotto/core/ops';
import type { Engine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { createMechanismPlan } from '@sotto/dp';
import type { MechanismPlanOptions, OptimiserOptions } from '@sotto/dp';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, it, vi } from 'vitest';
import { createOptimiser } from '../../../packages/dp/src/optimiser/optimiser.ts';
import { BatchComputer } from '../../../packages/dp/src/training/batch-computer.ts';
import { DeviceTrainer } from '../../../packages/dp/src/training/device-trainer.ts';
import type { DeviceTrainerOptions } from '../../../packages/dp/src/training/device-trainer.ts';
import type { ExampleTable } from '../../../packages/dp/src/training/examples.ts';
import { batchPrograms } from '../../../packages/dp/src/training/gradient-parts.ts';
import { createObjective } from '../../../packages/dp/src/training/objective.ts';
import { expectClose, numbers } from '../ops/support.ts';

const RECORDS = 24;
const CHUNK = 8;
const STEPS = 3;

function setUp(optimiser: OptimiserOptions, change: Partial<MechanismPlanOptions> = {}) {
  const model = sequential({
    layers: [
      layers.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh', inputShape: [3, 3, 1] }),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'tanh', trainable: false }),
      layers.dense({ units: 2 }),
    ],
  });
  const graph = compileModel(model);
  const objective = createObjective(graph, 'sparseCategoricalCrossentropy');
  const plan = createMechanismPlan({
    mode: 'fast',
    sampleRate: 0.5,
    expectedBatchSize: 12,
    clipping: { kind: 'flat', norm: 0.5 },
    noiseMultiplier: 0.7,
    gridBits: 18,
    ...change,
  });
  const table: ExampleTable = {
    count: RECORDS,
    columns: [
      { name: 'x0', width: 9, values: numbers(RECORDS * 9, 1) },
      { name: 'y0', width: 1, values: Float32Array.from({ length: RECORDS }, (_, i) => i % 2) },
    ],
  };
  const shared = {
    graph,
    plan,
    programs: batchPrograms(graph, objective, CHUNK, plan),
    physicalBatchSize: CHUNK,
    frozen: numbers(graph.frozenCount, 4),
  };
  const weights = Float64Array.from(numbers(graph.parameterCount, 3), (x) => 0.5 * x);
  const run = () =>
    plan.run({ records: RECORDS, dimension: graph.parameterCount, random: unsafeDeterministicRandom('resident') });
  const onDevice = (engine: Engine, more: Partial<DeviceTrainerOptions> = {}) =>
    DeviceTrainer.open(table, { ...shared, engine, optimiser, random: unsafeDeterministicRandom('draws'), weights, ...more });
  /** The same in memory, in float64: with the same bytes the batches and the noise are the same. */
  const inMemory = async (steps: number): Promise<Float64Array> => {
    const computer = new BatchComputer(table, {
      ...shared,
      engine: referenceEngine,
      mode: 'fast',
      random: unsafeDeterministicRandom('draws'),
    });
    const updated = weights.slice();
    const update = createOptimiser(optimiser, graph.parameterCount);
    const steady = run();
    for (let i = 0; i < steps; i++) {
      const step = steady.next();
      await computer.addBatch(step, updated);
      const { sum, expectedBatchSize } = step.release();
      update.update(updated, sum, undefined, undefined, 1 / expectedBatchSize);
    }
    await computer.close();
    return updated;
  };
  return { graph, table, run, onDevice, inMemory };
}

const optimisers: readonly OptimiserOptions[] = [
  { kind: 'sgd', learningRate: 0.3 },
  { kind: 'sgd', learningRate: 0.2, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  { kind: 'adam', learningRate: 0.05, weightDecay: 0.01 },
  { kind: 'adamw', learningRate: 0.05, weightDecay: 0.1 },
];

/**
 * Checks training on an engine's device.
 *
 * @param few Two optimisers that between them have every term, where each step takes seconds
 * @param downloads Counts bytes by other means than the engine's own, where there is one
 */
export function trainsOnDevice(engine: () => Engine, few: boolean = false, downloads?: () => number): void {
  // In software every shader takes long to compile, those of the checks before the first step too.
  if (few) vi.setConfig({ testTimeout: 240_000 });
  it.each(few ? [optimisers[1]!, optimisers[3]!] : optimisers)(
    'trains with $kind as training in memory does, and only scalars come down',
    async (optimiser) => {
      const { graph, run, onDevice, inMemory } = setUp(optimiser);
      const trainer = await onDevice(engine());
      const steady = run();
      for (let i = 0; i < STEPS; i++) {
        const [before, seen] = [trainer.traffic, downloads?.() ?? 0];
        const step = steady.next();
        const chunks = Math.ceil(step.batch.length / CHUNK);
        await trainer.step(step);
        // One number per chunk: whether it was finite.
        expect(trainer.traffic.downloadedBytes - before.downloadedBytes).toBe(4 * chunks);
        if (downloads !== undefined) {
          expect(downloads() - seen).toBeGreaterThanOrEqual(4 * chunks);
          expect(downloads() - seen).toBeLessThanOrEqual(16 * chunks);
        }
        // Examples, targets and mask of each chunk, the noise, and five scalars.
        expect(trainer.traffic.uploadedBytes - before.uploadedBytes).toBe(
          4 * (chunks * CHUNK * (9 + 1 + 1) + graph.parameterCount + 5),
        );
      }
      expectClose(await trainer.weights(), await inMemory(STEPS), 1e-4, optimiser.kind);
      await trainer.close();
    },
  );

  it('goes on from weights and state exactly, counts bad examples as zero, and begins afresh after a failure', async () => {
    const optimiser = optimisers[1]!;
    const { graph, table, run, onDevice, inMemory } = setUp(optimiser);
    const x = table.columns[0]!.values;
    x[19 * 9] = NaN;
    x[22 * 9 + 3] = Infinity;
    const whole = await onDevice(engine());
    const [a, b] = [run(), run()];
    for (let i = 0; i < STEPS; i++) await whole.step(a.next());
    const weights = await whole.weights();
    expect(weights.every(Number.isFinite)).toBe(true);
    expectClose(weights, await inMemory(STEPS), 1e-4, 'with bad examples');

    const first = await onDevice(engine());
    await first.step(b.next());
    // A step that fails after its chunk has reached the sum on the device.
    const broken = setUp(optimiser);
    const spoiled = broken.run().next();
    spoiled.add(
      [{ values: new Float32Array(graph.parameterCount * spoiled.batch.length), width: graph.parameterCount }],
      spoiled.batch.length,
    );
    await expect(first.step(spoiled)).rejects.toThrow(/examples of the batch are left/);
    await first.step(b.next());
    const second = await onDevice(engine(), { weights: await first.weights(), optimiserState: await first.optimiserState() });
    await first.close();
    for (let i = 2; i < STEPS; i++) await second.step(b.next());
    expect(await second.weights()).toEqual(weights);
    await whole.close();
    await second.close();
  });
}

/** What is refused, for an engine that keeps tensors. */
export function refusesOffDevice(engine: () => Engine): void {
  it.each([
    [{ mode: 'secure' as const }, /secure mode verifies every example in integers in memory/],
    [{ gridBits: 24 }, /gridBits is 24; set it to at most 20/],
    [{ clipping: { kind: 'adaptive' as const, norm: 0.5, countNoise: 5 } }, /adaptive clipping counts norms in memory/],
  ])('refuses %j', async (change, why) => {
    const { onDevice } = setUp(optimisers[0]!, change as Partial<MechanismPlanOptions>);
    await expect(onDevice(engine())).rejects.toThrow(why);
  });

  it('refuses an engine without memory', async () => {
    const { onDevice } = setUp(optimisers[0]!);
    await expect(onDevice(referenceEngine)).rejects.toThrow(/the engine reference keeps no tensors/);
  });
}
