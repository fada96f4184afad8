/**
 * The grid of Rényi orders.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';

function tenths(): number[] {
  return Array.from({ length: 99 }, (_, i) => (11 + i) / 10);
}

/**
 * 1.1, 1.2 … 10.9, 11, 12 … 64, then wider up to 1024, and +∞. (The grid of Opacus, prolonged so that small ε does not
 * end at the last order.)
 */
export const defaultOrders: readonly number[] = [
  ...tenths(),
  ...Array.from({ length: 54 }, (_, i) => 11 + i),
  72,
  80,
  96,
  112,
  128,
  160,
  192,
  256,
  320,
  384,
  512,
  640,
  768,
  1024,
  Infinity,
];

/** What is tried beside {@link defaultOrders} if the best of them is the last finite one, as it is for ε ≪ ln(1/δ)/1000. */
export const furtherOrders: readonly number[] = [1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96].map((times) => times * 1024);

/** Checks given orders: at least one, each at least 1 (1 is the Kullback–Leibler divergence) and ascending. */
export function checkOrders(orders: readonly number[]): readonly number[] {
  if (orders.length === 0) throw new SottoError('invalid-argument', 'orders is empty; give at least one order of at least 1');
  orders.forEach((order, i) => {
    if (typeof order !== 'number' || !(order >= 1)) {
      throw new SottoError('invalid-argument', `orders[${i}] is ${show(order)}; it must be a number of at least 1`);
    }
    if (i > 0 && order <= orders[i - 1]!) {
      throw new SottoError('invalid-argument', `orders[${i}] is ${order} after ${orders[i - 1]}; orders must ascend`);
    }
  });
  return orders;
}
