/**
 * From Rényi DP to (ε, δ)-DP.
 *
 * @module
 */

/** Which conversion gave a figure. */
export type RdpConversion = 'cks20' | 'mironov17';

/** ε with the order that gave it. */
export interface ConvertedEpsilon {
  readonly epsilon: number;
  /** NaN if the Kullback–Leibler bound on the total variation alone gave ε = 0. */
  readonly order: number;
}

/**
 * ε at `delta` > 0 of one order: Canonne, Kamath and Steinke 2020, Proposition 12 (= Balle et al. 2020, Theorem 21), or
 * Mironov 2017, Proposition 3, which is what figures published before 2021 used. Not floored at 0.
 */
export function epsilonAtOrder(order: number, rdp: number, delta: number, conversion: RdpConversion): number {
  if (order === Infinity || rdp === Infinity) return rdp;
  if (order <= 1) return Infinity;
  if (conversion === 'mironov17') return rdp - Math.log(delta) / (order - 1);
  return rdp + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
}

/**
 * The least ε over all orders; 0 at least; +∞ if no order converged. Orders up to 1.01 are left out: rounding is
 * divided by α − 1 there. An order of +∞ gives pure ε.
 */
export function rdpToEpsilon(
  orders: readonly number[],
  rdp: ArrayLike<number>,
  delta: number,
  conversion: RdpConversion = 'cks20',
): ConvertedEpsilon {
  let best: ConvertedEpsilon = { epsilon: Infinity, order: NaN };
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]!;
    // Total variation by the Bretagnolle–Huber inequality from the Kullback–Leibler divergence, at most D_α for α ≥ 1.
    if (conversion === 'cks20' && delta * delta + Math.expm1(-rdp[i]!) > 0) return { epsilon: 0, order };
    if (order <= 1.01) continue;
    const epsilon = epsilonAtOrder(order, rdp[i]!, delta, conversion);
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best.epsilon < 0 ? { epsilon: 0, order: best.order } : best;
}

/** The least δ at `epsilon` ≥ 0 over all orders, at most 1. */
export function rdpToDelta(orders: readonly number[], rdp: ArrayLike<number>, epsilon: number): { delta: number; order: number } {
  let best = { delta: 1, order: NaN };
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]!;
    const divergence = rdp[i]!;
    if (divergence <= epsilon && order === Infinity) return { delta: 0, order };
    if (divergence === Infinity || order === Infinity) continue;
    const variation = Math.sqrt(-Math.expm1(-divergence));
    if (variation < best.delta) best = { delta: variation, order };
    if (order <= 1.01) continue;
    const log = (order - 1) * (divergence - epsilon + Math.log1p(-1 / order)) - Math.log(order);
    const delta = Math.exp(log);
    if (delta < best.delta) best = { delta, order };
  }
  return best;
}
