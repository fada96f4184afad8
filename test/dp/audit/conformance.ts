import type { DpEvent } from '@sotto/core/event';
import type { RandomSource } from '@sotto/core/random';
import { erfc } from '../../../packages/dp/src/accounting/special.ts';
import { wordsRandom } from './support.ts';

/** An accountant under test: an upper bound of ε, and Rényi divergences of the Poisson-sampled Gaussian if it has them. */
export interface AccountantUnderTest {
  epsilon(event: DpEvent, delta: number): number;
  poissonGaussianRdp?(sampleRate: number, noiseMultiplier: number, order: number): number;
}

const close = (a: number, b: number, relative: number): boolean =>
  Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b), 1e-12);

/** ε of μ-Gaussian DP by bisection of the closed form: plain, and not the library's. */
function analyticGaussian(mu: number, delta: number): number {
  const cdf = (x: number): number => 0.5 * erfc(-x / Math.SQRT2);
  let [low, high] = [0, 500];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (cdf(mu / 2 - middle / mu) - Math.exp(middle) * cdf(-mu / 2 - middle / mu) > delta) low = middle;
    else high = middle;
  }
  return high;
}

/** ln E_Q[(P/Q)^α]/(α − 1) for P = (1 − q)·N(0, σ²) + q·N(1, σ²) against Q = N(0, σ²), by the trapezoidal rule. */
export function quadratureRdp(q: number, sigma: number, order: number): number {
  const [from, to, steps] = [-14 * sigma, 14 * sigma + order + 1, 400_000];
  const h = (to - from) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const x = from + i * h;
    const ratio = 1 - q + q * Math.exp((2 * x - 1) / (2 * sigma * sigma));
    sum += Math.exp((-x * x) / (2 * sigma * sigma) + order * Math.log(ratio));
  }
  return Math.log((sum * h) / (sigma * Math.sqrt(2 * Math.PI))) / (order - 1);
}

/** What an accountant gets wrong, in words; empty if it conforms. */
export function accountantFaults(accountant: AccountantUnderTest): string[] {
  const faults: string[] = [];
  const delta = 1e-6;
  const repeated: DpEvent[] = [
    { type: 'gaussian', noiseMultiplier: 4 },
    { type: 'laplace', noiseMultiplier: 5 },
    { type: 'exponentialMechanism', epsilon: 0.1 },
    { type: 'randomizedResponse', noiseParameter: 0.5, buckets: 2 },
    { type: 'poissonSampled', sampleRate: 0.1, event: { type: 'gaussian', noiseMultiplier: 2 } },
  ];
  for (const event of repeated) {
    const times = accountant.epsilon({ type: 'selfComposed', count: 10, event }, delta);
    const list = accountant.epsilon({ type: 'composed', events: Array.from({ length: 10 }, () => event) }, delta);
    const once = accountant.epsilon(event, delta);
    if (!close(times, list, 1e-6)) faults.push(`10 times ${event.type} is not ${event.type} 10 times`);
    if (!(times > once)) faults.push(`10 times ${event.type} costs no more than once`);
  }
  for (const [sigma, steps] of [
    [1, 1],
    [1, 20],
    [1, 200],
  ] as const) {
    const epsilon = accountant.epsilon(
      { type: 'selfComposed', count: steps, event: { type: 'gaussian', noiseMultiplier: sigma } },
      delta,
    );
    if (epsilon < analyticGaussian(Math.sqrt(steps) / sigma, delta) * (1 - 1e-9))
      faults.push(`${steps} Gaussian steps cost less than they must`);
  }
  if (accountant.poissonGaussianRdp !== undefined) {
    for (const [q, sigma, order] of [
      [0.01, 2.5, 1.5],
      [0.01, 1, 1.5],
      [0.1, 1, 1.1],
      [0.2, 2, 2.5],
      [0.05, 1.5, 6],
    ] as const) {
      const rdp = accountant.poissonGaussianRdp(q, sigma, order);
      if (!close(rdp, quadratureRdp(q, sigma, order), 1e-5))
        faults.push(`the divergence of order ${order} at q = ${q}, σ = ${sigma} is off`);
    }
  }
  return faults;
}

/** A sampler under test: the batches of `steps` steps over a population. */
export type SamplerUnderTest = (population: number, sampleRate: number, steps: number, random: RandomSource) => Uint32Array[];

/** What a sampler that claims independent Poisson draws gets wrong, in words; empty if it conforms. */
export function samplerFaults(sampler: SamplerUnderTest, random: RandomSource): string[] {
  const faults: string[] = [];
  const [population, rate, steps] = [20, 0.1, 4000];
  const batches = sampler(population, rate, steps, random);
  if (batches.length !== steps) faults.push(`${batches.length} batches for ${steps} steps`);
  const sizes = batches.map((batch) => batch.length);
  const mean = sizes.reduce((a, b) => a + b, 0) / steps;
  const expected = population * rate;
  const variance = expected * (1 - rate);
  // Five standard errors: a correct sampler fails once in two million runs.
  if (Math.abs(mean - expected) > 5 * Math.sqrt(variance / steps))
    faults.push(`batches hold ${mean.toFixed(3)} records on average, not ${expected}`);
  const spread = sizes.reduce((a, b) => a + (b - expected) ** 2, 0) / steps;
  if (Math.abs(spread - variance) > 5 * variance * Math.sqrt(2.6 / steps))
    faults.push(`batch sizes vary by ${spread.toFixed(3)}, not ${variance.toFixed(3)}`);
  const empty = sizes.filter((size) => size === 0).length;
  const emptyExpected = steps * (1 - rate) ** population;
  if (Math.abs(empty - emptyExpected) > 5 * Math.sqrt(emptyExpected))
    faults.push(`${empty} empty batches, not about ${Math.round(emptyExpected)}`);
  const perRecord = new Float64Array(population);
  for (const batch of batches) for (const index of batch) perRecord[index] = perRecord[index]! + 1;
  const worst = perRecord.reduce((a, count) => Math.max(a, Math.abs(count - steps * rate)), 0);
  if (worst > 6 * Math.sqrt(steps * rate * (1 - rate))) faults.push('some records are drawn more often than others');
  return faults;
}

/** One trial of a sampler: whether a record is in, from a source of uniform words. */
export type TrialUnderTest = (sampleRate: number, random: RandomSource) => boolean;

/**
 * The rate at which a trial really accepts: the trial is monotone in the uniform number that its words spell, so the number at which it
 * flips is found by bisection over 64 bits.
 */
export function effectiveRate(trial: TrialUnderTest, sampleRate: number): number {
  let [low, high] = [0n, 1n << 64n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    const words = [Number(middle >> 32n), Number(middle & 0xffff_ffffn)];
    if (trial(sampleRate, wordsRandom(words))) low = middle;
    else high = middle;
  }
  return Number(high) / 2 ** 64;
}

/** What a trial gets wrong about its rate, in words. */
export function trialFaults(trial: TrialUnderTest): string[] {
  return [0.5, 0.1, 1e-3, 1e-6, 1.3e-7, 3e-8]
    .map((rate) => ({ rate, effective: effectiveRate(trial, rate) }))
    .filter(({ rate, effective }) => Math.abs(effective / rate - 1) > 1e-9)
    .map(({ rate, effective }) => `a rate of ${rate} is really ${effective.toPrecision(4)}`);
}
