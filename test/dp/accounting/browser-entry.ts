/** What the browser test bundles: accounting questions, answered into a global. */
import { deltaOf, epsilonOf } from '../../../packages/dp/src/accounting/answer.ts';
import { planBudget } from '../../../packages/dp/src/accounting/budget/plan.ts';
import { calibrateNoiseMultiplier, dpSgdEvent } from '../../../packages/dp/src/accounting/calibrate.ts';

/** Figures that must not depend on where they are computed. */
export function figures(): Readonly<Record<string, number>> {
  const sgd = dpSgdEvent({ sampleRate: 0.01, noiseMultiplier: 1, steps: 1000 });
  const combined = epsilonOf(sgd, { delta: 1e-5 });
  return {
    lower: combined.lower,
    upper: combined.upper,
    rdp: epsilonOf(sgd, { delta: 1e-5, accountant: 'rdp' }).upper,
    replaced: epsilonOf(sgd, { delta: 1e-5, accountant: 'rdp', adjacency: 'replaceOne' }).upper,
    delta: deltaOf(sgd, { epsilon: 2, accountant: 'rdp' }).upper,
    gaussian: epsilonOf({ type: 'gaussian', noiseMultiplier: 1 }, { delta: 1e-15 }).upper,
    calibrated: calibrateNoiseMultiplier({ sampleRate: 0.01, steps: 5000, epsilon: 3, delta: 1e-5, accountant: 'rdp' }).value,
    planned: planBudget({ epsilon: 1, delta: 1e-3, sampleRate: 0.9, rounds: 20 }).noiseMultiplier,
  };
}

(globalThis as { figures?: unknown }).figures = figures;
