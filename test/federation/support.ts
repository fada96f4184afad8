/** What several tests of the federation share: a scratch folder, a collecting log, an authority with tokens. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type AuthorityConfig,
  type LogRecord,
  type RunningService,
  parseAuthorityConfig,
  startAuthority,
} from '../../packages/federation/src/index.ts';

/** A folder that is gone after the test. */
export function scratch(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'sotto-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A log sink that keeps its records, and lets a test wait for one. */
export class LogBook {
  readonly records: LogRecord[] = [];
  readonly #waiting: { readonly matches: (record: LogRecord) => boolean; readonly resolve: (record: LogRecord) => void }[] = [];

  readonly sink = (record: LogRecord): void => {
    this.records.push(record);
    for (const waiter of this.#waiting) if (waiter.matches(record)) waiter.resolve(record);
  };

  events(event: string): LogRecord[] {
    return this.records.filter((record) => record.event === event);
  }

  /** The first record that matches, past or future. */
  async when(event: string, matches: (record: LogRecord) => boolean = () => true): Promise<LogRecord> {
    const hit = (record: LogRecord): boolean => record.event === event && matches(record);
    const past = this.records.find(hit);
    if (past !== undefined) return past;
    return await new Promise((resolve) => this.#waiting.push({ matches: hit, resolve }));
  }
}

/** An authority in a folder, with tokens for a coordinator and the named clients in `tokens/<id>.token`. */
export function authorityConfig(directory: string, clients: readonly string[] = []): AuthorityConfig {
  return parseAuthorityConfig(
    {
      directory: 'authority',
      trustDomain: 'test.example',
      listen: '127.0.0.1:0',
      addressFile: 'authority.address',
      trustFile: 'trust.json',
      tokens: [
        { id: 'coordinator', role: 'coordinator', file: 'tokens/coordinator.token' },
        ...clients.map((id) => ({ id, role: 'client', file: `tokens/${id}.token` })),
      ],
    },
    directory,
  );
}

/** Starts it, and stops it after the test. */
export async function runningAuthority(config: AuthorityConfig, book = new LogBook()): Promise<RunningService> {
  const service = await startAuthority(config, { log: book.sink });
  onTestFinished(() => service.stop(0));
  return service;
}
