/**
 * Zero-concentrated DP: ρ-zCDP bounds the Rényi divergence of every order α by ρ·α (Bun and Steinke 2016).
 *
 * @module
 */
import type { Adjacency, DpEvent } from '@sotto/core/event';
import type { Accountant, Reading } from './accountant.ts';
import { flattenEvent, sensitivityFactor } from './normalise.ts';

/**
 * δ(ε) of ρ-zCDP: the conversion of Canonne, Kamath and Steinke 2020 (Corollary 13) minimised over all real orders; the
 * derivative of the exponent is increasing, so bisection finds its zero.
 */
export function zcdpDelta(rho: number, epsilon: number): number {
  if (rho === 0) return 0;
  if (rho === Infinity) return 1;
  let low = 1.01;
  let high = (epsilon + 1) / (2 * rho) + 2;
  for (let i = 0; i < 1100; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if ((2 * middle - 1) * rho - epsilon + Math.log1p(-1 / middle) < 0) low = middle;
    else high = middle;
  }
  const alpha = (low + high) / 2;
  const first = (alpha - 1) * (alpha * rho - epsilon);
  const second = alpha * Math.log1p(-1 / alpha);
  // Rounded up by what the rounding of the two exponents can hide.
  const slack = 1 + Number.EPSILON * (1 + Math.abs(first) + Math.abs(second));
  return Math.min(1, (Math.exp(first + second) / (alpha - 1)) * slack);
}

/** ε(δ) of ρ-zCDP, at least 0; the upper end of a bracket of width 1e-15. */
export function zcdpEpsilon(rho: number, delta: number): number {
  if (rho === 0 || delta >= 1) return 0;
  if (delta <= 0 || rho === Infinity) return Infinity;
  if (zcdpDelta(rho, 0) <= delta) return 0;
  let low = 0;
  let high = rho + 2 * Math.sqrt(rho * Math.log(1 / delta));
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (zcdpDelta(rho, middle) <= delta) high = middle;
    else low = middle;
  }
  return high;
}

/** The ρ of one leaf, or the reason why it has none. */
function leafRho(event: DpEvent, factor: number, adjacency: Adjacency): number | string {
  switch (event.type) {
    case 'gaussian':
      return (factor * factor) / (2 * event.noiseMultiplier * event.noiseMultiplier);
    case 'discreteGaussian':
      return (factor * event.sensitivity) ** 2 / (2 * event.sigma * event.sigma);
    case 'zcdp':
      return event.xi === 0 ? event.rho : 'zcdp: with ξ > 0 it is not plain zCDP';
    case 'exponentialMechanism':
      return event.epsilon ** 2 / 8;
    case 'laplace':
      return fromPure(factor / event.noiseMultiplier);
    case 'discreteLaplace':
      return fromPure(factor * event.sensitivity * event.noiseParameter);
    case 'epsilonDelta':
      return event.delta === 0 ? fromPure(event.epsilon) : 'epsilonDelta: with δ > 0 it is not zCDP';
    case 'randomizedResponse': {
      if (adjacency !== 'replaceOne') return `randomizedResponse: its ρ is known under replaceOne, not under ${adjacency}`;
      const low = event.noiseParameter / event.buckets;
      return event.noiseParameter === 0 ? Infinity : fromPure(Math.log((1 - event.noiseParameter + low) / low));
    }
    case 'nonPrivate':
      return Infinity;
    default:
      return `${event.type} has no zCDP bound`;
  }
}

/** ε-DP implies ε²/2-zCDP (Bun and Steinke 2016, Proposition 3.3). */
function fromPure(epsilon: number): number {
  return (epsilon * epsilon) / 2;
}

/** ρ of an event, or the reason why it has none. */
export function rhoOf(event: DpEvent, adjacency: Adjacency): number | string {
  let rho = 0;
  for (const leaf of flattenEvent(event)) {
    const one = leafRho(leaf.event, sensitivityFactor(adjacency), adjacency);
    if (typeof one === 'string') return one;
    rho += leaf.count * one;
  }
  return rho;
}

function reading(upper: number, rho: number, relative: number): Reading {
  const numericError = upper === Infinity ? 0 : upper * relative;
  return {
    lower: 0,
    upper: upper + numericError,
    method: 'zCDP, conversion Canonne–Kamath–Steinke 2020',
    why: `The parts are ${rho}-zCDP together, converted over all real orders (Canonne, Kamath and Steinke 2020).`,
    numericError,
    details: { rho },
    warnings: [],
  };
}

function known(event: DpEvent, adjacency: Adjacency): number {
  const rho = rhoOf(event, adjacency);
  return typeof rho === 'string' ? Infinity : rho;
}

/** Accounts by zCDP. */
export const zcdpAccountant: Accountant = {
  name: 'zcdp',
  supports(event, adjacency) {
    const rho = rhoOf(event, adjacency);
    return typeof rho === 'string' ? rho : undefined;
  },
  epsilon: (event, { adjacency, delta }) => {
    const rho = known(event, adjacency);
    return reading(zcdpEpsilon(rho, delta), rho, 1e-13);
  },
  delta: (event, { adjacency, epsilon }) => {
    const rho = known(event, adjacency);
    const exponentSize = 1 + (epsilon * epsilon) / (4 * rho);
    return reading(zcdpDelta(rho, epsilon), rho, Math.min(0.5, 1e-15 * (10 + exponentSize)));
  },
};
