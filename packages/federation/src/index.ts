/**
 * Federated rounds over gRPC with mutual TLS 1.3: the enrolment authority, the coordinator, and the client as a service
 * or embedded in a program.
 *
 * @module
 */
export { accountant } from './accounting.ts';
export { type AuthorityConfig, type TokenRequest, loadAuthorityConfig, parseAuthorityConfig } from './config/authority-config.ts';
export {
  type AccountConfig,
  type ClientConfig,
  type DrillConfig,
  type TabularTaskConfig,
  loadClientConfig,
  parseClientConfig,
} from './config/client-config.ts';
export { type CoordinatorConfig, loadCoordinatorConfig, parseCoordinatorConfig } from './config/coordinator-config.ts';
export type { EnrolmentConfig, ListenConfig, ServiceConfig } from './config/service-config.ts';
export { type SitePolicyConfig, defaultSitePolicyConfig } from './config/site-policy-config.ts';
export {
  type FederationPlan,
  type PlanDeadlines,
  type PlanParty,
  type PlanTraining,
  decodePlan,
  encodePlan,
  loadPlan,
  parsePlan,
} from './plan/plan.ts';
export {
  type CategoricalColumn,
  type FeatureColumn,
  type NumericColumn,
  type TabularSpec,
  featureCount,
} from './plan/tabular-spec.ts';
export { type LogLevel, type LogRecord, type LogSink, type LogValue, standardOutputSink } from './service/log.ts';
export { type Masking, type NodeMaskingOptions, nodeMasking } from './service/masking.ts';
export { type RunningService, type ServiceOptions, type Stoppable, runUntilStopped } from './service/service.ts';
export { issueJoinToken, startAuthority } from './enrolment/authority.ts';
export { type CoordinatorOptions, startCoordinator } from './coordinator/coordinator.ts';
export { type FederatedClientOptions, type RunOutcome, FederatedClient } from './client/federated-client.ts';
export type { ClientTask, PreparedTask, TaskContext, TrainRequest, TrainResult } from './client/task.ts';
export { type ClientService, startClientService, runClientService } from './client/client-service.ts';
