/** Every kind of layer on an engine: an example's gradient, norm, loss and outputs are the same bits wherever it stands in a batch. */
import type { Engine } from '@sotto/core/ops';
import { expect, it } from 'vitest';
import { clippedSumProgram, perExampleProgram, predictionProgram } from '../../../packages/dp/src/training/gradient-programs.ts';
import { setUp } from '../../dp/training/support/gradients.ts';
import type { GradientCase } from '../../dp/training/support/gradients.ts';
import { layerCases } from '../../dp/training/support/layer-cases.ts';
import { BATCHES, whatMoves } from '../ops/places.ts';

/** Sums of a batch, which a mask makes those of one example. */
const isSum = (name: string): boolean => /^s\d/.test(name);
const isShared = (name: string): boolean => name === 'parameters' || name === 'frozen';

/** What changes in the programs of a step and of an evaluation where examples change places. */
export async function moveExamples(engine: Engine, example: GradientCase, n: number): Promise<string[]> {
  const { graph, loss, inputs } = setUp(example, example.model(), n);
  // One example alone in the sum, at the end, where vectors are not full.
  const given = { ...inputs, mask: Float32Array.from({ length: n }, (_, i) => (i === n - 1 ? 1 : 0)) };
  const programs = [
    perExampleProgram(graph, loss, n),
    clippedSumProgram(graph, loss, n, { kind: 'flat', norm: 0.5 }),
    predictionProgram(graph, n),
  ];
  const found: string[] = [];
  for (const program of programs) {
    const own = Object.fromEntries(program.inputs.map(({ name }) => [name, given[name as keyof typeof given]!]));
    found.push(...(await whatMoves(engine, program, own, n, (name) => !isShared(name) && !isSum(name))));
  }
  return found;
}

/** Every layer case on an engine, with batches of several sizes. */
export function layersKeepPlaces(
  engine: () => Engine,
  batches: readonly number[] = BATCHES,
  cases: readonly GradientCase[] = layerCases,
): void {
  it.each(cases)('gives an example the same bits in every place: $name', async (example) => {
    for (const n of batches) expect(await moveExamples(engine(), example, n), `${n} examples`).toEqual([]);
  });
}
