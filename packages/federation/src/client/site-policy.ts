/**
 * What a data owner allows. It outranks the coordinator: a plan or a roster beyond it is refused, whoever signed it.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { DpEvent } from '@sotto/core/event';
import type { SitePolicy } from '@sotto/secagg';
import type { SitePolicyConfig } from '../config/site-policy-config.ts';
import { partyOf } from '../plan/plan.ts';
import type { PreparedPlan } from '../plan/terms.ts';

/** The floors of secure aggregation. Rounds without it, or in semi-honest mode, are never joined. */
export function secaggPolicy(policy: SitePolicyConfig): SitePolicy {
  return {
    modes: ['malicious'],
    minCohort: policy.minCohort,
    minCollusion: policy.minCollusion,
    minHonest: policy.minHonest,
    minThreshold: 2,
    peers: policy.peers,
    suites: policy.suites,
  };
}

/**
 * Refuses a plan that this site does not allow, with `permission-denied`.
 *
 * Of the held-out records, which are outside the guarantee, only the share is bounded. Their seed is the plan's: a site
 * that wants to exclude a chosen seed pins the plan's hash in `policy.plans`.
 */
export function checkPlanPolicy(policy: SitePolicyConfig, prepared: PreparedPlan, id: string, coordinatorId: string): void {
  const refuse = (reason: string): never => {
    throw new SottoError('permission-denied', `the site policy refuses the plan ${prepared.plan.runId}: ${reason}`);
  };
  const { plan, hash } = prepared;
  partyOf(plan, id);
  if (policy.plans !== undefined && !policy.plans.includes(hash)) refuse(`its hash ${hash} is not among policy.plans`);
  if (plan.rounds > policy.maxRounds) refuse(`it has ${plan.rounds} rounds, policy.maxRounds is ${policy.maxRounds}`);
  const { fraction } = plan.data.holdout;
  if (fraction > policy.maxHoldoutFraction) {
    refuse(
      `it holds ${fraction} of the records out of the privacy guarantee (data.holdout.fraction), policy.maxHoldoutFraction is ${policy.maxHoldoutFraction}`,
    );
  }
  if (plan.parties.some((party) => party.id === coordinatorId)) {
    refuse(`the coordinator ${coordinatorId} is one of its parties; a party of the plan has an id of its own`);
  }
  if (plan.secagg.hMin < policy.minHonest)
    refuse(`a sum may hold ${plan.secagg.hMin} honest inputs, policy.minHonest is ${policy.minHonest}`);
  const suite = plan.suite ?? 'x25519';
  if (policy.suites?.includes(suite) === false) refuse(`its key agreement is ${suite}, which is not among policy.suites`);
  const strangers = plan.parties.filter((party) => policy.peers !== undefined && !policy.peers.includes(party.id));
  if (strangers[0] !== undefined) refuse(`${strangers[0].id} is not among policy.peers`);
}

/**
 * Refuses a round's event whose noise or sampling rate is below the site's floors, with `permission-denied`: before the
 * account opens. An event in which the noise floor cannot be seen is refused as well, unless `minNoiseMultiplier` is 0.
 */
export function checkEventPolicy(policy: SitePolicyConfig, event: DpEvent): void {
  const refuse = (reason: string): never => {
    throw new SottoError('permission-denied', `the site policy refuses the task: ${reason}`);
  };
  switch (event.type) {
    case 'composed':
      for (const part of event.events) checkEventPolicy(policy, part);
      return;
    case 'selfComposed':
      return checkEventPolicy(policy, event.event);
    case 'poissonSampled':
      if (event.sampleRate < policy.minSampleRate)
        refuse(`it samples records at rate ${event.sampleRate}, policy.minSampleRate is ${policy.minSampleRate}`);
      return checkEventPolicy(policy, event.event);
    case 'gaussian':
      if (event.noiseMultiplier < policy.minNoiseMultiplier) {
        refuse(
          `its noise multiplier is ${event.noiseMultiplier}, policy.minNoiseMultiplier is ${policy.minNoiseMultiplier}; lower the budget's epsilon, or the floor`,
        );
      }
      return;
    case 'noOp':
      return;
    default:
      if (policy.minNoiseMultiplier > 0) {
        refuse(
          `policy.minNoiseMultiplier cannot be checked on an event of type ${event.type}; use Gaussian noise, or set it to 0`,
        );
      }
  }
}
