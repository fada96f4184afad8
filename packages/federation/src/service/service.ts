/**
 * The life of a service: what the programs that start one give and get, and how SIGTERM, SIGINT and a vanished parent end
 * it.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import type { RandomSource } from '@sotto/core/random';
import type { LogSink } from './log.ts';
import type { Masking } from './masking.ts';

/** The world outside, as parameters. All have defaults: JSON lines on standard output, the clock, the CSPRNG, node:crypto on all cores. */
export interface ServiceOptions {
  readonly log?: LogSink | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs?: (() => number) | undefined;
  readonly random?: RandomSource | undefined;
  readonly crypto?: CryptoProvider | undefined;
  /**
   * Who makes the mask keystreams. Default: `nodeMasking()`, ended with the service; with a `crypto` of one's own, that
   * provider's keystream. One that is given is left open.
   */
  readonly masking?: Masking | undefined;
}

/** A server that listens. */
export interface RunningService {
  /** The real `host:port`. */
  readonly address: string;
  /** Settles when the service has stopped, by itself or by {@link stop}; rejects if it failed. */
  readonly finished: Promise<void>;
  /**
   * Drains and closes the store. A coordinator begins no new round and lets the one in hand end for at most `graceMs`
   * (default its `drainMs`); an authority lets running calls end (default 5000).
   */
  stop(graceMs?: number): Promise<void>;
  /** Drops everything at once without a word to the peers, as SIGKILL would: for tests of crashes. */
  abandon(): void;
}

/** Something that can be told to stop. */
export interface Stoppable {
  readonly finished: Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Runs a service until it ends: SIGTERM and SIGINT drain it, and so does the end of standard input where
 * `exitWithParent` is set. The handlers are taken away again at the end.
 */
export async function runUntilStopped(service: Stoppable, options: { readonly exitWithParent: boolean }): Promise<void> {
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    service.stop().catch(() => undefined);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const forget = options.exitWithParent ? onParentGone(stop) : (): void => undefined;
  try {
    await service.finished;
  } catch (reason) {
    // Being stopped is a good end.
    if (!stopped || !(reason instanceof SottoError) || reason.code !== 'cancelled') throw reason;
  } finally {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    forget();
  }
}

/** Calls back when standard input has ended, also if that was before. Returns what takes the listeners away. */
export function onParentGone(gone: () => void): () => void {
  const { stdin } = process;
  if (stdin.readableEnded || stdin.destroyed) {
    gone();
    return () => undefined;
  }
  const events = ['end', 'close', 'error'] as const;
  for (const event of events) stdin.on(event, gone);
  stdin.resume();
  return () => {
    for (const event of events) stdin.off(event, gone);
    stdin.pause();
    stdin.unref();
  };
}
