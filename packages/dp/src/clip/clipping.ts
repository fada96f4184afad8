/**
 * How the norm of an example's gradient bounds its contribution.
 *
 * @module
 */
import { oneOf, positive } from '@sotto/core/check';
import type { ClipFactor } from './quantised-sum.ts';

/**
 * A clipping rule. In each the contribution of one example has a norm of at most `norm`.
 *
 * - `flat`: min(1, C/‖g‖)·g (Abadi et al. 2016, algorithm 1).
 * - `automatic`: C·g/(‖g‖ + γ), AUTO-S (Bu et al. 2022); γ is relative to nothing, the authors' 0.01 is the default.
 * - `normalised`: C·g/‖g‖, and zero for a zero gradient.
 */
export type Clipping =
  | { readonly kind: 'flat'; readonly norm: number }
  | { readonly kind: 'automatic'; readonly norm: number; readonly gamma?: number }
  | { readonly kind: 'normalised'; readonly norm: number };

const DEFAULT_GAMMA = 0.01;

/** Checks a clipping rule and freezes it with its defaults filled in. */
export function checkClipping(clipping: Clipping): Clipping {
  oneOf('clipping.kind', clipping.kind, ['flat', 'automatic', 'normalised']);
  const norm = positive('clipping.norm', clipping.norm);
  if (clipping.kind === 'automatic') {
    return Object.freeze({ kind: clipping.kind, norm, gamma: positive('clipping.gamma', clipping.gamma ?? DEFAULT_GAMMA) });
  }
  return Object.freeze({ kind: clipping.kind, norm });
}

/** The factor by which a gradient of the given norm is multiplied so that its norm is at most the limit. */
export function clipFactor(clipping: Clipping): ClipFactor {
  switch (clipping.kind) {
    case 'flat':
      return (norm, limit) => (norm <= limit ? 1 : limit / norm);
    case 'automatic': {
      const gamma = clipping.gamma ?? DEFAULT_GAMMA;
      return (norm, limit) => limit / (norm + gamma);
    }
    case 'normalised':
      return (norm, limit) => (norm > 0 ? limit / norm : 0);
  }
}
