/**
 * A process of its own for one engine: private training steps by the public API, one line of JSON for each model. Backends of TensorFlow.js do not share a process well, and a driver
 * that fails ends only this one.
 *
 * @module
 */
import { openEngine } from '@sotto/core/node';
import type { EngineName } from '@sotto/core/node';
import { makePrivate } from '@sotto/dp';
import { tensor } from '@tensorflow/tfjs-core';
import { median } from '../dpsgd/contender.ts';
import { benchModels } from '../dpsgd/models.ts';
import type { BenchModel, BenchModelName } from '../dpsgd/models.ts';

/** What is told of one model, or why nothing is. */
export type Line =
  | { readonly device: string; readonly library: string; readonly software: boolean }
  | {
      readonly model: BenchModelName;
      readonly ms: number;
      readonly least: number;
      readonly steps: number;
      readonly firstStepMs: number;
    }
  | { readonly model: BenchModelName; readonly failed: string };

/** Noise of 2^18 grid units fits every device's floats, and sums of the largest batch its integers. */
const GRID_BITS = 18;
const SECONDS = 4;
const LEAST_STEPS = 5;

const say = (line: Line): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function measure(model: BenchModel, engine: Awaited<ReturnType<typeof openEngine>>['engine']): Promise<void> {
  const draw = (shape: readonly number[], below: number | undefined): ReturnType<typeof tensor> => {
    const size = [model.batch, ...shape].reduce((a, b) => a * b, 1);
    const one = (): number => (below === undefined ? Math.random() : Math.floor(Math.random() * below));
    return tensor(Float32Array.from({ length: size }, one), [model.batch, ...shape]);
  };
  const x = draw(model.inputShape, model.tokens ? model.classes : undefined);
  const y = draw(model.targetShape, model.classes);
  const training = makePrivate(model.build(), {
    engine,
    loss: 'sparseCategoricalCrossentropy',
    optimiser: { kind: 'sgd', learningRate: 0.1 },
    clipping: { kind: 'flat', norm: 1 },
    mode: 'fast',
    sampleRate: 1,
    expectedBatchSize: model.batch,
    gridBits: GRID_BITS,
    physicalBatchSize: Math.ceil(model.batch / (engine.lanes ?? 1)),
    privacy: { noiseMultiplier: 1 },
  });
  const times: number[] = [];
  let begin = performance.now();
  const end = begin + 1000 * SECONDS;
  // The first step compiles; it is told apart.
  for await (const _ of training.steps(x, y, { steps: 10_000 })) {
    const now = performance.now();
    times.push(now - begin);
    begin = now;
    if (times.length > LEAST_STEPS && now > end) break;
  }
  const [firstStepMs = NaN, ...later] = times;
  say({ model: model.name, ms: median(later), least: Math.min(...later), steps: later.length, firstStepMs });
}

const [name, ...models] = process.argv.slice(2) as [EngineName, ...BenchModelName[]];
const { engine, device, library, software } = await openEngine(name);
say({ device, library, software });
for (const model of models) {
  try {
    await measure(benchModels[model], engine);
  } catch (error) {
    say({ model, failed: error instanceof Error ? error.message : String(error) });
  }
}
process.exit(0);
