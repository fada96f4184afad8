/**
 * The figures that the demo's result stands beside: those of the benchmark `heart` where the repository is at hand, and
 * published ones.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { partyName } from './hospitals.ts';

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
  {
    label: 'FLamby, the four data sets in one place',
    accuracy: 0.795,
    kind: 'published, 5 seeds; no privacy, pooled data',
  },
  { label: 'FLamby, FedAdam', accuracy: 0.779, kind: 'published, 5 seeds; no privacy' },
  { label: 'FLamby, FedAvg', accuracy: 0.748, kind: 'published, 5 seeds; no privacy' },
  {
    label: 'FLamby, FedAvg with DP-SGD at the same ε, δ',
    accuracy: 0.702,
    kind: 'published; mean over hospitals, not pooled',
  },
];

interface HeartData {
  readonly splits: number;
  readonly accuracy: readonly { readonly name: string; readonly pooled: { readonly mean: number; readonly sd: number } }[];
}

/** The committed figures of `npm run bench -- heart`; none where the package is installed alone. */
export function benchmarkFigures(): readonly Figure[] {
  let data: HeartData;
  try {
    ({ data } = JSON.parse(readFileSync(new URL('../../../../bench/results/heart.json', import.meta.url), 'utf8')) as {
      data: HeartData;
    });
  } catch {
    return [];
  }
  return data.accuracy.map(({ name, pooled }) => {
    const kind = `bench heart, ${data.splits} splits ± ${pooled.sd.toFixed(3)}`;
    if (name === 'private') return { label: 'Sotto, federated, ε = 1, δ = 0.001', accuracy: pooled.mean, kind };
    if (name === 'plain') return { label: 'Sotto, federated, no privacy', accuracy: pooled.mean, kind };
    return { label: `${partyName(name)} alone, no privacy`, accuracy: pooled.mean, kind };
  });
}
