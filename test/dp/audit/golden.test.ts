import { describe, expect, it } from 'vitest';
import {
  clopperPearsonEpsilon,
  clopperPearsonUpper,
  hullIndices,
  oneRunEpsilon,
  oneRunGaussianEpsilon,
  rocCurve,
} from '@sotto/dp/audit';
import { normalQuantile } from '../../../packages/dp/src/accounting/special.ts';
import { homeOf } from '../golden/homes.ts';
import { number, rows, toleranceOf } from '../golden/rows.ts';
import type { Row } from '../golden/rows.ts';

const mine = rows.filter((row) => homeOf(row) === 'audit');

/** Scores at the normal quantiles (i + ½)/n, shifted for the canaries that were in: Google's deterministic fixture. */
function bestOverHull(row: Row): number {
  const n = number(row, 'n_in');
  const outScores = Float64Array.from({ length: n }, (_, i) => normalQuantile((i + 0.5) / n));
  const curve = rocCurve({ inScores: outScores.map((x) => x + number(row, 'shift')), outScores });
  const hull = hullIndices(curve);
  // Bonferroni over the hull's thresholds, as the rows' source does. The hull depends on the scores, so this repeats published
  // figures; the audit itself fixes its guess counts beforehand.
  const significance = number(row, 'significance') / hull.length;
  const bound = row.accountant.includes('f-DP') ? oneRunGaussianEpsilon : oneRunEpsilon;
  // Promising thresholds first: a bound that cannot beat the best one is not searched.
  const wrongLimit = (c: { guesses: number; correct: number }): number =>
    clopperPearsonUpper(c.guesses - c.correct, c.guesses, 1e-4);
  const counts = [...hull]
    .map((k) => ({
      canaries: curve.positives + curve.negatives,
      guesses: curve.truePositives[k]! + curve.falsePositives[k]!,
      correct: curve.truePositives[k]!,
    }))
    .filter((c) => 2 * c.correct > c.guesses)
    .map((c) => ({ ...c, limit: wrongLimit(c) }))
    .sort((a, b) => a.limit - b.limit);
  let best = 0;
  for (const { canaries, guesses, correct } of counts) {
    best = Math.max(best, bound({ canaries, guesses, correct }, number(row, 'delta'), significance, best));
  }
  return best;
}

function audited(row: Row): number {
  switch (row.mechanism) {
    case 'canaries': {
      const counts = { canaries: number(row, 'm'), guesses: number(row, 'n_guess'), correct: number(row, 'n_correct') };
      return oneRunEpsilon(counts, number(row, 'delta'), number(row, 'significance'));
    }
    case 'canary_scores':
      return bestOverHull(row);
    default: {
      const [truePositives, falsePositives] = [number(row, 'tp'), number(row, 'fp')];
      const counts = {
        positives: truePositives + number(row, 'fn'),
        truePositives,
        negatives: falsePositives + number(row, 'tn'),
        falsePositives,
      };
      return clopperPearsonEpsilon(counts, 0, number(row, 'alpha'));
    }
  }
}

describe('the audit rows of the golden set', () => {
  it('are twelve', () => {
    expect(mine).toHaveLength(12);
  });

  it.each(mine.map((row) => [row.id, row] as const))('%s', (_, row) => {
    const expected = number(row, 'epsilon');
    expect(Math.abs(audited(row) - expected)).toBeLessThanOrEqual(toleranceOf(row, expected));
  });
});
