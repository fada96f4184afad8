/**
 * A round in one process: n clients and the coordinator as pure machines, with durable records kept as a set. Tests hook
 * into any message to drop, change or repeat it.
 */
import { wipe } from '../../packages/core/src/bytes.ts';
import type { CryptoProvider } from '../../packages/core/src/crypto.ts';
import { issueCertificate } from '../../packages/core/src/identity.ts';
import type { TrustBundle } from '../../packages/core/src/identity.ts';
import { unsafeDeterministicRandom } from '../../packages/core/src/unsafe-deterministic-random.ts';
import { startClient, stepClient } from '../../packages/secagg/src/client/machine.ts';
import { inputLimit } from '../../packages/secagg/src/client/state.ts';
import type { ClientInput, ClientSetup, ClientState, ClientStep } from '../../packages/secagg/src/client/state.ts';
import type { RoundContext } from '../../packages/secagg/src/context.ts';
import { nodeCrypto } from '../../packages/secagg/src/node/crypto-node.ts';
import { defaultSitePolicy } from '../../packages/secagg/src/policy.ts';
import { startServer, stepServer } from '../../packages/secagg/src/server/machine.ts';
import type { Incident, ServerSetup, ServerState, SumResult, Verdict } from '../../packages/secagg/src/server/state.ts';
import { memoCrypto } from './memo-crypto.ts';

export const NOW = 1_800_000_000_000;
export const crypto: CryptoProvider = memoCrypto(nodeCrypto);

const seedOf = (text: string): Uint8Array => crypto.sha256(new TextEncoder().encode(text));

export const rootSeed: Uint8Array = seedOf('authority');
export const coordinatorSeed: Uint8Array = seedOf('coordinator');
export const trust: TrustBundle = {
  trustDomain: 'test.sotto',
  rootKey: crypto.ed25519PublicKey(rootSeed),
  tlsCaCertificate: new Uint8Array(0),
};

export interface Identity {
  readonly id: string;
  readonly signingSeed: Uint8Array;
  readonly certificate: Uint8Array;
}

export function identityOf(
  id: string,
  changes: Partial<Parameters<typeof issueCertificate>[2]> = {},
  provider: CryptoProvider = crypto,
): Identity {
  const signingSeed = seedOf(`signing ${id}`);
  const certificate = issueCertificate(provider, rootSeed, {
    trustDomain: trust.trustDomain,
    id,
    role: 'client',
    signingKey: provider.ed25519PublicKey(signingSeed),
    ledgerKey: provider.ed25519PublicKey(seedOf(`ledger ${id}`)),
    serial: seedOf(`serial ${id}`).slice(0, 16),
    notBeforeMs: NOW - 1000,
    notAfterMs: NOW + 1_000_000,
    ...changes,
  });
  return { id, signingSeed, certificate };
}

export type ContextChanges = Partial<Omit<RoundContext, 'cohort'>> & { readonly cohort?: Partial<RoundContext['cohort']> };

export function contextOf(changes: ContextChanges = {}): RoundContext {
  const { cohort, ...rest } = changes;
  return {
    suite: 'x25519',
    mode: 'malicious',
    runId: 'run',
    round: 1,
    attempt: 0,
    modelHash: seedOf('model'),
    planHash: seedOf('plan'),
    vectors: [
      { name: 'update', length: 14, bits: 20 },
      { name: 'metrics', length: 2, bits: 13 },
    ],
    quantiser: { clip: 4, scale: 1000, bits: 16 },
    noise: { mechanism: 'none', localVariance: 0, honestMinimum: 0 },
    graph: { kind: 'complete' },
    deadlineMs: NOW + 60_000,
    coordinatorKey: crypto.ed25519PublicKey(coordinatorSeed),
    ...rest,
    cohort: { gammaNumerator: 1, gammaDenominator: 3, cMin: 0, nMin: 3, nMax: 10, hMin: 2, ...cohort },
  };
}

/** A client process: machine, durable records (shared by all processes of the identity), everything it sent. */
export class TestClient {
  readonly setup: ClientSetup;
  readonly id: string;
  readonly records: Set<string>;
  state: ClientState;
  readonly outbox: Uint8Array[] = [];
  input: readonly Uint32Array[] = [];
  /** Order of what happened: `record …` before the `send` that needs it. */
  readonly journal: string[] = [];

  constructor(
    identity: Identity,
    context: RoundContext,
    options: Partial<ClientSetup> & { records?: Set<string>; seed?: string } = {},
  ) {
    const { records, seed, ...changes } = options;
    this.id = identity.id;
    this.records = records ?? new Set();
    this.setup = {
      crypto,
      random: unsafeDeterministicRandom(`${seed ?? 'round'} ${identity.id}`),
      context,
      certificate: identity.certificate,
      signingSeed: identity.signingSeed,
      trust,
      policy: { ...defaultSitePolicy, modes: ['malicious', 'semi-honest'] },
      ...changes,
    };
    const step = startClient(this.setup);
    this.state = step.state;
    this.#apply(step);
  }

  /** Steps, makes records durable, returns what leaves the process. */
  step(input: ClientInput): readonly Uint8Array[] {
    return this.#apply(stepClient(this.setup, this.state, input));
  }

  receive(message: Uint8Array, nowMs: number = NOW): readonly Uint8Array[] {
    return this.step({ type: 'message', message, nowMs });
  }

  #apply(step: ClientStep): readonly Uint8Array[] {
    this.state = step.state;
    for (const effect of step.effects) {
      if (effect.type !== 'record') continue;
      if (this.records.has(effect.key)) return this.#apply(stepClient(this.setup, this.state, { type: 'record-refused' }));
      this.records.add(effect.key);
      this.journal.push(`record ${effect.record}`);
    }
    wipe(...step.consumed);
    for (const message of step.outgoing) {
      this.journal.push(`send ${message[1]}`);
      this.outbox.push(message);
    }
    return step.outgoing;
  }
}

export class TestServer {
  readonly setup: ServerSetup;
  state: ServerState;
  readonly incidents: Incident[] = [];
  result: SumResult | undefined;
  readonly received: Uint8Array[] = [];

  constructor(context: RoundContext, changes: Partial<ServerSetup> = {}) {
    this.setup = { crypto, context, trust, coordinatorSeed, ...changes };
    this.state = startServer(this.setup);
  }

  receive(from: string, message: Uint8Array): Verdict {
    this.received.push(message.slice()); // a client wipes its last message
    const step = stepServer(this.setup, this.state, { type: 'message', from, message, nowMs: NOW });
    this.#effects(step.effects);
    return step.verdict!;
  }

  close(event?: Uint8Array): ReadonlyMap<string, Uint8Array> {
    const step = stepServer(this.setup, this.state, event === undefined ? { type: 'closeStage' } : { type: 'closeStage', event });
    this.#effects(step.effects);
    return new Map(step.outgoing.map(({ to, message }) => [to, message]));
  }

  #effects(effects: ReturnType<typeof stepServer>['effects']): void {
    for (const effect of effects) {
      if (effect.type === 'incident') this.incidents.push(effect.incident);
      if (effect.type === 'result') this.result = effect.result;
    }
  }
}

/** Stages at which a member can be lost: the message of that stage, and all later ones, never arrive. */
export const STAGES = ['advertise', 'share', 'masked', 'confirm', 'unmask'] as const;
export type Loss = (typeof STAGES)[number] | undefined;

export interface RoundOptions {
  readonly context?: RoundContext;
  readonly ids: readonly string[];
  /** For each id the first message that does not arrive. */
  readonly losses?: Readonly<Record<string, Loss>>;
  readonly inputs?: Readonly<Record<string, readonly Uint32Array[]>>;
  readonly server?: Partial<ServerSetup>;
  readonly client?: Partial<ClientSetup>;
  /** Signs the certificates. */
  readonly crypto?: CryptoProvider;
}

export interface RoundRun {
  readonly server: TestServer;
  readonly clients: ReadonlyMap<string, TestClient>;
  readonly context: RoundContext;
}

/** Deterministic inputs within the limits of the context. */
export function inputFor(context: RoundContext, id: string): Uint32Array[] {
  const random = unsafeDeterministicRandom(`input ${id}`);
  return context.vectors.map((vector) => {
    const bytes = new Uint8Array(4 * vector.length);
    random.fill(bytes);
    const limit = inputLimit(context, vector);
    return Uint32Array.from(new Uint32Array(bytes.buffer), (value) => value % (limit + 1));
  });
}

/** Runs a whole round with the given losses. */
export function runRound(options: RoundOptions): RoundRun {
  const context = options.context ?? contextOf();
  const server = new TestServer(context, options.server);
  const clients = new Map(
    options.ids.map((id) => [id, new TestClient(identityOf(id, {}, options.crypto), context, options.client)]),
  );
  const lost = (id: string, stage: (typeof STAGES)[number]): boolean => {
    const loss = options.losses?.[id];
    return loss !== undefined && STAGES.indexOf(loss) <= STAGES.indexOf(stage);
  };
  const deliver = (stage: (typeof STAGES)[number], outgoing: ReadonlyMap<string, Uint8Array>): void => {
    for (const [id, client] of clients) {
      const message = outgoing.get(id);
      if (message === undefined || lost(id, stage)) continue;
      let answers = client.receive(message);
      if (client.state.phase === 'ready-for-input') {
        client.input = options.inputs?.[id] ?? inputFor(context, id);
        answers = client.step({ type: 'input', vectors: client.input });
      }
      for (const answer of answers) server.receive(id, answer);
    }
  };
  for (const [id, client] of clients) if (!lost(id, 'advertise')) server.receive(id, client.outbox[0]!);
  const stages = context.mode === 'malicious' ? STAGES : STAGES.filter((stage) => stage !== 'confirm');
  for (const next of stages.slice(1)) {
    const outgoing = server.close();
    if (server.state.stage === 'aborted') return { server, clients, context };
    deliver(next, outgoing);
  }
  const receipts = server.close();
  for (const [id, client] of clients) {
    const receipt = receipts.get(id);
    if (receipt !== undefined) client.receive(receipt);
  }
  return { server, clients, context };
}

/** The exact sum of the members' inputs. */
export function plainSum(run: RoundRun, members: readonly string[]): Uint32Array[] {
  return run.context.vectors.map((vector, v) => {
    const sum = new Uint32Array(vector.length);
    for (const id of members) for (const [e, value] of run.clients.get(id)!.input[v]!.entries()) sum[e]! += value;
    return sum.map((value) => (vector.bits === 32 ? value : value % 2 ** vector.bits));
  });
}
