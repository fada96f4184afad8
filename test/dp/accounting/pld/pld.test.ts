/** The PLD accountant against independent computations, and its properties. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Adjacency, DpEvent } from '@sotto/core/event';
import { pldAccountant, pldAccountantOf } from '../../../../packages/dp/src/accounting/pld/accountant.ts';
import { defaultPrecision, solve } from '../../../../packages/dp/src/accounting/pld/engine.ts';
import { prvAccountant } from '../../../../packages/dp/src/accounting/pld/prv.ts';
import { upperMeasure } from '../../../../packages/dp/src/accounting/pld/discretise.ts';
import { gaussianMixtureLaw } from '../../../../packages/dp/src/accounting/pld/gaussian-laws.ts';
import type { LossLaw } from '../../../../packages/dp/src/accounting/pld/loss-law.ts';
import { gaussianDelta, gaussianEpsilon } from '../../../../packages/dp/src/accounting/gaussian.ts';
import { rdpAccountant } from '../../../../packages/dp/src/accounting/rdp/accountant.ts';

function self(count: number, event: DpEvent): DpEvent {
  return { type: 'selfComposed', count, event };
}
function dpSgd(sampleRate: number, noiseMultiplier: number, steps: number): DpEvent {
  return self(steps, { type: 'poissonSampled', sampleRate, event: { type: 'gaussian', noiseMultiplier } });
}
function epsilon(event: DpEvent, delta: number, adjacency: Adjacency = 'addOrRemoveOne') {
  return pldAccountant.epsilon(event, { adjacency, delta });
}
function delta(event: DpEvent, at: number, adjacency: Adjacency = 'addOrRemoveOne') {
  return pldAccountant.delta(event, { adjacency, epsilon: at });
}

/** δ(ε) of a finite pair composed `count` times, by listing all outcomes. */
function bruteForce(p: readonly number[], q: readonly number[], count: number, at: number): number {
  let delta = 0;
  const walk = (depth: number, a: number, b: number): void => {
    if (depth === 0) delta += Math.max(0, a - Math.exp(at) * b);
    else p.forEach((_, i) => walk(depth - 1, a * p[i]!, b * q[i]!));
  };
  walk(count, 1, 1);
  return delta;
}

describe('closed forms', () => {
  it.each([
    [0.5, 1e-5],
    [1, 1e-12],
    [5, 1e-6],
    [2, 0.1],
  ])('an unsampled Gaussian: σ = %f, δ = %f', (sigma, at) => {
    const truth = gaussianEpsilon(1 / sigma, at);
    const ours = epsilon({ type: 'gaussian', noiseMultiplier: sigma }, at);
    expect(ours.lower).toBeLessThanOrEqual(truth + 1e-12);
    expect(ours.upper).toBeGreaterThanOrEqual(truth - 1e-12);
    expect(ours.upper - ours.lower).toBeLessThan(4e-4 * truth);
  });

  it.each([1e-9, 1e-15, 1e-30, 1e-100])('q = 1 in 400 steps of the engine itself, to δ = %f', (at) => {
    const law = gaussianMixtureLaw('one step', 20, [{ weight: 1, mean: 1 }], [{ weight: 1, mean: 0 }]);
    const ours = solve([{ law, count: 400 }], { delta: at }, defaultPrecision);
    const truth = gaussianEpsilon(1, at);
    expect(ours.lower).toBeLessThanOrEqual(truth);
    expect(ours.upper).toBeGreaterThanOrEqual(truth);
    expect(ours.upper - ours.lower).toBeLessThan(3e-4 * truth);
  });

  it('δ(ε) of Gaussians', () => {
    for (const at of [0, 0.5, 2, 6, 12]) {
      const truth = gaussianDelta(1 / 0.8, at);
      const ours = delta({ type: 'gaussian', noiseMultiplier: 0.8 }, at);
      expect(ours.lower).toBeLessThanOrEqual(truth * (1 + 1e-9));
      expect(ours.upper).toBeGreaterThanOrEqual(truth * (1 - 1e-9));
      expect(ours.upper - ours.lower).toBeLessThan(2e-3 * truth);
    }
  });

  it('ε-DP 8 times (Kairouz, Oh and Viswanath 2015), by listing all outcomes', () => {
    const high = 1 / (1 + Math.exp(-0.3));
    for (const at of [0.1, 0.6, 1.3, 2]) {
      const truth = bruteForce([high, 1 - high], [1 - high, high], 8, at);
      const ours = delta(self(8, { type: 'epsilonDelta', epsilon: 0.3, delta: 0 }), at);
      expect(ours.lower).toBeLessThanOrEqual(truth + 1e-14);
      expect(ours.upper).toBeGreaterThanOrEqual(truth - 1e-14);
      expect(ours.upper - ours.lower).toBeLessThan(1e-10);
    }
  });

  it('the discrete Gaussian: its own probabilities, twice, by listing all outcomes', () => {
    const range = Array.from({ length: 41 }, (_, i) => i - 20);
    const weights = (shift: number): number[] => {
      const w = range.map((x) => Math.exp(-((x - shift) ** 2) / (2 * 1.7 ** 2)));
      const total = range.reduce((sum, x) => sum + Math.exp(-(x ** 2) / (2 * 1.7 ** 2)), 0);
      return w.map((v) => v / total);
    };
    const event: DpEvent = self(2, { type: 'discreteGaussian', sigma: 1.7, sensitivity: 2 });
    for (const at of [0.2, 1, 2.5]) {
      const truth = bruteForce(weights(2), weights(0), 2, at);
      const ours = delta(event, at);
      expect(ours.lower).toBeLessThanOrEqual(truth + 1e-11);
      expect(ours.upper).toBeGreaterThanOrEqual(truth - 1e-11);
      expect(ours.upper - ours.lower).toBeLessThan(1e-9);
    }
  });

  it('Poisson-sampled discrete Laplace, three times, both directions', () => {
    const a = 0.9;
    const rate = 0.3;
    const range = Array.from({ length: 81 }, (_, i) => i - 40);
    const noise = (x: number): number => Math.tanh(a / 2) * Math.exp(-a * Math.abs(x));
    const q = range.map(noise);
    const p = range.map((x) => (1 - rate) * noise(x) + rate * noise(x - 1));
    const sampled: DpEvent = {
      type: 'poissonSampled',
      sampleRate: rate,
      event: { type: 'discreteLaplace', noiseParameter: a, sensitivity: 1 },
    };
    for (const at of [0.05, 0.2, 0.5]) {
      const truth = Math.max(bruteForce(p, q, 3, at), bruteForce(q, p, 3, at));
      const ours = delta(self(3, sampled), at);
      expect(ours.lower).toBeLessThanOrEqual(truth + 1e-12);
      expect(ours.upper).toBeGreaterThanOrEqual(truth - 1e-12);
      expect(ours.upper).toBeLessThan(truth * 1.02);
    }
  });

  it('Skellam: probabilities by convolving two Poisson laws', () => {
    const half = 3.5;
    const poisson = (k: number): number =>
      Math.exp(-half + k * Math.log(half) - Array.from({ length: k }).reduce<number>((s, _, i) => s + Math.log(i + 1), 0));
    const mass = (x: number): number => {
      let sum = 0;
      for (let k = 0; k < 60; k++) if (k - x >= 0) sum += poisson(k) * poisson(k - x);
      return sum;
    };
    const range = Array.from({ length: 71 }, (_, i) => i - 35);
    const q = range.map(mass);
    const p = range.map((x) => mass(x - 1));
    for (const at of [0.2, 0.8]) {
      const truth = bruteForce(p, q, 1, at);
      const ours = delta({ type: 'skellam', variance: 2 * half, sensitivity: 1 }, at);
      expect(ours.lower).toBeLessThanOrEqual(truth + 1e-12);
      expect(ours.upper).toBeGreaterThanOrEqual(truth - 1e-12);
      expect(ours.upper).toBeLessThan(truth * 1.01);
    }
  });

  it('δ = 0 is the greatest loss where it is bounded, +∞ elsewhere', () => {
    const laplace: DpEvent = { type: 'laplace', noiseMultiplier: 0.5 };
    expect(epsilon(self(3, laplace), 0).upper).toBeCloseTo(6, 12);
    expect(epsilon({ type: 'gaussian', noiseMultiplier: 1 }, 0).upper).toBe(Infinity);
  });

  it('subsets of fixed size: Laplace under replacement, from the amplification of the curve', () => {
    const rate = 0.25;
    const base = (at: number): number => Math.max(0, -Math.expm1((at - 2 / 1.5) / 2));
    const event: DpEvent = {
      type: 'sampledWithoutReplacement',
      sourceSize: 400,
      sampleSize: 100,
      event: { type: 'laplace', noiseMultiplier: 1.5 },
    };
    for (const at of [0.05, 0.2, 0.4]) {
      const truth = rate * base(Math.log1p(Math.expm1(at) / rate));
      const ours = delta(event, at, 'replaceOne');
      expect(ours.upper).toBeGreaterThanOrEqual(truth - 1e-13);
      expect(ours.upper).toBeLessThan(truth * 1.01 + 1e-9);
    }
  });
});

describe('properties', () => {
  const arbitrary = fc.record({
    q: fc.double({ min: 1e-4, max: 0.5, noNaN: true }),
    sigma: fc.double({ min: 0.4, max: 6, noNaN: true }),
    steps: fc.integer({ min: 1, max: 3000 }),
    logDelta: fc.double({ min: -12, max: -2, noNaN: true }),
  });
  const runs = { seed: 20260, numRuns: 12 };

  it('lower ≤ upper ≤ RDP, and the gap is as stated', () => {
    fc.assert(
      fc.property(arbitrary, ({ q, sigma, steps, logDelta }) => {
        const at = 10 ** logDelta;
        const event = dpSgd(q, sigma, steps);
        const ours = epsilon(event, at);
        const rdp = rdpAccountant('cks20').epsilon(event, { adjacency: 'addOrRemoveOne', delta: at });
        expect(ours.lower).toBeLessThanOrEqual(ours.upper);
        expect(ours.upper).toBeLessThanOrEqual(rdp.upper * (1 + 1e-3) + 1e-6);
        expect(ours.upper - ours.lower).toBeLessThanOrEqual(Math.max(1e-3, 1e-3 * ours.upper));
      }),
      runs,
    );
  });

  it('monotone in q, σ, T and δ', () => {
    fc.assert(
      fc.property(arbitrary, ({ q, sigma, steps, logDelta }) => {
        const at = 10 ** logDelta;
        const base = epsilon(dpSgd(q, sigma, steps), at);
        expect(epsilon(dpSgd(q * 1.3, sigma, steps), at).upper).toBeGreaterThanOrEqual(base.lower);
        expect(epsilon(dpSgd(q, sigma * 1.2, steps), at).lower).toBeLessThanOrEqual(base.upper);
        expect(epsilon(dpSgd(q, sigma, steps + 10), at).upper).toBeGreaterThanOrEqual(base.lower);
        expect(epsilon(dpSgd(q, sigma, steps), at * 3).lower).toBeLessThanOrEqual(base.upper);
      }),
      { ...runs, numRuns: 6 },
    );
  });

  it('PRV and PLD bracket each other', () => {
    for (const [q, sigma, steps] of [
      [0.02, 1.3, 200],
      [0.2, 2, 30],
    ] as const) {
      const event = dpSgd(q, sigma, steps);
      const prv = prvAccountant.epsilon(event, { adjacency: 'addOrRemoveOne', delta: 1e-6 });
      const pld = epsilon(event, 1e-6);
      expect(prv.lower).toBeLessThanOrEqual(pld.lower);
      expect(pld.upper).toBeLessThanOrEqual(prv.upper);
    }
  });

  it('composition commutes, and T-fold is T times', () => {
    const a = dpSgd(0.01, 1.1, 300);
    const b = self(5, { type: 'laplace', noiseMultiplier: 8 });
    const one = epsilon({ type: 'composed', events: [a, b] }, 1e-6);
    const other = epsilon({ type: 'composed', events: [b, a] }, 1e-6);
    expect(Math.abs(one.upper - other.upper)).toBeLessThan(1e-9);
    const half = dpSgd(0.01, 1.1, 150);
    expect(epsilon({ type: 'composed', events: [half, half] }, 1e-6).upper).toBe(epsilon(a, 1e-6).upper);
    const answer: DpEvent = { type: 'randomizedResponse', noiseParameter: 0.5, buckets: 4 };
    const ten = epsilon(self(10, answer), 1e-6, 'replaceOne');
    expect(ten.upper).toBeGreaterThan(5 * epsilon(answer, 1e-6, 'replaceOne').upper);
  });

  it('two laws that differ are composed as if one were twice the other', () => {
    // σ = 1 and σ = 1 + 1e-9 must account as two of σ = 1.
    const mixed: DpEvent = { type: 'composed', events: [dpSgd(0.02, 1, 100), dpSgd(0.02, 1 + 1e-9, 100)] };
    const same = epsilon(dpSgd(0.02, 1, 200), 1e-6);
    const ours = epsilon(mixed, 1e-6);
    expect(ours.lower).toBeLessThanOrEqual(same.upper);
    expect(same.lower).toBeLessThanOrEqual(ours.upper);
    expect(Math.abs(ours.upper - same.upper)).toBeLessThan(2e-4 * same.upper);
  });

  it('refining the grid lowers upper, raises lower, and never crosses', () => {
    const event = dpSgd(0.01, 0.8, 500);
    let previous = { upper: Infinity, lower: 0 };
    for (const step of [4e-3, 2e-3, 1e-3, 4e-4]) {
      const now = pldAccountantOf({ ...defaultPrecision, step }).epsilon(event, { adjacency: 'addOrRemoveOne', delta: 1e-6 });
      expect(now.upper).toBeLessThan(previous.upper);
      expect(now.lower).toBeGreaterThan(previous.lower);
      expect(now.lower).toBeLessThan(now.upper);
      previous = now;
    }
  });

  it('δ(ε) inverts ε(δ)', () => {
    for (const at of [1e-3, 1e-8, 1e-14]) {
      const event = dpSgd(0.05, 1.2, 100);
      const there = epsilon(event, at);
      expect(delta(event, there.lower).upper).toBeGreaterThanOrEqual(at * (1 - 1e-6));
      expect(delta(event, there.upper).lower).toBeLessThanOrEqual(at * (1 + 1e-6));
    }
  });

  it('T = 10⁶ and ε = 0.01 are within reach', () => {
    const many = epsilon(dpSgd(1e-4, 10, 1_000_000), 1e-9);
    expect(many.upper - many.lower).toBeLessThan(1e-3);
    const small = epsilon(dpSgd(0.001, 40, 10_000), 1e-6);
    expect(small.upper).toBeLessThan(0.02);
    expect(Number(many.details['gridPoints'])).toBeLessThanOrEqual(2 ** 22);
  });
});

describe('refusals', () => {
  it.each<[DpEvent, Adjacency, string]>([
    [{ type: 'zcdp', rho: 1, xi: 0 }, 'addOrRemoveOne', 'zcdp'],
    [{ type: 'randomizedResponse', noiseParameter: 0.5, buckets: 2 }, 'addOrRemoveOne', 'randomizedResponse'],
    [
      { type: 'mixtureOfGaussians', standardDeviation: 1, sensitivities: [1, 2], probabilities: [0.5, 0.5] },
      'replaceOne',
      'mixtureOfGaussians',
    ],
    [
      { type: 'sampledWithoutReplacement', sourceSize: 10, sampleSize: 2, event: { type: 'gaussian', noiseMultiplier: 1 } },
      'addOrRemoveOne',
      'sampledWithoutReplacement',
    ],
    [{ type: 'shuffled', batches: 10, epochs: 1, event: { type: 'gaussian', noiseMultiplier: 1 } }, 'addOrRemoveOne', 'shuffled'],
  ])('names what it cannot account for', (event, adjacency, name) => {
    expect(pldAccountant.supports(event, adjacency)).toContain(name);
  });

  it('no noise is +∞, nothing is 0', () => {
    expect(epsilon({ type: 'nonPrivate' }, 1e-5).upper).toBe(Infinity);
    expect(epsilon({ type: 'noOp' }, 1e-5).upper).toBe(0);
    expect(delta({ type: 'gaussian', noiseMultiplier: 0 }, 3).upper).toBe(1);
  });
});

describe('mutations that these tests would catch', () => {
  const truth = gaussianEpsilon(Math.sqrt(50) / 10, 1e-6);
  const honest = gaussianMixtureLaw('honest', 10, [{ weight: 1, mean: 1 }], [{ weight: 1, mean: 0 }]);

  it('a law that drops its upper tail is no longer an upper bound', () => {
    const cutShort: LossLaw = {
      ...honest,
      nodes(tail, boundaries) {
        const nodes = honest.nodes(Math.max(tail, 1e-3), boundaries);
        return { ...nodes, pTop: 0, qBottom: 0 };
      },
      range: () => honest.range(1e-3),
    };
    expect(solve([{ law: cutShort, count: 50 }], { delta: 1e-6 }, defaultPrecision).upper).toBeLessThan(truth);
    // With the mass that it cuts counted as failure, the same law gives no finite ε at this δ.
    const counted: LossLaw = { ...cutShort, nodes: (tail, boundaries) => honest.nodes(Math.max(tail, 1e-3), boundaries) };
    expect(solve([{ law: counted, count: 50 }], { delta: 1e-6 }, defaultPrecision).upper).toBe(Infinity);
  });

  it('directions matter: addition alone would be too low', () => {
    const law = gaussianMixtureLaw(
      'sampled',
      1,
      [
        { weight: 0.99, mean: 0 },
        { weight: 0.01, mean: 1 },
      ],
      [{ weight: 1, mean: 0 }],
    );
    const both = solve([{ law, count: 1000 }], { delta: 1e-5 }, defaultPrecision);
    expect(both.direction).toBe('remove');
    expect(both.upper).toBeCloseTo(1.82824, 3);
    const swapped: LossLaw = {
      ...law,
      range(tail) {
        const { low, high } = law.range(tail);
        return { low: -high, high: -low };
      },
      nodes(tail, boundaries) {
        const n = law.nodes(tail, boundaries?.map((b) => -b).toReversed());
        return {
          ...n,
          loss: n.loss.map((l) => -l).toReversed(),
          p: n.q.toReversed(),
          q: n.p.toReversed(),
          pTop: n.qBottom,
          qTop: n.pBottom,
          pBottom: n.qTop,
          qBottom: n.pTop,
          topEdge: -n.bottomEdge,
          bottomEdge: -n.topEdge,
        };
      },
    };
    const other = solve([{ law: swapped, count: 1000 }], { delta: 1e-5 }, defaultPrecision);
    expect(other.direction).toBe('add');
    expect(other.upper).toBeCloseTo(both.upper, 3);
  });

  it('rounding down in place of connecting the dots is seen', () => {
    const step = 0.05;
    const points = Int32Array.from({ length: 400 }, (_, i) => i - 200);
    const boundaries = Float64Array.from(points, (i) => i * step);
    const nodes = honest.nodes(1e-20, boundaries);
    const pair = upperMeasure(nodes, points, step, 0);
    const mean = pair.remove.mass.reduce((sum, m, i) => sum + m * points[i]! * step, 0);
    const rounded = nodes.loss.reduce((sum, l, i) => sum + nodes.p[i]! * Math.floor(l / step) * step, 0);
    expect(mean).toBeGreaterThan(0.005);
    expect(rounded).toBeLessThan(0.005);
  });
});
