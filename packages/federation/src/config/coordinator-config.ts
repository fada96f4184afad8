/**
 * Configuration of the coordinator, as YAML or JSON.
 *
 * @module
 */
import path from 'node:path';
import * as check from '@sotto/core/check';
import { ConfigReader } from './config-reader.ts';
import { loadDocument } from './load-document.ts';
import {
  type EnrolmentConfig,
  type ListenConfig,
  type ServiceConfig,
  enrolmentOf,
  integerIn,
  listenOf,
  serialText,
  serviceOf,
} from './service-config.ts';

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

/** Reads a coordinator's configuration file. */
export async function loadCoordinatorConfig(file: string): Promise<CoordinatorConfig> {
  return parseCoordinatorConfig(await loadDocument(file), path.dirname(path.resolve(file)), file);
}
