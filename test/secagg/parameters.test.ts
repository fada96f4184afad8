import { describe, expect, it } from 'vitest';
import { parametersOf, roundParameters } from '../../packages/secagg/src/parameters.ts';
import { graphParameters } from '../../packages/secagg/src/graph-parameters.ts';
import graph from './golden/secagg-graph.json' with { type: 'json' };
import golden from './golden/secagg-params.json' with { type: 'json' };

describe('parameters of the complete graph', () => {
  it('match every row of the table', () => {
    expect(golden.rows.length).toBe(204);
    for (const row of golden.rows) {
      const [p, q] = row.gamma.split('/').map(Number);
      const rule = { gammaNumerator: p!, gammaDenominator: q!, cMin: 0, nMin: row.nMin, nMax: 512, hMin: row.hMin };
      const got = parametersOf(row.n, rule);
      expect(got).toEqual({ n: row.n, c: row.c, t: row.t, T: row.T, F: row.F });
      if (!row.accepted) {
        expect(() => roundParameters(row.n, rule)).toThrow(/roster has/);
        continue;
      }
      expect(roundParameters(row.n, rule)).toEqual(got);
      expect(row.n - got.F).toBe(row.lossesBeforeFreeze);
      expect(row.n - got.t).toBe(row.lossesInAll);
      expect(got.F - got.c).toBe(row.honestInTheSum);
      expect(2 * got.t).toBeGreaterThan(row.n + got.c);
    }
  });
});

describe('degree and threshold of the sparse graph', () => {
  it('match every row of the reference implementation', () => {
    expect(graph.rows.length).toBe(104);
    for (const row of graph.rows) {
      const mode = row.adversary === 'semi-malicious' ? 'semi-malicious' : 'semi-honest';
      const got = graphParameters(row.clients, row.adversarialRate, row.dropoutRate, mode);
      expect(got ?? { degree: 0, threshold: row.threshold }).toEqual({ degree: row.degree, threshold: row.threshold });
    }
  });
});
