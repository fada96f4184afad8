/**
 * Configuration of the authority, as YAML or JSON.
 *
 * @module
 */
import path from 'node:path';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { Role } from '@sotto/core/identity';
import { ConfigReader } from './config-reader.ts';
import { loadDocument } from './load-document.ts';
import { type ListenConfig, type ServiceConfig, integerIn, listenOf, optionalPath, serviceOf } from './service-config.ts';

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

/** Reads an authority's configuration file. */
export async function loadAuthorityConfig(file: string): Promise<AuthorityConfig> {
  return parseAuthorityConfig(await loadDocument(file), path.dirname(path.resolve(file)), file);
}

/** A trust domain of SPIFFE: lower-case letters, digits, dots, dashes, underscores. */
export function trustDomain(name: string, value: unknown): string {
  const text = check.text(name, value, 255);
  if (!/^[a-z0-9._-]+$/.test(text)) {
    throw new SottoError('invalid-argument', `${name} is ${check.show(text)}; a trust domain has only a-z, 0-9, ".", "-", "_"`);
  }
  return text;
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
