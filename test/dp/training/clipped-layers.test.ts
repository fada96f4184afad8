/**
 * Whatever the sizes of inputs, weights and targets, one example's part in the sum of a step has at most the clip norm: for every kind of layer, by the rules under which the norm is
 * reached, on the engine's own floats.
 */
import { onnxEngine } from '@sotto/core/onnx';
import { tfjsEngine } from '@sotto/core/tfjs';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Clipping } from '../../../packages/dp/src/clip/clipping.ts';
import { clippedSumProgram } from '../../../packages/dp/src/training/gradient-programs.ts';
import { setUp } from './support/gradients.ts';
import { layerCases } from './support/layer-cases.ts';

const N = 3;
const rules: readonly Clipping[] = [
  { kind: 'normalised', norm: 1 },
  { kind: 'perLayer', norm: 1 },
];
/** Factors of inputs, weights and targets. */
const sizes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1e-30, 1e-3, 1],
  [1e-19, 1, 1e-15],
  [1e-8, 1e3, 1e10],
  [1e6, 1e-3, 1e-10],
  [1e12, 1, 1e5],
  [1e19, 1e-3, 1e-15],
  [1e30, 1e-3, 1],
];

beforeAll(async () => {
  await setBackend('cpu');
});

describe.each([onnxEngine(), tfjsEngine()])('$name', (engine) => {
  it.each(layerCases)('holds an example of any size to the norm: $name', async (example) => {
    const { graph, loss, inputs } = setUp(example, example.model(), N);
    const hasIds = graph.nodes.some(({ className }) => className === 'Embedding');
    const factorOf = (name: string, [ofInputs, ofWeights, ofTargets]: readonly [number, number, number]): number => {
      if (name.startsWith('x')) return hasIds ? 1 : ofInputs;
      if (name.startsWith('y')) return example.loss === undefined ? ofTargets : 1;
      return name === 'parameters' ? ofWeights : 1;
    };
    let finite = 0;
    for (const rule of rules) {
      const compiled = await engine.compile(clippedSumProgram(graph, loss, N, rule));
      for (const [i, size] of sizes.entries()) {
        const own = Object.fromEntries(
          Object.entries(inputs).map(([name, values]) => [
            name,
            Float32Array.from(values, (value) => value * factorOf(name, size)),
          ]),
        );
        const mask = Float32Array.from({ length: N }, (_, row) => (row === i % N ? 1 : 0));
        const outputs = await compiled.run({ ...own, mask });
        const sum = graph.trainable.flatMap((_, k) => [...outputs[`s${k}`]!]);
        // One that is not finite is computed again without the rows that spoil it.
        if (!sum.every(Number.isFinite)) continue;
        finite++;
        expect(Math.hypot(...sum), `${rule.kind}, sizes ${size.join(', ')}`).toBeLessThan(1 + 1e-6);
      }
      await compiled.dispose();
    }
    expect(finite).toBeGreaterThanOrEqual(rules.length);
  });
});
