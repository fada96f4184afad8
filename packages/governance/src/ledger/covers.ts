/**
 * Whether one event is a part of another by its form alone, so that no accountant is needed to say that what ran was no
 * more than what was reserved.
 *
 * @module
 */
import { type DpEvent, encodeEvent } from '@sotto/core/event';
import { canonicalJson } from '@sotto/core/json';

const form = (event: DpEvent): string => canonicalJson(encodeEvent(event));

/** A multiset of simple events: compositions are unfolded, with their counts. */
function parts(event: DpEvent, times: number, into: Map<string, number>): Map<string, number> {
  if (event.type === 'composed') {
    for (const part of event.events) parts(part, times, into);
  } else if (event.type === 'selfComposed') {
    parts(event.event, times * event.count, into);
  } else if (event.type !== 'noOp' && times > 0) {
    const key = form(event);
    into.set(key, (into.get(key) ?? 0) + times);
  }
  return into;
}

/** Whether `actual` is contained in `reserved`: each simple event at most as often. A weaker event counts as another one. */
export function eventCovers(reserved: DpEvent, actual: DpEvent): boolean {
  const available = parts(reserved, 1, new Map());
  for (const [key, times] of parts(actual, 1, new Map())) {
    if (times > (available.get(key) ?? 0)) return false;
  }
  return true;
}
