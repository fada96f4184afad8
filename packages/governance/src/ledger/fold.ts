/**
 * The rules of a ledger. Programs check an entry against them before they append it; verifiers fold what they were
 * given. Both see the same rules, and a breach is a typed fault that names the entry.
 *
 * @module
 */
import type { CryptoProvider } from '@sotto/core/crypto';
import { validateEntry } from './codec.ts';
import type { LedgerEntry, LedgerEntryKind } from './entry.ts';
import { ledgerFault } from './faults.ts';
import { foldAccount, foldContribute, foldObserve, foldRelease, foldReserve } from './fold-client.ts';
import { foldAbort, foldPublish } from './fold-coordinator.ts';
import { foldEnrol } from './fold-identity.ts';
import { foldComplete, foldPlan } from './fold-run.ts';
import { type Commit, MutableLedgerState } from './mutable-state.ts';
import type { LedgerState } from './state.ts';

/** Who writes an entry of each kind. */
const writers: { readonly [K in LedgerEntryKind]: 'coordinator' | 'client' | 'both' } = {
  enrol: 'both',
  account: 'client',
  plan: 'both',
  reserve: 'client',
  release: 'client',
  contribute: 'client',
  observe: 'client',
  publish: 'coordinator',
  abort: 'coordinator',
  complete: 'both',
};

/** Folds entries one by one. */
export class LedgerFold {
  readonly #crypto: Pick<CryptoProvider, 'sha256'>;
  readonly #state = new MutableLedgerState();

  constructor(crypto: Pick<CryptoProvider, 'sha256'>) {
    this.#crypto = crypto;
  }

  /** What follows from the entries so far; a live view. */
  get state(): LedgerState {
    return this.#state;
  }

  /** Throws the fault that {@link apply} would throw; changes nothing. */
  check(entry: LedgerEntry): void {
    this.#prepare(validateEntry(entry));
  }

  /** Checks an entry and takes it in. A refused entry changes nothing. */
  apply(entry: LedgerEntry): void {
    this.applyDecoded(validateEntry(entry));
  }

  /** As {@link apply}, for an entry that `decodeEntry` or `validateEntry` has just returned. */
  applyDecoded(entry: LedgerEntry): void {
    const commit = this.#prepare(entry);
    commit();
    this.#state.size++;
  }

  #prepare(entry: LedgerEntry): Commit {
    const state = this.#state;
    const index = state.size;
    const role = state.self?.entry.role;
    if (role === undefined && entry.kind !== 'enrol') {
      throw ledgerFault(
        'not-enrolled',
        index,
        `the ledger begins with "${entry.kind}"; it must begin with the enrolment of its party`,
      );
    }
    const writer = writers[entry.kind];
    if (role !== undefined && writer !== 'both' && writer !== role) {
      throw ledgerFault('wrong-role', index, `"${entry.kind}" stands in the ledger of a ${role}; only a ${writer} writes it`);
    }
    switch (entry.kind) {
      case 'enrol':
        return foldEnrol(state, entry, index);
      case 'account':
        return foldAccount(state, entry, index);
      case 'plan':
        return foldPlan(state, entry, index, this.#crypto);
      case 'reserve':
        return foldReserve(state, entry, index);
      case 'release':
        return foldRelease(state, entry, index);
      case 'contribute':
        return foldContribute(state, entry, index);
      case 'observe':
        return foldObserve(state, entry, index);
      case 'publish':
        return foldPublish(state, entry, index);
      case 'abort':
        return foldAbort(state, entry, index);
      case 'complete':
        return foldComplete(state, entry, index);
    }
  }
}

/** Folds a whole ledger; throws at the first fault. */
export function foldLedger(crypto: Pick<CryptoProvider, 'sha256'>, entries: Iterable<LedgerEntry>): LedgerState {
  const fold = new LedgerFold(crypto);
  for (const entry of entries) fold.apply(entry);
  return fold.state;
}
