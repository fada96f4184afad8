/** Curves, attacks, shuffling, matrix mechanisms and finite mechanisms against independent computations. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { bayesOf, deltaCurve, deltaOf, epsilonCurve, epsilonOf, gdpMuOf, tradeOffCurve } from '@sotto/dp';
import type { DpEvent, MatrixFactorisation, MatrixParticipation } from '@sotto/core/event';
import { matrixSensitivity, strategyColumn } from '../../../packages/dp/src/accounting/matrix.ts';
import { normalCdf } from '../../../packages/dp/src/accounting/special.ts';

const gaussian = (noiseMultiplier: number): DpEvent => ({ type: 'gaussian', noiseMultiplier });

describe('curves', () => {
  const event: DpEvent = {
    type: 'selfComposed',
    count: 100,
    event: { type: 'poissonSampled', sampleRate: 0.02, event: gaussian(1) },
  };

  it('fall, and agree with the single readings', () => {
    const deltas = [1e-8, 1e-6, 1e-4];
    const epsilons = epsilonCurve(event, deltas, { accountant: 'rdp' });
    expect(epsilons.map(({ x }) => x)).toEqual(deltas);
    expect(epsilons[0]!.upper).toBeGreaterThan(epsilons[1]!.upper);
    expect(epsilons[1]!.upper).toBe(epsilonOf(event, { delta: 1e-6, accountant: 'rdp' }).upper);
    const points = deltaCurve(event, [0, 0.5, 1, 2], { accountant: 'rdp' });
    points.slice(1).forEach((p, i) => expect(p.upper).toBeLessThanOrEqual(points[i]!.upper));
  });

  it('the trade-off curve of a Gaussian is exact, and the envelope of (ε, δ) comes close to it from above', () => {
    const fprs = [1e-4, 0.01, 0.3];
    const exact = tradeOffCurve(gaussian(1), fprs);
    const envelope = tradeOffCurve(gaussian(1), fprs, { accountant: 'gdp', points: 2000 });
    exact.forEach((point, i) => {
      expect(envelope[i]!.upper).toBeGreaterThanOrEqual(point.upper * (1 - 1e-9));
      expect(envelope[i]!.upper).toBeLessThan(point.upper * 1.01);
    });
    expect(() => tradeOffCurve(gaussian(1), [1.5])).toThrow('fprs[0] is 1.5');
  });

  it('μ of a Gaussian is exact; of other events it covers their curve', () => {
    expect(gdpMuOf(gaussian(4), { groupSize: 2 })).toEqual({ mu: 0.5, exact: true });
    const { mu, exact } = gdpMuOf({ type: 'laplace', noiseMultiplier: 1 });
    expect(exact).toBe(false);
    expect(mu).toBeGreaterThan(1);
  });

  it('Bayes: the best guess about a Gaussian release is the likelihood-ratio test', () => {
    // Equal priors: success Φ(μ/2).
    const even = bayesOf(gaussian(1), { prior: 0.5, delta: 1e-5 });
    expect(even.successUpper).toBeCloseTo(normalCdf(0.5), 10);
    // A prior of 0.1: success of the test "x > threshold" with the threshold at the prior odds, P = N(1,1), Q = N(0,1).
    const prior = 0.1;
    const threshold = Math.log((1 - prior) / prior) + 0.5;
    const best = prior * normalCdf(1 - threshold) + (1 - prior) * normalCdf(threshold);
    const rare = bayesOf(gaussian(1), { prior, delta: 1e-5 });
    expect(rare.successUpper).toBeCloseTo(best, 10);
    expect(rare.advantageUpper).toBeCloseTo(best - 0.9, 10);
    expect(rare.posteriorUpper).toBeGreaterThan(0.85);
    expect(bayesOf({ type: 'noOp' }, { prior, delta: 1e-5 })).toMatchObject({ advantageUpper: expect.closeTo(0, 12) as number });
  });
});

describe('shuffled batches', () => {
  const shuffled = (noiseMultiplier: number, batches: number, epochs = 1): DpEvent => ({
    type: 'shuffled',
    batches,
    epochs,
    event: gaussian(noiseMultiplier),
  });

  it('have no add-or-remove neighbour', () => {
    expect(() => epsilonOf(shuffled(1, 100), { delta: 1e-5 })).toThrow('shuffled: batches of fixed size');
  });

  it('are bounded from both sides, far above the Poisson figure', () => {
    const { lower, upper } = epsilonOf(shuffled(0.7, 1000), { delta: 1e-5, adjacency: 'replaceSpecial' });
    const poisson = epsilonOf(
      { type: 'selfComposed', count: 1000, event: { type: 'poissonSampled', sampleRate: 1e-3, event: gaussian(0.7) } },
      { delta: 1e-5 },
    );
    expect(lower).toBeGreaterThan(3 * poisson.upper);
    expect(upper).toBeGreaterThan(lower);
    expect(upper).toBeCloseTo(epsilonOf(gaussian(0.7), { delta: 1e-5 }).upper, 9);
    const three = epsilonOf(shuffled(0.7, 1000, 3), { delta: 1e-5, adjacency: 'replaceSpecial' });
    expect(three.upper).toBeCloseTo(epsilonOf(gaussian(0.7 / Math.sqrt(3)), { delta: 1e-5 }).upper, 9);
    expect(three.lower).toBeGreaterThanOrEqual(lower);
  });

  it('one batch is no shuffling: the bounds meet', () => {
    const { lower, upper } = epsilonOf(shuffled(1, 1), { delta: 1e-5, adjacency: 'replaceSpecial' });
    // A threshold on one Gaussian reaches ln((P − δ)/Q), a little below ε(δ).
    expect(lower).toBeGreaterThan(0.85 * upper);
    expect(lower).toBeLessThanOrEqual(upper);
  });

  it('balls in bins have a neighbour with one unit more', () => {
    const event: DpEvent = { type: 'ballsInBins', bins: 100, epochs: 1, event: gaussian(0.6) };
    const added = epsilonOf(event, { delta: 1e-5 });
    const replaced = epsilonOf(event, { delta: 1e-5, adjacency: 'replaceOne' });
    expect(added.lower).toBeGreaterThan(0);
    expect(replaced.lower).toBeGreaterThanOrEqual(added.lower);
    expect(deltaOf(event, { epsilon: 1 }).lower).toBeGreaterThan(1e-5);
  });
});

describe('matrix mechanisms', () => {
  /** Brute force: every set of steps that a unit may take part in, every sign pattern, on the dense matrix. */
  function bruteForce(factorisation: MatrixFactorisation, participation: MatrixParticipation): number {
    const { steps } = factorisation;
    const column = strategyColumn(factorisation);
    let best = 0;
    for (let set = 1; set < 1 << steps; set++) {
      const chosen = Array.from({ length: steps }, (_, t) => t).filter((t) => (set >> t) & 1);
      if (participation.type === 'single' && chosen.length > 1) continue;
      if (participation.type === 'minSeparation') {
        if (chosen.length > participation.maxParticipations) continue;
        if (chosen.some((t, i) => i > 0 && t - chosen[i - 1]! < participation.separation)) continue;
      }
      for (let signs = 0; signs < 1 << chosen.length; signs++) {
        const sum = new Float64Array(steps);
        chosen.forEach((t, i) => {
          for (let k = 0; t + k < steps && k < column.length; k++) sum[t + k]! += (signs >> i) & 1 ? -column[k]! : column[k]!;
        });
        best = Math.max(best, Math.hypot(...sum));
      }
    }
    return best;
  }

  it('have the sensitivity of the worst participation', () => {
    const factorisations: MatrixFactorisation[] = [
      { type: 'bandedToeplitz', steps: 8, coefficients: [1, 0.6, 0.3] },
      { type: 'bandedToeplitz', steps: 8, coefficients: [1] },
      { type: 'squareRootToeplitz', steps: 8, bands: 0 },
      { type: 'squareRootToeplitz', steps: 8, bands: 4 },
      { type: 'blt', steps: 8, outputScales: [0.3, 0.2], bufferDecays: [0.9, 0.5] },
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...factorisations),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        (factorisation, separation, maxParticipations) => {
          const participation: MatrixParticipation = { type: 'minSeparation', separation, maxParticipations };
          expect(matrixSensitivity(factorisation, participation)).toBeCloseTo(bruteForce(factorisation, participation), 10);
        },
      ),
      { numRuns: 60, seed: 4 },
    );
    for (const factorisation of factorisations) {
      expect(matrixSensitivity(factorisation, { type: 'single' })).toBeCloseTo(bruteForce(factorisation, { type: 'single' }), 12);
    }
  });

  it('refuse what has no amplification or no known worst case', () => {
    const banded: MatrixFactorisation = { type: 'bandedToeplitz', steps: 8, coefficients: [1, 0.6, 0.3] };
    expect(() => matrixSensitivity(banded, { type: 'cyclicPoisson', sampleRate: 0.1, groups: 2 })).toThrow(
      'at most as many bands as groups',
    );
    const rising: MatrixFactorisation = { type: 'bandedToeplitz', steps: 8, coefficients: [1, 2] };
    expect(() => matrixSensitivity(rising, { type: 'minSeparation', separation: 1, maxParticipations: 3 })).toThrow('increase');
  });

  it('are the Gaussian that they are: identity strategy, every unit in every step', () => {
    const event: DpEvent = {
      type: 'matrixMechanism',
      noiseMultiplier: 3,
      factorisation: { type: 'bandedToeplitz', steps: 10, coefficients: [1] },
      participation: { type: 'minSeparation', separation: 1, maxParticipations: 10 },
    };
    const plain = epsilonOf({ type: 'selfComposed', count: 10, event: gaussian(3) }, { delta: 1e-6 });
    expect(epsilonOf(event, { delta: 1e-6 }).upper).toBeCloseTo(plain.upper, 10);
  });
});

describe('finite mechanisms', () => {
  it('randomised response ten times, by the binomial sum', () => {
    const noise = 0.5;
    const high = 1 - noise / 2;
    const epsilon = Math.log(high / (1 - high));
    const event: DpEvent = {
      type: 'selfComposed',
      count: 10,
      event: { type: 'randomizedResponse', noiseParameter: noise, buckets: 2 },
    };
    for (const at of [0, 1, 4, 9]) {
      let delta = 0;
      let binomial = 1;
      for (let k = 0; k <= 10; k++) {
        const p = binomial * high ** (10 - k) * (1 - high) ** k;
        delta += Math.max(0, p * (1 - Math.exp(at - (10 - 2 * k) * epsilon)));
        binomial = (binomial * (10 - k)) / (k + 1);
      }
      const answer = deltaOf(event, { epsilon: at, adjacency: 'replaceOne' });
      expect(answer.upper).toBeCloseTo(delta, 11);
      expect(answer.lower).toBeCloseTo(delta, 11);
    }
  });

  it('(ε, δ)-DP mechanisms: one is itself, and many are below basic composition', () => {
    const event: DpEvent = { type: 'epsilonDelta', epsilon: 0.5, delta: 1e-6 };
    expect(epsilonOf(event, { delta: 1e-6 * (1 + 1e-9) }).upper).toBeCloseTo(0.5, 6);
    const fifty = epsilonOf(
      { type: 'selfComposed', count: 50, event: { type: 'epsilonDelta', epsilon: 0.1, delta: 0 } },
      { delta: 1e-5 },
    );
    expect(fifty.upper).toBeLessThan(0.65 * 5);
    expect(fifty.upper - fifty.lower).toBeLessThan(1e-9);
    expect(epsilonOf({ type: 'selfComposed', count: 50, event }, { delta: 1e-5 }).upper).toBe(Infinity);
  });

  it('discrete Laplace: pure ε at vanishing δ, exact composition above it', () => {
    const event: DpEvent = { type: 'discreteLaplace', noiseParameter: 0.3, sensitivity: 2 };
    expect(epsilonOf(event, { delta: 1e-300 }).upper).toBeCloseTo(0.6, 9);
    expect(epsilonOf(event, { delta: 0.05 }).upper).toBeLessThan(0.6);
    expect(epsilonOf(event, { delta: 1e-300, adjacency: 'replaceOne' }).upper).toBeCloseTo(1.2, 9);
  });

  it('a Poisson sample of a pure mechanism has ln(1 + q(e^ε − 1))', () => {
    const event: DpEvent = { type: 'poissonSampled', sampleRate: 0.1, event: { type: 'epsilonDelta', epsilon: 1, delta: 0 } };
    expect(epsilonOf(event, { delta: 1e-300 }).upper).toBeCloseTo(Math.log(1 + 0.1 * Math.expm1(1)), 9);
  });
});
