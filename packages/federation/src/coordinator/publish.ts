/**
 * From a finished secure sum to the next model and the entry that publishes it.
 *
 * @module
 */
import { toBase64, toHex } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { ByteReader } from '@sotto/core/encoding';
import { SottoError } from '@sotto/core/errors';
import { type PublishEntry, type ReservationEvidence, leafHash, merkleRoot, modelHash } from '@sotto/governance';
import { type ServerState, type SumResult, dequantiseSum, quantiserFor } from '@sotto/secagg';
import { partyOf } from '../plan/plan.ts';
import type { PreparedPlan, RoundTerms } from '../plan/terms.ts';

/** What a round comes to. */
export interface Publication {
  readonly entry: PublishEntry;
  readonly weights: Float32Array;
  readonly metrics: { readonly correct: number; readonly total: number };
}

/** Everything that a publication is made of. */
export interface FinishedRound {
  readonly prepared: PreparedPlan;
  readonly terms: RoundTerms;
  readonly state: ServerState;
  readonly result: SumResult;
  readonly evidence: ReadonlyMap<string, ReservationEvidence>;
  readonly timeMs: number;
}

/** The weighted mean of the survivors' updates, added to the weights. */
export function nextWeights(finished: FinishedRound): Float32Array {
  const { prepared, terms, result } = finished;
  const { plan } = prepared;
  const quantiser = quantiserFor(plan.quantiser.clip, plan.quantiser.bits);
  const [update] = result.sums;
  if (update === undefined) throw new SottoError('internal', 'the sum has no update');
  const total = dequantiseSum(update, result.members.length, quantiser);
  const weight = result.members.reduce((sum, id) => sum + partyOf(plan, id).weight, 0);
  return Float32Array.from(terms.weights, (value, i) => value + (total[i] ?? 0) / weight);
}

/** Builds the entry and the new weights. */
export function publication(crypto: CryptoProvider, finished: FinishedRound): Publication {
  const { prepared, terms, state, result, evidence } = finished;
  const { session } = state;
  const metrics = result.sums[1];
  if (session === undefined || metrics === undefined) throw new SottoError('internal', 'the round has no session or no metrics');
  const weights = nextWeights(finished);
  const heldOut = { correct: metrics[0] ?? 0, total: metrics[1] ?? 0 };
  const entry: PublishEntry = {
    kind: 'publish',
    version: 1,
    timeMs: finished.timeMs,
    runId: prepared.plan.runId,
    round: terms.round,
    attempt: terms.attempt,
    planHash: prepared.hash,
    context: toHex(state.ctx),
    sid: toHex(session.sid),
    roster: session.roster.map(({ id }) => id),
    rosterRoot: toHex(rosterRootOf(crypto, state, session)),
    sharers: [...state.u1],
    sharersRoot: toHex(state.rootU1),
    survivors: state.u2.map(({ id, inputHash, signature }) => {
      const reserved = evidence.get(id);
      if (reserved === undefined) throw new SottoError('internal', `there is no evidence of ${id}`);
      return { party: id, inputHash: toHex(inputHash), signature: toBase64(signature), evidence: reserved };
    }),
    survivorsRoot: toHex(state.rootU2),
    confirmations: state.certificate.map(({ id, signature }) => ({ party: id, signature: toBase64(signature) })),
    sumHash: toHex(result.receipt.sumHash),
    receipt: { event: toBase64(result.receipt.event), signature: toBase64(result.receipt.signature) },
    modelBefore: modelHash(crypto, terms.weights),
    modelAfter: modelHash(crypto, weights),
    heldOut,
  };
  return { entry, weights, metrics: heldOut };
}

/** The roster root that sid binds: RFC 6962 over the signed adverts as they stand in the frozen roster message. */
function rosterRootOf(crypto: CryptoProvider, state: ServerState, session: NonNullable<ServerState['session']>): Uint8Array {
  const outcome = state.outcomes.get('advertise');
  const message = outcome instanceof Uint8Array ? outcome : outcome?.get(session.roster[0]?.id ?? '');
  if (message === undefined) throw new SottoError('internal', 'the roster was not frozen');
  const reader = new ByteReader(message, 'roster');
  reader.u8();
  reader.u8();
  reader.bytes(32);
  const leaves = reader.list((r) => r.bytes(), { maxCount: session.roster.length, minItemBytes: 4 });
  reader.end();
  return merkleRoot(
    crypto,
    leaves.map((leaf) => leafHash(crypto, leaf)),
  );
}
