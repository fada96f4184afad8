/**
 * What a run has cost so far: an append-only list of charged events, kept apart by who charged them, so that checkpoints can be restored anywhere
 * without a charge being lost or counted twice.
 *
 * @module
 */
import { integer, oneOf, text } from '@sotto/core/check';
import { toHex } from '@sotto/core/bytes';
import { decodeEvent, encodeEvent, validateEvent } from '@sotto/core/event';
import type { DpEvent } from '@sotto/core/event';
import { SottoError } from '@sotto/core/errors';
import type { Json } from '@sotto/core/json';
import { randomBytes } from '@sotto/core/random';
import type { RandomSource } from '@sotto/core/random';

/** What was charged: a step of training, an evaluation of private validation data, or the rest of an epoch that runs a second time. */
export type ChargeKind = 'step' | 'evaluation' | 'again';

/** An event that happened `count` times in a row. */
export interface Charge {
  readonly event: DpEvent;
  readonly count: number;
}

/** A charge that is told apart by what it was for. */
export interface KindOfCharge extends Charge {
  readonly kind: ChargeKind;
}

interface Entry extends KindOfCharge {
  readonly key: string;
  count: number;
}

const total = (entries: readonly Entry[]): number => entries.reduce((sum, { count }) => sum + count, 0);

/**
 * The charges of a run. Each object appends to a segment of its own, under a random name; what it takes over from checkpoints keeps the segments of those who
 * charged it. Of a segment that two objects hold, one holds the beginning of what the other does, so the union of both is the longer one.
 */
export class Spending {
  readonly #random: RandomSource;
  readonly #own: string;
  readonly #segments: Map<string, Entry[]> = new Map();

  /** @param random Names the segments. */
  constructor(random: RandomSource) {
    this.#random = random;
    this.#own = toHex(randomBytes(random, 12));
  }

  /** Charges an event before what it stands for is drawn. */
  charge(kind: ChargeKind, event: DpEvent, count: number = 1): void {
    if (integer('count', count, 0) > 0) this.#append(this.#own, { kind, event, count });
  }

  #append(segment: string, { kind, event, count }: KindOfCharge): void {
    const entries = this.#segments.get(segment) ?? [];
    this.#segments.set(segment, entries);
    const key = JSON.stringify(encodeEvent(event));
    const last = entries.at(-1);
    if (last?.key === key && last.kind === kind) last.count += count;
    else entries.push({ kind, event: validateEvent(event), key, count });
  }

  /** How many steps or evaluations were charged. */
  count(kind: ChargeKind): number {
    let sum = 0;
    for (const entries of this.#segments.values()) for (const entry of entries) if (entry.kind === kind) sum += entry.count;
    return sum;
  }

  /** Everything charged so far, of each segment in order. */
  charges(): readonly KindOfCharge[] {
    return [...this.#segments.values()].flatMap((entries) => entries.map(({ kind, event, count }) => ({ kind, event, count })));
  }

  /** Everything charged so far, composed. */
  event(): DpEvent {
    const counts = new Map<string, { event: DpEvent; count: number }>();
    for (const entries of this.#segments.values()) {
      for (const { key, event, count } of entries) {
        counts.set(key, { event, count: count + (counts.get(key)?.count ?? 0) });
      }
    }
    return composeCharges([...counts.values()]);
  }

  /** Whether this object holds charges that the other does not. */
  exceeds(other: Spending): boolean {
    return [...this.#segments].some(([segment, entries]) => total(entries) > total(other.#segments.get(segment) ?? []));
  }

  /** Takes over the charges of a checkpoint. Nothing that either side charged is forgotten or counted twice. */
  merge(other: Spending): void {
    for (const [segment, entries] of other.#segments) {
      if (total(this.#segments.get(segment) ?? []) >= total(entries)) continue;
      this.#segments.set(
        segment,
        entries.map((entry) => ({ ...entry })),
      );
    }
  }

  /**
   * The JSON form, for checkpoints. `ahead` is charged on top: what may happen before the next checkpoint, which nobody could count after a crash. Its segment has
   * a random name, since what two checkpoints foresee are different steps: whoever takes over both pays for both.
   */
  toJson(ahead: readonly KindOfCharge[] = []): Json {
    const copy = new Spending({ fill: (target) => void target.fill(0) });
    copy.merge(this);
    const segment = `ahead-${toHex(randomBytes(this.#random, 12))}`;
    for (const charge of ahead) if (charge.count > 0) copy.#append(segment, charge);
    return [...copy.#segments].map(([segment, entries]) => ({
      segment,
      charges: entries.map(({ kind, event, count }) => ({ kind, count, event: encodeEvent(event) })),
    }));
  }

  /** The inverse of {@link toJson}. Throws `invalid-encoding` or `invalid-argument` on anything else. */
  static fromJson(value: unknown, random: RandomSource): Spending {
    if (!Array.isArray(value)) throw new SottoError('invalid-encoding', 'checkpoint.spending is not a list');
    const spending = new Spending(random);
    for (const item of value as readonly unknown[]) {
      const { segment, charges } = item as { readonly segment: unknown; readonly charges: unknown };
      if (!Array.isArray(charges)) throw new SottoError('invalid-encoding', 'checkpoint.spending.charges is not a list');
      for (const charge of charges as readonly Readonly<Record<'kind' | 'count' | 'event', unknown>>[]) {
        spending.#append(text('checkpoint.spending.segment', segment, 64), {
          kind: oneOf('checkpoint.spending.kind', charge.kind, ['step', 'evaluation', 'again']),
          event: decodeEvent(charge.event),
          count: integer('checkpoint.spending.count', charge.count, 1),
        });
      }
    }
    return spending;
  }
}

/** Charges as one event. */
export function composeCharges(charges: readonly Charge[]): DpEvent {
  const released = charges.filter(({ event }) => event.type !== 'noOp');
  const events = released.map(({ event, count }): DpEvent => (count === 1 ? event : { type: 'selfComposed', count, event }));
  if (events.length === 0) return { type: 'noOp' };
  return events.length === 1 ? events[0]! : { type: 'composed', events };
}
