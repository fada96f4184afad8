/**
 * What the configurations of the three services share. Keys are exactly those of the interfaces; an unknown key is refused.
 * Relative paths are resolved against the folder of the configuration file.
 *
 * @module
 */
import path from 'node:path';
import * as check from '@sotto/core/check';
import { SottoError } from '@sotto/core/errors';
import type { ConfigReader } from './config-reader.ts';

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

/** How a party reaches the authority the first time. */
export interface EnrolmentConfig {
  /** `host:port`, or `file:PATH` of a file that holds it. Key `authority`. */
  readonly authority: string;
  /** The join token's file; needed once. Key `joinToken`, optional when enrolled. */
  readonly joinToken?: string | undefined;
}

/** An integer of a range, as {@link ConfigReader.read} takes it. */
export const integerIn: (min: number, max: number) => (name: string, value: unknown) => number =
  (min: number, max: number) =>
  (name: string, value: unknown): number =>
    check.integer(name, value, min, max);

/** Reads {@link ServiceConfig}. */
export function serviceOf(reader: ConfigReader, base: string): ServiceConfig {
  return { directory: path.resolve(base, reader.text('directory')), exitWithParent: reader.flagOr('exitWithParent', false) };
}

/** Reads {@link ListenConfig}. */
export function listenOf(reader: ConfigReader, base: string): ListenConfig {
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

/** Reads {@link EnrolmentConfig}. */
export function enrolmentOf(reader: ConfigReader, base: string): EnrolmentConfig {
  return { authority: addressReference(reader.text('authority'), base), joinToken: optionalPath(reader, 'joinToken', base) };
}

/** `file:PATH` with the path made absolute, or an address as it is. */
export function addressReference(value: string, base: string): string {
  return value.startsWith('file:') ? `file:${path.resolve(base, value.slice(5))}` : value;
}

/** A path that may be left out, made absolute. */
export function optionalPath(reader: ConfigReader, key: string, base: string): string | undefined {
  const value = reader.textOr(key, undefined);
  return value === undefined ? undefined : path.resolve(base, value);
}

/** A serial as the authority logs it. */
export function serialText(value: unknown, at: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(value)) {
    throw new SottoError(
      'invalid-config',
      `${at} is ${check.show(value)}; write the 32 hexadecimal digits that the authority logs as the serial in party.enrolled, in quotes`,
    );
  }
  return value;
}
