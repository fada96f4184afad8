/** The two discretisations of one step against the exact hockey-stick curve, by closed forms and by quadrature. */
import { describe, expect, it } from 'vitest';
import {
  type GridMeasure,
  gridPoints,
  lowerMeasure,
  pointLosses,
  touchingLosses,
  upperMeasure,
} from '../../../../packages/dp/src/accounting/pld/discretise.ts';
import { gaussianMixtureLaw } from '../../../../packages/dp/src/accounting/pld/gaussian-laws.ts';
import type { LossLaw } from '../../../../packages/dp/src/accounting/pld/loss-law.ts';
import { exponentialMechanismLaw, laplaceLaw } from '../../../../packages/dp/src/accounting/pld/other-laws.ts';
import { normalCdf } from '../../../../packages/dp/src/accounting/special.ts';

function poissonGaussian(q: number, sigma: number): LossLaw {
  const above = [
    { weight: 1 - q, mean: 0 },
    { weight: q, mean: 1 },
  ];
  return gaussianMixtureLaw('test', sigma, above, [{ weight: 1, mean: 0 }]);
}

/** δ(ε) of removal and of addition for the Poisson-sampled Gaussian, from the normal distribution function. */
function exact(q: number, sigma: number, epsilon: number, direction: 'remove' | 'add'): number {
  const x = Math.exp(direction === 'remove' ? epsilon : -epsilon);
  const t = (x - 1 + q) / q;
  const at = t <= 0 ? -Infinity : sigma * sigma * Math.log(t) + 0.5;
  const above = (mean: number): number => normalCdf((mean - at) / sigma);
  const below = (mean: number): number => normalCdf((at - mean) / sigma);
  if (direction === 'remove') return q * above(1) + (1 - q - x) * above(0);
  return below(0) - Math.exp(epsilon) * ((1 - q) * below(0) + q * below(1));
}

function curve({ index, mass, infinite }: GridMeasure, offset: number, step: number, epsilon: number): number {
  let delta = infinite;
  index.forEach((i, k) => {
    const loss = i * step + offset;
    if (loss > epsilon) delta -= mass[k]! * Math.expm1(epsilon - loss);
  });
  return delta;
}

function both(law: LossLaw, step: number, tail = 1e-20): Record<'upper' | 'lower', ReturnType<typeof upperMeasure>> {
  const { low, high } = law.range(tail);
  const offset = 0.3 * step;
  const bulk = { low: -1, high: 1, scale: 1 };
  const points = gridPoints(low - offset, high - offset, step, [bulk]);
  const nodes = law.nodes(tail, pointLosses(points, step, offset));
  const touching = touchingLosses(nodes, points, step, offset);
  const lower = lowerMeasure(
    law.nodes(
      tail,
      touching.map((t) => t + offset),
    ),
    points,
    touching,
    step,
    offset,
  );
  return { upper: upperMeasure(nodes, points, step, offset), lower };
}

describe.each([
  [0.01, 1],
  [0.5, 0.4],
  [0.001, 3],
  [0.2, 0.8],
])('Poisson-sampled Gaussian, q = %f, σ = %f', (q, sigma) => {
  const law = poissonGaussian(q, sigma);

  it.each([0.1, 0.02, 0.003])('is bracketed at every ε for step %f', (step) => {
    const { upper, lower } = both(law, step);
    for (const direction of ['remove', 'add'] as const) {
      const sign = direction === 'remove' ? 1 : -1;
      for (let epsilon = -3; epsilon < 6; epsilon += 0.0317) {
        const truth = exact(q, sigma, epsilon, direction);
        const noise = 1e-13 * (1 + Math.exp(epsilon));
        expect(curve(upper[direction], sign * upper.offset, step, epsilon)).toBeGreaterThanOrEqual(truth - noise);
        expect(curve(lower[direction], sign * lower.offset, step, epsilon)).toBeLessThanOrEqual(truth + noise);
      }
    }
  });

  it('has no mass below 0, and all of it', () => {
    const { upper, lower } = both(law, 0.01);
    for (const direction of ['remove', 'add'] as const) {
      expect(Math.min(...upper[direction].mass)).toBeGreaterThanOrEqual(0);
      expect(Math.min(...lower[direction].mass)).toBeGreaterThanOrEqual(0);
      const total = upper[direction].mass.reduce((a, b) => a + b, 0) + upper[direction].infinite;
      expect(total).toBeCloseTo(1, 12);
    }
  });

  it('is exact at the points of the upper grid', () => {
    const { upper } = both(law, 0.05);
    upper.remove.index.forEach((i) => {
      const epsilon = i * 0.05 + upper.offset;
      if (epsilon < 4)
        expect(curve(upper.remove, upper.offset, 0.05, epsilon)).toBeCloseTo(exact(q, sigma, epsilon, 'remove'), 12);
    });
  });
});

describe('other densities', () => {
  it('Laplace: δ = 1 − e^((ε − 1/b)/2), bracketed', () => {
    const { upper, lower } = both(laplaceLaw(0.7, 1), 0.01);
    for (let epsilon = 0.013; epsilon < 1.5; epsilon += 0.071) {
      const truth = Math.max(0, -Math.expm1((epsilon - 1 / 0.7) / 2));
      expect(curve(upper.remove, upper.offset, 0.01, epsilon)).toBeGreaterThanOrEqual(truth - 1e-14);
      expect(curve(lower.remove, lower.offset, 0.01, epsilon)).toBeLessThanOrEqual(truth + 1e-14);
      expect(curve(upper.remove, upper.offset, 0.01, epsilon) - truth).toBeLessThan(3e-3);
    }
  });

  it('exponential mechanism: the supremum over its two-point worst cases', () => {
    const budget = 1.3;
    const { upper } = both(exponentialMechanismLaw(budget), 0.001);
    for (let epsilon = 0; epsilon < 1.3; epsilon += 0.05) {
      let truth = 0;
      for (let t = 0; t <= budget; t += 1e-4) {
        const p = (Math.exp(budget) - Math.exp(t)) / Math.expm1(budget);
        const swapped = t - budget;
        truth = Math.max(
          truth,
          p * Math.max(0, 1 - Math.exp(epsilon - t)) + (1 - p) * Math.max(0, 1 - Math.exp(epsilon - swapped)),
        );
      }
      const ours = curve(upper.remove, upper.offset, 0.001, epsilon);
      expect(ours).toBeGreaterThanOrEqual(truth - 1e-9);
      expect(ours).toBeLessThan(truth + 1e-5);
    }
  });
});
