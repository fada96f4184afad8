/**
 * Secure aggregation against a malicious coordinator: pure state machines for both sides, their messages, parameters
 * and quantiser. `@sotto/secagg/node` has the fast provider and worker threads.
 *
 * @module
 */
export type { Abort, AbortCode } from './abort.ts';
export { startClient, stepClient } from './client/machine.ts';
export { inputLimit } from './client/state.ts';
export type {
  ClientEffect,
  ClientInput,
  ClientPhase,
  ClientSetup,
  ClientState,
  ClientStateOf,
  ClientStep,
} from './client/state.ts';
export { answeredKey, checkContext, contextHash, contributedKey, modelHash, packedBytes, planHash } from './context.ts';
export type { GraphRule, Mode, NoiseSpec, QuantiserSpec, RoundContext, Suite, VectorSpec } from './context.ts';
export { runMaskJob } from './masks.ts';
export type { JobOptions, MaskJob, MaskStream } from './masks.ts';
export { maskedInputMaxBytes } from './messages/input.ts';
export type { Receipt } from './messages/unmask.ts';
export { messageName } from './messages/wire.ts';
export type { MessageName } from './messages/wire.ts';
export { decodeNoisedSum, distributedNoise, encodeNoised } from './noise/distributed.ts';
export type { DistributedNoise, DistributedNoiseChoice, SumEvent } from './noise/distributed.ts';
export { honestMinimumOf, noiseOverheadBound } from './noise/overhead.ts';
export { discreteGaussian, skellam } from '@sotto/core/integer-noise';
export { pack, unpack } from './packing.ts';
export { roundParameters } from './parameters.ts';
export type { CohortRule, RoundParameters } from './parameters.ts';
export { defaultSitePolicy } from './policy.ts';
export type { SitePolicy } from './policy.ts';
export { dequantiseSum, quantise, quantiserFor, sumBits } from './quantiser.ts';
export { checkBlame } from './server/blame.ts';
export type { Blame } from './server/blame.ts';
export type { BlameEvidence } from './server/blame.ts';
export { frozenOutcome, stageStatus, startServer, stepServer } from './server/machine.ts';
export type {
  CollectingStage,
  Incident,
  ServerEffect,
  ServerInput,
  ServerSetup,
  ServerStage,
  ServerState,
  ServerStep,
  SumResult,
  Verdict,
} from './server/state.ts';
