/**
 * What a training is planned for: steps, evaluations of private data, and the budget that pays for them.
 *
 * @module
 */
import { integer, openProbability, positive } from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { knownKeys } from '../known-keys.ts';
import type { PlanWithoutNoise } from '../plan/calibrate-plan.ts';
import type { MechanismPlan } from '../plan/mechanism-plan.ts';
import { calibratePlan } from './costs.ts';
import type { Reports } from './costs.ts';
import type { PrivacyTarget } from './options.ts';
import { planWith } from './plan-with.ts';

/** A budget for more steps; see `PrivateModel.extend`. */
export interface Extension {
  /**
   * The greatest cost of everything together: what is spent already, and the steps to come. Kept by an RDP filter. A limit that is chosen after results were seen guards nothing: take
   * one that was set before.
   */
  readonly target: { readonly epsilon: number; readonly delta: number };
  readonly steps?: number;
  readonly epochs?: number;
}

/** What may happen before the next checkpoint. */
export interface Ahead {
  readonly steps: number;
  readonly evaluations: number;
}

/** What was planned in total; infinite where nobody said. */
export interface Planned {
  readonly steps: number;
  readonly evaluations: number;
  readonly target: Extension['target'] | undefined;
}

/** A number of steps or of epochs, and what pays for them. */
export interface PlannedFor<T extends Extension['target'] | undefined> {
  readonly target: T;
  readonly steps: number | undefined;
  readonly epochs: number | undefined;
}

/** What an account is opened with. */
export interface AccountOptions {
  readonly mechanism: PlanWithoutNoise;
  readonly privacy: PrivacyTarget;
  readonly reports: Reports;
  /** Evaluations of private validation data that a target is to pay for. Default: one per epoch. */
  readonly evaluations: number | undefined;
}

/** How epochs and evaluations are counted. */
export interface Counting {
  readonly stepsPerEpoch: number;
  readonly reports: Reports;
  /** Evaluations of private validation data that a target is to pay for. Default: one per epoch. */
  readonly evaluations: number | undefined;
}

/** Steps and evaluations that are planned. Throws `invalid-argument`, by the given name, where it is told both steps and epochs, or neither. */
export function plannedOf<T extends Extension['target'] | undefined>(
  name: string,
  { target, steps, epochs }: PlannedFor<T>,
  { stepsPerEpoch, reports, evaluations }: Counting,
): Planned & { readonly target: T } {
  if ((steps === undefined) === (epochs === undefined))
    throw new SottoError('invalid-argument', `${name} needs exactly one of steps and epochs, for which it is planned`);
  const count = steps === undefined ? integer(`${name}.epochs`, epochs, 1) * stepsPerEpoch : integer(`${name}.steps`, steps, 1);
  const planned =
    reports.validation === undefined
      ? 0
      : integer('report.validation.evaluations', evaluations ?? Math.ceil(count / stepsPerEpoch), 0);
  return { steps: count, evaluations: planned, target };
}

/** The mechanism with which a training begins, and what is planned for it; without a number of steps nothing is. */
export function openingPlan({ mechanism, privacy, reports, evaluations }: AccountOptions): {
  readonly plan: MechanismPlan;
  readonly planned: Planned;
} {
  checkPrivacy(privacy);
  const { target, steps, epochs } = privacy;
  const plan = planWith(mechanism, target === undefined ? privacy.noiseMultiplier : 1);
  const counting = { stepsPerEpoch: plan.stepsPerEpoch, reports, evaluations };
  if (target !== undefined) {
    const planned = plannedOf('privacy', { target, steps, epochs }, counting);
    return { plan: planWith(mechanism, calibratePlan(mechanism, reports, planned)), planned };
  }
  if (steps === undefined && epochs === undefined)
    return { plan, planned: { steps: Infinity, evaluations: Infinity, target: undefined } };
  return { plan, planned: plannedOf('privacy', { target: undefined, steps, epochs }, counting) };
}

/** Throws `invalid-argument` where `privacy` has members that nobody reads, or two that contradict each other. */
function checkPrivacy(privacy: PrivacyTarget): void {
  const misplaced =
    typeof privacy === 'object' && privacy !== null && ('epsilon' in privacy ? 'epsilon' : 'delta' in privacy && 'delta');
  if (typeof misplaced === 'string')
    throw new SottoError(
      'invalid-argument',
      `privacy.${misplaced} belongs to privacy.target: {target: {epsilon, delta}, epochs}`,
    );
  knownKeys('privacy', privacy, ['target', 'steps', 'epochs', 'noiseMultiplier']);
  if (privacy.target === undefined) {
    if (privacy.noiseMultiplier === undefined) {
      throw new SottoError(
        'invalid-argument',
        'privacy says neither how much it may cost nor how much noise there is; give {target: {epsilon, delta}, epochs} or {noiseMultiplier}',
      );
    }
    positive('privacy.noiseMultiplier', privacy.noiseMultiplier);
    return;
  }
  knownKeys('privacy.target', privacy.target, ['epsilon', 'delta']);
  positive('privacy.target.epsilon', privacy.target.epsilon);
  openProbability('privacy.target.delta', privacy.target.delta);
  if (privacy.noiseMultiplier !== undefined) {
    throw new SottoError(
      'invalid-argument',
      'privacy has a target and a noiseMultiplier; the target decides the noise, so give one of them',
    );
  }
}
