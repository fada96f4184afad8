/**
 * Finds the one parameter of an event that is `null`, and how ε depends on it.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { DpEventType } from '@sotto/core/event';

/** How ε moves when the parameter grows, and where to look. */
export interface ParameterRule {
  readonly epsilon: 'decreasing' | 'increasing';
  readonly integer: boolean;
  readonly min: number;
  readonly max: number;
}

export interface UnknownParameter extends ParameterRule {
  readonly name: string;
  /** The event with a value in the place of the null, in its JSON form. */
  readonly fill: (value: number) => Readonly<Record<string, unknown>>;
}

const noise: ParameterRule = { epsilon: 'decreasing', integer: false, min: 1e-4, max: 1e7 };
const variance: ParameterRule = { epsilon: 'decreasing', integer: false, min: 1e-8, max: 1e14 };
const rate: ParameterRule = { epsilon: 'increasing', integer: false, min: 1e-9, max: 1 };
const times: ParameterRule = { epsilon: 'increasing', integer: true, min: 1, max: 1e9 };
const cost: ParameterRule = { epsilon: 'increasing', integer: false, min: 1e-9, max: 1e4 };
const sensitivity: ParameterRule = { epsilon: 'increasing', integer: true, min: 1, max: 1e9 };

/** Parameters that can be searched for. More clients, groups or batches mean more noise or rarer participation. */
const RULES: Readonly<Partial<Record<DpEventType, Readonly<Record<string, ParameterRule>>>>> = {
  gaussian: { noiseMultiplier: noise },
  laplace: { noiseMultiplier: noise },
  discreteGaussian: { sigma: noise, sensitivity },
  discreteLaplace: { noiseParameter: cost, sensitivity },
  skellam: { variance, sensitivity },
  randomizedResponse: { noiseParameter: { epsilon: 'decreasing', integer: false, min: 1e-9, max: 1 } },
  exponentialMechanism: { epsilon: cost },
  epsilonDelta: { epsilon: cost },
  zcdp: { rho: cost },
  poissonSampled: { sampleRate: rate },
  truncatedPoissonSampled: { sampleRate: rate },
  sampledWithoutReplacement: { sampleSize: times },
  mixtureOfGaussians: { standardDeviation: noise },
  singleEpochTree: { noiseMultiplier: noise },
  cyclicPoissonSampled: { sampleRate: rate, steps: times },
  ballsInBins: { epochs: times },
  shuffled: { epochs: times },
  matrixMechanism: { noiseMultiplier: noise },
  distributedDiscreteGaussian: { sigma: noise },
  skellamSum: { variance },
  selfComposed: { count: times },
};

interface Place {
  readonly path: readonly (string | number)[];
  readonly type: unknown;
}

function nulls(node: unknown, path: readonly (string | number)[], type: unknown, found: Place[]): void {
  if (node === null) found.push({ path, type });
  else if (Array.isArray(node)) node.forEach((item, i) => nulls(item, [...path, i], type, found));
  else if (typeof node === 'object') {
    const own = (node as { type?: unknown }).type;
    for (const [key, value] of Object.entries(node)) nulls(value, [...path, key], own, found);
  }
}

function replaced(node: unknown, path: readonly (string | number)[], value: number): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(node)) return node.map((item: unknown, i) => (i === first ? replaced(item, rest, value) : item));
  const object = node as Readonly<Record<string, unknown>>;
  return { ...object, [first]: replaced(object[first], rest, value) };
}

/**
 * The parameter to find.
 *
 * @throws SottoError `invalid-argument` if there is not exactly one null, `unsupported` if it stands where no search helps
 */
export function unknownParameter(event: unknown): UnknownParameter {
  const found: Place[] = [];
  nulls(event, [], undefined, found);
  const [place] = found;
  if (place === undefined || found.length > 1) {
    throw new SottoError(
      'invalid-argument',
      `the event has ${found.length} members that are null; write null at the one parameter to find`,
    );
  }
  const name = String(place.path.at(-1));
  const rules = typeof place.type === 'string' && Object.hasOwn(RULES, place.type) ? RULES[place.type as DpEventType] : undefined;
  const rule = rules !== undefined && Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (rule === undefined) {
    const can = rules === undefined ? 'none' : Object.keys(rules).join(', ');
    throw new SottoError(
      'unsupported',
      `the parameter ${name} of ${String(place.type)} cannot be searched for; of this event: ${can}`,
    );
  }
  return { ...rule, name, fill: (value) => replaced(event, place.path, value) as Readonly<Record<string, unknown>> };
}
