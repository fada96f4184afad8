/**
 * Structured logs: one JSON object a line, `{time, level, party, event, …}`. Only named plain fields go in, bytes never
 * do, so that no key, share or record can slip through by being part of a bigger object.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';

/** Levels, from the most to the least verbose. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a field may hold. */
export type LogValue = string | number | boolean | null | readonly LogValue[] | { readonly [key: string]: LogValue };

/** One line. */
export interface LogRecord {
  /** RFC 3339 in UTC. */
  readonly time: string;
  readonly level: LogLevel;
  readonly party: string;
  readonly event: string;
  readonly [field: string]: LogValue;
}

/** Where records go. */
export type LogSink = (record: LogRecord) => void;

/** Writes each record as a line on standard output. */
export function standardOutputSink(record: LogRecord): void {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

/** A logger of one party. */
export class Logger {
  readonly #party: string;
  readonly #sink: LogSink;
  readonly #now: () => number;

  constructor(party: string, sink: LogSink, now: () => number) {
    this.#party = party;
    this.#sink = sink;
    this.#now = now;
  }

  debug(event: string, fields: { readonly [key: string]: LogValue } = {}): void {
    this.#write('debug', event, fields);
  }

  info(event: string, fields: { readonly [key: string]: LogValue } = {}): void {
    this.#write('info', event, fields);
  }

  warn(event: string, fields: { readonly [key: string]: LogValue } = {}): void {
    this.#write('warn', event, fields);
  }

  error(event: string, fields: { readonly [key: string]: LogValue } = {}): void {
    this.#write('error', event, fields);
  }

  #write(level: LogLevel, event: string, fields: { readonly [key: string]: LogValue }): void {
    this.#sink({ ...fields, time: new Date(this.#now()).toISOString(), level, party: this.#party, event });
  }
}

/** Code and message of an error, without a stack. */
export function errorFields(reason: unknown): { readonly code: string; readonly reason: string } {
  const error = SottoError.from(reason);
  return { code: error.code, reason: error.message };
}
