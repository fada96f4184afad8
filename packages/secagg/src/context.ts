/**
 * What a round is about, agreed before anybody shows up: suite, mode, model, plan, vectors, cohort rule, deadline. Its
 * hash `ctx` is in every advertisement, and through `sid` in every key, share and signature, so a client that was given
 * another model, plan or parameter than the rest produces garbage instead of a leak.
 *
 * @module
 */
import { toHex } from '@sotto/core/bytes';
import * as check from '@sotto/core/check';
import type { CryptoProvider } from '@sotto/core/crypto';
import { SottoError } from '@sotto/core/errors';
import { canonicalJsonBytes } from '@sotto/core/json';
import type { Json } from '@sotto/core/json';
import { checkCohortRule, COMPLETE_GRAPH_MAX } from './parameters.ts';
import type { CohortRule } from './parameters.ts';
import { hash } from './primitives.ts';

/** Key agreement: X25519 alone, or X25519 with ML-KEM-768 against an adversary who records now and decrypts later. */
export type Suite = 'x25519' | 'x25519-mlkem768';

/** `malicious` withstands an active coordinator. `semi-honest` leaves the confirmation round out and is for simulation. */
export type Mode = 'malicious' | 'semi-honest';

/** One vector of the sum: `length` elements of `bits` bits, added modulo 2^bits. */
export interface VectorSpec {
  readonly name: string;
  readonly length: number;
  readonly bits: number;
}

/** How reals became integers; recorded so that all clients used the same grid. */
export interface QuantiserSpec {
  readonly clip: number;
  readonly scale: number;
  readonly bits: number;
}

/** Noise that each client adds inside the sum. `none` where the inputs carry their noise already, or carry none. */
export interface NoiseSpec {
  readonly mechanism: 'none' | 'skellam' | 'discreteGaussian';
  /** Variance of one client's noise, in squared units of the integer grid. */
  readonly localVariance: number;
  /** Honest contributors that the accountant relies on; at most F − max(c, 1). */
  readonly honestMinimum: number;
  /** Name of the vector that carries the noise; there where the mechanism is not `none`. The others are added as they are. */
  readonly vector?: string;
}

/** Who shares with whom. `harary`: complete up to 512 members, above it a random Harary graph by the rule of Bell et al. 2020. */
export type GraphRule =
  | { readonly kind: 'complete' }
  | { readonly kind: 'harary'; readonly dropoutNumerator: number; readonly dropoutDenominator: number };

/** Everything that `ctx` binds. Nothing in it depends on who shows up. */
export interface RoundContext {
  readonly suite: Suite;
  readonly mode: Mode;
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  /** {@link modelHash} of the weights that the clients start from. */
  readonly modelHash: Uint8Array;
  /** {@link planHash} of the plan. */
  readonly planHash: Uint8Array;
  readonly vectors: readonly VectorSpec[];
  readonly quantiser: QuantiserSpec;
  readonly noise: NoiseSpec;
  readonly cohort: CohortRule;
  readonly graph: GraphRule;
  /** When the coordinator gives the round up, ms since 1970. */
  readonly deadlineMs: number;
  /** The coordinator's Ed25519 protocol key (32 bytes). */
  readonly coordinatorKey: Uint8Array;
}

/** Most vectors in a round, and most bytes of all packed vectors together. */
const MAX_VECTORS = 64;
const MAX_PACKED_BYTES = 2 ** 32 - 1;

/** Bytes of one packed vector: ⌈length·bits/8⌉. */
export function packedBytes(vector: VectorSpec): number {
  return Math.ceil((vector.length * vector.bits) / 8);
}

/** Checks a context by itself; throws `invalid-argument`, or `unsupported` where the specification refuses the combination. */
export function checkContext(context: RoundContext): RoundContext {
  check.oneOf('suite', context.suite, ['x25519', 'x25519-mlkem768']);
  check.oneOf('mode', context.mode, ['malicious', 'semi-honest']);
  check.text('runId', context.runId, 128);
  check.integer('round', context.round, 0);
  check.integer('attempt', context.attempt, 0, 0xffffffff);
  check.bytes('modelHash', context.modelHash, 32);
  check.bytes('planHash', context.planHash, 32);
  check.bytes('coordinatorKey', context.coordinatorKey, 32);
  check.integer('deadlineMs', context.deadlineMs, 0);
  checkCohortRule(context.cohort);
  checkVectors(context.vectors);
  check.positive('quantiser.clip', context.quantiser.clip);
  check.positive('quantiser.scale', context.quantiser.scale);
  check.integer('quantiser.bits', context.quantiser.bits, 1, 32);
  check.oneOf('noise.mechanism', context.noise.mechanism, ['none', 'skellam', 'discreteGaussian']);
  check.nonNegative('noise.localVariance', context.noise.localVariance);
  check.integer('noise.honestMinimum', context.noise.honestMinimum, 0, context.cohort.nMax);
  if (context.noise.mechanism !== 'none') {
    check.oneOf(
      'noise.vector',
      context.noise.vector,
      context.vectors.map((vector) => vector.name),
    );
  }
  check.oneOf('graph.kind', context.graph.kind, ['complete', 'harary']);
  checkGraph(context);
  return context;
}

function checkVectors(vectors: readonly VectorSpec[]): void {
  check.integer('the number of vectors', vectors.length, 1, MAX_VECTORS);
  const names = new Set<string>();
  let total = 0;
  for (const vector of vectors) {
    check.text('vector name', vector.name, 64);
    check.integer(`length of vector ${vector.name}`, vector.length, 1, 0xffffffff);
    check.integer(`bits of vector ${vector.name}`, vector.bits, 1, 32);
    if (names.has(vector.name)) {
      throw new SottoError('invalid-argument', `two vectors are named ${vector.name}; names must be distinct`);
    }
    names.add(vector.name);
    total += packedBytes(vector);
  }
  check.integer('bytes of all packed vectors', total, 1, MAX_PACKED_BYTES);
}

function checkGraph(context: RoundContext): void {
  if (context.graph.kind === 'complete') {
    if (context.cohort.nMax > COMPLETE_GRAPH_MAX) {
      const cure = context.mode === 'malicious' ? 'lower nMax' : 'lower nMax or choose the harary graph';
      throw new SottoError(
        'unsupported',
        `nMax is ${context.cohort.nMax}; the complete graph goes to ${COMPLETE_GRAPH_MAX}: ${cure}`,
      );
    }
    return;
  }
  check.integer('graph.dropoutDenominator', context.graph.dropoutDenominator, 1, 1_000_000);
  check.integer('graph.dropoutNumerator', context.graph.dropoutNumerator, 0, context.graph.dropoutDenominator);
  if (context.mode === 'malicious') {
    throw new SottoError(
      'unsupported',
      `a sparse graph against a malicious coordinator is not available: no bound covers drop-outs that it chooses after it has seen the graph; use the complete graph, up to ${COMPLETE_GRAPH_MAX} members`,
    );
  }
}

/** ctx (32 bytes); its bytes are in docs/secagg-wire.md. */
export function contextHash(crypto: CryptoProvider, context: RoundContext): Uint8Array {
  checkContext(context);
  const { cohort, graph, noise, quantiser } = context;
  return hash(crypto, 'ctx', (writer) => {
    writer.text(context.suite).text(context.mode).text(context.runId).u64(context.round).u32(context.attempt);
    writer.bytes(context.modelHash).bytes(context.planHash);
    writer.list(context.vectors, (w, vector) => w.text(vector.name).u32(vector.length).u32(vector.bits));
    writer.real(quantiser.clip).real(quantiser.scale).u32(quantiser.bits);
    writer.text(noise.mechanism).real(noise.localVariance).u32(noise.honestMinimum);
    if (noise.mechanism !== 'none') writer.text(noise.vector!);
    writer.u32(cohort.gammaNumerator).u32(cohort.gammaDenominator);
    writer.u32(cohort.cMin).u32(cohort.nMin).u32(cohort.nMax).u32(cohort.hMin);
    writer.text(graph.kind);
    if (graph.kind === 'harary') writer.u32(graph.dropoutNumerator).u32(graph.dropoutDenominator);
    return writer.u64(context.deadlineMs).bytes(context.coordinatorKey);
  });
}

/** H("model", bytes): weights in model order, each tensor's float32 values little-endian, one after the other. */
export function modelHash(crypto: CryptoProvider, weights: readonly Float32Array[]): Uint8Array {
  const total = weights.reduce((sum, tensor) => sum + tensor.length, 0);
  const bytes = new Uint8Array(4 * total);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const tensor of weights) {
    for (const value of tensor) {
      view.setFloat32(offset, value, true);
      offset += 4;
    }
  }
  return hash(crypto, 'model', (writer) => writer.bytes(bytes));
}

/** H("plan", bytes) of the plan's canonical JSON (RFC 8785). */
export function planHash(crypto: CryptoProvider, plan: Json): Uint8Array {
  return hash(crypto, 'plan', (writer) => writer.bytes(canonicalJsonBytes(plan)));
}

/** sid = H("sid", ctx, n, rosterRoot), 32 bytes. */
export function sessionId(crypto: CryptoProvider, ctx: Uint8Array, n: number, rosterRoot: Uint8Array): Uint8Array {
  return hash(crypto, 'sid', (writer) => writer.bytes(ctx).u32(n).bytes(rosterRoot));
}

/** The name of the record that a client has sent a masked input in this round, whatever the attempt. */
export function contributedKey(context: Pick<RoundContext, 'runId' | 'round'>): string {
  return `contributed ${JSON.stringify(context.runId)} ${context.round}`;
}

/** The name of the record that a client has answered the unmasking request of this session. */
export function answeredKey(sid: Uint8Array): string {
  return `answered ${toHex(sid)}`;
}
