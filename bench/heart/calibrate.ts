/**
 * The least noise multiplier that keeps a hospital's whole run within its budget, by Rényi accounting.
 *
 * @module
 */
import { poissonGaussianRdp } from '../../packages/dp/src/accounting/rdp/poisson-gaussian.ts';
import { rdpToEpsilon } from '../../packages/dp/src/accounting/rdp/convert.ts';
import { defaultOrders } from '../../packages/dp/src/accounting/rdp/orders.ts';
import type { HeartConstants } from './data.ts';

export function calibrate({ sampleRate, rounds, epsilon: target, delta }: HeartConstants): {
  noiseMultiplier: number;
  epsilon: number;
} {
  const epsilonAt = (sigma: number): number =>
    rdpToEpsilon(
      defaultOrders,
      poissonGaussianRdp(sampleRate, sigma, defaultOrders).map((value) => value * rounds),
      delta,
      'cks20',
    ).epsilon;
  let [low, high] = [0.5, 100];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (epsilonAt(middle) > target) low = middle;
    else high = middle;
  }
  return { noiseMultiplier: high, epsilon: epsilonAt(high) };
}
