/**
 * Whether training keeps to `memoryBudgetBytes`: the greatest memory of a process, as the kernel counts it, above that of the same training one example at a time.
 *
 * Every training is a process of its own. The bar is 1.3 times the budget; a training far below it chose smaller batches than it could have.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchOptions, BenchResult } from './bench.ts';

const MODELS = ['mlp', 'cnn', 'resnet', 'gpt', 'embedding'] as const;
const BUDGET_MIB = 256;

interface Row {
  readonly model: string;
  readonly mode: string;
  readonly lanes: number;
  readonly physicalBatchSize: number;
  readonly risenMiB: number;
}

function measure(model: string, mode: string, lanes: number): Row {
  const child = join(import.meta.dirname, 'memory', 'train.ts');
  const options = ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning'];
  const output = execFileSync(process.execPath, [...options, child, model, mode, String(lanes), String(BUDGET_MIB * 2 ** 20)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { risen, physicalBatchSize } = JSON.parse(output.trim().split('\n').at(-1)!) as Record<
    'risen' | 'physicalBatchSize',
    number
  >;
  return { model, mode, lanes, physicalBatchSize, risenMiB: risen / 2 ** 20 };
}

export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const rows: Row[] = [];
  for (const model of MODELS) {
    for (const mode of ['fast', 'secure']) {
      for (const lanes of [1, 2]) {
        progress(`${model}, ${mode}, ${lanes} lanes`);
        rows.push(measure(model, mode, lanes));
      }
    }
  }
  const share = ({ risenMiB }: Row): number => risenMiB / BUDGET_MIB;
  const worst = Math.max(...rows.map(share));
  return {
    summary: `peak memory at most ${worst.toFixed(2)} of the budget (bar 1.3)`,
    tables: [
      {
        title: `Memory under a budget of ${BUDGET_MIB} MiB`,
        columns: ['model', 'mode', 'lanes', 'examples a run', 'risen by (MiB)', 'of the budget'],
        rows: rows.map((row) => [
          row.model,
          row.mode,
          row.lanes,
          row.physicalBatchSize,
          row.risenMiB.toFixed(0),
          share(row).toFixed(2),
        ]),
      },
    ],
    data: { budgetMiB: BUDGET_MIB, rows },
  };
}
