/**
 * Curves of a privacy guarantee, point by point, and their pictures.
 *
 * @module
 */
import type { DpEvent } from '@sotto/core/event';
import { deltaOf, epsilonOf, type QuestionOptions } from '@sotto/dp';
import { writeFile } from 'node:fs/promises';
import { fileError } from './cases.ts';
import { type Plot, plotSvg, type PlotSeries } from './plot.ts';

/** ε at a δ, or δ at an ε. */
export type CurveKind = 'epsilon' | 'delta';

export interface CurvePoint {
  readonly delta: number;
  readonly epsilon: number;
  /** The bound on the quantity that was asked for. */
  readonly lower: number;
  readonly upper: number;
}

/** `count` values from `low` to `high`, evenly spaced in their logarithm. */
export function logarithmic(low: number, high: number, count: number): number[] {
  if (count === 1) return [low];
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? high : low * (high / low) ** (i / (count - 1))));
}

/** ε at each δ. */
export function epsilonCurve(
  event: DpEvent,
  options: QuestionOptions,
  deltas: readonly number[],
  tick: () => void = () => undefined,
): CurvePoint[] {
  return deltas.map((delta) => {
    tick();
    const { lower, upper } = epsilonOf(event, { ...options, delta });
    return { delta, epsilon: upper, lower, upper };
  });
}

/** δ at each ε. */
export function deltaCurve(
  event: DpEvent,
  options: QuestionOptions,
  epsilons: readonly number[],
  tick: () => void = () => undefined,
): CurvePoint[] {
  return epsilons.map((epsilon) => {
    tick();
    const { lower, upper } = deltaOf(event, { ...options, epsilon });
    return { delta: upper, epsilon, lower, upper };
  });
}

/** Upper and lower bound of a curve as two series; the lower one only where it says something. */
export function seriesOf(name: string, kind: CurveKind, points: readonly CurvePoint[]): PlotSeries[] {
  const x = (point: CurvePoint): number => (kind === 'epsilon' ? point.delta : point.epsilon);
  const upper = { name: `${name}, at most`, points: points.map((point) => [x(point), point.upper] as const) };
  if (points.every(({ lower }) => lower === 0)) return [upper];
  return [upper, { name: `${name}, at least`, dashed: true, points: points.map((point) => [x(point), point.lower] as const) }];
}

/** Writes the picture of curves of one kind. */
export async function writePlot(file: string, kind: CurveKind, subtitle: string, series: readonly PlotSeries[]): Promise<void> {
  const plot: Plot = {
    title: kind === 'epsilon' ? 'ε for each δ' : 'δ for each ε',
    subtitle,
    xLabel: kind === 'epsilon' ? 'δ' : 'ε',
    yLabel: kind === 'epsilon' ? 'ε' : 'δ',
    xLog: kind === 'epsilon',
    yLog: kind === 'delta',
    series,
  };
  try {
    await writeFile(file, plotSvg(plot));
  } catch (error) {
    throw fileError(file, error);
  }
}
