/**
 * The figures that the demo's result stands beside: those of the benchmark `heart` where the repository is at hand, and
 * published ones.
 *
 * @module
 */
import { readFileSync } from 'node:fs';

export interface Figure {
  readonly label: string;
  readonly accuracy: number;
  /** What kind of number it is: how many runs, which data, whose. */
  readonly kind: string;
}

/**
 * FLamby (Ogier du Terrail et al., NeurIPS 2022 Datasets and Benchmarks), Fed-Heart-Disease: logistic regression on the
 * same four hospitals and the same 13 features, 66 % train and 34 % test, mean of five seeds.
 */
export const PUBLISHED: readonly Figure[] = [
  { label: 'FLamby, the four data sets in one place', accuracy: 0.795, kind: 'published; no privacy; pooled training' },
  { label: 'FLamby, best federated strategy (FedAdam)', accuracy: 0.779, kind: 'published; no privacy' },
  { label: 'FLamby, FedAvg', accuracy: 0.748, kind: 'published; no privacy' },
  {
    label: 'FLamby, FedAvg with DP-SGD, ε = 1, δ = 0.001',
    accuracy: 0.702,
    kind: 'published; mean over the four hospitals, not pooled',
  },
];

interface HeartRow {
  readonly label: string;
  readonly accuracy: number;
  readonly kind: string;
}

/** The committed figures of `npm run bench -- heart`; none where the package is installed alone. */
export function benchmarkFigures(): readonly Figure[] {
  try {
    const text = readFileSync(new URL('../../../../bench/results/heart.json', import.meta.url), 'utf8');
    const { data } = JSON.parse(text) as { data: { figures?: readonly HeartRow[] } };
    return data.figures ?? [];
  } catch {
    return [];
  }
}
