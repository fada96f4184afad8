import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  approximateDpTradeOff,
  areaUnderCurve,
  bootstrapQuantiles,
  clopperPearsonEpsilon,
  clopperPearsonGaussianEpsilon,
  clopperPearsonLower,
  clopperPearsonMu,
  clopperPearsonTradeOffRefuted,
  clopperPearsonUpper,
  exposure,
  gaussianTradeOff,
  oneRunEpsilon,
  oneRunGaussianEpsilon,
  oneRunPValue,
  oneRunTradeOffRefuted,
  rawEpsilonEstimate,
  rocCurve,
  tprAtFpr,
} from '@sotto/dp/audit';
import type { TestCounts } from '@sotto/dp/audit';
import {
  betaQuantile,
  logBinomialLowerTail,
  logBinomialPmf,
  logBinomialUpperTail,
  logRegularizedBeta,
} from '../../../packages/dp/src/audit/binomial.ts';
import { gaussianMu } from '../../../packages/dp/src/audit/trade-off.ts';
import { gaussianEpsilon } from '../../../packages/dp/src/accounting/gaussian.ts';
import { normalCdf, normalQuantile } from '../../../packages/dp/src/accounting/special.ts';
import { fairCoins, randomSubset, uniformIndices } from '../../../packages/dp/src/audit/random-draws.ts';
import { boxMuller, statisticalRandom, wordsRandom } from './support.ts';

/** P[Binomial(n, a/d) = k] for all k, as exact integers over dⁿ. */
function exactBinomial(n: number, a: bigint, d: bigint): bigint[] {
  let row = [1n];
  for (let i = 0; i < n; i++) {
    const next = Array.from({ length: row.length + 1 }, () => 0n);
    row.forEach((value, k) => {
      next[k] = next[k]! + value * (d - a);
      next[k + 1] = next[k + 1]! + value * a;
    });
    row = next;
  }
  return row;
}

/** A quotient of big integers, correctly rounded to about 1e-16 however small it is. */
function ratio(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const shift = BigInt(Math.max(0, denominator.toString(2).length - numerator.toString(2).length) + 80);
  const scaled = Number((numerator << shift) / denominator);
  return scaled / 2 ** Math.floor(Number(shift) / 2) / 2 ** Math.ceil(Number(shift) / 2);
}

describe('binomial probabilities', () => {
  it('agree with exact integer arithmetic over their whole range, tails included', () => {
    for (const [n, a, d] of [
      [1, 1n, 3n],
      [7, 1n, 2n],
      [40, 9n, 10n],
      [150, 1n, 1000n],
      [300, 731n, 1000n],
    ] as const) {
      const row = exactBinomial(n, a, d);
      const total = d ** BigInt(n);
      const p = Number(a) / Number(d);
      const q = Number(d - a) / Number(d);
      let upper = 0n;
      let worst = 0;
      const compare = (logValue: number, exact: number): void => {
        if (exact > 1e-290) worst = Math.max(worst, Math.abs(Math.exp(logValue) / exact - 1));
      };
      for (let k = n; k >= 0; k--) {
        upper += row[k]!;
        compare(logBinomialPmf(n, k, p, q), ratio(row[k]!, total));
        compare(logBinomialUpperTail(n, k, p, q), ratio(upper, total));
        compare(logBinomialLowerTail(n, k, p, q), ratio(total - upper + row[k]!, total));
      }
      expect(worst).toBeLessThan(4e-13);
    }
  });

  it('has the incomplete beta function as its tail, and inverts it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 1e-6, max: 0.999999, noNaN: true }),
        (n, share, p) => {
          const k = Math.max(1, Math.round(share * n));
          const tail = logBinomialUpperTail(n, k, p, 1 - p);
          const beta = logRegularizedBeta(k, n - k + 1, p, 1 - p);
          expect(Math.abs(tail - beta)).toBeLessThan(1e-11 * Math.max(1, Math.abs(tail)));
          if (tail > -600 && tail < -1e-6) {
            const { x, complement } = betaQuantile(k, n - k + 1, Math.exp(tail));
            expect(x + complement).toBeCloseTo(1, 14);
            expect(Math.abs(logRegularizedBeta(k, n - k + 1, x, complement) - tail)).toBeLessThan(
              1e-10 * Math.max(1, Math.abs(tail)),
            );
          }
        },
      ),
      { seed: 7, numRuns: 300 },
    );
    // I_x(½, ½) = (2/π)·arcsin √x, the arcsine law.
    for (const x of [1e-8, 0.1, 0.5, 0.93]) {
      expect(Math.exp(logRegularizedBeta(0.5, 0.5, x, 1 - x))).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 13);
    }
  });
});

describe('Gaussian differential privacy', () => {
  it('gives the closed-form ε of the Gaussian mechanism, and back', () => {
    // Analytic Gaussian: published in the golden set as independent closed forms.
    for (const [sigma, delta, epsilon] of [
      [0.5, 1e-5, 9.997256146434],
      [1, 1e-5, 4.377178095681],
      [2, 1e-5, 1.993091404415],
      [1, 1e-6, 4.886554117462],
      [5, 1e-6, 0.834117548624],
      [10, 1e-8, 0.492850365355],
    ] as const) {
      expect(gaussianEpsilon(1 / sigma, delta)).toBeCloseTo(epsilon, 11);
      expect(gaussianMu(epsilon, delta)).toBeCloseTo(1 / sigma, 11);
    }
  });

  it('meets the published TPR at low FPR of the Gaussian mechanism with σ = 1', () => {
    // google/differential-privacy b5b0286, privacy_loss_distribution_test.py:1351-1358; relative tolerance 1e-3.
    for (const [fpr, tpr] of [
      [1e-3, 0.0183],
      [1e-4, 0.003274],
      [1e-5, 5.475e-4],
      [1e-6, 8.7218e-5],
      [1e-8, 1.99405e-6],
      [1e-10, 4.1303e-8],
    ] as const) {
      expect(Math.abs((1 - gaussianTradeOff(1)(fpr)) / tpr - 1)).toBeLessThan(fpr > 1e-9 ? 1e-3 : 1e-2);
      expect(Math.abs(normalCdf(normalQuantile(fpr) + 1) / tpr - 1)).toBeLessThan(1e-3);
    }
  });
});

describe('Clopper–Pearson limits', () => {
  it('solve their defining equations', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 1e-6, max: 0.4, noNaN: true }),
        (n, share, alpha) => {
          const k = Math.round(share * n);
          const [low, high] = [clopperPearsonLower(k, n, alpha), clopperPearsonUpper(k, n, alpha)];
          expect(low).toBeLessThanOrEqual(k / n);
          expect(high).toBeGreaterThanOrEqual(k / n);
          if (k < n) expect(Math.exp(logBinomialLowerTail(n, k, high, 1 - high)) / alpha).toBeCloseTo(1, 8);
          if (k > 0) expect(Math.exp(logBinomialUpperTail(n, k, low, 1 - low)) / alpha).toBeCloseTo(1, 8);
        },
      ),
      { seed: 11, numRuns: 300 },
    );
    expect(clopperPearsonUpper(0, 0, 0.05)).toBe(1);
    expect(clopperPearsonLower(0, 0, 0.05)).toBe(0);
  });

  it('covers: neither the ε nor the μ of a known mechanism is exceeded more often than stated', () => {
    // Exact: all outcomes of 60 + 60 canaries, weighted by their probabilities under G_μ at the best threshold.
    const n = 60;
    const mu = 1.2;
    const delta = 0.02;
    const epsilon = gaussianEpsilon(mu, delta);
    const f = gaussianTradeOff(mu);
    for (const fpr of [0.02, 0.2]) {
      const tpr = 1 - f(fpr);
      let beyondEpsilon = 0;
      let beyondMu = 0;
      let beyondCurve = 0;
      for (let fp = 0; fp <= n; fp++) {
        for (let tp = 0; tp <= n; tp++) {
          const mass = Math.exp(logBinomialPmf(n, fp, fpr, 1 - fpr) + logBinomialPmf(n, tp, tpr, 1 - tpr));
          if (mass < 1e-9) continue;
          const counts: TestCounts = { positives: n, truePositives: tp, negatives: n, falsePositives: fp };
          if (clopperPearsonEpsilon(counts, delta, 0.1) > epsilon) beyondEpsilon += mass;
          const muBound = clopperPearsonMu(counts, 0.1);
          if (muBound > mu) beyondMu += mass;
          const refuted = clopperPearsonTradeOffRefuted(counts, f, 0.1);
          if (refuted) beyondCurve += mass;
          if (Math.abs(muBound - mu) > 1e-9) expect(refuted).toBe(muBound > mu);
        }
      }
      expect(beyondEpsilon).toBeLessThanOrEqual(0.1);
      expect(beyondMu).toBeLessThanOrEqual(0.1);
      expect(beyondCurve).toBeLessThanOrEqual(0.1);
      expect(beyondMu).toBeGreaterThan(0); // two limits at once are conservative, not vacuous
    }
    // Both limits by hand at δ = 0.1: 90 of 100 right on one side, 40 of 50 on the other.
    const lopsided: TestCounts = { positives: 100, truePositives: 90, negatives: 50, falsePositives: 10 };
    const [fnr, fpr] = [clopperPearsonUpper(10, 100, 0.025), clopperPearsonUpper(10, 50, 0.025)];
    const byHand = Math.max(Math.log((1 - fnr - 0.1) / fpr), Math.log((1 - fpr - 0.1) / fnr));
    expect(clopperPearsonEpsilon(lopsided, 0.1, 0.05)).toBeCloseTo(byHand, 12);
    const mirrored: TestCounts = { positives: 50, truePositives: 40, negatives: 100, falsePositives: 10 };
    expect(clopperPearsonEpsilon(mirrored, 0.1, 0.05)).toBeCloseTo(byHand, 12);
    expect(clopperPearsonEpsilon(lopsided, 0.95, 0.05)).toBe(0);
    const sharp = { positives: 1000, truePositives: 500, negatives: 1000, falsePositives: 20 };
    expect(clopperPearsonGaussianEpsilon(sharp, 1e-5, 0.05)).toBeCloseTo(
      gaussianEpsilon(clopperPearsonMu(sharp, 0.05), 1e-5),
      12,
    );
  });
});

describe('the one-run audit', () => {
  it('has the p-value of the naive sums', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 8, noNaN: true }),
        fc.constantFrom(0, 1e-6, 1e-3, 0.1),
        (guesses, share, epsilon, delta) => {
          const correct = Math.round(share * guesses);
          const canaries = guesses + 10;
          const p = 1 / (1 + Math.exp(-epsilon));
          const mass = Array.from({ length: guesses + 1 }, (_, k) =>
            Math.exp(logBinomialPmf(guesses, k, p, 1 / (1 + Math.exp(epsilon)))),
          );
          const beta = mass.slice(correct).reduce((a, b) => a + b, 0);
          let alpha = 0;
          let sum = 0;
          for (let i = 1; i <= correct; i++) alpha = Math.max(alpha, (sum += mass[correct - i]!) / i);
          const naive = Math.min(1, beta + 2 * canaries * delta * alpha);
          expect(oneRunPValue({ canaries, guesses, correct }, epsilon, delta)).toBeCloseTo(naive, 11);
        },
      ),
      { seed: 3, numRuns: 400 },
    );
  });

  it('is exactly calibrated on randomised response, the worst ε-DP mechanism', () => {
    // m bits, each told truthfully with probability e^ε/(1 + e^ε): P[p-value ≤ α] summed over all outcomes.
    const [m, epsilon] = [200, 1.3];
    const truth = 1 / (1 + Math.exp(-epsilon));
    for (const alpha of [0.01, 0.05, 0.2]) {
      let refuted = 0;
      for (let correct = 0; correct <= m; correct++) {
        const p = oneRunPValue({ canaries: m, guesses: m, correct }, epsilon, 0);
        if (p <= alpha) refuted += Math.exp(logBinomialPmf(m, correct, truth, 1 - truth));
      }
      expect(refuted).toBeLessThanOrEqual(alpha * (1 + 1e-12));
      expect(refuted).toBeGreaterThan(alpha / 3);
    }
  });

  it('for trade-off functions: never refutes a true claim more often than stated', () => {
    // Exact tails: randomised response under its own (ε, 0) curve, and signs of Gaussian releases under G_μ.
    for (const m of [5, 50, 400]) {
      for (const strength of [0.3, 1, 2.5]) {
        const cases = [
          { curve: approximateDpTradeOff(strength, 0), right: 1 / (1 + Math.exp(-strength)) },
          { curve: gaussianTradeOff(strength), right: normalCdf(strength / 2) },
        ];
        for (const { curve, right } of cases) {
          for (const alpha of [0.01, 0.1]) {
            let mostLikely = 0;
            for (let correct = 0; correct <= m; correct++) {
              if (!oneRunTradeOffRefuted({ canaries: m, guesses: m, correct }, curve, alpha)) continue;
              mostLikely = Math.max(mostLikely, Math.exp(logBinomialUpperTail(m, correct, right, 1 - right)));
            }
            expect(mostLikely).toBeLessThanOrEqual(alpha);
          }
        }
      }
    }
  });

  it('for trade-off functions: refutes more than the point bound does on the same guesses', () => {
    const counts = { canaries: 5000, guesses: 500, correct: 460 };
    const pointwise = oneRunEpsilon(counts, 1e-5, 0.05);
    const family = oneRunGaussianEpsilon(counts, 1e-5, 0.05);
    expect(family).toBeGreaterThan(1.4 * pointwise);
    expect(oneRunTradeOffRefuted(counts, gaussianTradeOff(gaussianMu(family - 1e-6, 1e-5)), 0.05)).toBe(true);
    expect(oneRunTradeOffRefuted(counts, gaussianTradeOff(gaussianMu(family + 1e-6, 1e-5)), 0.05)).toBe(false);
    expect(oneRunEpsilon(counts, 1e-5, 0.05, pointwise + 1)).toBe(0);
  });
});

describe('curves and resampling', () => {
  const random = statisticalRandom('curves');

  it('agrees with counting pairs and decisions by brute force, ties included', () => {
    for (let round = 0; round < 20; round++) {
      const draw = (count: number, shift: number): Float64Array =>
        boxMuller(random, count).map((x) => Math.round(2 * (x + shift)) / 2);
      const scores = { inScores: draw(37, 0.7), outScores: draw(23, 0) };
      const curve = rocCurve(scores);
      let pairs = 0;
      for (const a of scores.inScores) for (const b of scores.outScores) pairs += a > b ? 1 : a === b ? 0.5 : 0;
      expect(areaUnderCurve(curve)).toBeCloseTo(pairs / (37 * 23), 12);
      curve.thresholds.forEach((t, k) => {
        expect(curve.truePositives[k]).toBe(scores.inScores.filter((x) => x >= t).length);
        expect(curve.falsePositives[k]).toBe(scores.outScores.filter((x) => x >= t).length);
      });
      // The hull's TPR is the best of all mixtures of two thresholds.
      for (const fpr of [0, 0.1, 0.5, 1]) {
        let best = 0;
        curve.thresholds.forEach((_, a) => {
          curve.thresholds.forEach((__, b) => {
            const [fa, fb] = [curve.falsePositives[a]! / 23, curve.falsePositives[b]! / 23];
            const [ta, tb] = [curve.truePositives[a]! / 37, curve.truePositives[b]! / 37];
            if (fa <= fpr) best = Math.max(best, ta);
            if (fa <= fpr && fb > fpr) best = Math.max(best, ta + ((fpr - fa) / (fb - fa)) * (tb - ta));
          });
        });
        expect(tprAtFpr(curve, fpr)).toBeCloseTo(best, 12);
      }
    }
    expect(() => rocCurve({ inScores: Float64Array.of(), outScores: Float64Array.of(1) })).toThrow(/inScores is empty/);
    expect(() => rocCurve({ inScores: Float64Array.of(1), outScores: Float64Array.of(Number.NaN) })).toThrow(/NaN/);
  });

  it('bootstraps an interval with the width of the central limit theorem', () => {
    const inScores = boxMuller(random, 4000);
    const mean = (scores: Float64Array): number => scores.reduce((a, b) => a + b, 0) / scores.length;
    const interval = bootstrapQuantiles({ inScores, outScores: inScores }, (s) => mean(s.inScores), { random, samples: 400 });
    const half = 1.96 * Math.sqrt(inScores.reduce((a, b) => a + (b - mean(inScores)) ** 2, 0) / 4000 / 4000);
    expect(Math.abs(interval[0]! - (mean(inScores) - half))).toBeLessThan(0.2 * half);
    expect(Math.abs(interval[1]! - (mean(inScores) + half))).toBeLessThan(0.2 * half);
    const scores = { inScores: inScores.map((x) => x + 1), outScores: boxMuller(random, 4000) };
    const estimates = bootstrapQuantiles(scores, (s) => rawEpsilonEstimate(rocCurve(s), 0, 50), {
      random,
      samples: 20,
      quantiles: [0.1, 0.9],
    });
    const estimate = rawEpsilonEstimate(rocCurve(scores), 0, 50);
    expect(estimate).toBeGreaterThan(estimates[0]! - 0.3);
    expect(estimate).toBeLessThan(estimates[1]! + 0.3);
  });

  it('draws fair coins from every bit, and indices without the bias of a remainder', () => {
    expect([...fairCoins({ fill: (target) => target.fill(0b1010_0001) }, 10)]).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 1, 0]);
    // 2³² is no multiple of 3: its last word is rejected, not folded onto index 0.
    expect([...uniformIndices(wordsRandom([0xffff_ffff, 5, 0xffff_fffe, 4]), 3, 2)]).toEqual([2, 2]);
    expect(randomSubset(random, 20, 7).reduce((a, b) => a + b, 0)).toBe(7);
  });

  it('ranks an exposed secret in bits', () => {
    const others = Float64Array.from({ length: 1023 }, (_, i) => 1 + i / 1000);
    expect(exposure(0.5, others)).toEqual({ bits: 10, rank: 1, space: 1024 });
    expect(exposure(9, others)).toEqual({ bits: 0, rank: 1024, space: 1024 });
    expect(exposure(1, others).rank).toBe(2); // a tie counts against the secret
    expect(() => exposure(1, Float64Array.of())).toThrow(/alternativeLosses is empty/);
  });

  it('refuses impossible counts and parameters by name', () => {
    expect(() => oneRunPValue({ canaries: 10, guesses: 11, correct: 3 }, 1, 0)).toThrow(/guesses/);
    expect(() => oneRunPValue({ canaries: 10, guesses: 5, correct: 6 }, 1, 0)).toThrow(/correct/);
    expect(() => oneRunEpsilon({ canaries: 10, guesses: 5, correct: 5 }, 0, 1)).toThrow(/significance/);
    expect(() => clopperPearsonUpper(3, 2, 0.05)).toThrow(/successes/);
    expect(() => clopperPearsonUpper(1.5, 2, 0.05)).toThrow(/successes/);
    expect(() =>
      bootstrapQuantiles({ inScores: Float64Array.of(1), outScores: Float64Array.of(1) }, () => 1, { random, quantiles: [1] }),
    ).toThrow(/quantiles\[0\]/);
  });
});
