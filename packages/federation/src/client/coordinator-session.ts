/**
 * The client's line to the coordinator: connects, says hello, believes nothing that is not signed, remembers the
 * coordinator's log as a witness, and connects again when the line breaks.
 *
 * @module
 */
import { fromHex, fromUtf8, toBase64 } from '@sotto/core/bytes';
import { SottoError } from '@sotto/core/errors';
import { type IdentityCertificate, verifyCertificate } from '@sotto/core/identity';
import { type Checkpoint, acceptCheckpoint, logOrigin } from '@sotto/governance';
import type { ClientConfig } from '../config/client-config.ts';
import type { Party } from '../enrolment/party.ts';
import { decodePlan } from '../plan/plan.ts';
import { type PreparedPlan, planStatement, preparePlan } from '../plan/terms.ts';
import { retrying } from '../rpc/backoff.ts';
import { type Method, methods, protocolVersion } from '../rpc/methods.ts';
import { checkNotRevoked } from '../rpc/revocation.ts';
import { RpcChannel } from '../rpc/rpc-channel.ts';
import { clientCredentials } from '../rpc/tls.ts';
import type { HelloResponse, LogView } from '../rpc/wire.ts';
import { resolveAddress } from '../service/files.ts';
import type { World } from '../service/world.ts';
import type { ClientStore } from './client-store.ts';

const helloTimeoutMs = 10_000;

/** What a session is made of. */
export interface SessionParts {
  readonly config: ClientConfig;
  readonly world: World;
  readonly party: Party;
  readonly store: ClientStore;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** What a hello established. */
export interface Greeting {
  readonly prepared: PreparedPlan;
  readonly coordinator: IdentityCertificate;
}

/** A line that is kept up. */
export class CoordinatorSession {
  readonly #parts: SessionParts;
  #channel: RpcChannel | undefined;
  #greeting: Greeting | undefined;
  /** The last checkpoint of the coordinator that was accepted, and its note. */
  #seen: { readonly checkpoint: Checkpoint; readonly note: Uint8Array } | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Size of the coordinator's log that this client has seen; 0 before the first meeting. */
  get knownLogSize(): number {
    return this.#remembered()?.size ?? 0;
  }

  /** The coordinator's last accepted checkpoint, as it signed it. */
  get checkpointNote(): Uint8Array | undefined {
    return this.#seen?.note;
  }

  /** Connects and greets, however long it takes. */
  async connect(signal: AbortSignal = this.#parts.signal): Promise<Greeting> {
    return await retrying(() => this.#greet(signal), { what: 'the coordinator', world: this.#parts.world, signal });
  }

  /** One call; when the line breaks, connects again and asks the same once more, until the time is up. */
  async call<Q, A>(method: Method<Q, A>, request: Q, timeoutMs: number): Promise<A> {
    return await this.#again(timeoutMs, (channel, limits) => channel.unary(method, request, limits));
  }

  /** One upload, likewise. */
  async upload<Q, A>(method: Method<Q, A>, parts: () => Iterable<Q>, timeoutMs: number): Promise<A> {
    return await this.#again(timeoutMs, (channel, limits) => channel.upload(method, parts(), limits));
  }

  /**
   * Accepts the coordinator's present checkpoint: signed by its ledger key, and an extension of what was seen before.
   *
   * @throws SottoError `integrity` for a log that was rewound or forked
   */
  witness(view: LogView): void {
    const { world, party, config } = this.#parts;
    if (this.#greeting === undefined) throw new SottoError('internal', 'no greeting yet');
    const key = {
      origin: logOrigin(party.trust.trustDomain, config.coordinatorId),
      publicKey: this.#greeting.coordinator.ledgerKey,
    };
    const before = this.#remembered();
    const checkpoint = acceptCheckpoint(world.crypto, key, before, view.checkpoint, view.consistencyProof);
    this.#seen = { checkpoint, note: view.checkpoint };
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  #remembered(): Pick<Checkpoint, 'size' | 'root'> | undefined {
    return this.#seen?.checkpoint ?? this.#parts.store.ledger.ledger.state.lastSeen;
  }

  async #again<T>(
    timeoutMs: number,
    work: (channel: RpcChannel, limits: { timeoutMs: number; signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw new SottoError('deadline-exceeded', 'the coordinator was not reached in time');
      const signal = AbortSignal.any([this.#parts.signal, AbortSignal.timeout(Math.ceil(leftMs))]);
      if (this.#channel === undefined) await this.connect(signal);
      const channel = this.#channel;
      if (channel === undefined) throw new SottoError('cancelled', 'the client is stopping');
      try {
        return await work(channel, { timeoutMs: leftMs, signal: this.#parts.signal });
      } catch (reason) {
        if (!(reason instanceof SottoError) || reason.code !== 'unavailable' || this.#parts.signal.aborted) throw reason;
        this.close();
      }
    }
  }

  async #greet(signal: AbortSignal): Promise<Greeting> {
    const { config, party, world } = this.#parts;
    this.close();
    const address = await resolveAddress(config.coordinator, 'the coordinator');
    const channel = new RpcChannel(
      address,
      clientCredentials(party.tls, (peer, serialNumber) => {
        if (peer.role !== 'coordinator' || peer.id !== config.coordinatorId || peer.trustDomain !== party.trust.trustDomain) {
          throw new SottoError(
            'unauthenticated',
            `${address} is ${peer.role} ${peer.id} of ${peer.trustDomain}, not coordinator ${config.coordinatorId}`,
          );
        }
        checkNotRevoked(config.policy.revoked, serialNumber, `the coordinator ${peer.id}`);
      }),
    );
    try {
      const answer = await channel.unary(
        methods.hello,
        { protocolVersion, knownLogSize: this.knownLogSize, identityCertificate: party.certificate },
        { timeoutMs: helloTimeoutMs, signal },
      );
      const greeting = this.#checkGreeting(answer);
      this.#greeting = greeting;
      this.witness(answer.log);
      this.#channel = channel;
      world.log.debug('coordinator.connected', { address });
      return greeting;
    } catch (reason) {
      channel.close();
      // A hello that got no answer in time is a coordinator that is not there.
      if (reason instanceof SottoError && reason.code === 'deadline-exceeded')
        throw new SottoError('unavailable', reason.message, { cause: reason });
      throw reason;
    }
  }

  #checkGreeting(answer: HelloResponse): Greeting {
    const { config, party, world } = this.#parts;
    if (answer.protocolVersion !== protocolVersion) {
      throw new SottoError(
        'unsupported',
        `the coordinator speaks protocol version ${answer.protocolVersion}, this client ${protocolVersion}; update the older side`,
      );
    }
    const coordinator = verifyCertificate(world.crypto, answer.identityCertificate, {
      bundle: party.trust,
      nowMs: world.nowMs(),
      role: 'coordinator',
      id: config.coordinatorId,
      revokedSerials: config.policy.revoked.map(fromHex),
    });
    this.#enrolCoordinator(answer.identityCertificate);
    const text = fromUtf8(answer.plan);
    const known = this.#greeting;
    const prepared = preparePlan(world.crypto, decodePlan(text));
    if (!world.crypto.ed25519Verify(coordinator.signingKey, planStatement(prepared.hash), answer.planSignature)) {
      throw new SottoError('integrity', 'the plan is not signed by the coordinator');
    }
    if (known !== undefined && known.prepared.hash !== prepared.hash) {
      throw new SottoError(
        'integrity',
        'the coordinator shows another plan than before; start the client again to look at it afresh',
      );
    }
    return { prepared, coordinator };
  }

  /** The coordinator's certificate goes into this ledger; another ledger key under its id is refused by the ledger's rules. */
  #enrolCoordinator(certificate: Uint8Array): void {
    const { config, party, store, world } = this.#parts;
    const { state } = store.ledger.ledger;
    const text = toBase64(certificate);
    if (state.parties.get(config.coordinatorId)?.entry.certificate === text) return;
    store.ledger.append({
      kind: 'enrol',
      version: 1,
      timeMs: world.nowMs(),
      party: config.coordinatorId,
      role: 'coordinator',
      trustDomain: party.trust.trustDomain,
      certificate: text,
      trustFingerprint: party.trustFingerprint,
    });
  }
}
