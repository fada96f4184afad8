/**
 * An odometer: an upper bound on ε that is valid at every moment of a fully adaptive run that has no budget.
 *
 * @module
 */
import { oneOf, openProbability, positive } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { type Adjacency, adjacencies, decodeEvent, type DpEvent, encodeEvent, validateEvent } from '@sotto/core/event';
import { type Json, numberFromJson, numberToJson } from '@sotto/core/json';
import { addCosts, type BudgetKind, capacityOf, type Cost, costOf, type RuleContext, within } from './rule.ts';

const kinds: readonly BudgetKind[] = ['rdp', 'zcdp', 'gdp', 'approx'];
const defaultOdometerOrders: readonly number[] = [2, 4, 8, 16, 32, 64];
/** Levels of the ladder: ε from `smallest` in steps of 5 %. */
const ladderGrowth = 1.05;
const ladderLevels = 400;

/** How to start an odometer. */
export interface PrivacyOdometerOptions {
  readonly kind: BudgetKind;
  readonly delta: number;
  readonly adjacency?: Adjacency;
  /** For `rdp`. Default 2, 4, 8, 16, 32, 64. */
  readonly orders?: readonly number[];
  /** The least ε that it can show. Default 0.1. */
  readonly smallest?: number;
}

/**
 * Immutable. Every level of a ladder of ε is a filter with a share of δ (level j gets δ/((j+1)(j+2)), which sums to δ);
 * at any moment the first level that is not exceeded is a valid ε, since all filters hold at once by the union bound.
 */
export class PrivacyOdometer {
  readonly #context: RuleContext;
  readonly #delta: number;
  readonly #smallest: number;
  readonly #spent: Cost;
  readonly #events: readonly DpEvent[];

  private constructor(context: RuleContext, delta: number, smallest: number, spent: Cost, events: readonly DpEvent[]) {
    this.#context = context;
    this.#delta = delta;
    this.#smallest = smallest;
    this.#spent = spent;
    this.#events = events;
  }

  static start(options: PrivacyOdometerOptions): PrivacyOdometer {
    const kind = oneOf('kind', options.kind, kinds);
    const adjacency = oneOf('adjacency', options.adjacency ?? 'addOrRemoveOne', adjacencies);
    const orders = kind === 'rdp' ? (options.orders ?? defaultOdometerOrders) : [];
    orders.forEach((order, i) => {
      if (!(order > 1.01))
        throw new SottoError('invalid-argument', `orders[${i}] is ${order}; the orders of an odometer must be above 1.01`);
    });
    if (kind === 'rdp' && orders.length === 0) throw new SottoError('invalid-argument', 'orders is empty; give at least one');
    const context: RuleContext = { kind, adjacency, orders, slackShare: 0 };
    const length = kind === 'rdp' ? orders.length + 1 : kind === 'approx' ? 2 : 1;
    const smallest = positive('smallest', options.smallest ?? 0.1);
    return new PrivacyOdometer(context, openProbability('delta', options.delta), smallest, new Array<number>(length).fill(0), []);
  }

  /** The odometer after one more event. @throws SottoError `unsupported` if this kind cannot count it */
  record(event: DpEvent): PrivacyOdometer {
    const valid = validateEvent(event);
    const spent = addCosts(this.#spent, costOf(valid, this.#context));
    return new PrivacyOdometer(this.#context, this.#delta, this.#smallest, spent, [...this.#events, valid]);
  }

  /** The δ of {@link epsilon}. */
  get delta(): number {
    return this.#delta;
  }

  /** A valid ε for all that was recorded so far; +∞ beyond the ladder (about 3e7 times `smallest`). */
  get epsilon(): number {
    if (this.#events.length === 0) return 0;
    for (let j = 0; j < ladderLevels; j++) {
      const epsilon = this.#smallest * ladderGrowth ** j;
      const share = this.#delta / ((j + 1) * (j + 2));
      if (within(this.#context.kind, this.#spent, capacityOf(epsilon, share, this.#context))) return epsilon;
    }
    return Infinity;
  }

  /** The whole state, for storage. */
  toJson(): Json {
    return {
      version: 1,
      kind: this.#context.kind,
      adjacency: this.#context.adjacency,
      orders: this.#context.orders.map(numberToJson),
      delta: this.#delta,
      smallest: this.#smallest,
      events: this.#events.map(encodeEvent),
    };
  }

  /** @throws SottoError `invalid-encoding`, `invalid-argument` */
  static fromJson(value: unknown): PrivacyOdometer {
    const state = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
    if (state['version'] !== 1 || !Array.isArray(state['orders']) || !Array.isArray(state['events'])) {
      throw new SottoError('invalid-encoding', 'odometer is not a state of version 1 with orders and events');
    }
    let odometer = PrivacyOdometer.start({
      kind: oneOf('odometer.kind', state['kind'], kinds),
      adjacency: oneOf('odometer.adjacency', state['adjacency'], adjacencies),
      delta: openProbability('odometer.delta', state['delta']),
      smallest: positive('odometer.smallest', state['smallest']),
      orders: state['orders'].map((order: unknown) => numberFromJson(order, 'odometer.orders')),
    });
    for (const event of state['events']) odometer = odometer.record(decodeEvent(event));
    return odometer;
  }
}
