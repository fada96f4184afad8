/** What several tests of the federation share, ended with the test. */
import { readFileSync } from 'node:fs';
import { type Socket, connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AuthorityConfig, FederationPlan, RunningService } from '../../packages/federation/src/index.ts';
import { startAuthority } from '../../packages/federation/src/index.ts';
import { type Defer, LogBook, Scene, scratchFolder } from './scene.ts';

export { LogBook, authorityConfig, expectedModel, fixedTask, fourIds, tinyPlan, updateOf } from './scene.ts';

const defer: Defer = (end) =>
  onTestFinished(async () => {
    await end();
  });

/** A folder that is gone after the test. */
export function scratch(): string {
  return scratchFolder(defer);
}

/** Starts an authority, and stops it after the test. */
export async function runningAuthority(config: AuthorityConfig, book: LogBook = new LogBook()): Promise<RunningService> {
  const service = await startAuthority(config, { log: book.sink });
  onTestFinished(() => service.stop(0));
  return service;
}

/** A {@link Scene} that ends with the test. */
export class Federation extends Scene {
  constructor(plan?: FederationPlan) {
    super(defer, plan);
  }
}

/** Forwards to the address in a file, and can cut all its connections. */
export async function proxyTo(addressFile: string): Promise<{ readonly address: string; cut(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const [host = '', port = ''] = readFileSync(addressFile, 'utf8').trim().split(':');
    const far = connect(Number(port), host);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => other.destroy());
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  return {
    address: `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`,
    cut: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}
