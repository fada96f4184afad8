/**
 * grpc.health.v1: `Check` answers at once, `Watch` until the caller leaves or the service drains.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { methods } from './methods.ts';
import type { RpcServer } from './rpc-server.ts';

/** Serves health of the whole server (empty name) and of one service. */
export function serveHealth(server: RpcServer, service: string): void {
  const known = (name: string): boolean => name === '' || name === service;
  server.unary(methods.healthCheck, (name) => {
    if (!known(name)) throw new SottoError('not-found', `there is no service ${name.slice(0, 100)} here`);
    return 'serving';
  });
  server.serverStream(methods.healthWatch, async (name, send, { signal }) => {
    send(known(name) ? 'serving' : 'service-unknown');
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const reason = SottoError.from(signal.reason);
    if (reason.code === 'unavailable' && known(name)) send('not-serving');
  });
}
