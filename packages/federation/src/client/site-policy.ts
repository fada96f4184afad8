/**
 * What a data owner allows. It outranks the coordinator: a plan or a roster beyond it is refused, whoever signed it.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { SitePolicy } from '@sotto/secagg';
import type { SitePolicyConfig } from '../config/service-config.ts';
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
  };
}

/** Refuses a plan that this site does not allow, with `permission-denied`. */
export function checkPlanPolicy(policy: SitePolicyConfig, prepared: PreparedPlan, id: string): void {
  const refuse = (reason: string): never => {
    throw new SottoError('permission-denied', `the site policy refuses the plan ${prepared.plan.runId}: ${reason}`);
  };
  const { plan, hash } = prepared;
  partyOf(plan, id);
  if (policy.plans !== undefined && !policy.plans.includes(hash)) refuse(`its hash ${hash} is not among policy.plans`);
  if (plan.rounds > policy.maxRounds) refuse(`it has ${plan.rounds} rounds, policy.maxRounds is ${policy.maxRounds}`);
  if (plan.secagg.hMin < policy.minHonest)
    refuse(`a sum may hold ${plan.secagg.hMin} honest inputs, policy.minHonest is ${policy.minHonest}`);
  const strangers = plan.parties.filter((party) => policy.peers !== undefined && !policy.peers.includes(party.id));
  if (strangers[0] !== undefined) refuse(`${strangers[0].id} is not among policy.peers`);
}
