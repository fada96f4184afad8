/**
 * What an audit of a given size can see, by simulation: scores as a Gaussian mechanism would give them to the strongest attacker.
 *
 * @module
 */
import { integer, positive } from '@sotto/core/check';
import type { RandomSource } from '@sotto/core/random';
import { decide, type AuditClaim, type AuditMethod } from './decide.ts';
import { fairCoins, normalDraws } from './random-draws.ts';
import type { AuditSample } from './target.ts';
import { gaussianMu } from './trade-off.ts';

/** The size and the significance of an audit. */
export interface AuditDesign {
  readonly runs: number;
  readonly canariesPerRun: number;
  readonly method: AuditMethod;
  readonly significance: number;
}

/** How often a simulated audit of this size refuted the claim. */
export interface AuditPower {
  readonly repetitions: number;
  /** A mechanism exactly as claimed: false alarms. */
  readonly correctFlagged: number;
  /** Half the noise that the claim needs. */
  readonly halfNoiseFlagged: number;
  /** No noise at all. */
  readonly noNoiseFlagged: number;
  /** μ of the Gaussian mechanism that stands for the claim. */
  readonly mu: number;
  readonly statement: string;
}

/** Scores of `runs · canariesPerRun` canaries: N(0, 1) if out, N(shift, 1) if in; for shift = +∞ the coins themselves. */
export function simulateGaussianSample(runs: number, canariesPerRun: number, shift: number, random: RandomSource): AuditSample {
  const total = runs * canariesPerRun;
  const included = fairCoins(random, total);
  const scores = shift === Infinity ? Float64Array.from(included) : normalDraws(random, total);
  if (shift !== Infinity) for (let i = 0; i < total; i++) scores[i] = scores[i]! + shift * included[i]!;
  return { runs, canariesPerRun, included, scores };
}

/**
 * Simulates the audit under three truths. The claim is represented by the Gaussian mechanism that it states, or else by the one
 * that is exactly (ε, δ); for a claim with δ = 0 there is none and the result is `undefined`.
 */
export function auditPower(
  claim: AuditClaim,
  design: AuditDesign,
  options: { readonly random: RandomSource; readonly repetitions?: number },
): AuditPower | undefined {
  const repetitions = integer('repetitions', options.repetitions ?? 40, 1, 1_000_000);
  positive('significance', design.significance);
  if (claim.curve?.kind !== 'gaussian' && claim.delta === 0) return undefined;
  const mu = claim.curve?.kind === 'gaussian' ? claim.curve.mu : gaussianMu(claim.epsilon, claim.delta);
  const standIn: AuditClaim = claim.curve === undefined ? claim : { ...claim, curve: { kind: 'gaussian', mu } };
  const flagged = (shift: number): number => {
    let count = 0;
    for (let k = 0; k < repetitions; k++) {
      const sample = simulateGaussianSample(design.runs, design.canariesPerRun, shift, options.random);
      if (decide(sample, standIn, design.method, design.significance, false).some((test) => test.refuted)) count++;
    }
    return count;
  };
  const correctFlagged = flagged(mu);
  const halfNoiseFlagged = flagged(2 * mu);
  const noNoiseFlagged = flagged(Infinity);
  const statement =
    `In simulations of an audit of this size, half the noise was reported in ${halfNoiseFlagged} of ${repetitions}, ` +
    `missing noise in ${noNoiseFlagged} of ${repetitions}, a correct mechanism in ${correctFlagged} of ${repetitions} ` +
    `(ideal canaries against a Gaussian mechanism of μ = ${mu.toPrecision(4)}).` +
    (halfNoiseFlagged < 0.95 * repetitions ? ' It is too small to see halved noise reliably: a pass says little.' : '');
  return { repetitions, correctFlagged, halfNoiseFlagged, noNoiseFlagged, mu, statement };
}
