/**
 * Events of Google's dp-accounting, by class name.
 *
 * @module
 */
import { show } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Adjacency } from '@sotto/core/event';

type Node = Readonly<Record<string, unknown>>;
type Convert = (fields: Node, path: string) => Node;

interface Rule {
  /** Field names in the order of the Python class, which is the order in the JSON array of a named tuple. */
  readonly fields: readonly string[];
  readonly convert: Convert;
}

const inner = (fields: Node, path: string): Node => convertNode(fields['event'], `${path}.event`);

const RULES: Readonly<Record<string, Rule>> = {
  NoOpDpEvent: { fields: [], convert: () => ({ type: 'noOp' }) },
  NonPrivateDpEvent: { fields: [], convert: () => ({ type: 'nonPrivate' }) },
  GaussianDpEvent: {
    fields: ['noise_multiplier'],
    convert: (f) => ({ type: 'gaussian', noiseMultiplier: real(f['noise_multiplier']) }),
  },
  LaplaceDpEvent: {
    fields: ['noise_multiplier'],
    convert: (f) => ({ type: 'laplace', noiseMultiplier: real(f['noise_multiplier']) }),
  },
  RandomizedResponseDpEvent: {
    fields: ['noise_parameter', 'num_buckets'],
    convert: (f) => ({ type: 'randomizedResponse', noiseParameter: f['noise_parameter'], buckets: f['num_buckets'] }),
  },
  DiscreteLaplaceDpEvent: {
    fields: ['noise_parameter', 'sensitivity'],
    convert: (f) => ({ type: 'discreteLaplace', noiseParameter: f['noise_parameter'], sensitivity: f['sensitivity'] }),
  },
  PoissonSampledDpEvent: {
    fields: ['sampling_probability', 'event'],
    convert: (f, path) => ({ type: 'poissonSampled', sampleRate: f['sampling_probability'], event: inner(f, path) }),
  },
  SampledWithoutReplacementDpEvent: {
    fields: ['source_dataset_size', 'sample_size', 'event'],
    convert: (f, path) => ({
      type: 'sampledWithoutReplacement',
      sourceSize: f['source_dataset_size'],
      sampleSize: f['sample_size'],
      event: inner(f, path),
    }),
  },
  SelfComposedDpEvent: {
    fields: ['event', 'count'],
    convert: (f, path) => ({ type: 'selfComposed', count: f['count'], event: inner(f, path) }),
  },
  ComposedDpEvent: {
    fields: ['events'],
    convert: (f, path) => {
      const events = f['events'];
      if (!Array.isArray(events)) refuse(`${path}.events`, events, 'it must be a list of events');
      return events.length === 0
        ? { type: 'noOp' }
        : { type: 'composed', events: events.map((e: unknown, i) => convertNode(e, `${path}.events[${i}]`)) };
    },
  },
  SingleEpochTreeAggregationDpEvent: {
    fields: ['noise_multiplier', 'step_counts'],
    convert: (f) => ({
      type: 'singleEpochTree',
      noiseMultiplier: real(f['noise_multiplier']),
      stepCounts: Array.isArray(f['step_counts']) ? (f['step_counts'] as unknown[]) : [f['step_counts']],
    }),
  },
  MixtureOfGaussiansDpEvent: {
    fields: ['standard_deviation', 'sensitivities', 'sampling_probs'],
    convert: (f) => ({
      type: 'mixtureOfGaussians',
      standardDeviation: f['standard_deviation'],
      sensitivities: f['sensitivities'],
      probabilities: f['sampling_probs'],
    }),
  },
  RepeatAndSelectDpEvent: {
    fields: ['event', 'mean', 'shape'],
    convert: (f, path) => ({
      type: 'repeatAndSelect',
      event: inner(f, path),
      distribution: repetitions(f['mean'], real(f['shape']), path),
    }),
  },
};

function refuse(what: string, value: unknown, want: string): never {
  throw new SottoError('invalid-encoding', `${what} is ${show(value)}; ${want}`);
}

/** +∞ in any of the spellings that JSON writers use for it. */
function real(value: unknown): unknown {
  return value === 'inf' || value === 'Infinity' || value === Infinity ? 'Infinity' : value;
}

/** dp-accounting gives the mean number of repetitions; Sotto's event has the parameter γ of the same law. */
function repetitions(mean: unknown, shape: unknown, path: string): Node {
  if (typeof mean !== 'number' || !(mean >= 1)) refuse(`${path}.mean`, mean, 'it must be a number of at least 1');
  if (shape === 'Infinity') return { type: 'poisson', mean };
  if (typeof shape !== 'number' || !(shape > -1)) refuse(`${path}.shape`, shape, 'it must be a number above -1');
  if (shape === 1) return { type: 'truncatedNegativeBinomial', shape, gamma: 1 / mean };
  // The mean falls from +infinity to 1 while gamma rises from 0 to 1 (Papernot and Steinke 2022, definition 1).
  const meanOf = (gamma: number): number =>
    shape === 0 ? (1 / gamma - 1) / Math.log(1 / gamma) : (shape * (1 - gamma)) / (gamma * (1 - gamma ** shape));
  let low = 1e-300;
  let high = 1 - 1e-12;
  for (let i = 0; i < 2000 && high / low > 1 + 1e-15; i++) {
    const middle = Math.sqrt(low * high);
    if (meanOf(middle) > mean) low = middle;
    else high = middle;
  }
  return { type: 'truncatedNegativeBinomial', shape, gamma: low };
}

function convertNode(value: unknown, path: string): Node {
  if (typeof value !== 'object' || value === null)
    refuse(path, value, 'it must be an event as DpEvent.to_named_tuple() gives it');
  const array = Array.isArray(value) ? (value as unknown[]) : undefined;
  const name = array === undefined ? (value as Node)['class_name'] : array[1];
  const rule = typeof name === 'string' && Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  if (rule === undefined) {
    const known = Object.keys(RULES).join(', ');
    throw new SottoError(
      'unsupported',
      `${path} is of the class ${show(name)}, for which Sotto has no event; the classes are ${known}`,
    );
  }
  const fields: Record<string, unknown> = {};
  rule.fields.forEach((field, i) => {
    const member = array === undefined ? (value as Node)[field] : array[i + 2];
    if (member === undefined) refuse(`${path}.${field}`, undefined, `${String(name)} needs it`);
    fields[field] = member;
  });
  return rule.convert(fields, path);
}

const RELATIONS: Readonly<Record<string, Adjacency>> = {
  ADD_OR_REMOVE_ONE: 'addOrRemoveOne',
  REPLACE_ONE: 'replaceOne',
  REPLACE_SPECIAL: 'replaceSpecial',
};

/** Converts an event, or an object with the members `ledger` (an event) and `neighboring_relation`. */
export function importDpAccounting(state: unknown): { readonly event: Node; readonly adjacency: Adjacency } {
  const wrapped = typeof state === 'object' && state !== null && !Array.isArray(state) && 'ledger' in state;
  if (!wrapped) return { event: convertNode(state, 'event'), adjacency: 'addOrRemoveOne' };
  const { ledger, neighboring_relation: relation } = state as { ledger: unknown; neighboring_relation?: unknown };
  const adjacency = relation === undefined ? 'addOrRemoveOne' : typeof relation === 'string' ? RELATIONS[relation] : undefined;
  if (adjacency === undefined) refuse('neighboring_relation', relation, `it must be one of ${Object.keys(RELATIONS).join(', ')}`);
  return { event: convertNode(ledger, 'ledger'), adjacency };
}
