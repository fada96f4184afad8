/**
 * What is audited: anything that can run a mechanism on a data set with some of the auditor's canaries in it.
 *
 * @module
 */
import { integer } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { RandomSource } from '@sotto/core/random';
import { fairCoins } from './random-draws.ts';
import type { MembershipScores } from './roc.ts';

/**
 * A mechanism or trainer under audit. `Release` is whatever it publishes: a noisy sum, final weights, all intermediate
 * weights. Scores are computed from the release alone, which the split into two functions enforces: an audit whose scores
 * peek at the coins would refute every mechanism.
 */
export interface AuditTarget<Release> {
  /** Canaries per run. Adding or removing one of them must be what the claim's adjacency means. */
  readonly canaries: number;
  /**
   * Runs the whole mechanism once, freshly, on its data set plus the canaries i with `included[i] === 1`.
   *
   * @param random Randomness for sampling and noise, where the mechanism takes it as a parameter.
   */
  release(included: Uint8Array, random: RandomSource): Release | Promise<Release>;
  /** One score per canary from the release; larger means more likely in. */
  scores(release: Release): Float64Array | Promise<Float64Array>;
}

/** The outcome of the runs: canary i of run r is at index r · canariesPerRun + i. */
export interface AuditSample {
  readonly runs: number;
  readonly canariesPerRun: number;
  /** 1 where the canary was in. */
  readonly included: Uint8Array;
  readonly scores: Float64Array;
}

/** How to run a target. */
export interface SampleOptions {
  readonly runs: number;
  /** The auditor's coins, and what the mechanism draws from. */
  readonly random: RandomSource;
  /** Called after each run. */
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Runs the target with every canary in or out by its own fair coin, fresh coins for each run.
 *
 * @throws `invalid-argument` for a target that returns the wrong number of scores, or a NaN
 */
export async function collectSample<Release>(target: AuditTarget<Release>, options: SampleOptions): Promise<AuditSample> {
  const runs = integer('runs', options.runs, 1, 100_000_000);
  const canaries = integer('target.canaries', target.canaries, 1, 100_000_000);
  const included = new Uint8Array(runs * canaries);
  const scores = new Float64Array(runs * canaries);
  for (let run = 0; run < runs; run++) {
    const coins = fairCoins(options.random, canaries);
    // The mechanism gets a copy: the record of the coins must not change under its hands.
    const release = target.release(coins.slice(), options.random);
    const scored = target.scores(release instanceof Promise ? await release : release);
    const result = scored instanceof Promise ? await scored : scored;
    if (result.length !== canaries) {
      throw new SottoError(
        'invalid-argument',
        `target.scores returned ${result.length} scores; it must return one for each of ${canaries} canaries`,
      );
    }
    const bad = result.findIndex((score) => Number.isNaN(score));
    if (bad >= 0)
      throw new SottoError('invalid-argument', `target.scores returned NaN for canary ${bad}; map failures to a number`);
    included.set(coins, run * canaries);
    scores.set(result, run * canaries);
    options.progress?.(run + 1, runs);
  }
  return { runs, canariesPerRun: canaries, included, scores };
}

/** Splits the scores of canaries `from` to `to` (default: all) by membership. */
export function splitByMembership(sample: AuditSample, from: number = 0, to: number = sample.scores.length): MembershipScores {
  const ins: number[] = [];
  const outs: number[] = [];
  for (let i = from; i < to; i++) (sample.included[i] === 1 ? ins : outs).push(sample.scores[i]!);
  return { inScores: Float64Array.from(ins), outScores: Float64Array.from(outs) };
}
