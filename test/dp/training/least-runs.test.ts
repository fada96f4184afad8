/** A step takes a number of runs that does not tell the size of its batch, and runs without examples change nothing of it. */
import { compileModel } from '@sotto/core/model';
import { onnxEngine } from '@sotto/core/onnx';
import type { CompiledProgram, Engine } from '@sotto/core/ops';
import { unsafeDeterministicRandom } from '@sotto/core/unsafe-deterministic-random';
import { createMechanismPlan } from '@sotto/dp';
import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { BatchComputer } from '../../../packages/dp/src/training/batch-computer.ts';
import { batchPrograms } from '../../../packages/dp/src/training/gradient-parts.ts';
import { createObjective } from '../../../packages/dp/src/training/objective.ts';

const CHUNK = 4;
const WIDTH = 3;

/** An engine that counts the runs of clipped sums. */
function counting(engine: Engine): { readonly engine: Engine; runs: number } {
  const counter = {
    runs: 0,
    engine: {
      ...engine,
      async compile(program: Parameters<Engine['compile']>[0]): Promise<CompiledProgram> {
        const compiled = await engine.compile(program);
        if (program.name !== 'clipped-sum') return compiled;
        return {
          outputs: compiled.outputs,
          run(...args) {
            counter.runs++;
            return compiled.run(...args);
          },
          dispose: () => compiled.dispose(),
        };
      },
    } satisfies Engine,
  };
  return counter;
}

it('takes as many runs for every batch up to the usual size, and adds the same', async () => {
  const graph = compileModel(sequential({ layers: [layers.dense({ units: 1, inputShape: [WIDTH] })] }));
  const plan = createMechanismPlan({
    sampleRate: 1,
    expectedBatchSize: 64,
    clipping: { kind: 'flat', norm: 1 },
    noiseMultiplier: 1,
    mode: 'fast',
  });
  const programs = batchPrograms(graph, createObjective(graph, 'meanSquaredError'), CHUNK, plan);
  const count = 30;
  const x = Float32Array.from({ length: count * WIDTH }, (_, i) => Math.sin(1 + i));
  // A bad record among others, and a chunk of nothing else, whose rows must not stay in its memory: later runs there would be done twice.
  for (const bad of [2, 4, 5, 6, 7]) x[bad * WIDTH] = NaN;
  const table = {
    count,
    columns: [
      { name: 'x0', width: WIDTH, values: x },
      { name: 'y0', width: 1, values: Float32Array.from({ length: count }, (_, i) => Math.cos(i)) },
    ],
  };
  const weights = Float64Array.from({ length: graph.parameterCount }, (_, i) => 0.1 * i);
  const sumsAndRuns = async (leastRuns: number): Promise<{ sum: number[]; runs: number; added: number }[]> => {
    const counter = counting(onnxEngine({ lanes: 2 }));
    const computer = new BatchComputer(table, {
      graph,
      engine: counter.engine,
      programs,
      physicalBatchSize: CHUNK,
      leastRuns,
      frozen: new Float32Array(0),
      mode: 'fast',
      random: unsafeDeterministicRandom('draws'),
    });
    const results = [];
    for (const size of [0, 1, 4, 7, 16, 24, 30, 8, 1, 0]) {
      const step = plan.run({ records: size, dimension: graph.parameterCount, random: unsafeDeterministicRandom('step') }).next();
      counter.runs = 0;
      let added = 0;
      const sum = new Array<number>(graph.parameterCount).fill(0);
      const spy = new Proxy(step, {
        get: (target, key) => {
          if (key === 'batch') return Uint32Array.from({ length: size }, (_, i) => i);
          if (key !== 'addSum') return Reflect.get(target, key, target) as unknown;
          return (...[parts, rows, clipped]: Parameters<typeof target.addSum>) => {
            target.addSum(parts, rows, clipped);
            added += rows;
            parts.flatMap((part) => [...part]).forEach((value, j) => (sum[j]! += value));
          };
        },
      });
      await computer.addBatch(spy, weights);
      results.push({ sum, runs: counter.runs, added });
    }
    await computer.close();
    return results;
  };
  const plain = await sumsAndRuns(0);
  const padded = await sumsAndRuns(6);
  expect(padded.map(({ sum }) => sum)).toEqual(plain.map(({ sum }) => sum));
  expect(padded.map(({ added }) => added)).toEqual([0, 1, 4, 7, 16, 24, 30, 8, 1, 0]);
  // One more run for a chunk with a bad record and a row that is not, if only padding; beyond 24 records as many as they need.
  expect(plain.map(({ runs }) => runs)).toEqual([0, 1, 2, 4, 5, 7, 9, 3, 1, 0]);
  for (const step of [0, 1, 8, 9]) expect(padded[step]!.runs).toBe(6);
});
