/**
 * The Rényi accountant.
 *
 * @module
 */
import type { Adjacency, DpEvent } from '@sotto/core/event';
import { numberToJson } from '@sotto/core/json';
import type { Accountant, AccountantOptions, PreparedAccountant, Reading } from '../accountant.ts';
import { flattenEvent } from '../normalise.ts';
import { rdpToDelta, rdpToEpsilon, type RdpConversion } from './convert.ts';
import { curveOf, type RdpCurve, refuse, routesOf } from './event.ts';
import { checkOrders, defaultOrders, furtherOrders } from './orders.ts';

/** Relative round-off of an ε that the accountant computed; it is included in every upper bound. */
const relativeError = 1e-13;

const titles: Readonly<Record<RdpConversion, string>> = {
  cks20: 'Canonne–Kamath–Steinke 2020',
  mironov17: 'Mironov 2017 (legacy, for replication)',
};

function atEnds(order: number, orders: readonly number[]): readonly string[] {
  const finite = orders.filter((o) => o < Infinity);
  if (order === finite[0]) return [`the best order ${order} is the first of the grid: a grid with smaller orders may be tighter`];
  if (order === finite.at(-1))
    return [`the best order ${order} is the last of the grid: a grid with larger orders may be tighter`];
  return [];
}

/** The last finite order of the default grid. */
const lastDefault = 1024;

/** The Rényi accountant with either conversion; `mironov17` is for replicating published figures. */
export function rdpAccountant(conversion: RdpConversion): Accountant {
  const prepared = (event: DpEvent, options: AccountantOptions): PreparedAccountant => {
    const orders = options.orders === undefined ? defaultOrders : checkOrders(options.orders);
    const on = (grid: readonly number[]): readonly RdpCurve[] =>
      routesOf(event).map((route) => curveOf(event, options.adjacency, grid, route));
    const curves = on(orders);
    let wide: readonly RdpCurve[] | undefined;
    const further = (reading: Reading, again: (curves: readonly RdpCurve[]) => Reading): Reading => {
      if (options.orders !== undefined || reading.details['order'] !== lastDefault) return reading;
      wide ??= on([lastDefault, ...furtherOrders]);
      const other = again(wide);
      return other.upper < reading.upper ? other : reading;
    };
    return {
      epsilon: (delta) => {
        const read = (c: readonly RdpCurve[]): Reading => readEpsilon(c, delta, conversion);
        return further(read(curves), read);
      },
      delta: (epsilon) => {
        const read = (c: readonly RdpCurve[]): Reading => readDelta(c, epsilon);
        return further(read(curves), read);
      },
    };
  };
  return {
    name: 'rdp',
    supports: refuse,
    prepare: prepared,
    epsilon: (event, options) => {
      const narrow = narrowed(event, options, (curves) => readEpsilon(curves, options.delta, conversion));
      return narrow ?? prepared(event, options).epsilon(options.delta);
    },
    delta: (event, options) => {
      const narrow = narrowed(event, options, (curves) => readDelta(curves, options.epsilon));
      return narrow ?? prepared(event, options).delta(options.epsilon);
    },
  };
}

/** Events whose divergence is computed exactly, so that (α−1)·ε(α) is convex in α. */
const exactTypes: readonly DpEvent['type'][] = [
  'gaussian',
  'laplace',
  'discreteLaplace',
  'exponentialMechanism',
  'randomizedResponse',
  'epsilonDelta',
  'zcdp',
  'mixtureOfGaussians',
];

/** Every how many orders the first look is. */
const stride = 8;

/**
 * One reading on the default grid at a quarter of the cost. If (α−1)·ε(α) is convex, both conversions have one minimum in
 * α (a convex function over α − 1, and the exponential of a convex one), so it lies next to the best of every eighth order.
 * Undefined if the event or the options do not allow it, or the best order is at an end.
 */
function narrowed(
  event: DpEvent,
  options: AccountantOptions,
  read: (curves: readonly RdpCurve[]) => Reading,
): Reading | undefined {
  if (options.orders !== undefined) return undefined;
  const convex = flattenEvent(event).every(
    ({ event: leaf }) => exactTypes.includes(leaf.type) || (leaf.type === 'poissonSampled' && leaf.event.type === 'gaussian'),
  );
  if (!convex) return undefined;
  const at = (orders: readonly number[]): Reading => read([curveOf(event, options.adjacency, orders)]);
  const coarse = at(coarseOrders);
  const order = coarse.details['order'];
  const centre = typeof order === 'number' ? defaultOrders.indexOf(order) : -1;
  if (centre <= 0 || order === lastDefault || coarse.upper === 0 || coarse.upper === Infinity) return undefined;
  const fine = at(defaultOrders.slice(Math.max(0, centre - stride), centre + stride + 1));
  const best = fine.upper <= coarse.upper ? fine : coarse;
  return { ...best, warnings: [], details: { ...best.details, orders: allOrders } };
}

const coarseOrders: readonly number[] = defaultOrders.filter((order, i) => i % stride === 0 || order >= lastDefault);
const allOrders = defaultOrders.map(numberToJson);

function readEpsilon(curves: readonly RdpCurve[], delta: number, conversion: RdpConversion): Reading {
  const title = titles[conversion];
  const tries = curves.map(({ orders, rdp, slack }) => {
    const left = delta - slack;
    const found = left > 0 ? rdpToEpsilon(orders, rdp, left, conversion) : onlyPure(orders, rdp, left);
    return { ...found, orders, rdp, slack };
  });
  const { epsilon, order, orders, rdp, slack } = tries.reduce((a, b) => (b.epsilon < a.epsilon ? b : a));
  const numericError = epsilon === Infinity ? 0 : relativeError * (1 + epsilon);
  return {
    lower: 0,
    upper: epsilon === 0 ? 0 : epsilon + numericError,
    method: Number.isNaN(order) ? 'RDP' : `RDP, order ${order}, conversion ${title}`,
    why: explain(epsilon, order, rdp[orders.indexOf(order)] ?? NaN, title, slack),
    numericError,
    details: { order: Number.isNaN(order) ? null : numberToJson(order), conversion, orders: orders.map(numberToJson), slack },
    warnings: epsilon === 0 ? [] : atEnds(order, orders),
  };
}

function readDelta(curves: readonly RdpCurve[], epsilon: number): Reading {
  const tries = curves.map((curve) => ({ ...rdpToDelta(curve.orders, curve.rdp, epsilon), ...curve }));
  const { delta, order, orders, slack } = tries.reduce((a, b) => (b.delta + b.slack < a.delta + a.slack ? b : a));
  const upper = Math.min(1, (delta + slack) * (1 + 1e-10));
  return {
    lower: 0,
    upper,
    method: Number.isNaN(order) ? 'RDP' : `RDP, order ${order}, conversion ${titles.cks20}`,
    why: `Rényi divergence of order ${order}, converted to δ at ε = ${epsilon} (${titles.cks20}).`,
    numericError: upper - delta - slack,
    details: {
      order: Number.isNaN(order) ? null : numberToJson(order),
      conversion: 'cks20',
      orders: orders.map(numberToJson),
      slack,
    },
    warnings: atEnds(order, orders),
  };
}

/** With no δ left, only a finite divergence of order +∞ helps. */
function onlyPure(orders: readonly number[], rdp: Float64Array, left: number): { epsilon: number; order: number } {
  const i = orders.indexOf(Infinity);
  const epsilon = left === 0 && i >= 0 ? rdp[i]! : Infinity;
  return { epsilon, order: epsilon === Infinity ? NaN : Infinity };
}

function explain(epsilon: number, order: number, divergence: number, title: string, slack: number): string {
  if (epsilon === Infinity) return 'No Rényi divergence of the given orders is finite enough for this δ, so ε is +∞.';
  const tail = slack > 0 ? ` δ ${slack} of the target is taken by parts that are only (ε, δ)-DP.` : '';
  return (
    `The Rényi divergences of all parts add up; of all orders, ${order} (divergence ${divergence}) gives the least ε ` +
    `by the conversion of ${title}. Round-off is included.${tail}`
  );
}

/** Rényi divergences of an event. */
export interface RdpAnswer {
  readonly orders: readonly number[];
  /** ε(α) per order; +∞ where it does not converge. */
  readonly rdp: readonly number[];
  /** A part of δ that parts of the event take beside their divergence; 0 unless an `epsilonDelta` has δ > 0. */
  readonly slack: number;
  readonly adjacency: Adjacency;
}

/** See `rdpOf` of the package. */
export function rdpAnswer(event: DpEvent, adjacency: Adjacency, orders: readonly number[] | undefined): RdpAnswer {
  const grid = orders === undefined ? defaultOrders : checkOrders(orders);
  const { rdp, slack } = curveOf(event, adjacency, grid);
  return { orders: grid, rdp: [...rdp], slack, adjacency };
}
