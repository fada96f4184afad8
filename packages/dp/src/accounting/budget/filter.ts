/**
 * A budget (ε, δ) that cannot be exceeded, as an immutable value: every operation returns the next filter. It has no
 * clock, file or randomness; the caller stores {@link PrivacyFilter.toJson} durably between a reservation and the draw
 * of noise.
 *
 * Life of a reservation: reserved → committed (its noise was drawn), or → released (it was given up before any noise was
 * drawn, which frees the budget), or → forfeited (it is unknown whether noise was drawn, so it counts as spent).
 *
 * @module
 */
import { integer, oneOf, openProbability, positive, probability, show, text } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { type Adjacency, adjacencies, decodeEvent, type DpEvent, encodeEvent, validateEvent } from '@sotto/core/event';
import { canonicalJson, type Json, numberFromJson, numberToJson } from '@sotto/core/json';
import { curveOf, routesOf, type TruncationRoute } from '../rdp/event.ts';
import { rdpToEpsilon } from '../rdp/convert.ts';
import { checkOrders, defaultOrders, furtherOrders } from '../rdp/orders.ts';
import { addCosts, type BudgetKind, capacityOf, type Cost, costOf, type RuleContext, timesAffordable, within } from './rule.ts';

const kinds: readonly BudgetKind[] = ['rdp', 'zcdp', 'gdp', 'approx'];

/** Orders of an RDP filter that knows nothing of what will come. */
const genericOrders: readonly number[] = [2, 4, 8, 16, 32, 64];

/** Where a reservation stands. */
export type ReservationStatus = 'reserved' | 'committed' | 'released' | 'forfeited';

/** One reservation. */
export interface Reservation {
  readonly id: string;
  readonly event: DpEvent;
  readonly status: ReservationStatus;
  /** In nano-units, per order or sum of the budget's kind. */
  readonly cost: Cost;
}

/** How to open a filter. */
export interface PrivacyFilterOptions {
  readonly kind: BudgetKind;
  readonly epsilon: number;
  readonly delta: number;
  /** Default `addOrRemoveOne`. */
  readonly adjacency?: Adjacency;
  /** For `rdp`: δ is split equally among them. Default: the best order for `plan`, else 2, 4, 8, 16, 32, 64. */
  readonly orders?: readonly number[];
  /** For `rdp`: what is meant to run, from which the one best order is chosen, so that nothing of δ is given away. */
  readonly plan?: DpEvent;
  /**
   * For `rdp`: the share of δ for events with a δ of their own, such as capped Poisson samples. Default: what `plan`
   * needs, else 0, with which such events are refused or counted in the divergence alone.
   */
  readonly slackShare?: number;
}

/** The outcome of {@link PrivacyFilter.reserve}. */
export type ReserveOutcome =
  | { readonly granted: true; readonly filter: PrivacyFilter; readonly reservation: Reservation }
  | {
      readonly granted: false;
      readonly filter: PrivacyFilter;
      readonly reason: string;
      /** How many times this very event would still fit (0 if it is over budget alone). */
      readonly affordableCount: number;
    };

interface State {
  readonly context: RuleContext;
  readonly epsilon: number;
  readonly delta: number;
  readonly capacity: Cost;
  readonly reservations: ReadonlyMap<string, Reservation>;
}

/** A privacy budget with its reservations. */
export class PrivacyFilter {
  readonly #state: State;

  private constructor(state: State) {
    this.#state = state;
  }

  /** Opens a budget. @throws SottoError `invalid-argument` */
  static open(options: PrivacyFilterOptions): PrivacyFilter {
    const kind = oneOf('kind', options.kind, kinds);
    const epsilon = positive('epsilon', options.epsilon);
    const delta = openProbability('delta', options.delta);
    const adjacency = oneOf('adjacency', options.adjacency ?? 'addOrRemoveOne', adjacencies);
    const slackShare = kind === 'rdp' ? shareFor(options, delta, adjacency) : 0;
    const orders = kind === 'rdp' ? ordersFor(options, delta * (1 - slackShare), adjacency, slackShare) : [];
    const context: RuleContext = { kind, adjacency, orders, slackShare };
    return new PrivacyFilter({ context, epsilon, delta, capacity: capacityOf(epsilon, delta, context), reservations: new Map() });
  }

  get kind(): BudgetKind {
    return this.#state.context.kind;
  }
  get epsilon(): number {
    return this.#state.epsilon;
  }
  get delta(): number {
    return this.#state.delta;
  }
  get adjacency(): Adjacency {
    return this.#state.context.adjacency;
  }
  get orders(): readonly number[] {
    return this.#state.context.orders;
  }
  /** What the budget holds, in nano-units per order or sum. */
  get capacity(): Cost {
    return this.#state.capacity;
  }
  /** Every reservation ever made, in the order in which they were made. */
  get reservations(): readonly Reservation[] {
    return [...this.#state.reservations.values()];
  }

  /** What is spent or reserved, in nano-units: all but the released. */
  get spent(): Cost {
    let total: Cost = this.#state.capacity.map(() => 0);
    for (const { status, cost } of this.#state.reservations.values()) if (status !== 'released') total = addCosts(total, cost);
    return total;
  }

  /** The event of all that is not released, for accountants that report. */
  get spentEvent(): DpEvent {
    const events = this.reservations.filter(({ status }) => status !== 'released').map(({ event }) => event);
    return { type: 'composed', events };
  }

  /**
   * Sets budget aside for an event. Reserving the same event under the same id again changes nothing and is granted
   * again, whatever became of it, unless it was released.
   *
   * @throws SottoError `conflict` if the id stands for another event or was released; `unsupported` if this kind of budget
   * cannot count the event
   */
  reserve(id: string, event: DpEvent): ReserveOutcome {
    const { context, capacity, reservations } = this.#state;
    text('id', id, 256);
    const valid = validateEvent(event);
    const known = reservations.get(id);
    if (known !== undefined) {
      if (canonicalJson(encodeEvent(known.event)) !== canonicalJson(encodeEvent(valid))) {
        throw new SottoError('conflict', `reservation ${id} exists for another event; use a new id`);
      }
      if (known.status === 'released') throw new SottoError('conflict', `reservation ${id} was released; use a new id`);
      return { granted: true, filter: this, reservation: known };
    }
    const cost = costOf(valid, context);
    const spent = this.spent;
    if (!within(context.kind, addCosts(spent, cost), capacity)) {
      const affordableCount = timesAffordable(context.kind, spent, cost, capacity);
      const reason =
        `the budget ε = ${this.epsilon} at δ = ${this.delta} does not cover ${valid.type}; ` +
        (affordableCount === 0
          ? 'nothing of it is affordable; use more noise or fewer steps'
          : `${affordableCount} are affordable`);
      return { granted: false, filter: this, reason, affordableCount };
    }
    const reservation: Reservation = { id, event: valid, status: 'reserved', cost };
    return { granted: true, filter: this.#with(reservation), reservation };
  }

  /** How many times `event` would still fit now. */
  affordable(event: DpEvent): number {
    const { context, capacity } = this.#state;
    return timesAffordable(context.kind, this.spent, costOf(validateEvent(event), context), capacity);
  }

  /** The noise was drawn. Idempotent. @throws SottoError `not-found`, `conflict` if it was released or forfeited */
  commit(id: string): PrivacyFilter {
    return this.#move(id, 'committed');
  }

  /** Given up before any noise was drawn. Idempotent. @throws SottoError `not-found`, `conflict` if it is spent already */
  release(id: string): PrivacyFilter {
    return this.#move(id, 'released');
  }

  /** It is unknown whether noise was drawn: spent. Idempotent. @throws SottoError `not-found`, `conflict` */
  forfeit(id: string): PrivacyFilter {
    return this.#move(id, 'forfeited');
  }

  #move(id: string, to: ReservationStatus): PrivacyFilter {
    const reservation = this.#state.reservations.get(id);
    if (reservation === undefined) throw new SottoError('not-found', `there is no reservation ${show(id)}`);
    if (reservation.status === to) return this;
    if (reservation.status !== 'reserved') {
      throw new SottoError('conflict', `reservation ${id} is ${reservation.status} already; it cannot become ${to}`);
    }
    return this.#with({ ...reservation, status: to });
  }

  #with(reservation: Reservation): PrivacyFilter {
    const reservations = new Map(this.#state.reservations);
    reservations.set(reservation.id, reservation);
    return new PrivacyFilter({ ...this.#state, reservations });
  }

  /** The whole state, for storage. Costs are recomputed from the events when it is read back. */
  toJson(): Json {
    const { context, epsilon, delta } = this.#state;
    return {
      version: 1,
      kind: context.kind,
      epsilon,
      delta,
      adjacency: context.adjacency,
      orders: context.orders.map(numberToJson),
      slackShare: context.slackShare,
      reservations: this.reservations.map(({ id, event, status }) => ({ id, status, event: encodeEvent(event) })),
    };
  }

  /** @throws SottoError `invalid-encoding` if the state is malformed or over its own budget */
  static fromJson(value: unknown): PrivacyFilter {
    const state = object(value, 'filter');
    if (state['version'] !== 1) {
      throw new SottoError('invalid-encoding', `filter.version is ${show(state['version'])}; this build reads version 1`);
    }
    const rawOrders = state['orders'];
    if (!Array.isArray(rawOrders)) throw new SottoError('invalid-encoding', 'filter.orders is not a list');
    const orders = rawOrders.map((order: unknown, i) => numberFromJson(order, `filter.orders[${i}]`));
    const kind = oneOf('filter.kind', state['kind'], kinds);
    let filter = PrivacyFilter.open({
      kind,
      epsilon: positive('filter.epsilon', state['epsilon']),
      delta: openProbability('filter.delta', state['delta']),
      adjacency: oneOf('filter.adjacency', state['adjacency'], adjacencies),
      ...(kind === 'rdp' ? { orders, slackShare: state['slackShare'] as number } : {}),
    });
    const list = state['reservations'];
    if (!Array.isArray(list)) throw new SottoError('invalid-encoding', 'filter.reservations is not a list');
    const statuses: readonly ReservationStatus[] = ['reserved', 'committed', 'released', 'forfeited'];
    for (const [i, item] of list.entries()) {
      const entry = object(item, `filter.reservations[${i}]`);
      const id = text(`filter.reservations[${i}].id`, entry['id'], 256);
      const event = decodeEvent(entry['event']);
      const status = oneOf(`filter.reservations[${i}].status`, entry['status'], statuses);
      if (filter.#state.reservations.has(id)) throw new SottoError('invalid-encoding', `filter has reservation ${id} twice`);
      filter = filter.#with({ id, event, status, cost: costOf(event, filter.#state.context) });
    }
    if (!within(kind, filter.spent, filter.capacity)) {
      throw new SottoError('invalid-encoding', 'filter holds more reservations than its budget covers; it was altered');
    }
    return filter;
  }
}

function object(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SottoError('invalid-encoding', `${name} is ${show(value)}; it must be an object`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function shareFor(options: PrivacyFilterOptions, delta: number, adjacency: Adjacency): number {
  if (options.slackShare !== undefined) {
    const share = probability('slackShare', options.slackShare);
    if (share >= 1) throw new SottoError('invalid-argument', 'slackShare is 1; it must be less than 1, or nothing of δ is left');
    return share;
  }
  if (options.plan === undefined) return 0;
  const plan = validateEvent(options.plan);
  const { slack } = curveOf(plan, adjacency, [2], routesOf(plan).at(-1));
  // Every part is rounded up when it is reserved, so a little more than the sum.
  const share = slack === 0 ? 0 : (slack * (1 + 1e-6) + 1e-15) / delta;
  if (share >= 0.5) {
    throw new SottoError('numeric', `the plan's own δ ${slack} takes half of δ = ${delta} or more; raise the cap or δ`);
  }
  return share;
}

function ordersFor(options: PrivacyFilterOptions, delta: number, adjacency: Adjacency, slackShare: number): readonly number[] {
  if (options.orders !== undefined) {
    const orders = checkOrders(options.orders);
    if (orders[0]! <= 1.01) {
      throw new SottoError('invalid-argument', `orders[0] is ${orders[0]}; the orders of a filter must be above 1.01`);
    }
    integer('orders.length', orders.length, 1, 4096);
    return orders;
  }
  if (options.plan === undefined) return genericOrders;
  return [bestOrder(options.plan, delta, adjacency, slackShare > 0 ? 'slack' : 'mixed')];
}

/** The order at which the whole plan has its least ε. */
function bestOrder(plan: DpEvent, delta: number, adjacency: Adjacency, route: TruncationRoute): number {
  const orders = [...defaultOrders.filter((order) => order < Infinity), ...furtherOrders];
  const { rdp } = curveOf(validateEvent(plan), adjacency, orders, route);
  const { order } = rdpToEpsilon(orders, rdp, delta);
  if (Number.isNaN(order)) throw new SottoError('numeric', 'the plan has no finite ε, so no order can be chosen for it');
  return order;
}
