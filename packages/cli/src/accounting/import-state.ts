/**
 * Reads what other accountants saved, as JSON, into a Sotto event. Their ε is not read: it is derived again.
 *
 * Formats: Opacus' `accountant.state_dict()` (a history of noise multiplier, sample rate, steps); TensorFlow Privacy's
 * formatted `PrivacyLedger` (samples, each with its Gaussian sum queries); a `DpEvent` of Google's dp-accounting as its
 * `to_named_tuple()` (an object of fields, or the array that Python's json makes of a named tuple).
 *
 * @module
 */
import { oneOf, show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Adjacency, DpEvent } from '@sotto/core/event';
import { decodeEvent, eventVersion } from '@sotto/core/event';
import { importDpAccounting } from './import-dp-accounting.ts';

/** Where a saved state comes from. */
export type StateSource = 'opacus' | 'tf-privacy' | 'dp-accounting';

/** Every {@link StateSource}. */
export const stateSources: readonly StateSource[] = ['opacus', 'tf-privacy', 'dp-accounting'];

export interface ImportedState {
  /** In its JSON form, not validated yet. */
  readonly event: DpEvent;
  /** The adjacency that the state names, or that the library always means. */
  readonly adjacency: Adjacency;
}

/**
 * Converts a parsed state.
 *
 * @throws SottoError `invalid-encoding` that names the member at fault
 */
export function importState(source: StateSource, state: unknown): ImportedState {
  switch (oneOf('--from', source, stateSources)) {
    case 'opacus':
      return { event: checked(importOpacus(state)), adjacency: 'addOrRemoveOne' };
    case 'tf-privacy':
      return { event: checked(importTfPrivacy(state)), adjacency: 'addOrRemoveOne' };
    case 'dp-accounting': {
      const { event, adjacency } = importDpAccounting(state);
      return { event: checked(event), adjacency };
    }
  }
}

function checked(event: Readonly<Record<string, unknown>>): DpEvent {
  return decodeEvent({ version: eventVersion, ...event });
}

function refuse(what: string, value: unknown, want: string): never {
  throw new SottoError('invalid-encoding', `${what} is ${show(value)}; ${want}`);
}

function step(sampleRate: unknown, noiseMultiplier: unknown, count: number): Readonly<Record<string, unknown>> {
  const gaussian = { type: 'gaussian', noiseMultiplier };
  const event = sampleRate === 1 ? gaussian : { type: 'poissonSampled', sampleRate, event: gaussian };
  return count === 1 ? event : { type: 'selfComposed', count, event };
}

function composed(events: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, unknown>> {
  return events.length === 1 ? events[0]! : { type: 'composed', events };
}

function importOpacus(state: unknown): Readonly<Record<string, unknown>> {
  const history = Array.isArray(state) ? state : (state as { history?: unknown } | null)?.history;
  if (!Array.isArray(history)) {
    refuse(
      'the member "history"',
      history,
      'save json.dumps(accountant.state_dict()), a list of [noise multiplier, sample rate, steps]',
    );
  }
  if (history.length === 0) return { type: 'noOp' };
  return composed(
    history.map((row: unknown, i) => {
      if (!Array.isArray(row) || row.length !== 3)
        refuse(`history[${i}]`, row, 'it must be [noise multiplier, sample rate, steps]');
      const [noiseMultiplier, sampleRate, steps] = row as unknown[];
      if (!Number.isSafeInteger(steps) || (steps as number) < 1)
        refuse(`history[${i}][2]`, steps, 'the number of steps must be at least 1');
      return step(sampleRate, noiseMultiplier, steps as number);
    }),
  );
}

/** Members of a named tuple, which Python's json writes as an array. */
function tuple(value: unknown, path: string, names: readonly string[]): readonly unknown[] {
  if (Array.isArray(value) && value.length === names.length) return value;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return names.map((name) => {
      if (!Object.hasOwn(value, name)) refuse(`${path}.${name}`, undefined, 'the member is missing');
      return (value as Record<string, unknown>)[name];
    });
  }
  return refuse(path, value, `it must be [${names.join(', ')}] or an object with these members`);
}

function importTfPrivacy(state: unknown): Readonly<Record<string, unknown>> {
  const samples = Array.isArray(state) ? state : (state as { samples?: unknown } | null)?.samples;
  if (!Array.isArray(samples)) refuse('the ledger', samples, 'save the list that PrivacyLedger.get_formatted_ledger() returns');
  if (samples.length === 0) return { type: 'noOp' };
  // Equal steps are counted: composition does not depend on the order.
  const counts = new Map<string, { rate: number; multiplier: number; count: number }>();
  samples.forEach((sample: unknown, i) => {
    const [, rate, queries] = tuple(sample, `sample[${i}]`, ['population_size', 'selection_probability', 'queries']);
    if (typeof rate !== 'number') refuse(`sample[${i}].selection_probability`, rate, 'it must be a number');
    if (!Array.isArray(queries) || queries.length === 0)
      refuse(`sample[${i}].queries`, queries, 'it must be a list of at least one query');
    // Several Gaussian sums of the same sample are one Gaussian sum of the vectors put end to end.
    let inverseSquares = 0;
    queries.forEach((query: unknown, j) => {
      const [bound, deviation] = tuple(query, `sample[${i}].queries[${j}]`, ['l2_norm_bound', 'noise_stddev']);
      if (typeof bound !== 'number' || !(bound > 0))
        refuse(`sample[${i}].queries[${j}].l2_norm_bound`, bound, 'it must be a number above 0');
      if (typeof deviation !== 'number' || !(deviation >= 0))
        refuse(`sample[${i}].queries[${j}].noise_stddev`, deviation, 'it must be a number of at least 0');
      inverseSquares += (bound / deviation) ** 2;
    });
    const multiplier = 1 / Math.sqrt(inverseSquares);
    const key = `${rate} ${multiplier}`;
    const entry = counts.get(key);
    if (entry === undefined) counts.set(key, { rate, multiplier, count: 1 });
    else entry.count++;
  });
  return composed([...counts.values()].map(({ rate, multiplier, count }) => step(rate, multiplier, count)));
}
