/**
 * The data owner's floors in the configuration of its client.
 *
 * @module
 */
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Suite } from '@sotto/secagg';
import type { ConfigReader } from './config-reader.ts';
import { integerIn, serialText } from './service-config.ts';

/** The data owner's floors; they outrank whatever the coordinator asks. */
export interface SitePolicyConfig {
  /** Hashes (hex) of the plans that may run. Key `plans`, default any plan within the other limits. */
  readonly plans?: readonly string[] | undefined;
  /** Serials (32 hex digits) of certificates that are refused: the coordinator's, or in a roster. Key `revoked`, default none. */
  readonly revoked: readonly string[];
  /** Parties that may be in a roster. Key `peers`, default every enrolled client. */
  readonly peers?: readonly string[] | undefined;
  /** Key agreements that are accepted, such as only `x25519-mlkem768`. Key `suites`, default all. */
  readonly suites?: readonly Suite[] | undefined;
  /** Least roster size. Key `minCohort`, default 3. */
  readonly minCohort: number;
  /** Least honest inputs in a sum. Key `minHonest`, default 2. */
  readonly minHonest: number;
  /** Least collusion bound c. Key `minCollusion`, default 1. */
  readonly minCollusion: number;
  /** Most planned rounds. Key `maxRounds`, default 10000. */
  readonly maxRounds: number;
  /**
   * Largest share of the records that a plan may hold out for evaluation, outside the guarantee. Key `maxHoldoutFraction`,
   * default 0.35. Which records those are follows from the plan's seed: a site that wants to exclude a chosen seed pins the
   * plan's hash in `plans`.
   */
  readonly maxHoldoutFraction: number;
  /** Least noise multiplier of each Gaussian release. Key `minNoiseMultiplier`, default 0.2; 0 is none. */
  readonly minNoiseMultiplier: number;
  /**
   * Least rate of Poisson sampling, 0 to 1: the smaller the rate, the less noise the same ε asks for. Key `minSampleRate`,
   * default 0, which is none.
   */
  readonly minSampleRate: number;
}

/** The policy of a site that sets none. */
export const defaultSitePolicyConfig: SitePolicyConfig = Object.freeze({
  revoked: [],
  minCohort: 3,
  minHonest: 2,
  minCollusion: 1,
  maxRounds: 10_000,
  maxHoldoutFraction: 0.35,
  // Below what ε = 20 at δ = 0.001 asks for: 0.26 for one round at sampling rate 0.9, 0.33 for six at rate 0.1.
  minNoiseMultiplier: 0.2,
  minSampleRate: 0,
});

/** Reads the mapping `policy`; all defaults where it is left out. */
export function policyOf(reader: ConfigReader | undefined): SitePolicyConfig {
  if (reader === undefined) return defaultSitePolicyConfig;
  const policy: SitePolicyConfig = {
    plans: reader.has('plans') ? reader.list('plans', planHashText) : undefined,
    revoked: reader.has('revoked') ? reader.list('revoked', serialText) : [],
    peers: reader.has('peers') ? reader.list('peers', (item, at) => check.partyId(at, item)) : undefined,
    suites: reader.has('suites')
      ? reader.list('suites', (item, at) => check.oneOf(at, item, ['x25519', 'x25519-mlkem768']))
      : undefined,
    minCohort: reader.readOr('minCohort', defaultSitePolicyConfig.minCohort, integerIn(3, 65535)),
    minHonest: reader.readOr('minHonest', defaultSitePolicyConfig.minHonest, integerIn(2, 65535)),
    minCollusion: reader.readOr('minCollusion', defaultSitePolicyConfig.minCollusion, integerIn(0, 65535)),
    maxRounds: reader.readOr('maxRounds', defaultSitePolicyConfig.maxRounds, integerIn(1, 1_000_000)),
    maxHoldoutFraction: reader.readOr('maxHoldoutFraction', defaultSitePolicyConfig.maxHoldoutFraction, check.probability),
    minNoiseMultiplier: reader.readOr('minNoiseMultiplier', defaultSitePolicyConfig.minNoiseMultiplier, check.nonNegative),
    minSampleRate: reader.readOr('minSampleRate', defaultSitePolicyConfig.minSampleRate, check.probability),
  };
  reader.end();
  return policy;
}

function planHashText(value: unknown, at: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) {
    throw new SottoError(
      'invalid-config',
      `${at} is ${check.show(value)}; write the 64 hexadecimal digits that "sotto plan hash" prints`,
    );
  }
  return value;
}
