/**
 * The edge between protobuf and Sotto: plain, total types on this side; the generated code, whose fields may be null or
 * absent, stays behind it. Decoding refuses what the rest of the code must never see (a missing part, an absurd integer).
 *
 * @module
 */
import { SottoError } from '@sotto/core/errors';
import { grpc as health, sotto } from '../gen/protocol.js';

const v1 = sotto.federation.v1;

/** Both directions of one message. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  /** Throws `invalid-encoding`. */
  decode(data: Uint8Array): T;
}

interface Generated<P, M> {
  encode(message: P): { finish(): Uint8Array };
  decode(data: Uint8Array): M;
}

function codec<T, P, M>(type: Generated<P, M>, name: string, to: (value: T) => P, from: (message: M) => T): Codec<T> {
  return {
    encode: (value) => type.encode(to(value)).finish(),
    decode: (data) => {
      let message: M;
      try {
        message = type.decode(data);
      } catch (cause) {
        throw new SottoError('invalid-encoding', `a ${name} does not decode`, { cause });
      }
      return from(message);
    },
  };
}

/** A 64-bit field as a safe integer. protobufjs gives a `Long` where the package `long` is installed, whatever its types say. */
function u64(value: unknown, name: string): number {
  let number = value ?? 0;
  if (typeof number === 'object' && 'low' in number && 'high' in number) {
    number = (Number(number.high) >>> 0) * 2 ** 32 + (Number(number.low) >>> 0);
  }
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    throw new SottoError('invalid-encoding', `${name} is not an integer below 2^53`);
  }
  return number;
}

function missing(name: string): never {
  throw new SottoError('invalid-encoding', `the part ${name} of a message is missing`);
}

const none = new Uint8Array();

export type TrustBundleRequest = Readonly<Record<never, never>>;
export const trustBundleRequest: Codec<TrustBundleRequest> = codec(
  v1.GetTrustBundleRequest,
  'GetTrustBundleRequest',
  () => ({}),
  () => ({}),
);

/** The canonical trust bundle. */
export const trustBundleResponse: Codec<Uint8Array> = codec(
  v1.GetTrustBundleResponse,
  'GetTrustBundleResponse',
  (trustBundle) => ({ trustBundle }),
  (m) => m.trustBundle ?? none,
);

export interface EnrolRequest {
  readonly protocolVersion: number;
  readonly token: Uint8Array;
  readonly id: string;
  readonly role: string;
  readonly certificateRequest: Uint8Array;
  readonly signingKey: Uint8Array;
  readonly signingProof: Uint8Array;
  readonly ledgerKey: Uint8Array;
  readonly ledgerProof: Uint8Array;
  readonly serverNames: readonly string[];
}
export const enrolRequest: Codec<EnrolRequest> = codec(
  v1.EnrolRequest,
  'EnrolRequest',
  (value) => ({ ...value, serverNames: [...value.serverNames] }),
  (m) => ({
    protocolVersion: m.protocolVersion ?? 0,
    token: m.token ?? none,
    id: m.id ?? '',
    role: m.role ?? '',
    certificateRequest: m.certificateRequest ?? none,
    signingKey: m.signingKey ?? none,
    signingProof: m.signingProof ?? none,
    ledgerKey: m.ledgerKey ?? none,
    ledgerProof: m.ledgerProof ?? none,
    serverNames: m.serverNames ?? [],
  }),
);

export interface EnrolResponse {
  readonly tlsCertificate: Uint8Array;
  readonly identityCertificate: Uint8Array;
}
export const enrolResponse: Codec<EnrolResponse> = codec(
  v1.EnrolResponse,
  'EnrolResponse',
  (value) => ({ ...value }),
  (m) => ({ tlsCertificate: m.tlsCertificate ?? none, identityCertificate: m.identityCertificate ?? none }),
);

/** A signed checkpoint and the proof that it extends the log that the caller knows. */
export interface LogView {
  readonly checkpoint: Uint8Array;
  readonly consistencyProof: readonly Uint8Array[];
}
const toLogView = (value: LogView): sotto.federation.v1.LogView.$Properties => ({
  checkpoint: value.checkpoint,
  consistencyProof: [...value.consistencyProof],
});
const fromLogView = (m: sotto.federation.v1.LogView.$Properties | null | undefined): LogView => ({
  checkpoint: m?.checkpoint ?? none,
  consistencyProof: m?.consistencyProof ?? [],
});

export interface HelloRequest {
  readonly protocolVersion: number;
  readonly knownLogSize: number;
  readonly identityCertificate: Uint8Array;
}
export const helloRequest: Codec<HelloRequest> = codec(
  v1.HelloRequest,
  'HelloRequest',
  (value) => ({ ...value }),
  (m) => ({
    protocolVersion: m.protocolVersion ?? 0,
    knownLogSize: u64(m.knownLogSize, 'known_log_size'),
    identityCertificate: m.identityCertificate ?? none,
  }),
);

export interface HelloResponse {
  readonly protocolVersion: number;
  readonly identityCertificate: Uint8Array;
  readonly plan: Uint8Array;
  readonly planSignature: Uint8Array;
  readonly log: LogView;
}
export const helloResponse: Codec<HelloResponse> = codec(
  v1.HelloResponse,
  'HelloResponse',
  (value) => ({ ...value, log: toLogView(value.log) }),
  (m) => ({
    protocolVersion: m.protocolVersion ?? 0,
    identityCertificate: m.identityCertificate ?? none,
    plan: m.plan ?? none,
    planSignature: m.planSignature ?? none,
    log: fromLogView(m.log),
  }),
);

export interface AwaitRoundRequest {
  readonly knownLogSize: number;
  readonly lastRound: number;
  readonly lastAttempt: number;
}
export const awaitRoundRequest: Codec<AwaitRoundRequest> = codec(
  v1.AwaitRoundRequest,
  'AwaitRoundRequest',
  (value) => ({ ...value }),
  (m) => ({ knownLogSize: u64(m.knownLogSize, 'known_log_size'), lastRound: m.lastRound ?? 0, lastAttempt: m.lastAttempt ?? 0 }),
);

/** What a client trains next. */
export interface RoundOffer {
  readonly round: number;
  readonly attempt: number;
  readonly weights: Uint8Array;
  readonly deadlineMs: number;
  readonly signature: Uint8Array;
}
export interface AwaitRoundResponse {
  readonly answer:
    | { readonly type: 'nothing' }
    | { readonly type: 'offer'; readonly offer: RoundOffer }
    | { readonly type: 'finished'; readonly published: number; readonly aborted: number; readonly weights: Uint8Array };
  readonly log: LogView;
}
export const awaitRoundResponse: Codec<AwaitRoundResponse> = codec(
  v1.AwaitRoundResponse,
  'AwaitRoundResponse',
  ({ answer, log }) => {
    const view = { log: toLogView(log) };
    if (answer.type === 'offer') return { ...view, offer: { ...answer.offer } };
    if (answer.type === 'finished')
      return { ...view, finished: { published: answer.published, aborted: answer.aborted, weights: answer.weights } };
    return { ...view, nothing: {} };
  },
  (m) => {
    const log = fromLogView(m.log);
    if (m.offer) {
      const offer: RoundOffer = {
        round: m.offer.round ?? 0,
        attempt: m.offer.attempt ?? 0,
        weights: m.offer.weights ?? none,
        deadlineMs: u64(m.offer.deadlineMs, 'deadline_ms'),
        signature: m.offer.signature ?? none,
      };
      return { answer: { type: 'offer', offer }, log };
    }
    if (m.finished) {
      const { published, aborted, weights } = m.finished;
      return { answer: { type: 'finished', published: published ?? 0, aborted: aborted ?? 0, weights: weights ?? none }, log };
    }
    return m.nothing ? { answer: { type: 'nothing' }, log } : missing('answer');
  },
);

export interface StageRequest {
  readonly round: number;
  readonly attempt: number;
  readonly message: Uint8Array;
}
export const stageRequest: Codec<StageRequest> = codec(
  v1.StageRequest,
  'StageRequest',
  (value) => ({ ...value }),
  (m) => ({ round: m.round ?? 0, attempt: m.attempt ?? 0, message: m.message ?? none }),
);

/** The frozen outcome of a stage. */
export const stageResponse: Codec<Uint8Array> = codec(
  v1.StageResponse,
  'StageResponse',
  (message) => ({ message }),
  (m) => m.message ?? none,
);

export type MaskedInputPart =
  | {
      readonly type: 'head';
      readonly round: number;
      readonly attempt: number;
      readonly totalBytes: number;
      /** Canonical JSON of the reservation evidence. */
      readonly evidence: Uint8Array;
    }
  | { readonly type: 'chunk'; readonly chunk: Uint8Array };
export const maskedInputRequest: Codec<MaskedInputPart> = codec(
  v1.MaskedInputRequest,
  'MaskedInputRequest',
  (value) => {
    if (value.type === 'chunk') return { chunk: value.chunk };
    const { round, attempt, totalBytes, evidence } = value;
    return { head: { round, attempt, totalBytes, evidence } };
  },
  (m) => {
    if (m.chunk) return { type: 'chunk', chunk: m.chunk };
    if (!m.head) return missing('part');
    const { head } = m;
    return {
      type: 'head',
      round: head.round ?? 0,
      attempt: head.attempt ?? 0,
      totalBytes: u64(head.totalBytes, 'total_bytes'),
      evidence: head.evidence ?? none,
    };
  },
);

export type LedgerPart =
  { readonly type: 'checkpoint'; readonly checkpoint: Uint8Array } | { readonly type: 'entry'; readonly entry: Uint8Array };
export const publishLedgerRequest: Codec<LedgerPart> = codec(
  v1.PublishLedgerRequest,
  'PublishLedgerRequest',
  (value) => (value.type === 'entry' ? { entry: value.entry } : { checkpoint: value.checkpoint }),
  (m) => {
    if (m.checkpoint) return { type: 'checkpoint', checkpoint: m.checkpoint };
    return m.entry ? { type: 'entry', entry: m.entry } : missing('part');
  },
);

/** The size of the ledger that was taken over. */
export const publishLedgerResponse: Codec<number> = codec(
  v1.PublishLedgerResponse,
  'PublishLedgerResponse',
  (size) => ({ size }),
  (m) => u64(m.size, 'size'),
);

/** The service that a health check asks about; empty for the whole server. */
export const healthCheckRequest: Codec<string> = codec(
  health.health.v1.HealthCheckRequest,
  'HealthCheckRequest',
  (service) => ({ service }),
  (m) => m.service ?? '',
);

/** grpc.health.v1 statuses. */
export type HealthStatus = 'unknown' | 'serving' | 'not-serving' | 'service-unknown';
const statuses: readonly HealthStatus[] = ['unknown', 'serving', 'not-serving', 'service-unknown'];
export const healthCheckResponse: Codec<HealthStatus> = codec(
  health.health.v1.HealthCheckResponse,
  'HealthCheckResponse',
  (status) => ({ status: statuses.indexOf(status) }),
  (m) => statuses[m.status ?? 0] ?? 'unknown',
);
