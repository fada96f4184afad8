/**
 * An attack throws where it succeeds: where a client goes on that had to give up, or an input comes out. It uses no test
 * framework, since the mutation run executes it in a process of its own against changed sources.
 */
import assert from 'node:assert/strict';
import type { Adversary } from '../adversary.ts';

export interface Attack {
  readonly name: string;
  readonly run: () => void;
}

/** All the named clients have given up with this code. */
export function assertAborted(adversary: Adversary, ids: readonly string[], code: string): void {
  for (const id of ids) assert.equal(adversary.code(id) ?? adversary.client(id).state.phase, code, id);
}

/** Nothing came out, and no honest client was made to open both kinds of shares of one dealer. */
export function assertHidden(adversary: Adversary): void {
  const sets = adversary.broken().map((set) => set.join(' and '));
  assert.equal(sets.join(', '), '', `the sum of ${sets.join(', that of ')} is read`);
  assert.deepEqual(adversary.bothKinds(), []);
}
