/** The oracle rows of accounting.json, with typed access. */
import { readFileSync } from 'node:fs';

/** One oracle. */
export interface Row {
  readonly id: string;
  readonly accountant: string;
  readonly adjacency: string;
  readonly mechanism: string;
  readonly kind: string;
  readonly tolerance: number | null;
  readonly tolerance_kind: string;
  readonly status?: string;
  readonly [key: string]: unknown;
}

const file = new URL('accounting.json', import.meta.url);

/** All rows. */
export const rows: readonly Row[] = (JSON.parse(readFileSync(file, 'utf8')) as { facts: Row[] }).facts;

/** A number of a row; `inf` is +∞. */
export function number(row: Row, key: string): number {
  const value = row[key];
  if (value === 'inf') return Infinity;
  if (typeof value !== 'number') throw new Error(`${row.id}.${key} is ${String(value)}`);
  return value;
}

/** The absolute tolerance of a row around `value`. */
export function toleranceOf(row: Row, value: number): number {
  const tolerance = row.tolerance ?? 0;
  return row.tolerance_kind === 'rel' ? tolerance * Math.abs(value) : tolerance;
}

/** `T` Poisson-subsampled Gaussians with the parameters of a row. */
export function dpSgd(
  row: Row,
  overrides: { q?: number; sigma?: number; steps?: number } = {},
): {
  readonly type: 'selfComposed';
  readonly count: number;
  readonly event: {
    readonly type: 'poissonSampled';
    readonly sampleRate: number;
    readonly event: { readonly type: 'gaussian'; readonly noiseMultiplier: number };
  };
} {
  const sampleRate = overrides.q ?? (row['q'] === undefined ? 1 : number(row, 'q'));
  const noiseMultiplier = overrides.sigma ?? number(row, 'sigma');
  const count = overrides.steps ?? (row['steps'] === undefined ? 1 : number(row, 'steps'));
  return {
    type: 'selfComposed',
    count,
    event: { type: 'poissonSampled', sampleRate, event: { type: 'gaussian', noiseMultiplier } },
  };
}
