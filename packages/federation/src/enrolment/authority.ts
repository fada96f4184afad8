/** The enrolment authority. @module */
import type { AuthorityConfig, TokenRequest } from '../config/service-config.ts';
import type { RunningService, ServiceOptions } from '../service/service.ts';

/** Starts the enrolment authority: makes its keys if needed, issues the configured tokens, serves. */
export async function startAuthority(config: AuthorityConfig, options: ServiceOptions = {}): Promise<RunningService> {
  void config;
  void options;
  throw new Error('under construction');
}

/** Issues one more join token into its file (mode 0600); works beside a running authority. */
export async function issueJoinToken(config: AuthorityConfig, token: TokenRequest, options: ServiceOptions = {}): Promise<void> {
  void config;
  void token;
  void options;
  throw new Error('under construction');
}
