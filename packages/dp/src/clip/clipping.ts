/**
 * How the norm of an example's gradient bounds its contribution.
 *
 * @module
 */
import { oneOf, openProbability, positive, show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Ops } from '@sotto/core/ops';
import { knownKeys } from '../known-keys.ts';
import type { ClipFactor } from './quantised-sum.ts';

/**
 * A clipping rule. In each the contribution of one example has a norm of at most `norm`.
 *
 * - `flat`: min(1, C/‖g‖)·g (Abadi et al. 2016, algorithm 1).
 * - `perLayer`: flat within each layer's parameters, to C/√(number of layers) each (McMahan et al. 2018).
 * - `automatic`: C·g/(‖g‖ + γ), AUTO-S (Bu et al. 2022); 0.01 is the authors' γ and the default.
 * - `normalised`: C·g/‖g‖, and zero for a zero gradient.
 * - `adaptive`: flat, to a norm that follows a quantile of the norms (Andrew et al. 2021) from `norm` on. `quantile` γ (default 0.5),
 *   `learningRate` η (0.2), and `countNoise` σ_b, the noise on the count of units that were not clipped, in units (a twentieth of the expected
 *   batch size, at least the noise multiplier). The count is paid from the same noise multiplier; see `quantile.ts`.
 *
 * In `fast` mode norms below 2⁻³⁵ count as 2⁻³⁵, and a gradient whose norm is above 2⁶⁰ or not a number contributes zero; see `float-range.ts`.
 */
export type Clipping =
  | { readonly kind: 'flat'; readonly norm: number }
  | { readonly kind: 'perLayer'; readonly norm: number }
  | { readonly kind: 'automatic'; readonly norm: number; readonly gamma?: number }
  | { readonly kind: 'normalised'; readonly norm: number }
  | {
      readonly kind: 'adaptive';
      readonly norm: number;
      readonly quantile?: number;
      readonly learningRate?: number;
      readonly countNoise?: number;
    };

/** An adaptive rule with its defaults filled in. */
export type AdaptiveClipping = Required<Extract<Clipping, { kind: 'adaptive' }>>;

const DEFAULT_GAMMA = 0.01;

const MEMBERS: Readonly<Record<Clipping['kind'], readonly string[]>> = {
  flat: ['kind', 'norm'],
  perLayer: ['kind', 'norm'],
  automatic: ['kind', 'norm', 'gamma'],
  normalised: ['kind', 'norm'],
  adaptive: ['kind', 'norm', 'quantile', 'learningRate', 'countNoise'],
};

/** Checks a clipping rule and freezes it with its defaults filled in, except `countNoise`, which the plan fills in. */
export function checkClipping(clipping: Clipping): Clipping {
  if (typeof (clipping as unknown) !== 'object' || clipping === null) {
    throw new SottoError(
      'invalid-argument',
      `clipping is ${show(clipping)}; it must be an object with a kind, such as {kind: 'flat', norm: 1}`,
    );
  }
  oneOf('clipping.kind', clipping.kind, ['flat', 'perLayer', 'automatic', 'normalised', 'adaptive']);
  knownKeys('clipping', clipping, MEMBERS[clipping.kind]);
  const norm = positive('clipping.norm', clipping.norm);
  if (clipping.kind === 'adaptive') {
    return Object.freeze({
      kind: clipping.kind,
      norm,
      quantile: openProbability('clipping.quantile', clipping.quantile ?? 0.5),
      learningRate: positive('clipping.learningRate', clipping.learningRate ?? 0.2),
      ...(clipping.countNoise === undefined ? {} : { countNoise: positive('clipping.countNoise', clipping.countNoise) }),
    });
  }
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
    case 'adaptive':
      return (norm, limit) => (norm <= limit ? 1 : limit / norm);
    case 'automatic': {
      const gamma = clipping.gamma ?? DEFAULT_GAMMA;
      return (norm, limit) => limit / (norm + gamma);
    }
    case 'normalised':
      return (norm, limit) => (norm > 0 ? limit / norm : 0);
  }
}

/**
 * The same factors on tensors: squared norms `[n, 1]` → factors `[n, 1]`.
 *
 * @param squaredNorms Numbers within the range of {@link ./float-range.ts}: neither zero nor NaN, for which engines do not agree.
 * @param limit The norm: a number that the program keeps, or a tensor of one element, for norms that change with the step.
 */
export function clipFactors<T>(ops: Ops<T>, clipping: Clipping, squaredNorms: T, limit: number | { readonly tensor: T }): T {
  const c = typeof limit === 'number' ? ops.constant([limit], []) : limit.tensor;
  const norms = ops.sqrt(squaredNorms);
  switch (clipping.kind) {
    case 'flat':
    case 'perLayer':
    case 'adaptive':
      return ops.minimum(ops.constant([1], []), ops.div(c, norms));
    case 'automatic':
      return ops.div(c, ops.add(norms, ops.constant([clipping.gamma ?? DEFAULT_GAMMA], [])));
    case 'normalised':
      return ops.div(c, norms);
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
