import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './sources.ts';

function bench(...args: string[]): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const argv = ['--conditions=@sotto/source', 'bench/run.ts', ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, argv, { cwd: root }, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe('the benchmark runner', () => {
  const names = readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.ts') && file !== 'run.ts' && file !== 'bench.ts')
    .map((file) => file.slice(0, -3));

  it('lists every benchmark with what it measures', async () => {
    const { status, stdout } = await bench();
    expect(status).toBe(0);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name} +\\S.{20,}`, 'm'));
  });

  it('names them when asked for another', async () => {
    const { status, stdout, stderr } = await bench('nothing');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe(`bench: there is no benchmark "nothing"; the benchmarks are ${names.toSorted().join(', ')}\n`);
  });
});
