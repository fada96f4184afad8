/**
 * Accuracy on handwritten digits at ε = 3, δ = 1e-5: five private trainings of the example's network, and the same recipe in Opacus.
 *
 * Training and test images are those of `examples/mnist`: the first 8,500 and the last 1,500 of the 10,000. Both sides take the same noise multiplier,
 * found by Sotto's accountant, the same sampling rate, clip norm, optimiser and distribution of initial weights. Sotto's
 * randomness comes from the platform's CSPRNG, so that its figures move between runs.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { RECIPE, trainDigits } from '../examples/mnist/train.ts';
import type { BenchOptions, BenchResult } from './bench.ts';

const RUNS = 5;
/** By how much our mean may be below the peer's, in points of accuracy. */
const BAR_POINTS = 1.5;

interface PeerRun {
  readonly accuracy: number;
  readonly seconds: number;
  readonly epsilon: number;
}

function trainWithOpacus(venv: string, seed: number, noiseMultiplier: number, steps: number): PeerRun {
  const { batch, clipNorm, learningRate, momentum } = RECIPE;
  const output = execFileSync(
    path.join(venv, 'bin', 'python'),
    [
      path.join(import.meta.dirname, 'peers', 'mnist_opacus.py'),
      path.join(import.meta.dirname, '..', 'examples', 'data', 'mnist'),
      ...[seed, noiseMultiplier, steps, batch, clipNorm, learningRate, momentum].map(String),
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return JSON.parse(output) as PeerRun;
}

function summarise(values: readonly number[]): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)) };
}

const percent = (value: number): string => (100 * value).toFixed(2);

export async function run(options: BenchOptions): Promise<BenchResult> {
  const ours: { readonly accuracy: number; readonly seconds: number }[] = [];
  const theirs: PeerRun[] = [];
  let noiseMultiplier = 0;
  let epsilon = 0;
  let steps = 0;
  for (let i = 0; i < RUNS; i++) {
    const started = performance.now();
    // One thread, as the peer has.
    const result = await trainDigits({ lanes: 1 });
    ours.push({ accuracy: result.accuracy, seconds: (performance.now() - started) / 1000 });
    ({ noiseMultiplier, steps } = result);
    epsilon = result.training.privacySpent(RECIPE.delta).upper;
    if (options.peers !== undefined) theirs.push(trainWithOpacus(options.peers, i + 1, noiseMultiplier, steps));
    options.progress(
      `run ${i + 1} of ${RUNS}: Sotto ${percent(ours.at(-1)!.accuracy)} %${theirs.length > 0 ? `, Opacus ${percent(theirs.at(-1)!.accuracy)} %` : ''}`,
    );
  }
  const sides = [
    { name: 'Sotto', epsilon, runs: ours },
    ...(theirs.length > 0 ? [{ name: 'Opacus', epsilon: theirs[0]!.epsilon, runs: theirs }] : []),
  ].map((side) => ({
    ...side,
    accuracy: summarise(side.runs.map((one) => one.accuracy)),
    seconds: summarise(side.runs.map((one) => one.seconds)),
  }));
  const [sotto, opacus] = sides;
  const gap = opacus === undefined ? undefined : 100 * (opacus.accuracy.mean - sotto!.accuracy.mean);
  return {
    summary:
      `Sotto reaches ${percent(sotto!.accuracy.mean)} ± ${percent(sotto!.accuracy.sd)} % at epsilon ${epsilon.toFixed(3)}` +
      (opacus === undefined
        ? '.'
        : `, Opacus ${percent(opacus.accuracy.mean)} ± ${percent(opacus.accuracy.sd)} % with the same recipe and noise; ` +
          `the bar, at most ${BAR_POINTS} points below, is ${gap! <= BAR_POINTS ? 'met' : 'missed'}.`),
    tables: [
      {
        title: `Accuracy on 1,500 held-out digits after ${steps} steps, ${RUNS} runs, noise multiplier ${noiseMultiplier.toFixed(4)}`,
        columns: ['library', 'accuracy %', 'sd', 'epsilon by its own accountant', 'time, as a multiple of Sotto'],
        rows: sides.map((side) => [
          side.name,
          percent(side.accuracy.mean),
          percent(side.accuracy.sd),
          side.epsilon.toFixed(4),
          side.seconds.mean / sotto!.seconds.mean,
        ]),
      },
    ],
    data: { recipe: RECIPE, noiseMultiplier, steps, sides },
  };
}
