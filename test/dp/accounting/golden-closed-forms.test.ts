/** Oracle rows with closed forms: Gaussian, zCDP, shuffling, matrix factorisation. */
import { describe, expect, it } from 'vitest';
import { calibrate, epsilonOf, gdpMuOf, tradeOffCurve } from '@sotto/dp';
import type { DpEvent } from '@sotto/core/event';
import { cltMu, gaussianEpsilon } from '../../../packages/dp/src/accounting/gaussian.ts';
import { matrixSensitivity, strategyColumn } from '../../../packages/dp/src/accounting/matrix.ts';
import { zcdpDelta, zcdpEpsilon } from '../../../packages/dp/src/accounting/zcdp.ts';
import { homeOf } from '../golden/homes.ts';
import { number, type Row, rows, toleranceOf } from '../golden/rows.ts';

const mine = rows.filter((row) => homeOf(row) === 'classical' && !row.accountant.startsWith('RDP'));

function close(row: Row, ours: number, want: number): void {
  expect(Math.abs(ours - want), `${row.id}: ${ours} against ${want}`).toBeLessThanOrEqual(toleranceOf(row, want));
}

type Check = (row: Row) => void;

const checks: Readonly<Record<string, Check>> = {
  'closed-form analytic Gaussian'(row) {
    const { lower, upper } = epsilonOf(
      { type: 'gaussian', noiseMultiplier: number(row, 'sigma') },
      { delta: number(row, 'delta') },
    );
    close(row, upper, number(row, 'epsilon'));
    close(row, lower, number(row, 'epsilon'));
  },
  'analytic Gaussian'(row) {
    const sensitivity = number(row, 'sensitivity');
    const count = number(row, 'steps');
    const { value, achieved } = calibrate(
      {
        event: (std) => ({ type: 'selfComposed', count, event: { type: 'gaussian', noiseMultiplier: std / sensitivity } }),
        epsilon: 'decreasing',
        integer: false,
        min: 1e-3,
        max: 1e6,
      },
      { epsilon: number(row, 'epsilon'), delta: number(row, 'delta'), accountant: 'gdp', tolerance: 1e-11 },
    );
    expect(achieved.upper).toBeLessThanOrEqual(number(row, 'epsilon'));
    // The published value rounds the target's δ to eight digits.
    expect(Math.abs(value - number(row, 'value'))).toBeLessThan(Math.max(toleranceOf(row, 0), 1e-7 * number(row, 'value')));
  },
  'f-DP / PLD TPR'(row) {
    const [point] = tradeOffCurve({ type: 'gaussian', noiseMultiplier: number(row, 'sigma') }, [number(row, 'fpr')]);
    close(row, point!.upper, number(row, 'value'));
    expect(Math.abs(point!.upper / number(row, 'recomputed') - 1)).toBeLessThan(1e-9);
  },
  'GDP(CLT, NOT an upper bound)'(row) {
    const epsilon = gaussianEpsilon(cltMu(number(row, 'q'), number(row, 'sigma'), number(row, 'steps')), number(row, 'delta'));
    close(row, epsilon, number(row, 'epsilon'));
    expect(Math.abs(epsilon - number(row, 'recomputed'))).toBeLessThan(1e-8);
  },
  'GDP(CLT)'(row) {
    const epsilon = gaussianEpsilon(cltMu(number(row, 'q'), number(row, 'value'), number(row, 'steps')), number(row, 'delta'));
    expect(epsilon).toBeLessThanOrEqual(8);
    expect(epsilon).toBeGreaterThan(7.99);
  },
  'zCDP->DP'(row) {
    const rho = number(row, 'rho');
    if (row.id === 'opendp-cdpdelta-2') {
      // The figure is 3e-13 above the 50-digit value 2.6196763297295555541e-234; ours lies between the two.
      const ours = zcdpDelta(rho, number(row, 'epsilon'));
      expect(ours).toBeGreaterThan(2.6196763297295555e-234);
      expect(ours).toBeLessThanOrEqual(number(row, 'value'));
    } else if (row.kind === 'delta') close(row, zcdpDelta(rho, number(row, 'epsilon')), number(row, 'value'));
    else close(row, zcdpEpsilon(rho, number(row, 'delta')), number(row, 'epsilon'));
  },
  'closed-form LOWER bound (event max_t w_t>=C; P=avg N(2e_t), Q=avg N(e_t))'(row) {
    const event: DpEvent = {
      type: 'shuffled',
      batches: number(row, 'steps'),
      epochs: 1,
      event: { type: 'gaussian', noiseMultiplier: number(row, 'sigma') },
    };
    const { lower, upper } = epsilonOf(event, { delta: number(row, 'delta'), adjacency: 'replaceSpecial' });
    close(row, lower, number(row, 'epsilon'));
    expect(upper).toBeGreaterThan(lower);
  },
  'closed-form MF coefs of A^{1/2}: binom(2k,k)/4^k'(row) {
    const steps = number(row, 'n');
    const column = strategyColumn({ type: 'squareRootToeplitz', steps, bands: 0 });
    (row['value'] as number[]).forEach((want, i) => close(row, column[i]!, want));
    const sensitivity = matrixSensitivity({ type: 'squareRootToeplitz', steps, bands: 0 }, { type: 'single' });
    expect(sensitivity ** 2).toBeCloseTo(1.718379259109, 11);
  },
  'GDP estimate from PLD'(row) {
    const event: DpEvent = { type: 'randomizedResponse', noiseParameter: number(row, 'noise_parameter'), buckets: 2 };
    const { mu } = gdpMuOf(event, { adjacency: 'replaceOne', points: 400 });
    close(row, mu, number(row, 'value'));
  },
  'PLD TPR'(row) {
    const events = (row['epsilons'] as number[]).map((epsilon): DpEvent => ({ type: 'epsilonDelta', epsilon, delta: 0 }));
    const [point] = tradeOffCurve({ type: 'composed', events }, [0.1], { points: 800 });
    close(row, point!.upper, number(row, 'value'));
  },
};

describe('closed forms', () => {
  it.each(mine.map((row) => [row.id, row] as const))('%s', (_id, row) => {
    const check = checks[row.accountant];
    expect(check, `no check for ${row.accountant}`).toBeDefined();
    check!(row);
  });
});
