import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mutants } from './mutants.ts';

const run = spawnSync(
  process.execPath,
  [
    '--conditions=@sotto/source',
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(new URL('./mutation-runner.ts', import.meta.url)),
  ],
  { encoding: 'utf8', maxBuffer: 1e8 },
);
const outcomes = new Map(
  run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const { mutant, ...rest } = JSON.parse(line) as { mutant: string; outcome: string; reason: string };
      return [mutant, rest] as const;
    }),
);

describe('with a check of the client taken out its attack succeeds', () => {
  it('runs every mutant', () => {
    expect(run.stderr).toBe('');
    expect(outcomes.size).toBe(mutants.length);
  });
  for (const mutant of mutants) it(mutant.name, () => expect(outcomes.get(mutant.name)).toMatchObject({ outcome: 'killed' }));
});
