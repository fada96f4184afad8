/**
 * Figures of a report: rounding that never understates, and the reading of ε as the success of a guess.
 *
 * @module
 */
import type { Adjacency, DpEvent } from '@sotto/core/event';
import { type Accountant, gatherEvents } from '../ledger/accounting.ts';
import type { EpsilonAtDelta, ReportNumber } from './report.ts';

/** δ at which every report states ε, beside the δ of the budgets. */
export const reportDeltas: readonly number[] = [1e-3, 1e-4, 1e-5, 1e-6];

/** Rounds up to `decimals`; +∞ stays. A value within 10⁻⁹ of a step above a multiple is that multiple's own. */
export function roundUp(value: number, decimals: number): ReportNumber {
  if (value === Infinity) return 'Infinity';
  const scale = 10 ** decimals;
  return Math.ceil(value * scale - 1e-9) / scale;
}

/** The nearest multiple of 10^−decimals. */
export function roundNearest(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

/**
 * The success probability of the best guess between two neighbouring data sets at even odds under (ε, δ):
 * (e^ε + δ)/(1 + e^ε) (Kairouz, Oh and Viswanath 2015, the corner of the trade-off region), rounded up, at most 1.
 */
export function bestGuess(epsilon: number, delta: number): number {
  if (epsilon === Infinity) return 1;
  const success = (1 + delta * Math.exp(-epsilon)) / (1 + Math.exp(-epsilon));
  return Math.min(1, Number(roundUp(success, 4)));
}

/** ε of events at a δ, as it stands in a report. */
export function epsilonAt(
  events: readonly DpEvent[],
  question: { readonly delta: number; readonly adjacency: Adjacency },
  accountant: Accountant,
): EpsilonAtDelta & { readonly method: string } {
  const { epsilon, method } = accountant(gatherEvents(events), question);
  return { delta: question.delta, epsilon: roundUp(epsilon, 6), bestGuess: bestGuess(epsilon, question.delta), method };
}

function number(value: number): string {
  return value === Infinity ? '+∞' : String(value);
}

/** An event in words. */
export function describeEvent(event: DpEvent): string {
  switch (event.type) {
    case 'gaussian':
      return `Gaussian noise, multiplier ${number(event.noiseMultiplier)} of the clip norm`;
    case 'laplace':
      return `Laplace noise, multiplier ${number(event.noiseMultiplier)} of the clip norm`;
    case 'poissonSampled':
      return `${describeEvent(event.event)}, on a Poisson sample at rate ${event.sampleRate}`;
    case 'truncatedPoissonSampled':
      return `${describeEvent(event.event)}, on a Poisson sample at rate ${event.sampleRate} of at most ${event.cap} of ${event.sourceSize}`;
    case 'selfComposed':
      return `${event.count} times: ${describeEvent(event.event)}`;
    case 'composed':
      return event.events.map(describeEvent).join('; then ');
    case 'noOp':
      return 'nothing released';
    case 'nonPrivate':
      return 'a release without any protection';
    default: {
      const { type, ...parameters } = event;
      return `${type} ${JSON.stringify(parameters, (_, value: unknown) => (value === Infinity ? 'Infinity' : value))}`;
    }
  }
}
