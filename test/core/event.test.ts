import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import Ajv2020 from 'ajv/dist/2020.js';
import { decodeEvent, type DpEvent, encodeEvent, validateEvent } from '@sotto/core/event';
import { eventJsonSchema } from '@sotto/core/event-schema';

const rate = fc.double({ min: 0, max: 1, noNaN: true });
const multiplier = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constant(Infinity));
const count = fc.integer({ min: 1, max: 1_000_000 });

const leaf: fc.Arbitrary<DpEvent> = fc.oneof(
  fc.constant<DpEvent>({ type: 'noOp' }),
  fc.constant<DpEvent>({ type: 'nonPrivate' }),
  fc.record({ type: fc.constant('gaussian' as const), noiseMultiplier: multiplier }),
  fc.record({ type: fc.constant('laplace' as const), noiseMultiplier: multiplier }),
  fc.record({ type: fc.constant('discreteGaussian' as const), sigma: multiplier, sensitivity: count }),
  fc.record({ type: fc.constant('discreteLaplace' as const), noiseParameter: multiplier, sensitivity: count }),
  fc.record({ type: fc.constant('skellam' as const), variance: multiplier, sensitivity: count }),
  fc.record({ type: fc.constant('randomizedResponse' as const), noiseParameter: rate, buckets: fc.integer({ min: 2, max: 99 }) }),
  fc.record({ type: fc.constant('exponentialMechanism' as const), epsilon: multiplier }),
  fc.record({ type: fc.constant('epsilonDelta' as const), epsilon: multiplier, delta: rate }),
  fc.record({ type: fc.constant('zcdp' as const), rho: multiplier, xi: multiplier }),
  fc.record({
    type: fc.constant('mixtureOfGaussians' as const),
    standardDeviation: multiplier,
    sensitivities: fc.constant([0, 1.5, 2]),
    probabilities: fc.constant([0.5, 0.25, 0.25]),
  }),
  fc.record({
    type: fc.constant('singleEpochTree' as const),
    noiseMultiplier: multiplier,
    stepCounts: fc.array(count, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    type: fc.constant('matrixMechanism' as const),
    noiseMultiplier: multiplier,
    factorisation: fc.oneof(
      fc.constant({ type: 'bandedToeplitz' as const, steps: 9, coefficients: [1, 0.5] }),
      fc.constant({ type: 'squareRootToeplitz' as const, steps: 9, bands: 0 }),
      fc.constant({ type: 'blt' as const, steps: 9, outputScales: [0.2], bufferDecays: [0.9] }),
    ),
    participation: fc.oneof(
      fc.constant({ type: 'single' as const }),
      fc.constant({ type: 'minSeparation' as const, separation: 3, maxParticipations: 3 }),
      fc.constant({ type: 'cyclicPoisson' as const, sampleRate: 0.5, groups: 9 }),
    ),
  }),
  fc.record({
    type: fc.constant('distributedDiscreteGaussian' as const),
    clients: count,
    dimension: count,
    l2Sensitivity: multiplier,
    l1Sensitivity: multiplier,
    modulus: fc.oneof(fc.integer({ min: 2 }), fc.constant(Infinity)),
    sigma: multiplier,
  }),
  fc.record({
    type: fc.constant('skellamSum' as const),
    clients: count,
    dimension: count,
    l2Sensitivity: multiplier,
    l1Sensitivity: multiplier,
    modulus: fc.oneof(fc.integer({ min: 2 }), fc.constant(Infinity)),
    variance: multiplier,
  }),
);

const event: fc.Arbitrary<DpEvent> = fc.letrec<{ event: DpEvent }>((tie) => {
  const inner = tie('event');
  return {
    event: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({ type: fc.constant('poissonSampled' as const), sampleRate: rate, event: inner }),
      fc.record({
        type: fc.constant('truncatedPoissonSampled' as const),
        sampleRate: rate,
        sourceSize: count,
        cap: count,
        event: inner,
      }),
      fc.record({
        type: fc.constant('sampledWithoutReplacement' as const),
        sourceSize: fc.constant(1_000_000),
        sampleSize: count,
        event: inner,
      }),
      fc.record({
        type: fc.constant('cyclicPoissonSampled' as const),
        sampleRate: rate,
        groups: count,
        steps: count,
        event: inner,
      }),
      fc.record({ type: fc.constant('ballsInBins' as const), bins: count, epochs: count, event: inner }),
      fc.record({ type: fc.constant('shuffled' as const), batches: count, epochs: count, event: inner }),
      fc.record({
        type: fc.constant('repeatAndSelect' as const),
        event: inner,
        distribution: fc.oneof(
          fc.constant({ type: 'poisson' as const, mean: 3 }),
          fc.constant({ type: 'truncatedNegativeBinomial' as const, shape: 0.5, gamma: 0.1 }),
        ),
      }),
      fc.record({ type: fc.constant('selfComposed' as const), count, event: inner }),
      fc.record({ type: fc.constant('composed' as const), events: fc.array(inner, { maxLength: 3 }) }),
    ),
  };
}).event;

function deeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(deeplyFrozen);
}

const gaussian = { type: 'gaussian', noiseMultiplier: 1 };

describe('events', () => {
  it('go through JSON text and back without loss, and match the published schema', () => {
    const matches = new Ajv2020.default({ strict: false }).compile(eventJsonSchema() as object);
    fc.assert(
      fc.property(event, (original) => {
        const text = JSON.stringify(encodeEvent(original));
        const back = decodeEvent(JSON.parse(text));
        expect(back).toEqual(validateEvent(original));
        expect(deeplyFrozen(back)).toBe(true);
        expect(matches(JSON.parse(text)), JSON.stringify(matches.errors?.slice(0, 2))).toBe(true);
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it('keep nothing of the value that they were made from', () => {
    const source = { type: 'composed', events: [{ type: 'gaussian', noiseMultiplier: 1 }] };
    const valid = validateEvent(source);
    source.events[0]!.noiseMultiplier = 99;
    expect(valid).toEqual({ type: 'composed', events: [{ type: 'gaussian', noiseMultiplier: 1 }] });
  });

  it.each([
    ['NaN', { type: 'gaussian', noiseMultiplier: NaN }, 'event.noiseMultiplier is NaN'],
    ['negative noise', { type: 'gaussian', noiseMultiplier: -1 }, 'at least 0'],
    ['rate above 1', { type: 'poissonSampled', sampleRate: 1.01, event: gaussian }, 'event.sampleRate is 1.01'],
    ['bad inner event', { type: 'poissonSampled', sampleRate: 0.1, event: { type: 'gaussian' } }, 'event.event.noiseMultiplier'],
    ['unknown type', { type: 'gausian', noiseMultiplier: 1 }, 'event.type is "gausian"'],
    ['prototype name', { type: 'constructor' }, 'event.type is "constructor"'],
    ['unknown member', { type: 'gaussian', noiseMultiplier: 1, sigma: 2 }, 'event.sigma is not a parameter'],
    ['fractional count', { type: 'selfComposed', count: 1.5, event: gaussian }, 'event.count is 1.5'],
    ['no object', 'gaussian', 'must be an event object'],
    ['a list', [gaussian], 'must be an event object'],
    [
      'probabilities',
      { type: 'mixtureOfGaussians', standardDeviation: 1, sensitivities: [0, 1], probabilities: [0.5, 0.6] },
      'sum to 1',
    ],
    [
      'lengths',
      { type: 'mixtureOfGaussians', standardDeviation: 1, sensitivities: [0], probabilities: [0.5, 0.5] },
      'differ in length',
    ],
    [
      'sample above source',
      { type: 'sampledWithoutReplacement', sourceSize: 3, sampleSize: 4, event: gaussian },
      'more than sourceSize',
    ],
    ['one bucket', { type: 'randomizedResponse', noiseParameter: 0.5, buckets: 1 }, 'event.buckets is 1'],
    [
      'strategy',
      { type: 'matrixMechanism', noiseMultiplier: 1, factorisation: { type: 'dense' }, participation: { type: 'single' } },
      'event.factorisation.type',
    ],
    [
      'gamma',
      { type: 'repeatAndSelect', event: gaussian, distribution: { type: 'truncatedNegativeBinomial', shape: 0, gamma: 1 } },
      'less than 1',
    ],
    ['infinite rate in memory', { type: 'poissonSampled', sampleRate: Infinity, event: gaussian }, 'event.sampleRate'],
  ])('refuse %s and say where', (_name, bad, message) => {
    expect(() => validateEvent(bad)).toThrow(message);
    expect(() => validateEvent(bad)).toThrow(expect.objectContaining({ code: 'invalid-argument' }) as Error);
  });

  it('refuse absurd nesting, endless cycles and a million parts', () => {
    let deep: object = gaussian;
    for (let i = 0; i < 40; i++) deep = { type: 'composed', events: [deep] };
    expect(() => validateEvent(deep)).toThrow('nested more than 32 deep');
    const cycle: { type: string; events: object[] } = { type: 'composed', events: [] };
    cycle.events.push(cycle);
    expect(() => validateEvent(cycle)).toThrow('nested more than 32 deep');
    const many = { type: 'composed', events: new Array(1_000_000).fill(gaussian) };
    expect(() => validateEvent(many)).toThrow('selfComposed with a count');
    const wide = { type: 'composed', events: new Array(60_000).fill(gaussian) };
    expect(() => validateEvent({ type: 'composed', events: [wide, wide] })).toThrow('more than 100000 parts');
  });

  it('refuse unknown versions and infinities that JSON cannot have', () => {
    expect(encodeEvent({ type: 'gaussian', noiseMultiplier: Infinity })).toEqual({
      version: 1,
      type: 'gaussian',
      noiseMultiplier: 'Infinity',
    });
    expect(() => decodeEvent({ version: 2, ...gaussian })).toThrow('event.version is 2');
    expect(() => decodeEvent(gaussian)).toThrow('event.version is undefined');
    expect(() => decodeEvent(null)).toThrow('must be a JSON object');
    expect(() => decodeEvent({ version: 1, type: 'gaussian', noiseMultiplier: Infinity })).toThrow('event.noiseMultiplier');
    expect(() => validateEvent({ type: 'gaussian', noiseMultiplier: 'Infinity' })).toThrow('event.noiseMultiplier');
    expect(() => decodeEvent({ version: 1, type: 'composed', events: [{ version: 1, ...gaussian }] })).toThrow(
      'version is not a parameter',
    );
  });
});
