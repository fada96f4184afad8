/**
 * The data owner's floors. They outrank whatever the coordinator asks, since it is the coordinator that chooses the roster.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { Mode, RoundContext } from './context.ts';
import type { RoundParameters } from './parameters.ts';

/** Floors of one site. All of them must hold, or the client refuses the round. */
export interface SitePolicy {
  /** Modes that this site takes part in; leave `semi-honest` out in production. */
  readonly modes: readonly Mode[];
  /** Least roster size. */
  readonly minCohort: number;
  /** Least collusion bound c that the parameters must withstand. */
  readonly minCollusion: number;
  /** Least number of honest inputs in the sum, F − c; at least 2. */
  readonly minHonest: number;
  /** Least number of shares that open a secret. */
  readonly minThreshold: number;
  /** Parties that may be in a roster; left out, every enrolled client may. */
  readonly peers?: readonly string[] | undefined;
  /** Suites that this site accepts; left out, all. */
  readonly suites?: readonly RoundContext['suite'][] | undefined;
}

/** Floors that fit any malicious-mode round of the specification's defaults: F − c ≥ 2, cohort of at least 3. */
export const defaultSitePolicy: SitePolicy = Object.freeze({
  modes: Object.freeze(['malicious'] as const),
  minCohort: 3,
  minCollusion: 0,
  minHonest: 2,
  minThreshold: 2,
});

/** Checks what is known before anybody shows up; throws `permission-denied`. */
export function checkPolicyForContext(policy: SitePolicy, context: RoundContext): void {
  const refuse = (what: string): never => {
    throw new SottoError('permission-denied', `the site policy refuses this round: ${what}`);
  };
  if (!policy.modes.includes(context.mode)) refuse(`mode ${context.mode} is not allowed`);
  if (policy.suites !== undefined && !policy.suites.includes(context.suite)) refuse(`suite ${context.suite} is not allowed`);
  if (policy.minHonest < 2) refuse('its own minHonest is below 2, which no round may undercut');
}

/** Checks a roster and its parameters; throws `permission-denied`. */
export function checkPolicyForRoster(policy: SitePolicy, parameters: RoundParameters, ids: readonly string[]): void {
  const { n, c, t, F } = parameters;
  const refuse = (what: string): never => {
    throw new SottoError('permission-denied', `the site policy refuses this roster: ${what}`);
  };
  if (n < policy.minCohort) refuse(`${n} members, at least ${policy.minCohort} are wanted`);
  if (c < policy.minCollusion) refuse(`it withstands ${c} colluding members, at least ${policy.minCollusion} are wanted`);
  if (F - c < policy.minHonest) refuse(`its sum may hold ${F - c} honest inputs, at least ${policy.minHonest} are wanted`);
  if (t < policy.minThreshold) refuse(`${t} shares open a secret, at least ${policy.minThreshold} are wanted`);
  if (policy.peers !== undefined) {
    const allowed = new Set(policy.peers);
    const stranger = ids.find((id) => !allowed.has(id));
    if (stranger !== undefined) refuse(`${stranger} is not among the peers that it names`);
  }
}
