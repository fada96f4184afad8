/**
 * The client as a service, with the declarative task of its configuration.
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import type { ClientConfig } from '../config/client-config.ts';
import { type ServiceOptions, type Stoppable, runUntilStopped } from '../service/service.ts';
import { worldOf } from '../service/world.ts';
import { FederatedClient, type RunOutcome } from './federated-client.ts';
import { tabularTask } from './tabular-task.ts';

/** A running client. */
export interface ClientService extends Stoppable {
  /** Settles as that of `FederatedClient`. */
  readonly finished: Promise<RunOutcome>;
  /** Drops everything at once, as SIGKILL would: for tests of crashes. */
  abandon(): void;
}

/** Starts a client with the task of its configuration; rejects with `invalid-config` where it has none. Works at once, enrolment included. */
export function startClientService(config: ClientConfig, options: ServiceOptions = {}): Promise<ClientService> {
  const { task } = config;
  if (task === undefined) {
    return Promise.reject(
      new SottoError(
        'invalid-config',
        `the client ${config.id} has no task; add "task: {kind: tabular, file: PATH}", or embed FederatedClient`,
      ),
    );
  }
  const { crypto, random } = worldOf(config.id, options);
  return Promise.resolve(new FederatedClient({ ...options, config, task: tabularTask({ file: task.file, crypto, random }) }));
}

/** Runs a client to the end of its run, with SIGTERM, SIGINT and `exitWithParent` handled. Resolves to `undefined` where it was stopped before. */
export async function runClientService(config: ClientConfig, options: ServiceOptions = {}): Promise<RunOutcome | undefined> {
  const service = await startClientService(config, options);
  let outcome: RunOutcome | undefined;
  service.finished.then(
    (value) => (outcome = value),
    () => undefined,
  );
  await runUntilStopped(service, config);
  return outcome;
}
