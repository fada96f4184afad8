/**
 * Secure aggregation over cohorts: cost over n and d with its exponents, a thousand clients, ten thousand.
 *
 * @module
 */
import type { BenchOptions, BenchResult } from './bench.ts';
import { sum } from './secagg/measure.ts';
import { COHORT_TITLES, cohortTable, communicationTable, grid, gridTables, largeCohorts } from './secagg/scale.ts';

export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const small = grid(progress);
  const { thousand, tenThousand, cells: large } = largeCohorts(progress);
  const cells = [...small, ...large];
  const seconds = (costs: Readonly<Record<string, number>>): string => (sum(costs) / 1000).toFixed(1);
  return {
    summary: `The server spends ${seconds(thousand.serverMs)} s on 1,000 clients of 100,000 elements and ${seconds(tenThousand.serverMs)} s on 10,000 of 1,000.`,
    tables: [
      ...gridTables(cells),
      communicationTable(cells),
      cohortTable(COHORT_TITLES.thousand, thousand, '< 60,000'),
      cohortTable(COHORT_TITLES.tenThousand, tenThousand, ''),
    ],
    data: { cells, thousand, tenThousand },
  };
}
