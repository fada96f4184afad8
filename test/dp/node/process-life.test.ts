/** A process that trains ends when it should: after its work, when it says so, and when it is told to, whatever its threads are doing. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the child. @param onOutput Told what it has said so far. */
function run(way: string, onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void): Promise<Ended> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@sotto/source',
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('./process-child.ts', import.meta.url)),
      way,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
    onOutput?.(stdout, (signal) => void child.kill(signal));
  });
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })));
}

it('after its training, and with a session that nobody waits for', async () => {
  const [trained, idle] = await Promise.all([run('trained'), run('idle')]);
  expect(trained).toEqual({ code: 0, signal: null, stdout: 'trained\n', stderr: '' });
  expect(idle).toEqual({ code: 0, signal: null, stdout: 'idle\n', stderr: '' });
});

it('at once when it exits or fails in the middle of a training', async () => {
  const [left, failed] = await Promise.all([run('exit'), run('throw')]);
  expect(left).toEqual({ code: 3, signal: null, stdout: 'leaving\n', stderr: '' });
  expect(failed).toMatchObject({ code: 1, signal: null, stderr: expect.stringMatching(/Error: of the program/) });
});

it('when it is told to', async () => {
  const killed = await run('wait', (stdout, kill) => {
    if (stdout.includes('ready')) kill('SIGTERM');
  });
  expect(killed).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
});
