import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { defaultOrders, deltaOf, epsilonOf, rdpOf } from '@sotto/dp';
import type { DpEvent } from '@sotto/core/event';
import {
  byIntegerOrders,
  discreteLaplaceRdp,
  exponentialMechanismRdp,
  laplaceRdp,
  pureRdp,
} from '../../../packages/dp/src/accounting/rdp/leaves.ts';
import { logMomentSeries, poissonGaussianRdp } from '../../../packages/dp/src/accounting/rdp/poisson-gaussian.ts';
import { randomAllocationRdp } from '../../../packages/dp/src/accounting/rdp/random-allocation.ts';
import { mixtureMoments } from '../../../packages/dp/src/accounting/rdp/quadrature.ts';
import { logBinomialUpperTail } from '../../../packages/dp/src/accounting/rdp/binomial.ts';
import { mixtureRdp } from '../../../packages/dp/src/accounting/rdp/sampling.ts';

function sampled(sampleRate: number, noiseMultiplier: number, count = 1): DpEvent {
  return {
    type: 'selfComposed',
    count,
    event: { type: 'poissonSampled', sampleRate, event: { type: 'gaussian', noiseMultiplier } },
  };
}

function gaussianTimes(noiseMultiplier: number, count: number): DpEvent {
  return { type: 'selfComposed', count, event: { type: 'gaussian', noiseMultiplier } };
}

describe('the Poisson-subsampled Gaussian', () => {
  // q, σ, α, ε(α): mpmath quadrature with 40 digits.
  it.each([
    [0.01, 2.5, 1.5, 1.3001417943760795e-5],
    [0.1, 1, 1.1, 0.008098568468073837],
    [0.5, 10, 1.1, 0.0013770600149736018],
    [0.3, 0.4, 2.7, 6.525403082853947],
    [1e-4, 10, 3.3, 1.6582797424224327e-10],
    [0.999, 1, 1.7, 0.8487774739995543],
    [0.01, 0.5, 12.5, 19.99438023262164],
    [0.04, 1.5, 1.25, 0.0005492912088960017],
    [1e-4, 0.4, 1.9, 4.58651016063423e-6],
    [0.2, 4, 40.5, 0.0990977375914246],
    [0.01, 1, 17, 3.607018516429027],
    [1e-4, 5, 64, 1.3062797889976724e-8],
  ])('q = %d, σ = %d, α = %d agrees with 40 digits', (q, sigma, order, want) => {
    expect(Math.abs(poissonGaussianRdp(q, sigma, [order])[0]! / want - 1)).toBeLessThan(3e-12);
  });

  it('agrees with the signed series wherever that converges', () => {
    let converged = 0;
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 0.4, noNaN: true }),
        fc.double({ min: 0.5, max: 5, noNaN: true }),
        fc.double({ min: 1.05, max: 40, noNaN: true }).filter((a) => Math.abs(a - Math.round(a)) > 1e-3),
        (q, sigma, order) => {
          const series = logMomentSeries(q, sigma, order);
          if (Number.isNaN(series)) return;
          converged++;
          const own = poissonGaussianRdp(q, sigma, [order])[0]! * (order - 1);
          expect(Math.abs(own - series)).toBeLessThan(1e-11 * (1 + own));
        },
      ),
      { numRuns: 300, seed: 3 },
    );
    expect(converged).toBeGreaterThan(100);
  });

  it('has one formula for integer orders that the quadrature confirms', () => {
    for (const order of [2, 3, 10, 33]) {
      for (const [q, sigma] of [
        [0.01, 1],
        [0.3, 2],
        [0.9, 0.7],
      ] as const) {
        const moment = mixtureMoments([0, 1], [1 - q, q], [0], [1], sigma, [order])[0]!;
        expect(poissonGaussianRdp(q, sigma, [order])[0]! / (moment / (order - 1))).toBeCloseTo(1, 10);
      }
    }
  });

  it('the direction that adds a unit is never the worse one', () => {
    for (const [q, sigma, order] of [
      [0.01, 1, 3.5],
      [0.5, 0.8, 1.3],
      [0.2, 3, 20.5],
    ] as const) {
      const remove = mixtureMoments([0, 1], [1 - q, q], [0], [1], sigma, [order])[0]!;
      const add = mixtureMoments([0], [1], [0, 1], [1 - q, q], sigma, [order])[0]!;
      expect(add).toBeLessThanOrEqual(remove);
    }
  });

  it('has its limits: no sampling, all sampled, no noise, infinite noise, order ∞', () => {
    expect([...poissonGaussianRdp(0, 1, [2, 2.5, Infinity])]).toEqual([0, 0, 0]);
    expect([...poissonGaussianRdp(1, 2, [4, Infinity])]).toEqual([0.5, Infinity]);
    expect([...poissonGaussianRdp(0.1, 0, [2])]).toEqual([Infinity]);
    expect([...poissonGaussianRdp(0.1, Infinity, [2, 2.5])]).toEqual([0, 0]);
    expect(poissonGaussianRdp(0.1, 1, [Infinity])[0]).toBe(Infinity);
    expect(poissonGaussianRdp(0.5, 0.01, [1.5, 2, 600])[2]).toBeGreaterThan(0);
    for (const value of poissonGaussianRdp(1e-12, 0.05, [1.1, 2, 64, 1024])) expect(Number.isNaN(value)).toBe(false);
  });

  it('replaced units: the quadrature of the symmetric pair, above adding and below twice the shift', () => {
    const [replaced] = mixtureRdp([0, 1], [0.9, 0.1], 1, true, [2.5]);
    expect(replaced! / 0.052949437127751798).toBeCloseTo(1, 11);
    expect(replaced!).toBeGreaterThan(poissonGaussianRdp(0.1, 1, [2.5])[0]!);
    expect(rdpOf(sampled(0.1, 1), { orders: [2.5], adjacency: 'replaceOne' }).rdp[0]).toBe(replaced);
  });
});

describe('other mechanisms', () => {
  it('mixtures of Gaussians, the larger direction, against 40 digits', () => {
    const moments = (p: number[], w: number[], q: number[], v: number[]): number =>
      mixtureMoments(p, w, q, v, 1, [3.5])[0]! / 2.5;
    expect(moments([0, 1, 2], [0.2, 0.6, 0.2], [0], [1]) / 4.7761720258240637).toBeCloseTo(1, 11);
    expect(moments([0], [1], [0, 1, 2], [0.2, 0.6, 0.2]) / 0.78891691608690451).toBeCloseTo(1, 11);
  });

  it('Laplace, discrete Laplace and the exponential mechanism against 40 digits or brute force', () => {
    expect(laplaceRdp(2.5, 0.7) / 1.1165537741465681).toBeCloseTo(1, 12);
    expect(discreteLaplaceRdp(2.5, 0.4, 3) / 0.91435785173343456).toBeCloseTo(1, 12);
    expect(exponentialMechanismRdp(3.5, 1)).toBeCloseTo(0.3886153147, 8);
    expect(exponentialMechanismRdp(20, 2)).toBeCloseTo(1.7986895, 6);
  });

  it('order ∞ is pure ε and order 1 is below every other', () => {
    for (const rdp of [
      (a: number) => laplaceRdp(a, 0.7),
      (a: number) => discreteLaplaceRdp(a, 0.4, 3),
      (a: number) => exponentialMechanismRdp(a, 1.3),
      (a: number) => pureRdp(a, 0.8),
    ]) {
      const values = [1, 1.0001, 1.5, 2, 10, 1000, 1e7, Infinity].map(rdp);
      for (let i = 1; i < values.length; i++) expect(values[i]!).toBeGreaterThanOrEqual(values[i - 1]! - 1e-9);
      expect(values.at(-2)! / values.at(-1)!).toBeGreaterThan(0.999);
    }
  });

  it('carries bounds at integer orders to the orders between by a chord that lies above', () => {
    const gaussian = (order: number): number => order / 2;
    for (const order of [1, 1.3, 2, 2.5, 17.9])
      expect(byIntegerOrders(order, gaussian)).toBeGreaterThanOrEqual(order / 2 - 1e-15);
    expect(byIntegerOrders(5, gaussian)).toBe(2.5);
  });

  it('the general Poisson bound lies above the exact Gaussian one', () => {
    const general: DpEvent = { type: 'poissonSampled', sampleRate: 0.02, event: { type: 'zcdp', rho: 0.125, xi: 0 } };
    const exact = rdpOf(sampled(0.02, 2), { orders: [2, 5, 20] }).rdp;
    rdpOf(general, { orders: [2, 5, 20] }).rdp.forEach((value, i) => {
      expect(value).toBeGreaterThanOrEqual(exact[i]!);
      expect(value).toBeLessThan(20 * exact[i]! + 1e-3);
    });
  });

  it('sampling without replacement: Gaussian at q = 0.01, replaced units, sensitivity 2', () => {
    // The published figure 3.5761 is for σ = 1 relative to a sensitivity of 1 under replacement, which is σ = 2 here.
    const event: DpEvent = {
      type: 'selfComposed',
      count: 1000,
      event: {
        type: 'sampledWithoutReplacement',
        sourceSize: 100,
        sampleSize: 1,
        event: { type: 'gaussian', noiseMultiplier: 2 },
      },
    };
    expect(epsilonOf(event, { delta: 1e-5, adjacency: 'replaceOne', accountant: 'rdp' }).upper).toBeCloseTo(3.5761, 3);
  });

  it('truncated Poisson sampling tends to plain Poisson sampling as the cap grows', () => {
    const epsilon = (cap: number): number =>
      epsilonOf(
        {
          type: 'selfComposed',
          count: 2344,
          event: {
            type: 'truncatedPoissonSampled',
            sampleRate: 256 / 60000,
            sourceSize: 60000,
            cap,
            event: { type: 'gaussian', noiseMultiplier: 1 },
          },
        },
        { delta: 1e-5, accountant: 'rdp' },
      ).upper;
    const plain = epsilonOf(sampled(256 / 60000, 1, 2344), { delta: 1e-5, accountant: 'rdp' }).upper;
    const values = [280, 300, 320, 450, 60000].map(epsilon);
    for (let i = 1; i < values.length; i++) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]! + 1e-12);
    expect(values[0]).toBeGreaterThan(4.8);
    expect(values[3]! - plain).toBeLessThan(1e-3);
    expect(values[4]).toBe(plain);
  });

  it('binomial tails', () => {
    const exact = (n: number, p: number, k: number): number => {
      let total = 0;
      let binomial = 1;
      for (let i = 0; i <= n; i++) {
        if (i >= k) total += binomial * p ** i * (1 - p) ** (n - i);
        binomial = (binomial * (n - i)) / (i + 1);
      }
      return total;
    };
    for (const [n, p, k] of [
      [20, 0.3, 6],
      [20, 0.3, 2],
      [20, 0.3, 15],
      [40, 0.9, 39],
      [5, 0.5, 0],
      [5, 0.5, 5],
    ] as const) {
      expect(Math.exp(logBinomialUpperTail(n, p, k)) / exact(n, p, k)).toBeCloseTo(1, 11);
    }
    expect(logBinomialUpperTail(5, 0.5, 6)).toBe(-Infinity);
  });

  it('distributed noise: one client is the plain mechanism, many approach it', () => {
    const common = { dimension: 10, l1Sensitivity: 10, l2Sensitivity: 4, modulus: Infinity };
    const one = rdpOf({ type: 'distributedDiscreteGaussian', clients: 1, sigma: 8, ...common }, { orders: [3] }).rdp[0]!;
    expect(one).toBeCloseTo((3 * 16) / (2 * 64), 12);
    const many = rdpOf({ type: 'distributedDiscreteGaussian', clients: 64, sigma: 1, ...common }, { orders: [3] }).rdp[0]!;
    expect(many).toBeGreaterThan(one);
    expect(many).toBeLessThan(1.1 * one);
    const skellam = rdpOf({ type: 'skellamSum', clients: 64, variance: 1, ...common }, { orders: [3] }).rdp[0]!;
    expect(skellam).toBeGreaterThan(one);
  });

  it('repeat and select costs more than one run and less than running it all', () => {
    const one: DpEvent = { type: 'gaussian', noiseMultiplier: 4 };
    const best: DpEvent = {
      type: 'repeatAndSelect',
      event: one,
      distribution: { type: 'truncatedNegativeBinomial', shape: 1, gamma: 0.1 },
    };
    const poisson: DpEvent = { type: 'repeatAndSelect', event: one, distribution: { type: 'poisson', mean: 10 } };
    const epsilon = (event: DpEvent): number => epsilonOf(event, { delta: 1e-6, accountant: 'rdp' }).upper;
    for (const event of [best, poisson]) {
      expect(epsilon(event)).toBeGreaterThan(epsilon(one));
      expect(epsilon(event)).toBeLessThan(epsilon({ type: 'selfComposed', count: 10, event: one }));
    }
  });
});

describe('the narrow search over orders', () => {
  it('finds what the whole grid has, for ε and for δ', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 1, noNaN: true }),
        fc.double({ min: 0.3, max: 20, noNaN: true }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.constantFrom(1e-12, 1e-6, 1e-2),
        fc.constantFrom<DpEvent>(
          { type: 'noOp' },
          { type: 'epsilonDelta', epsilon: 0.5, delta: 0 },
          { type: 'zcdp', rho: 0.1, xi: 0.1 },
        ),
        (q, sigma, steps, delta, other) => {
          const event: DpEvent = { type: 'composed', events: [sampled(q, sigma, steps), other] };
          const narrow = epsilonOf(event, { delta, accountant: 'rdp' });
          const whole = epsilonOf(event, { delta, accountant: 'rdp', orders: defaultOrders });
          expect(narrow.upper).toBeLessThanOrEqual(whole.upper * (1 + 1e-12));
          if (whole.upper < 100) {
            const epsilon = whole.upper;
            const small = deltaOf(event, { epsilon, accountant: 'rdp' });
            expect(small.upper).toBeLessThanOrEqual(
              deltaOf(event, { epsilon, accountant: 'rdp', orders: defaultOrders }).upper * (1 + 1e-9),
            );
          }
        },
      ),
      { numRuns: 120, seed: 9 },
    );
  });

  it('keeps to order ∞ where the mechanism is pure and δ vanishes', () => {
    const event: DpEvent = { type: 'epsilonDelta', epsilon: 0.5, delta: 0 };
    expect(epsilonOf(event, { delta: 1e-300, accountant: 'rdp' }).upper).toBeCloseTo(0.5, 12);
  });
});

describe('balls in bins', () => {
  const orders = [2, 3, 4, 6, 12];

  it('order 2 in closed form: ln(1 + (e^(1/σ²) − 1)/bins)', () => {
    for (const [bins, sigma] of [
      [2, 1],
      [10, 0.7],
      [1000, 0.5],
      [7, 3],
    ] as const) {
      const want = Math.log1p(Math.expm1(1 / sigma ** 2) / bins);
      expect(Math.abs(randomAllocationRdp(bins, sigma, [2])[0]! - want)).toBeLessThan(2e-11);
    }
  });

  it('two bins: both directions by a two-dimensional quadrature', () => {
    const sigma = 1;
    const step = 0.1;
    for (const order of [2, 3, 4]) {
      let forward = 0;
      let backward = 0;
      for (let a = -14; a < 18; a += step) {
        for (let b = -14; b < 18; b += step) {
          const weight = (Math.exp(-0.5 * (a * a + b * b)) * step * step) / (2 * Math.PI);
          const mean = (Math.exp(a / sigma - 0.5) + Math.exp(b / sigma - 0.5)) / 2;
          forward += weight * mean ** order;
          backward += weight * mean ** (1 - order);
        }
      }
      const want = Math.log(Math.max(forward, backward)) / (order - 1);
      expect(randomAllocationRdp(2, sigma, [order])[0]! / want).toBeCloseTo(1, 8);
    }
  });

  it('more bins are more private, one bin is the Gaussian, many noisy bins come close to Poisson sampling', () => {
    const by = [1, 2, 10, 100].map((bins) => randomAllocationRdp(bins, 0.8, orders));
    orders.forEach((order, i) => {
      expect(by[0]![i]).toBeCloseTo(order / (2 * 0.64), 12);
      for (let k = 1; k < by.length; k++) expect(by[k]![i]!).toBeLessThanOrEqual(by[k - 1]![i]!);
    });
    const many = randomAllocationRdp(1000, 2, [2, 4]);
    poissonGaussianRdp(1e-3, 2, [2, 4]).forEach((value, i) => expect(many[i]! / (1000 * value)).toBeCloseTo(1, 2));
  });
});

describe('conversion', () => {
  it('refuses to replicate 2017 figures by another accountant, and never finds them better', () => {
    const event = sampled(0.01, 1, 1000);
    expect(() => epsilonOf(event, { delta: 1e-5, conversion: 'mironov17' })).toThrow('ask with accountant rdp');
    const old = epsilonOf(event, { delta: 1e-5, conversion: 'mironov17', accountant: 'rdp' });
    expect(old.upper).toBeGreaterThan(epsilonOf(event, { delta: 1e-5, accountant: 'rdp' }).upper);
    expect(old.method).toContain('Mironov 2017');
  });

  it('warns if the best order is at an end of the grid', () => {
    const answer = epsilonOf(sampled(0.01, 1, 10), { delta: 1e-5, accountant: 'rdp', orders: [2, 3, 4] });
    expect(answer.warnings).toEqual([expect.stringContaining('the last of the grid')]);
  });

  it('goes on to larger orders where small ε need them', () => {
    const answer = epsilonOf(gaussianTimes(1e4, 10), { delta: 1e-9, accountant: 'rdp' });
    expect(answer.upper).toBeLessThan(0.005);
    expect(answer.upper).toBeGreaterThan(epsilonOf(gaussianTimes(1e4, 10), { delta: 1e-9, accountant: 'gdp' }).lower);
    expect(answer.warnings).toEqual([]);
  });

  it('+∞ where nothing converges', () => {
    expect(epsilonOf({ type: 'nonPrivate' }, { delta: 1e-5 }).upper).toBe(Infinity);
    expect(epsilonOf({ type: 'gaussian', noiseMultiplier: 0 }, { delta: 1e-5 }).upper).toBe(Infinity);
    expect(epsilonOf({ type: 'noOp' }, { delta: 1e-5 })).toMatchObject({ lower: 0, upper: 0 });
    expect(epsilonOf({ type: 'selfComposed', count: 0, event: { type: 'nonPrivate' } }, { delta: 1e-5 }).upper).toBe(0);
  });
});
