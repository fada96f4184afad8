/** Every check of the protocol, found in the syntax trees of the sources, is missed by an attack when it is taken out. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FILES, mutantsOf } from './generated/mutants.ts';
import { UNNOTICED } from './generated/unnoticed.ts';

const runner = fileURLToPath(new URL('./generated/runner.ts', import.meta.url));
const run = spawnSync(process.execPath, ['--conditions=@sotto/source', '--disable-warning=ExperimentalWarning', runner], {
  encoding: 'utf8',
  maxBuffer: 1e8,
});
const noticed = new Map(
  run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const { name, attack } = JSON.parse(line) as { name: string; attack?: string };
      return [name, attack] as const;
    }),
);
const reasons = new Map(UNNOTICED.flatMap(({ reason, mutants }) => mutants.map((mutant) => [mutant, reason] as const)));

describe('each check taken out', () => {
  it('runs in the process that it needs', () => {
    expect(run.stderr).toBe('');
    expect(noticed.size).toBeGreaterThan(700);
  });

  it.each(FILES)('is noticed: %s', (file) => {
    // What stands here needs an attack, or a reason in `generated/unnoticed.ts`.
    const missed = mutantsOf(file).filter(({ name }) => noticed.get(name) === undefined && !reasons.has(name));
    expect(missed.map(({ name }) => name)).toEqual([]);
  });

  it('or has a reason that is still about a check', () => {
    const names = new Set(FILES.flatMap(mutantsOf).map(({ name }) => name));
    expect([...reasons.keys()].filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('the search', () => {
  it('sees checks in every shape', () => {
    const kinds = FILES.flatMap(mutantsOf).map(({ name }) => name);
    for (const part of [
      // A throwing if; an early return; both sides of a condition; a predicate; a call that checks; a bound before allocation; a list to wipe.
      'client/confirm.ts checkU2: u2.length < F → false',
      'keys.ts isGoodKemKey: key.length !== 1184 → false',
      'client/unmask.ts checkCertificate: place === undefined || !members.has(id) → place === undefined',
      'roster.ts checkPublicKeys: advert.kemKeys.every(isGoodKemKey) → true',
      "context.ts checkContext: check.bytes('planHash', context.planHash, 32) → undefined",
      'messages/confirm.ts readConfirmations: limits.nMax → 0xffffffff',
      'client/machine.ts secretsOf: state.ownShare → undefined',
      'parameters.ts parametersOf: 1 → (1 - 1) (2)',
    ]) {
      expect(kinds).toContain(part);
    }
  });
});
