/**
 * How the norm of an example's gradient bounds its contribution.
 *
 * @module
 */
import { oneOf, positive } from '@sotto/core/check';
import type { Ops } from '@sotto/core/ops';
import type { ClipFactor } from './quantised-sum.ts';

/**
 * A clipping rule. In each the contribution of one example has a norm of at most `norm`.
 *
 * - `flat`: min(1, C/‖g‖)·g (Abadi et al. 2016, algorithm 1).
 * - `perLayer`: flat within each layer's parameters, to C/√(number of layers) each (McMahan et al. 2018).
 * - `automatic`: C·g/(‖g‖ + γ), AUTO-S (Bu et al. 2022); 0.01 is the authors' γ and the default.
 * - `normalised`: C·g/‖g‖, and zero for a zero gradient.
 */
export type Clipping =
  | { readonly kind: 'flat'; readonly norm: number }
  | { readonly kind: 'perLayer'; readonly norm: number }
  | { readonly kind: 'automatic'; readonly norm: number; readonly gamma?: number }
  | { readonly kind: 'normalised'; readonly norm: number };

const DEFAULT_GAMMA = 0.01;

/** Checks a clipping rule and freezes it with its defaults filled in. */
export function checkClipping(clipping: Clipping): Clipping {
  oneOf('clipping.kind', clipping.kind, ['flat', 'perLayer', 'automatic', 'normalised']);
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
    case 'perLayer':
      return (norm, limit) => (norm <= limit ? 1 : limit / norm);
    case 'automatic': {
      const gamma = clipping.gamma ?? DEFAULT_GAMMA;
      return (norm, limit) => limit / (norm + gamma);
    }
    case 'normalised':
      return (norm, limit) => (norm > 0 ? limit / norm : 0);
  }
}

/** The same factors on tensors: squared norms `[n, 1]` → factors `[n, 1]`. */
export function clipFactors<T>(ops: Ops<T>, clipping: Clipping, squaredNorms: T, limit: number): T {
  const c = ops.constant([limit], []);
  const norms = ops.sqrt(squaredNorms);
  switch (clipping.kind) {
    case 'flat':
    case 'perLayer':
      return ops.minimum(ops.constant([1], []), ops.div(c, norms));
    case 'automatic':
      return ops.div(c, ops.add(norms, ops.constant([clipping.gamma ?? DEFAULT_GAMMA], [])));
    case 'normalised': {
      const zero = ops.constant([0], []);
      return ops.where(ops.greater(norms, zero), ops.div(c, norms), zero);
    }
  }
}

/**
 * How the parameters are clipped together: the indices of each group. One group, except with `perLayer`, where the weights of one layer
 * form a group.
 */
export function clipGroups(clipping: Clipping, parameters: readonly { readonly name: string }[]): readonly (readonly number[])[] {
  if (clipping.kind !== 'perLayer') return [parameters.map((_, i) => i)];
  const groups = new Map<string, number[]>();
  parameters.forEach(({ name }, i) => {
    const layer = name.slice(0, name.lastIndexOf('/'));
    groups.set(layer, [...(groups.get(layer) ?? []), i]);
  });
  return [...groups.values()];
}
