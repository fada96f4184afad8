/**
 * A small complete run, made by the parties' own rules: four data owners, four rounds (one with a drop-out, one aborted,
 * one with an absent owner). Signatures of the secure aggregation come from `@sotto/secagg`, so that the verifier's own
 * formulas meet an independent implementation.
 */
import { createHash } from 'node:crypto';
import { fromUtf8, toBase64, toHex, utf8 } from '@sotto/core/bytes';
import type { CryptoProvider } from '@sotto/core/crypto';
import { nobleCrypto } from '@sotto/core/crypto-noble';
import { type DpEvent, encodeEvent } from '@sotto/core/event';
import { issueCertificate, type TrustBundle, trustFingerprint } from '@sotto/core/identity';
import { canonicalJson } from '@sotto/core/json';
import {
  type Accountant,
  type ExportRunInput,
  type LedgerEntry,
  Ledger,
  logOrigin,
  modelHash,
  planHash,
  type PlanTerms,
  type PublishEntry,
  reservationEvidence,
  topologyHash,
} from '@sotto/governance';
import { sessionId } from '../../packages/secagg/src/context.ts';
import { signConfirmation } from '../../packages/secagg/src/messages/confirm.ts';
import { signInput, u2Root } from '../../packages/secagg/src/messages/input.ts';
import { u1Root } from '../../packages/secagg/src/messages/share.ts';
import { signReceipt } from '../../packages/secagg/src/messages/unmask.ts';

/** noble with remembered signature checks and native SHA-256: the tests verify the same run thousands of times. */
export function rememberingCrypto(): CryptoProvider {
  const known = new Map<string, boolean>();
  return {
    ...nobleCrypto,
    sha256(...parts) {
      const hash = createHash('sha256');
      for (const part of parts) hash.update(part);
      return new Uint8Array(hash.digest());
    },
    ed25519Verify(publicKey, message, signature) {
      const key = toHex(nobleCrypto.sha256(publicKey, signature, message));
      let valid = known.get(key);
      if (valid === undefined) known.set(key, (valid = nobleCrypto.ed25519Verify(publicKey, message, signature)));
      return valid;
    },
  };
}

export const crypto: CryptoProvider = rememberingCrypto();

/** A deterministic 32-byte value for a name. */
export const seedOf = (name: string): Uint8Array => nobleCrypto.sha256(utf8(`test seed ${name}`));
export const hashOf = (name: string): string => toHex(nobleCrypto.sha256(utf8(`test hash ${name}`)));

/** zCDP without amplification: simple, sound, and independent of the real accountants. */
export const zcdpAccountant: Accountant = (events, { delta }) => {
  const rho = (event: DpEvent): number => {
    switch (event.type) {
      case 'gaussian':
        return event.noiseMultiplier === 0 ? Infinity : 0.5 / event.noiseMultiplier ** 2;
      case 'poissonSampled':
        return rho(event.event);
      case 'selfComposed':
        return event.count * rho(event.event);
      case 'composed':
        return event.events.reduce((sum, part) => sum + rho(part), 0);
      default:
        return Infinity;
    }
  };
  const total = events.reduce((sum, event) => sum + rho(event), 0);
  return { epsilon: total === 0 ? 0 : total + 2 * Math.sqrt(total * Math.log(1 / delta)), method: 'zCDP (test)' };
};

export const trustDomain = 'hearts.example';
export const runId = 'heart-1';
export const owners: readonly string[] = ['alpha', 'beta', 'delta', 'gamma'];
const day = Date.UTC(2026, 0, 2, 8, 0, 0);

export const bundle: TrustBundle = {
  trustDomain,
  rootKey: nobleCrypto.ed25519PublicKey(seedOf('root')),
  tlsCaCertificate: utf8('a certificate'),
};
export const fingerprint: string = trustFingerprint(nobleCrypto, bundle);

export function certificateOf(
  id: string,
  role: 'coordinator' | 'client',
  overrides: { ledgerSeed?: Uint8Array } = {},
): Uint8Array {
  return issueCertificate(nobleCrypto, seedOf('root'), {
    trustDomain,
    id,
    role,
    signingKey: nobleCrypto.ed25519PublicKey(seedOf(`${id} signing`)),
    ledgerKey: nobleCrypto.ed25519PublicKey(overrides.ledgerSeed ?? seedOf(`${id} ledger`)),
    serial: seedOf(`${id} serial`).slice(0, 16),
    notBeforeMs: day - 1000,
    notAfterMs: day + 86_400_000,
  });
}

export const topology = {
  class_name: 'Sequential',
  config: { layers: [{ class_name: 'Dense', config: { units: 1 } }], name: 'logistic' },
};
export const weightSpecs = [
  { name: 'dense/kernel', shape: [13, 1] },
  { name: 'dense/bias', shape: [1] },
];
const initial = new Float32Array(14);
/** The model after each published round. */
export const modelAfter = (round: number): Float32Array =>
  Float32Array.from({ length: 14 }, (_, i) => Math.fround(round * 0.1 * (i - 6)));

export const terms: PlanTerms = {
  rounds: 4,
  model: {
    name: 'logistic regression',
    topologyHash: topologyHash(nobleCrypto, topology),
    weights: weightSpecs,
    initialHash: modelHash(nobleCrypto, initial),
  },
  training: { unit: 'record', adjacency: 'addOrRemoveOne', clipNorm: 1, learningRate: 0.5, localSteps: 1, delta: 1e-3 },
  parties: owners.map((id, i) => ({ id, weight: 100 + i, sampleRate: 0.9, expectedBatchSize: 90 + i })),
  vectors: [
    { name: 'update', length: 14 },
    { name: 'metrics', length: 2 },
  ],
  quantiser: { clip: 8, bits: 20 },
  secagg: { mode: 'malicious', gammaNumerator: 1, gammaDenominator: 3, cMin: 1, nMin: 3, nMax: 4, hMin: 2 },
};
export const planDocument = {
  version: 1,
  runId,
  rounds: terms.rounds,
  training: { ...terms.training },
  parties: terms.parties.map((party) => ({ ...party })),
  quantiser: { ...terms.quantiser },
  secagg: { ...terms.secagg },
};
export const plan = planHash(nobleCrypto, planDocument);

export const event: DpEvent = { type: 'poissonSampled', sampleRate: 0.9, event: { type: 'gaussian', noiseMultiplier: 10 } };
export const mechanism = 'Poisson sample of the training records, gradients clipped to norm 1, Gaussian noise on an integer grid';

let clock = day;
const tick = (): number => (clock += 1000);

export const base = <K extends string>(kind: K): { version: 1; kind: K; timeMs: number } => ({
  version: 1,
  kind,
  timeMs: tick(),
});

export function enrolEntry(
  id: string,
  role: 'coordinator' | 'client',
  certificate: Uint8Array = certificateOf(id, role),
): LedgerEntry {
  return { ...base('enrol'), party: id, role, trustDomain, certificate: toBase64(certificate), trustFingerprint: fingerprint };
}

export function planEntry(): LedgerEntry {
  return { ...base('plan'), runId, planHash: plan, terms, document: planDocument };
}

export function accountEntry(id: string): LedgerEntry {
  return {
    ...base('account'),
    account: `${id}-patients`,
    dataset: { name: `Heart disease records of ${id}`, commitment: hashOf(`${id} data`) },
    steward: `Data office of ${id}`,
    purpose: 'Predict heart disease from routine measurements',
    legalBasis: 'GDPR Art. 9(2)(j), study 12/2026',
    unit: 'record',
    adjacency: 'addOrRemoveOne',
    contributionBound: { recordsPerUnit: 1, roundsPerRun: 4 },
    budget: { epsilonNano: 1_500_000_000, delta: 1e-3 },
  };
}

export function reserveEntry(id: string, round: number): LedgerEntry {
  return { ...base('reserve'), runId, round, planHash: plan, account: `${id}-patients`, event, mechanism };
}

/** Ledgers, and a way to play rounds on them. */
export class SyntheticRun {
  readonly coordinator: Ledger = new Ledger(nobleCrypto, logOrigin(trustDomain, 'coordinator'));
  readonly clients: ReadonlyMap<string, Ledger> = new Map(
    owners.map((id) => [id, new Ledger(nobleCrypto, logOrigin(trustDomain, id))]),
  );
  #model: Float32Array = initial;

  start(): this {
    this.coordinator.append(enrolEntry('coordinator', 'coordinator'));
    for (const [id, ledger] of this.clients) {
      this.coordinator.append(enrolEntry(id, 'client'));
      ledger.append(enrolEntry(id, 'client'));
      ledger.append(accountEntry(id));
    }
    this.coordinator.append(planEntry());
    for (const ledger of this.clients.values()) ledger.append(planEntry());
    return this;
  }

  client(id: string): Ledger {
    return this.clients.get(id)!;
  }

  reserve(id: string, round: number): number {
    return this.client(id).append(reserveEntry(id, round)).index;
  }

  release(id: string, round: number): void {
    const reservation = this.client(id).state.reservation(runId, round)!.reserve.index;
    this.client(id).append({ ...base('release'), runId, round, reservation, reason: 'the round was given up before training' });
  }

  observe(round: number, outcome: 'published' | 'aborted', ids: readonly string[] = owners): void {
    const checkpoint = fromUtf8(this.coordinator.log.checkpoint(nobleCrypto, seedOf('coordinator ledger')));
    for (const id of ids) this.client(id).append({ ...base('observe'), runId, round, outcome, checkpoint });
  }

  abort(round: number, spent: readonly string[]): void {
    const reason = 'the coordinator was restarted';
    this.coordinator.append({ ...base('abort'), runId, round, attempt: 1, stage: 'masked', reason, spent });
  }

  /** Builds the publish entry of a round whose survivors have reserved and now contribute. */
  publishEntry(
    round: number,
    roster: readonly string[],
    survivors: readonly string[],
    stated: (id: string) => DpEvent | undefined = (id) => this.client(id).state.reservation(runId, round)?.reserve.entry.event,
  ): PublishEntry {
    const context = nobleCrypto.sha256(utf8(`context ${round}`));
    const rosterRoot = nobleCrypto.sha256(utf8(`roster ${round}`));
    const sid = sessionId(nobleCrypto, context, roster.length, rosterRoot);
    const rootU1 = u1Root(nobleCrypto, roster);
    const u2 = survivors.map((id) => ({ id, inputHash: nobleCrypto.sha256(utf8(`y ${round} ${id}`)) }));
    const rootU2 = u2Root(nobleCrypto, u2);
    const statement = { sid, rootU1, rootU2, survivors: u2.length };
    const confirmations = survivors.map((id) => ({
      id,
      signature: signConfirmation(nobleCrypto, seedOf(`${id} signing`), statement),
    }));
    const sumHash = nobleCrypto.sha256(utf8(`sum ${round}`));
    const events = survivors.flatMap((id) => {
      const of = stated(id);
      return of === undefined ? [] : [`"${id}":${canonicalJson(encodeEvent(of))}`];
    });
    const released = utf8(`{${events.join(',')}}`);
    const receipt = signReceipt(nobleCrypto, seedOf('coordinator signing'), sid, {
      rootU2,
      survivors: u2.length,
      sumHash,
      confirmations,
      event: released,
    });
    const modelBefore = modelHash(nobleCrypto, this.#model);
    this.#model = modelAfter(round);
    return {
      ...base('publish'),
      runId,
      round,
      attempt: 1,
      planHash: plan,
      context: toHex(context),
      sid: toHex(sid),
      roster,
      rosterRoot: toHex(rosterRoot),
      sharers: roster,
      sharersRoot: toHex(rootU1),
      survivors: u2.map(({ id, inputHash }) => {
        const ledger = this.client(id);
        const reservation = ledger.state.reservation(runId, round)!.reserve.index;
        const evidence = reservationEvidence(nobleCrypto, ledger, reservation, seedOf(`${id} ledger`));
        ledger.append({ ...base('contribute'), runId, round, sid: toHex(sid), reservation, inputHash: toHex(inputHash) });
        const signature = toBase64(signInput(nobleCrypto, seedOf(`${id} signing`), sid, rootU1, inputHash));
        return { party: id, inputHash: toHex(inputHash), signature, evidence };
      }),
      survivorsRoot: toHex(rootU2),
      confirmations: confirmations.map(({ id, signature }) => ({ party: id, signature: toBase64(signature) })),
      sumHash: toHex(sumHash),
      receipt: { event: toBase64(released), signature: toBase64(receipt.signature) },
      modelBefore,
      modelAfter: modelHash(nobleCrypto, this.#model),
      heldOut: { correct: 150 + 10 * round, total: 250 },
    };
  }

  publish(round: number, roster: readonly string[], survivors: readonly string[] = roster): void {
    this.coordinator.append(this.publishEntry(round, roster, survivors));
  }

  /** The four rounds described above, and the end. */
  play(): this {
    for (const id of owners) this.reserve(id, 1);
    this.publish(1, owners);
    this.observe(1, 'published');

    for (const id of owners) this.reserve(id, 2);
    const survivors = owners.filter((id) => id !== 'beta');
    this.publish(2, owners, survivors);
    this.observe(2, 'published', survivors);

    for (const id of owners) this.reserve(id, 3);
    this.release('alpha', 3);
    this.abort(3, ['beta', 'delta', 'gamma']);
    this.observe(3, 'aborted');

    const present = owners.filter((id) => id !== 'delta');
    for (const id of present) this.reserve(id, 4);
    this.publish(4, present);
    this.observe(4, 'published', present);
    this.complete();
    return this;
  }

  complete(): void {
    const { published, aborted } = this.coordinator.state.runs.get(runId)!;
    const end = { runId, published, aborted, modelHash: modelHash(nobleCrypto, this.#model) };
    this.coordinator.append({ ...base('complete'), ...end });
    for (const ledger of this.clients.values()) ledger.append({ ...base('complete'), ...end });
  }

  exportInput(): ExportRunInput {
    const ledgers = new Map(
      [['coordinator', this.coordinator] as const, ...this.clients].map(([id, ledger]) => [
        id,
        { leaves: ledger.log.entries(), checkpoint: ledger.log.checkpoint(nobleCrypto, seedOf(`${id} ledger`)) },
      ]),
    );
    return {
      crypto,
      accountant: zcdpAccountant,
      runId,
      bundle,
      certificates: new Map([
        ['coordinator', certificateOf('coordinator', 'coordinator')],
        ...owners.map((id): [string, Uint8Array] => [id, certificateOf(id, 'client')]),
      ]),
      ledgers,
      coordinator: 'coordinator',
      ledgerSeed: seedOf('coordinator ledger'),
      model: { topology, weights: weightSpecs, values: this.#model },
    };
  }
}
