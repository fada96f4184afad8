/**
 * The noisy figures that a step releases beside its gradient.
 *
 * @module
 */
import type { RandomSource } from '@sotto/core/random';
import { NoisyFigure } from './released-statistics.ts';
import type { Statistic } from './released-statistics.ts';
import type { Figures } from './session.ts';

/** The figures of one step. */
export class StepFigures {
  /** Listens to losses where some figure needs them. */
  readonly losses: ((losses: ArrayLike<number>, count: number) => void) | undefined;
  readonly #figures: ReadonlyMap<string, NoisyFigure>;

  constructor(statistics: readonly Statistic[], batchSize: number) {
    this.#figures = new Map(statistics.map((each) => [each.name, new NoisyFigure(each)]));
    for (let i = 0; i < batchSize; i++) this.#figures.get('batchSize')?.add(1);
    const loss = this.#figures.get('loss');
    if (loss !== undefined) {
      this.losses = (losses, count) => {
        for (let i = 0; i < count; i++) loss.add(losses[i]!);
      };
    }
  }

  nonFinite(count: number): void {
    for (let i = 0; i < count; i++) this.#figures.get('nonFiniteExamples')?.add(1);
  }

  release(random: RandomSource): Figures {
    return Object.fromEntries([...this.#figures].map(([name, figure]) => [name, figure.release(random)]));
  }
}
