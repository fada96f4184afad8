/** The client as a service with the declarative tabular task. @module */
import type { ClientConfig } from '../config/service-config.ts';
import type { ServiceOptions, Stoppable } from '../service/service.ts';
import type { RunOutcome } from './federated-client.ts';

/** A running client. */
export interface ClientService extends Stoppable {
  readonly finished: Promise<RunOutcome>;
  abandon(): void;
}

/** Starts a client with the task of its configuration. */
export async function startClientService(config: ClientConfig, options: ServiceOptions = {}): Promise<ClientService> {
  void config;
  void options;
  throw new Error('under construction');
}

/** Runs a client to the end of its run, with SIGTERM, SIGINT and `exitWithParent` handled. */
export async function runClientService(config: ClientConfig, options: ServiceOptions = {}): Promise<RunOutcome> {
  return await (await startClientService(config, options)).finished;
}
