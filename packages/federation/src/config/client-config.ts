/**
 * Configuration of a client, as YAML or JSON.
 *
 * @module
 */
import path from 'node:path';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import { ConfigReader } from './config-reader.ts';
import { loadDocument } from './load-document.ts';
import {
  type EnrolmentConfig,
  type ServiceConfig,
  addressReference,
  enrolmentOf,
  integerIn,
  serviceOf,
} from './service-config.ts';
import { type SitePolicyConfig, policyOf } from './site-policy-config.ts';

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

/** Reads a client's configuration file. */
export async function loadClientConfig(file: string): Promise<ClientConfig> {
  return parseClientConfig(await loadDocument(file), path.dirname(path.resolve(file)), file);
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
