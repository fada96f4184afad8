/**
 * What a computer of batches keeps of examples: copies in the slots that the last step used, until the next step, a failure or the end.
 */
import { compileModel } from '@sotto/core/model';
import type { Engine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { createMechanismPlan } from '../../../packages/dp/src/plan/mechanism-plan.ts';
import { BatchComputer } from '../../../packages/dp/src/training/batch-computer.ts';
import { batchPrograms } from '../../../packages/dp/src/training/gradient-parts.ts';
import { createObjective } from '../../../packages/dp/src/training/objective.ts';
import { watchedEngine } from './support/watched-engine.ts';

const WIDTH = 3;
const CHUNK = 4;
const COUNT = 16;

/** The reference engine with two lanes, which tells the inputs and outputs of runs by their names, and fails from a given run on. */
function listening(): { engine: Engine; seen: Set<Float32Array>; failsAt: number } {
  const seen = new Set<Float32Array>();
  let runs = 0;
  const listener = {
    seen,
    failsAt: Infinity,
    engine: watchedEngine(async (_, own, inputs, into) => {
      for (const [name, values] of [...Object.entries(inputs), ...Object.entries(into ?? {})])
        if (/^(x|y|draw|g)\d/.test(name)) seen.add(values as Float32Array);
      if (++runs >= listener.failsAt) throw new Error('out of memory');
      return own(inputs, into);
    }, 2),
  };
  return listener;
}

it.each(['fast', 'secure'] as const)(
  'overwrites in %s mode what a step does not use, and all after a failure and at the end',
  async (mode) => {
    const graph = compileModel(
      sequential({
        layers: [layers.dense({ units: 4, inputShape: [WIDTH] }), layers.dropout({ rate: 0.5 }), layers.dense({ units: 1 })],
      }),
    );
    const clipping = { kind: 'flat', norm: 1 } as const;
    const plan = createMechanismPlan({ sampleRate: 1, expectedBatchSize: COUNT, clipping, noiseMultiplier: 1, mode });
    const listener = listening();
    const computer = new BatchComputer(
      {
        count: COUNT,
        columns: [
          { name: 'x0', width: WIDTH, values: new Float32Array(COUNT * WIDTH).fill(0.5) },
          { name: 'y0', width: 1, values: new Float32Array(COUNT).fill(2) },
        ],
      },
      {
        graph,
        engine: listener.engine,
        programs: batchPrograms(graph, createObjective(graph, 'meanSquaredError'), CHUNK, plan),
        physicalBatchSize: CHUNK,
        frozen: new Float32Array(0),
        mode,
        random: unsafeDeterministicRandom('draws'),
      },
    );
    const weights = Float64Array.from({ length: graph.parameterCount }, (_, i) => 0.1 * (i + 1));
    const step = async (records: number): Promise<void> => {
      const random = unsafeDeterministicRandom('step');
      await computer.addBatch(plan.run({ records, dimension: graph.parameterCount, random }).next(), weights);
    };
    const held = (): number => [...listener.seen].filter((values) => values.some((value) => value !== 0)).length;
    await step(COUNT);
    const ofAll = held();
    await step(1);
    const ofOne = held();
    expect(ofOne).toBeGreaterThan(0);
    // One slot more than there are lanes, so that none waits.
    expect(ofAll).toBe(3 * ofOne);
    await step(COUNT);
    computer.wipe();
    expect(held()).toBe(0);
    await step(COUNT);
    listener.failsAt = 0;
    await expect(step(COUNT)).rejects.toThrow('out of memory');
    expect(held()).toBe(0);
    listener.failsAt = Infinity;
    await step(1);
    expect(held()).toBe(ofOne);
    await computer.close();
    expect(held()).toBe(0);
  },
);
