/**
 * The whole audit: run the target, test the claim, say what was found and what could have been found.
 *
 * @module
 */
import { integer, nonNegative, openProbability, positive, probability } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { RandomSource } from '@sotto/core/random';
import { decide, type AuditClaim, type AuditMethod, type AuditTestResult } from './decide.ts';
import { auditPower, type AuditPower } from './power.ts';
import { areaUnderCurve, rocCurve, tprAtFpr } from './roc.ts';
import { collectSample, splitByMembership, type AuditSample, type AuditTarget } from './target.ts';

/** How to audit. */
export interface AuditOptions {
  readonly claim: AuditClaim;
  /** How often the mechanism runs. All of one run's canaries share its output. */
  readonly runs: number;
  /** Probability of refuting a true claim, default 0.05. */
  readonly significance?: number;
  /** Default: `clopper-pearson` for one canary per run, else `one-run`. */
  readonly method?: AuditMethod;
  /** The auditor's coins and the mechanism's randomness: a CSPRNG, or a deterministic source for a repeatable audit. */
  readonly random: RandomSource;
  /** Simulations behind the power statement, default 40; 0 leaves it out. */
  readonly powerRepetitions?: number;
  readonly progress?: (done: number, total: number) => void;
}

/** The result: plain data, JSON as it stands. */
export interface AuditReport {
  readonly format: 'sotto-audit/1';
  /** `fail`: the claim is refuted at the stated confidence. `pass`: it is not, which proves nothing beyond the stated power. */
  readonly verdict: 'pass' | 'fail';
  /** The finding in words. */
  readonly statement: string;
  readonly claim: { readonly epsilon: number; readonly delta: number; readonly curve: string | null };
  /** The largest ε refuted at the claim's δ by any test. */
  readonly epsilonLowerBound: number;
  /** 1 − significance, all tests together. */
  readonly confidence: number;
  readonly design: { readonly runs: number; readonly canariesPerRun: number; readonly method: AuditMethod };
  readonly tests: readonly AuditTestResult[];
  /** The attack's quality, without confidence limits. Absent if all canaries were on one side. */
  readonly attack: {
    readonly areaUnderCurve: number;
    readonly truePositiveRates: readonly { readonly falsePositiveRate: number; readonly truePositiveRate: number }[];
  } | null;
  readonly power: AuditPower | null;
}

/**
 * Audits a target against a claim.
 *
 * **Guarantees**: if the claim holds for the target's adjacency, the verdict is `fail` with probability at most `significance`,
 * whatever the mechanism, over the auditor's coins and the mechanism's randomness.
 *
 * @throws `invalid-argument` for a claim or option out of range, or a target that breaks its contract
 */
export async function runAudit<Release>(target: AuditTarget<Release>, options: AuditOptions): Promise<AuditReport> {
  const checked = checkOptions(target.canaries, options);
  const sample = await collectSample(target, {
    runs: options.runs,
    random: options.random,
    ...(options.progress === undefined ? {} : { progress: options.progress }),
  });
  return reportOn(sample, options, checked.method, checked.significance);
}

/**
 * Audits scores that were collected elsewhere, with the same guarantee: each canary in by its own fair coin, scores that depend on
 * the release alone.
 *
 * @throws `invalid-argument` for a claim or option out of range, or a sample whose arrays do not match
 */
export function auditScores(sample: AuditSample, options: Omit<AuditOptions, 'runs' | 'progress'>): AuditReport {
  const total = sample.runs * sample.canariesPerRun;
  if (sample.included.length !== total || sample.scores.length !== total) {
    throw new SottoError(
      'invalid-argument',
      `sample has ${sample.included.length} coins and ${sample.scores.length} scores; it must have ${sample.runs} × ${sample.canariesPerRun} of each`,
    );
  }
  const { method, significance } = checkOptions(sample.canariesPerRun, { ...options, runs: sample.runs });
  return reportOn(sample, options, method, significance);
}

function checkOptions(canaries: number, options: AuditOptions): { method: AuditMethod; significance: number } {
  integer('target.canaries', canaries, 1);
  integer('runs', options.runs, 1);
  nonNegative('claim.epsilon', options.claim.epsilon);
  probability('claim.delta', options.claim.delta);
  if (options.claim.delta === 1)
    throw new SottoError('invalid-argument', 'claim.delta is 1; such a claim promises nothing, so nothing can refute it');
  if (options.claim.curve?.kind === 'gaussian') positive('claim.curve.mu', options.claim.curve.mu);
  const significance = openProbability('significance', options.significance ?? 0.05);
  const method = options.method ?? (canaries === 1 && options.runs > 1 ? 'clopper-pearson' : 'one-run');
  if (method === 'clopper-pearson' && (canaries !== 1 || options.runs < 4)) {
    throw new SottoError(
      'invalid-argument',
      `method is clopper-pearson with ${options.runs} runs of ${canaries} canaries; it needs 4 or more runs of 1 canary, so use one-run`,
    );
  }
  if (canaries * options.runs < 2) {
    throw new SottoError(
      'invalid-argument',
      `runs is ${options.runs} with ${canaries} canary; an audit needs at least 2 coins, and hundreds to see anything`,
    );
  }
  return { method, significance };
}

function reportOn(
  sample: AuditSample,
  options: Omit<AuditOptions, 'runs' | 'progress'>,
  method: AuditMethod,
  significance: number,
): AuditReport {
  const { claim } = options;
  const tests = decide(sample, claim, method, significance);
  const epsilonLowerBound = Math.max(0, ...tests.map((test) => test.epsilonLowerBound ?? 0));
  const refuted = tests.filter((test) => test.refuted);
  const repetitions = integer('powerRepetitions', options.powerRepetitions ?? 40, 0);
  const design = { runs: sample.runs, canariesPerRun: sample.canariesPerRun, method };
  const power =
    repetitions === 0 ? undefined : auditPower(claim, { ...design, significance }, { random: options.random, repetitions });
  return {
    format: 'sotto-audit/1',
    verdict: refuted.length > 0 ? 'fail' : 'pass',
    statement: statementOf(claim, refuted, epsilonLowerBound, significance, power),
    claim: { epsilon: claim.epsilon, delta: claim.delta, curve: curveName(claim) },
    epsilonLowerBound,
    confidence: 1 - significance,
    design,
    tests,
    attack: attackOf(sample),
    power: power ?? null,
  };
}

function curveName(claim: AuditClaim): string | null {
  if (claim.curve === undefined) return null;
  return claim.curve.kind === 'gaussian' ? `${claim.curve.mu.toPrecision(6)}-Gaussian DP` : claim.curve.name;
}

function attackOf(sample: AuditSample): AuditReport['attack'] {
  const scores = splitByMembership(sample);
  if (scores.inScores.length === 0 || scores.outScores.length === 0) return null;
  const curve = rocCurve(scores);
  return {
    areaUnderCurve: areaUnderCurve(curve),
    truePositiveRates: [0.001, 0.01, 0.1].map((falsePositiveRate) => ({
      falsePositiveRate,
      truePositiveRate: tprAtFpr(curve, falsePositiveRate),
    })),
  };
}

function statementOf(
  claim: AuditClaim,
  refuted: readonly AuditTestResult[],
  bound: number,
  significance: number,
  power: AuditPower | undefined,
): string {
  const confidence = `${Number((100 * (1 - significance)).toPrecision(6))} %`;
  const claimed = `ε = ${claim.epsilon.toPrecision(4)} at δ = ${claim.delta}`;
  if (refuted.length === 0) {
    return (
      `The claim of ${claimed} was not refuted: the attack proves no more than ε ≥ ${bound.toPrecision(4)} at ${confidence} confidence. ` +
      `That is not a proof of the claim. ${power?.statement ?? ''}`
    ).trimEnd();
  }
  const above = bound > claim.epsilon;
  const assumed = above && refuted.every((test) => test.assumption === 'gaussian-family');
  const finding = above
    ? `the attack shows ε ≥ ${bound.toPrecision(4)}${assumed ? ' (for a Gaussian mechanism)' : ''}`
    : `the attack is better than the claimed trade-off curve (${curveName(claim)}) allows`;
  return `The claim of ${claimed} is refuted at ${confidence} confidence: ${finding}. A true claim would be refuted in at most ${Number((100 * significance).toPrecision(6))} % of audits.`;
}
