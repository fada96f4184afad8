/**
 * The rules by which filters and odometers count: what one event costs in integer nano-units, rounded up, and how many
 * of them a budget (ε, δ) buys, rounded down. All rules are valid for fully adaptive sequences, in which each next event
 * may depend on all that was released before.
 *
 * - `rdp`: Σ ε_t(α) ≤ B(α) for one order fixed beforehand (Feldman and Zrnic 2021; Lécuyer 2021). With several orders δ
 *   is split among them in equal parts, and a step is allowed while any order still has room: which of them lasts
 *   longest may depend on the data, and the union over the split δ covers that.
 * - `zcdp`: Σ ρ_t ≤ ρ (Feldman and Zrnic 2021; Whitehouse et al. 2023).
 * - `gdp`: Σ μ_t² ≤ μ² (Koskela, Tobaben and Honkela 2023; Smith and Thakurta 2022).
 * - `approx`: √(2·ln(1/δ')·Σε_t²) + ½Σε_t² ≤ ε and Σδ_t ≤ δ'', δ' + δ'' = δ (Whitehouse et al. 2023, Theorem 1).
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { Adjacency, DpEvent } from '@sotto/core/event';
import { basicComposition } from '../approx.ts';
import { gaussianDelta } from '../gaussian.ts';
import { exactMu } from '../gdp.ts';
import { flattenEvent } from '../normalise.ts';
import { curveOf, refuse } from '../rdp/event.ts';
import { rhoOf, zcdpDelta } from '../zcdp.ts';

/** The kinds of budgets. */
export type BudgetKind = 'rdp' | 'zcdp' | 'gdp' | 'approx';

/** Integer nano-units per unit. */
export const nano = 1e9;

/** Costs are vectors: for `rdp` one entry per order and one for δ, for others one or two sums; `Infinity` where an entry is not affordable at all. */
export type Cost = readonly number[];

/** What a rule needs to know beside the event. */
export interface RuleContext {
  readonly kind: BudgetKind;
  readonly adjacency: Adjacency;
  /** Ascending orders above 1, for `rdp`; empty for others. */
  readonly orders: readonly number[];
  /**
   * For `rdp`: the share of δ, in [0, 1), that is set aside for events which have a δ of their own (capped Poisson
   * samples, (ε, δ)-DP parts). 0: such events are refused, and caps are counted in the divergence.
   */
  readonly slackShare: number;
}

/** Rounds a non-negative number of units up to nano-units; beyond 2^53 it counts as +∞. */
export function roundUp(units: number): number {
  const value = Math.ceil(units * nano);
  return value <= Number.MAX_SAFE_INTEGER ? value : Infinity;
}

function roundDown(units: number): number {
  return Math.max(0, Math.min(Math.floor(units * nano), Number.MAX_SAFE_INTEGER));
}

/** What one event costs. @throws SottoError `unsupported` if the kind of budget cannot count it */
export function costOf(event: DpEvent, { kind, adjacency, orders, slackShare }: RuleContext): Cost {
  switch (kind) {
    case 'rdp': {
      const reason = refuse(event, adjacency);
      if (reason !== undefined) throw new SottoError('unsupported', reason);
      const { rdp, slack } = curveOf(event, adjacency, orders, slackShare > 0 ? 'slack' : 'mixed');
      if (slack > 0 && slackShare === 0) {
        throw new SottoError(
          'unsupported',
          `this RDP budget has no share of δ for an event whose own δ is ${slack}; open it with a slackShare, or use an approx budget`,
        );
      }
      // The divergences carry a relative round-off of 1e-12.
      return [...[...rdp].map((value) => roundUp(value * (1 + 1e-12))), roundUp(slack * nano)];
    }
    case 'zcdp': {
      const rho = rhoOf(event, adjacency);
      if (typeof rho === 'string') throw new SottoError('unsupported', `a zCDP budget cannot hold it: ${rho}`);
      return [roundUp(rho)];
    }
    case 'gdp': {
      const mu = exactMu(event, adjacency);
      if (mu === undefined) {
        throw new SottoError('unsupported', 'a GDP budget holds compositions of unsampled Gaussians only; use an rdp budget');
      }
      return [roundUp(mu * mu)];
    }
    case 'approx': {
      const reason = refuse(event, adjacency);
      if (reason !== undefined) throw new SottoError('unsupported', reason);
      let squares = 0;
      let deltas = 0;
      for (const leaf of flattenEvent(event)) {
        const { epsilon, delta } = basicComposition(leaf.event, adjacency);
        if (epsilon === Infinity) {
          throw new SottoError('unsupported', 'an approx budget holds (ε, δ)-DP events only; use an rdp budget');
        }
        squares += leaf.count * epsilon * epsilon;
        deltas += leaf.count * delta;
      }
      // δ is far below 1: it is counted in steps of 1e-18.
      return [roundUp(squares), roundUp(deltas * nano)];
    }
  }
}

/** The capacity that (ε, δ) buys, as a vector like the costs. */
export function capacityOf(epsilon: number, delta: number, { kind, orders, slackShare }: RuleContext): Cost {
  switch (kind) {
    case 'rdp': {
      const part = (delta * (1 - slackShare)) / orders.length;
      const perOrder = orders.map((order) => {
        if (order === Infinity) return roundDown(epsilon);
        return roundDown(epsilon - Math.log1p(-1 / order) + (Math.log(part) + Math.log(order)) / (order - 1));
      });
      return [...perOrder, Math.floor(delta * slackShare * nano * nano)];
    }
    case 'zcdp':
      return [roundDown(largest((rho) => zcdpDelta(rho, epsilon) <= delta))];
    case 'gdp':
      return [roundDown(largest((square) => gaussianDelta(Math.sqrt(square), epsilon) <= delta))];
    case 'approx': {
      const log = Math.log(2 / delta);
      // √(2·L·s) + s/2 ≤ ε solved for s = Σε².
      const root = Math.sqrt(2 * log + 2 * epsilon) - Math.sqrt(2 * log);
      return [roundDown(root * root), Math.floor((delta / 2) * nano * nano)];
    }
  }
}

/** The largest x at which a decreasing condition holds, from below. */
function largest(holds: (x: number) => boolean): number {
  let low = 0;
  let high = 1e-12;
  while (high < 1e9 && holds(high)) {
    low = high;
    high *= 2;
  }
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Whether spent costs are within a capacity: for `rdp` any order and the share of δ, for others every entry. */
export function within(kind: BudgetKind, spent: Cost, capacity: Cost): boolean {
  const fits = spent.map((s, i) => s <= capacity[i]!);
  return kind === 'rdp' ? fits.slice(0, -1).some(Boolean) && fits.at(-1) === true : fits.every(Boolean);
}

/** How many more times `cost` fits. */
export function timesAffordable(kind: BudgetKind, spent: Cost, cost: Cost, capacity: Cost): number {
  const times = cost.map((c, i) => {
    const room = capacity[i]! - spent[i]!;
    if (room < 0) return 0;
    return c === 0 ? Number.MAX_SAFE_INTEGER : Math.floor(room / c);
  });
  return kind === 'rdp' ? Math.min(Math.max(...times.slice(0, -1)), times.at(-1)!) : Math.min(...times);
}

/** The sum of two costs; beyond 2^53 it is +∞. */
export function addCosts(a: Cost, b: Cost): Cost {
  return a.map((x, i) => {
    const sum = x + b[i]!;
    return sum <= Number.MAX_SAFE_INTEGER ? sum : Infinity;
  });
}
