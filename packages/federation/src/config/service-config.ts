/**
 * Configuration of the three services, as YAML or JSON. Keys are exactly those of the interfaces below; an unknown key
 * is refused. Relative paths are resolved against the folder of the configuration file.
 *
 * @module
 */
import path from 'node:path';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Role } from '@sotto/core/identity';
import { ConfigReader } from './config-reader.ts';
import { loadDocument } from './load-document.ts';

/** What all services share. */
export interface ServiceConfig {
  /** Folder of this party's keys, certificates and database. Made with mode 0700 where it is missing. */
  readonly directory: string;
  /** End when standard input closes, so that no child outlives its parent. Key `exitWithParent`, default false. */
  readonly exitWithParent: boolean;
}

/** What servers share. */
export interface ListenConfig {
  /** `host:port`; port 0 takes a free one. Key `listen`. */
  readonly listen: string;
  /** Where the real `host:port` is written, atomically, once the server listens. Key `addressFile`, optional. */
  readonly addressFile?: string | undefined;
  /** Further DNS names or IP addresses of the TLS certificate. Key `serverNames`, default none: peers check the SPIFFE id. */
  readonly serverNames: readonly string[];
}

/** A join token that the authority issues when it starts, unless its file is there already. */
export interface TokenRequest {
  readonly id: string;
  readonly role: Role;
  /** Written with mode 0600. */
  readonly file: string;
}

/** `sotto authority`. */
export interface AuthorityConfig extends ServiceConfig, ListenConfig {
  /** SPIFFE trust domain, lower case. Key `trustDomain`. */
  readonly trustDomain: string;
  /** Key `tokens`, default none; `issueJoinToken` makes more. */
  readonly tokens: readonly TokenRequest[];
  /** Life of a join token. Key `tokenHours`, default 24. */
  readonly tokenHours: number;
  /** Life of a party's certificates. Key `certificateDays`, default 90. */
  readonly certificateDays: number;
  /** Where the trust bundle and its fingerprint are written as JSON for `sotto verify --trust`. Key `trustFile`, optional. */
  readonly trustFile?: string | undefined;
}

/** How a party reaches the authority the first time. */
export interface EnrolmentConfig {
  /** `host:port`, or `file:PATH` of a file that holds it. Key `authority`. */
  readonly authority: string;
  /** The join token's file; needed once. Key `joinToken`, optional when enrolled. */
  readonly joinToken?: string | undefined;
}

/** `sotto coordinator`. */
export interface CoordinatorConfig extends ServiceConfig, ListenConfig, EnrolmentConfig {
  /** Its id in the federation. Key `id`. */
  readonly id: string;
  /** The plan's file. Key `plan`. */
  readonly plan: string;
  /** Folder in which the finished run is written. Key `exportDirectory`. */
  readonly exportDirectory: string;
  /** End once the run is exported and every client was told. Key `exitWhenDone`, default false: goes on serving. */
  readonly exitWhenDone: boolean;
  /** How long a member's lost connection may last before its stage goes on without it. Key `disconnectGraceMs`, default 1000. */
  readonly disconnectGraceMs: number;
  /** Serials (32 hex digits, as the authority logs in `party.enrolled`) of certificates that are refused. Key `revoked`, default none. */
  readonly revoked: readonly string[];
  /** How long the round in hand may still take after SIGTERM or `stop` before it is given up. Key `drainMs`, default 10000. */
  readonly drainMs: number;
  /**
   * With `exitWhenDone`, how long to wait for clients that do not know yet, after a restart, that their ledgers are here.
   * Key `lingerMs`, default 10000.
   */
  readonly lingerMs: number;
  /** How long to wait for the clients' ledgers after the last round. Key `collectMs`, default 60000. */
  readonly collectMs: number;
}

/** The data owner's floors; they outrank whatever the coordinator asks. */
export interface SitePolicyConfig {
  /** Hashes (hex) of the plans that may run. Key `plans`, default any plan within the other limits. */
  readonly plans?: readonly string[] | undefined;
  /** Serials (32 hex digits) of certificates that are refused: the coordinator's, or in a roster. Key `revoked`, default none. */
  readonly revoked: readonly string[];
  /** Parties that may be in a roster. Key `peers`, default every enrolled client. */
  readonly peers?: readonly string[] | undefined;
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

/** What the data are, for the ledger's account and the report. Key `account`. */
export interface AccountConfig {
  /** A name of the data set. Key `dataset`. */
  readonly dataset: string;
  /** Who answers for it. Key `steward`. */
  readonly steward: string;
  /** What it may be used for. Key `purpose`. */
  readonly purpose: string;
  /** On which ground. Key `legalBasis`. */
  readonly legalBasis: string;
}

/** The declarative task: a CSV file whose columns the plan describes. */
export interface TabularTaskConfig {
  readonly kind: 'tabular';
  /** Key `file`. */
  readonly file: string;
}

/** A rehearsed drop-out: the client waits at that point to be killed, and goes on after `timeoutMs`. */
export interface DrillConfig {
  readonly round: number;
  readonly after: 'share';
  /** Default 60000. */
  readonly timeoutMs: number;
}

/** `sotto client`, and the base of the library's options. */
export interface ClientConfig extends ServiceConfig, EnrolmentConfig {
  readonly id: string;
  /** `host:port`, or `file:PATH`, read again at every reconnect. Key `coordinator`. */
  readonly coordinator: string;
  /** The id that the coordinator's certificate must carry. Key `coordinatorId`, default `coordinator`. */
  readonly coordinatorId: string;
  /** The privacy budget of this data set for the whole run. Keys `budget.epsilon` (default 1), `budget.delta` (default 0.001). */
  readonly budget: { readonly epsilon: number; readonly delta: number };
  /** How long a client whose run is complete tries to reach the coordinator before it ends. Key `farewellMs`, default 10000. */
  readonly farewellMs: number;
  readonly policy: SitePolicyConfig;
  readonly account: AccountConfig;
  /** Key `task`: `{kind: tabular, file: PATH}`. Left out where the program embeds `FederatedClient` with its own task. */
  readonly task?: TabularTaskConfig | undefined;
  readonly drill?: DrillConfig | undefined;
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

const integerIn =
  (min: number, max: number) =>
  (name: string, value: unknown): number =>
    check.integer(name, value, min, max);

/** Parses the mapping of an authority's configuration; throws `invalid-config`. */
export function parseAuthorityConfig(value: unknown, baseDirectory: string, name = 'authority config'): AuthorityConfig {
  const reader = new ConfigReader(value, name);
  const config: AuthorityConfig = {
    ...serviceOf(reader, baseDirectory),
    ...listenOf(reader, baseDirectory),
    trustDomain: reader.read('trustDomain', trustDomain),
    tokens: reader.has('tokens') ? reader.list('tokens', (item, at) => tokenOf(new ConfigReader(item, at), baseDirectory)) : [],
    tokenHours: reader.readOr('tokenHours', 24, integerIn(1, 24 * 366)),
    certificateDays: reader.readOr('certificateDays', 90, integerIn(1, 3660)),
    trustFile: optionalPath(reader, 'trustFile', baseDirectory),
  };
  reader.end();
  return config;
}

/** Parses the mapping of a coordinator's configuration; throws `invalid-config`. */
export function parseCoordinatorConfig(value: unknown, baseDirectory: string, name = 'coordinator config'): CoordinatorConfig {
  const reader = new ConfigReader(value, name);
  const config: CoordinatorConfig = {
    ...serviceOf(reader, baseDirectory),
    ...listenOf(reader, baseDirectory),
    ...enrolmentOf(reader, baseDirectory),
    id: reader.read('id', check.partyId),
    plan: path.resolve(baseDirectory, reader.text('plan')),
    exportDirectory: path.resolve(baseDirectory, reader.text('exportDirectory')),
    exitWhenDone: reader.flagOr('exitWhenDone', false),
    disconnectGraceMs: reader.readOr('disconnectGraceMs', 1000, integerIn(0, 3_600_000)),
    revoked: reader.has('revoked') ? reader.list('revoked', serialText) : [],
    drainMs: reader.readOr('drainMs', 10_000, integerIn(0, 3_600_000)),
    lingerMs: reader.readOr('lingerMs', 10_000, integerIn(0, 3_600_000)),
    collectMs: reader.readOr('collectMs', 60_000, integerIn(0, 86_400_000)),
  };
  reader.end();
  return config;
}

/** Parses the mapping of a client's configuration; throws `invalid-config`. */
export function parseClientConfig(value: unknown, baseDirectory: string, name = 'client config'): ClientConfig {
  const reader = new ConfigReader(value, name);
  const config: ClientConfig = {
    ...serviceOf(reader, baseDirectory),
    ...enrolmentOf(reader, baseDirectory),
    id: reader.read('id', check.partyId),
    coordinator: addressReference(reader.text('coordinator'), baseDirectory),
    coordinatorId: reader.readOr('coordinatorId', 'coordinator', check.partyId),
    budget: budgetOf(reader.optionalObject('budget')),
    farewellMs: reader.readOr('farewellMs', 10_000, integerIn(0, 3_600_000)),
    policy: policyOf(reader.optionalObject('policy')),
    account: accountOf(reader.object('account')),
    task: taskOf(reader.optionalObject('task'), baseDirectory),
    drill: drillOf(reader.optionalObject('drill')),
  };
  if (config.id === config.coordinatorId) {
    throw new SottoError(
      'invalid-config',
      `${name}: id and coordinatorId are both "${config.id}"; a client has an id of its own`,
    );
  }
  reader.end();
  return config;
}

/** Reads an authority's configuration file. */
export async function loadAuthorityConfig(file: string): Promise<AuthorityConfig> {
  return parseAuthorityConfig(await loadDocument(file), path.dirname(path.resolve(file)), file);
}

/** Reads a coordinator's configuration file. */
export async function loadCoordinatorConfig(file: string): Promise<CoordinatorConfig> {
  return parseCoordinatorConfig(await loadDocument(file), path.dirname(path.resolve(file)), file);
}

/** Reads a client's configuration file. */
export async function loadClientConfig(file: string): Promise<ClientConfig> {
  return parseClientConfig(await loadDocument(file), path.dirname(path.resolve(file)), file);
}

/** A trust domain of SPIFFE: lower-case letters, digits, dots, dashes, underscores. */
export function trustDomain(name: string, value: unknown): string {
  const text = check.text(name, value, 255);
  if (!/^[a-z0-9._-]+$/.test(text)) {
    throw new SottoError('invalid-argument', `${name} is ${check.show(text)}; a trust domain has only a-z, 0-9, ".", "-", "_"`);
  }
  return text;
}

function serviceOf(reader: ConfigReader, base: string): ServiceConfig {
  return { directory: path.resolve(base, reader.text('directory')), exitWithParent: reader.flagOr('exitWithParent', false) };
}

function listenOf(reader: ConfigReader, base: string): ListenConfig {
  const listen = reader.text('listen');
  if (!/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i.test(listen)) {
    throw new SottoError(
      'invalid-config',
      `${reader.path}: listen is ${check.show(listen)}; write host:port, such as 127.0.0.1:0`,
    );
  }
  return {
    listen,
    addressFile: optionalPath(reader, 'addressFile', base),
    serverNames: reader.has('serverNames') ? reader.list('serverNames', (item, at) => check.text(at, item, 253)) : [],
  };
}

function enrolmentOf(reader: ConfigReader, base: string): EnrolmentConfig {
  return { authority: addressReference(reader.text('authority'), base), joinToken: optionalPath(reader, 'joinToken', base) };
}

/** `file:PATH` with the path made absolute, or an address as it is. */
function addressReference(value: string, base: string): string {
  return value.startsWith('file:') ? `file:${path.resolve(base, value.slice(5))}` : value;
}

function optionalPath(reader: ConfigReader, key: string, base: string): string | undefined {
  const value = reader.textOr(key, undefined);
  return value === undefined ? undefined : path.resolve(base, value);
}

function tokenOf(reader: ConfigReader, base: string): TokenRequest {
  const token: TokenRequest = {
    id: reader.read('id', check.partyId),
    role: reader.read('role', (name, value) => check.oneOf(name, value, ['coordinator', 'client'])),
    file: path.resolve(base, reader.text('file')),
  };
  reader.end();
  return token;
}

function budgetOf(reader: ConfigReader | undefined): ClientConfig['budget'] {
  if (reader === undefined) return { epsilon: 1, delta: 1e-3 };
  const budget = {
    epsilon: reader.readOr('epsilon', 1, check.positive),
    delta: reader.readOr('delta', 1e-3, check.openProbability),
  };
  reader.end();
  return budget;
}

function policyOf(reader: ConfigReader | undefined): SitePolicyConfig {
  if (reader === undefined) return defaultSitePolicyConfig;
  const policy: SitePolicyConfig = {
    plans: reader.has('plans') ? reader.list('plans', planHashText) : undefined,
    revoked: reader.has('revoked') ? reader.list('revoked', serialText) : [],
    peers: reader.has('peers') ? reader.list('peers', (item, at) => check.partyId(at, item)) : undefined,
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

function serialText(value: unknown, at: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(value)) {
    throw new SottoError(
      'invalid-config',
      `${at} is ${check.show(value)}; write the 32 hexadecimal digits that the authority logs as the serial in party.enrolled, in quotes`,
    );
  }
  return value;
}

function accountOf(reader: ConfigReader): AccountConfig {
  const short = (name: string, value: unknown): string => check.text(name, value, 300);
  const account: AccountConfig = {
    dataset: reader.read('dataset', short),
    steward: reader.read('steward', short),
    purpose: reader.read('purpose', short),
    legalBasis: reader.read('legalBasis', short),
  };
  reader.end();
  return account;
}

function taskOf(reader: ConfigReader | undefined, base: string): TabularTaskConfig | undefined {
  if (reader === undefined) return undefined;
  const task: TabularTaskConfig = {
    kind: reader.read('kind', (name, value) => check.oneOf(name, value, ['tabular'])),
    file: path.resolve(base, reader.text('file')),
  };
  reader.end();
  return task;
}

function drillOf(reader: ConfigReader | undefined): DrillConfig | undefined {
  if (reader === undefined) return undefined;
  const drill: DrillConfig = {
    round: reader.read('round', integerIn(1, 1_000_000)),
    after: reader.read('after', (name, value) => check.oneOf(name, value, ['share'])),
    timeoutMs: reader.readOr('timeoutMs', 60_000, integerIn(1, 3_600_000)),
  };
  reader.end();
  return drill;
}
