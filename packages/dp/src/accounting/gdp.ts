/**
 * The Gaussian accountant: exact for compositions of Gaussian mechanisms (trees and matrix mechanisms among them).
 *
 * @module
 */
import type { Adjacency, DpEvent } from '@sotto/core/event';
import type { Accountant, Reading } from './accountant.ts';
import { gaussianDelta, gaussianEpsilon } from './gaussian.ts';
import { flattenEvent, sensitivityFactor } from './normalise.ts';

/** μ of an event that is one Gaussian after all merging; undefined for any other. */
export function exactMu(event: DpEvent, adjacency: Adjacency): number | undefined {
  const leaves = flattenEvent(event);
  if (leaves.length === 0) return 0;
  const [leaf] = leaves;
  if (leaves.length > 1 || leaf === undefined || leaf.event.type !== 'gaussian') return undefined;
  return sensitivityFactor(adjacency) / leaf.event.noiseMultiplier;
}

function reading(value: number, numericError: number, mu: number): Reading {
  return {
    lower: Math.max(0, value - numericError),
    upper: value + numericError,
    method: 'analytic Gaussian (exact)',
    why: `All noise is Gaussian, so the composition is exactly ${mu}-GDP, whose (ε, δ) curve is known in closed form (Balle and Wang 2018).`,
    numericError,
    details: { mu },
    warnings: [],
  };
}

/** Exact, where it applies. */
export const gdpAccountant: Accountant = {
  name: 'gdp',
  supports(event, adjacency) {
    if (exactMu(event, adjacency) !== undefined) return undefined;
    const other = flattenEvent(event).find((leaf) => leaf.event.type !== 'gaussian');
    return `${other?.event.type ?? 'event'} is not a composition of unsampled Gaussians`;
  },
  epsilon(event, { adjacency, delta }) {
    const mu = exactMu(event, adjacency) ?? Infinity;
    const epsilon = gaussianEpsilon(mu, delta);
    return reading(epsilon, epsilon === 0 || epsilon === Infinity ? 0 : 1e-13 * (1 + epsilon) * (1 + 1 / mu), mu);
  },
  delta(event, { adjacency, epsilon }) {
    const mu = exactMu(event, adjacency) ?? Infinity;
    const delta = gaussianDelta(mu, epsilon);
    return reading(delta, delta * Math.min(1, 1e-13 * (10 + epsilon * epsilon) * (1 + 1 / mu)), mu);
  },
};
