/** The coordinator service. @module */
import type { CoordinatorConfig } from '../config/service-config.ts';
import type { RunningService, ServiceOptions } from '../service/service.ts';

/** What a coordinator's host may pass besides its configuration. */
export interface CoordinatorOptions extends ServiceOptions {
  /** Sees every message body and every metadata block that the coordinator receives, before anything decodes them. For audits and tests. */
  readonly onReceived?: ((bytes: Uint8Array, about: { readonly peer: string; readonly method: string }) => void) | undefined;
}

/** Starts a coordinator: enrols it if needed, resumes or begins the run, serves. Rejects with `SottoError`. */
export async function startCoordinator(config: CoordinatorConfig, options: CoordinatorOptions = {}): Promise<RunningService> {
  void config;
  void options;
  throw new Error('under construction');
}
