/**
 * Basic composition of (ε, δ) guarantees: what is left when nothing finer is known.
 *
 * @module
 */
import type { Adjacency, DpEvent } from '@sotto/core/event';
import type { Accountant, Reading } from './accountant.ts';
import { flattenEvent } from './normalise.ts';
import { curveOf, refuse } from './rdp/event.ts';

/** Σ ε and 1 − Π(1 − δ) of an event whose parts are all pure or (ε, δ)-DP. ε is +∞ for others. */
export function basicComposition(event: DpEvent, adjacency: Adjacency): { readonly epsilon: number; readonly delta: number } {
  const { rdp, slack } = curveOf(event, adjacency, [Infinity]);
  return { epsilon: rdp[0]!, delta: slack };
}

function answer(lower: number, upper: number, epsilon: number, delta: number): Reading {
  return {
    lower,
    upper,
    method: 'basic composition',
    why: `Every part is (ε, δ)-DP by itself; their ε add up to ${epsilon} and their δ to ${delta}.`,
    numericError: upper === Infinity ? 0 : 1e-14 * upper,
    details: {},
    warnings: [],
  };
}

/** Basic composition. */
export const approxAccountant: Accountant = {
  name: 'approx',
  supports(event, adjacency) {
    const reason = refuse(event, adjacency);
    if (reason !== undefined) return reason;
    const loose = flattenEvent(event).find((leaf) => basicComposition(leaf.event, adjacency).epsilon === Infinity);
    if (loose === undefined || loose.event.type === 'nonPrivate') return undefined;
    return `${loose.event.type} has no finite pure ε, which basic composition needs`;
  },
  epsilon(event, { adjacency, delta }) {
    const total = basicComposition(event, adjacency);
    return answer(0, delta >= total.delta ? total.epsilon * (1 + 1e-14) : Infinity, total.epsilon, total.delta);
  },
  delta(event, { adjacency, epsilon }) {
    const total = basicComposition(event, adjacency);
    return answer(0, epsilon >= total.epsilon ? Math.min(1, total.delta * (1 + 1e-14)) : 1, total.epsilon, total.delta);
  },
};
