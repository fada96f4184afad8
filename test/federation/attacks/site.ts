/**
 * One hospital's client with its real store, against a coordinator in the same process that has all keys of the
 * coordinator and of the other members, and remembers every byte that the client lets out.
 */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { toBase64, utf8 } from '../../../packages/core/src/bytes.ts';
import type { CryptoProvider } from '../../../packages/core/src/crypto.ts';
import { type TrustBundle, decodeCertificate, issueCertificate } from '../../../packages/core/src/identity.ts';
import { systemRandom } from '../../../packages/core/src/system-random.ts';
import { admitPlan, takeOffer } from '../../../packages/federation/src/client/admission.ts';
import type { RoundParts } from '../../../packages/federation/src/client/client-round.ts';
import { ClientStore } from '../../../packages/federation/src/client/client-store.ts';
import type { PreparedTask } from '../../../packages/federation/src/client/task.ts';
import { type ClientConfig, parseClientConfig } from '../../../packages/federation/src/config/client-config.ts';
import type { Party } from '../../../packages/federation/src/enrolment/party.ts';
import { encodeWeights } from '../../../packages/federation/src/plan/model.ts';
import type { FederationPlan } from '../../../packages/federation/src/plan/plan.ts';
import {
  type PreparedPlan,
  initialWeights,
  offerStatement,
  preparePlan,
  roundContext,
} from '../../../packages/federation/src/plan/terms.ts';
import type { Method } from '../../../packages/federation/src/rpc/methods.ts';
import type { RoundOffer, StageRequest } from '../../../packages/federation/src/rpc/wire.ts';
import type { ServiceOptions } from '../../../packages/federation/src/service/service.ts';
import { worldOf } from '../../../packages/federation/src/service/world.ts';
import { logOrigin } from '../../../packages/governance/src/index.ts';
import {
  type ClientSetup,
  type ClientState,
  type RoundContext,
  type ServerState,
  contextHash,
  startClient,
  startServer,
  stepClient,
  stepServer,
} from '../../../packages/secagg/src/index.ts';
import { nodeCrypto } from '../../../packages/secagg/src/node/index.ts';
import { type Defer, fixedTask, scratchFolder, tinyPlan, updateOf } from '../scene.ts';

export const NOW = 1_800_000_000_000;
const seed = (text: string): Uint8Array => nodeCrypto.sha256(utf8(text));
const rootSeed = seed('root');
const coordinatorSeed = seed('signing coordinator');
export const trust: TrustBundle = {
  trustDomain: 'test.example',
  rootKey: nodeCrypto.ed25519PublicKey(rootSeed),
  tlsCaCertificate: new Uint8Array(0),
};

/** The serial of a party's certificates, in hex. */
export const serialOf = (id: string): string => Buffer.from(seed(`serial ${id}`).slice(0, 16)).toString('hex');

function certificateOf(id: string): Uint8Array {
  return issueCertificate(nodeCrypto, rootSeed, {
    trustDomain: trust.trustDomain,
    id,
    role: id === 'coordinator' ? 'coordinator' : 'client',
    signingKey: nodeCrypto.ed25519PublicKey(seed(`signing ${id}`)),
    ledgerKey: nodeCrypto.ed25519PublicKey(seed(`ledger ${id}`)),
    serial: seed(`serial ${id}`).slice(0, 16),
    notBeforeMs: NOW - 1000,
    notAfterMs: NOW + 1_000_000,
  });
}

/** Stages of which the client lets something out. */
export type Sent = 'Advertise' | 'ShareKeys' | 'MaskedInput' | 'Complain' | 'Confirm' | 'Unmask';

/** The client under attack is `ann` unless it is said otherwise. */
export interface SiteOptions {
  readonly id?: string;
  readonly policy?: object;
  /** The policy during the rounds, where the plan has passed another one. */
  readonly roundPolicy?: object;
  readonly budget?: object;
  readonly prepared?: PreparedPlan;
  readonly task?: (usual: PreparedTask) => PreparedTask;
  readonly service?: ServiceOptions;
  /** A folder from before. */
  readonly directory?: string;
}

/** What the coordinator does in one round. */
export interface Scheme {
  readonly round?: number;
  readonly attempt?: number;
  /** The other members. */
  readonly peers?: readonly string[];
  /** Changes the context that the coordinator and the others use. */
  readonly context?: Partial<RoundContext>;
  readonly offer?: Partial<RoundOffer>;
  /** Called before the answer to each message. */
  readonly before?: (stage: Sent, server: ServerState) => void;
  /** Crypto of the first of the others. */
  readonly peerCrypto?: CryptoProvider;
}

export class Site {
  readonly id: string;
  readonly directory: string;
  readonly events: { readonly event: string; readonly [field: string]: unknown }[] = [];
  readonly sent: { readonly stage: Sent; readonly message: Uint8Array }[] = [];
  readonly prepared: PreparedPlan;
  readonly control: AbortController = new AbortController();
  readonly store: ClientStore;
  readonly #options: SiteOptions;
  readonly #world: ReturnType<typeof worldOf>;
  readonly #party: Party;

  constructor(defer: Defer, options: SiteOptions = {}) {
    this.#options = options;
    this.id = options.id ?? 'ann';
    this.directory = options.directory ?? scratchFolder(defer);
    this.prepared = options.prepared ?? preparePlan(nodeCrypto, tinyPlan());
    this.#world = worldOf(this.id, {
      log: (record) => this.events.push(record),
      nowMs: () => NOW,
      random: systemRandom,
      ...options.service,
    });
    const certificate = certificateOf(this.id);
    this.#party = {
      identity: { trustDomain: trust.trustDomain, role: 'client', id: this.id },
      trust,
      trustFingerprint: '00'.repeat(32),
      tls: { privateKey: '', certificate: '', caCertificate: '' },
      certificate,
      signingSeed: seed(`signing ${this.id}`),
      ledgerSeed: seed(`ledger ${this.id}`),
    };
    this.store = new ClientStore(this.#file, nodeCrypto, logOrigin(trust.trustDomain, this.id), this.#party.ledgerSeed);
    defer(() => this.store.close());
    if (this.store.ledger.ledger.size === 0) {
      this.store.ledger.append({
        kind: 'enrol',
        version: 1,
        timeMs: NOW,
        party: this.id,
        role: 'client',
        trustDomain: trust.trustDomain,
        certificate: toBase64(certificate),
        trustFingerprint: this.#party.trustFingerprint,
      });
    }
  }

  get #file(): string {
    return path.join(this.directory, 'client.db');
  }

  /** Whether anything of that stage has left. */
  let(stage: Sent): boolean {
    return this.sent.some((one) => one.stage === stage);
  }

  /** What another process would see on disk now. */
  onDisk(): { readonly kinds: readonly string[]; readonly records: number; readonly entered: number } {
    const database = new DatabaseSync(this.#file, { readOnly: true });
    try {
      const leaves = database.prepare('SELECT leaf FROM ledger ORDER BY position').all();
      const count = (sql: string): number => Number(database.prepare(sql).get()?.['n'] ?? 0);
      return {
        kinds: leaves.map(({ leaf }) => (JSON.parse(Buffer.from(leaf as Uint8Array).toString()) as { kind: string }).kind),
        records: count('SELECT COUNT(*) AS n FROM record'),
        entered: count('SELECT COALESCE(MAX(round), 0) AS n FROM entered'),
      };
    } finally {
      database.close();
    }
  }

  /** Changes the database behind the client's back. */
  tamper(sql: string): void {
    const database = new DatabaseSync(this.#file);
    database.exec(sql);
    database.close();
  }

  /** Shows the plan and then offers rounds, until the client refuses to go on. Returns what it said at the end. */
  async meet(...schemes: readonly Scheme[]): Promise<unknown> {
    const { policy, roundPolicy = policy, budget, task } = this.#options;
    const configOf = (of: object | undefined): ClientConfig =>
      parseClientConfig(
        {
          directory: '.',
          id: this.id,
          authority: 'nowhere:1',
          coordinator: 'nowhere:2',
          account: { dataset: 'data', steward: this.id, purpose: 'test', legalBasis: 'synthetic' },
          ...(of === undefined ? {} : { policy: of }),
          ...(budget === undefined ? {} : { budget }),
        },
        this.directory,
      );
    const usual = fixedTask(this.id, ({ round }) => ({ update: updateOf(this.id, round), metrics: { correct: 3, total: 5 } }));
    const chosen = {
      prepare: async (about: Parameters<typeof usual.prepare>[0]) => {
        const ready = await usual.prepare(about);
        return task === undefined ? ready : task(ready);
      },
    };
    try {
      const ready = await admitPlan(
        { config: configOf(policy), world: this.#world, store: this.store, task: chosen },
        this.prepared,
      );
      for (const scheme of schemes) {
        const parts: RoundParts = {
          config: configOf(roundPolicy),
          world: this.#world,
          party: this.#party,
          store: this.store,
          session: this.#coordinator(scheme),
          greeting: {
            prepared: this.prepared,
            coordinator: decodeCertificate(certificateOf('coordinator')).certificate,
          },
          task: ready,
          signal: this.control.signal,
        };
        await takeOffer(parts, this.#offer(scheme));
      }
      return undefined;
    } catch (reason) {
      return reason;
    }
  }

  #context({ round = 1, attempt = 1, context }: Scheme): RoundContext {
    const base = roundContext(nodeCrypto, this.prepared, {
      round,
      attempt,
      weights: initialWeights(this.prepared.model),
      deadlineMs: NOW + 60_000,
      coordinatorKey: nodeCrypto.ed25519PublicKey(coordinatorSeed),
    });
    return { ...base, ...context };
  }

  #offer(scheme: Scheme): RoundOffer {
    const { round = 1, attempt = 1 } = scheme;
    const statement = offerStatement(contextHash(nodeCrypto, this.#context(scheme)));
    return {
      round,
      attempt,
      weights: encodeWeights(initialWeights(this.prepared.model)),
      deadlineMs: NOW + 60_000,
      signature: nodeCrypto.ed25519Sign(coordinatorSeed, statement),
      ...scheme.offer,
    };
  }

  #coordinator(scheme: Scheme): RoundParts['session'] {
    const { peers = ['bob', 'cyd', 'dan'], before } = scheme;
    const context = this.#context(scheme);
    const setup = { crypto: nodeCrypto, context, trust, coordinatorSeed };
    const server = startServer(setup);
    const others = peers.map((id, i) => new Member(id, context, i === 0 ? scheme.peerCrypto : undefined));
    const answer = (stage: Sent, message: Uint8Array): Uint8Array => {
      before?.(stage, server);
      this.sent.push({ stage, message: message.slice() });
      const give = (from: string, bytes: Uint8Array): void => {
        const { verdict } = stepServer(setup, server, { type: 'message', from, message: bytes, nowMs: NOW });
        if (verdict?.type === 'refused' && from === this.id) throw new Error(verdict.abort.message);
      };
      give(this.id, message);
      if (stage === 'Complain') return new Uint8Array(0);
      for (const one of others) for (const bytes of one.outbox.splice(0)) give(one.id, bytes);
      const { outgoing } = stepServer(setup, server, { type: 'closeStage', event: new Uint8Array(0) });
      if (server.abort !== undefined) throw new Error(server.abort.message);
      for (const one of others) {
        const own = outgoing.find(({ to }) => to === one.id);
        if (own !== undefined) one.receive(own.message);
      }
      return outgoing.find(({ to }) => to === this.id)?.message ?? new Uint8Array(0);
    };
    return {
      // The methods are those of the stages; their answers are bytes.
      call: (method, request) =>
        Promise.resolve().then(() => answer(stageOf(method), (request as StageRequest).message) as never),
      upload: (method, parts) => {
        // Read at once: what is on disk now is what was there before the first byte left.
        const list = [...parts()] as { readonly type: string; readonly chunk?: Uint8Array }[];
        const message = Buffer.concat(list.flatMap(({ chunk }) => chunk ?? []));
        return new Promise((resolve) => resolve(answer(stageOf(method), new Uint8Array(message)) as never));
      },
    };
  }
}

function stageOf(method: Pick<Method<never, never>, 'path'>): Sent {
  return method.path.slice(method.path.lastIndexOf('/') + 1) as Sent;
}

/** Another member: plays along. */
class Member {
  readonly id: string;
  readonly outbox: Uint8Array[] = [];
  readonly #setup: ClientSetup;
  #state: ClientState;

  constructor(id: string, context: RoundContext, crypto: CryptoProvider = nodeCrypto) {
    this.id = id;
    this.#setup = {
      crypto,
      random: systemRandom,
      context,
      certificate: certificateOf(id),
      signingSeed: seed(`signing ${id}`),
      trust,
      policy: { modes: ['malicious', 'semi-honest'], minCohort: 3, minCollusion: 0, minHonest: 2, minThreshold: 2 },
    };
    const first = startClient(this.#setup);
    this.#state = first.state;
    this.outbox.push(...first.outgoing);
  }

  receive(message: Uint8Array): void {
    let step = stepClient(this.#setup, this.#state, { type: 'message', message, nowMs: NOW });
    if (step.state.phase === 'ready-for-input') {
      const vectors = this.#setup.context.vectors.map(({ length }) => new Uint32Array(length));
      step = stepClient(this.#setup, step.state, { type: 'input', vectors });
    }
    this.#state = step.state;
    this.outbox.push(...step.outgoing);
  }
}

/** A plan as no file could say it, but a coordinator might: in a mode without certified survivors. */
export function semiHonest(plan: FederationPlan): PreparedPlan {
  return preparePlan(nodeCrypto, { ...plan, secagg: { ...plan.secagg, mode: 'semi-honest' as 'malicious' } });
}
