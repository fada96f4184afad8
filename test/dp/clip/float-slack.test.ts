/** The slack of `fast` mode, term by term: what rounding can do at worst is not reached by examples that one thinks of, so that these would not notice a term that is missing. */
import { describe, expect, it } from 'vitest';
import { floatSlack } from '../../../packages/dp/src/clip/float-slack.ts';

/** Half a unit in the last place of 1. */
const U = 5.9604644775390625e-8;
const slack = (dimension: number, maxBatchSize: number, maxFloatRows: number): number =>
  floatSlack({ dimension, maxBatchSize, maxFloatRows });

describe('the float slack', () => {
  it('counts the roundings of a squared norm, of which its root has half, and those of factor and product', () => {
    // A squared norm of D terms is off by (D + 4)·u, its root by half of that.
    expect(slack(3000, 1, 1) - slack(1000, 1, 1)).toBeGreaterThanOrEqual((1 - 1e-9) * 0.5 * U * 2000);
    // Product, C, its share, what underflows, root and quotient as WGSL allows them, and the norm's four beside its terms.
    expect(slack(1, 1, 1)).toBeGreaterThanOrEqual(24 * U);
  });

  it('counts R + 2 roundings of every example in the sums of both neighbours', () => {
    for (const [batch, rows] of [
      [100, 10],
      [400, 153],
      [5000, 441],
    ] as const) {
      const sums = slack(1, batch, rows) - slack(1, 1, 1);
      const exact = 2 * U * (batch * (rows + 2) - 3);
      expect(sums).toBeGreaterThanOrEqual((1 - 1e-9) * exact);
      // A tenth for higher orders, and no more is given away.
      expect(sums).toBeLessThanOrEqual(1.1 * (1 + 1e-9) * exact);
    }
  });

  it('is a thousandth or so for ordinary models and batches', () => {
    // 1.1·2⁻²⁴·(500 + 24 + 2·200·52), by hand.
    expect(slack(1000, 200, 50)).toBeCloseTo(1.3981e-3, 7);
  });
});
