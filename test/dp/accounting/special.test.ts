import { describe, expect, it } from 'vitest';
import {
  erf,
  erfc,
  erfcx,
  logBinomial,
  logErfc,
  logGamma,
  logNormalCdf,
  logNormalQuantile,
  logSubExp,
  normalCdf,
  normalQuantile,
} from '../../../packages/dp/src/accounting/special.ts';
import { gaussianDelta, gaussianEpsilon } from '../../../packages/dp/src/accounting/gaussian.ts';

/** x, erfc(x), ln erfc(x), by mpmath with 40 digits. */
const erfcTable: readonly (readonly [number, number, number])[] = [
  [-5, 1.9999999999984626, 0.6931471805591766],
  [-1, 1.8427007929497148, 0.6112323176780705],
  [-0.3, 1.3286267594591274, 0.28414589714140825],
  [1e-8, 0.9999999887162083, -1.1283791734617103e-8],
  [0.2, 0.7772974107895215, -0.25193223378261664],
  [0.49, 0.4883317388114769, -0.7167603114368805],
  [0.5, 0.4795001221869535, -0.7350111298370844],
  [0.6, 0.3961439091520741, -0.9259777267942867],
  [1, 0.15729920705028513, -1.8496055099332482],
  [1.9, 0.00720957076474253, -4.932345862780269],
  [2.1, 0.0029794666563329854, -5.8160109688675545],
  [3.3, 3.0577097964381616e-6, -12.697844354751988],
  [5.9, 7.190409783550508e-17, -37.17119841725018],
  [6.1, 6.314602150193691e-18, -39.60366692083609],
  [11, 1.4408661379436948e-54, -123.97435060422684],
  [20, 5.395865611607901e-176, -403.56934333410425],
  [26, 5.663192408856143e-296, -679.8311997631943],
  [100, 0, -10005.177585122665],
  [1e6, 0, -1000000000014.3878],
];

describe('special functions', () => {
  it.each(erfcTable)('erfc(%d) and its logarithm to 1e-13', (x, value, log) => {
    expect(Math.abs(erfc(x) - value)).toBeLessThanOrEqual(1e-13 * value);
    expect(Math.abs(logErfc(x) - log)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(log)));
    expect(Math.abs(erf(x) - (1 - value))).toBeLessThan(1e-15 + 1e-14 * Math.abs(1 - value));
  });

  it('has no seam where one formula hands over to the next', () => {
    for (const seam of [0.5, 0.625, 0.875, 5.875, 6, 12, 27.3]) {
      const step = 1e-9;
      const before = erfcx(seam - step);
      const after = erfcx(seam + step);
      const slope = 2 * seam * erfcx(seam) - 2 / Math.sqrt(Math.PI);
      expect(Math.abs(after - before - 2 * step * slope)).toBeLessThan(1e-15);
    }
  });

  it('inverts the normal distribution', () => {
    for (const p of [1e-300, 1e-20, 1e-5, 0.01, 0.3, 0.5, 0.7, 0.999]) {
      expect(normalCdf(normalQuantile(p)) / p).toBeCloseTo(1, 11);
    }
    expect(logNormalCdf(logNormalQuantile(-5000))).toBeCloseTo(-5000, 8);
    expect([normalQuantile(0), normalQuantile(1), normalQuantile(0.5)]).toEqual(
      [-Infinity, Infinity, 0].map((v) => expect.closeTo(v, 12) as number),
    );
  });

  it('has the gamma function of integers, halves and large arguments', () => {
    let factorial = 1;
    for (let n = 1; n < 60; n++) {
      expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 11);
      factorial *= n;
    }
    expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 14);
    expect(logGamma(1e6) / 12815504.569147611).toBeCloseTo(1, 14);
    expect(Math.exp(logBinomial(60, 30)) / 118264581564861424).toBeCloseTo(1, 12);
    expect(logSubExp(-1000, -1001)).toBeCloseTo(-1000 + Math.log(1 - Math.exp(-1)), 12);
  });

  it.each([
    [1, 0, 0.3829249225480262],
    [1, 3, 0.0015371853694009549],
    [0.01, 0.02, 8.575951307878229e-5],
    [0.1, 1, 1.2308359836427041e-25],
    [5, 2, 0.9683489802905149],
    [0.5, 6, 1.4222280434933783e-33],
    [20, 250, 0.005432159553807198],
    [0.001, 0.004, 7.159562434938247e-9],
  ])('δ of the Gaussian with μ = %d at ε = %d, and back', (mu, epsilon, delta) => {
    expect(gaussianDelta(mu, epsilon) / delta).toBeCloseTo(1, 10);
    if (epsilon > 0) expect(gaussianEpsilon(mu, delta)).toBeCloseTo(epsilon, 9);
  });
});
