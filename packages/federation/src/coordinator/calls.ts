/**
 * What clients may ask of the coordinator: one handler per call. They decode, check who asks and for which round, and hand
 * over to the run.
 *
 * @module
 */
import { concat, equalBytes, fromBase64, fromHex, toBase64, utf8 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { encodeEvent } from '@sotto/core/event';
import { type IdentityCertificate, decodeCertificate, verifyCertificate } from '@sotto/core/identity';
import { canonicalJsonBytes } from '@sotto/core/json';
import { Ledger, type LogKey, logOrigin, openCheckpoint, parseEvidence, verifyEvidence } from '@sotto/governance';
import { type CollectingStage, maskedInputMaxBytes } from '@sotto/secagg';
import { encodePlan, partyOf } from '../plan/plan.ts';
import { overRoom } from '../plan/room.ts';
import { encodeWeights } from '../plan/model.ts';
import { planStatement } from '../plan/terms.ts';
import { methods, protocolVersion } from '../rpc/methods.ts';
import type { CallContext, RpcServer } from '../rpc/rpc-server.ts';
import type {
  AwaitRoundRequest,
  AwaitRoundResponse,
  HelloRequest,
  HelloResponse,
  LedgerPart,
  LogView,
  MaskedInputPart,
  StageRequest,
} from '../rpc/wire.ts';
import type { CoordinatorRound } from './round.ts';
import type { FederationRun } from './run.ts';
import { Uploads } from './uploads.ts';

/** How long a client may wait for an offer before it is told to ask again. */
const longPollMs = 20_000;

/** Largest ledger that a client may hand over. */
const maxLedgerBytes: number = 256 * 1024 * 1024;

/** Most entries of a ledger, and most bytes of its checkpoint. */
const maxLedgerEntries = 1_000_000;
const maxCheckpointBytes = 4096;

/** Smallest chunk, on the average, that a masked input may come in. */
const leastChunkBytes = 4096;

/** Registers all calls of the coordination service. */
export function serveCalls(server: RpcServer, run: FederationRun): void {
  const stage =
    (name: CollectingStage) =>
    ({ round, attempt, message }: StageRequest, { id }: CallContext): Promise<Uint8Array> =>
      roundOf(run, round, attempt, id).deliver(name, id, message);
  const uploads = new Uploads();
  server.unary(methods.hello, (request, { id }) => hello(run, request, id));
  server.unary(methods.awaitRound, (request, context) => awaitRound(run, request, context));
  server.unary(methods.advertise, stage('advertise'));
  server.unary(methods.shareKeys, stage('share'));
  server.clientStream(methods.maskedInput, (parts, { id, signal }) =>
    maskedInput(run, uploads.parts('masked input', id, parts, signal), id),
  );
  server.unary(methods.complain, ({ round, attempt, message }, { id }) => {
    roundOf(run, round, attempt, id).complain(id, message);
    return new Uint8Array(0);
  });
  server.unary(methods.confirm, stage('confirm'));
  server.unary(methods.unmask, stage('unmask'));
  server.clientStream(methods.publishLedger, (parts, { id, signal }) =>
    publishLedger(run, uploads.parts('ledger', id, parts, signal), id),
  );
}

function hello(run: FederationRun, request: HelloRequest, id: string): HelloResponse {
  const { prepared, party, store, world } = run.parts;
  if (request.protocolVersion !== protocolVersion) {
    throw new SottoError(
      'unsupported',
      `the client speaks protocol version ${request.protocolVersion}, this coordinator ${protocolVersion}; update the older side`,
    );
  }
  partyOf(prepared.plan, id);
  verifyCertificate(world.crypto, request.identityCertificate, {
    bundle: party.trust,
    nowMs: world.nowMs(),
    role: 'client',
    id,
    revokedSerials: run.parts.config.revoked.map(fromHex),
  });
  const text = toBase64(request.identityCertificate);
  if (store.ledger.ledger.state.parties.get(id)?.entry.certificate !== text) {
    store.ledger.append({
      kind: 'enrol',
      version: 1,
      timeMs: world.nowMs(),
      party: id,
      role: 'client',
      trustDomain: party.trust.trustDomain,
      certificate: text,
      trustFingerprint: party.trustFingerprint,
    });
    world.log.info('client.joined', { id });
  }
  return {
    protocolVersion,
    identityCertificate: party.certificate,
    plan: utf8(encodePlan(prepared.plan)),
    planSignature: world.crypto.ed25519Sign(party.signingSeed, planStatement(prepared.hash)),
    log: logView(run, request.knownLogSize),
  };
}

/** The checkpoint, with the proof from what the client knows. A client that knows more will see that we were rewound. */
function logView(run: FederationRun, knownSize: number): LogView {
  const { ledger } = run.parts.store.ledger;
  const consistencyProof = knownSize > 0 && knownSize <= ledger.size ? ledger.log.consistencyProof(knownSize) : [];
  return { checkpoint: run.parts.store.ledger.checkpoint(), consistencyProof };
}

async function awaitRound(
  run: FederationRun,
  request: AwaitRoundRequest,
  { id, signal }: CallContext,
): Promise<AwaitRoundResponse> {
  certificateOf(run, id);
  const respond = (answer: AwaitRoundResponse['answer']): AwaitRoundResponse => ({
    answer,
    log: logView(run, request.knownLogSize),
  });
  const current = run.current;
  if (current !== undefined) {
    const { round, offer } = current;
    const wasIn = request.lastRound === round.round && request.lastAttempt === round.attempt;
    if (wasIn) round.withdraw(id);
    else if (round.admits(id)) {
      round.invite(id);
      return respond({ type: 'offer', offer });
    }
  }
  const answer = await run.lobby.wait(id, longPollMs, signal);
  if (answer.type !== 'finished') return respond(answer);
  const { published, aborted } = run.progress;
  return respond({ type: 'finished', published, aborted, weights: encodeWeights(run.weights) });
}

async function maskedInput(run: FederationRun, parts: AsyncIterable<MaskedInputPart>, id: string): Promise<Uint8Array> {
  const { prepared, world } = run.parts;
  const limit = maskedInputMaxBytes(prepared.vectors, prepared.plan.secagg.nMax);
  let target: { readonly round: CoordinatorRound; readonly totalBytes: number } | undefined;
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const part of parts) {
    if (part.type === 'head') {
      if (target !== undefined) throw new SottoError('protocol-violation', 'a masked input has one head');
      if (part.totalBytes > limit)
        throw new SottoError('protocol-violation', `a masked input of ${part.totalBytes} bytes; the plan allows ${limit}`);
      target = { round: roundOf(run, part.round, part.attempt, id), totalBytes: part.totalBytes };
      const evidence = parseEvidence(part.evidence);
      verifyEvidence(world.crypto, evidence, ledgerKeyOf(run, id), {
        runId: prepared.plan.runId,
        round: part.round,
        planHash: prepared.hash,
      });
      const { parties } = prepared.plan;
      const tooLong = overRoom(
        parties.length,
        id,
        part.evidence.length,
        canonicalJsonBytes(encodeEvent(evidence.reserve.event)).length,
      );
      if (tooLong !== undefined) {
        throw new SottoError(
          'protocol-violation',
          `what ${id} reserved is too long to be published: ${tooLong}; use fewer parties or a shorter event`,
        );
      }
      if (!run.evidence.has(id)) run.evidence.set(id, evidence);
      continue;
    }
    received += part.chunk.length;
    // Every chunk costs memory beyond its bytes.
    if (part.chunk.length === 0 || chunks.length > received / leastChunkBytes)
      throw new SottoError(
        'protocol-violation',
        `the chunks of a masked input are too small; send at least ${leastChunkBytes} bytes in each but the last`,
      );
    if (target === undefined || received > target.totalBytes)
      throw new SottoError('protocol-violation', 'a masked input is longer than it said');
    chunks.push(part.chunk);
  }
  if (target === undefined || received !== target.totalBytes)
    throw new SottoError('protocol-violation', 'a masked input ended early');
  return await target.round.deliver('masked', id, concat(...chunks));
}

/** Takes a client's whole ledger over: signed by its key, every entry by the rules, an extension of what was shown before. */
async function publishLedger(run: FederationRun, parts: AsyncIterable<LedgerPart>, id: string): Promise<number> {
  const { store, world } = run.parts;
  if (!run.progress.complete) throw new SottoError('conflict', 'the run is not complete; hand the ledger over afterwards');
  let checkpoint: Uint8Array | undefined;
  const leaves: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of parts) {
    if (part.type === 'checkpoint') {
      if (checkpoint !== undefined || part.checkpoint.length > maxCheckpointBytes)
        throw new SottoError('protocol-violation', `a ledger has one checkpoint of at most ${maxCheckpointBytes} bytes`);
      checkpoint = part.checkpoint;
    } else {
      if (part.entry.length === 0 || leaves.length >= maxLedgerEntries)
        throw new SottoError('protocol-violation', `a ledger has no empty entries, and at most ${maxLedgerEntries}`);
      bytes += part.entry.length;
      if (bytes > maxLedgerBytes) throw new SottoError('protocol-violation', `a ledger of more than ${maxLedgerBytes} bytes`);
      leaves.push(part.entry);
    }
  }
  const key = ledgerKeyOf(run, id);
  const ledger = new Ledger(world.crypto, key.origin, leaves);
  const stated = openCheckpoint(world.crypto, checkpoint ?? new Uint8Array(), key);
  if (stated.size !== ledger.size || !equalBytes(stated.root, ledger.log.root()) || ledger.state.self?.entry.party !== id) {
    throw new SottoError('integrity', `the ledger of ${id} is not the one that its checkpoint signs`);
  }
  store.takeMirror(id, { checkpoint: checkpoint ?? new Uint8Array(), leaves });
  // The answer goes out first.
  setImmediate(() => run.ledgers.taken(id));
  return ledger.size;
}

function roundOf(run: FederationRun, round: number, attempt: number, id: string): CoordinatorRound {
  certificateOf(run, id);
  const current = run.current?.round;
  if (current === undefined || current.round !== round || current.attempt !== attempt) {
    throw new SottoError('protocol-aborted', `round ${round}, attempt ${attempt}, is over`);
  }
  return current;
}

/** The certificate that the client has shown in its hello; throws `unauthenticated` before that. */
function certificateOf(run: FederationRun, id: string): IdentityCertificate {
  const enrolled = run.parts.store.ledger.ledger.state.parties.get(id)?.entry;
  if (enrolled === undefined) throw new SottoError('unauthenticated', `${id} has not said hello`);
  return decodeCertificate(fromBase64(enrolled.certificate)).certificate;
}

function ledgerKeyOf(run: FederationRun, id: string): LogKey {
  return { origin: logOrigin(run.parts.party.trust.trustDomain, id), publicKey: certificateOf(run, id).ledgerKey };
}
