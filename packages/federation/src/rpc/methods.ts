/**
 * Every call of the federation, who may make it and what limits hold. A method without a rule does not compile, and the
 * server refuses to register one: default deny.
 *
 * @module
 */
import type { Role } from '@sotto/core/identity';
import * as wire from './wire.ts';
import type { Codec } from './wire.ts';

/** Version of the protocol between parties; both sides must speak the same. */
export const protocolVersion = 1;

/** Metadata key that carries {@link protocolVersion} on every call. */
export const versionKey = 'sotto-protocol';

/** Largest message that a server takes: a chunk and its frame. */
export const maxRequestBytes: number = 2 * 1024 * 1024;

/** Largest message that a client takes: an offer holds a whole model. */
export const maxResponseBytes: number = 256 * 1024 * 1024;

/** Largest piece of an upload. */
export const chunkBytes: number = 1024 * 1024;

/** One remote call. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly kind: 'unary' | 'client-stream' | 'server-stream';
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
  /** A call that brings no deadline, or a later one, ends after this. */
  readonly maxDurationMs: number;
}

const minute = 60_000;
/** Stages wait for the slowest member: training of a round may take hours. */
const stageLimit: number = 24 * 60 * minute;

const enrolment = '/sotto.federation.v1.Enrolment/';
const coordination = '/sotto.federation.v1.Coordination/';
const health = '/grpc.health.v1.Health/';

function unary<Q, A>(path: string, request: Codec<Q>, response: Codec<A>, maxDurationMs: number): Method<Q, A> {
  return { path, kind: 'unary', request, response, maxDurationMs };
}

/** All methods by name. */
export const methods = {
  getTrustBundle: unary(`${enrolment}GetTrustBundle`, wire.trustBundleRequest, wire.trustBundleResponse, minute) as Method<
    wire.TrustBundleRequest,
    Uint8Array
  >,
  enrol: unary(`${enrolment}Enrol`, wire.enrolRequest, wire.enrolResponse, minute) as Method<
    wire.EnrolRequest,
    wire.EnrolResponse
  >,
  hello: unary(`${coordination}Hello`, wire.helloRequest, wire.helloResponse, minute) as Method<
    wire.HelloRequest,
    wire.HelloResponse
  >,
  awaitRound: unary(`${coordination}AwaitRound`, wire.awaitRoundRequest, wire.awaitRoundResponse, 10 * minute) as Method<
    wire.AwaitRoundRequest,
    wire.AwaitRoundResponse
  >,
  advertise: unary(`${coordination}Advertise`, wire.stageRequest, wire.stageResponse, stageLimit) as Method<
    wire.StageRequest,
    Uint8Array
  >,
  shareKeys: unary(`${coordination}ShareKeys`, wire.stageRequest, wire.stageResponse, stageLimit) as Method<
    wire.StageRequest,
    Uint8Array
  >,
  maskedInput: {
    path: `${coordination}MaskedInput`,
    kind: 'client-stream',
    request: wire.maskedInputRequest,
    response: wire.stageResponse,
    maxDurationMs: stageLimit,
  } as Method<wire.MaskedInputPart, Uint8Array>,
  complain: unary(`${coordination}Complain`, wire.stageRequest, wire.stageResponse, minute) as Method<
    wire.StageRequest,
    Uint8Array
  >,
  confirm: unary(`${coordination}Confirm`, wire.stageRequest, wire.stageResponse, stageLimit) as Method<
    wire.StageRequest,
    Uint8Array
  >,
  unmask: unary(`${coordination}Unmask`, wire.stageRequest, wire.stageResponse, stageLimit) as Method<
    wire.StageRequest,
    Uint8Array
  >,
  publishLedger: {
    path: `${coordination}PublishLedger`,
    kind: 'client-stream',
    request: wire.publishLedgerRequest,
    response: wire.publishLedgerResponse,
    maxDurationMs: 10 * minute,
  } as Method<wire.LedgerPart, number>,
  healthCheck: unary(`${health}Check`, wire.healthCheckRequest, wire.healthCheckResponse, minute) as Method<
    string,
    wire.HealthStatus
  >,
  healthWatch: {
    path: `${health}Watch`,
    kind: 'server-stream',
    request: wire.healthCheckRequest,
    response: wire.healthCheckResponse,
    maxDurationMs: stageLimit,
  } as Method<string, wire.HealthStatus>,
} as const;

/** Names of all methods. */
export type MethodName = keyof typeof methods;

/** Who may call. `anyone` needs no certificate and is for the enrolment port alone. */
export type CallerRule = 'anyone' | readonly Role[];

/** The rule of every method. */
export const callerRules: { readonly [name in MethodName]: CallerRule } = {
  getTrustBundle: 'anyone',
  enrol: 'anyone',
  hello: ['client'],
  awaitRound: ['client'],
  advertise: ['client'],
  shareKeys: ['client'],
  maskedInput: ['client'],
  complain: ['client'],
  confirm: ['client'],
  unmask: ['client'],
  publishLedger: ['client'],
  healthCheck: ['client', 'coordinator'],
  healthWatch: ['client', 'coordinator'],
};

/** The rule of a path, or `undefined`, which means refused. */
export function ruleOf(path: string): CallerRule | undefined {
  for (const [name, method] of Object.entries(methods)) if (method.path === path) return callerRules[name as MethodName];
  return undefined;
}
